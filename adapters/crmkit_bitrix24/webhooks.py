"""Bitrix24's events, which name a record and nothing more: bytes to hints; pure."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from crmkit.errors import BadPayload, WebhookRejected
from crmkit.forms import FormDict, parse_php_form
from crmkit.settings import AccountSettings
from crmkit.webhook import Delivery, Installation, WebhookRequest
from crmkit_bitrix24.errors.refusals import VENDOR
from crmkit_bitrix24.translate import EVENTS, hint_of, number_in

_STRANGERS: Mapping[str, str] = {
    "ONOFFLINEEVENT": "it only wakes whoever reads offline events",
    "ONAPPUPDATE": "its events are bound again by themselves",
    "ONAPPUNINSTALL": "the application was removed; authorise it again",
    "ONAPPPAYMENT": "a payment for the application is no record",
    "ONEXTERNALCALLSTART": "a click-to-call has no result yet",
    "ONVOXIMPLANTCALLINIT": "a call that has not ended is no record",
    "ONVOXIMPLANTCALLSTART": "a call that has not ended is no record",
    "ONTASKCOMMENTADD": "comments of tasks are no records of crmkit",
    "ONTASKCOMMENTUPDATE": "comments of tasks are no records of crmkit",
    "ONTASKCOMMENTDELETE": "comments of tasks are no records of crmkit",
}


def parse(request: WebhookRequest, settings: AccountSettings) -> Delivery:
    """The record that an event names, as a hint; what crmkit has no kind for is named in `refusals`.

    Raises BadPayload for a body that is no event form, WebhookRejected for a wrong token or another portal.
    Source: Bitrix24 REST, page "Events".
    """
    form = _form(request)
    event = form.get("event")
    if not isinstance(event, str) or not event:
        raise BadPayload("the body names no event", remedy="Bind crmkit's address to events of the portal only.")
    name = event.upper()
    if name == "ONAPPINSTALL":
        return _installed(form, settings)
    member_id = _check_sender(form, settings)
    if name in _STRANGERS:
        return Delivery(refusals=(f"{name}: {_STRANGERS[name]}",), account_id=member_id)
    hint = hint_of(name, form.get("data"), settings.key, _moment(form.get("ts")))
    if hint is None:
        reason = "it names no record" if name in EVENTS else "crmkit does not know this event"
        return Delivery(refusals=(f"{name}: {reason}",), account_id=member_id)
    return Delivery((hint,), account_id=member_id)


def _installed(form: FormDict, settings: AccountSettings) -> Delivery:
    """The tokens of an installation. It brings a new application_token, so that the old one proves nothing here."""
    auth = _auth(form)
    member_id, access = _check_member(auth, settings), _text(auth.get("access_token"))
    if access is None:
        return Delivery(refusals=("ONAPPINSTALL: it brings no token",), account_id=member_id)
    lives = number_in(auth.get("expires_in"))
    installation = Installation(
        access=access,
        refresh=_text(auth.get("refresh_token")),
        expires_in_s=float(lives) if lives else None,
        url=_text(auth.get("client_endpoint")),
        hook_secret=_text(auth.get("application_token")),
    )
    return Delivery(account_id=member_id, installation=installation)


def _form(request: WebhookRequest) -> FormDict:
    if request.body[:1] in (b"{", b"["):
        raise BadPayload("the event's body is JSON, not a form", remedy="Bitrix24's events are forms.")
    form = parse_php_form(request.body)
    if not any(form.values()):
        raise BadPayload("the event's body is empty", remedy="Check that a proxy does not drop it.")
    return form


def _check_sender(form: FormDict, settings: AccountSettings) -> str | None:
    """The portal's identity, once the event is known to be its own: the token is all that authenticates it."""
    auth = _auth(form)
    token, ours = _text(auth.get("application_token")), getattr(settings, "application_token", None)
    if ours is not None and not hmac.compare_digest((token or "").encode(), ours.get_secret_value().encode()):
        raise _refused(settings, "its application_token is not ours")
    return _check_member(auth, settings)


def _check_member(auth: Mapping[str, Any], settings: AccountSettings) -> str | None:
    member_id, ours = _text(auth.get("member_id")), getattr(settings, "member_id", None)
    if ours and member_id and member_id != ours:
        raise _refused(settings, "it comes from another portal")
    return member_id


def _refused(settings: AccountSettings, what: str) -> WebhookRejected:
    return WebhookRejected(
        f"the event is refused: {what}",
        account=settings.key,
        vendor=VENDOR,
        remedy="After a new installation set the new application_token; else delete this address from the portal "
        "that sends it.",
    )


def _auth(form: FormDict) -> Mapping[str, Any]:
    block = form.get("auth")
    return block if isinstance(block, dict) else {}


def _moment(value: Any) -> datetime | None:
    text = number_in(value)
    try:
        return datetime.fromtimestamp(int(text), UTC) if text else None
    except (OverflowError, ValueError, OSError):
        return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
