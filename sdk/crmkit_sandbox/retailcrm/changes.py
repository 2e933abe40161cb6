"""The only place where records change: the row, its history and its triggers together."""

from typing import Any

from crmkit_sandbox.wire import Row

from .account import Account, Change, Kind
from .history import Difference, differences, record, stub
from .shapes import SHAPES


def create(account: Account, kind: Kind, row: Row) -> Row:
    """Store a new record."""
    made = {**row, "updated_at": int(account.now()), "is_deleted": False}
    account.tables[kind].put(made)
    entity = SHAPES[kind](account, made)
    first = Difference("id", None, row["id"])
    if kind == "orders":
        first = Difference("status", None, {"code": row["status"]})
    record(account, kind, made, first, created=True, entity=entity)
    account.tell(Change(kind, "create", made))
    return made


def change(account: Account, kind: Kind, before: Row, after: Row) -> Row:
    """Store a new state of a record; nothing is told when nothing differs."""
    told = list(differences(account, before, after))
    if not told:
        return before
    kept = {**after, "updated_at": int(account.now())}
    account.tables[kind].put(kept)
    for difference in told:
        record(account, kind, kept, difference)
    account.tell(Change(kind, "change", kept, tuple(difference.field for difference in told)))
    return kept


def delete(account: Account, kind: Kind, row: Row, combined_to: Row | None = None) -> None:
    """Take a record away, for good or into another."""
    marks: dict[str, Any] = {"deleted": True}
    gone = {**row, "is_deleted": True, "updated_at": int(account.now())}
    if combined_to is not None:
        marks["combinedTo"] = stub(kind, combined_to)
        gone["combined_to"] = combined_to["id"]
    account.tables[kind].put(gone)
    record(account, kind, gone, Difference("id", row["id"], None), **marks)
    account.tell(Change(kind, "delete", gone))
