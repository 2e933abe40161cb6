"""Lists: filters, orders, pages and their links."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from crmkit_sandbox.store import Table
from crmkit_sandbox.wire import Row

from .api import ApiCall
from .problems import NothingFound, problem
from .query import numbers, span, values

PAGE, MOST = 50, 250
Predicate = Callable[[Row], bool]
Filter = Callable[[Any], Predicate]


def among(column: str) -> Filter:
    """Rows whose integer column is one of the given."""

    def build(node: Any) -> Predicate:
        wanted = numbers(node)
        return lambda row: row[column] in wanted

    return build


def named(column: str) -> Filter:
    """Rows whose text column equals one of the given."""

    def build(node: Any) -> Predicate:
        wanted = set(values(node))
        return lambda row: str(row[column]) in wanted

    return build


def within(column: str) -> Filter:
    """Rows whose number lies in the given range; a bare value means "from"."""

    def build(node: Any) -> Predicate:
        first, last = span(node)
        return lambda row: row[column] is not None and first <= row[column] <= last

    return build


def amount(column: str) -> Filter:
    """Rows whose number is one of the given or lies in the given range."""

    def build(node: Any) -> Predicate:
        is_range = isinstance(node, dict) and {"from", "to"} & set(node)
        return within(column)(node) if is_range else among(column)(node)

    return build


def flag(column: str) -> Filter:
    """Rows whose claim is as given by 1 or 0."""

    def build(node: Any) -> Predicate:
        wanted = {value in ("1", "true") for value in values(node)}
        return lambda row: bool(row[column]) in wanted

    return build


def by_field(node: Any) -> Predicate:
    """Rows with the given values of custom fields."""
    wanted = [(field_id, inner) for field_id, inner in (node if isinstance(node, dict) else {}).items()]
    return lambda row: all(_has_value(row, field_id, inner) for field_id, inner in wanted)


def by_stage(node: Any) -> Predicate:
    """Rows in one of the given (pipeline, status) pairs."""
    pairs = {
        (str(pair.get("pipeline_id")), str(pair.get("status_id")))
        for pair in (node.values() if isinstance(node, dict) else ())
        if isinstance(pair, dict)
    }
    return lambda row: (str(row["pipeline_id"]), str(row["status_id"])) in pairs


def list_ids(
    call: ApiCall,
    table: Table,
    filters: Mapping[str, Filter],
    orders: Sequence[str],
    found: Sequence[int] | None = None,
) -> Sequence[int]:
    """Ids that the call's filters leave, in its order; `found` narrows the choice beforehand."""
    given = call.query.group("filter")
    active = {name: node for name, node in given.items() if name in filters or name in ("id", "updated_at")}
    call.query.used.update(f"filter[{name}]" for name in active)
    column, is_falling = _order(call, orders)
    if not active and found is None and (column, is_falling) == ("id", False):
        return table.ids
    skipped = ("page", "limit", "with")
    key = (*tuple(pair for pair in call.query.pairs() if pair[0] not in skipped), id(filters))
    if found is not None:
        return _choose(table, active, filters, column, is_falling, found)
    return table.select(key, lambda: _choose(table, active, filters, column, is_falling, None))


def page_of(call: ApiCall, path: str, ids: Sequence[Any], *, most: int = MOST) -> tuple[Sequence[Any], Row]:
    """The ids of the asked page, and the head of the answer (`_page`, `_links`).

    Raises NothingFound for an empty page, ProblemError 422 for a limit above 250.
    """
    limit, number = call.query.number("limit", PAGE), call.query.number("page", 1)
    if limit > MOST:
        raise problem(422, f"Limit {MOST} per page")
    limit = min(limit, most)
    start = (number - 1) * limit
    chosen = ids[start : start + limit]
    if not chosen:
        raise NothingFound
    links = {"self": _link(call, path, number, limit)}
    if start + limit < len(ids):
        links["next"] = _link(call, path, number + 1, limit)
    if number > 1:
        links["first"] = _link(call, path, 1, limit)
        links["prev"] = _link(call, path, number - 1, limit)
    return chosen, {"_page": number, "_links": links}


def rows_of(table: Table, ids: Sequence[int]) -> list[Row]:
    """The rows of ids."""
    return [row for row_id in ids if (row := table.get(row_id)) is not None]


def _choose(
    table: Table,
    active: Mapping[str, Any],
    filters: Mapping[str, Filter],
    column: str,
    is_falling: bool,
    found: Sequence[int] | None,
) -> Sequence[int]:
    is_by_change = column == "updated_at" and found is None and "id" not in active
    if is_by_change:
        ids = table.changed_between(*span(active.get("updated_at", {})))
    else:
        ids = _candidates(table, active) if found is None else list(found)
    tests = [filters[name](node) for name, node in active.items() if name in filters]
    if "updated_at" in active and (found is not None or "id" in active):
        tests.append(within("updated_at")(active["updated_at"]))
    if tests:
        ids = [row["id"] for row in rows_of(table, ids) if all(test(row) for test in tests)]
    if is_by_change:
        return ids[::-1] if is_falling else ids
    if column == "id":
        return sorted(ids, reverse=is_falling)
    keyed = [((row[column] is None, row[column] or 0), row["id"]) for row in rows_of(table, ids)]
    keyed.sort(reverse=is_falling)
    return [row_id for _, row_id in keyed]


def _candidates(table: Table, active: Mapping[str, Any]) -> list[int]:
    if "id" in active:
        return [row_id for row_id in sorted(numbers(active["id"])) if table.live(row_id) is not None]
    if "updated_at" in active:
        return table.changed_between(*span(active["updated_at"]))
    return list(table.ids)


def _order(call: ApiCall, orders: Sequence[str]) -> tuple[str, bool]:
    for column, direction in call.query.group("order").items():
        if column in orders:
            call.query.used.add(f"order[{column}]")
            return column, str(direction).lower() == "desc"
    return "id", False


def _has_value(row: Row, field_id: str, node: Any) -> bool:
    given = next((one for one in row["custom_fields_values"] or () if str(one["field_id"]) == field_id), None)
    if given is None:
        return False
    if isinstance(node, dict) and {"from", "to"} & set(node):
        first, last = span(node)
        return any(first <= _number(value) <= last for value in given["values"])
    wanted = set(values(node))
    return any(wanted & {str(value.get("value")), str(value.get("enum_id"))} for value in given["values"])


def _number(value: Row) -> float:
    try:
        return float(value.get("value") or 0)
    except (TypeError, ValueError):
        return float("nan")


def _link(call: ApiCall, path: str, number: int, limit: int) -> Row:
    kept = [(name, value) for name, value in call.query.pairs() if name not in ("page", "limit")]
    query = urlencode([*kept, ("page", str(number)), ("limit", str(limit))])
    return {"href": f"{call.base}/api/v4/{path}?{query}"}
