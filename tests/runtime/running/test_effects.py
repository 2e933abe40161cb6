"""Effect-once: what is written to the CRM is written once, whatever happens around the call."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from crmkit.adapter import BatchResult
from crmkit.errors import CrmKitError, Rejected, VendorDown
from crmkit.events import DealCreated
from crmkit.extension import Context, Extension
from crmkit.models import Contact, Task
from crmkit.settings import NoSettings
from crmkit.testing.faults import Reading
from crmkit.values import Kind, Ref
from crmkit.write import Verb
from crmkit_runtime.liveness import owner_name
from crmkit_runtime.tables import effect, lane

House = Callable[..., Any]
Ctx = Context[NoSettings]


def on_deal(run: Callable[[Ctx], None], name: str = "maker") -> Extension[NoSettings]:
    """An extension that does `run` for each new deal."""
    extension = Extension(name)

    @extension.on(DealCreated)
    def handle(event: DealCreated, ctx: Ctx) -> None:
        run(ctx)

    return extension


def happen(house: Any, number: int = 1) -> None:
    """A deal appeared."""
    deal = house.deal(number)
    house.publish(DealCreated(ref=deal.ref, occurred_at=house.clock.now(), deal=deal))


def effects(house: Any) -> list[tuple[str, str]]:
    """Key and state of each effect."""
    with house.service.database.read() as connection:
        return [(row.key, row.state) for row in connection.execute(select(effect).order_by(effect.c.at))]


def test_a_write_without_a_name_is_made_once_over_all_attempts(house: House) -> None:
    """A handler that fails after its write makes no second task, though its due time comes from the clock."""
    tries: list[int] = []

    def run(ctx: Ctx) -> None:
        ctx.crm.tasks.create(Task(text="call", due=ctx.now + timedelta(hours=2)))
        tries.append(1)
        if len(tries) < 3:
            raise RuntimeError("fault")

    at = house(on_deal(run))
    happen(at)
    at.work()
    at.advance(timedelta(minutes=1), step=timedelta(seconds=5))

    assert (len(tries), at.tasks(), at.states()) == (3, ["call"], ["done"])


def test_a_run_that_an_outage_held_up_works_at_its_own_time(house: House) -> None:
    """What was refused fixes nothing: the task that is made at last is due from then on, not from half an hour ago."""
    at = house(on_deal(lambda ctx: ctx.skip(str(ctx.crm.tasks.create(Task(text="call", due=ctx.now))))))
    at.world.fail_next(VendorDown("away"), None, Verb.CREATE)
    start = at.clock.now()
    happen(at)
    at.advance(timedelta(minutes=30), step=timedelta(seconds=10))
    at.world.heal()
    at.advance(timedelta(minutes=6), step=timedelta(seconds=10))

    due = [task.due for task in at.world.account("acme").all(Task)]
    assert len(due) == 1
    assert due[0] >= start + timedelta(minutes=30)


def test_two_equal_writes_of_one_run_are_two(house: House) -> None:
    """Who asks twice gets two, in this attempt and in no other."""
    tries: list[int] = []

    def run(ctx: Ctx) -> None:
        for _ in range(2):
            ctx.crm.tasks.create(Task(text="twice"))
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError("fault")

    at = house(on_deal(run))
    happen(at)
    at.work()
    at.advance(timedelta(minutes=1), step=timedelta(seconds=5))

    assert at.tasks() == ["twice", "twice"]


def test_one_name_is_one_effect_over_all_runs(house: House) -> None:
    """The second run gets the address of the first's record; another kind of the same name is another effect."""
    made: list[Ref] = []

    def run(ctx: Ctx) -> None:
        made.append(ctx.crm.contacts.create(Contact(name="Пётр"), once="person:+7999"))
        made.append(ctx.crm.tasks.create(Task(text="meet"), once="person:+7999"))

    at = house(on_deal(run))
    happen(at, 1)
    happen(at, 2)
    at.work()

    assert made[:2] == made[2:]
    assert [ref.kind for ref in made] == [Kind.CONTACT, Kind.TASK] * 2
    assert at.tasks() == ["meet"]


def test_the_same_name_in_another_extension_is_another_effect(house: House) -> None:
    """Names belong to an account and an extension."""

    def run(ctx: Ctx) -> None:
        ctx.crm.tasks.create(Task(text="mine"), once="x")

    at = house(on_deal(run, "one"), on_deal(run, "two"))
    happen(at)
    at.work()

    assert at.tasks() == ["mine", "mine"]


def test_a_lost_answer_is_looked_up_before_anything_is_repeated(house: House) -> None:
    """The CRM did it and its answer was lost: after the quarantine the record is found and adopted."""

    def run(ctx: Ctx) -> None:
        made.append(ctx.crm.tasks.create(Task(text="once")))

    made: list[Ref] = []
    at = house(on_deal(run))
    at.world.lose_answer(Verb.CREATE)
    happen(at)
    at.work()
    at.advance(timedelta(seconds=55), step=timedelta(seconds=1))
    assert (made, at.tasks(), at.world.count(Verb.CREATE)) == ([], ["once"], 1)

    at.advance(timedelta(seconds=10), step=timedelta(seconds=1))
    assert (len(made), at.tasks(), at.world.count(Verb.CREATE)) == (1, ["once"], 1)
    assert [state for _, state in effects(at)] == ["done"]


def test_a_lost_call_that_never_arrived_is_repeated(house: House) -> None:
    """Nothing is found at the CRM: the write is sent once more."""
    at = house(on_deal(lambda ctx: ctx.skip(str(ctx.crm.tasks.create(Task(text="again"))))))
    at.world.fail_next(VendorDown("lost", maybe_applied=True), 1, Verb.CREATE)
    happen(at)
    at.work()
    at.advance(timedelta(minutes=2), step=timedelta(seconds=1))

    assert (at.tasks(), at.world.count(Verb.CREATE), at.world.count(Reading.RECOVER)) == (["again"], 2, 1)


def test_two_equal_lost_writes_find_a_record_each(house: House) -> None:
    """A record that one effect has adopted is not taken for another's."""

    def run(ctx: Ctx) -> None:
        refs.append([ctx.crm.tasks.create(Task(text="pair")) for _ in range(2)])

    refs: list[list[Ref]] = []
    at = house(on_deal(run))
    at.world.lose_answer(Verb.CREATE, times=2)
    happen(at)
    at.work()
    at.advance(timedelta(minutes=4), step=timedelta(seconds=1))

    assert at.tasks() == ["pair", "pair"]
    assert len(set(refs[0])) == 2


def test_a_crm_that_knows_our_key_needs_no_waiting(house: House) -> None:
    """With a native key a lost write is settled as soon as the account answers again."""
    at = house(on_deal(lambda ctx: ctx.skip(str(ctx.crm.tasks.create(Task(text="keyed"))))))
    at.world.has_native_keys = True
    at.world.lose_answer(Verb.CREATE)
    happen(at)
    at.work()
    at.advance(timedelta(seconds=3), step=timedelta(seconds=1))

    assert (at.tasks(), at.states()) == (["keyed"], ["skipped"])


def test_what_can_be_done_twice_is_repeated_at_once(house: House) -> None:
    """An update whose answer was lost does not wait for the quarantine."""
    at = house(on_deal(lambda ctx: ctx.crm.contacts.update(person, {"name": "Новое имя"})))
    person = at.crm.person.add_contact("Старое имя")
    at.world.lose_answer(Verb.UPDATE)
    happen(at)
    at.work()
    at.advance(timedelta(seconds=3), step=timedelta(seconds=1))

    assert (at.states(), at.crm.crm.contacts.get(person).name) == (["done"], "Новое имя")


def test_a_delete_whose_answer_was_lost_is_done(house: House) -> None:
    """That the record is gone when it is deleted again is what was wanted."""
    at = house(on_deal(lambda ctx: ctx.crm.contacts.delete(person)))
    person = at.crm.person.add_contact("Лишний")
    at.world.lose_answer(Verb.DELETE)
    happen(at)
    at.work()
    at.advance(timedelta(seconds=3), step=timedelta(seconds=1))

    assert at.states() == ["done"]


def test_a_refusal_leaves_nothing_behind(house: House) -> None:
    """The CRM said no: there is no intent, and a better attempt is made afresh."""
    refused: list[str] = []

    def run(ctx: Ctx) -> None:
        try:
            ctx.crm.tasks.create(Task(text="no"), once="t")
        except Rejected as error:
            refused.append(str(error))
        ctx.crm.tasks.create(Task(text="yes"), once="t")

    at = house(on_deal(run))
    at.world.fail_next(Rejected("not like this"), 1, Verb.CREATE)
    happen(at)
    at.work()

    assert (len(refused), at.tasks(), effects(at)) == (1, ["yes"], [("once:create:task:t", "done")])


def test_a_batch_makes_each_item_once_and_says_what_became_of_it(house: House) -> None:
    """One refused item does not stop the others; in the next attempt only what is missing is sent."""
    results: list[BatchResult] = []

    def run(ctx: Ctx) -> None:
        results.append(ctx.crm.tasks.create_many([Task(text=name) for name in "abc"]))
        if len(results) == 1:
            raise RuntimeError("fault")

    at = house(on_deal(run))
    at.world.fail_next(Rejected("a is bad"), 1, Verb.CREATE)
    happen(at)
    at.work()
    at.advance(timedelta(seconds=5))

    assert [failure.index for failure in results[0].failed] == [0]
    assert (sorted(results[1].done), results[1].failed) == ([0, 1, 2], ())
    assert (sorted(at.tasks()), at.world.count(Verb.CREATE)) == (["a", "b", "c"], 4)


def test_a_batch_that_an_outage_cuts_is_finished_later(house: House) -> None:
    """The handler never sees half a batch as given up: the run waits and does the rest."""
    results: list[BatchResult] = []

    def run(ctx: Ctx) -> None:
        results.append(ctx.crm.tasks.create_many([Task(text=name) for name in "abc"]))

    at = house(on_deal(run))
    at.world.fail_next(VendorDown("away"), 2, Verb.CREATE)
    happen(at)
    at.work()
    at.advance(timedelta(seconds=10), step=timedelta(seconds=1))

    assert [sorted(result.done) for result in results] == [[0, 1, 2]]
    assert sorted(at.tasks()) == ["a", "b", "c"]


def test_a_handler_that_swallows_everything_cannot_swallow_the_wait(house: House) -> None:
    """Waiting for the outcome of a lost call is no exception that a handler could take for an answer."""

    def run(ctx: Ctx) -> None:
        try:
            ctx.crm.tasks.create(Task(text="held"), once="held")
        except CrmKitError:
            raise
        except Exception as error:  # noqa: BLE001
            ctx.skip(f"swallowed {error}")

    at = house(on_deal(run))
    at.world.lose_answer(Verb.CREATE)
    happen(at)
    at.work()
    at.advance(timedelta(minutes=2), step=timedelta(seconds=1))

    assert (at.states(), at.tasks()) == (["done"], ["held"])


def test_an_intent_of_a_dead_process_is_settled_after_two_seconds(house: House) -> None:
    """Its request may still be on its way for a moment; then the record is looked up and adopted."""
    at = house(on_deal(lambda ctx: ctx.skip(str(ctx.crm.tasks.create(Task(text="orphan"), once="o")))))
    happen(at)
    at.work()
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    dead = owner_name().replace(f":{os.getpid()}:", f":{child.pid}:")
    with at.service.database.write() as tx:
        tx.execute(update(effect).values(state="intent", owner=dead, record_id=None))
    happen(at, 2)
    at.work()
    assert at.states() == ["skipped", "queued"]
    at.advance(timedelta(seconds=2))

    assert (at.states(), at.tasks(), at.world.count(Verb.CREATE)) == (["skipped", "skipped"], ["orphan"], 1)


def test_threads_that_want_one_effect_make_one(house: House) -> None:
    """While one is at it the others wait, and get its result."""
    entered, made = threading.Barrier(4), []

    def run(ctx: Ctx) -> None:
        entered.wait(5)
        made.append(ctx.crm.contacts.create(Contact(name="Один"), once="contact:+7999"))

    at = house(on_deal(run))
    for number in range(4):
        happen(at, number)
    stop = threading.Event()
    worker = threading.Thread(target=at.engine.run_worker, args=(at.runner.process, 4, stop))
    worker.start()
    while len(made) < 4 and worker.is_alive():
        at.service.bell.wait(0.02)
    stop.set()
    worker.join(10)

    assert (len(set(made)), at.world.count(Verb.CREATE)) == (1, 1)


def test_a_worker_that_lost_its_lane_writes_nothing_more(house: House) -> None:
    """The fence is checked before each intent: a sleeper that wakes finds its lane taken and stops."""

    def run(ctx: Ctx) -> None:
        with at.service.database.write() as tx:
            tx.execute(update(lane).values(owner="elsewhere:1:1", fence=1, lease_until=2**62))
        ctx.crm.tasks.create(Task(text="too late"))

    at = house(on_deal(run))
    happen(at)
    at.work()

    assert (at.tasks(), effects(at), at.states()) == ([], [], ["queued"])


def test_reads_pass_and_the_native_door_is_open(house: House) -> None:
    """A handler reads what is there now."""
    found: list[Any] = []

    def run(ctx: Ctx) -> None:
        found.append(ctx.crm.contacts.get(person).name)
        found.append([one.name for one in ctx.crm.contacts.find(phone="+7 999 111-22-33")])
        found.append([one.ref for one in ctx.crm.contacts.iterate()])
        found.append(ctx.crm.call("GET", f"/contact/{person.id}"))

    at = house(on_deal(run))
    person = at.crm.person.add_contact("Анна", phone="+79991112233")
    happen(at)
    at.work()

    assert found[:3] == ["Анна", ["Анна"], [person]]
    assert isinstance(found[3], dict)


def test_an_effect_of_a_name_too_long_for_the_table_is_still_one(house: House) -> None:
    """Long names are cut and told apart by their digest."""
    at = house(on_deal(lambda ctx: ctx.skip(str(ctx.crm.tasks.create(Task(text="long"), once="n" * 1000)))))
    happen(at, 1)
    happen(at, 2)
    at.work()

    assert (at.tasks(), [len(key) <= 400 for key, _ in effects(at)]) == (["long"], [True])


def test_an_errand_that_is_under_way_is_not_disturbed(house: House) -> None:
    """A handler that wants what a person's command is just doing waits for it."""
    at = house(on_deal(lambda ctx: ctx.skip(str(ctx.crm.tasks.create(Task(text="one"), once="one")))))
    happen(at)
    at.work()
    with at.service.database.write() as tx:
        tx.execute(update(effect).values(state="intent"))
    happen(at, 2)
    at.work()
    assert (at.states(), at.tasks()) == (["skipped", "queued"], ["one"])
    with at.service.database.read() as connection:
        assert connection.execute(select(effect.c.owner)).scalar() == owner_name()

    at.advance(timedelta(seconds=70), step=timedelta(seconds=35))
    at.advance(timedelta(seconds=10), step=timedelta(seconds=5))
    assert (at.states(), at.tasks()) == (["skipped", "skipped"], ["one"])
