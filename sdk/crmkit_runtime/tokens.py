"""DatabaseTokenStore: OAuth pairs sealed in the database, refreshed by one at a time over all processes."""

from __future__ import annotations

import json
import logging
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Update, select, update

from crmkit.clock import Clock
from crmkit.errors import ConfigError
from crmkit.tokens import Tokens
from crmkit_runtime.database import Database, from_us, to_us, upsert
from crmkit_runtime.keys import Keyring
from crmkit_runtime.liveness import is_gone, owner_name
from crmkit_runtime.tables import token

log = logging.getLogger(__name__)

STALE_AFTER_S = 60.0
"""A refresh is one request: whoever holds the lease longer than this is believed dead."""

POLL_S = 0.02
KEY_CHECK = ""
"""The account under which a known text is sealed, so that a wrong key is noticed at start."""


@dataclass(frozen=True, slots=True)
class UnfinishedRefresh:
    """A refresh whose process died: the CRM may have given out a pair that nobody stored."""

    account: str
    since: datetime
    by: str


class DatabaseTokenStore:
    """Keeps one pair per account for all threads and processes; a `crmkit.tokens.TokenStore`.

    Args:
        database: holds the sealed pairs.
        keyring: seals them.
        clock: judges how old a lease is.
    """

    def __init__(self, database: Database, keyring: Keyring, clock: Clock) -> None:
        self._database = database
        self._keyring = keyring
        self._clock = clock
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._taken_over: list[UnfinishedRefresh] = []

    def load(self, account: str) -> Tokens | None:
        """The newest pair, read afresh. Raises ConfigError when it was sealed with a key that is not here."""
        with self._database.read() as connection:
            sealed = connection.execute(select(token.c.sealed).where(token.c.account == account)).scalar()
        if sealed is None:
            return None
        try:
            return Tokens(**json.loads(self._keyring.unseal(sealed)))
        except ConfigError as error:
            raise ConfigError(
                f"the tokens cannot be read: {error.message}", account=account, remedy=error.remedy
            ) from error

    def save(self, account: str, tokens: Tokens) -> None:
        """Keep the pair; on return it survives a crash, and a refresh that this process holds is finished."""
        sealed = self._keyring.seal(json.dumps(asdict(tokens)).encode())
        with self._database.write() as connection:
            upsert(connection, token, {"account": account, "sealed": sealed}, conflict=["account"], update=["sealed"])
            connection.execute(_release(account))

    @contextmanager
    def refreshing(self, account: str) -> Iterator[None]:
        """Hold the account's refresh lease over all threads and processes; load again inside, before refreshing.

        The lease of a process that died, or that holds it for over STALE_AFTER_S, is taken over and reported by
        `unfinished_refreshes`.
        """
        with self._turns[account]:
            while not self._take(account):
                self._clock.wait(POLL_S)
            try:
                yield
            finally:
                with self._database.write() as connection:
                    connection.execute(_release(account))

    def unfinished_refreshes(self) -> Sequence[UnfinishedRefresh]:
        """Refreshes that were begun by a process that is gone, and those that this one had to take over."""
        with self._database.read() as connection:
            rows = connection.execute(
                select(token.c.account, token.c.refreshing_since, token.c.refreshing_by).where(
                    token.c.refreshing_since.is_not(None)
                )
            ).all()
        found = [UnfinishedRefresh(account, from_us(since), by) for account, since, by in rows]
        return [*self._taken_over, *(one for one in found if self._is_stale(one))]

    def check_key(self) -> None:
        """Raise ConfigError when the database was sealed with a key that is not here; a new one remembers this key."""
        with self._database.read() as connection:
            sealed = connection.execute(select(token.c.sealed).where(token.c.account == KEY_CHECK)).scalar()
        if sealed is not None:
            self._keyring.unseal(sealed)
            return
        with self._database.write() as connection:
            values = {"account": KEY_CHECK, "sealed": self._keyring.seal(b"crmkit")}
            upsert(connection, token, values, conflict=["account"])

    def rotate(self) -> int:
        """Seal everything again with the first key, in one transaction; how many accounts there were."""
        with self._database.write() as connection:
            rows = connection.execute(select(token.c.account, token.c.sealed).where(token.c.sealed.is_not(None))).all()
            for account, sealed in rows:
                change = update(token).where(token.c.account == account).values(sealed=self._keyring.reseal(sealed))
                connection.execute(change)
        return sum(account != KEY_CHECK for account, _ in rows)

    def _take(self, account: str) -> bool:
        now = self._clock.now()
        with self._database.write() as connection:
            row = connection.execute(
                select(token.c.refreshing_since, token.c.refreshing_by).where(token.c.account == account)
            ).one_or_none()
            if row is not None and row.refreshing_since is not None:
                held = UnfinishedRefresh(account, from_us(row.refreshing_since), row.refreshing_by)
                if not self._is_stale(held):
                    return False
                log.warning("account %s: the token refresh of %s, begun %s, never ended", account, held.by, held.since)
                self._taken_over.append(held)
            mine = {"account": account, "refreshing_since": to_us(now), "refreshing_by": owner_name()}
            upsert(connection, token, mine, conflict=["account"], update=["refreshing_since", "refreshing_by"])
        return True

    def _is_stale(self, held: UnfinishedRefresh) -> bool:
        return is_gone(held.by) or (self._clock.now() - held.since).total_seconds() > STALE_AFTER_S


def _release(account: str) -> Update:
    """Only our own lease: one that was taken over belongs to somebody else."""
    return (
        update(token)
        .where(token.c.account == account, token.c.refreshing_by == owner_name())
        .values(refreshing_since=None, refreshing_by=None)
    )
