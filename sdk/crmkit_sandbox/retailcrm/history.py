"""The history feeds: what they keep of each change, and how two states of a record differ."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from crmkit_sandbox.wire import Row

from .account import FIRST_HISTORY_ID, Account, Kind

ENTITY = {"customers": "customer", "corporate": "customer", "orders": "order", "tasks": "task"}
# What a row holds beside the vendor's fields, or what follows from other fields.
SILENT = frozenset(
    {"id", "type", "updated_at", "is_deleted", "combined_to", "slug", "number", "statusUpdatedAt"}
    | {"completedAt", "fromApi", "summ", "totalSumm", "purchaseSumm", "prepaySum", "markDatetime", "creator"}
)
CODED = frozenset({"status", "orderType", "orderMethod", "shipmentStore", "segments"})
NAMES = {"managerId": "manager", "countryIso": "country"}
ITEM_FIELDS = {
    "status": "status",
    "quantity": "quantity",
    "initialPrice": "initial_price",
    "discountTotal": "discount_total",
    "vatRate": "vat_rate",
    "comment": "comment",
}
PAYMENT_FIELDS = ("status", "type", "externalId", "amount", "paidAt", "comment")
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Difference:
    """One changed field as the feed tells it; `more` holds the part of the record that it concerns."""

    field: str
    old: Any
    new: Any
    more: Row = dataclass_field(default_factory=dict)


def record(account: Account, kind: Kind, row: Row, told: Difference, **marks: Any) -> None:
    """Add a record to the feed of `kind`; `marks` are `created`, `deleted`, `combinedTo` and a full entity."""
    actor = account.actor
    entity = marks.pop("entity", None) or stub(kind, row)
    kept: Row = {
        "id": account.ids.take(f"history_{kind}", start=FIRST_HISTORY_ID),
        "createdAt": account.moment(),
        **{name: True for name in ("created", "deleted") if marks.get(name)},
        "source": actor.source,
    }
    if actor.user_id is not None and actor.source == "user":
        kept["user"] = {"id": actor.user_id}
    if actor.source == "api":
        kept["apiKey"] = actor.key
    kept |= {"field": told.field, "oldValue": told.old, "newValue": told.new, **told.more, ENTITY[kind]: entity}
    if "combinedTo" in marks:
        kept["combinedTo"] = marks["combinedTo"]
    account.history[kind].append(kept)


def stub(kind: Kind, row: Row) -> Row:
    """The record as a feed names it beside a change."""
    names = {"orders": ("id", "externalId", "managerId", "site", "status"), "tasks": ("id",)}
    return {name: row[name] for name in names.get(kind, ("id", "externalId", "site")) if name in row}


def shown(kept: Row, key: str) -> Row:
    """A kept record as the owner of `key` sees it."""
    if "apiKey" not in kept:
        return kept
    return {**kept, "apiKey": {"current": kept["apiKey"] == key}}


def reference(account: Account, customer_id: int | None) -> Row | None:
    """A customer as a value in a feed."""
    row = account.tables["customers"].get(customer_id or 0) or account.tables["corporate"].get(customer_id or 0)
    return stub("customers", row) if row is not None else None


def differences(account: Account, before: Row, after: Row) -> Iterator[Difference]:
    """What changed from one state of a record to the next, a field at a time."""
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if old == new or name in SILENT:
            continue
        if name in SPECIAL:
            yield from SPECIAL[name](account, old, new)
        elif isinstance(old, dict) or isinstance(new, dict):
            yield from _branches(f"{snake(name)}.", old or {}, new or {})
        elif name in CODED:
            yield Difference(snake(name), _coded(old), _coded(new))
        elif name == "managerId":
            yield Difference("manager", _identified(old), _identified(new))
        else:
            yield Difference(NAMES.get(name, snake(name)), old, new)


def snake(name: str) -> str:
    """`managerComment` as `manager_comment`."""
    return HUMP.sub("_", name).lower()


def _coded(code: Any) -> Row | None:
    return None if code is None else {"code": code}


def _identified(row_id: Any) -> Row | None:
    return None if row_id is None else {"id": row_id}


def _branches(prefix: str, old: Row, new: Row) -> Iterator[Difference]:
    for name in dict.fromkeys((*old, *new)):
        if name != "id" and old.get(name) != new.get(name):
            yield Difference(f"{prefix}{snake(name)}", old.get(name), new.get(name))


def _customer(name: str) -> Any:
    def tell(account: Account, old: int | None, new: int | None) -> Iterator[Difference]:
        yield Difference(name, reference(account, old), reference(account, new))

    return tell


def _phones(_: Account, old: list[Row] | None, new: list[Row] | None) -> Iterator[Difference]:
    before, after = ([phone["number"] for phone in phones or ()] for phones in (old, new))
    yield from (Difference("phones", number, None) for number in before if number not in after)
    yield from (Difference("phones", None, number) for number in after if number not in before)


def _tags(_: Account, old: list[str] | None, new: list[str] | None) -> Iterator[Difference]:
    yield from (Difference("tags", tag, None) for tag in old or () if tag not in (new or ()))
    yield from (Difference("tags", None, tag) for tag in new or () if tag not in (old or ()))


def _custom(_: Account, old: Row | None, new: Row | None) -> Iterator[Difference]:
    before, after = old or {}, new or {}
    for code in dict.fromkeys((*before, *after)):
        if before.get(code) != after.get(code):
            yield Difference(f"custom_{code.lower()}", before.get(code), after.get(code))


def _delivery(_: Account, old: Row | None, new: Row | None) -> Iterator[Difference]:
    before, after = old or {}, new or {}
    for name in dict.fromkeys((*before, *after)):
        was, now = before.get(name), after.get(name)
        if was == now:
            continue
        if name == "address":
            yield from _branches("delivery_address.", was or {}, now or {})
        elif name == "code":
            yield Difference("delivery_type", _coded(was), _coded(now))
        elif name == "service":
            yield Difference("delivery_service", _code_of(was), _code_of(now))
        else:
            yield Difference(f"delivery_{snake(name)}", was, now)


def _code_of(row: Row | None) -> Row | None:
    return _coded(row.get("code")) if row else None


def _items(_: Account, old: list[Row] | None, new: list[Row] | None) -> Iterator[Difference]:
    before, after = ({item["id"]: item for item in items or ()} for items in (old, new))
    for item_id, item in after.items():
        part = {"item": item_stub(item)}
        if item_id not in before:
            yield Difference("order_product", None, {"id": item_id}, part)
            continue
        was = before[item_id]
        for name, told in ITEM_FIELDS.items():
            if was.get(name) != item.get(name):
                pair = (was.get(name), item.get(name))
                one, two = (_coded(value) for value in pair) if name == "status" else pair
                yield Difference(f"order_product.{told}", one, two, part)
        if _cost(was) != _cost(item):
            yield Difference("order_product.summ", _cost(was), _cost(item), part)
    for item_id, item in before.items():
        if item_id not in after:
            yield Difference("order_product", {"id": item_id}, None, {"item": item_stub(item)})


def item_stub(item: Row) -> Row:
    """An item as a feed names it."""
    offer = {name: item["offer"][name] for name in ("id", "externalId", "xmlId") if name in item.get("offer", {})}
    return {"id": item["id"], **({"offer": offer} if offer else {})}


def _cost(item: Row) -> Any:
    return round((item["initialPrice"] - item.get("discountTotal", 0)) * item["quantity"], 2)


def _payments(_: Account, old: list[Row] | None, new: list[Row] | None) -> Iterator[Difference]:
    before, after = ({one["id"]: one for one in payments or ()} for payments in (old, new))
    for payment_id, payment in after.items():
        if payment_id not in before:
            full = {name: value for name, value in payment.items() if name != "order"}
            yield Difference("payments", None, _payment(payment), {"payment": full})
            continue
        was = before[payment_id]
        for name in PAYMENT_FIELDS:
            if was.get(name) != payment.get(name):
                pair = (was.get(name), payment.get(name))
                one, two = (_coded(value) for value in pair) if name in ("status", "type") else pair
                yield Difference(f"payments.{snake(name)}", one, two, {"payment": _payment(payment)})
    for payment_id, payment in before.items():
        if payment_id not in after:
            yield Difference("payments", _payment(payment), None, {"payment": _payment(payment)})


def _payment(payment: Row) -> Row:
    return {name: payment[name] for name in ("id", "type", "externalId") if name in payment}


def _contacts(_: Account, old: list[Row] | None, new: list[Row] | None) -> Iterator[Difference]:
    before, after = ({one["id"]: one for one in contacts or ()} for contacts in (old, new))
    for contact_id in dict.fromkeys((*before, *after)):
        was, now = before.get(contact_id), after.get(contact_id)
        one = now or was or {}
        part = {"id": contact_id, "customer": {"id": one["customer"]}}
        if was is None or now is None:
            pair = [_identified(contact_id) if state else None for state in (was, now)]
            yield Difference("contact", pair[0], pair[1], {"customerContact": part})
        elif was["customer"] != now["customer"]:
            yield Difference("contact", _identified(contact_id), _identified(contact_id), {"customerContact": part})
        added = [
            company for company in (now or {}).get("companies", ()) if company not in (was or {}).get("companies", ())
        ]
        for company in added:
            about = {"company": {"id": company}, "customerContact": {"id": contact_id}}
            value = {"id": company, "customer_contact": {"id": contact_id}}
            yield Difference("contact.contact_company", None, value, about)
    yield from _main("contact", before, after)


def _parts(name: str) -> Any:
    def tell(_: Account, old: list[Row] | None, new: list[Row] | None) -> Iterator[Difference]:
        before, after = ({one["id"]: one for one in parts or ()} for parts in (old, new))
        for part_id in dict.fromkeys((*before, *after)):
            was, now = before.get(part_id), after.get(part_id)
            if was is None or now is None:
                yield Difference(name, _named(was), _named(now), {name: now or was})
                continue
            states = [{key: value for key, value in state.items() if key != "isMain"} for state in (was, now)]
            for told in _branches(f"{name}.", *states):
                yield Difference(told.field, told.old, told.new, {name: _named(now)})
        yield from _main(name, before, after)

    return tell


def _main(name: str, before: dict[int, Row], after: dict[int, Row]) -> Iterator[Difference]:
    """Which part of a corporate customer is the main one."""
    was, now = (next((part for part in parts.values() if part["isMain"]), None) for parts in (before, after))
    if (was or {}).get("id") != (now or {}).get("id"):
        yield Difference(f"main_{name}", _named(was), _named(now))


def _named(part: Row | None) -> Row | None:
    return {key: part[key] for key in ("id", "name") if key in part} if part else None


def _address(_: Account, old: Row | None, new: Row | None) -> Iterator[Difference]:
    part = {"address": {"id": (new or old or {}).get("id"), "isMain": True}}
    for told in _branches("address.", old or {}, new or {}):
        yield Difference(told.field, told.old, told.new, part)


SPECIAL: dict[str, Any] = {
    "customer": _customer("customer"),
    "contact": _customer("contact"),
    "company": lambda _, old, new: iter([Difference("company", _identified(old), _identified(new))]),
    "order": lambda _, old, new: iter([Difference("order", _identified(old), _identified(new))]),
    "phones": _phones,
    "address": _address,
    "tags": _tags,
    "customFields": _custom,
    "delivery": _delivery,
    "items": _items,
    "payments": _payments,
    "customerContacts": _contacts,
    "companies": _parts("company"),
    "addresses": _parts("address"),
}
