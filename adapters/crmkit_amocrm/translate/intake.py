"""Calls and incoming leads as bodies of amoCRM's writes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from crmkit.models import Call, CallStatus, Direction, Lead
from crmkit.values import Json
from crmkit.write import Write
from crmkit_amocrm.errors.refusals import refused_draft
from crmkit_amocrm.translate.assign import Names, Wire, emails_of, phones_of
from crmkit_amocrm.translate.drafts import laid_over

_STATUS_NUMBERS: Mapping[CallStatus, int] = {
    CallStatus.VOICEMAIL: 1,
    CallStatus.ANSWERED: 4,
    CallStatus.FAILED: 5,
    CallStatus.MISSED: 6,
    CallStatus.CANCELLED: 6,
    CallStatus.BUSY: 7,
}
"""Source: amoCRM API v4, page "Calls"."""


def call_body(write: Write, names: Names) -> Wire:
    """The item of `POST /calls`; `uniq` is the call's own id, so that it can be found again."""
    call = write.record
    if not isinstance(call, Call) or call.phone is None:
        raise refused_draft(names.account().key, "phone", "a call needs the client's number", "Set phone.")
    item: Wire = {
        "direction": "outbound" if call.direction is Direction.OUT else "inbound",
        "phone": call.phone.e164 or call.phone.raw,
        "duration": call.talk_s,
        "source": call.provider or "crmkit",
        "uniq": call_uniq(write),
    }
    if call.status in _STATUS_NUMBERS:
        item["call_status"] = _STATUS_NUMBERS[call.status]
    if call.recording is not None and call.recording.url:
        item["link"] = call.recording.url
    if call.employee is not None:
        who = call.employee
        user_id = int(who.user_id) if who.user_id and who.user_id.isdigit() else None
        item["call_responsible"] = user_id or who.name or who.extension or who.login or ""
    if call.owner_id and call.owner_id.isdigit():
        item["responsible_user_id"] = item["created_by"] = int(call.owner_id)
    if call.started_at is not None:
        item["created_at"] = int(call.started_at.timestamp())
    return laid_over(item, write.extra)


def call_uniq(write: Write) -> str:
    """What a logged call is known by in amoCRM: the sender's id of it, else the effect's name."""
    given = write.extra.get("uniq")
    own = write.record.ref.id if write.record is not None else ""
    return str(given or own or write.marker or write.digest())


def unsorted_body(write: Write, names: Names, now: datetime) -> tuple[str, Wire]:
    """The category and the item of `POST /leads/unsorted/{category}`: a form, or a call when `extra` says `sip`."""
    lead, account = write.record, names.account()
    if not isinstance(lead, Lead):
        raise refused_draft(account.key, "record", "an incoming lead is made from a Lead", "Give a Lead.")
    extra: Mapping[str, Json] = {name: value for name, value in write.extra.items() if name != "category"}
    category = str(write.extra.get("category") or "forms")
    title = lead.title or "crmkit"
    phone = next((one.e164 or one.raw for one in lead.phones), "")
    made_at = int((lead.created_at or now).timestamp())
    data: Wire = {"form_id": "crmkit", "form_name": title, "form_page": account.url, "form_sent_at": made_at}
    if category == "sip":
        data = {
            "from": lead.source or "crmkit",
            "phone": phone,
            "called_at": made_at,
            "duration": 0,
            "link": "",
            "service_code": "crmkit",
            "uniq": unsorted_uid(write),
        }
    item: Wire = {
        "source_uid": unsorted_uid(write),
        "source_name": lead.source or "crmkit",
        "created_at": made_at,
        "metadata": data,
        "_embedded": _people(lead, title),
    }
    return category, laid_over(item, extra)


def unsorted_uid(write: Write) -> str:
    """What an incoming lead is known by to its source."""
    return str(write.extra.get("source_uid") or write.marker or write.digest())


def _people(lead: Lead, title: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    deal: Wire = {"id": int(lead.deal.id)} if lead.deal else {"name": title}
    if lead.owner_id and lead.owner_id.isdigit() and not lead.deal:
        deal["responsible_user_id"] = int(lead.owner_id)
    found["leads"] = [deal]
    if lead.contact is not None:
        found["contacts"] = [{"id": int(lead.contact.id)}]
    elif lead.phones or lead.emails:
        entries = [phones_of(lead.phones)] if lead.phones else []
        entries += [emails_of(lead.emails)] if lead.emails else []
        found["contacts"] = [{"name": title, "custom_fields_values": entries}]
    if lead.company is not None:
        found["companies"] = [{"id": int(lead.company.id)}]
    return found
