"""The whole worker: a person's change reaches handlers, their writes reach the others, and nobody else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from crmkit.clock import SystemClock
from crmkit.errors import ConfigError
from crmkit.events import ContactCreated, ContactUpdated, DealCreated, DealStageChanged, DealUpdated, TaskCreated
from crmkit.extension import Context, Extension
from crmkit.models import Task
from crmkit.settings import NoSettings
from crmkit.testing.world import MemoryWorld
from crmkit_runtime.tables import lane, lease, run
from crmkit_runtime.worker import Worker

House = Callable[..., Any]
Ctx = Context[NoSettings]
A_MINUTE = timedelta(minutes=1, seconds=1)


def pass_time(house: Any, worker: Worker, by: timedelta = A_MINUTE) -> None:
    """Let time pass, as long as the feed needs to be read again, and settle what comes of it."""
    worker.drain()
    house.clock.advance(by)
    worker.drain()


@contextmanager
def started(house: Any, **options: Any) -> Iterator[Worker]:
    """A worker with its threads."""
    worker = Worker(house.service, **options)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


def until(house: Any, states: list[str], *, seconds: float = 10) -> None:
    """Wait until the runs are so."""
    end = time.monotonic() + seconds
    while house.states() != states:
        assert time.monotonic() < end, f"{house.states()} instead of {states}"
        house.service.bell.wait(0.02)


def test_our_own_write_reaches_the_others_once_and_its_author_not(house: House) -> None:
    """One event for the neighbour with its cause, none for who wrote, and no echo by hook or feed."""
    author, neighbour = Extension("author"), Extension("neighbour")
    heard: list[Any] = []

    @author.on(DealCreated)
    def rename(event: DealCreated, ctx: Ctx) -> None:
        ctx.crm.deals.update(event.ref, {"title": "Переименована"})
        ctx.crm.tasks.create(Task(text="Позвонить", about=event.ref))

    @author.on(DealUpdated)
    def echo(event: DealUpdated, ctx: Ctx) -> None:
        heard.append(("author", event.changed))

    @neighbour.on(DealUpdated)
    def watch(event: DealUpdated, ctx: Ctx) -> None:
        cause = event.cause.extension if event.cause else None
        heard.append(("neighbour", event.changed, event.deal.title, cause))

    @neighbour.on(TaskCreated)
    def see(event: TaskCreated, ctx: Ctx) -> None:
        heard.append(("neighbour", event.task.text, event.cause.extension if event.cause else None))

    at = house(author, neighbour)
    worker = Worker(at.service)
    worker.drain()
    at.crm.person.add_deal("Новая")
    for _ in range(3):
        pass_time(at, worker)

    assert sorted(heard, key=str) == [
        ("neighbour", "Позвонить", "author"),
        ("neighbour", frozenset({"title"}), "Переименована", "author"),
    ]


def test_two_extensions_that_answer_each_other_stop_with_a_message(house: House) -> None:
    """Nine writes, then a run that says why it was stopped."""
    ping, pong = Extension("ping"), Extension("pong")

    @ping.on(ContactUpdated)
    def serve(event: ContactUpdated, ctx: Ctx) -> None:
        ctx.crm.contacts.update(event.ref, {"name": f"ping {event.contact.name.split()[-1]}0"})

    @pong.on(ContactUpdated)
    def back(event: ContactUpdated, ctx: Ctx) -> None:
        ctx.crm.contacts.update(event.ref, {"name": f"pong {event.contact.name.split()[-1]}0"})

    at = house(ping)
    person = at.crm.seed(at.contact())[0]
    at.close()
    at = house(ping, pong, world=at.world)
    worker = Worker(at.service)
    worker.drain()
    at.crm.person.change(person, {"name": "start 1"})
    for _ in range(2):
        pass_time(at, worker)

    stopped = [one for one in at.runs() if one.state == "stopped"]
    assert len(stopped) >= 1
    assert {one.error.split(":")[0] for one in stopped} == {"a chain of 8 of our own writes ends here"}
    assert {one.state for one in at.runs()} == {"done", "stopped"}


def test_everything_is_done_after_an_outage_of_half_an_hour(house: House) -> None:
    """Changes made while the CRM was away are found, and what was queued is done; nothing is dead."""
    extension = Extension("steady")

    @extension.on(ContactCreated)
    def greet(event: ContactCreated, ctx: Ctx) -> None:
        ctx.crm.tasks.create(Task(text=f"Поздороваться: {event.contact.name}", about=event.ref))

    at = house(extension)
    worker = Worker(at.service)
    worker.drain()
    at.crm.person.add_contact("До")
    at.world.down()
    for _ in range(15):
        pass_time(at, worker, timedelta(minutes=1))
    at.crm.person.add_contact("Во время")
    for _ in range(15):
        pass_time(at, worker, timedelta(minutes=1))
    at.world.heal()
    for _ in range(12):
        pass_time(at, worker, timedelta(minutes=1))

    assert sorted(at.tasks()) == ["Поздороваться: Во время", "Поздороваться: До"]
    assert at.states() == ["done", "done"]


def test_drain_returns_while_work_waits_for_its_time(house: House) -> None:
    """What is due later stays, and nothing sleeps."""
    extension = Extension("failing")

    @extension.on(DealStageChanged)
    def fail(event: DealStageChanged, ctx: Ctx) -> None:
        raise RuntimeError("fault")

    at = house(extension)
    deal = at.deal()
    at.publish(
        DealStageChanged(
            ref=deal.ref,
            occurred_at=at.clock.now(),
            before=None,
            after=at.crm.person.stage("talks"),
            deal=deal,
        )
    )
    begun = time.monotonic()
    Worker(at.service).drain()

    assert time.monotonic() - begun < 2
    assert at.states() == ["queued"]


def test_a_started_worker_does_what_is_published_and_stops_gracefully(house: House) -> None:
    """The run under way is finished, its lane is given back, and the heartbeat is gone."""
    entered, leave = threading.Event(), threading.Event()
    extension = Extension("slow")

    @extension.on(DealCreated)
    def handle(event: DealCreated, ctx: Ctx) -> None:
        entered.set()
        leave.wait(5)

    at = house(extension, world=MemoryWorld(SystemClock()))
    with started(at) as worker:
        for _ in range(2):
            at.publish(DealCreated(ref=at.deal().ref, occurred_at=at.clock.now(), deal=at.deal()))
        assert entered.wait(5)
        stopping = threading.Thread(target=worker.stop)
        stopping.start()
        leave.set()
        stopping.join(10)

    with at.service.database.read() as connection:
        owners = connection.execute(select(lane.c.owner)).scalars().all()
        beats = connection.execute(select(lease.c.name)).scalars().all()
    assert (at.states(), owners, beats) == (["done", "queued"], [None], [])


def test_lanes_run_beside_each_other(house: House) -> None:
    """Four records are worked on at the same time, one record never twice."""
    extension, together = Extension("wide"), threading.Barrier(4)

    @extension.on(DealCreated)
    def handle(event: DealCreated, ctx: Ctx) -> None:
        together.wait(5)

    at = house(extension, world=MemoryWorld(SystemClock()))
    with started(at, concurrency=4):
        for number in range(4):
            deal = at.deal(number)
            at.publish(DealCreated(ref=deal.ref, occurred_at=at.clock.now(), deal=deal))
        until(at, ["done"] * 4)


@pytest.mark.timed
def test_a_handler_begins_within_milliseconds(house: House) -> None:
    """From the commit of an event to the start of its handler, idle: the median is under 30 ms on a busy machine."""
    extension, begun = Extension("quick"), []

    @extension.on(DealCreated)
    def handle(event: DealCreated, ctx: Ctx) -> None:
        begun.append(time.monotonic())

    at = house(extension, world=MemoryWorld(SystemClock()))
    waits: list[float] = []
    with started(at):
        until(at, [])
        for number in range(1, 41):
            deal = at.deal(number)
            at.publish(DealCreated(ref=deal.ref, occurred_at=at.clock.now(), deal=deal))
            committed = time.monotonic()
            until(at, ["done"] * number)
            waits.append(begun[-1] - committed)

    assert sorted(waits)[20] < 0.030, f"p50 {sorted(waits)[20] * 1000:.1f} ms"


def test_runs_whose_lane_was_lost_are_found_at_start(house: House) -> None:
    """A database mended by hand does not leave runs behind."""
    extension = Extension("found")

    @extension.on(DealCreated)
    def handle(event: DealCreated, ctx: Ctx) -> None:
        ctx.explain("found")

    at = house(extension, world=MemoryWorld(SystemClock()))
    at.publish(DealCreated(ref=at.deal().ref, occurred_at=at.clock.now(), deal=at.deal()))
    with at.service.database.write() as tx:
        tx.execute(delete(lane))
    with started(at):
        until(at, ["done"])


def test_what_is_old_is_forgotten(house: House) -> None:
    """Finished runs and their events go after 30 days, dead ones after 90, queued ones and named effects never."""
    extension = Extension("keeper")

    @extension.on(DealCreated)
    def handle(event: DealCreated, ctx: Ctx) -> None:
        ctx.crm.tasks.create(Task(text="named"), once="named")
        ctx.crm.tasks.create(Task(text="unnamed"))

    from crmkit_runtime.retention import prune
    from crmkit_runtime.tables import effect, event

    at = house(extension)
    at.publish(DealCreated(ref=at.deal().ref, occurred_at=at.clock.now(), deal=at.deal()))
    at.work()
    with at.service.database.write() as tx:
        first = dict(tx.execute(select(run)).mappings().one())
        for number, state in ((2, "dead"), (3, "queued")):
            tx.execute(insert(run).values({**first, "id": number, "event_id": None, "state": state}))
    at.clock.advance(timedelta(days=31))
    prune(at.service)
    assert at.states() == ["dead", "queued"]
    at.clock.advance(timedelta(days=60))
    prune(at.service)

    with at.service.database.read() as connection:
        left = connection.execute(select(effect.c.key)).scalars().all()
        events = connection.execute(select(event.c.id)).scalars().all()
    assert (at.states(), left, events) == (["queued"], ["once:create:task:named"], [])


def test_a_cron_line_that_cannot_be_read_is_a_fault_before_anything_starts(house: House) -> None:
    """With the extension, the job and the line."""
    extension = Extension("nightly")

    @extension.every("0 25 * * *")
    def job(ctx: Ctx) -> None:
        pass

    at = house(extension)
    with pytest.raises(ConfigError, match="extension nightly: job has the cron line '0 25"):
        Worker(at.service)
