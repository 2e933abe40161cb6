"""Custom field definitions over the API, for records and for catalogs."""

from typing import Any

from crmkit_sandbox.wire import Row

from .api import Api, ApiCall, Reply
from .fields import CHOICES, TYPE_NUMBERS
from .listing import page_of
from .problems import Check, invalid, problem
from .query import values
from .seed import add_field

KIND = "/<any(leads,contacts,companies):kind>"
MOST = 50


def register(api: Api) -> None:
    """Add the routes."""
    for prefix in (KIND, "/catalogs/<int:catalog_id>"):
        api.route("GET", f"{prefix}/custom_fields")(list_fields)
        api.route("POST", f"{prefix}/custom_fields", admin=True)(create_fields)
        api.route("PATCH", f"{prefix}/custom_fields", admin=True)(update_fields)
        api.route("GET", f"{prefix}/custom_fields/<int:row_id>")(get_field)
        api.route("PATCH", f"{prefix}/custom_fields/<int:row_id>", admin=True)(update_field)
        api.route("DELETE", f"{prefix}/custom_fields/<int:row_id>", admin=True)(delete_field)
    api.route("GET", f"{KIND}/custom_fields/groups")(list_groups)
    api.route("POST", f"{KIND}/custom_fields/groups", admin=True)(create_groups)


def list_fields(call: ApiCall, kind: str = "", catalog_id: int = 0) -> Reply:
    """A page of definitions; the vendor gives at most 50 on one."""
    name, path = _book(call, kind, catalog_id)
    book = call.account.fields.get(name, {})
    wanted = set(values(call.query.group("filter").get("type", "")))
    call.query.used.add("filter[type]")
    ids = [field["id"] for field in book.values() if not wanted or field["type"] in wanted]
    column = "sort" if "sort" in call.query.group("order") else "id"
    ids.sort(key=lambda field_id: book[field_id][column])
    chosen, head = page_of(call, f"{path}/custom_fields", ids, most=MOST)
    limit = min(MOST, call.query.number("limit", MOST))
    last = {"href": f"{call.base}/api/v4/{path}/custom_fields?page={-(-len(ids) // limit)}&limit={limit}"}
    head["_links"]["last"] = last
    shown = [_field(call, path, book[field_id]) for field_id in chosen]
    return {
        "_total_items": len(ids),
        "_page_count": -(-len(ids) // limit),
        **head,
        "_embedded": {"custom_fields": shown},
    }


def create_fields(call: ApiCall, kind: str = "", catalog_id: int = 0) -> Reply:
    """Define fields."""
    name, path = _book(call, kind, catalog_id)
    items, faults = call.items(), []
    for index, item in enumerate(items):
        faults.append((str(item.get("request_id", index)), _faults(item)))
    if any(errors for _, errors in faults):
        raise invalid(faults)
    made = []
    for index, item in enumerate(items):
        field = add_field(
            call.account, name, item["name"], item["type"], code=item.get("code"), sort=item.get("sort", 500)
        )
        field = _store(call, name, {**field, **_enums(call, item), "is_deletable": True, "is_predefined": False})
        made.append({**_field(call, path, field), "request_id": str(item.get("request_id", index))})
    return {"_total_items": len(made), "_embedded": {"custom_fields": made}}, 201


def update_fields(call: ApiCall, kind: str = "", catalog_id: int = 0) -> Reply:
    """Change definitions."""
    name, path = _book(call, kind, catalog_id)
    book = call.account.fields.get(name, {})
    items = call.items()
    lost = [(str(i), Check()) for i in range(len(items))]
    for (_, check), item in zip(lost, items, strict=True):
        check.is_choice({"id": None, **item}, "id", book)
        _check_options(item, check)
    if any(check.errors for _, check in lost):
        raise invalid([(request_id, check.errors) for request_id, check in lost])
    changed = [_field(call, path, _change(call, name, book[item["id"]], item)) for item in items]
    return {"_total_items": len(changed), "_embedded": {"custom_fields": changed}}


def get_field(call: ApiCall, row_id: int, kind: str = "", catalog_id: int = 0) -> Reply:
    """One definition."""
    name, path = _book(call, kind, catalog_id)
    return _field(call, path, _known(call, name, row_id))


def update_field(call: ApiCall, row_id: int, kind: str = "", catalog_id: int = 0) -> Reply:
    """Change a definition."""
    name, path = _book(call, kind, catalog_id)
    field, item, check = _known(call, name, row_id), call.item(), Check()
    _check_options(item, check)
    if check.errors:
        raise invalid([("0", check.errors)])
    return _field(call, path, _change(call, name, field, item))


def delete_field(call: ApiCall, row_id: int, kind: str = "", catalog_id: int = 0) -> Reply:
    """Remove a definition that is not the vendor's own."""
    name, _ = _book(call, kind, catalog_id)
    if not _known(call, name, row_id)["is_deletable"]:
        raise problem(400, "The field is predefined and cannot be deleted")
    del call.account.fields[name][row_id]
    return None, 204


def list_groups(call: ApiCall, kind: str) -> Reply:
    """The groups (tabs) of fields."""
    groups = [group for group in call.account.shelves["field_groups"].values() if group["entity_type"] == kind]
    general = {
        "id": "default",
        "name": "Основное",
        "is_predefined": True,
        "type": "none",
        "entity_type": kind,
        "sort": 0,
    }
    return {"_total_items": len(groups) + 1, "_embedded": {"custom_field_groups": [general, *groups]}}


def create_groups(call: ApiCall, kind: str) -> Reply:
    """Make groups of fields."""
    made = []
    for index, item in enumerate(call.items()):
        key = f"{kind}_{call.account.ids.take('field_groups', start=1_000_001)}"
        group = {"id": key, "name": str(item.get("name", "")), "is_predefined": False, "type": "none"}
        group |= {"entity_type": kind, "sort": item.get("sort", 10)}
        call.account.shelves["field_groups"][key] = group
        made.append({**group, "request_id": str(item.get("request_id", index))})
    return {"_total_items": len(made), "_embedded": {"custom_field_groups": made}}


def _book(call: ApiCall, kind: str, catalog_id: int) -> tuple[str, str]:
    if not catalog_id:
        return kind, kind
    if catalog_id not in call.account.shelves["catalogs"]:
        raise problem(404, f"Entity not found: catalog {catalog_id}")
    return f"catalogs_{catalog_id}", f"catalogs/{catalog_id}"


def _known(call: ApiCall, name: str, row_id: int) -> Row:
    field = call.account.fields.get(name, {}).get(row_id)
    if field is None:
        raise problem(404, f"Entity not found: custom field {row_id}")
    return field


def _faults(item: Row) -> list[Row]:
    check = Check()
    if not isinstance(item.get("name"), str) or not item.get("name"):
        check.missing("name")
    if "type" not in item:
        check.missing("type")
    elif not check.is_choice(item, "type", TYPE_NUMBERS):
        return check.errors
    elif item["type"] == "monetary" and not item.get("currency"):
        check.missing("currency")
    elif item["type"] in CHOICES and not item.get("enums"):
        check.missing("enums")
    _check_options(item, check)
    return check.errors


def _check_options(item: Row, check: Check) -> None:
    for name in ("name", "code", "group_id", "currency"):
        if item.get(name) is not None:
            check.is_text(item, name)
    check.is_int(item, "sort")
    for index, enum in enumerate(check.objects(item, "enums", "enums")):
        if not isinstance(enum.get("value"), str):
            check.missing(f"enums.{index}.value")
        check.is_int(enum, "id", nullable=True)


def _change(call: ApiCall, name: str, field: Row, item: Row) -> Row:
    known = ("name", "sort", "group_id", "is_api_only", "required_statuses", "code", "remind", "currency")
    changes = {key: value for key, value in item.items() if key in known}
    return _store(call, name, {**field, **changes, **_enums(call, item)})


def _enums(call: ApiCall, item: Row) -> Row:
    if not item.get("enums"):
        return {"currency": item["currency"]} if item.get("currency") else {}
    # An option sent without its id is made anew; one left out is gone.
    options: list[Any] = [
        {
            "id": enum.get("id") or call.account.take_id("enums"),
            "value": enum["value"],
            "sort": enum.get("sort", 500),
            "code": enum.get("code"),
        }
        for enum in item["enums"]
    ]
    return {"enums": options}


def _store(call: ApiCall, name: str, field: Row) -> Row:
    call.account.fields[name][field["id"]] = field
    return field


def _field(call: ApiCall, path: str, field: Row) -> Row:
    href = f"{call.base}/api/v4/{path}/custom_fields/{field['id']}"
    return {**field, "account_id": call.account.id, "_links": {"self": {"href": href}}}
