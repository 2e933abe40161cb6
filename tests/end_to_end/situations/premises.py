"""Premises: emulated amoCRM accounts, one database, and services opened on it as often as a test likes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, Self

from crmkit.clock import Clock, SystemClock
from crmkit.extension import Extension
from crmkit.settings import ServiceConfig
from crmkit.testing.clock import JumpingClock
from crmkit_runtime import report
from crmkit_runtime.database import Database
from crmkit_runtime.ingest import Ingest
from crmkit_runtime.migrations import migrate
from crmkit_runtime.service import Service
from crmkit_runtime.web import create_app
from crmkit_runtime.worker import Worker
from crmkit_sandbox import Sandbox
from crmkit_sandbox.amocrm import AmoCrm
from crmkit_sandbox.clock import Clock as SandboxClock
from crmkit_testing.door import Door

ACCOUNT = "acme"
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
PATIENCE_S = 60.0
"""How long, on a clock that is turned, what is queued for later is waited for."""


class Premises:
    """What outlives a service: the accounts, which know one time, and the folder with the database. Use it in `with`.

    Args:
        folder: where the database lies.
        accounts: keys of the accounts; each is an amoCRM of its own.
        is_turned: the time stands until a test turns it; else it is the machine's.
    """

    def __init__(self, folder: Path, accounts: Sequence[str] = (ACCOUNT,), *, is_turned: bool = True) -> None:
        self.time = SandboxClock()
        self.sandboxes = {key: Sandbox(("amocrm",), self.time) for key in accounts}
        self.clock: Clock = JumpingClock(self._now, self.time.advance) if is_turned else SystemClock()
        self.database = Database(str(folder / "crmkit.sqlite3"))
        self._is_turned = is_turned
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        if self._is_turned:
            self.time.freeze(MONDAY.timestamp())
        for sandbox in self.sandboxes.values():
            self._stack.enter_context(sandbox)
            # Turned time passes for all at once: a call let go in one second may arrive in the next, and be refused.
            sandbox.amocrm.limits.retry_after = 1
        migrate(self.database, {})
        self._stack.callback(self.database.close)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def keys(self) -> Sequence[str]:
        """The accounts' keys."""
        return list(self.sandboxes)

    def amo(self, account: str = ACCOUNT) -> AmoCrm:
        """The account's other side."""
        return self.sandboxes[account].amocrm

    def turn(self, seconds: float) -> None:
        """Turn the accounts' time on."""
        self.time.advance(seconds)

    def deliver(self) -> int:
        """Wait until no hook is under way; how many were sent in all."""
        for sandbox in self.sandboxes.values():
            if not sandbox.settle(10.0):
                raise TimeoutError("the emulator's hooks were not delivered within ten seconds")
        return sum(len(sandbox.amocrm.deliveries) for sandbox in self.sandboxes.values())

    def environment(self) -> Mapping[str, str]:
        """The accounts' long-lived tokens."""
        return {f"CRMKIT_{key.upper()}_TOKEN": self.amo(key).token for key in self.sandboxes}

    def open(
        self, *extensions: Extension[Any], sources: Mapping[str, Mapping[str, Any]] | None = None
    ) -> AbstractContextManager[Open]:
        """A service with these extensions, at a door of its own."""
        accounts = {key: {**self._table(key), "sources": sources or {}} for key in self.sandboxes}
        return opened(self, accounts, extensions)

    def _table(self, key: str) -> Mapping[str, Any]:
        return {"vendor": "amocrm", "base_url": self.amo(key).base_url}

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.time.now(), UTC)


class Place(Protocol):
    """What a service stands in: accounts that know one time, and a database."""

    clock: Clock
    database: Database

    @property
    def keys(self) -> Sequence[str]:
        """The accounts' keys."""

    def turn(self, seconds: float) -> None:
        """Turn the accounts' time on."""

    def deliver(self) -> int:
        """Wait until no hook is under way; how many were sent in all."""

    def environment(self) -> Mapping[str, str]:
        """The accounts' secrets."""


class Open:
    """A service that is up.

    Args:
        premises: where.
        service: what was opened.
        worker: works on it, by `settle` on turned time, or by threads of its own between `start` and `stop`.
    """

    def __init__(self, premises: Place, service: Service, worker: Worker) -> None:
        self.service = service
        self._premises = premises
        self._worker = worker
        self._is_started = False

    def start(self) -> None:
        """Work on threads, as a process would."""
        self._worker.start()
        self._is_started = True

    def stop(self) -> None:
        """Finish what runs, and work no more."""
        if self._is_started:
            self._worker.stop()
            self._is_started = False

    def settle(self) -> None:
        """Do everything that is due, and wait a while, on turned time, for what is queued for later."""
        until = self._premises.clock.now() + timedelta(seconds=PATIENCE_S)
        while True:
            delivered = self._premises.deliver()
            self._worker.drain()
            if self._premises.deliver() > delivered:
                continue
            if self._premises.clock.now() >= until or not self._is_waiting():
                return
            self._premises.turn(1.0)

    def connect(self) -> None:
        """Subscribe, load what is there, and let a few seconds pass: what is done from now on is news."""
        self.settle()
        self._premises.turn(5.0)

    def pass_time(self, by: timedelta) -> None:
        """Turn the time on and do what has become due."""
        self._premises.turn(by.total_seconds())
        self.settle()

    def account(self, key: str = ACCOUNT) -> report.AccountReport:
        """How an account is."""
        return report.account(self.service.database, key)

    def runs(self, extension: str, account: str | None = None) -> Sequence[report.RunReport]:
        """What an extension did, oldest first."""
        found = report.runs(self.service.database, extension=extension, account=account, limit=1_000_000)
        return list(reversed(found))

    def told(self, extension: str, account: str | None = None) -> list[str]:
        """What an extension explained, oldest first."""
        return [reason for run in self.runs(extension, account) for reason in run.decisions]

    def _is_waiting(self) -> bool:
        states = [self.account(key) for key in self._premises.keys]
        return any(state.hints_waiting or state.runs.get("queued") for state in states)


@contextmanager
def opened(
    place: Place, accounts: Mapping[str, Mapping[str, Any]], extensions: Sequence[Extension[Any]]
) -> Iterator[Open]:
    """A service with these accounts and extensions, at a door of its own, until the block ends."""
    with Door() as door:
        config = ServiceConfig(database=str(place.database.path), public_url=door.url, accounts=accounts)
        service = Service.open(config, environment=place.environment(), clock=place.clock, extensions=extensions)
        ingest = Ingest(service)
        door.lead_to(create_app(service, ingest))
        standing = Open(place, service, Worker(service))
        try:
            yield standing
        finally:
            standing.stop()
            ingest.close()
            service.close()


def until(holds: Callable[[], bool], *, within_s: float, otherwise: Callable[[], object]) -> float:
    """Return once it holds, with the seconds that took; AssertionError with what is there instead."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < within_s, f"after {within_s} s: {otherwise()}"
        time.sleep(0.02)
    return time.monotonic() - began
