"""Writes of to-dos, of tasks in the tasks module, and of remarks, as commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crmkit.errors import Unsupported
from crmkit.models import Note, Task
from crmkit.values import Json, Kind, Ref
from crmkit.write import Write
from crmkit_bitrix24.client.cards import Job
from crmkit_bitrix24.client.directory import Directory
from crmkit_bitrix24.client.line import Line
from crmkit_bitrix24.client.marker import marker_of
from crmkit_bitrix24.errors.refusals import refused_draft
from crmkit_bitrix24.translate import drafted, split_result, with_result
from crmkit_bitrix24.wire import ENTITIES, KINDS_BY_TYPE, TASK_PREFIX, Command, mapping

_MODULE_NAMES: Mapping[str, str] = {"SUBJECT": "TITLE"}
_COMPLETED = "5"
_PENDING = "2"


class Todos:
    """Prepares writes of what stands on cards.

    Args:
        line: the way to the portal.
        names: what the account has by name.
        key: the account's key.
    """

    def __init__(self, line: Line, names: Directory, key: str) -> None:
        self._line = line
        self._names = names
        self._key = key

    def create(self, index: int, write: Write) -> Job:
        """A new to-do on a card; `extra={"as": "task"}` makes it a task of the tasks module instead."""
        record = write.record
        about = record.about if isinstance(record, Task) else None
        values = {name: value for name, value in write.values().items() if name not in ("result", "task_type")}
        fields = drafted(Kind.TASK, values, {}, self._names).fields
        extra = {name: value for name, value in write.extra.items() if name != "as"}
        if write.extra.get("as") == "task":
            return Job(index, write, self._module_task(write, about, fields, extra))
        if about is None or about.kind not in ENTITIES:
            remedy = "Set about to a deal, lead, contact or company, or make a task with extra={'as': 'task'}."
            raise refused_draft(self._key, "about", "a to-do stands on a card", remedy)
        if "DEADLINE" not in fields:
            raise refused_draft(self._key, "due", "a to-do has a deadline", "Set due.")
        params: dict[str, Any] = {
            "ownerTypeId": ENTITIES[about.kind].type_id,
            "ownerId": int(about.id),
            "deadline": fields["DEADLINE"],
            "title": fields.get("SUBJECT", ""),
        }
        for name, ours in (("description", "DESCRIPTION"), ("responsibleId", "RESPONSIBLE_ID")):
            if fields.get(ours):
                params[name] = fields[ours]
        is_done = fields.get("COMPLETED") == "Y"
        return Job(
            index, write, Command("crm.activity.todo.add", {**params, **extra}), self._close if is_done else None
        )

    def update(self, index: int, write: Write, ref: Ref) -> Job:
        """A changed to-do or task; one call more where the change depends on what is there."""
        values = dict(write.values())
        result = values.pop("result", None)
        values.pop("task_type", None)
        fields = drafted(Kind.TASK, values, write.extra, self._names).fields
        if ref.id.startswith(TASK_PREFIX):
            return self._update_module(index, write, ref, fields)
        deadline = fields.pop("DEADLINE", None)
        about = values.get("about")
        if result is not None or deadline is not None or "DESCRIPTION" in fields:
            current = mapping(self._line.call("crm.activity.get", {"id": int(ref.id)}))
            self._settle_description(fields, str(current.get("DESCRIPTION") or ""), result)
            if deadline is not None:
                self._move_deadline(current, ref, deadline)
        if isinstance(about, Ref) and about.kind in ENTITIES:
            fields |= self._move(ref, about)
        command = Command("crm.activity.update", {"id": int(ref.id), "fields": fields})
        return Job(index, write, command if fields else None, is_repeatable=True)

    def delete(self, index: int, write: Write, ref: Ref) -> Job:
        """A to-do or task thrown away."""
        if ref.id.startswith(TASK_PREFIX):
            return Job(index, write, Command("tasks.task.delete", {"taskId": _module_id(ref)}))
        return Job(index, write, Command("crm.activity.delete", {"id": int(ref.id)}))

    def create_note(self, index: int, write: Write) -> Job:
        """A new remark on a card."""
        record = write.record
        about = record.about if isinstance(record, Note) else None
        if about is None or about.kind not in ENTITIES:
            raise refused_draft(self._key, "about", "a remark stands on a card", "Set about to a card.")
        values = {name: value for name, value in write.values().items() if name != "note_type"}
        fields = drafted(Kind.NOTE, values, write.extra, self._names).fields
        card = {"ENTITY_ID": int(about.id), "ENTITY_TYPE": ENTITIES[about.kind].name}
        return Job(index, write, Command("crm.timeline.comment.add", {"fields": {**card, **fields}}))

    def update_note(self, index: int, write: Write, ref: Ref) -> Job:
        """A changed remark."""
        fields = drafted(Kind.NOTE, write.values(), write.extra, self._names).fields
        command = Command("crm.timeline.comment.update", {"id": int(ref.id), "fields": fields})
        return Job(index, write, command, is_repeatable=True)

    def delete_note(self, index: int, write: Write, ref: Ref) -> Job:
        """A remark thrown away."""
        return Job(index, write, Command("crm.timeline.comment.delete", {"id": int(ref.id)}))

    def _close(self, ref: Ref) -> None:
        self._line.call("crm.activity.update", {"id": int(ref.id), "fields": {"COMPLETED": "Y"}})

    def _module_task(
        self, write: Write, about: Ref | None, fields: Mapping[str, Json], extra: Mapping[str, Json]
    ) -> Command:
        values: dict[str, Any] = {_MODULE_NAMES.get(name, name): value for name, value in fields.items()}
        if values.pop("COMPLETED", "N") == "Y":
            values["STATUS"] = _COMPLETED
        values.setdefault("RESPONSIBLE_ID", self._names.account().user_id)
        values["XML_ID"] = marker_of(write)
        if about is not None and about.kind in ENTITIES:
            values["UF_CRM_TASK"] = [f"{ENTITIES[about.kind].letter}_{about.id}"]
        return Command("tasks.task.add", {"fields": {**values, **extra}})

    def _move(self, ref: Ref, about: Ref) -> dict[str, Json]:
        """Put a to-do on another card; a plain change of its owner is passed over by the portal.

        What is to be changed beside, on portals without those methods.
        Source: Bitrix24 REST, pages "crm.activity.binding.move", "crm.activity.binding.add" and "... .delete".
        """
        current = mapping(self._line.call("crm.activity.get", {"id": int(ref.id)}))
        old = (int(current.get("OWNER_TYPE_ID") or 0), int(current.get("OWNER_ID") or 0))
        new = (ENTITIES[about.kind].type_id, int(about.id))
        if old == new:
            return {}
        place = {"entityTypeId": new[0], "entityId": new[1]}
        try:
            if old[0] == new[0] and old[1]:
                source = {"sourceEntityTypeId": old[0], "sourceEntityId": old[1]}
                target = {"targetEntityTypeId": new[0], "targetEntityId": new[1]}
                self._line.call("crm.activity.binding.move", {"activityId": int(ref.id), **source, **target})
            else:
                self._line.call("crm.activity.binding.add", {"activityId": int(ref.id), **place})
                if old[1]:
                    left = {"entityTypeId": old[0], "entityId": old[1]}
                    self._line.call("crm.activity.binding.delete", {"activityId": int(ref.id), **left})
        except Unsupported:
            return {"OWNER_TYPE_ID": new[0], "OWNER_ID": new[1]}
        return {}

    def _update_module(self, index: int, write: Write, ref: Ref, fields: Mapping[str, Json]) -> Job:
        values: dict[str, Any] = {_MODULE_NAMES.get(name, name): value for name, value in fields.items()}
        if "COMPLETED" in values:
            values["STATUS"] = _COMPLETED if values.pop("COMPLETED") == "Y" else _PENDING
        command = Command("tasks.task.update", {"taskId": _module_id(ref), "fields": values})
        return Job(index, write, command if values else None, is_repeatable=True)

    def _settle_description(self, fields: dict[str, Json], current: str, result: str | None) -> None:
        """What came of a to-do stays at the end of its description, whatever of the two changes."""
        description, old = split_result(current)
        text = str(fields.get("DESCRIPTION", description) or "")
        outcome = result if result is not None else old
        if result is not None or "DESCRIPTION" in fields:
            fields["DESCRIPTION"] = with_result(text, outcome) if outcome else text

    def _move_deadline(self, current: Mapping[str, Any], ref: Ref, deadline: Json) -> None:
        # A plain update derives the deadline from the end of the activity; this method sets both.
        owner_type = int(current.get("OWNER_TYPE_ID") or 0)
        if owner_type not in KINDS_BY_TYPE:
            raise refused_draft(self._key, "due", "the to-do stands on no card of crmkit", "Change it in Bitrix24.")
        params = {"ownerTypeId": owner_type, "ownerId": int(current["OWNER_ID"]), "id": int(ref.id), "value": deadline}
        self._line.call("crm.activity.todo.updateDeadline", params)


def made_task_id(result: Json) -> str:
    """The address of a new to-do, or of a new task. Raises KeyError for an answer without one."""
    found = mapping(result)
    if "task" in found:
        return f"{TASK_PREFIX}{mapping(found['task'])['id']}"
    return str(found["id"])


def _module_id(ref: Ref) -> int:
    return int(ref.id.removeprefix(TASK_PREFIX))
