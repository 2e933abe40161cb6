"""Leads, contacts and companies over the API."""

from collections.abc import Mapping

from crmkit_sandbox.wire import Row

from . import changes
from .account import Account, Kind
from .api import Api, ApiCall, Reply
from .listing import Filter, among, amount, by_field, by_stage, list_ids, named, page_of, rows_of, within
from .problems import NothingFound, invalid, problem
from .shapes import SHAPES, deleted, self_link
from .writes import Write, read_write

ANY_KIND = "/<any(leads,contacts,companies):kind>"
PERSON_FILTERS: Mapping[str, Filter] = {
    "name": named("name"),
    "created_by": among("created_by"),
    "updated_by": among("updated_by"),
    "responsible_user_id": among("responsible_user_id"),
    "created_at": within("created_at"),
    "closest_task_at": within("closest_task_at"),
    "custom_fields_values": by_field,
}
FILTERS: Mapping[str, Mapping[str, Filter]] = {
    "leads": {
        **PERSON_FILTERS,
        "price": amount("price"),
        "closed_at": within("closed_at"),
        "pipeline_id": among("pipeline_id"),
        "statuses": by_stage,
    },
    "contacts": PERSON_FILTERS,
    "companies": PERSON_FILTERS,
}
ORDERS = {
    "leads": ("created_at", "updated_at", "id"),
    "contacts": ("updated_at", "id"),
    "companies": ("updated_at", "id"),
}


def register(api: Api) -> None:
    """Add the routes."""
    api.route("GET", ANY_KIND)(list_records)
    api.route("GET", f"{ANY_KIND}/<int:row_id>")(get_record)
    api.route("POST", ANY_KIND)(create_records)
    api.route("PATCH", ANY_KIND)(update_records)
    api.route("PATCH", f"{ANY_KIND}/<int:row_id>")(update_record)


def list_records(call: ApiCall, kind: Kind) -> Reply:
    """A page of records."""
    account, table = call.account, call.account.tables[kind]
    extras = call.query.words("with")
    if "only_deleted" in extras:
        chosen, head = page_of(call, kind, table.deleted)
        return {**head, "_embedded": {kind: [deleted(kind, row, call.base) for row in rows_of(table, chosen)]}}
    text = call.query.text("query")
    found = account.search[kind].find(text) if text else None
    filters = FILTERS[kind] if account.is_api_filter_enabled else {}
    chosen, head = page_of(call, kind, list_ids(call, table, filters, ORDERS[kind], found))
    shape = SHAPES[kind]
    return {**head, "_embedded": {kind: [shape(account, row, call.base, extras) for row in rows_of(table, chosen)]}}


def get_record(call: ApiCall, kind: Kind, row_id: int) -> Reply:
    """One record, nothing for an unknown or deleted one."""
    row = call.account.tables[kind].live(row_id)
    if row is None:
        raise NothingFound
    return SHAPES[kind](call.account, row, call.base, call.query.words("with"))


def create_records(call: ApiCall, kind: Kind) -> Reply:
    """Make records, all or none."""
    writes = checked(call.account, kind, call.items())
    made = []
    for write in writes:
        row = changes.create(call.account, call.hooks, write)
        made.append({"id": row["id"], "request_id": write.request_id, **_links(call, kind, row["id"])})
    return {"_links": {"self": {"href": f"{call.base}/api/v4/{kind}"}}, "_embedded": {kind: made}}


def update_records(call: ApiCall, kind: Kind) -> Reply:
    """Change records, all or none."""
    items = call.items()
    lost = [
        (_request_id(item, index), [MISSING_ID])
        for index, item in enumerate(items)
        if not isinstance(item.get("id"), int)
    ]
    if lost:
        raise invalid(lost)
    writes = checked(call.account, kind, items, is_new=False)
    changed = []
    for write in writes:
        row = changes.update(call.account, call.hooks, write)
        changed.append({"id": row["id"], "updated_at": row["updated_at"], **_links(call, kind, row["id"])})
    return {"_links": {"self": {"href": f"{call.base}/api/v4/{kind}"}}, "_embedded": {kind: changed}}


def update_record(call: ApiCall, kind: Kind, row_id: int) -> Reply:
    """Change one record."""
    if call.account.tables[kind].live(row_id) is None:
        raise problem(404, f"Entity not found: {kind} {row_id}")
    item = call.item()
    write, errors = read_write(call.account, kind, item, _request_id(item, 0), row_id)
    if errors:
        raise invalid([(write.request_id, errors)])
    row = changes.update(call.account, call.hooks, write)
    shown = {"id": row_id, "updated_at": row["updated_at"], **_links(call, kind, row_id)}
    return shown if kind == "leads" else {**shown, "name": row["name"]}


def checked(account: Account, kind: Kind, items: list[Row], *, is_new: bool = True) -> list[Write]:
    """The writes that all `items` mean.

    Raises ProblemError 400 with the faults of every item.
    """
    writes, faults = [], []
    for index, item in enumerate(items):
        request_id = _request_id(item, index)
        write, errors = read_write(account, kind, item, request_id, None if is_new else item["id"])
        writes.append(write)
        faults.append((request_id, errors))
    if any(errors for _, errors in faults):
        raise invalid(faults)
    return writes


MISSING_ID: Row = {"code": "FieldMissing", "path": "id", "detail": "This field is missing."}


def _request_id(item: Row, index: int) -> str:
    return str(item.get("request_id", index))


def _links(call: ApiCall, kind: str, row_id: int) -> Row:
    return {"_links": self_link(call.base, kind, row_id)}
