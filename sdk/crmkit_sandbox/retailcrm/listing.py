"""Pages of lists, and the filters that choose their rows."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from crmkit_sandbox.store import Table
from crmkit_sandbox.wire import Row

from . import schema
from .account import Account
from .api import ApiCall
from .problems import bad_input, problem
from .query import values

LIMITS = ("20", "50", "100")
REFUSED = "Errors in the pagination parameters"
# What these choose lies in other tables or moves with time, so a kept choice would be yesterday's answer.
MOVING = frozenset(
    {"tasksCounts", "segment", "notes", "managerGroups", "customer", "customerExternalId", "customerType"}
    | {f"{edge}{sum_}" for edge in ("min", "max") for sum_ in ("OrdersCount", "TotalSumm", "AverageSumm", "CostSumm")}
    | {"orderNumber", "customerExternalIds"}
)

Test = Callable[[Row], bool]
# Makes the test of a row from what the caller typed; raises ValueError for a value of another type.
Filter = Callable[[Account, Any], Test]


def limit_of(call: ApiCall) -> int:
    """The page size: 20, 50 or 100.

    Raises ProblemError 400 for any other.
    """
    limit = call.query.get("limit", "20")
    if limit not in LIMITS:
        raise problem(400, REFUSED)
    return int(limit)


def page_of(call: ApiCall, ids: Sequence[int]) -> tuple[Sequence[int], Row]:
    """The page of `ids` that the call asks for, and its pagination; past the end it is empty.

    Raises ProblemError 400 for a wrong limit or page.
    """
    limit = limit_of(call)
    page = call.query.get("page", "1")
    if not (isinstance(page, str) and page.isascii() and page.isdigit() and 0 < int(page) < 10**9):
        raise problem(400, REFUSED)
    start = (int(page) - 1) * limit
    return ids[start : start + limit], pagination(len(ids), limit, int(page))


def pagination(total: int, limit: int, page: int = 1) -> Row:
    """The pagination of a list."""
    pages = -(-total // limit)
    return {"pagination": {"limit": limit, "totalCount": total, "currentPage": page, "totalPageCount": pages}}


def paged(call: ApiCall, name: str, rows: Sequence[Row]) -> Row:
    """A page of rows that are at hand."""
    chosen, head = page_of(call, range(len(rows)))
    return {**head, name: [rows[index] for index in chosen]}


def listed(
    call: ApiCall,
    table: Table,
    filters: Mapping[str, Filter],
    documented: Iterable[str] = (),
    always: Sequence[Test] = (),
) -> tuple[list[Row], Row]:
    """A page of the rows that pass `always` and the call's filters, newest first, and its pagination.

    Raises ProblemError 400 for an unknown filter or a wrong value, 501 for a documented one that is not emulated.
    """
    given, sites = filter_of(call), call.rights.sites
    tests = [*always, *made_tests(call.account, given, filters, frozenset(documented))]
    if len(sites) < len(call.account.references["sites"]):
        tests.append(lambda row: row.get("site") in (None, *sites))
    if not tests:
        ids: Sequence[int] = Backwards(table.ids)
    elif "ids" in given:
        wanted = sorted({int(text) for text in values(given["ids"])}, reverse=True)
        found = ((row_id, table.live(row_id)) for row_id in wanted)
        ids = [row_id for row_id, row in found if row is not None and all(test(row) for test in tests)]
    elif MOVING.isdisjoint(given):
        key = (call.path, sites, json.dumps(given, sort_keys=True))
        ids = table.select(key, lambda: _chosen(table, tests))
    else:
        ids = _chosen(table, tests)
    chosen, head = page_of(call, ids)
    rows = (table.live(row_id) for row_id in chosen)
    return [row for row in rows if row is not None], head


def _chosen(table: Table, tests: Sequence[Test]) -> list[int]:
    return [row["id"] for row in table.rows() if all(test(row) for test in tests)][::-1]


class Backwards(Sequence[int]):
    """Ids from the last to the first, without a copy."""

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids = ids

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            first, last, _ = index.indices(len(self._ids))
            return self._ids[len(self._ids) - last : len(self._ids) - first][::-1] if last > first else []
        return self._ids[-1 - index]


def filter_of(call: ApiCall) -> Row:
    """The call's `filter`."""
    given = call.query.get("filter", {})
    if not isinstance(given, dict):
        raise bad_input("filter", "This value is not valid.")
    return given


def made_tests(account: Account, given: Row, filters: Mapping[str, Filter], documented: frozenset[str]) -> list[Test]:
    """The tests that `given` asks for."""
    tests = []
    for name, value in given.items():
        if name not in filters:
            if name in documented:
                raise problem(501, f"The sandbox does not emulate filter[{name}]")
            raise bad_input(f"children[{name}]", "This form should not contain extra fields.")
        if value == "":
            continue
        try:
            tests.append(filters[name](account, value))
        except (ValueError, TypeError, AttributeError):
            raise bad_input(f"children[{name}]", "This value is not valid.") from None
    return tests


def among(field: str) -> Filter:
    """Rows whose `field` is one of the given values."""

    def make(_: Account, value: Any) -> Test:
        wanted = frozenset(values(value))
        return lambda row: str(row.get(field)) in wanted

    return make


def whole_among(field: str) -> Filter:
    """Rows whose `field` is one of the given integers."""

    def make(_: Account, value: Any) -> Test:
        wanted = frozenset(int(text) for text in values(value))
        return lambda row: row.get(field) in wanted

    return make


def holds(*fields: str) -> Filter:
    """Rows with the text in one of `fields`, whatever its case."""

    def make(_: Account, value: Any) -> Test:
        wanted = str(value).casefold()
        return lambda row: any(wanted in str(row.get(field, "")).casefold() for field in fields)

    return make


def inside(branch: str, *fields: str) -> Filter:
    """Rows with the text in one of the fields of `branch`."""
    test = holds(*fields)

    def make(account: Account, value: Any) -> Test:
        inner = test(account, value)
        return lambda row: inner(row.get(branch) or {})

    return make


def flagged(field: str) -> Filter:
    """Rows whose `field` is on, or off."""

    def make(_: Account, value: Any) -> Test:
        wanted = schema.flag(value)
        return lambda row: bool(row.get(field, False)) == wanted

    return make


def since(field: str) -> Filter:
    """Rows with a moment from the given day or moment on."""

    def make(_: Account, value: Any) -> Test:
        first = dated(value)
        return lambda row: bool(row.get(field)) and row[field] >= first

    return make


def until(field: str) -> Filter:
    """Rows with a moment up to the given day or moment, which is included."""

    def make(_: Account, value: Any) -> Test:
        last = dated(value)
        return lambda row: bool(row.get(field)) and row[field][: len(last)] <= last

    return make


def dated(value: Any) -> str:
    """A day or a moment.

    Raises ValueError for anything else.
    """
    return schema.day(value) if isinstance(value, str) and len(value) <= 10 else schema.moment(value)


def at_least(amount: Callable[[Account, Row], float]) -> Filter:
    """Rows with an amount from the given one on."""

    def make(account: Account, value: Any) -> Test:
        least = float(value)
        return lambda row: amount(account, row) >= least

    return make


def at_most(amount: Callable[[Account, Row], float]) -> Filter:
    """Rows with an amount up to the given one."""

    def make(account: Account, value: Any) -> Test:
        most = float(value)
        return lambda row: amount(account, row) <= most

    return make


def custom_fields(_: Account, value: Any) -> Test:
    """Rows by their custom fields: `[code]=value`, `[code][min]` and `[max]`."""
    if not isinstance(value, dict):
        raise ValueError("not an object")
    tests = [_custom(code, wanted) for code, wanted in value.items()]
    return lambda row: all(test(row.get("customFields") or {}) for test in tests)


def tasks_counts(kind: str) -> Filter:
    """Rows by their tasks: 1 without open ones, 2 with open ones, 3 with overdue ones."""

    def make(account: Account, value: Any) -> Test:
        wanted = int(value)
        if wanted not in (1, 2, 3):
            raise ValueError("no such count")
        now = account.moment()

        def test(row: Row) -> bool:
            tasks = (account.tables["tasks"].live(one) for one in account.tasks_of[kind].ids(row["id"]))
            opened = [task for task in tasks if task is not None and not task["complete"]]
            if wanted == 3:
                return any(task.get("datetime", "9999") < now for task in opened)
            return bool(opened) == (wanted == 2)

        return test

    return make


def managers_of_groups(account: Account, value: Any) -> Test:
    """Rows whose manager is in one of the given groups."""
    groups = {int(text) for text in values(value)}
    users = {
        user["id"] for user in account.shelves["users"].values() if groups & {group["id"] for group in user["groups"]}
    }
    return lambda row: row.get("managerId") in users


def _custom(code: str, wanted: Any) -> Test:
    if isinstance(wanted, dict) and set(wanted) <= {"min", "max"}:
        return lambda fields: _between(fields.get(code), wanted.get("min"), wanted.get("max"))
    choices = frozenset(values(wanted))

    def test(fields: Row) -> bool:
        value = fields.get(code)
        if isinstance(value, bool):
            return str(int(value)) in choices
        if isinstance(value, list):
            return bool(choices & set(value))
        return str(value) in choices if value is not None else "0" in choices and code in fields

    return test


def _between(value: Any, least: str | None, most: str | None) -> bool:
    if value is None:
        return False
    if isinstance(value, str):
        return (not least or value >= least) and (not most or value[: len(most)] <= most)
    return (not least or value >= float(least)) and (not most or value <= float(most))
