"""What stands on cards: tasks, notes and logged calls, both ways; pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from crmkit.home import Home
from crmkit.models import Call, CallStatus, Direction, File, Note, Task
from crmkit.mould import Mould
from crmkit.values import Kind, Ref
from crmkit.write import Write
from crmkit_retailcrm.errors.refusals import refused_draft
from crmkit_retailcrm.translate.home import number_of, text_of, time_of, to_moment
from crmkit_retailcrm.translate.records import DEFAULTS, head
from crmkit_retailcrm.wire import CARDS, CORPORATE, Item, as_list, as_map

RESULT = "Результат: "
"""Begins the line of a task's commentary that says what came of it; people of the account read it."""

_PATHS: Mapping[Kind, str] = {kind: path for path, kind in CARDS.items()}
_TASK = Mould(Task, "updated_by", "custom", "is_deleted", "task_type")
_FILE = Mould(File, "created_by", "updated_by", "custom", "is_deleted", "content")
_NOTE = Mould(Note, "updated_by", "custom", "is_deleted", "note_type")
_BLANK = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")


def from_task(raw: Item, account: Home) -> Task:
    """The task; its result is what its commentary says after the word for it."""
    values = head(raw, Kind.TASK, account)
    commentary = str(raw.get("commentary") or "")
    values["text"] = str(raw.get("text") or "")
    values["due"] = time_of(raw.get("datetime"), account)
    values["about"] = card_of(raw, account)
    values["is_done"] = bool(raw.get("complete"))
    values["owner_id"] = text_of(raw.get("performer")) if raw.get("performerType", "user") == "user" else None
    values["created_by"] = text_of(raw.get("creator"))
    _, found, result = commentary.rpartition(RESULT)
    values["result"] = (result.strip() or None) if found else None
    return _TASK.cast({**DEFAULTS[Task], **values})


def from_note(raw: Item, account: Home) -> Note:
    """The note of a customer, or a paragraph of an order's comment."""
    values = head(raw, Kind.NOTE, account)
    card = card_of(raw, account)
    values["ref"] = Ref(account.key, Kind.NOTE, f"{_PATHS[card.kind]}.{raw['id']}" if card else str(raw["id"]))
    values["about"] = card
    values["text"] = str(raw.get("text") or "")
    values["created_by"] = text_of(raw.get("managerId"))
    values["owner_id"] = None
    return _NOTE.cast({**DEFAULTS[Note], **values})


def from_file(raw: Item, account: Home) -> File:
    """The file, without its content, and the orders and people that it is attached to."""
    values = head(raw, Kind.FILE, account)
    values["name"] = str(raw.get("filename") or "")
    values["media_type"] = text_of(raw.get("type"))
    size = number_of(raw.get("size"))
    values["size"] = None if size is None else int(size)
    values["cards"] = tuple(card for one in as_list(raw.get("attachment")) if (card := card_of(as_map(one), account)))
    return _FILE.cast({**DEFAULTS[File], **values})


def card_of(raw: Item, account: Home) -> Ref | None:
    """The record on whose card a task or note stands: the order before its customer."""
    order, customer = as_map(raw.get("order")), as_map(raw.get("customer"))
    if order.get("id"):
        return Ref(account.key, Kind.DEAL, str(order["id"]))
    if customer.get("id"):
        kind = Kind.COMPANY if customer.get("type") == CORPORATE else Kind.CONTACT
        return Ref(account.key, kind, str(customer["id"]))
    return None


def paragraphs(order: Item) -> Iterator[dict[str, Any]]:
    """The notes that a manager's comment of an order holds: its paragraphs, in their order.

    Orders have one comment and no notes. A note is known by its order, its text and which of equal ones it is.
    """
    seen: dict[str, int] = {}
    for text in _BLANK.split(str(order.get("managerComment") or "").replace("\r\n", "\n")):
        if not text.strip():
            continue
        digest = hashlib.blake2b(text.strip().encode(), digest_size=6).hexdigest()
        seen[digest] = seen.get(digest, 0) + 1
        yield {"id": f"{order['id']}.{digest}.{seen[digest]}", "text": text.strip(), "order": {"id": order["id"]}}


def with_paragraph(comment: str, text: str) -> str:
    """A comment with one more note at its end; a note's own blank lines are closed up."""
    one = _BLANK.sub("\n", text.replace("\r\n", "\n").strip())
    return f"{comment.rstrip()}\n\n{one}" if comment.strip() else one


def with_result(commentary: str, result: str) -> str:
    """A task's commentary that tells its result, in place of an earlier one."""
    before, found, _ = commentary.rpartition(RESULT)
    kept = (before if found else commentary).rstrip()
    return f"{kept}\n{RESULT}{result}" if kept else f"{RESULT}{result}"


def call_key(write: Write) -> str:
    """The id under which the CRM keeps a call: ours, so that the same call is never entered twice."""
    named = write.extra.get("externalId")
    return str(named) if named else f"crmkit-{write.marker or write.digest()}"


def call_item(write: Write, account: Home) -> dict[str, Any]:
    """A finished call for `telephony/calls/upload`.

    Raises Rejected for a call without a number, a time or one of the two directions.
    """
    call = write.record
    if not isinstance(call, Call) or call.phone is None:
        raise refused_draft(account.key, "phone", "a call has a number", "Set the client's phone.")
    if call.started_at is None:
        raise refused_draft(account.key, "started_at", "a call has a beginning", "Set started_at.")
    if call.direction is Direction.INTERNAL:
        raise refused_draft(account.key, "direction", "the CRM keeps no internal calls", "Log calls with clients.")
    item: dict[str, Any] = {
        "date": to_moment(call.started_at, account.timezone),
        "type": "in" if call.direction is Direction.IN else "out",
        "phone": call.phone.e164 or call.phone.raw,
        "result": _RESULTS.get(call.status, "unknown"),
        "duration": call.talk_s,
        "durationWaiting": call.wait_s,
        "externalId": call_key(write),
    }
    employee = call.employee
    if employee is not None and employee.user_id and employee.user_id.isdigit():
        item["userId"] = int(employee.user_id)
    elif employee is not None and employee.extension:
        item["code"] = employee.extension
    if call.recording is not None and call.recording.url:
        item["recordUrl"] = call.recording.url
    if call.line:
        item["externalPhone"] = call.line
    if source := {_UTM[name]: text for name, text in call.tracking.items() if name in _UTM}:
        item["source"] = source
    return {**item, **write.extra}


_RESULTS: Mapping[CallStatus, str] = {
    CallStatus.ANSWERED: "answered",
    CallStatus.MISSED: "no answer",
    CallStatus.CANCELLED: "no answer",
    CallStatus.VOICEMAIL: "no answer",
    CallStatus.BUSY: "busy",
    CallStatus.FAILED: "failed",
    CallStatus.BLOCKED: "not allowed",
}
"""Source: retailCRM API v5, method `telephony/calls/upload`."""
_UTM = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "campaign",
    "utm_term": "keyword",
    "utm_content": "content",
}
