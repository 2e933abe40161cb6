"""Methods of smart processes: kinds of records that a portal makes for itself; their items are `crm.item.*`."""

from typing import Any

from crmkit_sandbox.wire import Row

from .listing import list_rows, make_condition, matches, split_key
from .methods import Answer, Call, Registry
from .portal import Portal
from .problems import Problem, missing
from .seed import add_smart_process
from .values import number_of

FIRST_NUMBER = 128
TYPES = {"id": "integer", "entityTypeId": "integer", "title": "string", "code": "string"}
SHOWN = (
    "id",
    "title",
    "code",
    "createdBy",
    "entityTypeId",
    "customSectionId",
    "createdTime",
    "updatedTime",
    "updatedBy",
)
SWITCHES = {
    **dict.fromkeys(("isCategoriesEnabled", "isStagesEnabled", "isClientEnabled", "isBeginCloseDatesEnabled"), "Y"),
    **dict.fromkeys(("isLinkWithProductsEnabled", "isMycompanyEnabled", "isSourceEnabled", "isObserversEnabled"), "Y"),
    **dict.fromkeys(("isAutomationEnabled", "isBizProcEnabled", "isDocumentsEnabled", "isRecyclebinEnabled"), "N"),
}


def register(registry: Registry) -> None:
    """Declare the methods."""
    registry.add("crm.type.list", _list)
    registry.add("crm.type.get", lambda call: {"type": show_type(_by_id(call))})
    registry.add("crm.type.getByEntityTypeId", lambda call: {"type": show_type(_by_number(call))})
    registry.add("crm.type.add", _add, is_admin_only=True)
    registry.add("crm.type.update", _update, is_admin_only=True)
    registry.add("crm.type.delete", _delete, is_admin_only=True)


def show_type(row: Row) -> Row:
    """A smart process as the API shows it."""
    return {name: row[name] for name in SHOWN} | SWITCHES


def _list(call: Call) -> Answer:
    rows = [row for _, row in sorted(call.portal.shelves["types"].items())]
    for key, value in call.map("filter").items():
        prefix, name = split_key(str(key))
        if name not in TYPES:
            raise Problem(400, "INVALID_ARG_VALUE", f"Invalid filter: field '{name}' is not allowed in filter")
        condition = make_condition(prefix, name, value, TYPES[name])
        if condition is not None:
            rows = [row for row in rows if matches(condition, TYPES[name])(row)]
    page = list_rows((show_type(row) for row in rows), call.get("start", 0))
    return Answer({"types": page.rows}, page.total, page.next)


def _add(call: Call) -> Row:
    fields = call.map("fields")
    if not fields.get("title"):
        raise missing("title")
    number = number_of(fields.get("entityTypeId"))
    if number and (number < FIRST_NUMBER or number in call.portal.shelves["types"]):
        raise Problem(400, "BX_INVALID_VALUE", "Invalid value of field 'entityTypeId'")
    row = add_smart_process(call.portal, str(fields["title"]), number or None)
    _tell(call, row, "ADD")
    return {"type": show_type(row)}


def _update(call: Call) -> Row:
    row = _by_id(call)
    title = str(call.map("fields").get("title") or row["title"])
    changed = {**row, "title": title, "updatedTime": call.portal.stamp(), "updatedBy": call.caller.user_id}
    call.portal.shelves["types"][row["entityTypeId"]] = changed
    _tell(call, changed, "UPDATE")
    return {"type": show_type(changed)}


def _delete(call: Call) -> list[Any]:
    row = _by_id(call)
    if _has_items(call.portal, row):
        raise Problem(400, "", "The smart process has items: delete them first.")
    del call.portal.shelves["types"][row["entityTypeId"]]
    _tell(call, row, "DELETE")
    return []


def _has_items(portal: Portal, row: Row) -> bool:
    kind = portal.kind(row["entityTypeId"])
    return kind is not None and len(portal.table(kind)) > 0


def _by_id(call: Call) -> Row:
    wanted = number_of(call.need("id"))
    found = next((row for row in call.portal.shelves["types"].values() if row["id"] == wanted), None)
    if found is None:
        raise Problem(400, "NOT_FOUND", "Smart process not found")
    return found


def _by_number(call: Call) -> Row:
    found = call.portal.shelves["types"].get(number_of(call.need("entityTypeId")))
    if found is None:
        raise Problem(400, "NOT_FOUND", "Smart process not found")
    return found


def _tell(call: Call, row: Row, act: str) -> None:
    told = {"FIELDS": {"ID": row["id"], "ENTITY_TYPE_ID": row["entityTypeId"]}}
    call.events.emit(f"ONCRMTYPE{act}", told, row["id"])
