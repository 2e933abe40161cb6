"""A small sales base to play with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit_sandbox.wire import Row

from .seed import COMPANIES, FIRST_NAMES, LAST_NAMES, SUBJECTS

if TYPE_CHECKING:
    from .person import Person

SOURCES = ("Сайт", "Звонок", "Рекомендация")
HALF_DAY_S = 43_200


def fill(person: Person, *, contacts: int, deals: int, companies: int, leads: int, todos: int) -> None:
    """Add so many records of each kind, the same in every run, without events."""
    users = list(person.portal.shelves["users"])
    company_ids = [
        person.add_company(title=COMPANIES[i % len(COMPANIES)], by=users[i % len(users)], hooks=False)
        for i in range(companies)
    ]
    contact_ids = [_contact(person, i, company_ids, users) for i in range(contacts)]
    deal_ids = [_deal(person, i, contact_ids, company_ids, users) for i in range(deals)]
    for i in range(leads):
        title = f"Обращение №{i + 1}"
        person.add_lead(title=title, phones=[phone_number(5000 + i)], SOURCE_ID="WEB", hooks=False)
    for i in range(todos if deal_ids else 0):
        due = person.portal.now() + (i - todos // 2) * HALF_DAY_S
        deal, owner = deal_ids[i % len(deal_ids)], users[i % len(users)]
        person.add_todo("deal", deal, deadline=due, owner=owner, hooks=False)


def phone_number(index: int) -> str:
    """A phone that is the same in every run."""
    return f"+7926{3_500_000 + index * 7919 % 1_000_000:07d}"


def _contact(person: Person, i: int, companies: list[int], users: list[int]) -> int:
    more: Row = {"company": companies[i % len(companies)]} if companies and i % 2 == 0 else {}
    return person.add_contact(
        name=FIRST_NAMES[i % len(FIRST_NAMES)],
        last_name=LAST_NAMES[(i * 3 + i // len(FIRST_NAMES)) % len(LAST_NAMES)],
        phones=[phone_number(i)],
        emails=[f"client{i + 1}@mail.example"],
        owner=users[i % len(users)],
        hooks=False,
        **more,
    )


def _deal(person: Person, i: int, contacts: list[int], companies: list[int], users: list[int]) -> int:
    stages = [row["STATUS_ID"] for row in person.portal.stages("DEAL_STAGE") if not row["SEMANTICS"]]
    more: Row = {"contacts": [contacts[i % len(contacts)]]} if contacts else {}
    if companies and i % 3 == 0:
        more["company"] = companies[i % len(companies)]
    return person.add_deal(
        title=f"{SUBJECTS[i % len(SUBJECTS)]} №{i + 1}",
        amount=(i * 37 % 50 + 1) * 2500,
        stage=stages[i % len(stages)],
        owner=users[i % len(users)],
        custom_fields={"Источник": SOURCES[i % 3], "Город": "Тверь"},
        hooks=False,
        **more,
    )
