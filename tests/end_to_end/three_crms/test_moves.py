"""A deal that moves is told of move by move on three CRMs, whatever is lost and however long the CRM is away."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from tests.end_to_end.situations.witness import call_back, witness

from crmkit import DealStageChanged, DealUpdated, Ref
from crmkit_testing.bench import Bench
from crmkit_testing.plugin import OpenBench

MINUTES = timedelta(minutes=2)
PEOPLE = 3


def told(b: Bench) -> list[str]:
    """What the witness was called with, oldest first."""
    return [reason for run in b.runs if run.extension == "witness" for reason in run.decisions]


def path(b: Bench, deal: Ref, *places: int) -> list[str]:
    """The lines of a deal that went through the stages at these places of the main pipeline, seen only afterwards."""
    ids = [list(b.side.stages().values())[place].stage_id for place in places]
    lines = [f"DealStageChanged {deal.id}: {one} -> {two}" for one, two in pairwise(ids)]
    return [*(f"{line} (passed)" for line in lines[:-1]), lines[-1]]


@pytest.mark.parametrize("hooks", [(True, True), (False, True), (True, False), (False, False)])
@pytest.mark.parametrize("apart_s", [0.0, 1.0])
def test_two_moves_of_a_person_are_two_events(crm_bench: OpenBench, hooks: tuple[bool, bool], apart_s: float) -> None:
    """A -> B -> C with any hook lost, or both: two moves in order, once each, none inferred; time adds no third."""
    b = crm_bench(witness(DealStageChanged))
    names = list(b.side.stages())
    deal = b.person.add_deal("Окна", stage=names[0])
    b.settle()
    b.side.turn(5)
    b.person.move_deal(deal, names[1], hooks=hooks[0])
    b.side.turn(apart_s)
    b.person.move_deal(deal, names[2], hooks=hooks[1])
    b.advance(MINUTES)
    b.advance(MINUTES)
    assert told(b) == path(b, deal, 0, 1, 2)


@pytest.mark.parametrize("hooks", [True, False])
def test_there_and_back_is_three_moves(crm_bench: OpenBench, hooks: bool) -> None:
    """A deal that ends where it began, seen only afterwards, has been elsewhere."""
    b = crm_bench(witness(DealStageChanged))
    names = list(b.side.stages())
    deal = b.person.add_deal("Окна", stage=names[0])
    b.settle()
    b.side.turn(5)
    for place in (1, 2, 0):
        b.person.move_deal(deal, names[place], hooks=hooks)
        b.side.turn(1)
    b.advance(MINUTES)
    b.advance(MINUTES)
    assert told(b) == path(b, deal, 0, 1, 2, 0)


def test_moves_while_the_service_is_away_are_told_when_it_is_back(crm_bench: OpenBench) -> None:
    """A service that was stopped while a deal moved three times, there and back again, tells of each afterwards."""
    b = crm_bench(witness(DealStageChanged))
    names = list(b.side.stages())
    deal = b.person.add_deal("Окна", stage=names[0])
    b.settle()
    b.side.turn(5)
    with b.stopped() as person:
        for place in (1, 2, 1):
            person.move_deal(deal, names[place])
            b.side.turn(1)
    b.advance(MINUTES)
    assert told(b) == path(b, deal, 0, 1, 2, 1)


def wait(b: Bench, minutes: int) -> None:
    """Let the time pass as a service sees it: again and again there is something to try."""
    for _ in range(minutes // 2):
        b.advance(MINUTES)


def test_half_an_hour_without_the_crm_loses_nothing(crm_bench: OpenBench) -> None:
    """Calls, a change and moves of before and within the outage are all worked on afterwards; no run is dead."""
    b = crm_bench([call_back(), witness(DealUpdated, DealStageChanged)])
    names, owner = list(b.side.stages()), b.side.user_ids()[1]
    people = [b.person.add_contact(f"Клиент {n}", phone=f"+7916111000{n}") for n in range(PEOPLE)]
    deals = [b.person.add_deal(f"Сделка {n}", stage=names[0]) for n in range(PEOPLE)]
    b.settle()
    b.side.turn(5)
    b.down()
    b.missed_call("+79161110000", id_="0")
    wait(b, 10)
    b.missed_call("+79161110001", id_="1")
    b.person.change(deals[0], {"owner_id": owner})
    b.person.move_deal(deals[1], names[1], hooks=False)
    wait(b, 10)
    b.missed_call("+79161110002", id_="2")
    b.person.move_deal(deals[1], names[2])
    wait(b, 10)
    during = Counter(run.state for run in b.runs)
    b.down(False)
    wait(b, 10)
    assert during == {"queued": PEOPLE}
    assert Counter(run.state for run in b.runs) == {"done": PEOPLE + 4}
    assert Counter(task.about for task in b.tasks) == Counter(people)
    assert sorted(told(b)) == sorted(
        [
            f"DealUpdated {deals[0].id}: owner_id: Сделка 0/0 -> Сделка 0/0",
            f"DealUpdated {deals[1].id}: stage: Сделка 1/0 -> Сделка 1/0",
            *path(b, deals[1], 0, 1, 2),
        ]
    )
