"""The CRM is down for half an hour: nothing is given up, and everything is done when it is back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from tests.end_to_end.situations.premises import Open, Premises
from tests.end_to_end.situations.witness import call_back, witness

from crmkit.events import DealStageChanged, DealUpdated

OpenPremises = Callable[..., Premises]
HALF_AN_HOUR = timedelta(minutes=30)
A_STEP = timedelta(minutes=2)
PEOPLE = 3


def wait_in_steps(desk: Open, span: timedelta, step: timedelta = A_STEP) -> None:
    """Let the time pass as a service sees it: again and again there is something to try."""
    for _ in range(span // step):
        desk.pass_time(step)


def test_half_an_hour_without_the_crm_loses_nothing(premises: OpenPremises) -> None:
    """Calls, changes and moves of before and within the outage are all worked on afterwards; no run is dead."""
    place = premises()
    amo = place.amo()
    stages = [status["id"] for status in amo.account.main_pipeline["statuses"] if status["type"] == 0]
    people = [amo.add_contact(name=f"Клиент {n}", phones=[f"+7916111000{n}"], hooks=False) for n in range(PEOPLE)]
    leads = [amo.add_lead(name=f"Сделка {n}", price=100, status_id=stages[0], hooks=False) for n in range(PEOPLE)]
    with place.open(call_back(), witness(DealUpdated, DealStageChanged)) as desk:
        desk.connect()
        faults = place.sandboxes["acme"].faults
        amo.add_call_note("contacts", people[0], phone="+79161110000", duration=0)
        assert place.sandboxes["acme"].settle()
        faults.down("amocrm")
        wait_in_steps(desk, HALF_AN_HOUR / 3)
        amo.add_call_note("contacts", people[1], phone="+79161110001", duration=0)
        amo.update_lead(leads[0], price=500)
        amo.move_lead(leads[1], stages[1], hooks=False)
        wait_in_steps(desk, HALF_AN_HOUR / 3)
        amo.add_call_note("contacts", people[2], phone="+79161110002", duration=0, hooks=False)
        amo.move_lead(leads[1], stages[2])
        wait_in_steps(desk, HALF_AN_HOUR / 3)
        during = (len(amo.tasks), desk.account().pause_reason is not None)
        faults.down("amocrm", False)
        wait_in_steps(desk, timedelta(minutes=10))

        assert during == (0, True)
        assert desk.account().runs == {"done": PEOPLE + 4}
        assert Counter(task["entity_id"] for task in amo.tasks.values()) == Counter(people)
        assert sorted(desk.told("witness")) == sorted(
            [
                f"DealUpdated {leads[0]}: amount: Сделка 0/100 -> Сделка 0/500",
                f"DealUpdated {leads[1]}: stage: Сделка 1/100 -> Сделка 1/100",
                f"DealStageChanged {leads[1]}: {stages[0]} -> {stages[1]} (passed)",
                f"DealStageChanged {leads[1]}: {stages[1]} -> {stages[2]}",
            ]
        )
        assert (desk.account().pause_reason, desk.account().hints_waiting) == (None, 0)


def test_a_crm_that_goes_away_in_the_middle_of_writes_gets_each_once(premises: OpenPremises) -> None:
    """Answers are lost after the task was made, then half an hour of nothing: one task a call all the same."""
    place = premises()
    amo = place.amo()
    people = [amo.add_contact(name=f"Клиент {n}", phones=[f"+7916111000{n}"], hooks=False) for n in range(PEOPLE)]
    with place.open(call_back()) as desk:
        desk.connect()
        faults = place.sandboxes["acme"].faults
        path = "/api/v4/tasks"
        faults.add(vendor="amocrm", method="POST", path=path, status=502, body="applied_then_502", times=1)
        faults.add(vendor="amocrm", method="POST", path=path, status=502, body="html", times=1, after=1)
        for n, person in enumerate(people):
            amo.add_call_note("contacts", person, phone=f"+7916111000{n}", duration=0)
        desk.settle()
        faults.down("amocrm")
        wait_in_steps(desk, HALF_AN_HOUR)
        faults.down("amocrm", False)
        wait_in_steps(desk, timedelta(minutes=10))

        assert desk.account().runs == {"done": PEOPLE}
        assert Counter(task["entity_id"] for task in amo.tasks.values()) == Counter(people)
