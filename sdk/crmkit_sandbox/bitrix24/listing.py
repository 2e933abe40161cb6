"""Lists: filters with prefixes, orders, selections and pages, over a table or plain rows."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crmkit_sandbox.store import Table
from crmkit_sandbox.wire import Row

from .kinds import ID_TYPES, MULTIFIELDS
from .params import items_of
from .values import number_of, parse_moment

PAGE = 50
# Longest first, so that `>=` is not read as `>`.
PREFIXES = ("!><", "!=%", "!%=", "><", "!@", "!=", "!%", ">=", "<=", "=%", "%=", ">", "<", "=", "!", "@", "%")
NO_LIKE = frozenset({"crm_status", "crm_contact", "crm_company"})
NUMBERS = ID_TYPES | {"double", "enumeration"}
Predicate = Callable[[Row], bool]


@dataclass(frozen=True)
class Condition:
    """One condition: `operator` is one of `=`, `!`, `>`, `<`, `>=`, `<=`, `@`, `!@`, `%`, `!%`, `like`, `><`, `!><`."""

    operator: str
    name: str
    value: Any


@dataclass(frozen=True)
class Page:
    """Rows of a page, how many match (None when nobody counted), and the next offset."""

    rows: list[Row]
    total: int | None
    next: int | None


def split_key(key: str) -> tuple[str, str]:
    """A filter key as prefix and field."""
    prefix = next((one for one in PREFIXES if key.startswith(one)), "")
    return prefix, key[len(prefix) :]


def read_filter(filter_: Mapping[str, Any], types: Mapping[str, str]) -> list[Condition]:
    """The conditions of a classic filter; unknown fields and empty comparisons are passed over."""
    found = []
    for key, value in filter_.items():
        prefix, name = split_key(str(key))
        if name in types and (condition := make_condition(prefix, name, value, types[name])):
            found.append(condition)
    return found


def make_condition(prefix: str, name: str, value: Any, type_: str) -> Condition | None:
    """A condition, None when it says nothing."""
    is_many = isinstance(value, list | dict)
    if prefix in ("><", "!><"):
        ends = items_of(value)
        return Condition(prefix, name, ends) if len(ends) == 2 else None
    if is_many or prefix in ("@", "!@"):
        many = items_of(value)
        return Condition("!@" if prefix.startswith("!") else "@", name, many) if many else None
    if prefix in (">", "<", ">=", "<="):
        return Condition(prefix, name, value) if value not in (None, "", False) else None
    if "%" in prefix:
        if type_ in NO_LIKE:
            return Condition("!" if "!" in prefix else "=", name, value)
        if value in (None, ""):
            return None
        is_plain = prefix in ("%", "!%")
        text = f"%{value}%" if is_plain else str(value)
        return Condition("!like" if "!" in prefix else "like", name, text)
    return Condition("!" if prefix in ("!", "!=") else "=", name, value)


def matches(condition: Condition, type_: str) -> Predicate:
    """The test that rows of the field's type stand."""
    name, operator = condition.name, condition.operator
    if name in MULTIFIELDS:
        wanted = {str(one) for one in items_of(condition.value)} if operator.endswith("@") else {str(condition.value)}
        is_not = operator.startswith("!")
        return lambda row: is_not != any(value["VALUE"] in wanted for value in row.get(name, ()))
    key = _comparable(type_)
    if operator in ("like", "!like"):
        return _like(name, str(condition.value), is_not=operator == "!like")
    if operator.endswith("@"):
        many = {key(one) for one in items_of(condition.value)}
        return lambda row: operator.startswith("!") != any(one in many for one in _keys(row.get(name), key))
    if operator in ("><", "!><"):
        low, high = (key(end) for end in condition.value)
        return lambda row: (
            operator.startswith("!") != any(one is not None and low <= one <= high for one in _keys(row.get(name), key))
        )
    one = key(condition.value)
    if operator in ("=", "!"):
        return lambda row: (operator == "!") != (one in _keys(row.get(name), key))
    if one is None:
        return lambda _: False
    compare: dict[str, Callable[[Any], bool]] = {
        ">": lambda got: got > one,
        "<": lambda got: got < one,
        ">=": lambda got: got >= one,
        "<=": lambda got: got <= one,
    }
    test = compare[operator]
    return lambda row: any(got is not None and test(got) for got in _keys(row.get(name), key))


def list_table(
    table: Table,
    conditions: Sequence[Condition],
    types: Mapping[str, str],
    *,
    order: Mapping[str, Any],
    start: Any,
    more: Predicate | None = None,
    key: object = None,
) -> Page:
    """A page of a table.

    `more` is a further test, named by `key`; without a key nothing is remembered between calls.
    """
    ids, rest = _by_id(table, conditions)
    tests = [matches(condition, types[condition.name]) for condition in rest]
    if more is not None:
        tests.append(more)
    offset = -1 if str(start) == "-1" else max(0, number_of(start))
    sorting = [(name, str(way).upper() == "DESC") for name, way in order.items() if name in types] or [("ID", False)]
    is_by_id = sorting[0][0] == "ID"
    if is_by_id and sorting[0][1]:
        ids = ids[::-1]
    if offset < 0 and is_by_id:
        return Page(_first(table, ids, tests), None, None)

    def choose() -> Sequence[int]:
        kept = [row_id for row_id in ids if _stands(table.get(row_id), tests)] if tests else ids
        return kept if is_by_id else _sorted(table, kept, sorting, types)

    name = json.dumps([[c.operator, c.name, c.value] for c in conditions] + sorting + [key], default=str)
    found = choose() if more is not None and key is None else table.select(name, choose)
    if offset < 0:
        return Page(_rows(table, found[:PAGE]), None, None)
    shown = found[offset : offset + PAGE]
    return Page(_rows(table, shown), len(found), offset + PAGE if offset + PAGE < len(found) else None)


def list_rows(rows: Iterable[Row], start: Any, size: int = PAGE) -> Page:
    """A page of rows that are chosen and sorted already."""
    found = list(rows)
    if str(start) == "-1":
        return Page(found[:size], None, None)
    offset = max(0, number_of(start))
    return Page(found[offset : offset + size], len(found), offset + size if offset + size < len(found) else None)


def sort_rows(rows: Iterable[Row], order: Mapping[str, Any], types: Mapping[str, str]) -> list[Row]:
    """Rows in the asked order."""
    found = list(rows)
    for name, way in reversed(list(order.items())):
        if name in types:
            key = _comparable(types[name])
            found.sort(key=lambda row: _sort_key(key(row.get(name))), reverse=str(way).upper() == "DESC")
    return found


def _by_id(table: Table, conditions: Sequence[Condition]) -> tuple[Sequence[int], list[Condition]]:
    ids: Sequence[int] = table.ids
    rest = []
    for condition in conditions:
        if condition.name == "DATE_MODIFY" and condition.operator in (">", ">=") and ids is table.ids:
            moment = parse_moment(str(condition.value))
            if moment is not None:
                at = moment.timestamp() + (1e-6 if condition.operator == ">" else 0)
                ids = sorted(table.changed_between(at, float("inf")))
                continue
        if condition.name != "ID" or condition.operator not in (">", ">=", "<", "<=", "=", "@"):
            rest.append(condition)
            continue
        if condition.operator in ("=", "@"):
            wanted = sorted({number_of(one) for one in items_of(condition.value)})
            ids = [one for one in wanted if one in _slice(ids, one)]
        elif condition.operator in (">", ">="):
            cut = (bisect_right if condition.operator == ">" else bisect_left)(ids, number_of(condition.value))
            ids = ids[cut:]
        else:
            cut = (bisect_left if condition.operator == "<" else bisect_right)(ids, number_of(condition.value))
            ids = ids[:cut]
    return ids, rest


def _slice(ids: Sequence[int], one: int) -> Sequence[int]:
    at = bisect_left(ids, one)
    return ids[at : at + 1]


def _first(table: Table, ids: Sequence[int], tests: Sequence[Predicate]) -> list[Row]:
    found: list[Row] = []
    for row_id in ids:
        row = table.get(row_id)
        if row is not None and _stands(row, tests):
            found.append(row)
            if len(found) == PAGE:
                break
    return found


def _rows(table: Table, ids: Sequence[int]) -> list[Row]:
    return [row for row_id in ids if (row := table.get(row_id)) is not None]


def _stands(row: Row | None, tests: Sequence[Predicate]) -> bool:
    return row is not None and all(test(row) for test in tests)


def _sorted(
    table: Table, ids: Sequence[int], sorting: Sequence[tuple[str, bool]], types: Mapping[str, str]
) -> list[int]:
    keyed = [(row_id, table.get(row_id) or {}) for row_id in ids]
    for name, is_down in reversed(sorting):
        key = _comparable(types[name])
        keyed.sort(key=lambda pair: _sort_key(key(pair[1].get(name))), reverse=is_down)
    return [row_id for row_id, _ in keyed]


def _sort_key(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else 0)


def _keys(value: Any, key: Callable[[Any], Any]) -> list[Any]:
    if isinstance(value, list):
        return [key(one) for one in value] or [None]
    return [key(value)]


def _comparable(type_: str) -> Callable[[Any], Any]:
    if type_ in NUMBERS:
        return _as_number
    if type_ in ("date", "datetime"):
        return _as_moment
    if type_ == "boolean":
        return lambda value: str(value) if value not in (None, "", False) else "0"
    return lambda value: None if value in (None, "", False) else str(value).casefold()


def _as_number(value: Any) -> float | None:
    try:
        # No value and zero are one to the vendor's filters.
        return float(value) or None
    except (TypeError, ValueError):
        return None


def _as_moment(value: Any) -> float | None:
    moment = parse_moment(str(value)) if value else None
    return moment.timestamp() if moment else None


def _like(name: str, pattern: str, *, is_not: bool) -> Predicate:
    text = pattern.casefold()
    starts, ends, core = not text.startswith("%"), not text.endswith("%"), text.strip("%")

    def test(row: Row) -> bool:
        got = str(row.get(name) or "").casefold()
        found = core in got and (not starts or got.startswith(core)) and (not ends or got.endswith(core))
        return is_not != found

    return test
