"""The service's key: what seals tokens, and what hook secrets are derived from."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from crmkit.errors import ConfigError
from crmkit_runtime.database import Database

VARIABLE = "CRMKIT_KEY"


def key_file(database: Database) -> Path | None:
    """Where the key lies when the environment brings none; only an SQLite database has a place beside it."""
    return Path(f"{database.path}.key") if database.is_sqlite else None


def make_key_file(database: Database, environment: Mapping[str, str] = os.environ) -> None:
    """Make the key file, readable by its owner only, unless there is one or `CRMKIT_KEY` is set."""
    path = key_file(database)
    if path is None or environment.get(VARIABLE):
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "wb") as file:
        file.write(Fernet.generate_key() + b"\n")
        file.flush()
        os.fsync(file.fileno())


class Keyring:
    """The keys of a service: the first seals, all of them open.

    Args:
        keys: Fernet keys (32 bytes, url-safe base64), newest first.

    Raises ConfigError for a text that is no key.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            self._cipher = MultiFernet([Fernet(key) for key in keys])
            self._roots = [base64.urlsafe_b64decode(key) for key in keys]
        except ValueError:
            raise ConfigError(
                f"{VARIABLE} is not a key",
                remedy="It must be 32 random bytes in url-safe base64; several keys are separated by commas.",
            ) from None

    @classmethod
    def load(cls, database: Database, environment: Mapping[str, str] = os.environ) -> Keyring:
        """The keys of `CRMKIT_KEY` (comma separated), else of the key file. Raises ConfigError when there are none."""
        text = environment.get(VARIABLE, "")
        path = key_file(database)
        if not text and path is not None:
            try:
                text = path.read_text(encoding="ascii")
            except FileNotFoundError:
                text = ""
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(f"the key file {path} cannot be read: {error}", remedy="Mend its rights.") from error
        keys = [key.strip() for key in text.split(",") if key.strip()]
        if not keys:
            beside = f" and there is no {path}" if path else ""
            raise ConfigError(
                f"{VARIABLE} is not set{beside}",
                remedy=f"Set {VARIABLE}, or restore the key file; `crmkit migrate` makes one beside a new database.",
            )
        return cls(keys)

    def seal(self, secret: bytes) -> bytes:
        """`secret`, unreadable without the key."""
        return self._cipher.encrypt(secret)

    def unseal(self, sealed: bytes) -> bytes:
        """What was sealed. Raises ConfigError when it was sealed with a key that is not here."""
        try:
            return self._cipher.decrypt(sealed)
        except InvalidToken:
            raise _wrong_key() from None

    def reseal(self, sealed: bytes) -> bytes:
        """The same secret under the first key. Raises ConfigError when it was sealed with a key that is not here."""
        try:
            return self._cipher.rotate(sealed)
        except InvalidToken:
            raise _wrong_key() from None

    def derive(self, purpose: str) -> Sequence[str]:
        """Secrets of 160 bits for a purpose, one from each key, newest first; the same over restarts."""
        return [
            base64.b32encode(hmac.digest(root, purpose.encode(), hashlib.sha256)[:20]).decode().lower()
            for root in self._roots
        ]

    def __repr__(self) -> str:
        return f"Keyring({len(self._roots)} keys)"


def _wrong_key() -> ConfigError:
    return ConfigError(
        "what is stored was sealed with another key",
        remedy=f"Put that key back as a further one of {VARIABLE} (comma separated), or authorise the accounts again.",
    )
