"""The account, its users, roles, loss reasons, sources and tags over the API."""

from collections.abc import Collection

from crmkit_sandbox.wire import Row

from .account import Kind
from .api import Api, ApiCall, Reply
from .listing import page_of
from .problems import Check, NothingFound, invalid, problem
from .query import numbers, values
from .shapes import self_link
from .tags import take_tag
from .tasks import TASK_TYPES

KIND = "/<any(leads,contacts,companies):kind>"


def register(api: Api) -> None:
    """Add the routes."""
    api.route("GET", "/account")(get_account)
    api.route("GET", "/users", admin=True)(list_users)
    api.route("GET", "/users/<int:row_id>", admin=True)(get_user)
    api.route("GET", "/roles", admin=True)(list_roles)
    api.route("GET", "/roles/<int:row_id>", admin=True)(get_role)
    api.route("GET", "/leads/loss_reasons")(list_reasons)
    api.route("POST", "/leads/loss_reasons", admin=True)(create_reasons)
    api.route("GET", "/leads/loss_reasons/<int:row_id>")(get_reason)
    api.route("DELETE", "/leads/loss_reasons/<int:row_id>", admin=True)(delete_reason)
    api.route("GET", f"{KIND}/tags")(list_tags)
    api.route("POST", f"{KIND}/tags")(create_tags)
    api.route("GET", "/sources")(list_sources)
    api.route("POST", "/sources")(create_sources)
    api.route("GET", "/sources/<int:row_id>")(get_source)
    api.route("PATCH", "/sources/<int:row_id>")(update_source)
    api.route("DELETE", "/sources/<int:row_id>")(delete_source)


def get_account(call: ApiCall) -> Reply:
    """The account and what `with=` asked for."""
    account, extras = call.account, call.query.words("with")
    row: Row = {
        "id": account.id,
        "name": "Ромашка",
        "subdomain": account.subdomain,
        "created_at": 1_600_000_000,
        "created_by": 0,
        "updated_at": 1_600_000_000,
        "updated_by": 0,
        "current_user_id": call.user_id,
        "country": "RU",
        "currency": "RUB",
        "currency_symbol": "₽",
        "customers_mode": "disabled",
        "is_unsorted_on": True,
        "mobile_feature_version": 0,
        "is_loss_reason_enabled": True,
        "is_helpbot_enabled": False,
        "is_technical_account": False,
        "contact_name_display_order": 1,
    }
    optional = {
        "amojo_id": "f3c6340d-0000-4000-8000-000000000001",
        "uuid": "824f3a59-0000-4000-8000-000000000002",
        "version": 14,
        "drive_url": "https://drive-b.amocrm.ru",
        "is_api_filter_enabled": account.is_api_filter_enabled,
    }
    row |= {name: value for name, value in optional.items() if name in extras}
    row["_links"] = {"self": {"href": f"{call.base}/api/v4/account"}}
    return {**row, "_embedded": _account_parts(call, extras)}


def list_users(call: ApiCall) -> Reply:
    """A page of users."""
    users = call.account.shelves["users"]
    chosen, head = page_of(call, "users", sorted(users))
    shown = [_user(call, users[user_id]) for user_id in chosen]
    return {**_totals(call, len(users)), **head, "_embedded": {"users": shown}}


def get_user(call: ApiCall, row_id: int) -> Reply:
    """One user."""
    return _user(call, _one(call, "users", row_id))


def list_roles(call: ApiCall) -> Reply:
    """A page of roles."""
    roles = call.account.shelves["roles"]
    chosen, head = page_of(call, "roles", sorted(roles))
    shown = [_role(call, roles[role_id]) for role_id in chosen]
    return {**_totals(call, len(roles)), **head, "_embedded": {"roles": shown}}


def get_role(call: ApiCall, row_id: int) -> Reply:
    """One role."""
    return _role(call, _one(call, "roles", row_id))


def list_reasons(call: ApiCall) -> Reply:
    """A page of loss reasons."""
    reasons = call.account.shelves["loss_reasons"]
    chosen, head = page_of(call, "leads/loss_reasons", sorted(reasons))
    return {**head, "_embedded": {"loss_reasons": [_reason(call, reasons[row_id]) for row_id in chosen]}}


def create_reasons(call: ApiCall) -> Reply:
    """Make loss reasons."""
    account, made = call.account, []
    for index, item in enumerate(_named(call)):
        stamp = {"created_at": account.now(), "updated_at": account.now()}
        row = {"id": account.take_id("loss_reasons"), "name": item["name"], "sort": item.get("sort", 100_000), **stamp}
        account.shelves["loss_reasons"][row["id"]] = row
        made.append({**_reason(call, row), "request_id": str(item.get("request_id", index))})
    return {"_embedded": {"loss_reasons": made}}


def get_reason(call: ApiCall, row_id: int) -> Reply:
    """One loss reason."""
    return _reason(call, _one(call, "loss_reasons", row_id))


def delete_reason(call: ApiCall, row_id: int) -> Reply:
    """Remove a loss reason."""
    _one(call, "loss_reasons", row_id)
    del call.account.shelves["loss_reasons"][row_id]
    return None, 204


def list_tags(call: ApiCall, kind: Kind) -> Reply:
    """A page of tags."""
    shelf = call.account.shelves[f"tags_{kind}"]
    given, text = call.query.group("filter"), call.query.text("query")
    call.query.used.update(("filter[id]", "filter[name]"))
    ids, names = numbers(given.get("id", "")), set(values(given.get("name", "")))
    found = [
        tag["id"]
        for tag in shelf.values()
        if (not ids or tag["id"] in ids)
        and (not names or tag["name"] in names)
        and (not text or text.casefold() in tag["name"].casefold())
    ]
    chosen, head = page_of(call, f"{kind}/tags", found)
    return {**head, "_embedded": {"tags": [shelf[tag_id] for tag_id in chosen]}}


def create_tags(call: ApiCall, kind: Kind) -> Reply:
    """Make tags; a name that exists gives the tag that exists."""
    made = []
    for index, item in enumerate(_named(call)):
        tag = take_tag(call.account, kind, item["name"], item.get("color"))
        made.append({**tag, "request_id": str(item.get("request_id", index))})
    return {"_embedded": {"tags": made}}


def list_sources(call: ApiCall) -> Reply:
    """A page of the integration's sources."""
    sources = call.account.shelves["sources"]
    chosen, head = page_of(call, "sources", sorted(sources))
    return {**head, "_total_items": len(sources), "_embedded": {"sources": [_source(call, sources[i]) for i in chosen]}}


def create_sources(call: ApiCall) -> Reply:
    """Make sources; `external_id` is unique."""
    account, made = call.account, []
    items = _named(call, "name", "external_id")
    for index, item in enumerate(items):
        taken = {source["external_id"] for source in account.shelves["sources"].values()}
        if item["external_id"] in taken:
            raise invalid([(str(index), [{"code": "NotUnique", "path": "external_id", "detail": "Not unique."}])])
        row = {
            "id": account.take_id("sources"),
            "name": item["name"],
            "external_id": item["external_id"],
            "pipeline_id": item.get("pipeline_id", account.main_pipeline["id"]),
            "default": bool(item.get("default", False)),
            "origin_code": item.get("origin_code"),
            "services": item.get("services", []),
        }
        account.shelves["sources"][row["id"]] = row
        made.append({**_source(call, row), "request_id": str(item.get("request_id", index))})
    return {"_total_items": len(made), "_embedded": {"sources": made}}


def get_source(call: ApiCall, row_id: int) -> Reply:
    """One source."""
    return _source(call, _one(call, "sources", row_id))


def update_source(call: ApiCall, row_id: int) -> Reply:
    """Change a source."""
    before = _one(call, "sources", row_id)
    known = ("name", "external_id", "pipeline_id", "default", "origin_code", "services")
    row = {**before, **{name: value for name, value in call.item().items() if name in known}}
    call.account.shelves["sources"][row_id] = row
    return _source(call, row)


def delete_source(call: ApiCall, row_id: int) -> Reply:
    """Remove a source."""
    _one(call, "sources", row_id)
    del call.account.shelves["sources"][row_id]
    return None, 204


def _account_parts(call: ApiCall, extras: Collection[str]) -> Row:
    parts = {
        "amojo_rights": {"can_direct": True, "can_create_groups": True},
        "users_groups": list(call.account.shelves["groups"].values()),
        "task_types": [dict(kind) for kind in TASK_TYPES],
        "entity_names": {"leads": {"ru": {"gender": "f", "plural_form": {"nominative": "Сделки"}}}},
        "datetime_settings": {
            "date_pattern": "d.m.Y H:i",
            "short_date_pattern": "d.m.Y",
            "short_time_pattern": "H:i",
            "date_format": "d.m.Y",
            "time_format": "H:i:s",
            "timezone": "Europe/Moscow",
            "timezone_offset": "+03:00",
        },
        "invoices_settings": {"lang": "ru", "currency": "RUB"},
    }
    return {name: part for name, part in parts.items() if name in extras}


def _user(call: ApiCall, user: Row) -> Row:
    extras, shelves, embedded = call.query.words("with"), call.account.shelves, {}
    row = {**user, "_links": self_link(call.base, "users", user["id"])}
    role = shelves["roles"].get(user["rights"]["role_id"])
    if "role" in extras:
        embedded["roles"] = [_short_role(call, role)] if role else []
    if "group" in extras:
        group = shelves["groups"].get(user["rights"]["group_id"])
        embedded["groups"] = [{"id": group["id"], "name": group["name"]}] if group else []
    if "uuid" in extras:
        row["uuid"] = f"00000000-0000-4000-8000-{user['id']:012d}"
    if "phone_number" in extras:
        row["phone_number"] = None
    return {**row, "_embedded": embedded} if embedded else row


def _short_role(call: ApiCall, role: Row) -> Row:
    return {"id": role["id"], "name": role["name"], "_links": self_link(call.base, "roles", role["id"])}


def _role(call: ApiCall, role: Row) -> Row:
    row = {**role, "_links": self_link(call.base, "roles", role["id"])}
    if "users" in call.query.words("with"):
        users = call.account.shelves["users"].values()
        row["_embedded"] = {"users": [user["id"] for user in users if user["rights"]["role_id"] == role["id"]]}
    return row


def _reason(call: ApiCall, row: Row) -> Row:
    return {**row, "_links": self_link(call.base, "leads/loss_reasons", row["id"])}


def _source(call: ApiCall, row: Row) -> Row:
    return {**row, "_links": self_link(call.base, "sources", row["id"])}


def _totals(call: ApiCall, count: int) -> Row:
    limit = call.query.number("limit", 50)
    return {"_total_items": count, "_page_count": -(-count // limit)}


def _one(call: ApiCall, shelf: str, row_id: int) -> Row:
    row = call.account.shelves[shelf].get(row_id)
    if row is None:
        if shelf == "sources":
            raise NothingFound
        raise problem(404, f"Entity not found: {shelf} {row_id}")
    return row


def _named(call: ApiCall, *required: str) -> list[Row]:
    items, faults = call.items(), []
    for index, item in enumerate(items):
        check = Check()
        for name in required or ("name",):
            if not isinstance(item.get(name), str) or not item[name]:
                check.missing(name)
        faults.append((str(item.get("request_id", index)), check.errors))
    if any(errors for _, errors in faults):
        raise invalid(faults)
    return items
