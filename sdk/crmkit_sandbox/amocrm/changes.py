"""The only place where leads, contacts and companies change: the row, its events and its hooks together."""

from crmkit_sandbox.wire import Row

from .account import LOST, SINGULAR, WON, Account, Kind
from .fields import merge_values
from .hooks import Hooks, lead_item, person_item
from .journal import record, record_changes, record_link
from .links import Place
from .tags import change_tags, settle_tags
from .writes import Write


def create(account: Account, hooks: Hooks, write: Write, *, is_unsorted: bool = False) -> Row:
    """Make the record that `write` describes."""
    row = _blank(account, write)
    row |= write.columns
    row["custom_fields_values"] = merge_values(None, write.fields)
    row["tags"] = settle_tags(
        account, write.kind, change_tags([], replace=write.tags, add=write.tags_to_add, delete=[])
    )
    if write.kind == "leads":
        row["name"] = row["name"] or f"Сделка #{row['id']}"
        row["closed_at"] = row["closed_at"] or (account.now() if row["status_id"] in (WON, LOST) else None)
    if write.kind == "contacts":
        row |= {"name": _full_name(row, write.columns), "is_unsorted": is_unsorted}
    account.tables[write.kind].put(row)
    note = {"note": {"id": account.take_id("notes")}}
    record(account, write.kind, row["id"], f"{SINGULAR[write.kind]}_added", after=[note])
    for place, metadata in write.links:
        link(account, (write.kind, row["id"]), place, metadata)
    hooks.emit(f"add_{SINGULAR[write.kind]}", hook_key(write.kind), "add", hook_item(account, write.kind, row))
    return row


def update(account: Account, hooks: Hooks, write: Write) -> Row:
    """Change the record that `write` names; only what it holds changes."""
    before = account.tables[write.kind].get(write.row_id or 0)
    if before is None:
        raise KeyError(write.row_id)
    after = {**before, **write.columns}
    after["updated_at"] = write.columns.get("updated_at", account.now())
    after["updated_by"] = write.columns.get("updated_by", account.actor.user_id)
    after["custom_fields_values"] = merge_values(before["custom_fields_values"], write.fields)
    tags = change_tags(before["tags"], replace=write.tags, add=write.tags_to_add, delete=write.tags_to_delete)
    after["tags"] = settle_tags(account, write.kind, tags)
    if write.kind == "leads":
        _close(account, write, before, after)
    if write.kind == "contacts":
        after["name"] = _full_name(after, write.columns)
    account.tables[write.kind].put(after)
    record_changes(account, write.kind, before, after)
    _tell(account, hooks, write.kind, before, after)
    return after


def delete(account: Account, hooks: Hooks, kind: Kind, row_id: int) -> None:
    """Move a record to the bin, as the web interface does; the API has no such call."""
    row = _flag(account, kind, row_id, is_deleted=True)
    record(account, kind, row_id, f"{SINGULAR[kind]}_deleted")
    item = {"id": row_id, "type": SINGULAR[kind]}
    if kind == "leads":
        item = {"id": row_id, "status_id": row["status_id"], "pipeline_id": row["pipeline_id"]}
    hooks.emit(f"delete_{SINGULAR[kind]}", hook_key(kind), "delete", item)


def restore(account: Account, hooks: Hooks, kind: Kind, row_id: int) -> Row:
    """Take a record out of the bin."""
    row = _flag(account, kind, row_id, is_deleted=False)
    record(account, kind, row_id, f"{SINGULAR[kind]}_restored")
    hooks.emit(f"restore_{SINGULAR[kind]}", hook_key(kind), "restore", hook_item(account, kind, row))
    return row


def merge(account: Account, hooks: Hooks, kind: Kind, winner: int, losers: list[int]) -> None:
    """Merge as the web interface does: links and empty fields move to the winner, losers vanish with a delete hook."""
    table = account.tables[kind]
    row = _known(account, kind, winner)
    fields = {value["field_id"]: value for value in row["custom_fields_values"] or ()}
    for loser in losers:
        for value in _known(account, kind, loser)["custom_fields_values"] or ():
            fields.setdefault(value["field_id"], value)
        for place, metadata in account.links.all_of(kind, loser):
            account.links.part((kind, loser), place)
            account.links.join((kind, winner), place, metadata)
    now = account.now()
    after = {**row, "updated_at": now, "updated_by": account.actor.user_id}
    table.put({**after, "custom_fields_values": list(fields.values()) or None})
    record(account, kind, winner, "entity_merged")
    for loser in losers:
        _flag(account, kind, loser, is_deleted=True)
        hooks.emit(f"delete_{SINGULAR[kind]}", hook_key(kind), "delete", {"id": loser, "type": SINGULAR[kind]})
    _tell(account, hooks, kind, row, _known(account, kind, winner))


def link(account: Account, one: Place, other: Place, metadata: Row) -> None:
    """Link two records; a lead or a contact keeps one company."""
    if other[0] == "companies" and one[0] in ("leads", "contacts"):
        for company in account.links.ids(*one, "companies"):
            if company != other[1]:
                unlink(account, one, ("companies", company))
    if one[0] == "leads" and other[0] == "contacts" and metadata.get("main_contact"):
        # A lead has one main contact.
        for person, known in account.links.of(*one, "contacts"):
            if person != other[1] and known.get("main_contact"):
                account.links.join(one, ("contacts", person), {**known, "main_contact": False})
    is_new = not account.links.has(one, other)
    account.links.join(one, other, metadata)
    if is_new:
        record_link(account, *one, *other, is_linked=True)


def unlink(account: Account, one: Place, other: Place) -> bool:
    """Unlink two records; False when they were not linked."""
    was_linked = account.links.part(one, other)
    if was_linked:
        record_link(account, *one, *other, is_linked=False)
    return was_linked


def hook_key(kind: str) -> str:
    """The top key of hooks: companies come as contacts."""
    return "leads" if kind == "leads" else "contacts"


def hook_item(account: Account, kind: str, row: Row) -> Row:
    """The record as hooks show it."""
    return lead_item(account, row) if kind == "leads" else person_item(account, kind, row)


def _blank(account: Account, write: Write) -> Row:
    now, actor = account.now(), account.actor.user_id
    row: Row = {
        "id": account.take_id("leads" if write.kind == "leads" else "people"),
        "name": "",
        "responsible_user_id": actor or account.owner_id,
        "group_id": 0,
        "created_by": actor,
        "updated_by": actor,
        "created_at": now,
        "updated_at": write.columns.get("created_at", now),
        "closest_task_at": None,
        "is_deleted": False,
        "custom_fields_values": None,
        "tags": [],
    }
    if write.kind == "leads":
        row |= {"price": 0, "loss_reason_id": None, "closed_at": None, "score": None, "labor_cost": None}
        row |= {"source_id": None, "is_price_computed": False}
    if write.kind == "contacts":
        row |= {"first_name": "", "last_name": "", "is_unsorted": False}
    return row


def _full_name(row: Row, columns: Row) -> str:
    if "first_name" in columns or "last_name" in columns:
        return f"{row['first_name']} {row['last_name']}".strip()
    return str(row["name"])


def _close(account: Account, write: Write, before: Row, after: Row) -> None:
    was_closed, is_closed = before["status_id"] in (WON, LOST), after["status_id"] in (WON, LOST)
    if is_closed and not was_closed and "closed_at" not in write.columns:
        after["closed_at"] = account.now()
    if not is_closed:
        after["closed_at"] = None
    if after["status_id"] != LOST:
        after["loss_reason_id"] = None


def _tell(account: Account, hooks: Hooks, kind: Kind, before: Row, after: Row) -> None:
    old_owner = before["responsible_user_id"]
    is_moved = old_owner != after["responsible_user_id"]
    if kind != "leads":
        name = SINGULAR[kind]
        hooks.emit(f"update_{name}", "contacts", "update", person_item(account, kind, after))
        if is_moved:
            moved = person_item(account, kind, after, old_responsible_user_id=old_owner)
            hooks.emit(f"responsible_{name}", "contacts", "update", moved)
        return
    old: dict[str, int] = {}
    if (before["status_id"], before["pipeline_id"]) != (after["status_id"], after["pipeline_id"]):
        old = {"old_status_id": before["status_id"]}
        if before["pipeline_id"] != after["pipeline_id"]:
            old["old_pipeline_id"] = before["pipeline_id"]
        hooks.emit("status_lead", "leads", "status", lead_item(account, after, **old))
    if is_moved:
        moved = lead_item(account, after, old_responsible_user_id=old_owner)
        hooks.emit("responsible_lead", "leads", "responsible", moved)
    hooks.emit("update_lead", "leads", "update", lead_item(account, after, **old))


def _known(account: Account, kind: Kind, row_id: int) -> Row:
    row = account.tables[kind].live(row_id)
    if row is None:
        raise KeyError(f"no {SINGULAR[kind]} {row_id} in account {account.id}")
    return row


def _flag(account: Account, kind: Kind, row_id: int, *, is_deleted: bool) -> Row:
    row = account.tables[kind].get(row_id)
    if row is None:
        raise KeyError(f"no {SINGULAR[kind]} {row_id} in account {account.id}")
    changes = {"is_deleted": is_deleted, "updated_at": account.now(), "updated_by": account.actor.user_id}
    return account.tables[kind].put({**row, **changes})
