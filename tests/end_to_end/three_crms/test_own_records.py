"""Records that our own handlers make and change, on three CRMs: told to the others once each, to their author never."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.end_to_end.situations.witness import tell, witness
from tests.end_to_end.three_crms.extension import urgent

from crmkit import (
    Contact,
    ContactCreated,
    ContactUpdated,
    Context,
    DealCreated,
    DealStageChanged,
    DealUpdated,
    Extension,
    NoSettings,
    Phone,
    Ref,
    Task,
    TaskCompleted,
    TaskCreated,
    TaskUpdated,
)
from crmkit_testing.bench import Bench
from crmkit_testing.plugin import OpenBench

PHONE = "+79123456789"
WATCHED = (ContactCreated, ContactUpdated, DealCreated, DealUpdated, TaskCreated, TaskUpdated, TaskCompleted)
Ctx = Context[NoSettings]


def maker(before_each: Callable[[], None]) -> Extension[NoSettings]:
    """An extension that answers a move with a contact, a task that it does at once, and a mark on the deal."""
    extension = Extension("maker")
    for event in WATCHED:
        extension.on(event)(tell)

    @extension.on(DealStageChanged)
    def make(event: DealStageChanged, ctx: Ctx) -> None:
        before_each()
        person = ctx.crm.contacts.create(Contact(name="Анна Орлова", phones=(Phone(raw=PHONE),)))
        before_each()
        ctx.crm.contacts.update(person, {"name": "Анна Белова"})
        before_each()
        task = ctx.crm.tasks.create(Task(text="Позвонить", about=event.ref, due=ctx.now))
        before_each()
        ctx.crm.tasks.complete(task, "сделано")
        before_each()
        ctx.crm.deals.update(event.ref, {"custom": [urgent.to(True)]})

    return extension


def told(b: Bench, extension: str) -> list[str]:
    """What an extension was called with, oldest first."""
    return [reason for run in b.runs if run.extension == extension for reason in run.decisions]


@pytest.mark.parametrize("copies", [1, 5])
def test_what_an_extension_makes_reaches_the_others_once_and_itself_never(crm_bench: OpenBench, copies: int) -> None:
    """One event for each of its writes, in its name, whether the CRM's echo comes once or in a storm."""
    b = crm_bench([maker(lambda: b.repeat_next_hook(copies)), witness(*WATCHED)])
    first, second = list(b.side.stages())[:2]
    deal: Ref = b.person.add_deal("Окна", stage=first)
    b.settle()
    before = told(b, "witness")
    b.person.move_deal(deal, second)
    for _ in range(3):
        b.advance(timedelta(minutes=10))
    [person], [task] = b.contacts, b.tasks
    by_us = [line for line in told(b, "witness") if line.endswith(" by maker")]
    assert before == [f"DealCreated {deal.id}: Окна/0"]
    assert sorted(by_us) == sorted(
        [
            f"ContactCreated {person.ref.id}: Анна Орлова by maker",
            f"ContactUpdated {person.ref.id}: Анна Белова by maker",
            f"TaskCreated {task.ref.id}: Позвонить by maker",
            f"TaskUpdated {task.ref.id}: Позвонить by maker",
            f"TaskCompleted {task.ref.id}: Позвонить by maker",
            f"DealUpdated {deal.id}: custom: Окна/0 -> Окна/0 by maker",
        ]
    )
    assert [line for line in told(b, "witness") if line not in by_us] == [
        *before,
        f"DealUpdated {deal.id}: stage: Окна/0 -> Окна/0",
    ]
    assert told(b, "maker") == [*before, f"DealUpdated {deal.id}: stage: Окна/0 -> Окна/0"]
    assert (person.name, task.is_done, b.deals[0][urgent]) == ("Анна Белова", True, True)
