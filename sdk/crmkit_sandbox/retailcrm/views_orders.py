"""Orders over the API."""

from collections.abc import Mapping

from crmkit_sandbox.wire import Row

from . import changes, combine, orders, schema, shapes
from .account import Account, full_name
from .api import Api, ApiCall, Reply
from .listing import (
    Filter,
    Test,
    among,
    at_least,
    at_most,
    custom_fields,
    flagged,
    holds,
    inside,
    listed,
    managers_of_groups,
    since,
    tasks_counts,
    until,
    whole_among,
)
from .order_lines import payment, settle
from .problems import bad_format, bad_input, not_loaded, problem
from .query import values
from .uploads import fix_external_ids
from .uploads import upload as upload_all
from .views_history import history

STATUSES_MOST = 500


def _bought_by(account: Account, value: object) -> Test:
    """The customer's name, or a phone as it is typed."""
    wanted = str(value).casefold().strip()

    def test(row: Row) -> bool:
        person = account.tables["customers"].get(row.get("customer") or 0) or {}
        phones = [row.get("phone", ""), *(phone["number"] for phone in person.get("phones", ()))]
        return any(wanted in text.casefold() for text in (full_name(row), full_name(person), *phones))

    return test


def _customer_external(account: Account, value: object) -> Test:
    def test(row: Row) -> bool:
        person = account.tables["customers"].get(row.get("customer") or 0)
        person = person or account.tables["corporate"].get(row.get("customer") or 0) or {}
        return person.get("externalId") == value

    return test


def _customer_type(account: Account, value: object) -> Test:
    corporate = account.tables["corporate"]
    return lambda row: (corporate.get(row.get("customer") or 0) is not None) == (value == "customer_corporate")


def _in_status(account: Account, value: object) -> Test:
    wanted = set(values(value))
    unknown = wanted - set(account.references["statuses"])
    if unknown:
        raise ValueError("no such status")
    return lambda row: row["status"] in wanted


def _paid(field: str) -> Filter:
    def make(_: Account, value: object) -> Test:
        wanted = set(values(value))
        return lambda row: any(payment.get(field) in wanted for payment in row["payments"])

    return make


def _product(_: Account, value: object) -> Test:
    wanted = str(value).casefold()
    return lambda row: any(wanted in item.get("offer", {}).get("name", "").casefold() for item in row["items"])


def _delivered_by(_: Account, value: object) -> Test:
    wanted = set(values(value))
    return lambda row: row["delivery"].get("code") in wanted


FILTERS: Mapping[str, Filter] = {
    "ids": whole_among("id"),
    "externalIds": among("externalId"),
    "numbers": among("number"),
    "customer": _bought_by,
    "customerId": whole_among("customer"),
    "customerExternalId": _customer_external,
    "customerType": _customer_type,
    "email": holds("email"),
    "countries": among("countryIso"),
    "minPrice": at_least(lambda _, row: float(row["totalSumm"])),
    "maxPrice": at_most(lambda _, row: float(row["totalSumm"])),
    "minPrepaySumm": at_least(lambda _, row: float(row["prepaySum"])),
    "maxPrepaySumm": at_most(lambda _, row: float(row["prepaySum"])),
    "product": _product,
    "expired": flagged("expired"),
    "call": flagged("call"),
    "shipped": flagged("shipped"),
    "managerComment": holds("managerComment"),
    "customerComment": holds("customerComment"),
    "orderTypes": among("orderType"),
    "orderMethods": among("orderMethod"),
    "paymentStatuses": _paid("status"),
    "paymentTypes": _paid("type"),
    "deliveryTypes": _delivered_by,
    "shipmentStores": among("shipmentStore"),
    "managers": whole_among("managerId"),
    "managerGroups": managers_of_groups,
    "sites": among("site"),
    "createdAtFrom": since("createdAt"),
    "createdAtTo": until("createdAt"),
    "statusUpdatedAtFrom": since("statusUpdatedAt"),
    "statusUpdatedAtTo": until("statusUpdatedAt"),
    "fullPaidAtFrom": since("fullPaidAt"),
    "fullPaidAtTo": until("fullPaidAt"),
    "shipmentDateFrom": since("shipmentDate"),
    "shipmentDateTo": until("shipmentDate"),
    "extendedStatus": _in_status,
    "sourceName": inside("source", "source"),
    "mediumName": inside("source", "medium"),
    "campaignName": inside("source", "campaign"),
    "contragentInn": inside("contragent", "INN"),
    "customFields": custom_fields,
    "tasksCounts": tasks_counts("order"),
}
# Source: retailCRM API v5, OrderFilter; what is not emulated.
DOCUMENTED = (
    *("city", "region", "index", "metro", "deliveryTimeFrom", "deliveryTimeTo", "vip", "bad", "attachments", "online"),
    *("minMarginSumm", "maxMarginSumm", "minPurchaseSumm", "maxPurchaseSumm", "minCostSumm", "maxCostSumm"),
    *("trackNumber", "contragentName", "contragentTypes", "contragentKpp", "contragentBik", "contragentCorrAccount"),
    *("contragentBankAccount", "deliveryServices", "couriers", "paidAtFrom", "paidAtTo", "deliveryDateFrom"),
    *("deliveryDateTo", "firstWebVisitFrom", "firstWebVisitTo", "lastWebVisitFrom", "lastWebVisitTo"),
    *("firstOrderFrom", "firstOrderTo", "lastOrderFrom", "lastOrderTo", "keywordName", "adContentName", "mgChannels"),
    "companyName",
)


def register(api: Api) -> None:
    """Add the routes."""
    api.route("GET", "/orders", "order_read")(list_orders)
    api.route("GET", "/orders/history", "order_read")(history("orders"))
    api.route("GET", "/orders/statuses", "order_read")(list_statuses)
    # Packs are not emulated, and "packs" is no order's address either.
    api.route("GET", "/orders/packs", "order_read")(refuse_packs)
    api.route("GET", "/orders/<address>", "order_read")(get_order)
    api.route("POST", "/orders/create", "order_write")(create_order)
    api.route("POST", "/orders/upload", "order_write")(lambda call: upload_all(call, "orders", "Orders", orders.create))
    api.route("POST", "/orders/combine", "order_write")(combine_orders)
    api.route("POST", "/orders/fix-external-ids", "order_write")(
        lambda call: fix_external_ids(call, "orders", "orders")
    )
    api.route("POST", "/orders/links/create", "order_write")(link_orders)
    api.route("POST", "/orders/payments/create", "order_write")(create_payment)
    api.route("POST", "/orders/payments/<address>/edit", "order_write")(edit_payment)
    api.route("POST", "/orders/payments/<int:payment_id>/delete", "order_write")(delete_payment)
    api.route("POST", "/orders/<address>/edit", "order_write")(edit_order)


def list_orders(call: ApiCall) -> Reply:
    """A page of orders."""
    rows, head = listed(call, call.account.tables["orders"], FILTERS, DOCUMENTED)
    return {**head, "orders": [shapes.order(call.account, row) for row in rows]}


def list_statuses(call: ApiCall) -> Reply:
    """The statuses of named orders."""
    ids, external = values(call.query.get("ids")), set(values(call.query.get("externalIds")))
    if not ids and not external:
        raise bad_input("ids", "This value should not be blank.")
    if len(ids) + len(external) > STATUSES_MOST:
        raise bad_input("ids", f"This collection should contain {STATUSES_MOST} elements or less.")
    table = call.account.tables["orders"]
    rows = [table.live(int(text)) for text in ids if text.isascii() and text.isdigit()]
    rows += [table.live(row_id) for one in sorted(external) for row_id in call.account.by_external["orders"].ids(one)]
    books = call.account.references["statuses"]
    shown = [
        {
            **{name: row[name] for name in ("id", "externalId", "status") if name in row},
            "group": books[row["status"]]["group"],
        }
        for row in rows
        if row is not None and call.sees(row)
    ]
    return {"orders": shown}


def refuse_packs(_: ApiCall) -> Reply:
    """An unknown method."""
    raise problem(404, "API method not found")


def get_order(call: ApiCall, address: str) -> Reply:
    """One order."""
    return {"order": shapes.order(call.account, call.find("orders", address))}


def create_order(call: ApiCall) -> Reply:
    """Make an order."""
    given = call.entity("order")
    row = orders.create(call.account, given, call.site() or "", call.ignored)
    return {"id": row["id"], "order": shapes.order(call.account, row)}, 201


def edit_order(call: ApiCall, address: str) -> Reply:
    """Change an order."""
    given = call.entity("order")
    row = orders.update(call.account, call.find("orders", address), given, call.ignored)
    return {"id": row["id"], "order": shapes.order(call.account, row)}


def combine_orders(call: ApiCall) -> Reply:
    """Merge two orders at once."""
    technique = call.word("technique") or "ours"
    loser, winner = (_named(call, call.entity(name), name) for name in ("order", "resultOrder"))
    if loser["id"] == winner["id"]:
        raise bad_input("order", "The orders must differ.")
    combine.orders(call.account, winner, loser, technique)
    return {"errors": []}


def link_orders(call: ApiCall) -> Reply:
    """Link two orders."""
    link = call.entity("link")
    named = link.get("orders")
    if not isinstance(named, list) or len(named) != 2 or not all(isinstance(one, dict) for one in named):
        raise bad_format({"link.orders": "This value is not valid."})
    rows = [_named(call, one, "link.orders") for one in named]
    comment, now = str(link.get("comment", "")), call.account.moment()
    for row, other in (rows, rows[::-1]):
        about = {name: other[name] for name in ("id", "number", "externalId") if name in other}
        links = [*row.get("links", ()), {"comment": comment, "order": about, "createdAt": now}]
        changes.change(call.account, "orders", row, {**row, "links": links})
    return {}, 201


def create_payment(call: ApiCall) -> Reply:
    """Add a payment to an order."""
    given = call.entity("payment")
    named = given.get("order")
    if not isinstance(named, dict):
        raise not_loaded("Payment", {"order": "This value should not be blank."})
    row = _named(call, named, "order")
    made = payment(call.account, None, given, call.ignored)
    changes.change(call.account, "orders", row, settle(call.account, {**row, "payments": [*row["payments"], made]}))
    return {"id": made["id"]}, 201


def edit_payment(call: ApiCall, address: str) -> Reply:
    """Change a payment."""
    given = call.entity("payment")
    by = call.word("by") or "externalId"
    if by not in ("id", "externalId"):
        raise bad_input("by", "The value you selected is not a valid choice.")
    row, known = _paid_order(call, by, address)
    made = payment(call.account, known, given, call.ignored)
    payments = [made if one["id"] == known["id"] else one for one in row["payments"]]
    changes.change(call.account, "orders", row, settle(call.account, {**row, "payments": payments}))
    return {"id": made["id"]}


def delete_payment(call: ApiCall, payment_id: int) -> Reply:
    """Take a payment off its order."""
    row, known = _paid_order(call, "id", str(payment_id))
    payments = [one for one in row["payments"] if one["id"] != known["id"]]
    changes.change(call.account, "orders", row, settle(call.account, {**row, "payments": payments}))
    return {}


def _paid_order(call: ApiCall, by: str, address: str) -> tuple[Row, Row]:
    for row in call.account.tables["orders"].rows():
        for one in row["payments"] if call.sees(row) else ():
            if str(one.get(by)) == address:
                return row, one
    raise problem(404, "Payment not found")


def _named(call: ApiCall, given: Row, name: str) -> Row:
    found = None
    if given.get("id") is not None:
        try:
            found = call.account.tables["orders"].live(schema.whole(given["id"]))
        except ValueError:
            raise bad_format({f"{name}.id": "This value is not valid."}) from None
    elif given.get("externalId") is not None:
        found = call.account.find("orders", str(given["externalId"]), call.site())
    if found is None or not call.sees(found):
        raise bad_input(name, "Order not found.")
    return found
