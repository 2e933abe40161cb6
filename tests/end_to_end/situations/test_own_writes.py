"""What our own handlers write is told to the others once, to its author not at all, and hides nobody's change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.end_to_end.situations.premises import Open, Premises
from tests.end_to_end.situations.witness import tell, witness

from crmkit.events import DealStageChanged, DealUpdated, TaskCompleted, TaskCreated, TaskUpdated
from crmkit.extension import Context, Extension
from crmkit.models import DealChanges, Task
from crmkit.settings import NoSettings
from crmkit.values import Money

OpenPremises = Callable[..., Premises]
Ctx = Context[NoSettings]
MINUTES = timedelta(minutes=10)
DEEPEST = 8


def robot(
    changes: DealChanges, *, before: Callable[[], None] | None = None, after: Callable[[], None] | None = None
) -> Extension[NoSettings]:
    """An extension that changes the deal of a task which a person makes, and listens to what becomes of deals."""
    extension = Extension("robot")
    extension.on(DealUpdated)(tell)
    extension.on(DealStageChanged)(tell)

    @extension.on(TaskCreated)
    def change(event: TaskCreated, ctx: Ctx) -> None:
        assert event.task.about is not None
        if before is not None:
            before()
        ctx.crm.deals.update(event.task.about, changes)
        if after is not None:
            after()

    return extension


def pass_enough_time(desk: Open) -> None:
    """Let hooks, feed and the seldom reading by time all tell what they know."""
    desk.settle()
    desk.pass_time(MINUTES)
    desk.pass_time(MINUTES)


def rubles(amount: int) -> Money:
    """An amount as amoCRM has it."""
    return Money(amount=Decimal(amount), currency="RUB")


@pytest.mark.parametrize("hooks", [True, False])
def test_an_own_change_reaches_the_others_once_and_its_author_not(premises: OpenPremises, hooks: bool) -> None:
    """One event in the author's name, whether the CRM's echo of our write comes or is lost."""
    place = premises()
    lead = place.amo().add_lead(name="Окна", price=100, hooks=False)
    with place.open(robot({"amount": rubles(500)}), witness(DealUpdated)) as desk:
        desk.connect()
        place.amo().add_task("Пора", entity_type="leads", entity_id=lead)
        place.amo().deliver_hooks = hooks
        pass_enough_time(desk)
        assert desk.told("witness") == [f"DealUpdated {lead}: amount: Окна/100 -> Окна/500 by robot"]
        assert desk.told("robot") == []
        assert place.amo().leads[lead]["price"] == 500


def test_an_own_task_reaches_the_others_once_and_its_author_not(premises: OpenPremises) -> None:
    """Made and then done by one extension: another hears of both, once each; the author of neither."""
    place, maker = premises(), Extension("maker")
    maker.on(TaskCreated)(tell)
    maker.on(TaskCompleted)(tell)

    @maker.on(DealStageChanged)
    def make(event: DealStageChanged, ctx: Ctx) -> None:
        made = ctx.crm.tasks.create(Task(text="Позвонить", about=event.ref, due=ctx.now))
        ctx.crm.tasks.complete(made, "сделано")

    amo = place.amo()
    lead = amo.add_lead(name="Окна", hooks=False)
    with place.open(maker, witness(TaskCreated, TaskUpdated, TaskCompleted)) as desk:
        desk.connect()
        amo.move_lead(lead, 142)
        pass_enough_time(desk)
        [task] = amo.tasks
        assert desk.told("maker") == []
        assert desk.told("witness") == [
            f"TaskCreated {task}: Позвонить by maker",
            f"TaskUpdated {task}: Позвонить by maker",
            f"TaskCompleted {task}: Позвонить by maker",
        ]


def test_two_extensions_that_answer_each_other_stop_with_a_message(premises: OpenPremises) -> None:
    """The chain that follows from a person's change ends as stopped runs that say so; other deals are served."""
    place = premises()
    ping, pong = Extension("ping"), Extension("pong")

    def raise_price(event: DealUpdated, ctx: Ctx) -> None:
        if event.deal.amount is not None and event.deal.title == "Окна и двери":
            ctx.crm.deals.update(event.ref, {"amount": rubles(int(event.deal.amount.amount) + 1)})

    def answer(event: DealUpdated, ctx: Ctx) -> None:
        if event.cause is not None:
            raise_price(event, ctx)

    ping.on(DealUpdated)(raise_price)
    pong.on(DealUpdated)(answer)
    amo = place.amo()
    lead, other = (amo.add_lead(name=name, price=100, hooks=False) for name in ("Окна", "Двери"))
    with place.open(ping, pong, witness(DealUpdated)) as desk:
        desk.connect()
        amo.update_lead(lead, name="Окна и двери")
        pass_enough_time(desk)
        amo.update_lead(other, price=700)
        pass_enough_time(desk)
        stopped = [run for name in ("ping", "pong", "witness") for run in desk.runs(name) if run.state == "stopped"]
        message = (
            f"a chain of {DEEPEST} of our own writes ends here: DealUpdated of acme/deal:{lead}, caused by ping; the "
            "extensions answer each other without end. Let one ignore what the other writes, then replay this run."
        )
        assert [(run.extension, run.error) for run in stopped] == [("pong", message), ("witness", message)]
        by = ["ping", "pong"] * (DEEPEST // 2)
        assert desk.told("witness") == [
            f"DealUpdated {lead}: title: Окна/100 -> Окна и двери/100",
            *(
                f"DealUpdated {lead}: amount: Окна и двери/{100 + n} -> Окна и двери/{101 + n} by {name}"
                for n, name in enumerate(by)
            ),
            f"DealUpdated {other}: amount: Двери/100 -> Двери/700",
        ]


@pytest.mark.parametrize("hooks", [True, False])
def test_anothers_change_of_the_same_field_in_the_same_second_is_told(premises: OpenPremises, hooks: bool) -> None:
    """We set a price, a person another in the same second: both are told, in order, each in the right name."""
    place = premises()
    amo = place.amo()
    lead = amo.add_lead(name="Окна", price=100, hooks=False)

    def a_person_too() -> None:
        amo.update_lead(lead, price=900, hooks=hooks)

    with place.open(robot({"amount": rubles(500)}, after=a_person_too), witness(DealUpdated)) as desk:
        desk.connect()
        amo.add_task("Пора", entity_type="leads", entity_id=lead)
        pass_enough_time(desk)
        assert desk.told("witness") == [
            f"DealUpdated {lead}: amount: Окна/100 -> Окна/500 by robot",
            f"DealUpdated {lead}: amount: Окна/500 -> Окна/900",
        ]
        assert desk.told("robot") == [f"DealUpdated {lead}: amount: Окна/500 -> Окна/900"]


@pytest.mark.parametrize("hooks", [True, False])
@pytest.mark.parametrize("when", ["before", "after"])
def test_anothers_change_of_another_field_in_the_same_second_is_told(
    premises: OpenPremises, hooks: bool, when: str
) -> None:
    """We set the price, a person the name in the same second, before us or after: one event each, in the right name."""
    place = premises()
    amo = place.amo()
    lead = amo.add_lead(name="Окна", price=100, hooks=False)

    def a_person_too() -> None:
        amo.update_lead(lead, name="Двери", hooks=hooks)

    ours = robot({"amount": rubles(500)}, **{when: a_person_too})
    with place.open(ours, witness(DealUpdated)) as desk:
        desk.connect()
        amo.add_task("Пора", entity_type="leads", entity_id=lead)
        pass_enough_time(desk)
        assert desk.told("witness") == [
            f"DealUpdated {lead}: amount: Окна/100 -> Окна/500 by robot",
            f"DealUpdated {lead}: title: Окна/500 -> Двери/500",
        ]
        assert desk.told("robot") == [f"DealUpdated {lead}: title: Окна/500 -> Двери/500"]
