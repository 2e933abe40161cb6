"""The lines of an order: items and payments, and the sums that follow from them."""

from typing import Any

from crmkit_sandbox.wire import Row

from . import schema
from .account import Account
from .problems import BLANK, invalid, not_loaded
from .shapes import amount
from .values import check_code

TITLE = "Order"
OFFER: schema.Schema = {
    "id": schema.whole,
    "externalId": schema.text,
    "xmlId": schema.text,
    "name": schema.text,
    "displayName": schema.text,
    "article": schema.text,
}
ITEM: schema.Schema = {
    "id": schema.whole,
    "externalId": schema.text,
    "externalIds": schema.rows,
    "offer": schema.nested(OFFER),
    "productName": schema.text,
    **dict.fromkeys(
        ("initialPrice", "discountManualAmount", "discountManualPercent", "quantity", "purchasePrice"), schema.number
    ),
    "vatRate": schema.text,
    "createdAt": schema.moment,
    "status": schema.text,
    "comment": schema.text,
    "priceType": schema.row,
    "markingCodes": schema.texts,
}
ITEM_NEEDED = frozenset({"id", "initialPrice", "quantity", "status", "createdAt", "purchasePrice"})
PAYMENT: schema.Schema = {
    "order": schema.row,
    "status": schema.text,
    "type": schema.text,
    "externalId": schema.text,
    "amount": schema.number,
    "paidAt": schema.moment,
    "comment": schema.text,
}


def items(account: Account, old: list[Row], given: list[Row], ignored: list[str]) -> list[Row]:
    """The items after a write: known ones changed, new ones added, and left out ones removed by the switch.

    Raises ProblemError 400 for a value that cannot be kept.
    """
    made, known = [], {item["id"]: item for item in old}
    for one in given:
        columns = schema.read("order.items", one, ITEM, ignored, ITEM_NEEDED)
        before = _same(columns, old)
        if before is not None:
            known.pop(before["id"], None)
        made.append(_item(account, before, columns))
    return made if account.switches.removes_left_out_items else [*known.values(), *made]


def payment(account: Account, before: Row | None, given: Row, ignored: list[str]) -> Row:
    """A payment with what `given` holds; its order is not part of it.

    Raises ProblemError 400 for a value that cannot be kept.
    """
    columns = schema.read("payment", given, PAYMENT, ignored, ("type", "status", "amount"))
    columns.pop("order", None)
    if before is None and not columns.get("type"):
        raise not_loaded("Payment", {"type": BLANK})
    check_code(account, "Payment", "paymentTypes", "type", columns.get("type"))
    check_code(account, "Payment", "paymentStatuses", "status", columns.get("status"))
    blank: Row = {} if before else {"id": account.take_id("payments"), "status": "not-paid", "amount": 0}
    after = schema.merged(before or blank, columns)
    is_paid = account.references["paymentStatuses"].get(after["status"], {}).get("paymentComplete", False)
    if is_paid:
        after.setdefault("paidAt", account.moment())
    return after


def settle(account: Account, row: Row) -> Row:
    """The order with the sums that its items, discounts, delivery and payments give."""
    percent = row.get("discountManualPercent", 0)
    settled = []
    for item in row["items"]:
        price = item["initialPrice"]
        own = item.get("discountManualAmount", 0) + price * item.get("discountManualPercent", 0) / 100
        settled.append({**item, "discountTotal": amount(own + price * percent / 100)})
    summ = sum(item["initialPrice"] * item["quantity"] for item in settled)
    after = sum((item["initialPrice"] - item["discountTotal"]) * item["quantity"] for item in settled)
    total = after - row.get("discountManualAmount", 0) + row.get("delivery", {}).get("cost", 0)
    books = account.references["paymentStatuses"]
    done = [one for one in row["payments"] if books.get(one.get("status"), {}).get("paymentComplete")]
    paid = sum(one["amount"] for one in done)
    made = {**row, "items": settled, "summ": amount(summ), "totalSumm": amount(total), "prepaySum": amount(paid)}
    if done and paid >= total:
        made.setdefault("fullPaidAt", max(one.get("paidAt", "") for one in done))
    else:
        made.pop("fullPaidAt", None)
    return made


def _same(columns: Row, old: list[Row]) -> Row | None:
    if columns.get("id") is not None:
        found = next((item for item in old if item["id"] == columns["id"]), None)
        if found is None:
            raise not_loaded(TITLE, {"items": f"Order product with id={columns['id']} not found."})
        return found
    ids = columns.get("externalIds")
    return next((item for item in old if ids and item.get("externalIds") == ids), None)


def _item(account: Account, before: Row | None, columns: Row) -> Row:
    check_code(account, TITLE, "productStatuses", "items.status", columns.get("status"))
    if columns.get("quantity") is not None and columns["quantity"] < 0:
        raise invalid(["Order.items: quantity must not be negative"])
    blank: Row = {
        "markingCodes": [],
        "discounts": [],
        "initialPrice": 0,
        "discountTotal": 0,
        "createdAt": account.moment(),
        "quantity": 1,
        "status": "new",
        "purchasePrice": 0,
    }
    start = before or {"id": account.take_id("items"), **blank}
    name, offer = columns.pop("productName", None), columns.pop("offer", None)
    external_id = columns.pop("externalId", None)
    if external_id is not None:
        columns["externalIds"] = [{"code": "default", "value": external_id}]
    after = schema.merged(start, {key: value for key, value in columns.items() if key != "id"})
    if offer or name:
        after["offer"] = _offer(account, after.get("offer", {}), offer or {}, name)
    return after


def _offer(account: Account, before: Row, given: Row, name: str | None) -> Row:
    known: dict[Any, Row] = account.shelves["offers"]
    found = next((one for one in known.values() if _names(given, one)), None) or before
    offer = {**found, **{key: value for key, value in given.items() if value is not None}}
    if name:
        offer |= {"name": name, "displayName": name}
    offer.setdefault("id", account.take_id("offers"))
    known[offer["id"]] = offer
    return offer


def _names(given: Row, offer: Row) -> bool:
    return any(given.get(key) is not None and given[key] == offer.get(key) for key in ("id", "externalId", "xmlId"))
