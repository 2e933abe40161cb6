"""Methods about duplicates, merging and the history of stages."""

from typing import Any

from crmkit_sandbox.wire import Row

from .kinds import BY_TYPE, DEAL, KINDS, Kind
from .listing import list_table, read_filter
from .merging import conflicts, merge
from .methods import Answer, Call, Registry
from .params import items_of
from .portal import Portal
from .problems import Problem, missing
from .values import number_of

MOST_VALUES, MOST_HITS = 20, 20
HISTORY_TYPES = {"CREATED_TIME": "datetime", "STAGE_ID": "string", "STAGE_SEMANTIC_ID": "string"} | dict.fromkeys(
    ("ID", "TYPE_ID", "OWNER_ID", "CATEGORY_ID"), "integer"
)
LEAD_TYPES = {name.replace("STAGE", "STATUS"): type_ for name, type_ in HISTORY_TYPES.items()}


def register(registry: Registry) -> None:
    """Declare the methods."""
    registry.add("crm.duplicate.findbycomm", _find)
    registry.add("crm.entity.mergeBatch", _merge)
    registry.add("crm.stagehistory.list", _history)


def _find(call: Call) -> Row:
    type_ = str(call.get("type") or "").upper()
    if type_ not in ("PHONE", "EMAIL"):
        raise Problem(400, "Communication type is not defined", "Parameter 'type' is required.")
    values = [str(one) for one in items_of(call.get("values"))]
    if not values:
        raise Problem(400, "Communication values is not defined", "Parameter 'values' is required.")
    if len(values) > MOST_VALUES:
        raise Problem(400, "", f"Parameter 'values' must have at most {MOST_VALUES} items.")
    asked = str(call.get("entity_type") or "").upper()
    found: Row = {}
    for key in ("LEAD", "CONTACT", "COMPANY"):
        if asked in ("", key):
            hits = _hits(call.portal, KINDS[key.lower()], type_, values)[:MOST_HITS]
            if hits:
                found[key] = hits
            # A full answer hides the types that follow.
            if len(hits) == MOST_HITS:
                break
    return found


def _hits(portal: Portal, kind: Kind, type_: str, values: list[str]) -> list[int]:
    find = portal.search[kind.key].by_phone if type_ == "PHONE" else portal.emails[kind.key].ids
    return sorted({row_id for value in values for row_id in find(value)})


def _merge(call: Call) -> Row:
    params = call.map("params")
    if not params:
        raise missing("params")
    kind = BY_TYPE.get(number_of(params.get("entityTypeId")))
    if kind is None:
        raise Problem(400, 0, "The parameter entityTypeId is required.")
    ids = list(dict.fromkeys(number_of(one) for one in items_of(params.get("entityIds"))))
    if len(ids) < 2:
        raise Problem(400, 0, "The parameter entityIds must contains at least two elements.")
    rows = [row for row_id in ids if (row := call.portal.table(kind).live(row_id)) is not None]
    if len(rows) != len(ids):
        return {"STATUS": "ERROR", "ENTITY_IDS": []}
    if conflicts(call.portal, kind, rows):
        return {"STATUS": "CONFLICT", "ENTITY_IDS": []}
    return {"STATUS": "SUCCESS", "ENTITY_IDS": merge(call.portal, call.events, kind, rows)}


def _history(call: Call) -> Answer:
    kind = BY_TYPE.get(number_of(call.need("entityTypeId")))
    if kind is None or not kind.stage:
        raise Problem(400, "", "Entity type is not supported")
    types = HISTORY_TYPES if kind is DEAL else LEAD_TYPES
    number = kind.type_id
    filter_ = call.map("filter")
    call.ignored += [key for key in filter_ if key.lstrip("!=<>@%") not in types]
    page = list_table(
        call.portal.tables["history"],
        read_filter(filter_, types),
        types,
        order=call.map("order"),
        start=call.get("start", 0),
        more=lambda row: bool(row["entity"] == number),
        key=number,
    )
    select = [str(name) for name in items_of(call.get("select"))]
    rows = [_shown(row, types, select) for row in page.rows]
    return Answer({"items": rows}, 0 if page.total is None else page.total, page.next)


def _shown(row: Row, types: dict[str, str], select: list[str]) -> dict[str, Any]:
    is_all = not select or "*" in select
    return {name: row[name] for name in types if name in row and (is_all or name in {*select, "ID"})}
