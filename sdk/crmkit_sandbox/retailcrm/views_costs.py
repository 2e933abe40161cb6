"""Costs over the API."""

from collections.abc import Mapping
from typing import Any

from crmkit_sandbox.wire import Row

from . import schema
from .api import Api, ApiCall, Reply
from .listing import Filter, Test, among, at_least, at_most, listed, since, until, whole_among
from .problems import BLANK, bad_format, not_loaded, problem
from .query import values
from .shapes import plain
from .values import check_code, check_user

TITLE = "Cost"
SCHEMA: schema.Schema = {
    "dateFrom": schema.day,
    "dateTo": schema.day,
    "summ": schema.number,
    "costItem": schema.text,
    "comment": schema.text,
    "userId": schema.whole,
    "order": schema.row,
    "sites": schema.texts,
    "source": schema.nested(schema.SOURCE),
}


def _of_orders(name: str) -> Filter:
    def make(_: Any, value: object) -> Test:
        wanted = set(values(value))
        return lambda row: str((row.get("order") or {}).get(name)) in wanted

    return make


FILTERS: Mapping[str, Filter] = {
    "ids": whole_among("id"),
    "costItems": among("costItem"),
    "users": whole_among("userId"),
    "orderIds": _of_orders("id"),
    "orderExternalIds": _of_orders("externalId"),
    "orderNumber": _of_orders("number"),
    "sites": lambda _, value: lambda row: bool(set(values(value)) & set(row["sites"])),
    "dateFrom": since("dateFrom"),
    "dateTo": until("dateTo"),
    "createdAtFrom": since("createdAt"),
    "createdAtTo": until("createdAt"),
    "minSumm": at_least(lambda _, row: float(row["summ"])),
    "maxSumm": at_most(lambda _, row: float(row["summ"])),
}
DOCUMENTED = ("costGroups", "comment", "createdBy", "utmSource", "utmMedium", "utmCampaign")


def register(api: Api) -> None:
    """Add the routes."""
    api.route("GET", "/costs", "cost_read")(list_costs)
    api.route("GET", "/costs/<int:cost_id>", "cost_read")(lambda call, cost_id: {"cost": plain(_known(call, cost_id))})
    api.route("POST", "/costs/create", "cost_write")(
        lambda call: ({"id": _create(call, call.entity("cost"))["id"]}, 201)
    )
    api.route("POST", "/costs/upload", "cost_write")(upload)
    api.route("POST", "/costs/delete", "cost_write")(delete_costs)
    api.route("POST", "/costs/<int:cost_id>/edit", "cost_write")(edit_cost)
    api.route("POST", "/costs/<int:cost_id>/delete", "cost_write")(delete_cost)


def list_costs(call: ApiCall) -> Reply:
    """A page of costs."""
    rows, head = listed(call, call.account.tables["costs"], FILTERS, DOCUMENTED)
    return {**head, "costs": [plain(row) for row in rows]}


def upload(call: ApiCall) -> Reply:
    """Make costs, all or none."""
    columns = [_read(call, one) for one in call.entities("costs")]
    return {"uploadedCosts": [_store(call, one)["id"] for one in columns]}, 201


def edit_cost(call: ApiCall, cost_id: int) -> Reply:
    """Change a cost."""
    given, known = call.entity("cost"), _known(call, cost_id)
    after = schema.merged(known, _checked(call, schema.read("cost", given, SCHEMA, call.ignored)))
    call.account.tables["costs"].put(after)
    return {"id": cost_id}


def delete_costs(call: ApiCall) -> Reply:
    """Take costs away; unknown ids are told."""
    ids = call.argument("ids")
    if not isinstance(ids, list):
        raise bad_format()
    table, lost, count = call.account.tables["costs"], [], 0
    for cost_id in ids:
        row = table.live(cost_id) if isinstance(cost_id, int) else None
        if row is None:
            lost.append(cost_id)
        else:
            table.put({**row, "is_deleted": True})
            count += 1
    return {"count": count, "notRemovedIds": lost}


def delete_cost(call: ApiCall, cost_id: int) -> Reply:
    """Take a cost away."""
    call.account.tables["costs"].put({**_known(call, cost_id), "is_deleted": True})
    return {}


def _known(call: ApiCall, cost_id: int) -> Row:
    row = call.account.tables["costs"].live(cost_id)
    if row is None:
        raise problem(404)
    return row


def _create(call: ApiCall, given: Row) -> Row:
    return _store(call, _read(call, given))


def _store(call: ApiCall, columns: Row) -> Row:
    account = call.account
    head = {"id": account.take_id("costs"), "createdAt": account.moment(), "updated_at": int(account.now())}
    return account.tables["costs"].put({**head, "sites": [], **columns})


def _read(call: ApiCall, given: Row) -> Row:
    columns = schema.read("cost", given, SCHEMA, call.ignored)
    blank = {name: BLANK for name in ("dateFrom", "dateTo", "summ", "costItem") if columns.get(name) is None}
    if blank:
        raise not_loaded(TITLE, blank)
    return {name: value for name, value in _checked(call, columns).items() if value is not None}


def _checked(call: ApiCall, columns: Row) -> Row:
    check_code(call.account, TITLE, "costItems", "costItem", columns.get("costItem"))
    check_user(call.account, TITLE, "userId", columns.get("userId"))
    for site in columns.get("sites") or ():
        check_code(call.account, TITLE, "sites", "sites", site)
    named = columns.get("order")
    if named:
        row_id = named.get("id")
        row = call.account.tables["orders"].live(row_id) if isinstance(row_id, int) else None
        if row is None:
            raise not_loaded(TITLE, {"order": "Order not found."})
        columns["order"] = {name: row[name] for name in ("id", "number", "externalId") if name in row}
    return columns
