"""Bitrix24's events, which name a record and nothing more: bytes to hints; pure."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from crmkit.errors import BadPayload, WebhookRejected
from crmkit.forms import FormDict, parse_php_form
from crmkit.settings import AccountSettings
from crmkit.values import Kind, Ref
from crmkit.webhook import Action, Delivery, Hint, WebhookRequest
from crmkit_bitrix24.errors.refusals import VENDOR
from crmkit_bitrix24.wire import TASK_PREFIX

_ENTITIES: Mapping[str, Kind] = {
    "ONCRMDEAL": Kind.DEAL,
    "ONCRMLEAD": Kind.LEAD,
    "ONCRMCONTACT": Kind.CONTACT,
    "ONCRMCOMPANY": Kind.COMPANY,
    "ONCRMACTIVITY": Kind.TASK,
    "ONCRMTIMELINECOMMENT": Kind.NOTE,
    "ONTASK": Kind.TASK,
}
_ACTIONS: Mapping[str, Action] = {"ADD": Action.ADDED, "UPDATE": Action.CHANGED, "DELETE": Action.DELETED}
_EVENTS: Mapping[str, tuple[Kind, Action]] = {
    **{f"{entity}{name}": (kind, action) for entity, kind in _ENTITIES.items() for name, action in _ACTIONS.items()},
    "ONCRMDEALMOVETOCATEGORY": (Kind.DEAL, Action.CHANGED),
    "ONUSERADD": (Kind.USER, Action.ADDED),
}
"""Source: Bitrix24 REST, page "Events"."""

_STRANGERS: Mapping[str, str] = {
    "ONOFFLINEEVENT": "it only wakes whoever reads offline events",
    "ONAPPINSTALL": "keep its tokens: set refresh_token and application_token of the account",
    "ONAPPUPDATE": "bind the events again",
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
    member_id = _check_sender(form, settings)
    name = event.upper()
    if name in _STRANGERS:
        return Delivery(refusals=(f"{name}: {_STRANGERS[name]}",), account_id=member_id)
    hint = _call(form, settings.key) if name == "ONVOXIMPLANTCALLEND" else _record(name, form, settings.key)
    if hint is None:
        known = name in _EVENTS or name == "ONVOXIMPLANTCALLEND"
        reason = "it names no record" if known else "crmkit does not know this event"
        return Delivery(refusals=(f"{name}: {reason}",), account_id=member_id)
    return Delivery((hint,), account_id=member_id)


def _form(request: WebhookRequest) -> FormDict:
    if request.body[:1] in (b"{", b"["):
        raise BadPayload("the event's body is JSON, not a form", remedy="Bitrix24's events are forms.")
    form = parse_php_form(request.body)
    if not any(form.values()):
        raise BadPayload("the event's body is empty", remedy="Check that a proxy does not drop it.")
    return form


def _check_sender(form: FormDict, settings: AccountSettings) -> str | None:
    """The portal's identity, once the event is known to be its own: the token is all that authenticates it."""
    block = form.get("auth")
    auth: Mapping[str, Any] = block if isinstance(block, dict) else {}
    token, member_id = _text(auth.get("application_token")), _text(auth.get("member_id"))
    ours = getattr(settings, "application_token", None)
    expected_member = getattr(settings, "member_id", None)
    is_token_wrong = ours is not None and not hmac.compare_digest(
        (token or "").encode(), ours.get_secret_value().encode()
    )
    if is_token_wrong or (expected_member and member_id and member_id != expected_member):
        what = "its application_token is not ours" if is_token_wrong else "it comes from another portal"
        raise WebhookRejected(
            f"the event is refused: {what}",
            account=settings.key,
            vendor=VENDOR,
            remedy="After a new installation set the new application_token; else delete this address from the portal "
            "that sends it.",
        )
    return member_id


def _record(name: str, form: FormDict, account: str) -> Hint | None:
    if name not in _EVENTS:
        return None
    kind, action = _EVENTS[name]
    data = form.get("data")
    record_id = _record_id(data) if isinstance(data, dict) else None
    if record_id is None:
        return None
    if name.startswith("ONTASK"):
        record_id = f"{TASK_PREFIX}{record_id}"
    return Hint(Ref(account, kind, record_id), action, _moment(form.get("ts")))


def _record_id(data: Mapping[str, Any]) -> str | None:
    """The id, wherever the event keeps it; a task that is gone has it only before."""
    for name in ("FIELDS", "FIELDS_AFTER", "FIELDS_BEFORE"):
        fields = data.get(name)
        if isinstance(fields, dict) and (found := _id(fields.get("ID"))):
            return found
    return _id(data.get("ID"))


def _call(form: FormDict, account: str) -> Hint | None:
    data = form.get("data")
    call_id = _text(data.get("CALL_ID")) if isinstance(data, dict) else None
    if call_id is None:
        return None
    return Hint(Ref(account, Kind.CALL, call_id), Action.ADDED, _moment(form.get("ts")))


def _moment(value: Any) -> datetime | None:
    text = _id(value)
    try:
        return datetime.fromtimestamp(int(text), UTC) if text else None
    except (OverflowError, ValueError, OSError):
        return None


def _id(value: Any) -> str | None:
    text = _text(value)
    return text if text and text.isascii() and text.isdigit() and text != "0" else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
