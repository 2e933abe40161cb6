"""What stands on a card's timeline: to-dos, tasks of the tasks module, comments, calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crmkit.home import Home
from crmkit.models import Call, CallStatus, Direction, Employee, Note, Recording, Task
from crmkit.values import Kind, Ref
from crmkit_bitrix24.translate.dialect import universal
from crmkit_bitrix24.translate.values import decimal_of, flag_of, id_of, phone_of, text_of, time_of
from crmkit_bitrix24.wire import KINDS_BY_LETTER, KINDS_BY_NAME, KINDS_BY_TYPE, TASK_PREFIX, Item

RESULT = "\n\nРезультат: "
"""Before what came of a to-do: activities have no field for it, so that it ends their description."""

_DONE = "5"
_STATUSES: Mapping[str, CallStatus] = {
    "200": CallStatus.ANSWERED,
    "304": CallStatus.MISSED,
    "603": CallStatus.BUSY,
    "603-S": CallStatus.CANCELLED,
    "486": CallStatus.BUSY,
    "480": CallStatus.MISSED,
    "404": CallStatus.FAILED,
    "484": CallStatus.FAILED,
    "503": CallStatus.FAILED,
    "402": CallStatus.FAILED,
    "403": CallStatus.BLOCKED,
    "423": CallStatus.BLOCKED,
}
"""Source: Bitrix24 REST, page "telephony.externalCall.finish"."""

_DIRECTIONS: Mapping[str, Direction] = {
    "1": Direction.OUT,
    "2": Direction.IN,
    "3": Direction.IN,
    "4": Direction.CALLBACK,
    "5": Direction.OUT,
}
CALL_TYPES: Mapping[Direction, int] = {
    Direction.OUT: 1,
    Direction.IN: 2,
    Direction.CALLBACK: 4,
    Direction.INTERNAL: 1,
}
CALL_CODES: Mapping[CallStatus, str] = {
    CallStatus.ANSWERED: "200",
    CallStatus.MISSED: "304",
    CallStatus.VOICEMAIL: "304",
    CallStatus.BUSY: "486",
    CallStatus.CANCELLED: "603-S",
    CallStatus.BLOCKED: "423",
    CallStatus.FAILED: "503",
    CallStatus.UNKNOWN: "OTHER",
}


def from_activity(raw: Item, account: Home) -> Task:
    """The task that a to-do is: its title and description are the text; or a task of the tasks module."""
    if "OWNER_TYPE_ID" not in raw:
        return _from_module(raw, account)
    subject, description = text_of(raw.get("SUBJECT")) or "", text_of(raw.get("DESCRIPTION")) or ""
    description, result = split_result(description)
    return Task(
        ref=Ref(account.key, Kind.TASK, str(raw["ID"])),
        created_at=time_of(raw.get("CREATED")),
        updated_at=time_of(raw.get("LAST_UPDATED")),
        created_by=id_of(raw.get("AUTHOR_ID")),
        updated_by=id_of(raw.get("EDITOR_ID")),
        owner_id=id_of(raw.get("RESPONSIBLE_ID")),
        text="\n".join(part for part in (subject, description) if part),
        due=time_of(raw.get("DEADLINE")),
        about=_card(account, KINDS_BY_TYPE.get(int(raw.get("OWNER_TYPE_ID") or 0)), raw.get("OWNER_ID")),
        is_done=flag_of(raw.get("COMPLETED")),
        result=result,
        task_type=text_of(raw.get("PROVIDER_ID")),
        raw=raw,
    )


def split_result(description: str) -> tuple[str, str | None]:
    """A to-do's description without what came of it, and that."""
    before, found, result = description.rpartition(RESULT)
    if found:
        return before, result
    alone = RESULT.lstrip()
    return ("", description.removeprefix(alone)) if description.startswith(alone) else (description, None)


def _from_module(raw: Item, account: Home) -> Task:
    item = universal(raw)
    title, description = text_of(item.get("title")) or "", text_of(item.get("description")) or ""
    record_id = str(item["id"])
    return Task(
        ref=Ref(account.key, Kind.TASK, f"{TASK_PREFIX}{record_id}"),
        created_at=time_of(item.get("createdDate")),
        updated_at=time_of(item.get("changedDate")),
        created_by=_person(item, "createdBy", "creatorId"),
        updated_by=_person(item, "changedBy", "changedById"),
        owner_id=_person(item, "responsibleId", "responsible"),
        text="\n".join(part for part in (title, description) if part),
        due=time_of(item.get("deadline")),
        about=_bound_card(account, item.get("ufCrmTask")),
        is_done=str(item.get("status")) in (_DONE, "completed"),
        task_type="task",
        raw=raw,
    )


def from_comment(raw: Item, account: Home) -> Note:
    """The remark that a timeline comment is."""
    return Note(
        ref=Ref(account.key, Kind.NOTE, str(raw["ID"])),
        created_at=time_of(raw.get("CREATED")),
        created_by=id_of(raw.get("AUTHOR_ID")),
        owner_id=id_of(raw.get("AUTHOR_ID")),
        about=_card(account, KINDS_BY_NAME.get(str(raw.get("ENTITY_TYPE") or "").lower()), raw.get("ENTITY_ID")),
        text=text_of(raw.get("COMMENT")) or "",
        raw=raw,
    )


def from_call(raw: Item, account: Home) -> Call:
    """The call that a row of the telephony's statistics is; its address is the call's own id."""
    duration = int(decimal_of(raw.get("CALL_DURATION")) or 0)
    code = text_of(raw.get("CALL_FAILED_CODE"))
    status = _STATUSES.get(code or "", CallStatus.UNKNOWN)
    if status is CallStatus.ANSWERED and not duration:
        status = CallStatus.MISSED
    number = text_of(raw.get("PHONE_NUMBER"))
    card = _card(account, KINDS_BY_NAME.get(str(raw.get("CRM_ENTITY_TYPE") or "").lower()), raw.get("CRM_ENTITY_ID"))
    user = id_of(raw.get("PORTAL_USER_ID"))
    started = time_of(raw.get("CALL_START_DATE"))
    return Call(
        ref=Ref(account.key, Kind.CALL, str(raw["CALL_ID"])),
        created_at=started,
        updated_at=started,
        created_by=user,
        owner_id=user,
        provider=text_of(raw.get("REST_APP_NAME")) or "bitrix24",
        direction=_DIRECTIONS.get(str(raw.get("CALL_TYPE")), Direction.IN),
        status=status,
        phone=phone_of(number, account.country) if number else None,
        line=text_of(raw.get("PORTAL_NUMBER")),
        employee=Employee(user_id=user) if user else None,
        started_at=started,
        talk_s=duration if status is CallStatus.ANSWERED else 0,
        recording=_recording(raw),
        contact=card if card is not None and card.kind is Kind.CONTACT else None,
        company=card if card is not None and card.kind is Kind.COMPANY else None,
        deal=card if card is not None and card.kind is Kind.DEAL else None,
        raw=raw,
    )


def _recording(raw: Item) -> Recording | None:
    url, file_id = text_of(raw.get("CALL_RECORD_URL")), id_of(raw.get("RECORD_FILE_ID"))
    return Recording(url=url, id=file_id) if url or file_id else None


def _card(account: Home, kind: Kind | None, value: Any) -> Ref | None:
    record_id = id_of(value)
    return Ref(account.key, kind, record_id) if kind is not None and record_id else None


def _bound_card(account: Home, bindings: Any) -> Ref | None:
    """The first card among a task's bindings (`D_10`) that is one of our kinds."""
    for binding in bindings if isinstance(bindings, list) else []:
        letter, _, record_id = str(binding).partition("_")
        if letter in KINDS_BY_LETTER and record_id:
            return Ref(account.key, KINDS_BY_LETTER[letter], record_id)
    return None


def _person(item: Item, *names: str) -> str | None:
    for name in names:
        value = item.get(name)
        found = id_of(value.get("id") if isinstance(value, Mapping) else value)
        if found:
            return found
    return None
