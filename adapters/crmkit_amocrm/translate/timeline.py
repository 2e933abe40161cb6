"""What happens on a card: tasks, remarks, calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crmkit.home import Home
from crmkit.models import Call, CallStatus, Direction, Employee, Note, Recording, Task
from crmkit.mould import Mould
from crmkit.values import Kind, Ref
from crmkit_amocrm.translate.entity import DEFAULTS, head, note_id, parent_of, phone_of, text_of, time_of
from crmkit_amocrm.wire import CALL_NOTES, Item


def from_task(raw: Item, account: Home) -> Task:
    """The task; `result` reads as `[]` in the API when there is none."""
    result = raw.get("result")
    values = head(raw, Kind.TASK, account)
    values["text"] = str(raw.get("text") or "")
    values["due"] = time_of(raw.get("complete_till"))
    values["about"] = parent_of(raw, account)
    values["is_done"] = bool(raw.get("is_completed"))
    values["result"] = (result.get("text") or None) if isinstance(result, Mapping) else None
    values["task_type"] = text_of(raw.get("task_type_id"))
    return _TASK.cast({**DEFAULTS[Task], **values})


def from_note(raw: Item, account: Home) -> Note:
    """The remark, with what its parameters say in words."""
    params = _params(raw)
    values = head(raw, Kind.NOTE, account)
    values["ref"] = Ref(account.key, Kind.NOTE, note_id(raw))
    values["about"] = parent_of(raw, account)
    values["text"] = str(params.get("text") or params.get("original_name") or params.get("address") or "")
    values["note_type"] = str(raw.get("note_type") or "common")
    return _NOTE.cast({**DEFAULTS[Note], **values})


def from_call(raw: Item, account: Home) -> Call:
    """The call that a call note tells of."""
    params = _params(raw)
    parent = parent_of(raw, account)
    status = _call_status(params)
    link, phone = params.get("link"), params.get("phone")
    values = head(raw, Kind.CALL, account)
    values["ref"] = Ref(account.key, Kind.CALL, note_id(raw))
    values["provider"] = str(params.get("source") or account.vendor)
    values["direction"] = Direction.OUT if raw.get("note_type") == "call_out" else Direction.IN
    values["status"] = status
    values["phone"] = phone_of(str(phone), account) if phone else None
    values["employee"] = _employee(params.get("call_responsible"))
    values["started_at"] = values["created_at"]
    values["talk_s"] = _seconds(params) if status is CallStatus.ANSWERED else 0
    values["recording"] = Recording(url=str(link)) if link else None
    if parent is not None:
        values[_CALL_PARENTS[parent.kind]] = parent
    return _CALLS[parent.kind if parent else None].cast({**DEFAULTS[Call], **values})


def is_call(raw: Item) -> bool:
    """A note is a call."""
    return raw.get("note_type") in CALL_NOTES


_CALL_PARENTS: Mapping[Kind | None, str] = {Kind.DEAL: "deal", Kind.CONTACT: "contact", Kind.COMPANY: "company"}
_UNTOLD = ("custom", "line", "wait_s", "tracking")
_TASK = Mould(Task, "custom")
_NOTE = Mould(Note, "custom")
_CALLS: Mapping[Kind | None, Mould[Call]] = {
    kind: Mould(Call, *_UNTOLD, *(name for name in _CALL_PARENTS.values() if name != _CALL_PARENTS.get(kind)))
    for kind in (None, *_CALL_PARENTS)
}
_CALL_STATUSES: Mapping[int, CallStatus] = {
    1: CallStatus.VOICEMAIL,
    2: CallStatus.MISSED,
    3: CallStatus.MISSED,
    4: CallStatus.ANSWERED,
    5: CallStatus.FAILED,
    6: CallStatus.MISSED,
    7: CallStatus.BUSY,
}
"""Source: amoCRM API v4, page "Calls": left a message, call later, absent, talked, wrong number, no answer, busy."""


def _params(raw: Item) -> Mapping[str, Any]:
    params = raw.get("params")
    return params if isinstance(params, Mapping) else {}


def _seconds(params: Mapping[str, Any]) -> int:
    try:
        return max(0, int(params.get("duration") or 0))
    except (TypeError, ValueError):
        return 0


def _call_status(params: Mapping[str, Any]) -> CallStatus:
    try:
        told = _CALL_STATUSES.get(int(params.get("call_status") or 0))
    except (TypeError, ValueError):
        told = None
    if told is not None:
        return told
    return CallStatus.ANSWERED if _seconds(params) > 0 else CallStatus.MISSED


_LONGEST_EXTENSION, _LONGEST_USER_ID = 4, 9


def _employee(value: Any) -> Employee | None:
    """Who talked: the vendor takes a user id, a phone or a name in one field."""
    if value in (None, ""):
        return None
    text = str(value)
    if isinstance(value, int):
        return Employee(user_id=text)
    if text.isdigit() and len(text) <= _LONGEST_USER_ID:
        return Employee(extension=text) if len(text) <= _LONGEST_EXTENSION else Employee(user_id=text)
    return Employee(name=text)
