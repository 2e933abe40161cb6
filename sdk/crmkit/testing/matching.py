"""Which records of the memory CRM a query means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crmkit.adapter import Query
from crmkit.errors import Unsupported
from crmkit.identity import normalize_email, parse_phone
from crmkit.models import RECORDS, Deal, Outcome, Record, Task
from crmkit.testing.hooks import VENDOR
from crmkit.testing.state import AccountState
from crmkit.values import Kind


def find(state: AccountState, kind: Kind, query: Query) -> Sequence[Record]:
    """All records that match everything asked, in the order of their numbers. Raises Unsupported else."""
    asked = query.asked()
    cannot = asked.keys() - _ANSWERED.get(kind, frozenset())
    if cannot or not asked:
        raise Unsupported(
            f"a {kind.value} cannot be found by {', '.join(sorted(cannot)) or 'nothing'}",
            account=state.key,
            vendor=VENDOR,
            remedy=f"Ask by one of: {', '.join(sorted(_ANSWERED.get(kind, ()))) or 'iterate() instead'}.",
        )
    return [
        record
        for record in state.all(RECORDS[kind])
        if all(_TESTS[name](state, record, wanted) for name, wanted in asked.items())
    ]


_PEOPLE = frozenset({"phone", "email", "name"})
_ANSWERED: Mapping[Kind, frozenset[str]] = {
    Kind.CONTACT: _PEOPLE,
    Kind.COMPANY: _PEOPLE | {"inn", "contact"},
    Kind.LEAD: frozenset({"contact", "company"}),
    Kind.DEAL: frozenset({"contact", "company", "owner_id", "is_open"}),
    Kind.TASK: frozenset({"about", "owner_id", "is_open"}),
    Kind.NOTE: frozenset({"about"}),
    Kind.FILE: frozenset({"about"}),
    Kind.CALL: frozenset({"about"}),
}


def _has_phone(state: AccountState, record: Any, wanted: str) -> bool:
    number = parse_phone(wanted, country=state.account.country)
    return any(phone.e164 == number.e164 if number else phone.raw == wanted for phone in record.phones)


def _has_email(_: AccountState, record: Any, wanted: str) -> bool:
    key = normalize_email(wanted)
    return key is not None and any(normalize_email(email.value) == key for email in record.emails)


def _is_about(_: AccountState, record: Any, wanted: object) -> bool:
    if record.kind is Kind.CALL:
        return wanted in (record.contact, record.company, record.deal)
    return wanted in record.cards if record.kind is Kind.FILE else bool(record.about == wanted)


def _is_open(_: AccountState, record: Record, wanted: bool) -> bool:
    if isinstance(record, Task):
        return record.is_done is not wanted
    return isinstance(record, Deal) and (record.outcome is Outcome.OPEN) is wanted


_TESTS: Mapping[str, Callable[[AccountState, Any, Any], bool]] = {
    "phone": _has_phone,
    "email": _has_email,
    "name": lambda _, record, wanted: " ".join(record.name.split()).casefold() == " ".join(wanted.split()).casefold(),
    "inn": lambda _, record, wanted: record.inn == wanted,
    "contact": lambda _, record, wanted: (
        record.contact == wanted if record.kind is Kind.LEAD else wanted in record.contacts
    ),
    "company": lambda _, record, wanted: record.company == wanted,
    "owner_id": lambda _, record, wanted: record.owner_id == wanted,
    "about": _is_about,
    "is_open": _is_open,
}
