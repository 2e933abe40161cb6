"""What every entity has: address, times, people, the card it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from crmkit.home import Home
from crmkit.identity import parse_phones
from crmkit.models import RECORDS, Phone, Record
from crmkit.mould import defaults_of
from crmkit.values import Kind, Ref
from crmkit_amocrm.wire import PARENTS, SINGULAR, Item

DEFAULTS: Mapping[type[Record], dict[str, Any]] = {cls: defaults_of(cls) for cls in RECORDS.values()}
"""What a record holds where the vendor tells nothing."""

_PLACES: Mapping[Kind, str] = {
    Kind.DEAL: "leads/detail",
    Kind.CONTACT: "contacts/detail",
    Kind.COMPANY: "companies/detail",
}


def head(raw: Item, kind: Kind, account: Home) -> dict[str, Any]:
    """The fields that all records have, in their order."""
    record_id = str(raw.get("id", ""))
    place = _PLACES.get(kind)
    created, updated = raw.get("created_at"), raw.get("updated_at")
    created_at = time_of(created)
    return {
        "ref": Ref(account.key, kind, record_id),
        "url": f"{account.url}/{place}/{record_id}" if place else None,
        "created_at": created_at,
        "updated_at": created_at if updated == created else time_of(updated),
        "created_by": text_of(raw.get("created_by")),
        "updated_by": text_of(raw.get("updated_by")),
        "owner_id": text_of(raw.get("responsible_user_id")),
        "custom": (),
        "is_deleted": bool(raw.get("is_deleted")),
        "raw": raw,
    }


def time_of(seconds: Any) -> datetime | None:
    """Unix seconds as a moment; amoCRM writes 0 or null for none."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def text_of(value: Any) -> str | None:
    """An id or a number as text."""
    return None if value is None else str(value)


def parent_of(raw: Item, account: Home) -> Ref | None:
    """The record on whose card a note or task stands; None for customers and for none."""
    kind, record_id = PARENTS.get(parent_path(raw)), raw.get("entity_id")
    return Ref(account.key, kind, str(record_id)) if kind and record_id else None


def phone_of(raw: str, account: Home) -> Phone:
    """A phone as typed, with its E.164 form where it has one."""
    found = parse_phones(raw, country=account.country)
    return Phone(raw=raw, e164=found[0].e164 if found else None)


def note_id(raw: Item) -> str:
    """The id of a note or call in our addresses: it names the parent's list, where alone the note can be read."""
    return f"{parent_path(raw)}.{raw['id']}"


def parent_path(raw: Item) -> str:
    """The list that a note's or task's parent stands in (`leads`)."""
    named = raw.get("entity_type") or ""
    return SINGULAR.get(named, named)
