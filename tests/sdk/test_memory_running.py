"""Handlers called in a test: context, decisions, timers, things kept, effects done once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crmkit import (
    CallFinished,
    ConfigError,
    Context,
    DealCreated,
    DealUpdated,
    Extension,
    Ref,
    Settings,
    Task,
)
from crmkit.events import Cause
from crmkit.settings import NoSettings
from crmkit.testing import MemoryCrm, context, run, run_job
from crmkit.values import Kind


class CallBackSettings(Settings):
    """How soon to call back."""

    due_in: timedelta = timedelta(hours=2)


call_back = Extension("call-back", settings=CallBackSettings, reads={Kind.TASK})


@call_back.on(CallFinished)
def make_task(event: CallFinished, ctx: Context[CallBackSettings]) -> None:
    """One task for each missed call."""
    if not event.call.missed:
        return ctx.skip("answered")
    ctx.crm.tasks.create(
        Task(text="Перезвонить", about=event.call.contact, due=ctx.now + ctx.settings.due_in),
        once=f"call:{event.call.ref.id}",
    )
    ctx.later(ctx.now + timedelta(days=1), "remind")
    return ctx.explain("missed")


@call_back.every("0 3 * * *")
def count_tasks(ctx: Context[CallBackSettings]) -> None:
    """Count the open tasks."""
    known = ctx.mirror.count(Task)
    seen = ctx.store.get("counts", "tasks") or {"count": 0}
    ctx.store.put("counts", "tasks", {"count": known})
    ctx.explain(f"{seen['count']} -> {known}")


def _call(memory: MemoryCrm, ref: Ref) -> CallFinished:
    return CallFinished(ref=ref, occurred_at=memory.world.clock.now(), call=memory.crm.calls.get(ref))


def test_a_missed_call_makes_one_task_however_often_it_is_told() -> None:
    """Three runs with one key leave one task, due by the settings from the CRM's clock."""
    memory = MemoryCrm()
    person = memory.person.add_contact("Иван", phone="+79123456789")
    event = _call(memory, memory.person.missed_call("+79123456789"))
    outcomes = [run(call_back, event, memory) for _ in range(3)]
    tasks = list(memory.crm.tasks.iterate())
    assert [(task.text, task.about, task.due) for task in tasks] == [
        ("Перезвонить", person, datetime(2026, 3, 2, 11, 0, tzinfo=UTC))
    ]
    assert [(one.handlers, one.reasons, one.skipped) for one in outcomes] == [(("make_task",), ("missed",), False)] * 3
    assert outcomes[-1].timers == {(event.ref, "remind"): datetime(2026, 3, 3, 9, 0, tzinfo=UTC)}


def test_an_answered_call_is_skipped_with_its_reason() -> None:
    """The outcome says that nothing was done, and why."""
    memory = MemoryCrm()
    memory.person.add_contact("Иван", phone="+79123456789")
    outcome = run(call_back, _call(memory, memory.person.called("+79123456789")), memory)
    assert (outcome.reasons, outcome.skipped, list(memory.crm.tasks.iterate())) == (("answered",), True, [])


def test_settings_and_the_time_may_be_given() -> None:
    """A test's own settings and moment replace the defaults."""
    memory = MemoryCrm()
    memory.person.add_contact("Иван", phone="+79123456789")
    event = _call(memory, memory.person.missed_call("+79123456789"))
    at = datetime(2026, 5, 1, tzinfo=UTC)
    run(call_back, event, memory, settings=CallBackSettings(due_in=timedelta(hours=1)), now=at)
    assert [task.due for task in memory.crm.tasks.iterate()] == [at + timedelta(hours=1)]


def test_a_job_keeps_documents_between_runs() -> None:
    """What a job stored is there the next time, and another extension does not see it."""
    memory = MemoryCrm()
    first = run_job(call_back, "count_tasks", memory)
    memory.person.add_task("Позвонить")
    second = run_job(call_back, "count_tasks", memory)
    assert (first.reasons, second.reasons) == (("0 -> 0",), ("0 -> 1",))
    assert memory.desk("other").store.get("counts", "tasks") is None


def test_an_event_without_a_handler_is_an_error_that_names_the_handlers() -> None:
    """A test cannot pass by calling nothing."""
    memory = MemoryCrm()
    ref = memory.person.add_deal("Окна")
    event = DealCreated(ref=ref, occurred_at=memory.world.clock.now(), deal=memory.crm.deals.get(ref))
    with pytest.raises(ConfigError, match=r"call-back has no handler for DealCreated\. It handles CallFinished\."):
        run(call_back, event, memory)
    with pytest.raises(ConfigError, match=r"has no job 'nightly'\. It has: count_tasks\."):
        run_job(call_back, "nightly", memory)


def test_an_own_event_does_not_reach_its_author() -> None:
    """A change that the extension made itself calls only handlers that asked for their own."""
    echo = Extension("echo")
    seen: list[str] = []

    @echo.on(DealUpdated)
    def others(event: DealUpdated, ctx: Context[NoSettings]) -> None:
        seen.append("others")

    @echo.on(DealUpdated, own=True)
    def everything(event: DealUpdated, ctx: Context[NoSettings]) -> None:
        seen.append("own")

    memory = MemoryCrm()
    deal = memory.crm.deals.get(memory.person.add_deal("Окна"))
    event = DealUpdated(
        ref=deal.ref,
        occurred_at=memory.world.clock.now(),
        cause=Cause(extension="echo", run_id=1, depth=1),
        before=deal,
        deal=deal,
        changed=frozenset({"title"}),
    )
    assert run(echo, event, memory).handlers == ("everything",)
    assert seen == ["own"]


def test_mirror_index_and_assign_are_there() -> None:
    """The mirror shows the account as it is, the index counts, turns go round the active users."""
    memory = MemoryCrm()
    ref = memory.person.add_deal("Окна")
    ctx = context(call_back, memory)
    ctx.index.put(ref, ["phone:1", "phone:2", "phone:1"])
    deal = memory.crm.deals.get(ref)
    assert list(ctx.mirror.columns(type(deal), "title", "owner_id")) == [("1", "Окна", "1")]
    assert ctx.mirror.get(type(deal), ref) == deal
    assert ctx.index.find(["phone:1", "phone:9"]) == {"phone:1": [ref]}
    assert ctx.index.counts(["phone:1", "phone:9"]) == {"phone:1": 1, "phone:9": 0}
    assert [ctx.assign("round_robin", among=["2", "3", "4"]).user_id for _ in range(3)] == ["2", "3", "2"]
