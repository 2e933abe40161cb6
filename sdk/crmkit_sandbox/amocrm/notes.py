"""Notes and calls: what may be written, and where a call lands."""

from collections.abc import Mapping

from crmkit_sandbox.wire import Row

from .account import LOST, SINGULAR, WON, Account, Kind
from .hooks import NOTE_NUMBERS, Hooks, note_item
from .journal import record_note
from .problems import Check

# Required and further params of the writable types. Source: amoCRM, page "Events and notes".
PARAMS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "common": (("text",), ()),
    "call_in": (("uniq", "duration", "source", "phone"), ("link", "call_responsible", "call_status", "call_result")),
    "call_out": (("uniq", "duration", "source", "phone"), ("link", "call_responsible", "call_status", "call_result")),
    "service_message": (("service", "text"), ()),
    "extended_service_message": (("service", "text"), ()),
    "message_cashier": (("status", "text"), ()),
    "geolocation": (("text", "address", "longitude", "latitude"), ()),
    "sms_in": (("text", "phone"), ()),
    "sms_out": (("text", "phone"), ()),
    "attachment": (("file_uuid", "version_uuid", "file_name"), ()),
}
CASHIER_STATES = ("created", "shown", "canceled")
DIRECTIONS = {"inbound": "call_in", "outbound": "call_out"}


def read_note(account: Account, kind: str, item: Row, before: Row | None = None) -> tuple[Row, list[Row]]:
    """The columns that `item` sets and its faults; `before` is the note to update."""
    check = Check()
    columns: Row = {name: item[name] for name in ("created_at", "updated_at") if check.is_int(item, name)}
    for name in ("created_by", "responsible_user_id"):
        if check.is_int(item, name):
            columns[name] = item[name]
            if item[name] and item[name] not in account.shelves["users"]:
                check.choice(name)
    if before is None and check.is_int(item, "entity_id"):
        columns["entity_id"] = item["entity_id"]
        if account.tables[kind].live(item["entity_id"]) is None:
            check.choice("entity_id")
    elif before is None and "entity_id" not in item:
        check.missing("entity_id")
    type_ = item.get("note_type", before["note_type"] if before else None)
    if type_ is None:
        check.missing("note_type")
    elif not isinstance(type_, str) or type_ not in PARAMS:
        check.choice("note_type")
    elif before is None or "params" in item:
        columns |= {"note_type": type_, "params": _read_params(type_, item.get("params"), check)}
    return columns, check.errors


def create_note(account: Account, hooks: Hooks, kind: str, columns: Row) -> Row:
    """Make a note of a lead, contact or company."""
    now, actor = account.now(), account.actor.user_id
    row: Row = {
        "id": account.take_id("notes"),
        "entity_id": columns["entity_id"],
        "created_by": actor,
        "updated_by": actor,
        "created_at": now,
        "updated_at": columns.get("created_at", now),
        "responsible_user_id": actor or account.owner_id,
        "group_id": 0,
        "note_type": "common",
        "params": {},
        "is_pinned": False,
        "entity_type": kind,
        **columns,
    }
    account.tables["notes"].put(row)
    record_note(account, row)
    _tell(account, hooks, row)
    return row


def update_note(account: Account, hooks: Hooks, before: Row, columns: Row) -> Row:
    """Change a note."""
    stamp = {"updated_at": account.now(), "updated_by": account.actor.user_id}
    after = account.tables["notes"].put({**before, **stamp, **columns})
    _tell(account, hooks, after)
    return after


def read_call(account: Account, item: Row) -> tuple[Row, list[Row]]:
    """The params of a call and the faults of `item`."""
    check = Check()
    for name in ("direction", "phone", "duration", "source"):
        if name not in item:
            check.missing(name)
    check.is_choice(item, "direction", DIRECTIONS)
    for name in ("phone", "source"):
        check.is_text(item, name)
    check.is_int(item, "duration")
    if check.is_int(item, "call_status", nullable=True) and not 1 <= item["call_status"] <= 7:
        check.choice("call_status")
    for name in ("responsible_user_id", "created_by", "updated_by"):
        if check.is_int(item, name) and item[name] and item[name] not in account.shelves["users"]:
            check.choice(name)
    wanted = ("uniq", "duration", "source", "link", "phone", "call_responsible", "call_status", "call_result")
    return {name: item[name] for name in wanted if item.get(name) is not None}, check.errors


def create_call(account: Account, hooks: Hooks, item: Row, params: Row) -> Row | None:
    """The note of a call at the record that its phone finds, None when it finds nothing."""
    place = call_place(account, params["phone"])
    if place is None:
        return None
    columns: Row = {
        "entity_id": place[1],
        "note_type": DIRECTIONS[item["direction"]],
        "params": params,
        # A call without an author counts as made by the robot.
        "created_by": item.get("created_by", 0),
    }
    for name in ("responsible_user_id", "created_at", "updated_at"):
        if isinstance(item.get(name), int):
            columns[name] = item[name]
    return create_note(account, hooks, place[0], columns)


def call_place(account: Account, phone: str) -> tuple[str, int] | None:
    """Where a call with `phone` lands: the only active lead of the person found by ten digits, else the person."""
    places: tuple[Kind, ...] = ("contacts", "companies")
    for kind in places:
        found = account.search[kind].by_phone(phone)
        if not found:
            continue
        active = [
            lead
            for person in found
            for lead in account.links.ids(kind, person, "leads")
            if (row := account.tables["leads"].live(lead)) and row["status_id"] not in (WON, LOST)
        ]
        return ("leads", active[0]) if len(set(active)) == 1 else (kind, found[0])
    return None


def _read_params(type_: str, params: object, check: Check) -> Row:
    if not isinstance(params, dict):
        check.missing("params")
        return {}
    required, further = PARAMS[type_]
    for name in required:
        if name not in params:
            check.missing(f"params.{name}")
    if type_ == "message_cashier" and params.get("status") not in CASHIER_STATES:
        check.choice("params.status")
    read = {name: params[name] for name in (*required, *further) if name in params}
    if type_ == "attachment" and "file_name" in read:
        # A file is read back in another shape than it is written.
        read |= {"is_drive_attachment": True, "text": read["file_name"], "original_name": read["file_name"]}
    return read


def _tell(account: Account, hooks: Hooks, note: Row) -> None:
    if note["note_type"] in NOTE_NUMBERS:
        name = SINGULAR[note["entity_type"]]
        key = "leads" if name == "lead" else "contacts"
        hooks.emit(f"note_{name}", key, "note", note_item(account, note))
