"""Multifields as they are written: Bitrix24 patches them by the ids of their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from crmkit.models import Email, Phone
from crmkit_bitrix24.translate.values import many

_PHONE_KINDS = ("WORK", "MOBILE", "FAX", "HOME", "PAGER", "MAILING", "OTHER")
_EMAIL_KINDS = ("WORK", "HOME", "MAILING", "OTHER")


class Wanted(NamedTuple):
    """One value that a multifield is to hold; without a kind the present one stays."""

    value: str
    kind: str | None


def wanted_phones(phones: Sequence[Phone]) -> list[Wanted]:
    """Phones as they are typed."""
    return [Wanted(phone.raw or phone.e164 or "", _kind(phone.kind, _PHONE_KINDS)) for phone in phones]


def wanted_emails(emails: Sequence[Email]) -> list[Wanted]:
    """Addresses."""
    return [Wanted(email.value, _kind(email.kind, _EMAIL_KINDS)) for email in emails]


def added(wanted: Sequence[Wanted]) -> list[dict[str, Any]]:
    """The values of a new card."""
    return [{"VALUE": one.value, "VALUE_TYPE": one.kind or "WORK"} for one in wanted]


def patch(current: object, wanted: Sequence[Wanted]) -> list[dict[str, Any]]:
    """What makes the present values the wanted ones, in their order; empty when they are so already.

    Values stand in the order of their ids, so that each place is changed on its own. A value that stays is left out:
    an element with an id alone would be deleted.
    """
    present = sorted((one for one in many(current) if isinstance(one, Mapping)), key=lambda one: int(one["ID"]))
    changes: list[dict[str, Any]] = []
    for place, one in enumerate(wanted):
        if place >= len(present):
            changes += added([one])
            continue
        old = present[place]
        kind = one.kind or str(old.get("VALUE_TYPE") or "WORK")
        if (str(old.get("VALUE")), str(old.get("VALUE_TYPE"))) != (one.value, kind):
            changes.append({"ID": old["ID"], "VALUE": one.value, "VALUE_TYPE": kind})
    changes += [{"ID": old["ID"], "DELETE": "Y"} for old in present[len(wanted) :]]
    return changes


def _kind(kind: str | None, known: Sequence[str]) -> str | None:
    if not kind:
        return None
    return kind.upper() if kind.upper() in known else "OTHER"
