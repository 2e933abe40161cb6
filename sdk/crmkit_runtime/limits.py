"""DatabaseLimiter: request budgets shared by all threads and processes that use a database."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import select, update

from crmkit.clock import Clock
from crmkit.errors import RateLimited
from crmkit.http import LONGEST_WAIT_S, RateLimit, Urgency
from crmkit_runtime.budgets import Budget, pace
from crmkit_runtime.database import Database, upsert
from crmkit_runtime.tables import budget as table

HORIZON_S = 30.0
"""Nobody reserves a moment further away than this: a method that is refused for minutes must not hold up others."""

RESOLUTION_S = 2e-6
"""Clocks count microseconds: a shorter pause than this is no pause."""


class Shelf(Protocol):
    """Where budgets lie."""

    def hold(self, keys: Sequence[str]) -> Any:
        """A context that gives the budgets of `keys`, held against everybody else, and stores them at its end."""


class DatabaseLimiter:
    """Holds callers back so that no budget is exceeded by all processes together; a `crmkit.http.Limiter`.

    A live caller reserves the next free moment and sleeps until it: first come, first served, without polling. A bulk
    caller takes what live callers leave: evenly spaced, never before a waiting live call, and while handlers are at
    work a quarter of the permits is left to them. Bulk that goes without for long stands in line with them. A killed
    caller wastes its moment, nothing more.

    Beside an SQLite database budgets lie in files (`<database>.limits/`): they are worth nothing after a few seconds,
    so they need no durability. Otherwise they are rows of the database.

    Args:
        database: what the processes share.
        clock: the time, and where to wait.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._clock = clock
        self._shelf: Shelf = (
            _FileShelf(Path(f"{database.path}.limits")) if database.is_sqlite else _TableShelf(database)
        )

    def wait(self, limits: Sequence[RateLimit], urgency: Urgency) -> None:
        """Return when one call may be made under every limit.

        Raises RateLimited at once when a push holds a limit for longer than LONGEST_WAIT_S.
        """
        while limits:
            now, at = self._reserve(limits, urgency)
            self._clock.wait(at.moment - now)
            if at.is_granted and (at.moment <= now or self._still_holds(limits, at.moment)):
                return

    def push(self, limit: RateLimit, seconds: float) -> None:
        """Let nobody pass `limit` for `seconds`; those who sleep with a reservation reserve anew."""
        with self._shelf.hold([limit.key]) as budgets:
            budgets[limit.key].push(self._now() + seconds)

    def _reserve(self, limits: Sequence[RateLimit], urgency: Urgency) -> tuple[float, _Slot]:
        """Now, and when to go or to ask again."""
        with self._shelf.hold(_keys(limits)) as budgets:
            now = self._now()
            at, blocked_until = now, now
            for limit in limits:
                budgets[limit.key].turn(limit, now)
                at = max(at, budgets[limit.key].free_at(limit, urgency, now))
                blocked_until = max(blocked_until, budgets[limit.key].blocked_until)
            if blocked_until - now > RESOLUTION_S:
                _refuse_long_push(blocked_until - now)
                return now, _Slot(blocked_until, is_granted=False)
            hungry_at = max(budgets[limit.key].hungry_at(limit) for limit in limits)
            stands_in_line = urgency is Urgency.LIVE or hungry_at <= now
            reach_s = HORIZON_S if stands_in_line else min(pace(limit) for limit in limits)
            if at - now > reach_s:
                again_at = at - reach_s / 2
                return now, _Slot(again_at if stands_in_line else min(again_at, hungry_at), is_granted=False)
            for limit in limits:
                budgets[limit.key].take(limit, urgency, at)
        return now, _Slot(at, is_granted=True)

    def _still_holds(self, limits: Sequence[RateLimit], moment: float) -> bool:
        """The slot may be used: nobody has pushed meanwhile, and we have not overslept into the window of others."""
        with self._shelf.hold(_keys(limits)) as budgets:
            now = self._now()
            if any(budgets[limit.key].blocked_until > now for limit in limits):
                return False
            return all(budgets[limit.key].move(limit, moment, now) for limit in limits)

    def _now(self) -> float:
        return self._clock.now().timestamp()


@dataclass(frozen=True, slots=True)
class _Slot:
    """A moment at which to go, or, when it is not granted, to ask again."""

    moment: float
    is_granted: bool


def _keys(limits: Sequence[RateLimit]) -> Sequence[str]:
    """In one order for everybody, so that two callers with several budgets never wait for each other."""
    return sorted({limit.key for limit in limits})


def _refuse_long_push(seconds: float) -> None:
    if seconds > LONGEST_WAIT_S:
        raise RateLimited(
            f"the CRM lets nobody pass for {seconds:.0f} s more",
            retry_after_s=seconds,
            remedy="crmkit goes on by itself when the time is over.",
        )


class _FileShelf:
    """A file per budget, held with flock, written in one call so that a kill leaves it whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, tuple[threading.Lock, int]] = {}
        self._opening = threading.Lock()

    @contextmanager
    def hold(self, keys: Sequence[str]) -> Iterator[Mapping[str, Budget]]:
        with ExitStack() as stack:
            files = {key: stack.enter_context(self._held(key)) for key in keys}
            before = {key: os.pread(file, 1 << 20, 0) for key, file in files.items()}
            budgets = {key: _read(text) for key, text in before.items()}
            yield budgets
            for key, file in files.items():
                after = json.dumps(budgets[key].to_json()).encode()
                os.pwrite(file, after.ljust(len(before[key])), 0)

    @contextmanager
    def _held(self, key: str) -> Iterator[int]:
        lock, file = self._file(key)
        with lock:
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                yield file
            finally:
                fcntl.flock(file, fcntl.LOCK_UN)

    def _file(self, key: str) -> tuple[threading.Lock, int]:
        with self._opening:
            if key not in self._files:
                self._folder.mkdir(parents=True, exist_ok=True)
                name = hashlib.sha256(key.encode()).hexdigest()[:24]
                descriptor = os.open(self._folder / name, os.O_RDWR | os.O_CREAT, 0o600)
                self._files[key] = (threading.Lock(), descriptor)
            return self._files[key]


class _TableShelf:
    """A row per budget, locked for the moment of reserving."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def hold(self, keys: Sequence[str]) -> Iterator[Mapping[str, Budget]]:
        with self._database.write() as connection:
            for key in keys:
                upsert(connection, table, {"key": key, "state": ""}, conflict=["key"])
            rows = connection.execute(
                select(table.c.key, table.c.state).where(table.c.key.in_(keys)).order_by(table.c.key).with_for_update()
            )
            budgets = {key: _read(state.encode()) for key, state in rows}
            yield budgets
            for key, budget in budgets.items():
                state = json.dumps(budget.to_json())
                connection.execute(update(table).where(table.c.key == key).values(state=state))


def _read(text: bytes) -> Budget:
    # What a power cut left of a file is of no use, and must not keep the account closed.
    text = text.strip(b" \0")
    return Budget.from_json(json.loads(text)) if text.endswith(b"}") else Budget()
