"""Records as the API shows them."""

from collections.abc import Callable
from typing import Any

from crmkit_sandbox.wire import Row

from .account import TAG_COLOR, Account

KEPT_ONLY = ("updated_at", "is_deleted", "combined_to")
# PHP writes an empty map as a list.
EMPTY_MAP: list[Any] = []


def customer(account: Account, row: Row) -> Row:
    """A person."""
    return {
        **_common(account, row),
        **{name: row[name] for name in ("firstName", "lastName", "patronymic") if name in row},
        "cumulativeDiscount": row.get("cumulativeDiscount", 0),
        "segments": segments_of(account, row),
        "phones": row.get("phones", []),
    }


def corporate(account: Account, row: Row) -> Row:
    """A corporate customer; its companies, addresses and contacts have lists of their own."""
    shown = _common(account, row)
    contacts, companies, addresses = (shown.pop(name, []) for name in ("customerContacts", "companies", "addresses"))
    for name, parts in (("mainAddress", addresses), ("mainCompany", companies), ("mainCustomerContact", contacts)):
        main = next((part for part in parts if part["isMain"]), None)
        if main is None:
            continue
        if name == "mainCustomerContact":
            shown[name] = contact(account, row, main)
        else:
            shown[name] = {"id": main["id"], **({"name": main["name"]} if main.get("name") else {})}
    return shown


def contact(account: Account, corporate_row: Row, part: Row) -> Row:
    """A contact of a corporate customer."""
    person = account.tables["customers"].get(part["customer"]) or {"id": part["customer"]}
    names = {company["id"]: company.get("name", "") for company in corporate_row.get("companies", ())}
    return {
        "isMain": part["isMain"],
        "id": part["id"],
        "customer": {name: person[name] for name in ("id", "externalId", "browserId", "site") if name in person},
        "companies": [
            {"company": {"id": company_id, "name": names[company_id]}}
            for company_id in part.get("companies", ())
            if company_id in names
        ],
    }


def company(account: Account, corporate_row: Row, part: Row) -> Row:
    """A legal entity of a corporate customer."""
    owner = {name: corporate_row[name] for name in ("site", "id", "externalId", "type") if name in corporate_row}
    orders = [row for row in _orders(account, corporate_row["id"]) if row.get("company") == part["id"]]
    return {
        **part,
        "customer": owner,
        "contragent": part.get("contragent") or {"contragentType": "legal-entity"},
        **_totals(orders),
        "customFields": part.get("customFields") or EMPTY_MAP,
    }


def order(account: Account, row: Row) -> Row:
    """An order with its whole customer."""
    shown = {name: value for name, value in row.items() if name not in KEPT_ONLY}
    for name in ("customer", "contact"):
        person = _anybody(account, row.get(name))
        if person is not None:
            shown[name] = person
    if "company" in row:
        owner = account.tables["corporate"].get(row.get("customer") or 0) or {}
        part = next((one for one in owner.get("companies", ()) if one["id"] == row["company"]), None)
        shown["company"] = company(account, owner, part) if part else {"id": row["company"]}
    shown["items"] = [_item(item) for item in row["items"]]
    shown["payments"] = {str(payment["id"]): payment for payment in row["payments"]} or EMPTY_MAP
    shown["customFields"] = row.get("customFields") or EMPTY_MAP
    delivery = {**row.get("delivery", {})}
    shown["delivery"] = {"cost": 0, "netCost": 0, **delivery, "address": delivery.get("address") or EMPTY_MAP}
    return shown


def task(account: Account, row: Row) -> Row:
    """A task."""
    shown = {name: value for name, value in row.items() if name not in KEPT_ONLY}
    for name, table in (("customer", "customers"), ("order", "orders")):
        linked = account.tables[table].get(row.get(name) or 0)
        if name == "customer":
            linked = linked or account.tables["corporate"].get(row.get(name) or 0)
        if linked is not None:
            fields = ("type", "id", "number", "externalId", "site")
            shown[name] = {field: linked[field] for field in fields if field in linked}
    return shown


def note(account: Account, row: Row) -> Row:
    """A note of a customer."""
    shown = {name: value for name, value in row.items() if name not in (*KEPT_ONLY, "kind", "site")}
    owner = account.tables[row["kind"]].get(row["customer"]) or {"id": row["customer"]}
    shown["customer"] = {name: owner[name] for name in ("site", "id", "externalId", "type") if name in owner}
    return shown


def plain(row: Row) -> Row:
    """A row without what only the emulator keeps."""
    return {name: value for name, value in row.items() if name not in KEPT_ONLY}


def amount(value: float) -> int | float:
    """Money as the vendor writes it: to the kopeck, and whole sums without a point."""
    rounded = round(value, 2)
    return int(rounded) if float(rounded).is_integer() else rounded


def segments_of(account: Account, row: Row) -> list[Row]:
    """The dynamic segments that a person belongs to."""
    orders = len(account.orders_of.ids(row["id"]))
    codes = {"new": orders == 0, "regular": orders >= 2}
    return [segment for segment in account.shelves["segments"].values() if codes.get(segment["code"])]


def totals(account: Account, row_id: int) -> Row:
    """The sums over a customer's orders."""
    return _totals(_orders(account, row_id))


def _orders(account: Account, customer_id: int) -> list[Row]:
    rows = (account.tables["orders"].live(row_id) for row_id in account.orders_of.ids(customer_id))
    return [row for row in rows if row is not None]


def _totals(orders: list[Row]) -> Row:
    total = amount(sum(row["totalSumm"] for row in orders))
    return {
        "marginSumm": total,
        "totalSumm": total,
        "averageSumm": amount(total / len(orders)) if orders else 0,
        "ordersCount": len(orders),
        "costSumm": 0,
    }


def _common(account: Account, row: Row) -> Row:
    tags = account.shelves["tags"]
    return {
        **{name: value for name, value in row.items() if name not in KEPT_ONLY},
        "vip": row.get("vip", False),
        "bad": row.get("bad", False),
        "tags": [
            {"name": tag, "color": tags.get(tag, {"color": TAG_COLOR})["color"], "attached": False}
            for tag in row.get("tags", ())
        ],
        **totals(account, row["id"]),
        "customFields": row.get("customFields") or EMPTY_MAP,
        "personalDiscount": row.get("personalDiscount", 0),
    }


def _anybody(account: Account, customer_id: int | None) -> Row | None:
    person = account.tables["customers"].get(customer_id or 0)
    if person is not None:
        return customer(account, person)
    firm = account.tables["corporate"].get(customer_id or 0)
    return corporate(account, firm) if firm is not None else None


def _item(item: Row) -> Row:
    price = amount(item["initialPrice"] - item["discountTotal"])
    return {**item, "prices": [{"price": price, "quantity": item["quantity"]}], "properties": EMPTY_MAP}


SHAPES: dict[str, Callable[[Account, Row], Row]] = {
    "customers": customer,
    "corporate": corporate,
    "orders": order,
    "tasks": task,
}
