"""What our own handlers write, on three CRMs: told to others once, to its author never, hiding nobody's change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.end_to_end.situations.witness import tell, witness

from crmkit import Context, DealStageChanged, DealUpdated, Extension, Money, NoSettings, Ref, Task, TaskCreated
from crmkit.models import DealChanges
from crmkit_runtime.dispatch import DEEPEST
from crmkit_testing.bench import Bench
from crmkit_testing.plugin import OpenBench

Act = Callable[[], None]
Ctx = Context[NoSettings]


class Robot:
    """An extension that changes the deal of each task a person makes; a person's acts around its write may be set."""

    def __init__(self) -> None:
        self.extension = Extension("robot")
        self.changes: DealChanges = {"amount": rubles(500)}
        self.before: Act = lambda: None
        self.after: Act = lambda: None
        self.extension.on(DealUpdated)(tell)
        self.extension.on(DealStageChanged)(tell)

        @self.extension.on(TaskCreated)
        def write(event: TaskCreated, ctx: Ctx) -> None:
            assert event.task.about is not None
            self.before()
            ctx.crm.deals.update(event.task.about, self.changes)
            self.after()


class Scene:
    """A bench with a robot, a witness, and a deal of 100 rubles in the first stage, settled."""

    def __init__(self, crm_bench: OpenBench) -> None:
        self.robot = Robot()
        self.bench: Bench = crm_bench([self.robot.extension, witness(DealUpdated, DealStageChanged)])
        self.names = list(self.bench.side.stages())
        self.deal: Ref = self.bench.person.add_deal("Окна", stage=self.names[0], amount=rubles(100))
        self.bench.settle()

    def wake(self) -> None:
        """Let a person make the robot act, and let hooks, feed and the seldom reading by time tell what they know."""
        self.bench.person.add_task("Пора", about=self.deal)
        self.bench.settle()
        for _ in range(3):
            self.bench.advance(timedelta(minutes=10))

    def told(self, extension: str) -> list[str]:
        """What an extension was called with, oldest first."""
        return [reason for run in self.bench.runs if run.extension == extension for reason in run.decisions]

    def line(self, words: str) -> str:
        """A witness's line about a change of the deal."""
        return f"DealUpdated {self.deal.id}: {words}"

    @property
    def ours(self) -> list[str]:
        """What others hear of the robot's amount; retailCRM's items follow from it, in the robot's name too."""
        items = [self.line("items: Окна/500 -> Окна/500 by robot")] if self._has_items else []
        return [self.line("amount: Окна/100 -> Окна/500 by robot"), *items]

    @property
    def theirs(self) -> str:
        """What everybody hears of a person's amount."""
        return self.line(f"{'amount items' if self._has_items else 'amount'}: Окна/500 -> Окна/900")

    @property
    def _has_items(self) -> bool:
        return self.bench.side.vendor == "retailcrm"


def rubles(amount: int) -> Money:
    """An amount in the currency of all three accounts."""
    return Money(Decimal(amount), "RUB")


@pytest.mark.parametrize("copies", [0, 1, 6])
def test_an_own_change_reaches_the_others_once_and_its_author_not(crm_bench: OpenBench, copies: int) -> None:
    """One event in the author's name, whether the CRM's echo of our write is lost, comes, or comes in a storm."""
    there = Scene(crm_bench)

    def echo() -> None:
        if copies:
            there.bench.repeat_next_hook(copies)
        else:
            there.bench.lose_next_hooks(10)

    there.robot.before = echo
    there.wake()
    assert there.told("witness") == there.ours
    assert there.told("robot") == []
    assert [one.amount for one in there.bench.deals] == [rubles(500)]


@pytest.mark.parametrize("hooks", [True, False])
def test_anothers_change_of_the_same_field_in_the_same_second_is_told(crm_bench: OpenBench, hooks: bool) -> None:
    """We set an amount, a person another in the same second: both are told, in order, each in the right name."""
    there = Scene(crm_bench)
    there.robot.after = lambda: there.bench.person.change(there.deal, {"amount": rubles(900)}, hooks=hooks)
    there.wake()
    assert there.told("witness") == [there.ours[0], there.theirs]
    assert there.told("robot") == [there.theirs]


@pytest.mark.parametrize("hooks", [True, False])
@pytest.mark.parametrize("when", ["before", "after"])
def test_anothers_change_of_another_field_in_the_same_second_is_told(
    crm_bench: OpenBench, hooks: bool, when: str
) -> None:
    """The answer to our write holds no record: a person's new owner of that second is told, ours is not theirs."""
    there = Scene(crm_bench)
    owner = there.bench.side.user_ids()[1]
    setattr(there.robot, when, lambda: there.bench.person.change(there.deal, {"owner_id": owner}, hooks=hooks))
    there.wake()
    theirs = there.line("owner_id: Окна/500 -> Окна/500")
    assert sorted(there.told("witness")) == sorted([*there.ours, theirs])
    assert there.told("robot") == [theirs]


@pytest.mark.parametrize("hooks", [True, False])
def test_our_own_move_between_two_of_a_person_keeps_its_place(crm_bench: OpenBench, hooks: bool) -> None:
    """Three moves at one moment, ours in the middle: three events in order, ours in our name, no fourth."""
    there = Scene(crm_bench)
    person, names = there.bench.person, there.names
    there.robot.changes = {"stage": person.stage(names[2])}
    there.robot.before = lambda: person.move_deal(there.deal, names[1], hooks=hooks)
    there.robot.after = lambda: person.move_deal(there.deal, names[3], hooks=hooks)
    there.wake()
    one, two, three, four = (person.stage(name).stage_id for name in names[:4])
    moves = [line for line in there.told("witness") if line.startswith("DealStageChanged")]
    assert moves == [
        f"DealStageChanged {there.deal.id}: {one} -> {two} (passed)",
        f"DealStageChanged {there.deal.id}: {two} -> {three} (passed) by robot",
        f"DealStageChanged {there.deal.id}: {three} -> {four}",
    ]


WRITES_OF_TASKS: Mapping[str, str] = {
    "amocrm": "/api/v4/tasks",
    "bitrix24": "/rest/crm.activity.todo.add",
    "retailcrm": "/api/v5/tasks/create",
}


@pytest.mark.parametrize("fault", ["applied_then_502", "applied_then_reset", "html", "reset"])
def test_a_task_whose_answer_is_lost_is_made_once(crm_bench: OpenBench, fault: str) -> None:
    """Whether the CRM had carried the write out or not, the next try finds out: one task a moved deal."""
    clerk = Extension("clerk")

    @clerk.on(DealStageChanged)
    def make(event: DealStageChanged, ctx: Ctx) -> None:
        ctx.crm.tasks.create(Task(text="Позвонить", about=event.ref, due=ctx.now))

    b = crm_bench(clerk)
    first, second = list(b.side.stages())[:2]
    deals = [b.person.add_deal(title, stage=first) for title in ("Окна", "Двери")]
    b.settle()
    faults = b.side.sandbox.faults  # type: ignore[attr-defined]  # each of the three sides stands on one
    call = {"vendor": b.side.vendor, "method": "POST", "path": WRITES_OF_TASKS[b.side.vendor]}
    faults.add(**call, body=fault)
    for deal in deals:
        b.person.move_deal(deal, second)
    for _ in range(3):
        b.advance(timedelta(minutes=10))
    assert Counter(task.about for task in b.tasks) == Counter(deals)
    assert [run.state for run in b.runs] == ["done", "done"]
    assert faults.take(**call) is None


def test_two_extensions_that_answer_each_other_stop_with_a_message(crm_bench: OpenBench) -> None:
    """The chain that follows from a person's change ends as stopped runs that say so; nothing goes round for ever."""
    ping, pong = Extension("ping"), Extension("pong")

    def raise_price(event: DealUpdated, ctx: Ctx) -> None:
        if event.deal.amount is not None and event.deal.owner_id == owner:
            ctx.crm.deals.update(event.ref, {"amount": rubles(int(event.deal.amount.amount) + 1)})

    def begin(event: DealUpdated, ctx: Ctx) -> None:
        if event.cause is None or "amount" in event.changed:
            raise_price(event, ctx)

    def answer(event: DealUpdated, ctx: Ctx) -> None:
        if event.cause is not None and "amount" in event.changed:
            raise_price(event, ctx)

    ping.on(DealUpdated)(begin)
    pong.on(DealUpdated)(answer)
    b = crm_bench([ping, pong])
    first, owner = b.side.user_ids()[:2]
    deal = b.person.add_deal("Окна", owner_id=first, amount=rubles(100))
    b.settle()
    b.person.change(deal, {"owner_id": owner})
    for _ in range(3):
        b.advance(timedelta(minutes=10))
    stopped = [run for run in b.runs if run.state == "stopped"]
    # retailCRM's items follow from the amount and are a change of their own: the same chain, stopped at both.
    message = (
        f"a chain of {DEEPEST} of our own writes ends here: DealUpdated of {deal}, caused by ping; the extensions "
        "answer each other without end. Let one ignore what the other writes, then replay this run."
    )
    assert {(run.extension, run.error) for run in stopped} == {("pong", message)}
    assert [one.amount for one in b.deals] == [rubles(100 + DEEPEST + 1)]
