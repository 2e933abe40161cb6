"""Events: each class reads back from what is stored of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

import crmkit
from crmkit import Call, Company, Contact, Deal, Event, Kind, Lead, Money, Note, Record, Ref, StageRef, Task
from crmkit.events import CREATED, DELETED, EVENTS, UPDATED, Cause, PaymentReceived, read_event, record_of

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RECORD: dict[str, Record] = {
    "contact": Contact(ref=Ref("acme", Kind.CONTACT, "1"), name="Мария"),
    "company": Company(ref=Ref("acme", Kind.COMPANY, "1"), name="ООО"),
    "deal": Deal(ref=Ref("acme", Kind.DEAL, "1"), title="Окна", amount=Money(Decimal("1.50"), "RUB")),
    "lead": Lead(ref=Ref("acme", Kind.LEAD, "1")),
    "task": Task(ref=Ref("acme", Kind.TASK, "1"), due=NOW),
    "note": Note(ref=Ref("acme", Kind.NOTE, "1")),
    "call": Call(ref=Ref("acme", Kind.CALL, "1"), talk_s=3),
}
OWN: dict[str, dict[str, Any]] = {
    "ContactMerged": {"loser": Ref("acme", Kind.CONTACT, "2")},
    "CompanyMerged": {"loser": Ref("acme", Kind.COMPANY, "2")},
    "DealMerged": {"loser": Ref("acme", Kind.DEAL, "2")},
    "DealStageChanged": {
        "before": None,
        "after": StageRef(pipeline_id="1", stage_id="142"),
        "is_current": False,
        "is_inferred": True,
    },
    "DealOwnerChanged": {"before": "1", "after": None},
    "PaymentReceived": {
        "amount": Money(Decimal("99.90"), "RUB"),
        "deal": Ref("acme", Kind.DEAL, "1"),
        "provider": "tbank",
        "payment_id": "p-1",
    },
    "TimerFired": {"key": "call-back"},
    "UnknownEvent": {"name": "talk_added"},
}


def sample(event: type[Event]) -> Event:
    """One event of the class with everything set that it can hold."""
    about = event.about or Kind.DEAL
    values: dict[str, Any] = {
        "ref": Ref("acme", about, "1"),
        "occurred_at": NOW,
        "delivery_id": "hook:5",
        "actor_id": "7",
        "cause": Cause(extension="call-tasks", run_id=3, depth=1),
        "raw": {"id": 1, "list": [None, True]},
    }
    fields = event.model_fields
    if about.value in fields and event is not PaymentReceived:
        values[about.value] = RECORD[about.value]
    if "before" in fields:
        values["before"] = RECORD[about.value]
    if "changed" in fields:
        values["changed"] = frozenset({"title", "custom"})
    return event.model_validate({**values, **OWN.get(event.__name__, {})})


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_of_every_class_reads_back_as_it_was(name: str) -> None:
    """Name and JSON body are all that is stored; the event made of them is equal and of its class."""
    event = sample(EVENTS[name])
    back = read_event(name, json.loads(event.model_dump_json()))
    assert (type(back), back) == (EVENTS[name], event)


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_frozen_and_needs_an_aware_moment(name: str) -> None:
    """No handler changes what the next one is given, and no event happened at a time that could be two."""
    event = sample(EVENTS[name])
    with pytest.raises(ValidationError, match="frozen"):
        event.delivery_id = "x"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="timezone"):
        read_event(name, {**json.loads(event.model_dump_json()), "occurred_at": "2026-03-02T09:00:00"})


def test_every_class_of_event_is_listed_and_on_the_face() -> None:
    """What a handler can ask for can be imported from `crmkit` and read from the store."""
    assert {kind.__name__ for kind in Event.__subclasses__() if kind.__module__ == "crmkit.events"} == set(EVENTS)
    assert [name for name in EVENTS if getattr(crmkit, name) is not EVENTS[name]] == []


def test_an_unknown_name_and_a_foreign_body_are_told_apart() -> None:
    """KeyError says that this release does not know the event, ValidationError that its body is another's."""
    with pytest.raises(KeyError):
        read_event("DealExploded", {})
    with pytest.raises(ValidationError, match="Extra inputs"):
        read_event("TaskDeleted", {**json.loads(sample(EVENTS["TaskDeleted"]).model_dump_json()), "task": {}})


def test_the_tables_of_kinds_name_what_the_events_hold() -> None:
    """The slot that the tables name is a field of the event, and the event is about that kind."""
    for table in (CREATED, UPDATED):
        for kind, (event, slot) in table.items():
            assert (event.about, event.model_fields[slot].annotation) == (kind, type(RECORD[slot]))
    assert {event.about: event for event in DELETED.values()} == DELETED


@pytest.mark.parametrize("name", EVENTS)
def test_the_record_of_an_event_is_the_one_it_brings(name: str) -> None:
    """Who is gone brings no record; a timer, a payment and an unknown event bring none."""
    event = sample(EVENTS[name])
    without = {"PaymentReceived", "TimerFired", "UnknownEvent"}
    brings = not name.endswith(("Deleted", "Merged")) and name not in without
    assert event.about is not None or not brings
    assert record_of(event) == (RECORD[event.about.value] if brings and event.about else None)
