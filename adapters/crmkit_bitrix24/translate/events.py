"""What an event's name and data say: which record, and what became of it; from hooks and from the offline queue."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from crmkit.values import Kind, Ref
from crmkit.webhook import Action, Hint
from crmkit_bitrix24.wire import TASK_PREFIX

CALL_ENDED = "ONVOXIMPLANTCALLEND"

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
EVENTS: Mapping[str, tuple[Kind, Action]] = {
    **{f"{entity}{name}": (kind, action) for entity, kind in _ENTITIES.items() for name, action in _ACTIONS.items()},
    "ONCRMDEALMOVETOCATEGORY": (Kind.DEAL, Action.CHANGED),
    "ONUSERADD": (Kind.USER, Action.ADDED),
    CALL_ENDED: (Kind.CALL, Action.ADDED),
}
"""Source: Bitrix24 REST, page "Events"."""


def hint_of(event: str, data: Any, account: str, at: datetime | None) -> Hint | None:
    """The record that an event names, as a hint; None when it names none, or is an event of another matter."""
    if event not in EVENTS or not isinstance(data, Mapping):
        return None
    kind, action = EVENTS[event]
    if event == CALL_ENDED:
        record_id = _text(data.get("CALL_ID"))
    else:
        record_id = _record_id(data)
    if record_id is None:
        return None
    if event.startswith("ONTASK"):
        record_id = f"{TASK_PREFIX}{record_id}"
    return Hint(Ref(account, kind, record_id), action, at)


def happened_at(value: Any) -> datetime | None:
    """The moment of a row, UTC; None for an empty or unreadable one."""
    try:
        return datetime.fromisoformat(value).astimezone(UTC) if isinstance(value, str) and value else None
    except ValueError:
        return None


def number_in(value: Any) -> str | None:
    """A positive number as text; None for everything else."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value)
    return text if text and text.isascii() and text.isdigit() and text != "0" else None


def _record_id(data: Mapping[str, Any]) -> str | None:
    """The id, wherever the event keeps it; a task that is gone has it only before."""
    for name in ("FIELDS", "FIELDS_AFTER", "FIELDS_BEFORE"):
        fields = data.get(name)
        if isinstance(fields, Mapping) and (found := number_in(fields.get("ID"))):
            return found
    return number_in(data.get("ID"))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
