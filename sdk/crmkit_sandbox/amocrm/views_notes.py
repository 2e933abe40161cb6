"""Notes at both of their addresses, and calls."""

from collections.abc import Mapping, Sequence

from crmkit_sandbox.wire import Row

from .account import SINGULAR, Kind
from .api import Api, ApiCall, Reply
from .listing import Filter, among, list_ids, named, page_of, rows_of
from .notes import create_call, create_note, read_call, read_note, update_note
from .problems import NothingFound, invalid, problem
from .shapes import note as shape
from .shapes import self_link

KIND = "/<any(leads,contacts,companies):kind>"
FILTERS: Mapping[str, Filter] = {"note_type": named("note_type"), "entity_id": among("entity_id")}
NOT_FOUND = {"title": "Entity not found", "status": 263, "detail": "Entity not found"}


def register(api: Api) -> None:
    """Add the routes."""
    for rule in (f"{KIND}/notes", f"{KIND}/<int:parent_id>/notes"):
        api.route("GET", rule)(list_notes)
        api.route("POST", rule)(create_notes)
        api.route("PATCH", rule)(update_notes)
        api.route("GET", f"{rule}/<int:row_id>")(get_note)
        api.route("PATCH", f"{rule}/<int:row_id>")(update_one)
    for action in ("pin", "unpin"):
        api.route("POST", f"{KIND}/<int:parent_id>/notes/<int:row_id>/<any({action}):action>")(pin_note)
    api.route("POST", "/calls")(create_calls)


def list_notes(call: ApiCall, kind: Kind, parent_id: int | None = None) -> Reply:
    """A page of notes of one record, or of all records of a kind."""
    account, table = call.account, call.account.tables["notes"]
    found: Sequence[int] | None = None
    path = f"{kind}/notes"
    if parent_id is not None:
        path, found = f"{kind}/{parent_id}/notes", account.notes_of.ids((kind, parent_id))
        ids = list_ids(call, table, FILTERS, ("updated_at", "id"), found)
    else:
        ids = list_ids(call, table, FILTERS, ("updated_at", "id"))
        ids = table.select((kind, *call.query.pairs()), lambda: _of_kind(call, kind, ids))
    chosen, head = page_of(call, path, ids)
    is_pinned = "is_pinned" in call.query.words("with")
    return {**head, "_embedded": {"notes": [_shown(call, row, is_pinned) for row in rows_of(table, chosen)]}}


def get_note(call: ApiCall, kind: Kind, row_id: int, parent_id: int | None = None) -> Reply:
    """One note, nothing for an unknown one."""
    row = _known(call, kind, row_id, parent_id)
    if row is None:
        raise NothingFound
    return _shown(call, row, "is_pinned" in call.query.words("with"))


def create_notes(call: ApiCall, kind: Kind, parent_id: int | None = None) -> Reply:
    """Make notes, all or none."""
    read = []
    for index, item in enumerate(call.items()):
        whole = item if parent_id is None else {**item, "entity_id": parent_id}
        read.append((str(item.get("request_id", index)), *read_note(call.account, kind, whole)))
    if any(errors for _, _, errors in read):
        raise invalid([(request_id, errors) for request_id, _, errors in read])
    made = []
    for request_id, columns, _ in read:
        row = create_note(call.account, call.hooks, kind, columns)
        at = f"{kind}/{row['entity_id']}/notes"
        links = {"_links": self_link(call.base, at, row["id"])}
        made.append({"id": row["id"], "entity_id": row["entity_id"], "request_id": request_id, **links})
    return {"_links": {"self": {"href": f"{call.base}/api/v4/{kind}/notes"}}, "_embedded": {"notes": made}}


def update_notes(call: ApiCall, kind: Kind, parent_id: int | None = None) -> Reply:
    """Change notes, all or none."""
    read = []
    for index, item in enumerate(call.items()):
        before = _known(call, kind, item.get("id"), parent_id)
        lost = [{"code": "NotSupportedChoice", "path": "id", "detail": "The value you selected is not a valid choice."}]
        columns, errors = read_note(call.account, kind, item, before) if before else ({}, lost)
        read.append((str(item.get("request_id", index)), before, columns, errors))
    if any(errors for *_, errors in read):
        raise invalid([(request_id, errors) for request_id, _, _, errors in read])
    changed = [_changed(call, before, columns) for _, before, columns, _ in read if before]
    return {"_links": {"self": {"href": f"{call.base}/api/v4/{kind}/notes"}}, "_embedded": {"notes": changed}}


def update_one(call: ApiCall, kind: Kind, row_id: int, parent_id: int | None = None) -> Reply:
    """Change one note."""
    before = _known(call, kind, row_id, parent_id)
    if before is None:
        raise problem(404, f"Entity not found: note {row_id}")
    columns, errors = read_note(call.account, kind, call.item(), before)
    if errors:
        raise invalid([("0", errors)])
    return _changed(call, before, columns)


def pin_note(call: ApiCall, kind: Kind, parent_id: int, row_id: int, action: str) -> Reply:
    """Pin a note to its record, or take it off."""
    row = _known(call, kind, row_id, parent_id)
    if row is None:
        raise problem(404, f"Entity not found: note {row_id}")
    call.account.tables["notes"].put({**row, "is_pinned": action == "pin"})
    return None, 204


def create_calls(call: ApiCall) -> Reply:
    """Log calls; an unknown phone is an error of its item, and of the request when no item landed."""
    account = call.account
    read = [(str(item.get("request_id", i)), item, *read_call(account, item)) for i, item in enumerate(call.items())]
    if any(errors for *_, errors in read):
        raise invalid([(request_id, errors) for request_id, _, _, errors in read])
    made: list[Row] = []
    lost: list[Row] = []
    for request_id, item, params, _ in read:
        note = create_call(account, call.hooks, item, params)
        if note is None:
            lost.append({"request_id": request_id, **NOT_FOUND})
        else:
            made.append(_call_shape(call, note, request_id))
    body = {"_total_items": len(made), "errors": lost, "_embedded": {"calls": made}}
    return body, 200 if made else 400


def _call_shape(call: ApiCall, note: Row, request_id: str) -> Row:
    kind, row_id = note["entity_type"], note["entity_id"]
    entity = {"id": row_id, "_links": self_link(call.base, kind, row_id)}
    return {
        "id": note["id"],
        "entity_id": row_id,
        "entity_type": SINGULAR[kind],
        "account_id": call.account.id,
        "request_id": request_id,
        "_embedded": {"entity": entity},
    }


def _of_kind(call: ApiCall, kind: Kind, ids: Sequence[int]) -> list[int]:
    return [row["id"] for row in rows_of(call.account.tables["notes"], ids) if row["entity_type"] == kind]


def _known(call: ApiCall, kind: Kind, row_id: object, parent_id: int | None) -> Row | None:
    row = call.account.tables["notes"].live(row_id) if isinstance(row_id, int) else None
    if row is None or row["entity_type"] != kind or parent_id not in (None, row["entity_id"]):
        return None
    return row


def _changed(call: ApiCall, before: Row, columns: Row) -> Row:
    row = update_note(call.account, call.hooks, before, columns)
    at = f"{row['entity_type']}/{row['entity_id']}/notes"
    return {
        "id": row["id"],
        "entity_id": row["entity_id"],
        "updated_at": row["updated_at"],
        "_links": self_link(call.base, at, row["id"]),
    }


def _shown(call: ApiCall, row: Row, is_pinned: bool) -> Row:
    shown = shape(call.account, row, call.base)
    if not is_pinned:
        del shown["is_pinned"]
    return shown
