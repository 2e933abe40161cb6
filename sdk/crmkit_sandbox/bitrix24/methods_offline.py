"""The offline queue: events that an app fetches itself; reserved under a process, confirmed or set aside by it."""

from typing import Any

from crmkit_sandbox.wire import Row

from .listing import PAGE, list_rows, matches, read_filter, sort_rows
from .methods import Answer, Body, Call, Registry
from .params import items_of
from .problems import Problem
from .values import number_of

FEATURE = "rest_offline_extended"
SHOWN = ("ID", "TIMESTAMP_X", "EVENT_NAME", "EVENT_DATA", "EVENT_ADDITIONAL", "MESSAGE_ID")
TYPES = {"ID": "integer", "TIMESTAMP_X": "datetime", "EVENT_NAME": "string", "MESSAGE_ID": "string"}
LISTED = {**TYPES, "PROCESS_ID": "string", "ERROR": "integer"}


def register(registry: Registry) -> None:
    """Declare the methods."""
    registry.add("feature.get", _feature, scope=None)
    queue: dict[str, Body] = {"get": _get, "list": _list, "clear": _clear, "error": _error}
    for name, body in queue.items():
        registry.add(f"event.offline.{name}", body, scope=None, is_app_only=True)


def _feature(call: Call) -> Row:
    code = str(call.need("CODE"))
    return {"value": "Y" if code != FEATURE or call.portal.confirms_offline else "N"}


def _get(call: Call) -> Row:
    is_clearing = str(call.get("clear", 1)) not in ("0", "false", "False", "N")
    process_id = str(call.get("process_id") or "")
    if not is_clearing and not call.portal.confirms_offline:
        # Confirmation is sold with the higher plans only. Source: Bitrix24 REST, page "Offline events".
        raise Problem(403, "ACCESS_DENIED", "Access denied! Current license does not support extended offline events")
    with_errors = str(call.get("error") or "0") in ("1", "Y", "true")
    found = [
        row
        for row in _chosen(call, TYPES, {"TIMESTAMP_X": "ASC"})
        if (row["process_id"] or "") == process_id and bool(row["error"]) == with_errors
    ][: min(number_of(call.get("limit")) or PAGE, PAGE)]
    shelf = call.portal.shelves["offline"]
    keys = {row["ID"]: key for key, row in shelf.items()}
    if not is_clearing:
        process_id = process_id or f"{call.portal.take_id('processes'):032x}"
    for row in found:
        if is_clearing:
            del shelf[keys[row["ID"]]]
        else:
            shelf[keys[row["ID"]]] = {**row, "process_id": process_id}
    return {"process_id": None if is_clearing else process_id, "events": [_shown(row) for row in found]}


def _list(call: Call) -> Answer:
    rows = [
        {**_shown(row), "PROCESS_ID": row["process_id"] or "", "ERROR": str(row["error"])}
        for row in _chosen(call, LISTED, {"ID": "ASC"})
    ]
    page = list_rows(rows, call.get("start", 0))
    return Answer(page.rows, page.total, page.next)


def _clear(call: Call) -> bool:
    for key in _named(call):
        del call.portal.shelves["offline"][key]
    return True


def _error(call: Call) -> bool:
    shelf = call.portal.shelves["offline"]
    for key in _named(call):
        shelf[key] = {**shelf[key], "error": 1, "process_id": None}
    return True


def _named(call: Call) -> list[Any]:
    process_id = str(call.need("process_id"))
    ids = {str(one) for one in items_of(call.get("id"))}
    # Message ids count only where no ids are given.
    messages = set() if ids else {str(one) for one in items_of(call.get("message_id"))}
    return [
        key
        for key, row in call.portal.shelves["offline"].items()
        if row["process_id"] == process_id
        and (not ids or row["ID"] in ids)
        and (not messages or row["MESSAGE_ID"] in messages)
    ]


def _chosen(call: Call, types: dict[str, str], order: Row) -> list[Row]:
    """The rows that the filter lets through, in the asked order."""
    seen = {"PROCESS_ID": "process_id", "ERROR": "error"}
    rows = sorted(call.portal.shelves["offline"].values(), key=lambda row: int(row["ID"]))
    rows = [{**row, **{name: row[own] for name, own in seen.items()}} for row in rows]
    tests = [matches(one, types[one.name]) for one in read_filter(call.map("filter"), types)]
    kept = [row for row in rows if all(test(row) for test in tests)]
    return [
        {name: value for name, value in row.items() if name not in seen}
        for row in sort_rows(kept, call.map("order") or order, types)
    ]


def _shown(row: Row) -> Row:
    return {name: row[name] for name in SHOWN}
