"""A service over the memory CRM, stepped by hand: people change, hooks come or get lost, the observer looks."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from crmkit.clock import TurnedClock
from crmkit.events import EVENTS, DealStageChanged, Event, read_event
from crmkit.extension import Context, Extension
from crmkit.models import Deal, StageRef
from crmkit.settings import NoSettings, ServiceConfig
from crmkit.testing.memory import MemoryAdapter, MemoryCrm
from crmkit.testing.world import MemoryWorld
from crmkit.values import Kind, Ref
from crmkit.webhook import Origin
from crmkit.write import Verb, Write
from crmkit_runtime import mirror
from crmkit_runtime.baseline import Baseline
from crmkit_runtime.database import Database, to_us
from crmkit_runtime.feed import Sweep, connect
from crmkit_runtime.hints import store as store_hints
from crmkit_runtime.ledger import record
from crmkit_runtime.migrations import migrate
from crmkit_runtime.observe import Observer
from crmkit_runtime.service import Service
from crmkit_runtime.tables import effect, event, hint

SECOND = timedelta(seconds=1)


def listener(*kinds: Kind) -> Extension[NoSettings]:
    """An extension that hears of every event about these kinds."""
    made = Extension("listener")

    for one in EVENTS.values():
        if one.about in kinds:

            def hear(event: Any, ctx: Context[NoSettings]) -> None:
                """Nothing is done: these tests look at events, not at runs."""

            hear.__name__ = f"hear_{one.__name__}"
            hear.__annotations__ = {"event": one, "ctx": Context[NoSettings], "return": None}
            made.on(one)(hear)
    return made


@dataclass
class Effect:
    """A write of ours, one step at a time, as the runtime does it."""

    house: House
    write: Write
    extension: str
    run_id: int
    depth: int
    ref: Ref | None = None

    def begin(self) -> Effect:
        """The intent is stored."""
        values = {
            "account": self.house.key,
            "extension": self.extension,
            "key": f"effect:{self.run_id}",
            "state": "intent",
            "run_id": self.run_id,
            "owner": "host:1",
            "kind": self.write.kind.value,
            "record_id": self.write.ref.id if self.write.ref else None,
            "write": json.dumps(self.write.to_json()),
            "at": to_us(self.house.clock.now()),
        }
        with self.house.service.database.write() as tx:
            tx.execute(insert(effect).values(values))
        return self

    def send(self) -> Effect:
        """The CRM does it."""
        self.ref = self.house.crm.connection.write(self.write) or self.write.ref
        return self

    def refuse(self) -> Effect:
        """The CRM said no: the intent is forgotten."""
        with self.house.service.database.write() as tx:
            tx.execute(delete(effect).where(effect.c.key == f"effect:{self.run_id}"))
        return self

    def record(self) -> Ref:
        """Its result is stored."""
        assert self.ref is not None
        with self.house.service.database.write() as tx:
            tx.execute(delete(effect).where(effect.c.key == f"effect:{self.run_id}"))
            record(
                tx,
                self.house.service,
                self.house.key,
                self.write,
                self.ref,
                extension=self.extension,
                run_id=self.run_id,
                depth=self.depth,
            )
        return self.ref


class House:
    """One account of a service, and the hands that move it.

    Args:
        service: the service.
        crm: the memory CRM's account.
    """

    def __init__(self, service: Service, crm: MemoryCrm) -> None:
        self.service = service
        self.crm = crm
        self.key = crm.key
        self.world = crm.world
        self.person = crm.person
        self.clock = crm.world.clock
        self.observer = Observer(service, crm.key)
        self.sweep = Sweep(service, crm.key)
        self.baseline = Baseline(service, crm.key)
        self._runs = itertools.count(1)

    def start(self) -> None:
        """Connect and load everything, as a service does at its first start; then a second passes."""
        connect(self.service, self.key)
        while not self.baseline.step():
            pass
        self.advance(1)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        assert isinstance(self.clock, TurnedClock)
        self.clock.advance(timedelta(seconds=seconds))

    def deliver(self, times: int = 1) -> None:
        """Deliver every hook that the CRM would send now."""
        for hook in self.world.take_hooks(self.key):
            delivery = self.crm.adapter.parse(hook.request, self.crm.settings)
            for _ in range(times):
                with self.service.database.write() as tx:
                    store_hints(tx, self.service, self.key, delivery.hints, origin=Origin.HOOK, delivery_id="hook")

    def look(self) -> None:
        """Observe until nothing is due."""
        for _ in range(50):
            if not self.observer.step():
                return
        raise AssertionError("the observer never comes to rest")

    def settle(self) -> None:
        """Deliver, read the feed, observe; and whatever was put off, in its time."""
        self.deliver()
        self.sweep.step()
        self.look()
        for _ in range(100):
            due = self.observer.next_at()
            if due is None:
                return
            self.advance(max((due - self.clock.now()).total_seconds(), 0.0))
            self.look()
        raise AssertionError("hints stay forever")

    def own(self, write: Write, *, extension: str = "robot", depth: int = 0) -> Effect:
        """A write of one of our handlers."""
        return Effect(self, write, extension, next(self._runs), depth)

    def update(self, ref: Ref, values: dict[str, Any]) -> Effect:
        """A change that one of our handlers is to make."""
        return self.own(Write(Verb.UPDATE, ref.kind, ref=ref, changes=values))

    def do(self, write: Write) -> Ref:
        """A write of ours from beginning to end."""
        return self.own(write).begin().send().record()

    def events(self) -> list[Event]:
        """All events of the account, in the order in which they were found."""
        query = select(event.c.name, event.c.body).where(event.c.account == self.key).order_by(event.c.id)
        with self.service.database.read() as connection:
            return [read_event(row.name, json.loads(row.body)) for row in connection.execute(query)]

    def told(self) -> list[tuple[str, ...]]:
        """The events in short: name, id, what changed, and in whose name when it was us."""
        return [_short(one) for one in self.events()]

    def moves(self, ref: Ref) -> list[tuple[str, str, bool, bool, str]]:
        """The deal's moves as told: from, to, current, inferred, and in whose name."""
        return [
            (
                one.before.stage_id if one.before else "?",
                one.after.stage_id,
                one.is_current,
                one.is_inferred,
                one.cause.extension if one.cause else "",
            )
            for one in self.events()
            if isinstance(one, DealStageChanged) and one.ref == ref
        ]

    def hints(self) -> int:
        """How many hints wait."""
        with self.service.database.read() as connection:
            return len(connection.execute(select(hint.c.id).where(hint.c.account == self.key)).all())

    def seen(self, ref: Ref) -> Any:
        """Our copy, without the vendor's body."""
        with self.service.database.read() as connection:
            found = mirror.copy_of(connection, ref)
        return found.record if found and not found.is_gone else None

    def truth(self, ref: Ref) -> Any:
        """The record in the CRM, without its body."""
        found = self.world.account(self.key).records.get(ref)
        return found.model_copy(update={"raw": {}}) if found else None


def _short(one: Event) -> tuple[str, ...]:
    by = (f"by {one.cause.extension}",) if one.cause else ()
    changed = getattr(one, "changed", None)
    what = (",".join(sorted(changed)),) if changed is not None else ()
    if isinstance(one, DealStageChanged):
        what = (f"{one.before.stage_id if one.before else '?'}>{one.after.stage_id}",)
    return (type(one).__name__, one.ref.id, *what, *by)


def stage(name: str, pipeline: str = "1") -> StageRef:
    """A stage of the sales pipeline."""
    return StageRef(pipeline_id=pipeline, stage_id=name)


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Makes houses over one database and one world; a second of the same account is a restart."""
    world = MemoryWorld()
    opened: list[Service] = []

    def make(
        key: str = "acme",
        kinds: Iterable[Kind] = (Kind.CONTACT, Kind.COMPANY, Kind.DEAL, Kind.LEAD, Kind.TASK, Kind.NOTE, Kind.CALL),
        *,
        accounts: Iterable[str] = ("acme",),
        translator_version: int = 1,
        public_url: str | None = None,
        **adapter: Any,
    ) -> House:
        path = tmp_path / "crmkit.sqlite3"
        if not path.exists():
            database = Database(str(path))
            migrate(database)
            database.close()
        tables = {name: {"vendor": "memory", "base_url": "memory://localhost"} for name in accounts}
        config = ServiceConfig.model_validate({"database": str(path), "accounts": tables, "public_url": public_url})
        own = adapter.get("adapter") or MemoryAdapter(world, translator_version=translator_version)
        service = Service.open(
            config,
            environment={},
            clock=world.clock,
            extensions=[listener(*kinds)],
            adapters={"memory": own},
        )
        opened.append(service)
        return House(service, MemoryCrm(key, world=world))

    yield make
    for service in opened:
        service.close()


@pytest.fixture
def house(build: Callable[..., House]) -> House:
    """A house that is connected and has loaded everything."""
    made = build()
    made.crm.seed(Deal(title="старая", stage=stage("new")))
    made.start()
    return made


@pytest.fixture
def house_class() -> type[House]:
    """For machines that build their own."""
    return House


@pytest.fixture
def listener_of() -> Callable[..., Extension[NoSettings]]:
    """For machines that build their own."""
    return listener
