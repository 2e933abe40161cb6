"""Types that a consumer sees of records and custom fields; a wrong line must stay an error of the code it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, assert_type

from crmkit import Call, Contact, CustomField, Deal, Kind, Money, Outcome, Phone, Ref, StageRef, Task

next_step = CustomField(Deal, date, "Дата следующего шага")
channel = CustomField(Contact, str, "Канал", code="CHANNEL", bitrix24="UF_CRM_CHANNEL")
area = CustomField(Deal, Decimal, "Площадь")
interests = CustomField(Deal, tuple[str, ...], "Интересы")


def tokens_know_their_record(deal: Deal, contact: Contact) -> None:
    """`deal[next_step]` is `date | None`, and no other record accepts the token."""
    assert_type(deal[next_step], date | None)
    assert_type(deal[area], Decimal | None)
    assert_type(deal[interests], tuple[str, ...] | None)
    assert_type(contact[channel], str | None)
    contact[next_step]  # type: ignore[index]
    deal[channel]  # type: ignore[index]
    wrong: int = deal[next_step]  # type: ignore[assignment, index]
    del wrong


def tokens_know_their_value() -> None:
    """A change of a field has the field's own type; None clears it."""
    next_step.to(date(2026, 3, 2))
    next_step.to(None)
    next_step.to("2026-03-02")  # type: ignore[arg-type]


def fields_have_plain_types(deal: Deal, contact: Contact, task: Task, call: Call) -> None:
    """What a record holds can be used without a cast."""
    assert_type(deal.ref, Ref)
    assert_type(deal.ref.kind, Kind)
    assert_type(deal.amount, Money | None)
    assert_type(deal.stage, StageRef | None)
    assert_type(deal.outcome, Outcome)
    assert_type(deal.contact, Ref | None)
    assert_type(deal.contacts, tuple[Ref, ...])
    assert_type(deal.is_closed, bool)
    assert_type(deal.raw, Mapping[str, Any])
    assert_type(contact.phones, tuple[Phone, ...])
    assert_type(task.due, datetime | None)
    assert_type(call.missed, bool)
    phones: Sequence[Phone] = contact.phones
    del phones


def records_are_frozen(deal: Deal) -> None:
    """Nobody changes a record in place; drafts take no unknown field and no wrong type."""
    deal.title = "Двери"  # type: ignore[misc]
    Deal(titel="Окна")  # type: ignore[call-arg]
    Deal(title=5)  # type: ignore[arg-type]
