"""Activities of records: to-dos, calls, meetings, and the entries that tasks leave."""

from collections.abc import Sequence
from typing import Any

from crmkit_sandbox.wire import Row

from .changes import touch_activity
from .events import Events
from .kinds import BY_TYPE
from .portal import Portal, iso
from .problems import Problem
from .values import number_of, parse_moment

MEETING, CALL, TASK, EMAIL, PROVIDED = 1, 2, 3, 4, 6
INCOMING, OUTGOING = "1", "2"
TODO, PHONE_CALL, LINKED_TASK = "CRM_TODO", "VOXIMPLANT_CALL", "CRM_TASKS_TASK"


def create_activity(
    portal: Portal,
    events: Events,
    places: Sequence[tuple[int, int]],
    columns: Row,
    communications: Sequence[Row] = (),
) -> Row:
    """Make an activity of the records `places`, the first of which owns it."""
    row_id, stamp, actor = portal.take_id("activities"), portal.stamp(), str(portal.actor.user_id)
    owner_type, owner_id = places[0] if places else (0, 0)
    row: Row = {"id": row_id, "updated_at": portal.now(), "is_deleted": False}
    row |= {"bindings": list(places), "communications": list(communications)}
    row |= {"ID": str(row_id), "OWNER_ID": str(owner_id), "OWNER_TYPE_ID": str(owner_type), "TYPE_ID": "6"}
    row |= {"PROVIDER_ID": "", "PROVIDER_TYPE_ID": "", "PROVIDER_GROUP_ID": None, "ASSOCIATED_ENTITY_ID": "0"}
    row |= {"SUBJECT": "", "CREATED": stamp, "LAST_UPDATED": stamp, "START_TIME": stamp, "END_TIME": stamp}
    row |= {"DEADLINE": None, "COMPLETED": "N", "STATUS": "1", "RESPONSIBLE_ID": actor, "PRIORITY": "2"}
    row |= {"NOTIFY_TYPE": "0", "NOTIFY_VALUE": "0", "DESCRIPTION": "", "DESCRIPTION_TYPE": "1", "DIRECTION": "0"}
    row |= {"LOCATION": "", "SETTINGS": [], "ORIGINATOR_ID": None, "ORIGIN_ID": None, "AUTHOR_ID": actor}
    row |= {"EDITOR_ID": actor, "PROVIDER_PARAMS": [], "PROVIDER_DATA": None, "RESULT_MARK": "0", "RESULT_VALUE": None}
    row |= {"RESULT_SUM": None, "RESULT_CURRENCY_ID": None, "RESULT_STATUS": "0", "RESULT_STREAM": "0"}
    row |= {"RESULT_SOURCE_ID": None, "AUTOCOMPLETE_RULE": "0"}
    row |= columns
    row["STATUS"] = "2" if row["COMPLETED"] == "Y" else "1"
    portal.tables["activities"].put(row)
    events.emit("ONCRMACTIVITYADD", {"FIELDS": {"ID": row_id}}, row_id)
    _touch_owners(portal, events, row)
    return row


def update_activity(portal: Portal, events: Events, row: Row, columns: Row) -> Row:
    """Change an activity."""
    after = {**row, **columns, "LAST_UPDATED": portal.stamp(), "EDITOR_ID": str(portal.actor.user_id)}
    after["updated_at"] = portal.now()
    after["STATUS"] = "2" if after["COMPLETED"] == "Y" else "1"
    portal.tables["activities"].put(after)
    events.emit("ONCRMACTIVITYUPDATE", {"FIELDS": {"ID": row["id"]}}, row["id"])
    _touch_owners(portal, events, after)
    return after


def place_activity(portal: Portal, events: Events, row: Row, places: Sequence[tuple[int, int]]) -> Row:
    """Put an activity on the cards of other records, the first of which owns it."""
    owner_type, owner_id = places[0]
    placed = {**row, "bindings": list(places)}
    return update_activity(portal, events, placed, {"OWNER_TYPE_ID": str(owner_type), "OWNER_ID": str(owner_id)})


def delete_activity(portal: Portal, events: Events, row: Row) -> None:
    """Remove an activity."""
    portal.tables["activities"].put({**row, "is_deleted": True, "updated_at": portal.now()})
    events.emit("ONCRMACTIVITYDELETE", {"FIELDS": {"ID": row["id"]}}, row["id"])


def todo_columns(given: Row) -> Row:
    """The columns of a to-do as its methods are given them; what is not given is left out.

    Raises Problem 400 for a deadline that is no moment.
    """
    columns: Row = {}
    if given.get("deadline") not in (None, ""):
        moment = parse_moment(str(given["deadline"]))
        if moment is None:
            raise Problem(400, "WRONG_DATETIME_FORMAT", "Wrong datetime format")
        text = moment.replace(microsecond=0).isoformat()
        columns |= {"DEADLINE": text, "START_TIME": text, "END_TIME": text}
    for name, column in (("title", "SUBJECT"), ("description", "DESCRIPTION")):
        if given.get(name) is not None:
            columns[column] = str(given[name])
    if number_of(given.get("responsibleId")):
        columns["RESPONSIBLE_ID"] = str(given["responsibleId"])
    if given.get("colorId") is not None:
        columns["SETTINGS"] = {"COLOR": str(given["colorId"])}
    return columns


def create_todo(portal: Portal, events: Events, type_id: int, owner_id: int, given: Row) -> Row:
    """Make a to-do of one record.

    Raises Problem 400 for an unknown record or a wrong deadline.
    """
    if portal.live(type_id, owner_id) is None:
        raise Problem(400, "OWNER_NOT_FOUND", "Owner not found")
    columns = {"PROVIDER_ID": TODO, "PROVIDER_TYPE_ID": "TODO", "SUBJECT": "Дело", "DESCRIPTION_TYPE": "2"}
    return create_activity(portal, events, [(type_id, owner_id)], columns | todo_columns(given))


def log_call(portal: Portal, events: Events, places: Sequence[tuple[int, int]], call: Row, *, is_in: bool) -> Row:
    """Make the activity of a finished call."""
    name = "Входящий от" if is_in else "Исходящий на"
    start = call["CALL_START_DATE"]
    ends = parse_moment(start)
    ended = iso((ends.timestamp() if ends else portal.now()) + number_of(call["CALL_DURATION"]))
    is_missed = is_in and call["CALL_FAILED_CODE"] != "200"
    columns = {
        "TYPE_ID": str(CALL),
        "PROVIDER_ID": PHONE_CALL,
        "PROVIDER_TYPE_ID": "CALL",
        "SUBJECT": f"{name} {call['PHONE_NUMBER']}",
        "DIRECTION": INCOMING if is_in else OUTGOING,
        "START_TIME": start,
        "END_TIME": ended,
        "DEADLINE": start,
        # A missed call waits until somebody has called back.
        "COMPLETED": "N" if is_missed else "Y",
        "ORIGIN_ID": f"VI_{call['CALL_ID']}",
        "RESPONSIBLE_ID": call["PORTAL_USER_ID"],
        "SETTINGS": {"MISSED_CALL": True} if is_missed else [],
    }
    value = {"TYPE": "PHONE", "VALUE": call["PHONE_NUMBER"]}
    talks = [{**value, "ENTITY_ID": str(row_id), "ENTITY_TYPE_ID": str(type_id)} for type_id, row_id in places[:1]]
    return create_activity(portal, events, places, columns, talks)


def _touch_owners(portal: Portal, events: Events, row: Row) -> None:
    seen: dict[tuple[int, int], Any] = dict.fromkeys(row["bindings"])
    for type_id, owner_id in seen:
        kind = BY_TYPE.get(type_id)
        if kind is not None:
            touch_activity(portal, events, kind, owner_id)
