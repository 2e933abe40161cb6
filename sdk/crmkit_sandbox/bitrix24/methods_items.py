"""Universal methods: crm.item.* of leads, deals, contacts, companies, and of smart processes."""

from collections.abc import Sequence
from typing import Any

from crmkit_sandbox.wire import Row

from .changes import create, delete, update
from .kinds import MULTIFIELDS, Kind
from .listing import Condition, Predicate, list_table, make_condition, matches, split_key
from .methods import Answer, Call, Registry
from .methods_records import refuse_leads, types_of
from .params import items_of
from .problems import Problem, item_not_found, missing
from .shapes import field_rows, universal_record, universal_rows
from .values import names_of, number_of, universal_name
from .writes import read_universal


def register(registry: Registry) -> None:
    """Declare the methods."""
    registry.add("crm.item.get", _get)
    registry.add("crm.item.list", _list)
    registry.add("crm.item.add", _add)
    registry.add("crm.item.update", _update)
    registry.add("crm.item.delete", _delete)
    registry.add("crm.item.fields", _fields)


def kind_of(call: Call) -> Kind:
    """The kind that `entityTypeId` names.

    Raises Problem 400 for none or an unknown one.
    """
    given = call.get("entityTypeId")
    if given is None:
        raise missing("entityTypeId")
    kind = call.portal.kind(number_of(given))
    if number_of(given) == 5:
        raise Problem(400, "ENTITY_TYPE_NOT_SUPPORTED", "Entity type is not supported")
    if kind is None:
        raise item_not_found()
    return kind


def _is_original(call: Call) -> bool:
    return bool(call.get("useOriginalUfNames") == "Y")


def _row(call: Call, kind: Kind) -> Row:
    row = call.portal.table(kind).live(number_of(call.need("id")))
    if row is None:
        raise item_not_found()
    return row


def _get(call: Call) -> Row:
    kind = kind_of(call)
    shown = universal_record(call.portal, kind, _row(call, kind), is_original=_is_original(call))
    return {"item": shown}


def _add(call: Call) -> Row:
    kind = kind_of(call)
    refuse_leads(call.portal, kind)
    is_original = _is_original(call)
    write = read_universal(call.portal, kind, call.need("fields"), is_original=is_original)
    row = create(call.portal, call.events, kind, write)
    return {"item": universal_record(call.portal, kind, row, is_original=is_original)}


def _update(call: Call) -> Row:
    kind = kind_of(call)
    is_original = _is_original(call)
    row = _row(call, kind)
    write = read_universal(call.portal, kind, call.need("fields"), is_original=is_original)
    after = update(call.portal, call.events, kind, row, write, skips_same=True)
    return {"item": universal_record(call.portal, kind, after, is_original=is_original)}


def _delete(call: Call) -> list[Any]:
    kind = kind_of(call)
    delete(call.portal, call.events, kind, _row(call, kind))
    return []


def _fields(call: Call) -> Row:
    kind = kind_of(call)
    is_original = _is_original(call)
    shown = {}
    for name, row in field_rows(call.portal, kind).items():
        if name not in MULTIFIELDS:
            key = name if is_original and name.startswith("UF_") else universal_name(name)
            shown[key] = {**row, "upperName": name}
    return {"fields": shown}


def _list(call: Call) -> Answer:
    kind, portal = kind_of(call), call.portal
    names = names_of(kind, portal.user_fields(kind), is_original=_is_original(call))
    types = types_of(portal, kind)
    conditions: list[Condition] = []
    tests: list[Predicate] = []
    _read(call.map("filter") or call.get("filter"), names, types, conditions, tests)
    order = {names.get(name, name): way for name, way in call.map("order").items()}
    page = list_table(
        portal.table(kind),
        conditions,
        types,
        order=order,
        start=call.get("start", 0),
        more=(lambda row: all(test(row) for test in tests)) if tests else None,
    )
    select = [str(name) for name in items_of(call.get("select"))]
    rows = universal_rows(portal, kind, page.rows, select, is_original=_is_original(call))
    return Answer({"items": rows}, 0 if page.total is None else page.total, page.next)


def _read(
    filter_: Any, names: dict[str, str], types: dict[str, str], conditions: list[Condition], tests: list[Predicate]
) -> None:
    """Sort a filter into plain conditions, and tests for what is nested."""
    pairs: Sequence[tuple[Any, Any]] = (
        list(filter_.items()) if isinstance(filter_, dict) else list(enumerate(items_of(filter_)))
    )
    is_or = isinstance(filter_, dict) and str(filter_.get("logic", "")).upper() == "OR"
    branches: list[Predicate] = []
    for key, value in pairs:
        if key == "logic":
            continue
        if isinstance(key, int) or str(key).isdecimal():
            inner: list[Condition] = []
            more: list[Predicate] = []
            _read(value, names, types, inner, more)
            branches.append(_all(inner, more, types))
            continue
        condition = _condition(str(key), value, names, types)
        if condition is None:
            continue
        if is_or:
            branches.append(matches(condition, types[condition.name]))
        else:
            conditions.append(condition)
    if is_or and branches:
        tests.append(lambda row: any(branch(row) for branch in branches))
    else:
        tests.extend(branches)


def _condition(key: str, value: Any, names: dict[str, str], types: dict[str, str]) -> Condition | None:
    prefix, name = split_key(key)
    classic = names.get(name, name)
    if classic not in types:
        raise Problem(400, "INVALID_ARG_VALUE", f"Invalid filter: field '{name}' is not allowed in filter")
    return make_condition(prefix, classic, value, types[classic])


def _all(conditions: list[Condition], tests: list[Predicate], types: dict[str, str]) -> Predicate:
    every = [*(matches(condition, types[condition.name]) for condition in conditions), *tests]
    return lambda row: all(test(row) for test in every)
