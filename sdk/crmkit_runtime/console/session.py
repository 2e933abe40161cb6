"""Who is signed in: a sealed cookie, a token that only our own forms know, and few tries for a wrong password."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta

from crmkit.errors import ConfigError
from crmkit_runtime.keys import Keyring

VARIABLE = "CRMKIT_CONSOLE_PASSWORD"

SHORTEST = 12
"""Signs that a password must have: it is the only thing that stands before merges."""

LASTS = timedelta(hours=12)
"""How long nobody is asked again."""

TRIES = 5
"""Wrong passwords that a process hears within `COOLS`; after that it does not even look."""

COOLS = timedelta(minutes=1)


def password_of(environment: Mapping[str, str] = os.environ) -> str | None:
    """The operator's password; None when there is no console. Raises ConfigError for one that is too short."""
    found = environment.get(VARIABLE) or None
    if found is not None and len(found) < SHORTEST:
        raise ConfigError(
            f"{VARIABLE} is shorter than {SHORTEST} signs", remedy="Set a longer one, or unset it: then nobody gets in."
        )
    return found


class Sessions:
    """Signs in whoever knows the password; a new password, or a new key of the service, signs everybody out.

    Args:
        keyring: the service's.
        password: the operator's.
    """

    def __init__(self, keyring: Keyring, password: str) -> None:
        self._digest = hashlib.sha256(password.encode()).digest()
        self._keys = [key.encode() for key in keyring.derive(f"console:{self._digest.hex()}")]
        self._lock = threading.Lock()
        self._wrong: list[datetime] = []

    def is_closed(self, now: datetime) -> bool:
        """So many wrong passwords came lately that no other is looked at."""
        with self._lock:
            self._wrong = [at for at in self._wrong if now - at < COOLS]
            return len(self._wrong) >= TRIES

    def begin(self, password: str, now: datetime) -> str | None:
        """The cookie of a new session; None for a wrong password."""
        if not hmac.compare_digest(hashlib.sha256(password.encode()).digest(), self._digest):
            with self._lock:
                self._wrong.append(now)
            return None
        body = f"{int((now + LASTS).timestamp())}.{secrets.token_urlsafe(16)}"
        return f"{body}.{self._sign('session', body, self._keys[0])}"

    def holds(self, cookie: str, now: datetime) -> bool:
        """The cookie is one of ours and has not run out."""
        body, _, seal = cookie.rpartition(".")
        until = body.partition(".")[0]
        return self._is_signed("session", body, seal) and until.isdecimal() and now.timestamp() < int(until)

    def token(self, cookie: str) -> str:
        """What a form of this session must bring."""
        return self._sign("form", cookie, self._keys[0])

    def is_token(self, cookie: str, token: str) -> bool:
        """The form is one that this session was given."""
        return self._is_signed("form", cookie, token)

    def _is_signed(self, purpose: str, text: str, seal: str) -> bool:
        offered = seal.encode("utf-8", "replace")
        return any(hmac.compare_digest(offered, self._sign(purpose, text, key).encode()) for key in self._keys)

    @staticmethod
    def _sign(purpose: str, text: str, key: bytes) -> str:
        return hmac.new(key, f"{purpose}:{text}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()
