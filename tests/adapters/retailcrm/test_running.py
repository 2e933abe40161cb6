"""An extension beside the emulated retailCRM: what it writes itself is no event for it, what people do is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crmkit import Context, Extension
from crmkit.events import ContactCreated, DealStageChanged, DealUpdated, TaskCreated
from crmkit.models import StageRef, Task
from crmkit.settings import NoSettings
from crmkit_testing.bench import bench

Ctx = Context[NoSettings]


def robot() -> Extension[NoSettings]:
    """Moves and renames the deal of a new task, and tells what becomes of deals and contacts."""
    extension = Extension("robot")

    @extension.on(TaskCreated)
    def change(event: TaskCreated, ctx: Ctx) -> None:
        assert event.task.about is not None
        stage = StageRef(pipeline_id="eshop-individual", stage_id="prepayed")
        ctx.crm.deals.update(event.task.about, {"title": "Двери", "stage": stage})
        ctx.explain("changed")

    @extension.on(DealUpdated)
    def updated(event: DealUpdated, ctx: Ctx) -> None:
        ctx.explain(f"updated {event.deal.title}: {', '.join(sorted(event.changed))}")

    @extension.on(DealStageChanged)
    def moved(event: DealStageChanged, ctx: Ctx) -> None:
        ctx.explain(f"moved to {event.after.stage_id}")

    @extension.on(ContactCreated)
    def met(event: ContactCreated, ctx: Ctx) -> None:
        ctx.explain(f"met {event.contact.name}")

    return extension


@pytest.mark.parametrize("is_told", [True, False])
def test_an_own_change_is_no_event_for_its_author_and_hides_nobodys(is_told: bool) -> None:
    """Whether triggers echo our write or not; what a person changes afterwards is told once."""
    with bench(robot(), "retailcrm") as b:
        deal = b.person.add_deal("Окна")
        b.settle()
        if not is_told:
            b.lose_next_hooks(50)
        b.crm.tasks.create(Task(text="Пора", about=deal, due=b.now))
        b.advance(timedelta(minutes=3))
        b.advance(timedelta(minutes=3))
        after_own = b.decisions
        stage = list(b.side.stages().values())[1]
        b.person.move_deal(deal, stage)
        b.advance(timedelta(minutes=3))
        b.advance(timedelta(minutes=3))
        assert after_own == ["changed"]
        assert b.decisions == ["changed", "updated Двери: stage", f"moved to {stage.stage_id}"]
        assert b.crm.deals.get(deal).title == "Двери"


def test_a_storm_of_triggers_is_one_event_each() -> None:
    """Doubled and tripled deliveries of one new person make one run."""
    with bench(robot(), "retailcrm") as b:
        b.settle()
        b.repeat_next_hook(3)
        b.person.add_contact("Иван Петров", phone="+79123456789")
        b.advance(timedelta(minutes=3))
        assert b.decisions == ["met Иван Петров"]
