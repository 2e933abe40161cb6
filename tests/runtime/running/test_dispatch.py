"""From an event to its handlers: who is called, in which order, and what becomes of faults."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from crmkit.errors import AccountBlocked, AuthError, RateLimited, Rejected, VendorDown
from crmkit.events import (
    CallFinished,
    Cause,
    ContactMerged,
    ContactUpdated,
    DealCreated,
    DealStageChanged,
    DealUpdated,
    TimerFired,
)
from crmkit.extension import Context, Extension
from crmkit.models import Call, Deal, Phone, StageRef, Task
from crmkit.settings import NoSettings
from crmkit.values import Kind, Ref
from crmkit.webhook import Origin
from crmkit.write import Verb
from crmkit_runtime.dispatch import publish, replay, to_body
from crmkit_runtime.mirror import merged

House = Callable[..., Any]
Ctx = Context[NoSettings]


def created(house: Any, number: int = 1, account: str = "acme", **fields: Any) -> DealCreated:
    """Deal `number` appeared."""
    deal = house.deal(number, account, **fields)
    return DealCreated(ref=deal.ref, occurred_at=house.clock.now(), deal=deal)


def call(house: Any, id_: str, phone: str | None) -> CallFinished:
    """Somebody called from `phone`."""
    ref = Ref("acme", Kind.CALL, id_)
    found = Call(ref=ref, phone=Phone(raw=phone, e164=phone) if phone else None)
    return CallFinished(ref=ref, occurred_at=house.clock.now(), call=found)


def recorder(seen: list[Any], **options: Any) -> Extension[NoSettings]:
    """An extension that writes down the deals that were created."""
    extension = Extension("recorder", **options)

    @extension.on(DealCreated)
    def note(event: DealCreated, ctx: Ctx) -> None:
        seen.append(event.ref.id)

    return extension


def test_a_handler_is_called_with_the_event_it_asked_for(house: House) -> None:
    """The event arrives as it was published, and the run keeps what the handler said."""
    extension, seen = Extension("teller"), []

    @extension.on(DealStageChanged)
    def tell(event: DealStageChanged, ctx: Ctx) -> None:
        seen.append(event)
        ctx.explain("moved by hand")
        ctx.skip("nothing to do")

    at = house(extension)
    moved = DealStageChanged(
        ref=at.deal().ref,
        occurred_at=at.clock.now(),
        before=StageRef(pipeline_id="1", stage_id="new"),
        after=StageRef(pipeline_id="1", stage_id="won"),
        deal=at.deal(),
    )
    at.publish(moved)
    at.work()

    assert seen == [moved]
    run = at.runs()[0]
    assert (run.state, json.loads(run.decisions), run.attempts) == ("skipped", ["moved by hand", "nothing to do"], 1)


def test_an_event_published_twice_is_one(house: House) -> None:
    """The same key is the same event: the second time nothing is stored and nobody called."""
    seen: list[Any] = []
    at = house(recorder(seen))

    first, second = at.publish(created(at), "delivery:7"), at.publish(created(at), "delivery:7")
    at.work()

    assert (first, second, seen) == (1, None, ["1"])


def test_records_are_stored_without_the_vendors_own_body(house: House) -> None:
    """The stored event reads back equal but for `raw`."""
    at = house(recorder([]))
    deal = at.deal().model_copy(update={"raw": {"secret": "x"}})
    event = ContactUpdated(
        ref=at.contact().ref, occurred_at=at.clock.now(), before=None, contact=at.contact(), changed=frozenset({"name"})
    )

    assert "secret" not in to_body(DealCreated(ref=deal.ref, occurred_at=at.clock.now(), deal=deal))
    assert ContactUpdated.model_validate_json(to_body(event)) == event


def test_runs_of_one_record_keep_their_order_while_one_is_tried_again(house: House) -> None:
    """What happened later to a record waits for what failed before; other records go on."""
    extension, seen = Extension("picky"), []

    @extension.on(DealUpdated)
    def handle(event: DealUpdated, ctx: Ctx) -> None:
        seen.append((event.ref.id, event.delivery_id))
        if seen == [("1", "a")]:
            raise Rejected("the CRM does not like it")

    at = house(extension)
    for number, name in ((1, "a"), (1, "b"), (2, "c")):
        deal = at.deal(number)
        at.publish(
            DealUpdated(
                ref=deal.ref,
                occurred_at=at.clock.now(),
                before=None,
                deal=deal,
                changed=frozenset(),
                delivery_id=name,
            )
        )
    at.work()
    assert seen == [("1", "a"), ("2", "c")]

    at.advance(timedelta(seconds=2))
    assert seen == [("1", "a"), ("2", "c"), ("1", "a"), ("1", "b")]
    assert at.states() == ["done", "done", "done"]


def test_calls_of_one_number_share_a_lane(house: House) -> None:
    """Two calls from one phone are in order, whoever they are linked to; a call without a number has its own lane."""
    extension = Extension("phone")

    @extension.on(CallFinished)
    def handle(event: CallFinished, ctx: Ctx) -> None:
        pass

    at = house(extension)
    for id_, phone in (("10", "+79991112233"), ("11", "+79991112233"), ("12", None)):
        at.publish(call(at, id_, phone))

    assert [run.lane for run in at.runs()] == [
        "phone:acme:phone:+79991112233",
        "phone:acme:phone:+79991112233",
        "phone:acme:call:12",
    ]


def test_accounts_with_equal_ids_never_mix(house: House) -> None:
    """Deal 1 of one account and deal 1 of another are two records: events, lanes, writes and effects apart."""
    extension = Extension("twin")

    @extension.on(DealCreated)
    def handle(event: DealCreated, ctx: Ctx) -> None:
        ctx.crm.tasks.create(Task(text=f"{ctx.account.key} {event.ref}"), once="hello")

    at = house(extension, accounts=("acme", "best"))
    at.publish(created(at, 1, "acme"), "deal:1")
    at.publish(created(at, 1, "best"), "deal:1")
    at.work()

    assert [run.lane for run in at.runs()] == ["twin:acme:deal:1", "twin:best:deal:1"]
    assert at.tasks("acme") == ["acme acme/deal:1"]
    assert at.tasks("best") == ["best best/deal:1"]


def test_a_fault_of_a_handler_is_a_dead_letter_after_eight_attempts(house: House) -> None:
    """Pauses grow between the attempts; then the run is dead with the handler's own lines, and the lane goes on."""
    extension, tries = Extension("broken"), []

    @extension.on(DealCreated)
    def handle(event: DealCreated, ctx: Ctx) -> None:
        tries.append(event.delivery_id)
        if event.delivery_id == "bad":
            raise ZeroDivisionError("a fault in the handler")

    at = house(extension)
    for name in ("bad", "good"):
        at.publish(created(at).model_copy(update={"delivery_id": name}))
    at.work()
    at.advance(timedelta(minutes=10), step=timedelta(seconds=1))

    dead, done = at.runs()
    assert tries == ["bad"] * 8 + ["good"]
    assert (dead.state, dead.attempts, done.state) == ("dead", 8, "done")
    assert "test_dispatch.py" in dead.error
    assert dead.error.endswith("ZeroDivisionError: a fault in the handler\n")


def test_a_run_that_fails_for_half_an_hour_is_dead(house: House) -> None:
    """However few attempts there were."""
    extension = Extension("slow")

    @extension.on(DealCreated)
    def handle(event: DealCreated, ctx: Ctx) -> None:
        raise Rejected("no")

    at = house(extension)
    at.publish(created(at))
    at.work()
    at.advance(timedelta(minutes=31))

    assert [(run.state, run.attempts) for run in at.runs()] == [("dead", 2)]


def test_a_handler_that_stops_the_process_is_only_a_fault(house: House) -> None:
    """SystemExit ends the run's attempt, not the worker."""
    extension = Extension("quitter")

    @extension.on(DealCreated)
    def handle(event: DealCreated, ctx: Ctx) -> None:
        raise SystemExit(1)

    at = house(extension)
    at.publish(created(at))
    at.work()

    assert [(run.state, run.attempts) for run in at.runs()] == [("queued", 1)]


def test_a_crm_that_is_away_for_half_an_hour_costs_nothing(house: House) -> None:
    """No attempt is counted and nothing dies; afterwards everything is done, in order, once."""
    extension = Extension("patient")

    @extension.on(DealCreated)
    def handle(event: DealCreated, ctx: Ctx) -> None:
        ctx.crm.tasks.create(Task(text=f"{event.ref.id}/{event.delivery_id}"))

    at = house(extension)
    at.world.down()
    for number in (1, 2, 3):
        for name in ("a", "b"):
            at.publish(created(at, number).model_copy(update={"delivery_id": name}))
    at.advance(timedelta(minutes=30), step=timedelta(seconds=5))

    assert [(run.state, run.attempts) for run in at.runs()] == [("queued", 0)] * 6
    asked = len(at.world.asked)
    assert asked < 40
    at.world.heal()
    at.advance(timedelta(minutes=6), step=timedelta(seconds=5))

    assert at.states() == ["done"] * 6
    done = at.tasks()
    assert sorted(done) == ["1/a", "1/b", "2/a", "2/b", "3/a", "3/b"]
    assert [done.index(f"{number}/a") < done.index(f"{number}/b") for number in (1, 2, 3)] == [True] * 3


@pytest.mark.parametrize(
    "error",
    [
        RateLimited("slow down", retry_after_s=40, status=429),
        AuthError("token revoked", status=401),
        AccountBlocked("not paid", status=402),
        VendorDown("no answer"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_concerns_the_whole_account_pauses_it_and_no_other(house: House, error: Exception) -> None:
    """The account's other records wait too, another account goes on, and no attempt is counted."""
    seen: list[Any] = []
    extension = Extension("both")

    @extension.on(DealCreated)
    def handle(event: DealCreated, ctx: Ctx) -> None:
        ctx.crm.tasks.create(Task(text=str(event.ref)))
        seen.append(str(event.ref))

    at = house(extension, accounts=("acme", "best"))
    at.world.fail_next(error, 1, Verb.CREATE, account="acme")
    at.publish(created(at, 1, "acme"))
    at.work()
    at.publish(created(at, 2, "acme"))
    at.publish(created(at, 1, "best"))
    at.work()
    assert seen == ["best/deal:1"]

    at.advance(timedelta(seconds=45), step=timedelta(seconds=1))
    assert sorted(seen) == ["acme/deal:1", "acme/deal:2", "best/deal:1"]
    assert [run.attempts for run in at.runs()] == [1, 1, 1]


def test_a_pause_as_long_as_the_crm_asks_for(house: House) -> None:
    """Retry-After wins over our own pauses."""
    extension, tries = Extension("asked"), []

    @extension.on(DealCreated)
    def handle(event: DealCreated, ctx: Ctx) -> None:
        tries.append(ctx.now)
        if len(tries) == 1:
            raise RateLimited("slow down", retry_after_s=40)

    at = house(extension)
    start = at.clock.now()
    at.publish(created(at))
    at.work()
    at.advance(timedelta(seconds=60), step=timedelta(seconds=1))

    assert tries == [start, start + timedelta(seconds=40)]


def test_a_write_that_the_crm_never_answers_does_not_hold_up_the_account(house: House) -> None:
    """One record fails with the CRM's own fault while others succeed: it alone waits, longer each time, undead."""
    extension = Extension("poison")

    @extension.on(DealCreated)
    def handle(event: DealCreated, ctx: Ctx) -> None:
        if event.ref.id == "666":
            raise VendorDown("500 for this record only")
        ctx.crm.tasks.create(Task(text=event.ref.id))

    at = house(extension)
    at.publish(created(at, 666))
    at.work()
    for number in range(1, 60):
        at.publish(created(at, number))
        at.advance(timedelta(seconds=30), step=timedelta(seconds=2))

    assert len(at.tasks()) == 59
    assert at.states() == ["queued"] + ["done"] * 59
    assert at.runs()[0].attempts == 0


def test_replay_does_a_dead_run_again_without_repeating_its_writes(house: House) -> None:
    """The half that was done stays done; the other half is made up for."""
    extension = Extension("half")
    is_mended: list[bool] = []

    @extension.on(DealCreated)
    def handle(event: DealCreated, ctx: Ctx) -> None:
        ctx.crm.tasks.create(Task(text="first", due=ctx.now + timedelta(hours=2)))
        if not is_mended:
            raise RuntimeError("fault")
        ctx.crm.tasks.create(Task(text="second"))

    at = house(extension)
    at.publish(created(at))
    at.work()
    at.advance(timedelta(hours=1), step=timedelta(minutes=1))
    assert (at.states(), at.tasks()) == (["dead"], ["first"])

    is_mended.append(True)
    assert replay(at.service.database, ref=Ref("acme", Kind.DEAL, "2")) == 0
    assert replay(at.service.database, extension="other") == 0
    assert replay(at.service.database, since=at.clock.now()) == 0
    assert replay(at.service.database, ids=[at.runs()[0].id]) == 1
    at.work()

    assert (at.states(), at.tasks()) == (["done"], ["first", "second"])
    assert replay(at.service.database) == 0
    assert replay(at.service.database, failed=False, ref=Ref("acme", Kind.DEAL, "1")) == 1
    at.work()
    assert at.tasks() == ["first", "second"]


def test_a_replayed_run_goes_before_what_came_later(house: House) -> None:
    """Its place in the lane is the one that it had."""
    seen: list[Any] = []
    at = house(recorder(seen))
    for name in ("1", "2"):
        at.publish(created(at), name)
    at.work()
    replay(at.service.database, failed=False, ids=[2])
    replay(at.service.database, failed=False, ids=[1])
    at.work()

    done = [run.id for run in sorted(at.runs(), key=lambda run: run.finished_at)]
    assert (len(seen), done) == (4, [1, 2])


def test_an_extension_does_not_hear_of_its_own_writes_unless_it_asks(house: House) -> None:
    """The cause decides: others always hear, the author only with own=True."""
    heard: list[str] = []
    author, other = Extension("author"), Extension("other")

    @author.on(DealCreated)
    def deaf(event: DealCreated, ctx: Ctx) -> None:
        heard.append("deaf")

    @author.on(DealCreated, own=True)
    def curious(event: DealCreated, ctx: Ctx) -> None:
        heard.append("curious")

    @other.on(DealCreated)
    def neighbour(event: DealCreated, ctx: Ctx) -> None:
        heard.append("neighbour")

    at = house(author, other)
    cause = Cause(extension="author", run_id=1, depth=1)
    at.publish(created(at).model_copy(update={"cause": cause}))
    at.work()

    assert sorted(heard) == ["curious", "neighbour"]


def test_a_chain_of_our_own_writes_ends_with_a_message(house: House) -> None:
    """Deeper than eight nobody is called; the run says why, so that people see it."""
    seen: list[Any] = []
    at = house(recorder(seen))
    for depth in (8, 9):
        at.publish(created(at).model_copy(update={"cause": Cause(extension="other", run_id=1, depth=depth)}))
    at.work()

    assert (seen, at.states()) == (["1"], ["done", "stopped"])
    assert at.runs()[1].error == (
        "a chain of 8 of our own writes ends here: DealCreated of acme/deal:1, caused by other; the extensions answer "
        "each other without end. Let one ignore what the other writes, then replay this run."
    )


@pytest.mark.parametrize(
    ("rollout", "seen", "reason"),
    [
        ({"users": ["7"]}, ["1"], "outside the rollout: the owner is 8, not one of 7"),
        ({"pipelines": ["10"]}, ["1"], "outside the rollout: the pipeline is 20"),
        ({"percent": 0}, [], "outside the rollout of 0 %"),
        ({"percent": 100}, ["1", "2"], None),
    ],
)
def test_a_rollout_decides_whose_records_are_worked_on(
    house: House, rollout: dict[str, Any], seen: list[str], reason: str | None
) -> None:
    """A record outside of it leaves a run that says so."""
    found: list[Any] = []
    at = house(recorder(found), extensions={"recorder": {"rollout": rollout}})
    for number, owner, pipeline in ((1, "7", "10"), (2, "8", "20")):
        at.publish(created(at, number, owner_id=owner, stage=StageRef(pipeline_id=pipeline, stage_id="1")))
    at.work()

    assert found == seen
    last = at.runs()[1]
    assert (last.state, json.loads(last.decisions)) == ("skipped" if reason else "done", [reason] if reason else [])


def test_a_percentage_takes_about_that_many_records_and_always_the_same(house: House) -> None:
    """Half of 100 records, and each of them whenever it comes."""
    found: list[Any] = []
    at = house(recorder(found), extensions={"recorder": {"rollout": {"percent": 50}}})
    for number in range(200):
        at.publish(created(at, number % 100))
    at.work()

    assert 30 < len(set(found)) < 70
    assert sorted(found) == sorted([*set(found), *set(found)])


def test_events_of_a_merged_record_belong_to_the_survivor(house: House) -> None:
    """What was queued for the loser runs in the survivor's lane, under its address, in the order of events."""
    extension, seen = Extension("merger"), []

    @extension.on(ContactUpdated)
    def handle(event: ContactUpdated, ctx: Ctx) -> None:
        seen.append((str(event.ref), event.delivery_id))

    at = house(extension)
    for number, name in ((2, "a"), (1, "b"), (2, "c")):
        person = at.contact(number)
        at.publish(
            ContactUpdated(
                ref=person.ref,
                occurred_at=at.clock.now(),
                before=None,
                contact=person,
                changed=frozenset(),
                delivery_id=name,
            )
        )
    with at.service.database.write() as tx:
        merged(tx, at.contact(2).ref, at.contact(1).ref, 0)
    at.publish(
        ContactUpdated(
            ref=at.contact(2).ref,
            occurred_at=at.clock.now(),
            before=None,
            contact=at.contact(2),
            changed=frozenset(),
            delivery_id="d",
        )
    )
    at.work()

    assert sorted(seen, key=lambda pair: pair[1]) == [("acme/contact:1", name) for name in "abcd"]
    assert {run.lane for run in at.runs()} == {"merger:acme:contact:1"}


def test_a_merge_waits_for_the_loser_and_comes_after_what_was_queued_for_it(house: House) -> None:
    """While a run of the loser is under way nothing of the survivor begins; then all come in the order of events."""
    extension, seen = Extension("merger"), []

    @extension.on(ContactUpdated)
    def updated(event: ContactUpdated, ctx: Ctx) -> None:
        seen.append(event.delivery_id)
        if event.delivery_id == "first":
            merge()
            at.engine.step(at.runner.process)
            seen.append("first is over")

    @extension.on(ContactMerged)
    def joined(event: ContactMerged, ctx: Ctx) -> None:
        seen.append("merged")

    def update(name: str) -> None:
        person = at.contact(2)
        at.publish(
            ContactUpdated(
                ref=person.ref,
                occurred_at=at.clock.now(),
                before=None,
                contact=person,
                changed=frozenset(),
                delivery_id=name,
            )
        )

    def merge() -> None:
        with at.service.database.write() as tx:
            merged(tx, at.contact(2).ref, at.contact(1).ref, 0)
        at.publish(ContactMerged(ref=at.contact(1).ref, occurred_at=at.clock.now(), loser=at.contact(2).ref))

    at = house(extension)
    update("first")
    update("second")
    at.work()
    at.advance(timedelta(seconds=1), step=timedelta(milliseconds=50))
    assert seen == ["first", "first is over", "second", "merged"]
    assert at.states() == ["done", "done", "done"]


def test_what_waits_for_the_loser_moves_with_the_merge(house: House) -> None:
    """Runs queued for the loser come before the news of its merge, in one lane."""
    extension, seen = Extension("merger"), []

    @extension.on(ContactUpdated)
    def updated(event: ContactUpdated, ctx: Ctx) -> None:
        seen.append((event.delivery_id, str(event.ref)))

    @extension.on(ContactMerged)
    def joined(event: ContactMerged, ctx: Ctx) -> None:
        seen.append(("merged", str(event.ref)))

    at = house(extension)
    person = at.contact(2)
    at.publish(
        ContactUpdated(
            ref=person.ref,
            occurred_at=at.clock.now(),
            before=None,
            contact=person,
            changed=frozenset(),
            delivery_id="before",
        )
    )
    with at.service.database.write() as tx:
        merged(tx, at.contact(2).ref, at.contact(1).ref, 0)
    at.publish(ContactMerged(ref=at.contact(1).ref, occurred_at=at.clock.now(), loser=at.contact(2).ref))

    assert {run.lane for run in at.runs()} == {"merger:acme:contact:1"}
    at.work()
    assert seen == [("before", "acme/contact:1"), ("merged", "acme/contact:1")]


def test_runs_of_an_extension_that_is_gone_are_kept_as_dead(house: House) -> None:
    """Nothing is lost: installed again, it replays them."""
    seen: list[Any] = []
    before = house(recorder(seen))
    before.publish(created(before))
    after = house(Extension("newcomer"), world=before.world)
    after.work()

    assert [(run.state, run.error) for run in after.runs()] == [
        (
            "dead",
            "Extension recorder is not installed for account acme. Install what is missing and replay this run.",
        )
    ]
    replay(before.service.database)
    before.work()
    assert seen == ["1"]


def test_a_timer_calls_its_own_extension_at_its_moment(house: House) -> None:
    """The same key moves it, a dropped one is silent, another extension hears nothing, and it fires once."""
    extension, other = Extension("alarm"), Extension("other")
    fired: list[tuple[str, str, datetime]] = []

    @extension.on(DealCreated)
    def arm(event: DealCreated, ctx: Ctx) -> None:
        ctx.later(ctx.now + timedelta(hours=1), "moved")
        ctx.later(ctx.now + timedelta(hours=2), "moved")
        ctx.later(ctx.now + timedelta(hours=1), "dropped")
        ctx.cancel("dropped")

    @extension.on(TimerFired)
    def ring(event: TimerFired, ctx: Ctx) -> None:
        fired.append((event.key, str(event.ref), ctx.now))

    @other.on(TimerFired)
    def overhear(event: TimerFired, ctx: Ctx) -> None:
        fired.append(("other", "", ctx.now))

    at = house(extension, other)
    start = at.clock.now()
    at.publish(created(at))
    at.work()
    at.advance(timedelta(hours=3), step=timedelta(minutes=30))

    assert fired == [("moved", "acme/deal:1", start + timedelta(hours=2))]


def test_a_timer_of_a_call_rings_in_the_lane_of_its_phone(house: House) -> None:
    """A reminder and the next call of the same number never overlap."""
    extension = Extension("remind")

    @extension.on(CallFinished)
    def arm(event: CallFinished, ctx: Ctx) -> None:
        ctx.later(ctx.now + timedelta(minutes=5), "again")

    @extension.on(TimerFired)
    def ring(event: TimerFired, ctx: Ctx) -> None:
        ctx.explain("rang")

    at = house(extension)
    at.publish(call(at, "10", "+79991112233"))
    at.work()
    at.advance(timedelta(minutes=5))

    assert [(run.lane, run.state) for run in at.runs()] == [("remind:acme:phone:+79991112233", "done")] * 2


def test_a_timer_of_a_failed_attempt_is_not_set(house: House) -> None:
    """Timers come with the run's success, once, whatever the number of attempts."""
    extension, tries, fired = Extension("flaky"), [], []

    @extension.on(DealCreated)
    def arm(event: DealCreated, ctx: Ctx) -> None:
        tries.append(1)
        ctx.later(ctx.now + timedelta(minutes=1), f"try {len(tries)}")
        if len(tries) == 1:
            raise RuntimeError("fault")

    @extension.on(TimerFired)
    def ring(event: TimerFired, ctx: Ctx) -> None:
        fired.append(event.key)

    at = house(extension)
    at.publish(created(at))
    at.work()
    at.advance(timedelta(minutes=5), step=timedelta(seconds=10))

    assert fired == ["try 2"]


def test_a_deal_without_an_event_handler_costs_no_run(house: House) -> None:
    """An event nobody asked for is stored, so that it can be shown, and queues nothing."""
    at = house(Extension("silent"))
    with at.service.database.write() as tx:
        event = DealCreated(ref=at.deal().ref, occurred_at=at.clock.now(), deal=Deal(ref=at.deal().ref))
        event_id = publish(tx, at.service, event, key="k", origin=Origin.FEED)

    assert (event_id, at.runs()) == (1, [])
