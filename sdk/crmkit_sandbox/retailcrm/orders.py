"""How an order is written."""

from crmkit_sandbox.wire import Row

from . import changes, schema
from .account import Account
from .customers import check_external
from .customers import create as create_customer
from .order_lines import TITLE, items, payment, settle
from .problems import invalid, not_loaded
from .values import check_code, check_user, custom_fields, linked

DELIVERY: schema.Schema = {
    "code": schema.text,
    "integrationCode": schema.text,
    "service": schema.row,
    "data": schema.row,
    "cost": schema.number,
    "netCost": schema.number,
    "date": schema.day,
    "time": schema.row,
    "vatRate": schema.text,
    "address": schema.nested(schema.ADDRESS),
}
# Source: retailCRM API v5, entity Order; sums follow from items, discounts and delivery.
SCHEMA: schema.Schema = {
    **dict.fromkeys(
        (
            *("externalId", "number", "orderType", "orderMethod", "privilegeType", "countryIso", "currency", "phone"),
            *("lastName", "firstName", "patronymic", "additionalPhone", "email", "customerComment", "managerComment"),
            *("status", "statusComment", "shipmentStore", "clientId"),
        ),
        schema.text,
    ),
    **dict.fromkeys(("call", "expired", "shipped"), schema.flag),
    **dict.fromkeys(
        ("discountManualAmount", "discountManualPercent", "weight", "length", "width", "height"), schema.number
    ),
    **dict.fromkeys(("managerId", "mark", "dialogId"), schema.whole),
    **dict.fromkeys(("createdAt", "statusUpdatedAt", "markDatetime", "fullPaidAt"), schema.moment),
    "shipmentDate": schema.day,
    **dict.fromkeys(("customer", "contact", "company", "customFields"), schema.row),
    "contragent": schema.nested(schema.CONTRAGENT),
    "source": schema.nested(schema.SOURCE),
    "delivery": schema.nested(DELIVERY),
    "items": schema.rows,
    "payments": schema.rows,
}
BRANCHES = frozenset({"customer", "contact", "company", "customFields", "delivery", "items", "payments", "contragent"})
NEEDED = frozenset({"number", "createdAt", "statusUpdatedAt", "currency", "orderType", "orderMethod"})
CODES = {"status": "statuses", "orderType": "orderTypes", "orderMethod": "orderMethods", "shipmentStore": "stores"}


def create(account: Account, given: Row, site: str, ignored: list[str]) -> Row:
    """A new order, and its customer when it names a person but no record.

    Raises ProblemError 400 for a value that cannot be kept.
    """
    columns = schema.read("order", given, SCHEMA, ignored, NEEDED)
    check_external(account, "orders", columns, site, TITLE)
    order_id, now = account.take_id("orders"), account.moment()
    row: Row = {
        "slug": order_id,
        "id": order_id,
        "number": f"{order_id}{'A' if account.actor.source == 'api' else 'C'}",
        "bonusesCreditTotal": 0,
        "bonusesChargeTotal": 0,
        "orderType": _default(account, "orderTypes"),
        "orderMethod": _default(account, "orderMethods"),
        "privilegeType": "none",
        "countryIso": "RU",
        "createdAt": columns.get("createdAt") or now,
        "statusUpdatedAt": now,
        "purchaseSumm": 0,
        "markDatetime": now,
        "currency": "RUB",
        "call": False,
        "expired": False,
        "contragent": {"contragentType": "individual"},
        "delivery": {},
        "site": site,
        "status": "new",
        "items": [],
        "payments": [],
        "fromApi": account.actor.source == "api",
        "shipped": False,
        "customFields": {},
    }
    after = _applied(account, row, columns, ignored)
    if "customer" not in after:
        person = _person(account, after, site)
        if person is not None:
            after |= {"customer": person["id"], "contact": person["id"]}
    return changes.create(account, "orders", settle(account, after))


def update(account: Account, before: Row, given: Row, ignored: list[str]) -> Row:
    """An order with what `given` holds.

    Raises ProblemError 400 for a value that cannot be kept.
    """
    columns = schema.read("order", given, SCHEMA, ignored, NEEDED)
    if columns.get("externalId") != before.get("externalId"):
        check_external(account, "orders", columns, before["site"], TITLE)
    after = _applied(account, before, columns, ignored)
    if after["status"] != before["status"] and "statusUpdatedAt" not in columns:
        after["statusUpdatedAt"] = account.moment()
    return changes.change(account, "orders", before, settle(account, after))


def _applied(account: Account, before: Row, columns: Row, ignored: list[str]) -> Row:
    check_user(account, TITLE, "managerId", columns.get("managerId"))
    for name, book in CODES.items():
        check_code(account, TITLE, book, name, columns.get(name))
    if "status" in columns and columns["status"] is None:
        raise not_loaded(TITLE, {"status": "This value should not be blank."})
    if columns.get("email") and "@" not in columns["email"]:
        raise invalid(["Order.email: wrong value"])
    after = schema.merged(before, {name: value for name, value in columns.items() if name not in BRANCHES})
    _link(account, after, columns)
    if columns.get("contragent"):
        after["contragent"] = schema.merged(before["contragent"], columns["contragent"])
    if "customFields" in columns:
        given = columns["customFields"] or {}
        after["customFields"] = custom_fields(account, "order", TITLE, before["customFields"], given, ignored)
    if columns.get("delivery"):
        after["delivery"] = _delivery(account, before["delivery"], columns["delivery"])
    if "items" in columns:
        after["items"] = items(account, before["items"], columns["items"] or [], ignored)
    if "payments" in columns:
        if before["payments"]:
            # Payments of a stored order are written by methods of their own.
            ignored.append("order.payments")
        else:
            after["payments"] = [payment(account, None, one, ignored) for one in columns["payments"] or []]
    return after


def _link(account: Account, after: Row, columns: Row) -> None:
    site = after["site"]
    if "customer" in columns and columns["customer"] is None:
        raise not_loaded(TITLE, {"customer": "This value should not be blank."})
    for name in ("contact", "company"):
        if name in columns and columns[name] is None:
            after.pop(name, None)
    for name in ("customer", "contact"):
        if columns.get(name):
            after[name] = linked(account, columns[name], name, site, TITLE)["id"]
    if columns.get("customer") and not columns.get("contact"):
        _take_names(account, after)
    if columns.get("company"):
        after["company"] = _company(account, after.get("customer"), columns["company"])


def _take_names(account: Account, row: Row) -> None:
    person = account.tables["customers"].get(row["customer"])
    if person is None:
        return
    row["contact"] = person["id"]
    for name in ("lastName", "firstName", "patronymic", "email"):
        if person.get(name):
            row.setdefault(name, person[name])
    if person.get("phones"):
        row.setdefault("phone", person["phones"][0]["number"])


def _company(account: Account, customer_id: int | None, given: Row) -> int:
    owner = account.tables["corporate"].live(customer_id or 0)
    for part in owner["companies"] if owner else ():
        if given.get("id") == part["id"] or (given.get("externalId") or "") == part.get("externalId"):
            return int(part["id"])
    raise not_loaded(TITLE, {"company": "Company not found."})


def _delivery(account: Account, before: Row, given: Row) -> Row:
    check_code(account, TITLE, "deliveryTypes", "delivery.code", given.get("code"))
    after = schema.merged(before, {name: value for name, value in given.items() if name != "address"})
    if "address" in given:
        after["address"] = schema.merged(before.get("address", {}), given["address"] or {})
        after["address"].setdefault("id", account.take_id("addresses"))
    return after


def _person(account: Account, row: Row, site: str) -> Row | None:
    """Who ordered: a person of the site with the same phone or e-mail, else a new one."""
    table = account.tables["customers"]
    found = account.people.by_phone(row["phone"]) if row.get("phone") else []
    if not found and row.get("email"):
        found = [one["id"] for one in table.rows() if one.get("email") == row["email"]]
    for person_id in found:
        person = table.live(person_id)
        if person is not None and person["site"] == site:
            return person
    names = ("lastName", "firstName", "patronymic", "email")
    given: Row = {name: row[name] for name in names if row.get(name)}
    if row.get("phone"):
        given["phones"] = [{"number": row["phone"]}]
    return create_customer(account, given, site, []) if given else None


def _default(account: Account, book: str) -> str:
    mark = "defaultForApi" if account.actor.source == "api" else "defaultForCrm"
    return str(next((code for code, row in account.references[book].items() if row.get(mark)), ""))
