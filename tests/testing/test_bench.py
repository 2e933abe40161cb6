"""The bench: a real service beside an emulated CRM does what an operator's would."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from crmkit import CallFinished, Context, DealCreated, DealStageChanged, Extension, Settings, Task, TimerFired
from crmkit.errors import ConfigError
from crmkit.settings import NoSettings
from crmkit_testing.bench import bench


class CallBackSettings(Settings):
    """How soon to call back."""

    due_in: timedelta = timedelta(hours=2)


call_back = Extension("call-back", settings=CallBackSettings)
moves = Extension("moves")


@call_back.on(CallFinished)
def make_task(event: CallFinished, ctx: Context[CallBackSettings]) -> None:
    """One task for each missed call, on the contact with that number."""
    if not event.call.missed or event.call.phone is None:
        return ctx.skip("answered")
    person = ctx.crm.contacts.find_one(phone=event.call.phone.raw)
    task = Task(text="Перезвонить", about=person.ref if person else None, due=ctx.now + ctx.settings.due_in)
    ctx.crm.tasks.create(task, once=f"call:{event.call.ref.id}")
    return ctx.explain("missed")


@moves.on(DealCreated)
def created(event: DealCreated, ctx: Context[NoSettings]) -> None:
    """Say it, and be called tomorrow."""
    ctx.later(ctx.now + timedelta(days=1), "look")
    ctx.explain(f"created {event.deal.title}")


@moves.on(DealStageChanged)
def moved(event: DealStageChanged, ctx: Context[NoSettings]) -> None:
    """Say it."""
    ctx.explain(f"{event.before.stage_id if event.before else None} -> {event.after.stage_id}")


@moves.on(TimerFired)
def look(event: TimerFired, ctx: Context[NoSettings]) -> None:
    """Say it."""
    ctx.explain(f"looked: {event.key}")


@pytest.mark.parametrize("vendor", ["memory", "amocrm", "retailcrm"])
def test_a_call_told_three_times_is_one_task_though_the_crm_refuses_twice(vendor: str) -> None:
    """Repeated deliveries and refusals by the rate limit end in one task, due by the settings."""
    with bench(call_back, vendor, settings=CallBackSettings(due_in=timedelta(hours=1))) as b:
        person = b.person.add_contact("Иван Петров", phone="+79123456789")
        b.fail_next(429, times=2)
        b.missed_call("+79123456789", times=3)
        assert [(task.text, task.about) for task in b.tasks] == [("Перезвонить", person)]
        assert b.decisions == ["missed"]
        assert [run.state for run in b.runs] == ["done"]
        assert b.api_calls < 25


@pytest.mark.parametrize("vendor", ["memory", "amocrm", "retailcrm"])
def test_lost_hooks_are_found_by_the_feed(vendor: str) -> None:
    """Nothing is known while hooks are lost; a minute later the feed tells of every move, in order."""
    with bench(moves, vendor) as b:
        deal = b.person.add_deal("Окна")
        first, second, third = list(b.side.stages().values())[:3]
        b.settle()
        b.lose_next_hooks(10)
        for stage in (second, third, second):
            b.person.move_deal(deal, stage)
            b.side.turn(2)
        told_by_hooks = len(b.deliveries)
        before = b.decisions
        b.advance(timedelta(minutes=2))
        path = [stage.stage_id for stage in (first, second, third, second)]
        assert before == ["created Окна"]
        assert b.decisions == ["created Окна", *(f"{one} -> {two}" for one, two in pairwise(path))]
        assert len(b.deliveries) == told_by_hooks


@pytest.mark.parametrize("vendor", ["memory", "amocrm", "retailcrm"])
def test_what_was_seeded_is_no_event(vendor: str) -> None:
    """Records that were there before the service looked make no run; the first new one does."""
    with bench(moves, vendor) as b:
        b.seed()
        seeded = len(b.deals)
        quiet = b.runs
        b.person.add_deal("Новая")
        assert seeded > 2
        assert quiet == []
        assert b.decisions == ["created Новая"]


def test_a_seed_after_the_start_is_refused() -> None:
    """What is there before the service looks must be there before the service looks."""
    with bench(moves, "memory") as b:
        b.person.add_deal("Окна")
        with pytest.raises(ConfigError, match=r"the service runs already\. Call seed\(\) first\."):
            b.seed()


@pytest.mark.parametrize("vendor", ["memory", "amocrm", "retailcrm"])
def test_time_turns_for_service_and_crm_alike(vendor: str) -> None:
    """A timer set for tomorrow fires tomorrow, and the CRM's own time is the same."""
    with bench(moves, vendor) as b:
        b.person.add_deal("Окна")
        b.settle()
        b.advance(timedelta(hours=23))
        today = b.decisions
        b.advance(timedelta(hours=2))
        b.person.add_deal("Двери")
        made = b.deals[-1].created_at
        assert today == ["created Окна"]
        assert b.decisions == ["created Окна", "looked: look", "created Двери"]
        assert made is not None
        assert b.now - made < timedelta(minutes=1)


@pytest.mark.parametrize("vendor", ["memory", "amocrm", "retailcrm"])
def test_a_crm_that_is_away_for_half_an_hour_loses_nothing(vendor: str) -> None:
    """Calls that came meanwhile wait, and are worked off once when it is back; none is dead."""
    with bench(call_back, vendor) as b:
        person = b.person.add_contact("Иван Петров", phone="+79123456789")
        b.settle()
        b.down()
        for number in range(3):
            b.missed_call("+79123456789", id_=str(number))
        b.advance(timedelta(minutes=30))
        waiting = [run.state for run in b.runs]
        b.down(False)
        b.advance(timedelta(minutes=10))
        assert waiting == ["queued"] * 3
        assert [task.about for task in b.tasks] == [person] * 3
        assert [run.state for run in b.runs] == ["done"] * 3


@pytest.mark.parametrize("vendor", ["memory", "amocrm", "retailcrm"])
def test_plan_mode_writes_nothing(vendor: str) -> None:
    """The write is a plan item, the CRM has no task."""
    with bench(call_back, vendor, mode="plan") as b:
        b.person.add_contact("Иван Петров", phone="+79123456789")
        b.missed_call("+79123456789")
        assert b.tasks == []
        assert [(item.write.verb.value, item.write.kind.value, item.state) for item in b.plan] == [
            ("create", "task", "planned")
        ]


def test_raw_bodies_are_answered_as_a_vendor_would_see() -> None:
    """A body that nobody can read is stored with its reason and answered 200; the CRM must not switch its hook off."""
    with bench(moves, "memory") as b:
        answers = b.deliver(b"\xff\x00nonsense", times=2)
        assert answers == (200, 200)
        assert ["refused" in delivery.outcome for delivery in b.deliveries] == [True, True]


def test_a_doubled_hook_is_one_event() -> None:
    """The same delivery three times makes one run."""
    with bench(moves, "memory") as b:
        b.settle()
        b.repeat_next_hook(3)
        b.person.add_deal("Окна")
        assert b.decisions == ["created Окна"]
        assert len(b.deliveries) == 3


@pytest.mark.parametrize("vendor", ["amocrm", "bitrix24", "memory"])
def test_a_doubled_call_of_the_crms_own_is_one_event(vendor: str) -> None:
    """All that the CRM tells of a call comes three times; a retailCRM keeps no calls of its own."""
    with bench(call_back, vendor) as b:
        person = b.person.add_contact("Иван Петров", phone="+79123456789")
        b.settle()
        b.repeat_next_hook(3)
        b.person.missed_call(person, "+79123456789")
        calls = [one.outcome for one in b.deliveries if "call:" in one.outcome]
        assert [run.event for run in b.runs] == ["CallFinished"]
        assert (len(calls), len(set(calls))) == (3, 1)


def test_an_unknown_vendor_names_the_known_ones() -> None:
    """Before anything starts."""
    known = r"There are: amocrm, bitrix24, memory, retailcrm\."
    with pytest.raises(ConfigError, match=rf"there is no emulator of amo\. {known}"):
        bench(moves, "amo")


def test_a_closed_bench_says_how_to_open_it() -> None:
    """Forgetting `with` is told plainly."""
    with pytest.raises(ConfigError, match=r"the bench is not open\. Write `with bench"):
        bench(moves, "memory").settle()


def test_a_telephonys_own_body_is_taken_with_its_secret_only() -> None:
    """The provider's real form makes a call; the same form with a wrong secret is refused and nothing is stored."""
    form = "uniqueid=1.5&call_type=in&calldate=2026-03-02+13:00:05&caller=79123456789&disposition=NO+ANSWER&billsec=0"
    secret = {"CRMKIT_ACME_RINGOSTAT_SECRET": "a-secret-of-this-test"}
    with bench(call_back, "memory", sources={"ringostat": {}}, environment=secret) as b:
        person = b.person.add_contact("Иван Петров", phone="+79123456789")
        wrong = b.deliver(f"{form}&token=another".encode(), sender="ringostat")
        right = b.deliver(f"{form}&token=a-secret-of-this-test".encode(), sender="ringostat", times=2)
        assert (wrong, right) == ((403,), (200, 200))
        assert [(task.text, task.about) for task in b.tasks] == [("Перезвонить", person)]
        assert [run.event for run in b.runs] == ["CallFinished"]
