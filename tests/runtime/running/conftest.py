"""A service over the memory CRM whose runs are done on demand, by a clock that stands still."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, select

from crmkit.clock import TurnedClock
from crmkit.events import Event
from crmkit.extension import Extension
from crmkit.models import Contact, Deal, Task
from crmkit.settings import ServiceConfig
from crmkit.testing.memory import MemoryAdapter, MemoryCrm
from crmkit.testing.world import MemoryWorld
from crmkit.values import Kind, Ref
from crmkit.webhook import Origin
from crmkit_runtime import schedule, timers
from crmkit_runtime.database import Database
from crmkit_runtime.dispatch import publish
from crmkit_runtime.engines.sqlite import SqliteEngine
from crmkit_runtime.migrations import migrate
from crmkit_runtime.runner import Runner
from crmkit_runtime.service import Service
from crmkit_runtime.tables import run


class House:
    """Everything that a test of running needs.

    Args:
        folder: where the database lies; two houses over one folder and world are two workers.
        extensions: what is installed, in all accounts.
        config: more of crmkit.toml.
    """

    def __init__(
        self,
        folder: Path,
        *extensions: Extension[Any],
        accounts: Sequence[str] = ("acme",),
        world: MemoryWorld | None = None,
        **config: Any,
    ) -> None:
        self.world = world or MemoryWorld()
        self.clock = self.world.clock
        self.path = folder / "crmkit.sqlite3"
        database = Database(str(self.path))
        migrate(database)
        database.close()
        table = {"vendor": "memory", "base_url": "memory://localhost"}
        wanted = ServiceConfig.model_validate(
            {"database": str(self.path), "accounts": dict.fromkeys(accounts, table), **config}
        )
        self.service = Service.open(
            wanted,
            environment={},
            clock=self.clock,
            extensions=extensions,
            adapters={"memory": MemoryAdapter(self.world)},
        )
        self.engine = SqliteEngine(self.service)
        self.runner = Runner(self.service)
        self.crm = MemoryCrm(accounts[0], world=self.world)
        self._keys = itertools.count(1)

    def publish(self, event: Event, key: str | None = None) -> int | None:
        """Let the event happen; every call is another event unless a key is given."""
        with self.service.database.write() as tx:
            return publish(tx, self.service, event, key=key or f"test:{next(self._keys)}", origin=Origin.HOOK)

    def work(self) -> None:
        """Do everything that is due now."""
        while any([timers.fire(self.service), schedule.tick(self.service), self.engine.step(self.runner.process)]):
            pass

    def advance(self, by: timedelta, *, step: timedelta | None = None) -> None:
        """Turn the clock and work; with `step` in strides, as time really passes."""
        assert isinstance(self.clock, TurnedClock)
        left = by
        while left > timedelta(0):
            stride = min(step or left, left)
            self.clock.advance(stride)
            self.work()
            left -= stride

    def runs(self) -> Sequence[Row[Any]]:
        """All runs, oldest first."""
        with self.service.database.read() as connection:
            return connection.execute(select(run).order_by(run.c.id)).all()

    def states(self) -> list[str]:
        """The state of each run, oldest first."""
        return [row.state for row in self.runs()]

    def tasks(self, account: str = "acme") -> list[str]:
        """The texts of all tasks in the CRM, in the order in which they were made."""
        return [task.text for task in self.world.account(account).all(Task)]

    def contact(self, number: int = 1, account: str = "acme") -> Contact:
        """A contact with that id, as an event would bring it."""
        return Contact(ref=Ref(account, Kind.CONTACT, str(number)), name=f"Человек {number}")

    def deal(self, number: int = 1, account: str = "acme", **fields: Any) -> Deal:
        """A deal with that id, as an event would bring it."""
        return Deal(ref=Ref(account, Kind.DEAL, str(number)), title=f"Сделка {number}", **fields)

    def close(self) -> None:
        """Give back the database."""
        self.service.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Opens houses over one folder and closes them: `house(extension, accounts=("acme",))`."""
    opened: list[House] = []

    def build(*extensions: Extension[Any], **more: Any) -> House:
        opened.append(House(tmp_path, *extensions, **more))
        return opened[-1]

    yield build
    for one in opened:
        one.close()
