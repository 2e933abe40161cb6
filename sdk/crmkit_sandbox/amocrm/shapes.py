"""Stored rows as API v4 shows them."""

from collections.abc import Callable, Collection

from crmkit_sandbox.wire import Row

from .account import Account

# Keys of stored rows that the API shows elsewhere or not at all.
HIDDEN = {"tags", "entity_type", "result_id"}


def lead(account: Account, row: Row, base: str, extras: Collection[str] = ()) -> Row:
    """A lead with its tags and company, and what `with=` asked for."""
    links, row_id = account.links, row["id"]
    embedded: Row = {
        "tags": row["tags"],
        "companies": [_linked("companies", linked, base) for linked in links.ids("leads", row_id, "companies")],
    }
    if "contacts" in extras:
        embedded["contacts"] = [
            {"id": linked, "is_main": bool(metadata.get("main_contact")), "_links": self_link(base, "contacts", linked)}
            for linked, metadata in links.of("leads", row_id, "contacts")
        ]
    if "catalog_elements" in extras:
        embedded["catalog_elements"] = _elements(account, "leads", row_id)
    if "loss_reason" in extras:
        reason = account.shelves["loss_reasons"].get(row["loss_reason_id"])
        embedded["loss_reason"] = (
            [{**reason, "_links": self_link(base, "leads/loss_reasons", reason["id"])}] if reason else []
        )
    if "source" in extras:
        source = account.shelves["sources"].get(row["source_id"])
        embedded["source"] = {"id": source["id"], "name": source["name"]} if source else None
    shown = {key: value for key, value in row.items() if key != "tags"}
    if not {"source_id", "source"} & set(extras):
        shown.pop("source_id", None)
    if "is_price_modified_by_robot" in extras:
        shown["is_price_modified_by_robot"] = False
    return {**shown, "account_id": account.id, "_links": self_link(base, "leads", row_id), "_embedded": embedded}


def contact(account: Account, row: Row, base: str, extras: Collection[str] = ()) -> Row:
    """A contact with its tags and company, and what `with=` asked for."""
    return _person(account, "contacts", row, base, extras, ("companies",))


def company(account: Account, row: Row, base: str, extras: Collection[str] = ()) -> Row:
    """A company with its tags, and what `with=` asked for."""
    return _person(account, "companies", row, base, extras, ())


def deleted(kind: str, row: Row, base: str) -> Row:
    """A record in the bin, as `with=only_deleted` lists it."""
    keys = ("id", "updated_by", "updated_at", "is_deleted")
    return {**{key: row[key] for key in keys}, "_links": self_link(base, kind, row["id"])}


def task(account: Account, row: Row, base: str) -> Row:
    """A task; `result` is an empty list until there is one."""
    shown = {key: value for key, value in row.items() if key != "result_id"}
    return {
        **shown,
        "result": row["result"] or [],
        "account_id": account.id,
        "_links": self_link(base, "tasks", row["id"]),
    }


def note(account: Account, row: Row, base: str) -> Row:
    """A note; its kind of parent is only in the link."""
    shown = {key: value for key, value in row.items() if key != "entity_type"}
    at = f"{row['entity_type']}/{row['entity_id']}/notes"
    return {**shown, "account_id": account.id, "_links": self_link(base, at, row["id"])}


def event(row: Row, base: str) -> Row:
    """An event with a link to its record."""
    plural = {"lead": "leads", "contact": "contacts", "company": "companies", "task": "tasks", "customer": "customers"}
    kind = plural.get(row["entity_type"], "leads")
    return {
        **row,
        "_links": self_link(base, "events", row["id"]),
        "_embedded": {"entity": {"id": row["entity_id"], "_links": self_link(base, kind, row["entity_id"])}},
    }


def element(account: Account, row: Row, base: str) -> Row:
    """An element of a catalog."""
    shown = {key: value for key, value in row.items() if key not in HIDDEN}
    at = f"catalogs/{row['catalog_id']}/elements"
    return {**shown, "is_deleted": None, "account_id": account.id, "_links": self_link(base, at, row["id"])}


SHAPES: dict[str, Callable[[Account, Row, str, Collection[str]], Row]] = {
    "leads": lead,
    "contacts": contact,
    "companies": company,
}


def _person(account: Account, kind: str, row: Row, base: str, extras: Collection[str], always: tuple[str, ...]) -> Row:
    embedded: Row = {"tags": row["tags"]}
    for to_kind in ("companies", "leads", "contacts"):
        if to_kind != kind and (to_kind in always or to_kind in extras):
            linked = account.links.ids(kind, row["id"], to_kind)
            embedded[to_kind] = [_linked(to_kind, linked_id, base) for linked_id in linked]
    if "customers" in extras:
        embedded["customers"] = [
            _linked("customers", one, base) for one in account.links.ids(kind, row["id"], "customers")
        ]
    if "catalog_elements" in extras:
        embedded["catalog_elements"] = _elements(account, kind, row["id"])
    shown = {key: value for key, value in row.items() if key != "tags"}
    return {**shown, "account_id": account.id, "_links": self_link(base, kind, row["id"]), "_embedded": embedded}


def _elements(account: Account, kind: str, row_id: int) -> list[Row]:
    return [
        {"id": linked, "metadata": metadata} for linked, metadata in account.links.of(kind, row_id, "catalog_elements")
    ]


def _linked(kind: str, row_id: int, base: str) -> Row:
    return {"id": row_id, "_links": self_link(base, kind, row_id)}


def self_link(base: str, at: str, row_id: int | str) -> Row:
    """`_links` of one record."""
    return {"self": {"href": f"{base}/api/v4/{at}/{row_id}"}}
