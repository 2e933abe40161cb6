"""Incoming leads over the API."""

from typing import Any

from crmkit_sandbox.wire import Row

from .account import KINDS
from .api import Api, ApiCall, Reply
from .listing import page_of
from .problems import NothingFound, invalid, problem
from .query import numbers, values
from .unsorted import Category, accept, attach, create_unsorted, decline, read_unsorted
from .unsorted import unsorted_shape as shape

ROOT = "/leads/unsorted"
CATEGORIES = ("sip", "mail", "forms", "chats")


def register(api: Api) -> None:
    """Add the routes."""
    api.route("GET", ROOT)(list_unsorted)
    api.route("GET", f"{ROOT}/summary")(summary)
    api.route("GET", f"{ROOT}/<uid>")(get_unsorted)
    api.route("POST", f"{ROOT}/<any(forms,sip):category>")(create)
    api.route("POST", f"{ROOT}/<uid>/accept")(accept_one)
    api.route("DELETE", f"{ROOT}/<uid>/decline")(decline_one)
    api.route("POST", f"{ROOT}/<uid>/link")(link_one)


def list_unsorted(call: ApiCall) -> Reply:
    """A page of incoming leads that wait."""
    shelf, given = call.account.shelves["unsorted"], call.query.group("filter")
    call.query.used.update(("filter[uid]", "filter[category]", "filter[pipeline_id]"))
    uids, kinds = set(values(given.get("uid", ""))), set(values(given.get("category", "")))
    pipelines = numbers(given.get("pipeline_id", ""))
    found = [
        row["uid"]
        for row in shelf.values()
        if row["state"] == "open"
        and (not uids or row["uid"] in uids)
        and (not kinds or row["category"] in kinds)
        and (not pipelines or row["pipeline_id"] in pipelines)
    ]
    is_falling = str(call.query.group("order").get("created_at", "asc")) == "desc"
    found.sort(key=lambda uid: shelf[uid]["created_at"], reverse=is_falling)
    chosen, head = page_of(call, "leads/unsorted", found)
    return {**head, "_embedded": {"unsorted": [shape(call.account, shelf[uid], call.base) for uid in chosen]}}


def get_unsorted(call: ApiCall, uid: str) -> Reply:
    """One incoming lead, nothing for an unknown one."""
    row = call.account.shelves["unsorted"].get(uid)
    if row is None:
        raise NothingFound
    return shape(call.account, row, call.base)


def create(call: ApiCall, category: Category) -> Reply:
    """Make incoming leads, all or none."""
    read = []
    for index, item in enumerate(call.items()):
        request_id = str(item.get("request_id", index))
        read.append((request_id, item, *read_unsorted(call.account, category, item, request_id)))
    if any(errors for *_, errors in read):
        raise invalid([(request_id, errors) for request_id, _, _, errors in read])
    made = []
    for request_id, item, writes, _ in read:
        row = create_unsorted(call.account, call.hooks, category, item, writes)
        head = {"uid": row["uid"], "account_id": call.account.id, "request_id": request_id}
        made.append({**head, "_embedded": _embedded(row)})
    links = {"self": {"href": f"{call.base}/api/v4/leads/unsorted/{category}"}}
    return {"_total_items": len(made), "_links": links, "_embedded": {"unsorted": made}}


def accept_one(call: ApiCall, uid: str) -> Reply:
    """Accept an incoming lead."""
    row, body = _open(call, uid), call.body if isinstance(call.body, dict) else {}
    status_id = body.get("status_id")
    status = call.account.status(row["pipeline_id"], status_id) if status_id is not None else None
    if status_id is not None and (status is None or status["type"] == 1):
        raise problem(400, f"status {status_id} is not one of pipeline {row['pipeline_id']}")
    accept(call.account, call.hooks, row, _user(call, body), status_id)
    return _settled(call, row)


def decline_one(call: ApiCall, uid: str) -> Reply:
    """Decline an incoming lead."""
    row = _open(call, uid)
    decline(call.account, call.hooks, row)
    return _settled(call, row)


def link_one(call: ApiCall, uid: str) -> Reply:
    """Join an incoming lead to a record that exists."""
    row, body = _open(call, uid), call.item()
    link = body.get("link")
    if not isinstance(link, dict) or link.get("entity_type") not in KINDS or not isinstance(link.get("entity_id"), int):
        raise problem(400, "link needs entity_id and entity_type")
    if call.account.tables[link["entity_type"]].live(link.get("entity_id", 0)) is None:
        raise problem(404, f"Entity not found: {link['entity_type']} {link.get('entity_id')}")
    attach(call.account, call.hooks, row, link["entity_type"], link["entity_id"])
    return _settled(call, row)


def summary(call: ApiCall) -> Reply:
    """How many incoming leads came, were accepted and declined."""
    rows = list(call.account.shelves["unsorted"].values())
    settled = [row["settled_at"] - row["created_at"] for row in rows if row["settled_at"]]
    return {
        "total": len(rows),
        "accepted": sum(row["state"] == "accepted" for row in rows),
        "declined": sum(row["state"] == "declined" for row in rows),
        "average_sort_time": sum(settled) // len(settled) if settled else 0,
        "categories": {name: {"total": sum(row["category"] == name for row in rows)} for name in CATEGORIES},
    }


def _open(call: ApiCall, uid: str) -> Row:
    row = call.account.shelves["unsorted"].get(uid)
    if row is None or row["state"] != "open":
        raise problem(404, f"Entity not found: unsorted {uid}")
    return row


def _user(call: ApiCall, body: Row) -> int:
    user_id: Any = body.get("user_id", call.user_id)
    if not isinstance(user_id, int) or user_id not in call.account.shelves["users"]:
        raise problem(400, f"user {user_id} is not one of the account")
    return int(user_id)


def _settled(call: ApiCall, row: Row) -> Row:
    keys = ("uid", "pipeline_id", "category", "created_at")
    return {**{key: row[key] for key in keys}, "_embedded": _embedded(row, call)}


def _embedded(row: Row, call: ApiCall | None = None) -> Row:
    made = row["made"]
    embedded: Row = {kind: [{"id": made[kind]}] if kind in made else [] for kind in KINDS}
    if call is not None and "contacts" in made:
        contact = call.account.tables["contacts"].get(made["contacts"]) or {}
        state = {"is_deleted": contact.get("is_deleted", False), "is_unsorted": contact.get("is_unsorted", False)}
        embedded["contacts"] = [{"id": made["contacts"], **state}]
    return embedded
