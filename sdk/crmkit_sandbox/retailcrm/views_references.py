"""Reference books over the API."""

from collections.abc import Mapping
from typing import Any

from crmkit_sandbox.wire import Row

from . import schema
from .api import Api, ApiCall, Reply
from .problems import BLANK, problem

# Path, key in the answer, form field of a write; empty where nothing is written by code.
MAPS: Mapping[str, tuple[str, str]] = {
    "statuses": ("statuses", "status"),
    "status-groups": ("statusGroups", ""),
    "order-methods": ("orderMethods", "orderMethod"),
    "order-types": ("orderTypes", "orderType"),
    "payment-types": ("paymentTypes", "paymentType"),
    "payment-statuses": ("paymentStatuses", "paymentStatus"),
    "delivery-types": ("deliveryTypes", "deliveryType"),
    "delivery-services": ("deliveryServices", "deliveryService"),
    "units": ("units", "unit"),
    "product-statuses": ("productStatuses", "productStatus"),
    "sites": ("sites", "site"),
}
LISTS: Mapping[str, tuple[str, str]] = {
    "stores": ("stores", "store"),
    "price-types": ("priceTypes", "priceType"),
    "legal-entities": ("legalEntities", "legalEntity"),
    "cost-groups": ("costGroups", "costGroup"),
    "cost-items": ("costItems", "costItem"),
    "couriers": ("couriers", ""),
    "currencies": ("currencies", ""),
    "mg-channels": ("mgChannels", ""),
}
SCHEMA: schema.Schema = {
    "name": schema.text,
    "code": schema.text,
    "group": schema.text,
    "ordering": schema.whole,
    "active": schema.flag,
}
NUMBERED = {"couriers": "courier", "currencies": "currency"}
PATHS = {**MAPS, **LISTS}


def register(api: Api) -> None:
    """Add the routes."""
    api.route("GET", "/reference/countries", "reference_read")(list_countries)
    api.route("GET", "/reference/<name>", "reference_read")(list_book)
    api.route("POST", "/reference/<name>/<code>/edit", "reference_write")(edit_entry)
    api.route("POST", "/reference/<any(couriers,currencies):name>/create", "reference_write")(create_numbered)


def list_countries(call: ApiCall) -> Reply:
    """The codes of the countries in use."""
    return {"countriesIso": sorted(call.account.references["countries"])}


def list_book(call: ApiCall, name: str) -> Reply:
    """A whole book: a map by code, or a list."""
    if name not in PATHS:
        raise problem(404, "API method not found")
    key = PATHS[name][0]
    book = call.account.references[key]
    if name in LISTS:
        return {key: list(book.values())}
    shown: Any = dict(book) if book else []
    if name == "sites" and book:
        shown = {code: row for code, row in book.items() if code in call.rights.sites}
    if name == "status-groups":
        shown = {code: {**row, "statuses": _statuses(call, code)} for code, row in book.items()}
    return {key: shown}


def edit_entry(call: ApiCall, name: str, code: str) -> Reply:
    """Change an entry of a book, or make it when its code is new."""
    key, field = PATHS.get(name, ("", ""))
    if name in NUMBERED:
        field = NUMBERED[name]
    if not field:
        raise problem(404, "API method not found")
    given = _read(field, call.entity(field))
    book = call.account.references[key]
    known = book.get(code)
    if name in NUMBERED and known is None:
        raise problem(404)
    if known is None and not given.get("name") and name not in NUMBERED:
        raise problem(400, "Validation error", {"name": BLANK})
    group = given.get("group") or (known or {}).get("group")
    if name == "statuses" and group not in call.account.references["statusGroups"]:
        raise problem(400, "Validation error", {"group": BLANK})
    start: Row = known or {"code": code, "active": True, "ordering": 990}
    book[code] = {**start, **{name: value for name, value in given.items() if name not in ("code", "id")}}
    return {} if known else ({}, 201)


def create_numbered(call: ApiCall, name: str) -> Reply:
    """Make a courier or a currency."""
    given = _read(NUMBERED[name], call.entity(NUMBERED[name]))
    row_id = call.account.take_id("references")
    call.account.references[PATHS[name][0]][str(row_id)] = {"id": row_id, "active": True, **given}
    return {"id": row_id}, 201


def _read(field: str, given: Row) -> Row:
    """What every book has is checked, what one book alone has is kept as it comes."""
    checked = schema.read(field, {name: value for name, value in given.items() if name in SCHEMA}, SCHEMA, [])
    return {name: value for name, value in {**given, **checked}.items() if value is not None}


def _statuses(call: ApiCall, group: str) -> list[str]:
    rows = sorted(call.account.references["statuses"].values(), key=lambda row: row["ordering"])
    return [row["code"] for row in rows if row["group"] == group]
