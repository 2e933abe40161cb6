"""Links between records over the API."""

from crmkit_sandbox.wire import Row

from . import changes
from .account import SINGULAR, Kind
from .api import Api, ApiCall, Reply
from .hooks import lead_item, person_item
from .links import Place
from .problems import Check, NothingFound, invalid, problem
from .query import numbers, values

KIND = "/<any(leads,contacts,companies):kind>"
# Source: amoCRM, page "Entity links": which kinds may be linked from which.
ALLOWED = {
    "leads": ("contacts", "companies", "catalog_elements"),
    "contacts": ("companies", "customers", "catalog_elements", "leads"),
    "companies": ("contacts", "leads", "customers", "catalog_elements"),
}


def register(api: Api) -> None:
    """Add the routes."""
    api.route("GET", f"{KIND}/<int:row_id>/links")(list_links)
    api.route("GET", f"{KIND}/links")(list_many)
    for action in ("link", "unlink"):
        api.route("POST", f"{KIND}/<int:row_id>/<any({action}):action>")(change_links)
        api.route("POST", f"{KIND}/<any({action}):action>")(change_links)


def list_links(call: ApiCall, kind: Kind, row_id: int) -> Reply:
    """What is linked with one record."""
    if call.account.tables[kind].live(row_id) is None:
        raise problem(404, f"Entity not found: {kind} {row_id}")
    found = _links(call, kind, row_id)
    if not found:
        raise NothingFound
    links = {"self": {"href": f"{call.base}/api/v4/{kind}/{row_id}/links?page=1&limit=50"}}
    return {"_total_items": len(found), "_links": links, "_embedded": {"links": found}}


def list_many(call: ApiCall, kind: Kind) -> Reply:
    """What is linked with the records of `filter[entity_id]`."""
    wanted = numbers(call.query.group("filter").get("entity_id", ""))
    call.query.used.add("filter[entity_id]")
    if not wanted:
        raise problem(400, "filter[entity_id] is required")
    found = [
        {"entity_id": row_id, "entity_type": kind, **link}
        for row_id in sorted(wanted)
        for link in _links(call, kind, row_id)
    ]
    if not found:
        raise NothingFound
    links = {"self": {"href": f"{call.base}/api/v4/{kind}/links"}}
    return {"_total_items": len(found), "_links": links, "_embedded": {"links": found}}


def change_links(call: ApiCall, kind: Kind, action: str, row_id: int | None = None) -> Reply:
    """Link or unlink, all or none."""
    pairs = [_read(call, kind, item, index, row_id) for index, item in enumerate(call.items())]
    if any(check.errors for _, _, _, check in pairs):
        raise invalid([(str(index), check.errors) for index, (_, _, _, check) in enumerate(pairs)])
    shown = []
    for one, other, metadata, _ in pairs:
        if action == "link":
            changes.link(call.account, one, other, metadata)
            shown.append(_shown(one, other, metadata))
        else:
            changes.unlink(call.account, one, other)
        _touch(call, one)
    if action == "unlink":
        return None, 204
    at = f"{kind}/{row_id}/links" if row_id is not None else f"{kind}/links"
    links = {"self": {"href": f"{call.base}/api/v4/{at}"}}
    return {"_total_items": len(shown), "_links": links, "_embedded": {"links": shown}}


def _links(call: ApiCall, kind: Kind, row_id: int) -> list[Row]:
    given = call.query.group("filter")
    call.query.used.update(("filter[to_entity_id]", "filter[to_entity_type]", "filter[to_catalog_id]"))
    ids, kinds = numbers(given.get("to_entity_id", "")), set(values(given.get("to_entity_type", "")))
    return [
        {"to_entity_id": place[1], "to_entity_type": place[0], "metadata": metadata or None}
        for place, metadata in call.account.links.all_of(kind, row_id)
        if (not ids or place[1] in ids) and (not kinds or place[0] in kinds)
    ]


def _read(call: ApiCall, kind: Kind, item: Row, index: int, row_id: int | None) -> tuple[Place, Place, Row, Check]:
    check = Check()
    own_id = row_id if row_id is not None else item.get("entity_id")
    if not isinstance(own_id, int) or call.account.tables[kind].live(own_id) is None:
        check.choice(f"{index}.entity_id")
    to_kind, to_id = item.get("to_entity_type"), item.get("to_entity_id")
    path = f"{index}.to_entity_type"
    if "to_entity_type" not in item:
        check.missing(path)
    elif check.is_choice(item, "to_entity_type", ALLOWED[kind], path) and not _is_there(call, str(to_kind), to_id):
        check.choice(f"{index}.to_entity_id")
    given = check.branch(item, "metadata")
    metadata: Row = {}
    if to_kind == "contacts" and kind == "leads":
        metadata = {"main_contact": bool(given.get("is_main", False))}
    if to_kind == "catalog_elements":
        metadata = {"quantity": given.get("quantity", 1), "catalog_id": given.get("catalog_id")}
    one = (kind, own_id if isinstance(own_id, int) else 0)
    return one, (str(to_kind), to_id if isinstance(to_id, int) else 0), metadata, check


def _is_there(call: ApiCall, kind: str, row_id: object) -> bool:
    if not isinstance(row_id, int):
        return False
    if kind == "customers":
        return row_id in call.account.shelves["customers"]
    return call.account.tables["elements" if kind == "catalog_elements" else kind].live(row_id) is not None


def _shown(one: Place, other: Place, metadata: Row) -> Row:
    return {
        "entity_id": one[1],
        "entity_type": one[0],
        "to_entity_id": other[1],
        "to_entity_type": other[0],
        "metadata": metadata or None,
    }


def _touch(call: ApiCall, one: Place) -> None:
    account, (kind, row_id) = call.account, one
    row = account.tables[kind].live(row_id)
    if row is None:
        return
    row = account.tables[kind].put({**row, "updated_at": account.now(), "updated_by": call.user_id})
    item = lead_item(account, row) if kind == "leads" else person_item(account, kind, row)
    call.hooks.emit(f"update_{SINGULAR[kind]}", changes.hook_key(kind), "update", item)
