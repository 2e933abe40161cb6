"""Incoming leads (unsorted): made by forms and telephony, then accepted, declined or linked by a person."""

from collections.abc import Mapping
from typing import Literal

from crmkit_sandbox.wire import Row

from .account import Account, Kind, fresh_uid
from .changes import create, delete, link, update
from .hooks import Hooks
from .problems import Check
from .writes import Write, read_write

Category = Literal["forms", "sip"]
# Source: amoCRM, page "Unsorted".
METADATA: Mapping[str, tuple[str, ...]] = {
    "forms": ("form_id", "form_name", "form_page", "form_sent_at"),
    "sip": ("from", "phone", "called_at", "duration", "link", "service_code", "uniq"),
}
NAMES: dict[Kind, str] = {"leads": "leads", "contacts": "contacts", "companies": "companies"}


def read_unsorted(
    account: Account, category: Category, item: Row, request_id: str
) -> tuple[dict[Kind, Write], list[Row]]:
    """The records to make and the faults of `item`."""
    check = Check()
    for name in ("source_uid", "source_name", "metadata"):
        if name not in item:
            check.missing(name)
    metadata = check.branch(item, "metadata")
    for name in METADATA[category]:
        if name not in metadata:
            check.missing(f"metadata.{name}")
    check.is_choice(item, "pipeline_id", account.shelves["pipelines"])
    check.is_int(item, "created_at")
    writes: dict[Kind, Write] = {}
    embedded = check.branch(item, "_embedded")
    for kind in NAMES:
        given = check.objects(embedded, kind, f"_embedded.{kind}")
        if len(given) > 1:
            check.fault("TooManyElements", f"_embedded.{kind}", "This collection should contain 1 element or less.")
        for inner in given[:1]:
            writes[kind], errors = read_write(account, kind, inner, request_id)
            for error in errors:
                check.fault(error["code"], f"_embedded.{kind}.0.{error['path']}", error["detail"])
    return writes, check.errors


def create_unsorted(account: Account, hooks: Hooks, category: Category, item: Row, writes: dict[Kind, Write]) -> Row:
    """Make an incoming lead: its lead stands in the pipeline's incoming status until a person decides."""
    pipeline_id = item.get("pipeline_id") or account.main_pipeline["id"]
    pipeline = account.shelves["pipelines"][pipeline_id]
    lead = writes.get("leads") or Write("leads", "0")
    incoming = next(status["id"] for status in pipeline["statuses"] if status["type"] == 1)
    lead.columns |= {"pipeline_id": pipeline_id, "status_id": incoming}
    made = {"leads": create(account, hooks, lead)["id"]}
    for kind in ("contacts", "companies"):
        write = writes.get(kind)
        if write is not None:
            made[kind] = create(account, hooks, write, is_unsorted=True)["id"]
            metadata = {"main_contact": True} if kind == "contacts" else {}
            link(account, ("leads", made["leads"]), (kind, made[kind]), metadata)
    row: Row = {
        "uid": fresh_uid(),
        "source_uid": item["source_uid"],
        "source_name": item["source_name"],
        "category": category,
        "pipeline_id": pipeline_id,
        "created_at": item.get("created_at", account.now()),
        "metadata": dict(item["metadata"]),
        "made": made,
        "state": "open",
        "settled_at": None,
    }
    account.shelves["unsorted"][row["uid"]] = row
    hooks.emit("add_unsorted", "unsorted", "add", _hook_item(account, row))
    return row


def accept(account: Account, hooks: Hooks, row: Row, user_id: int, status_id: int | None) -> Row:
    """Let the lead enter the pipeline in the name of `user_id`."""
    pipeline = account.shelves["pipelines"][row["pipeline_id"]]
    status = status_id or next(one["id"] for one in pipeline["statuses"] if one["type"] == 0)
    columns = {"status_id": status, "pipeline_id": row["pipeline_id"], "responsible_user_id": user_id}
    _settle(account, hooks, row, "accepted")
    update(account, hooks, Write("leads", "0", row["made"]["leads"], columns=columns))
    contact = account.tables["contacts"].live(row["made"].get("contacts", 0))
    if contact is not None:
        account.tables["contacts"].put({**contact, "is_unsorted": False})
    return row


def decline(account: Account, hooks: Hooks, row: Row) -> Row:
    """Refuse the lead: what it made goes to the bin."""
    _settle(account, hooks, row, "declined")
    for kind in NAMES:
        made = row["made"].get(kind)
        if made is not None and account.tables[kind].live(made) is not None:
            delete(account, hooks, kind, made)
    return row


def attach(account: Account, hooks: Hooks, row: Row, kind: Kind, row_id: int) -> Row:
    """Settle the incoming lead by joining its contact to a record that exists."""
    _settle(account, hooks, row, "accepted")
    contact = row["made"].get("contacts")
    if contact is not None:
        link(account, (kind, row_id), ("contacts", contact), {"main_contact": False})
    delete(account, hooks, "leads", row["made"]["leads"])
    return row


def unsorted_shape(account: Account, row: Row, base: str) -> Row:
    """An incoming lead as the API lists it."""
    hidden = ("made", "state", "settled_at")
    embedded: Row = {kind: [] for kind in NAMES}
    for kind, row_id in row["made"].items():
        embedded[kind] = [{"id": row_id, "_links": {"self": {"href": f"{base}/api/v4/{kind}/{row_id}"}}}]
    return {
        **{key: value for key, value in row.items() if key not in hidden},
        "account_id": account.id,
        "_links": {"self": {"href": f"{base}/api/v4/leads/unsorted/{row['uid']}"}},
        "_embedded": embedded,
    }


def _settle(account: Account, hooks: Hooks, row: Row, state: str) -> None:
    account.shelves["unsorted"][row["uid"]] = {**row, "state": state, "settled_at": account.now()}
    action = "accept" if state == "accepted" else "decline"
    item = {
        "action": action,
        "uid": row["uid"],
        f"{action}_result": {"leads": [row["made"]["leads"]]},
        "category": row["category"],
        "created_at": row["created_at"],
        "modified_user_id": account.actor.user_id,
    }
    hooks.emit("delete_unsorted", "unsorted", "delete", item)


def _hook_item(account: Account, row: Row) -> Row:
    lead = account.tables["leads"].get(row["made"]["leads"]) or {}
    return {
        "uid": row["uid"],
        "source": row["source_name"],
        "source_uid": row["source_uid"],
        "category": row["category"],
        "source_data": _source_data(row),
        "date_create": row["created_at"],
        "data": {
            "leads": [
                {
                    "last_modified": lead.get("updated_at"),
                    "name": lead.get("name"),
                    "pipeline_id": row["pipeline_id"],
                    "modified_user_id": 0,
                    "date_create": lead.get("created_at"),
                }
            ],
            "contacts": [{"id": row["made"]["contacts"]}] if "contacts" in row["made"] else [],
        },
        "pipeline_id": row["pipeline_id"],
        "account_id": account.id,
        "lead_id": row["made"]["leads"],
        "created_at": row["created_at"],
    }


def _source_data(row: Row) -> Row:
    given = row["metadata"]
    if row["category"] != "forms":
        return {**given, "date": row["created_at"]}
    return {
        "form_id": given["form_id"],
        "form_type": 1,
        "from": row["source_name"],
        "form_name": given["form_name"],
        "origin": {
            "ip": given.get("ip"),
            "datetime": given["form_sent_at"],
            "referer": given.get("referer") or given["form_page"],
        },
        "date": row["created_at"],
    }
