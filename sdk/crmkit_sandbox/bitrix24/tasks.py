"""Tasks of the tasks module, and the entries that they leave at CRM records."""

from typing import Any

from crmkit_sandbox.wire import Row

from .activities import LINKED_TASK, TASK, create_activity, update_activity
from .events import Events
from .kinds import BY_CODE
from .params import items_of
from .portal import Portal
from .problems import Problem
from .values import number_of, read_date

PENDING, IN_PROGRESS, AWAITING, COMPLETED, DEFERRED = "2", "3", "4", "5", "6"
TEXTS = ("TITLE", "DESCRIPTION", "XML_ID", "MARK")
IDS = ("RESPONSIBLE_ID", "CREATED_BY", "GROUP_ID", "PARENT_ID")
MANY = ("ACCOMPLICES", "AUDITORS", "TAGS", "UF_CRM_TASK")


def read_task(fields: Any, *, is_new: bool) -> Row:
    """The columns of a task.

    Raises Problem 400 with HTML in its text for a missing title or owner.
    """
    given: Row = {str(name).upper(): value for name, value in fields.items()} if isinstance(fields, dict) else {}
    if (is_new or "TITLE" in given) and not given.get("TITLE"):
        raise Problem(400, "ERROR_CORE", "Task title is not specified<br>")
    if is_new and not number_of(given.get("RESPONSIBLE_ID")):
        raise Problem(400, "ERROR_CORE", "Responsible person is not specified<br>")
    columns: Row = {name: str(given[name]) for name in TEXTS if given.get(name) is not None}
    columns |= {name: str(number_of(given[name])) for name in IDS if given.get(name) is not None}
    columns |= {name: [str(one) for one in items_of(given[name])] for name in MANY if name in given}
    if "DEADLINE" in given:
        columns["DEADLINE"] = (
            read_date("DEADLINE", str(given["DEADLINE"]), is_date=False) if given["DEADLINE"] else None
        )
    if str(given.get("PRIORITY")) in ("0", "1", "2"):
        columns["PRIORITY"] = str(given["PRIORITY"])
    if str(given.get("STATUS")) in (PENDING, IN_PROGRESS, AWAITING, COMPLETED, DEFERRED):
        columns["STATUS"] = str(given["STATUS"])
    return columns


def create_task(portal: Portal, events: Events, columns: Row) -> Row:
    """Make a task, and an entry in the timeline of each record that it names."""
    row_id, stamp, actor = portal.take_id("tasks"), portal.stamp(), str(portal.actor.user_id)
    row: Row = {"id": row_id, "updated_at": portal.now(), "is_deleted": False, "activity": None, "ID": str(row_id)}
    row |= {"PARENT_ID": None, "TITLE": "", "DESCRIPTION": "", "MARK": None, "PRIORITY": "1", "STATUS": PENDING}
    row |= {"CREATED_BY": actor, "CREATED_DATE": stamp, "RESPONSIBLE_ID": actor, "CHANGED_BY": actor}
    row |= {"CHANGED_DATE": stamp, "CLOSED_BY": None, "CLOSED_DATE": None, "DEADLINE": None, "XML_ID": None}
    row |= {"STATUS_CHANGED_DATE": stamp, "GROUP_ID": "0", "ACCOMPLICES": [], "AUDITORS": [], "TAGS": []}
    row |= {"UF_CRM_TASK": [], "DESCRIPTION_IN_BBCODE": "Y"}
    row |= columns
    places = _places(portal, row["UF_CRM_TASK"])
    if places:
        row["activity"] = create_activity(portal, events, places, _entry(row))["id"]
    portal.tables["tasks"].put(row)
    data = {"FIELDS_BEFORE": "undefined", "FIELDS_AFTER": {"ID": row_id}}
    events.emit("ONTASKADD", data | {"IS_ACCESSIBLE_BEFORE": "N", "IS_ACCESSIBLE_AFTER": "undefined"}, row_id)
    return row


def update_task(portal: Portal, events: Events, row: Row, columns: Row) -> Row:
    """Change a task; its entries follow."""
    actor, stamp = str(portal.actor.user_id), portal.stamp()
    after = {**row, **columns, "CHANGED_BY": actor, "CHANGED_DATE": stamp, "updated_at": portal.now()}
    if after["STATUS"] != row["STATUS"]:
        is_done = after["STATUS"] == COMPLETED
        after |= {"STATUS_CHANGED_DATE": stamp, "CLOSED_BY": actor if is_done else None}
        after["CLOSED_DATE"] = stamp if is_done else None
    entry = portal.tables["activities"].live(after["activity"] or 0)
    places = _places(portal, after["UF_CRM_TASK"])
    if entry is not None:
        update_activity(portal, events, entry, _entry(after))
    elif places:
        after["activity"] = create_activity(portal, events, places, _entry(after))["id"]
    portal.tables["tasks"].put(after)
    data = {"FIELDS_BEFORE": {"ID": row["id"]}, "FIELDS_AFTER": {"ID": row["id"]}}
    places_seen = {"IS_ACCESSIBLE_BEFORE": "undefined", "IS_ACCESSIBLE_AFTER": "undefined"}
    events.emit("ONTASKUPDATE", data | places_seen, row["id"])
    return after


def delete_task(portal: Portal, events: Events, row: Row) -> None:
    """Remove a task."""
    portal.tables["tasks"].put({**row, "is_deleted": True, "updated_at": portal.now()})
    data = {"FIELDS_BEFORE": {"ID": row["id"]}, "FIELDS_AFTER": "undefined"}
    events.emit("ONTASKDELETE", data, row["id"])


def _entry(row: Row) -> Row:
    return {
        "TYPE_ID": str(TASK),
        "PROVIDER_ID": LINKED_TASK,
        "PROVIDER_TYPE_ID": "TASK",
        "ASSOCIATED_ENTITY_ID": row["ID"],
        "SUBJECT": row["TITLE"],
        "DESCRIPTION": row["DESCRIPTION"],
        "RESPONSIBLE_ID": row["RESPONSIBLE_ID"],
        "DEADLINE": row["DEADLINE"],
        "COMPLETED": "Y" if row["STATUS"] == COMPLETED else "N",
    }


def _places(portal: Portal, codes: list[str]) -> list[tuple[int, int]]:
    found = []
    for code in codes:
        letter, _, number = code.partition("_")
        kind = BY_CODE.get(letter)
        if kind is not None and portal.table(kind).live(number_of(number)) is not None:
            found.append((kind.type_id, number_of(number)))
    return found
