"""Catalogs (lists) and their elements over the API."""

from crmkit_sandbox.wire import Row

from .api import Api, ApiCall, Reply
from .fields import merge_values, read_values
from .listing import list_ids, page_of, rows_of
from .problems import Check, NothingFound, invalid, problem
from .shapes import element as shape
from .shapes import self_link

ONE = "/catalogs/<int:catalog_id>"
TYPES = ("regular", "products", "invoices", "suppliers")


def register(api: Api) -> None:
    """Add the routes."""
    api.route("GET", "/catalogs")(list_catalogs)
    api.route("POST", "/catalogs", admin=True)(create_catalogs)
    api.route("GET", ONE)(get_catalog)
    api.route("PATCH", ONE, admin=True)(update_catalog)
    api.route("GET", f"{ONE}/elements")(list_elements)
    api.route("POST", f"{ONE}/elements")(create_elements)
    api.route("PATCH", f"{ONE}/elements")(update_elements)
    api.route("GET", f"{ONE}/elements/<int:row_id>")(get_element)
    api.route("PATCH", f"{ONE}/elements/<int:row_id>")(update_element)


def list_catalogs(call: ApiCall) -> Reply:
    """A page of catalogs."""
    catalogs = call.account.shelves["catalogs"]
    chosen, head = page_of(call, "catalogs", sorted(catalogs))
    return {**head, "_embedded": {"catalogs": [_catalog(call, catalogs[row_id]) for row_id in chosen]}}


def create_catalogs(call: ApiCall) -> Reply:
    """Make catalogs."""
    account, made = call.account, []
    items = call.items()
    faults = [(str(item.get("request_id", index)), _catalog_faults(item)) for index, item in enumerate(items)]
    if any(errors for _, errors in faults):
        raise invalid(faults)
    for index, item in enumerate(items):
        row = {
            "id": account.take_id("catalogs"),
            "name": item["name"],
            "created_by": call.user_id,
            "updated_by": call.user_id,
            "created_at": account.now(),
            "updated_at": account.now(),
            "sort": item.get("sort", 10),
            "type": item.get("type", "regular"),
            "can_add_elements": item.get("can_add_elements", True),
            "can_show_in_cards": item.get("can_show_in_cards", False),
            "can_link_multiple": item.get("can_link_multiple", True),
            "can_be_deleted": True,
            "sdk_widget_code": None,
        }
        account.shelves["catalogs"][row["id"]] = row
        made.append({**_catalog(call, row), "request_id": str(item.get("request_id", index))})
    return {"_embedded": {"catalogs": made}}


def get_catalog(call: ApiCall, catalog_id: int) -> Reply:
    """One catalog."""
    return _catalog(call, _known(call, catalog_id))


def update_catalog(call: ApiCall, catalog_id: int) -> Reply:
    """Change a catalog."""
    known = ("name", "sort", "can_add_elements", "can_show_in_cards", "can_link_multiple")
    changes = {name: value for name, value in call.item().items() if name in known}
    row = {**_known(call, catalog_id), **changes, "updated_at": call.account.now()}
    call.account.shelves["catalogs"][catalog_id] = row
    return _catalog(call, row)


def list_elements(call: ApiCall, catalog_id: int) -> Reply:
    """A page of elements."""
    _known(call, catalog_id)
    table = call.account.tables["elements"]
    text = (call.query.text("query") or "").casefold()
    ids = [
        row["id"]
        for row in rows_of(table, list_ids(call, table, {}, ("id",)))
        if row["catalog_id"] == catalog_id and text in row["name"].casefold()
    ]
    chosen, head = page_of(call, f"catalogs/{catalog_id}/elements", ids)
    return {**head, "_embedded": {"elements": [shape(call.account, row, call.base) for row in rows_of(table, chosen)]}}


def create_elements(call: ApiCall, catalog_id: int) -> Reply:
    """Make elements, all or none."""
    _known(call, catalog_id)
    return _write(call, catalog_id, call.items(), is_new=True)


def update_elements(call: ApiCall, catalog_id: int) -> Reply:
    """Change elements, all or none."""
    _known(call, catalog_id)
    return _write(call, catalog_id, call.items(), is_new=False)


def get_element(call: ApiCall, catalog_id: int, row_id: int) -> Reply:
    """One element, nothing for an unknown one."""
    row = call.account.tables["elements"].live(row_id)
    if row is None or row["catalog_id"] != catalog_id:
        raise NothingFound
    return shape(call.account, row, call.base)


def update_element(call: ApiCall, catalog_id: int, row_id: int) -> Reply:
    """Change one element."""
    answer = _write(call, catalog_id, [{**call.item(), "id": row_id}], is_new=False)
    elements: list[Row] = answer["_embedded"]["elements"]
    return elements[0]


def _write(call: ApiCall, catalog_id: int, items: list[Row], *, is_new: bool) -> Row:
    account, table = call.account, call.account.tables["elements"]
    plans, faults = [], []
    for index, item in enumerate(items):
        check = Check()
        row_id = item.get("id")
        before = table.live(row_id) if not is_new and isinstance(row_id, int) else None
        if (is_new or "name" in item) and not (isinstance(item.get("name"), str) and item["name"]):
            check.missing("name")
        if not is_new and (before is None or before["catalog_id"] != catalog_id):
            check.choice("id")
        fields = read_values(account, f"catalogs_{catalog_id}", item.get("custom_fields_values"), check)
        plans.append((item, before, fields))
        faults.append((str(item.get("request_id", index)), check.errors))
    if any(errors for _, errors in faults):
        raise invalid(faults)
    shown = []
    for index, (item, before, fields) in enumerate(plans):
        row = before or _blank(call, catalog_id)
        stamp = {"updated_at": account.now(), "updated_by": call.user_id, "name": item.get("name", row["name"])}
        row = table.put({**row, **stamp, "custom_fields_values": merge_values(row["custom_fields_values"], fields)})
        shown.append({**shape(account, row, call.base), "request_id": str(item.get("request_id", index))})
    return {"_embedded": {"elements": shown}}


def _blank(call: ApiCall, catalog_id: int) -> Row:
    return {
        "id": call.account.take_id("elements"),
        "name": "",
        "created_by": call.user_id,
        "created_at": call.account.now(),
        "custom_fields_values": None,
        "catalog_id": catalog_id,
    }


def _known(call: ApiCall, catalog_id: int) -> Row:
    row = call.account.shelves["catalogs"].get(catalog_id)
    if row is None:
        raise problem(404, f"Entity not found: catalog {catalog_id}")
    return row


def _catalog(call: ApiCall, row: Row) -> Row:
    return {**row, "account_id": call.account.id, "_links": self_link(call.base, "catalogs", row["id"])}


def _catalog_faults(item: Row) -> list[Row]:
    check = Check()
    if not item.get("name") or not isinstance(item["name"], str):
        check.missing("name")
    check.is_choice(item, "type", TYPES)
    return check.errors
