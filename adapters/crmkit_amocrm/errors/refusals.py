"""Refusals that need no answer to read: what amoCRM cannot take, and what is left of a broken exchange."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from crmkit.errors import AuthError, CrmKitError, Rejected, VendorDown
from crmkit.refusals import Refusals

VENDOR = "amocrm"
REFUSALS = Refusals(VENDOR, "amoCRM", api="amoCRM's API")
refused_draft = REFUSALS.draft
unsupported = REFUSALS.unsupported
unreadable = REFUSALS.unreadable
gone = REFUSALS.gone

UNAUTHORIZED = 401
"""A token that is not accepted: the call did nothing."""

GATEWAY_TIMEOUT = 504
"""The vendor's sign that a batch was too large. Source: amoCRM API v4, page "Limits"."""

ENTITY_NOT_FOUND = 263
"""A call whose number nobody has. Source: amoCRM API v4, page "Calls"."""


AUTHORISE = (
    "Authorise the integration again: get a new code in its card, set it as the account's code, and start crmkit anew."
)
MEND = "Mend the named values; the same call will be refused again."


class ItemsRejected(Rejected):
    """A batch was refused as a whole because of these items."""

    faults: tuple[Fault, ...] = ()


class Fault(NamedTuple):
    """One item of a refused batch: its `request_id`, and what is wrong by our field path."""

    request_id: str
    fields: Mapping[str, str]
    code: str


def refused_item(account: str, target: str, fault: Fault) -> Rejected:
    """The error of one item of a batch."""
    named = "; ".join(f"{path}: {text}" for path, text in fault.fields.items())
    return Rejected(
        f"{target} was refused: {named or 'no reason given'}",
        fields=fault.fields,
        account=account,
        vendor=VENDOR,
        status=400,
        code=fault.code or None,
        remedy=MEND,
    )


def half_done(account: str, target: str, error: CrmKitError) -> VendorDown:
    """The record was made, but what hangs on it was not."""
    return VendorDown(
        f"{target} was created, but its links were not: {error.message}",
        maybe_applied=True,
        account=account,
        vendor=VENDOR,
        ref=target,
        status=error.status,
        remedy="Link the rest with link(); the record itself is there.",
    )


def lost_token_answer(account: str, status: int | None) -> AuthError:
    """The refresh token was spent on an answer that never came."""
    return AuthError(
        "the answer with the new tokens was lost and the old refresh token is spent",
        account=account,
        vendor=VENDOR,
        status=status,
        remedy=AUTHORISE,
    )


def refresh_refused(account: str) -> AuthError:
    """The stored pair is of no use any more."""
    return AuthError(
        "the refresh token is refused: it is spent, expired or revoked",
        account=account,
        vendor=VENDOR,
        remedy=AUTHORISE,
    )


def long_lived_refused(account: str, error: AuthError) -> AuthError:
    """A long-lived token cannot be renewed."""
    return AuthError(
        "the long-lived token is expired or revoked",
        account=account,
        vendor=VENDOR,
        status=error.status,
        request_id=error.request_id,
        remedy="Create a new one in the integration's card (Keys and scopes) and set it as the account's token.",
    )
