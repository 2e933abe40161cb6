"""OAuth tokens and where they are kept, so that a script's refresh cannot kill a service."""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol, TextIO

from crmkit.errors import ConfigError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tokens:
    """A pair of OAuth tokens.

    `expires_at` is Unix seconds; `host` is set when the account has moved; `hook_secret` is what hooks carry since the
    last installation, where the CRM gives that out with it.
    """

    access: str = field(repr=False)
    refresh: str | None = field(default=None, repr=False)
    expires_at: float | None = None
    host: str | None = None
    hook_secret: str | None = field(default=None, repr=False)


class TokenStore(Protocol):
    """Keeps one pair per account, durably, for all processes."""

    def load(self, account: str) -> Tokens | None:
        """The newest pair, read afresh; None when there is none."""

    def save(self, account: str, tokens: Tokens) -> None:
        """Keep the pair; on return it survives a crash."""

    def refreshing(self, account: str) -> AbstractContextManager[None]:
        """Hold the account's refresh lock over all threads and processes.

        A marker stays behind when the process dies inside, so that the next start can report it.
        """


class StaticTokens:
    """A store for one long-lived token, which nobody refreshes."""

    def __init__(self, access: str) -> None:
        self._tokens = Tokens(access)

    def load(self, account: str) -> Tokens | None:
        """The token."""
        return self._tokens

    def save(self, account: str, tokens: Tokens) -> None:
        """Refuse: a long-lived token has no successor."""
        raise ConfigError(f"account {account} uses a long-lived token, which cannot be replaced", account=account)

    @contextmanager
    def refreshing(self, account: str) -> Iterator[None]:
        """Nothing to lock."""
        yield


class FileTokenStore:
    """Tokens in one JSON file per account, for scripts: locked with flock, replaced atomically.

    Args:
        folder: where the files lie; made when first needed, readable by the owner only.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, account: str, suffix: str = ".json") -> Path:
        return self._folder / f"{account}{suffix}"

    def load(self, account: str) -> Tokens | None:
        """The newest pair on disk."""
        try:
            text = self._path(account).read_text()
        except FileNotFoundError:
            return None
        try:
            return Tokens(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise ConfigError(
                f"the token file of account {account} cannot be read ({type(error).__name__})",
                account=account,
                remedy=f"Remove {self._path(account)} and authorise the account again.",
            ) from None

    def save(self, account: str, tokens: Tokens) -> None:
        """Write, flush and rename: a crash leaves either the old pair or the new one."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(account)
        draft = path.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(tokens), file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        self._sync_folder()

    def _sync_folder(self) -> None:
        # The rename itself is lost in a power cut unless the folder reaches the disk as well.
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def refreshing(self, account: str) -> Iterator[None]:
        """Hold an exclusive lock on the account's lock file over all threads and processes.

        While it is held the file names the holder; a name found in it belongs to one who died inside, and is logged.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(self._path(account, ".lock"), os.O_RDWR | os.O_CREAT, 0o600), "r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if holder := lock.read().strip():
                log.warning(
                    "account %s: process %s died while it refreshed the tokens; "
                    "if the CRM now refuses the refresh token, authorise again",
                    account,
                    holder,
                )
            _rewrite(lock, str(os.getpid()))
            try:
                yield
            finally:
                _rewrite(lock, "")


def _rewrite(file: TextIO, text: str) -> None:
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()
