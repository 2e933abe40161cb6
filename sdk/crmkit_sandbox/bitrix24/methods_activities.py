"""Methods of activities, to-dos and timeline comments."""

from typing import Any

from crmkit_sandbox.wire import Row

from .activities import (
    CALL,
    TASK,
    create_activity,
    create_todo,
    delete_activity,
    place_activity,
    todo_columns,
    update_activity,
)
from .comments import create_comment, delete_comment, update_comment
from .kinds import BY_TYPE, KINDS
from .listing import Predicate, list_table, read_filter
from .methods import Answer, Call, Registry
from .params import items_of
from .problems import Problem, missing, not_found
from .values import number_of, parse_moment

DATES = ("CREATED", "LAST_UPDATED", "START_TIME", "END_TIME", "DEADLINE")
NUMBERS = ("ID", "OWNER_ID", "OWNER_TYPE_ID", "TYPE_ID", "RESPONSIBLE_ID", "AUTHOR_ID", "EDITOR_ID", "PRIORITY")
TEXTS = ("PROVIDER_ID", "PROVIDER_TYPE_ID", "SUBJECT", "COMPLETED", "DESCRIPTION", "ORIGINATOR_ID", "ORIGIN_ID")
TYPES = (
    dict.fromkeys(DATES, "datetime")
    | dict.fromkeys((*NUMBERS, "STATUS", "DIRECTION", "ASSOCIATED_ENTITY_ID"), "integer")
    | dict.fromkeys(TEXTS, "string")
)
COMMENT_TYPES = {"ID": "integer", "ENTITY_ID": "integer", "ENTITY_TYPE": "string", "AUTHOR_ID": "integer"} | {
    "CREATED": "datetime",
    "COMMENT": "string",
}
WRITTEN = (*TEXTS, "TYPE_ID", "RESPONSIBLE_ID", "PRIORITY", "DIRECTION", "DESCRIPTION_TYPE", "LOCATION")
PRIVATE = ("id", "updated_at", "is_deleted", "bindings", "communications")


def register(registry: Registry) -> None:
    """Declare the methods."""
    registry.add("crm.activity.get", lambda call: show(_row(call)) | {"COMMUNICATIONS": _row(call)["communications"]})
    registry.add("crm.activity.list", _list)
    registry.add("crm.activity.add", _add)
    registry.add("crm.activity.update", _update)
    registry.add("crm.activity.delete", _delete)
    registry.add("crm.activity.binding.list", _bindings)
    registry.add("crm.activity.binding.add", _bind)
    registry.add("crm.activity.binding.delete", _unbind)
    registry.add("crm.activity.binding.move", _rebind)
    registry.add("crm.activity.todo.add", _todo_add)
    registry.add("crm.activity.todo.update", _todo_update)
    registry.add("crm.activity.todo.updateDeadline", lambda call: _todo_set(call, "deadline"))
    registry.add("crm.activity.todo.updateDescription", lambda call: _todo_set(call, "description"))
    registry.add("crm.activity.todo.updateResponsibleUser", lambda call: _todo_set(call, "responsibleId"))
    registry.add("crm.activity.todo.updateColor", lambda call: _todo_set(call, "colorId"))
    registry.add("crm.timeline.comment.add", _comment_add)
    registry.add("crm.timeline.comment.get", lambda call: show(_comment(call)))
    registry.add("crm.timeline.comment.list", _comment_list)
    registry.add("crm.timeline.comment.update", _comment_update)
    registry.add("crm.timeline.comment.delete", _comment_delete)


def show(row: Row) -> Row:
    """A row without what the API does not show."""
    return {name: value for name, value in row.items() if name not in PRIVATE}


def _row(call: Call) -> Row:
    row = call.portal.tables["activities"].live(call.row_id())
    if row is None:
        raise not_found()
    return row


def _list(call: Call) -> Answer:
    filter_ = call.map("filter")
    call.ignored += [key for key in filter_ if key.lstrip("!=<>@%") not in (*TYPES, "BINDINGS")]
    wanted = _places(filter_.get("BINDINGS"))
    bound: Predicate = lambda row: any(place in wanted for place in row["bindings"])  # noqa: E731  an optional test
    page = list_table(
        call.portal.tables["activities"],
        read_filter(filter_, TYPES),
        TYPES,
        order=call.map("order"),
        start=call.get("start", 0),
        more=bound if wanted else None,
    )
    select = [str(name) for name in items_of(call.get("select"))]
    rows = []
    for row in page.rows:
        shown = show(row)
        if select and "*" not in select:
            shown = {name: value for name, value in shown.items() if name in select or name == "ID"}
        if "COMMUNICATIONS" in select:
            shown["COMMUNICATIONS"] = row["communications"]
        rows.append(shown)
    return Answer(rows, 0 if page.total is None else page.total, page.next)


def _places(bindings: Any) -> list[tuple[int, int]]:
    return [
        (number_of(one.get("OWNER_TYPE_ID")), number_of(one.get("OWNER_ID")))
        for one in items_of(bindings)
        if isinstance(one, dict)
    ]


def _columns(fields: Row) -> Row:
    columns = {name: str(fields[name]) for name in WRITTEN if fields.get(name) is not None}
    for name in ("START_TIME", "END_TIME"):
        if fields.get(name):
            moment = parse_moment(str(fields[name]))
            if moment is None:
                raise Problem(400, "", f"Incorrect value of field {name}")
            columns[name] = moment.replace(microsecond=0).isoformat()
    for name in ("SETTINGS", "PROVIDER_PARAMS"):
        if isinstance(fields.get(name), dict | list):
            columns[name] = fields[name]
    return columns


def _add(call: Call) -> int:
    fields = call.get("fields")
    if not isinstance(fields, dict):
        raise Problem(400, "", "Parameter 'fields' must be array.")
    for name in ("OWNER_TYPE_ID", "OWNER_ID", "TYPE_ID", "SUBJECT", "RESPONSIBLE_ID", "COMMUNICATIONS"):
        if not fields.get(name):
            raise Problem(400, "", f"The field {name} is required.")
    type_id, place = number_of(fields["TYPE_ID"]), _places([fields])[0]
    talks = [talk for talk in items_of(fields["COMMUNICATIONS"]) if isinstance(talk, dict)]
    if type_id == TASK:
        raise Problem(400, "", "Use tasks.task.add to create a task.")
    if type_id == CALL and len(talks) != 1:
        raise Problem(400, "", "The only one communication is allowed for activity of specified type.")
    if call.portal.live(*place) is None:
        raise Problem(400, "", "Owner was not found.")
    columns = _columns(fields)
    deadline = columns.get("START_TIME") if type_id in (1, 2) else columns.get("END_TIME")
    columns |= {
        "DEADLINE": deadline or call.portal.stamp(),
        "COMPLETED": "Y" if fields.get("COMPLETED") == "Y" else "N",
    }
    columns.setdefault("PROVIDER_ID", {1: "CRM_MEETING", 2: "CRM_CALL", 4: "CRM_EMAIL"}.get(type_id, "REST_APP"))
    places = list(dict.fromkeys([place, *_places([_as_binding(talk) for talk in talks])]))
    known = [one for one in places if call.portal.live(*one) is not None]
    return int(create_activity(call.portal, call.events, known, columns, talks)["id"])


def _as_binding(talk: Row) -> Row:
    return {"OWNER_TYPE_ID": talk.get("ENTITY_TYPE_ID"), "OWNER_ID": talk.get("ENTITY_ID")}


def _update(call: Call) -> bool:
    row, fields = _row(call), call.get("fields")
    if not isinstance(fields, dict):
        raise Problem(400, "", "Parameter 'fields' must be array.")
    columns = _columns(fields)
    if "COMPLETED" in columns and columns["COMPLETED"] != "Y":
        columns["COMPLETED"] = "N"
    update_activity(call.portal, call.events, row, columns)
    return True


def _delete(call: Call) -> bool:
    delete_activity(call.portal, call.events, _row(call))
    return True


def _bound(call: Call) -> Row:
    row = call.portal.tables["activities"].live(number_of(call.need("activityId")))
    if row is None:
        raise Problem(400, "NOT_FOUND", "Element not found")
    return row


def _place(call: Call, prefix: str) -> tuple[int, int]:
    names = (f"{prefix}EntityTypeId", f"{prefix}EntityId") if prefix else ("entityTypeId", "entityId")
    return number_of(call.need(names[0])), number_of(call.need(names[1]))


def _bind(call: Call) -> bool:
    row, place = _bound(call), _place(call, "")
    if call.portal.live(*place) is None:
        raise Problem(400, "OWNER_NOT_FOUND", "Owner not found")
    if place in row["bindings"]:
        raise Problem(400, "ACTIVITY_IS_ALREADY_BOUND", "Activity is already bound")
    place_activity(call.portal, call.events, row, [*row["bindings"], place])
    return True


def _unbind(call: Call) -> bool:
    row, place = _bound(call), _place(call, "")
    if place not in row["bindings"]:
        raise Problem(400, "BINDING_NOT_FOUND", "Binding not found")
    rest = [one for one in row["bindings"] if one != place]
    if not rest:
        raise Problem(400, "LAST_BINDING_CANNOT_BE_DELETED", "The last binding cannot be deleted")
    place_activity(call.portal, call.events, row, rest)
    return True


def _rebind(call: Call) -> bool:
    row, source, target = _bound(call), _place(call, "source"), _place(call, "target")
    if source[0] != target[0]:
        raise Problem(400, "SOURCE_AND_TARGET_ENTITY_TYPES_ARE_NOT_EQUAL", "Entity types are not equal")
    if source == target:
        raise Problem(400, "SOURCE_AND_TARGET_ENTITY_ID_ARE_EQUAL_ERROR", "Source and target are equal")
    if call.portal.live(*target) is None:
        raise Problem(400, "OWNER_NOT_FOUND", "Owner not found")
    if target in row["bindings"]:
        raise Problem(400, "ACTIVITY_IS_ALREADY_BOUND", "Activity is already bound")
    if source not in row["bindings"]:
        raise Problem(400, "BINDING_NOT_FOUND", "Binding not found")
    places = [target if one == source else one for one in row["bindings"]]
    place_activity(call.portal, call.events, row, places)
    return True


def _bindings(call: Call) -> list[Row]:
    row = _bound(call)
    return [{"entityTypeId": type_id, "entityId": owner_id} for type_id, owner_id in row["bindings"]]


def _todo_add(call: Call) -> Row:
    type_id, owner_id = number_of(call.need("ownerTypeId")), number_of(call.need("ownerId"))
    call.need("deadline")
    if type_id not in BY_TYPE:
        raise Problem(400, "NOT_FOUND", "Element not found")
    given = {name: call.get(name) for name in ("deadline", "title", "description", "responsibleId", "colorId")}
    row = create_todo(call.portal, call.events, type_id, owner_id, given)
    return {"id": row["id"]}


def _todo(call: Call) -> Row:
    row = call.portal.tables["activities"].live(number_of(call.need("id")))
    place = (number_of(call.need("ownerTypeId")), number_of(call.need("ownerId")))
    if row is None or row["PROVIDER_ID"] != "CRM_TODO" or place not in row["bindings"]:
        raise Problem(400, "NOT_FOUND", "Element not found")
    return row


def _todo_update(call: Call) -> Row:
    row = _todo(call)
    call.need("deadline")
    given = {name: call.get(name) for name in ("deadline", "title", "description", "responsibleId", "colorId")}
    update_activity(call.portal, call.events, row, todo_columns(given))
    return {"id": row["id"]}


def _todo_set(call: Call, name: str) -> Row:
    row = _todo(call)
    value = call.get("value", call.get(name))
    if value is None:
        raise missing("value")
    update_activity(call.portal, call.events, row, todo_columns({name: value}))
    return {"id": row["id"]}


def _comment(call: Call) -> Row:
    row = call.portal.tables["comments"].live(call.row_id())
    if row is None:
        raise not_found()
    return row


def _comment_add(call: Call) -> int:
    # The case of this one parameter matters.
    fields = call.params.get("fields")
    if not isinstance(fields, dict):
        raise missing("fields")
    kind = KINDS.get(str(fields.get("ENTITY_TYPE")))
    place = number_of(fields.get("ENTITY_ID"))
    if not fields.get("COMMENT"):
        raise Problem(400, "", "Empty comment message.")
    if kind is None or call.portal.table(kind).live(place) is None:
        raise Problem(400, "", "Owner entity was not found.")
    author = number_of(fields.get("AUTHOR_ID")) or call.caller.user_id
    return int(create_comment(call.portal, call.events, kind, place, str(fields["COMMENT"]), author)["id"])


def _comment_list(call: Call) -> Answer:
    filter_ = call.map("filter")
    if not filter_.get("ENTITY_ID") or not filter_.get("ENTITY_TYPE"):
        raise Problem(400, "", "The filter must name ENTITY_ID and ENTITY_TYPE.")
    page = list_table(
        call.portal.tables["comments"],
        read_filter(filter_, COMMENT_TYPES),
        COMMENT_TYPES,
        order=call.map("order"),
        start=call.get("start", 0),
    )
    select = {str(name) for name in items_of(call.get("select"))}
    rows = [
        {name: value for name, value in show(row).items() if not select or "*" in select or name in {*select, "ID"}}
        for row in page.rows
    ]
    return Answer(rows, 0 if page.total is None else page.total, page.next)


def _comment_update(call: Call) -> bool:
    row, fields = _comment(call), call.params.get("fields")
    if not isinstance(fields, dict) or not fields.get("COMMENT"):
        raise Problem(400, "", "Empty comment message.")
    update_comment(call.portal, call.events, row, str(fields["COMMENT"]))
    return True


def _comment_delete(call: Call) -> bool:
    delete_comment(call.portal, call.events, _comment(call))
    return True
