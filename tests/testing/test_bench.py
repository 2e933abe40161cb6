"""The bench: a real service beside an emulated CRM does what an operator's would."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crmkit import CallFinished, Context, DealCreated, DealStageChanged, Extension, Settings, Task, TimerFired
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


@pytest.mark.parametrize("vendor", ["memory", "amocrm"])
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
