"""What a vendor's wide search has found is looked through by the normalized form of what was asked."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crmkit import Company, Contact, Deal, Email, Kind, Lead, Outcome, Phone, Record, Ref, Task
from crmkit.adapter import Query
from crmkit.matching import matcher

IVAN, FIRM, DEAL = (Ref("acme", kind, "1") for kind in (Kind.CONTACT, Kind.COMPANY, Kind.DEAL))
NUMBER = Phone(raw="8 (912) 345-67-89", e164="+79123456789")
PERSON = Contact(name="Иван  Петров", phones=(NUMBER,), emails=(Email(value="Ivan@Example.com"),), company=FIRM)
COMPANY = Company(name="ООО «Окна»", inn="7707083893", contacts=(IVAN,))
OPEN = Deal(title="Окна", contacts=(IVAN,), company=FIRM, owner_id="7")
WON = Deal(title="Двери", outcome=Outcome.WON, closed_at=datetime(2026, 3, 2, tzinfo=UTC))
REQUEST = Lead(title="Заявка", contact=IVAN, phones=(Phone(raw="внутренний 12"),))
TODO = Task(text="Позвонить", about=DEAL, due=datetime(2026, 3, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (Query(phone="+7 912 345-67-89"), [PERSON]),
        (Query(phone="9123456789"), [PERSON]),
        (Query(phone="внутренний 12"), [REQUEST]),
        (Query(phone="+79990000000"), []),
        (Query(email="IVAN@example.com"), [PERSON]),
        (Query(name="иван петров"), [PERSON]),
        (Query(name="Окна"), [OPEN]),
        (Query(inn="7707083893"), [COMPANY]),
        (Query(contact=IVAN), [COMPANY, OPEN, REQUEST]),
        (Query(company=FIRM), [PERSON, OPEN]),
        (Query(owner_id="7"), [OPEN]),
        (Query(contact=IVAN, is_open=True), [OPEN]),
        (Query(is_open=True), [OPEN, TODO]),
        (Query(email="ivan@example.com", name="Пётр"), []),
    ],
)
def test_everything_that_is_asked_must_match(query: Query, wanted: list[Record]) -> None:
    """Phones by their number, addresses and names in any case, people wherever a card names them."""
    matches = matcher(query, "RU")
    assert [record for record in (PERSON, COMPANY, OPEN, WON, REQUEST, TODO) if matches(record)] == wanted


def test_a_task_is_matched_by_its_card() -> None:
    """Notes and calls were asked for by their card already."""
    assert [matcher(Query(about=ref), "RU")(TODO) for ref in (DEAL, IVAN)] == [True, False]


def test_a_vendor_may_know_better_whose_a_card_is() -> None:
    """Where cards do not name all their people, the adapter says what belongs to whom."""
    stranger = Ref("acme", Kind.CONTACT, "2")
    matches = matcher(Query(contact=stranger), "RU", is_of=lambda record, _: isinstance(record, Company))
    assert [matches(record) for record in (COMPANY, OPEN)] == [True, False]
