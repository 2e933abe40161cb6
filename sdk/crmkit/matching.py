"""Whether a record is what a query asks for: adapters look through what a vendor's wide search has found."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from crmkit.adapter import Query
from crmkit.identity import normalize_email, parse_phone
from crmkit.models import Company, Contact, Deal, File, Lead, Record, Task
from crmkit.values import Ref


def names(record: Record, contact: Ref) -> bool:
    """The card names the person: a deal and a company among theirs, a request as its own."""
    if isinstance(record, Deal | Company):
        return contact in record.contacts
    return isinstance(record, Lead) and record.contact == contact


def matcher(query: Query, country: str, *, is_of: Callable[[Record, Ref], bool] = names) -> Callable[[Record], bool]:
    """A test of records by the normalized form of each value that the query asks for.

    Args:
        country: ISO code, the default country of phones.
        is_of: whether a card belongs to a person, where the vendor's cards do not name all of theirs.
    """
    phone = parse_phone(query.phone, country=country) if query.phone else None
    email = _address(query.email) if query.email else None
    name = _plain(query.name) if query.name else None

    def matches(record: Record) -> bool:
        return (
            (query.phone is None or _has_phone(record, phone.e164 if phone else None, query.phone))
            and (email is None or _has_email(record, email))
            and (name is None or name == _plain(str(getattr(record, "name", "") or getattr(record, "title", ""))))
            and (query.inn is None or (isinstance(record, Company) and record.inn == query.inn))
            and (query.contact is None or is_of(record, query.contact))
            and (query.company is None or getattr(record, "company", None) == query.company)
            and (query.owner_id is None or record.owner_id == query.owner_id)
            and (query.is_open is None or _is_open(record) is query.is_open)
            and (query.about is None or not isinstance(record, Task) or record.about == query.about)
            and (query.about is None or not isinstance(record, File) or query.about in record.cards)
        )

    return matches


def narrowed(
    found: Iterable[Record], query: Query, country: str, *, is_of: Callable[[Record, Ref], bool] = names
) -> list[Record]:
    """The records that are what a query asks for, each once, in the order in which they were found."""
    matches = matcher(query, country, is_of=is_of)
    return [record for record in {record.ref: record for record in found}.values() if matches(record)]


def newest(
    found: Iterable[Record], since: float, known: Collection[Ref], matches: Callable[[Record], bool]
) -> Ref | None:
    """The newest record that matches, is not older than `since` (Unix seconds) and nobody has claimed as `known`."""
    fitting = [
        record
        for record in found
        if (record.created_at is None or record.created_at.timestamp() >= since)
        and record.ref not in known
        and matches(record)
    ]
    fitting.sort(key=lambda record: (record.created_at.timestamp() if record.created_at else 0.0, len(record.ref.id)))
    return fitting[-1].ref if fitting else None


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


def _address(email: str) -> str:
    return (normalize_email(email) or email).casefold()


def _has_phone(record: Record, e164: str | None, raw: str) -> bool:
    if not isinstance(record, Contact | Company | Lead):
        return False
    return any(phone.e164 == e164 if e164 and phone.e164 else phone.raw == raw for phone in record.phones)


def _has_email(record: Record, email: str) -> bool:
    return isinstance(record, Contact | Company | Lead) and any(_address(one.value) == email for one in record.emails)


def _is_open(record: Record) -> bool:
    if isinstance(record, Deal):
        return not record.is_closed
    return isinstance(record, Task) and not record.is_done
