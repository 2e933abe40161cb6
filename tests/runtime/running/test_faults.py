"""What a worker outlives: a database that is away, an event it cannot read, a chore that breaks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import OperationalError

from crmkit.errors import AuthError, NotFound
from crmkit.events import DealCreated
from crmkit.extension import Context, Extension
from crmkit.models import Task
from crmkit.settings import NoSettings
from crmkit.write import Verb
from crmkit_runtime.chores import Chore
from crmkit_runtime.pause import last_pause
from crmkit_runtime.tables import event

House = Callable[..., Any]
Ctx = Context[NoSettings]


def test_an_effect_that_cannot_be_stored_is_no_answer_of_the_crm(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call was made and its result could not be kept: the run waits, finds the record and adopts it."""
    extension, swallowed = Extension("careless"), []

    @extension.on(DealCreated)
    def handle(event: DealCreated, ctx: Ctx) -> None:
        try:
            ctx.crm.tasks.create(Task(text="kept"), once="kept")
        except Exception as error:  # noqa: BLE001
            swallowed.append(error)

    at = house(extension)
    at.publish(DealCreated(ref=at.deal().ref, occurred_at=at.clock.now(), deal=at.deal()))
    broken = iter([True])

    def fail_once(*args: Any, **more: Any) -> None:
        if next(broken, False):
            raise OperationalError("insert", None, Exception("disk is full"))

    monkeypatch.setattr("crmkit_runtime.ledger.record", fail_once)
    at.work()
    assert (at.states(), at.tasks()) == (["queued"], ["kept"])

    at.advance(timedelta(minutes=2), step=timedelta(seconds=10))
    assert (at.states(), at.tasks(), swallowed) == (["done"], ["kept"], [])
    assert at.world.count(Verb.CREATE) == 1


def test_an_event_of_another_release_is_a_dead_letter_that_says_so(house: House) -> None:
    """Its lane goes on."""
    extension, seen = Extension("reader"), []

    @extension.on(DealCreated)
    def handle(event: DealCreated, ctx: Ctx) -> None:
        seen.append(event.ref.id)

    at = house(extension)
    at.publish(DealCreated(ref=at.deal().ref, occurred_at=at.clock.now(), deal=at.deal()))
    with at.service.database.write() as tx:
        tx.execute(update(event).values(name="DealFrozen"))
    at.publish(DealCreated(ref=at.deal().ref, occurred_at=at.clock.now(), deal=at.deal()))
    at.work()

    assert (at.states(), seen) == (["dead", "done"], ["1"])
    assert at.runs()[0].error.startswith("The stored DealFrozen cannot be read by this release")


def test_a_chore_rests_while_its_account_is_paused(house: House) -> None:
    """What concerns the account pauses it, a success ends the pause, and other faults only put the chore off."""
    at = house(Extension("any"))
    results: list[Any] = [AuthError("revoked"), NotFound("gone"), RuntimeError("fault"), True, False]
    calls: list[int] = []

    def step() -> bool:
        calls.append(1)
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        return bool(result)

    chore = Chore(at.service, "chore", step, account="acme")

    def now() -> tuple[bool, int, bool]:
        with at.service.database.read() as connection:
            return chore.once(), len(calls), last_pause(connection, "acme") is not None

    assert now()[:2] == (False, 1)
    assert now() == (False, 1, True)
    at.clock.advance(timedelta(seconds=1))
    assert now()[:2] == (False, 2)
    assert now()[:2] == (False, 2)
    at.clock.advance(timedelta(seconds=5))
    assert now()[:2] == (False, 3)
    at.clock.advance(timedelta(seconds=5))
    assert now()[:2] == (True, 4)
    assert now() == (False, 5, False)


def test_a_chore_goes_on_after_the_database_was_away(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread does not end with the error."""
    at = house(Extension("any"))
    monkeypatch.setattr("crmkit_runtime.chores.AFTER_FAULT_S", 0.01)
    stop, faults = threading.Event(), iter([True, True])

    def is_paused(*args: Any) -> None:
        if next(faults, False):
            raise OperationalError("select", None, Exception("disk I/O error"))

    def step() -> bool:
        stop.set()
        return False

    monkeypatch.setattr("crmkit_runtime.pause.paused", is_paused)
    thread = threading.Thread(target=Chore(at.service, "chore", step, account="acme").run, args=(stop,))
    thread.start()
    thread.join(10)

    assert stop.is_set()


def test_workers_go_on_after_the_database_was_locked(house: House) -> None:
    """Somebody else holds the write lock for longer than anybody waits: the lane is worked on afterwards."""
    extension = Extension("waiting")

    @extension.on(DealCreated)
    def handle(event: DealCreated, ctx: Ctx) -> None:
        ctx.explain("done")

    at = house(extension)
    at.publish(DealCreated(ref=at.deal().ref, occurred_at=at.clock.now(), deal=at.deal()))
    runner = at.runner.process

    def locked(run_id: int, hold: Any) -> None:
        raise OperationalError("commit", None, Exception("database is locked"))

    assert at.engine.step(locked)
    assert not at.engine.step(runner)
    at.advance(timedelta(seconds=1))
    with at.service.database.read() as connection:
        assert connection.execute(text("select count(*) from lane")).scalar() == 0
    assert at.states() == ["done"]
