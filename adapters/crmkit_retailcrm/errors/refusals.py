"""Refusals that need no answer to read, and what the complaints of an answer say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crmkit.errors import NotFound, Rejected, VendorDown
from crmkit.refusals import Refusals

VENDOR = "retailcrm"
REFUSALS = Refusals(VENDOR, "retailCRM", api="retailCRM's API")
refused_draft = REFUSALS.draft
unsupported = REFUSALS.unsupported
unreadable = REFUSALS.unreadable
gone = REFUSALS.gone

PARTLY_LOADED = 460
"""An upload of which some entities were stored and some were not. Source: retailCRM API v5, methods `*/upload`."""

MEND = "Mend the named values; the same call will be refused again."


class Merged(NotFound):
    """The record was made a part of another one.

    Args:
        survivor: the vendor's id of the record that took it in.
    """

    survivor: str = ""


def refused_item(account: str, target: str, reason: str) -> Rejected:
    """One entity of an upload that was refused."""
    return Rejected(
        f"{target} was refused: {reason}",
        fields=_fields(reason),
        account=account,
        vendor=VENDOR,
        status=PARTLY_LOADED,
        remedy=MEND,
    )


def unanswered(account: str, target: str, what: str) -> VendorDown:
    """Something was asked for and did not show up: whether it was done is unknown."""
    return VendorDown(
        f"{target}: {what}",
        maybe_applied=True,
        account=account,
        vendor=VENDOR,
        ref=target,
        remedy="Look at the record before doing it again.",
    )


def errors_of(body: Mapping[str, Any]) -> dict[str, str]:
    """What an answer complains of, by field; the vendor sends an object, or a list of sentences."""
    found = body.get("errors")
    if isinstance(found, Mapping):
        return {str(name): _said(text) for name, text in found.items()}
    if isinstance(found, list):
        named: dict[str, str] = {}
        for place, text in enumerate(found):
            field, _, rest = _said(text).partition(": ")
            named[field if rest and " " not in field else str(place)] = rest or field
        return named
    return {}


def _fields(reason: str) -> dict[str, str]:
    field, _, rest = reason.partition(": ")
    return {field: rest} if rest and " " not in field else {"": reason}


def _said(text: object) -> str:
    return "; ".join(map(str, text)) if isinstance(text, list) else str(text)
