"""Refusals that need no answer to read, and what the complaints of an answer say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crmkit.errors import BadPayload, NotFound, Rejected, Unsupported, VendorDown

VENDOR = "retailcrm"

PARTLY_LOADED = 460
"""An upload of which some entities were stored and some were not. Source: retailCRM API v5, methods `*/upload`."""

MEND = "Mend the named values; the same call will be refused again."


class Merged(NotFound):
    """The record was made a part of another one.

    Args:
        survivor: the vendor's id of the record that took it in.
    """

    survivor: str = ""


def refused_draft(account: str, field: str, reason: str, remedy: str) -> Rejected:
    """A value that retailCRM cannot take; nothing was sent."""
    return Rejected(f"{field}: {reason}", fields={field: reason}, account=account, vendor=VENDOR, remedy=remedy)


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


def unsupported(account: str, what: str, remedy: str) -> Unsupported:
    """Something that retailCRM's API does not offer; nothing was sent."""
    return Unsupported(f"retailCRM's API cannot {what}", account=account, vendor=VENDOR, remedy=remedy)


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


def unreadable(account: str, kind: str) -> BadPayload:
    """A body that is no record of its kind: it has no id, or a value where nobody expects it."""
    return BadPayload(
        f"retailCRM gave a {kind} that cannot be read",
        account=account,
        vendor=VENDOR,
        remedy="Look at the answer with crm.call(); if retailCRM means it so, crmkit has to learn it.",
    )


def gone(account: str, ref: str) -> NotFound:
    """A record that was needed for a write is not there."""
    return NotFound(
        f"{ref} does not exist or is not visible to us",
        account=account,
        vendor=VENDOR,
        ref=ref,
        remedy="It may have been deleted or merged; look it up by phone or name.",
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
