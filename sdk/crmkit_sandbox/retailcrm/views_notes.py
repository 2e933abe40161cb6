"""Notes of customers and corporate customers over the API."""

from collections.abc import Mapping

from . import notes, shapes
from .account import Account, Kind
from .api import Api, ApiCall, Reply
from .listing import Filter, Test, holds, listed, since, until, whole_among
from .problems import problem
from .query import values


def _of_external(account: Account, value: object) -> Test:
    found = {
        row_id
        for kind in ("customers", "corporate")
        for one in values(value)
        for row_id in account.by_external[kind].ids(one)
    }
    return lambda row: row["customer"] in found


FILTERS: Mapping[str, Filter] = {
    "ids": whole_among("id"),
    "customerIds": whole_among("customer"),
    "customerExternalIds": _of_external,
    "managerIds": whole_among("managerId"),
    "text": holds("text"),
    "createdAtFrom": since("createdAt"),
    "createdAtTo": until("createdAt"),
}
ROOTS: Mapping[Kind, str] = {"customers": "/customers/notes", "corporate": "/customers-corporate/notes"}


def register(api: Api) -> None:
    """Add the routes."""
    for kind, root in ROOTS.items():
        api.route("GET", root, "customer_read")(lambda call, kind=kind: list_notes(call, kind))
        api.route("POST", f"{root}/create", "customer_write")(lambda call, kind=kind: create_note(call, kind))
        api.route("POST", f"{root}/<int:note_id>/delete", "customer_write")(
            lambda call, note_id, kind=kind: delete_note(call, kind, note_id)
        )


def list_notes(call: ApiCall, kind: Kind) -> Reply:
    """A page of notes."""
    rows, head = listed(call, call.account.tables["notes"], FILTERS, always=[lambda row: row["kind"] == kind])
    return {**head, "notes": [shapes.note(call.account, row) for row in rows]}


def create_note(call: ApiCall, kind: Kind) -> Reply:
    """Make a note."""
    given = call.entity("note")
    return {"id": notes.create(call.account, kind, given, call.site(is_needed=False))["id"]}, 201


def delete_note(call: ApiCall, kind: Kind, note_id: int) -> Reply:
    """Take a note away."""
    row = call.account.tables["notes"].live(note_id)
    if row is None or row["kind"] != kind or not call.sees(row):
        raise problem(404, "Note not found map")
    call.account.tables["notes"].put({**row, "is_deleted": True})
    return {}
