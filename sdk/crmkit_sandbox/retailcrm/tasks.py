"""How a task is written."""

from crmkit_sandbox.wire import Row

from . import changes, schema
from .account import Account
from .problems import BLANK, not_loaded
from .values import linked

TITLE = "Task"
TEXT_MAX = 255
# Source: retailCRM API v5, entity Task.
SCHEMA: schema.Schema = {
    **dict.fromkeys(("text", "commentary", "phone", "phoneSite"), schema.text),
    "datetime": schema.minute,
    "complete": schema.flag,
    "performerId": schema.whole,
    "performerType": schema.choice("user", "group"),
    "customer": schema.row,
    "order": schema.row,
}

NEEDED = frozenset({"performerType", "commentary"})


def create(account: Account, given: Row, site: str | None, ignored: list[str]) -> Row:
    """A new task.

    Raises ProblemError 400 without a text or a performer, or for a value that cannot be kept.
    """
    columns = schema.read("task", given, SCHEMA, ignored, NEEDED)
    blank: Row = {name: BLANK for name in ("text", "performerId") if not columns.get(name)}
    if blank:
        raise not_loaded(TITLE, blank)
    row: Row = {
        "commentary": "",
        "createdAt": account.moment(),
        "complete": False,
        "performerType": "user",
    }
    if account.actor.user_id is not None:
        row["creator"] = account.actor.user_id
    after = _applied(account, row, columns, site)
    return changes.create(account, "tasks", {"id": account.take_id("tasks"), **after})


def update(account: Account, before: Row, given: Row, site: str | None, ignored: list[str]) -> Row:
    """A task with what `given` holds.

    Raises ProblemError 400 for a value that cannot be kept.
    """
    columns = schema.read("task", given, SCHEMA, ignored, NEEDED)
    blank: Row = {name: BLANK for name in ("text", "performerId") if name in columns and not columns[name]}
    if blank:
        raise not_loaded(TITLE, blank)
    return changes.change(account, "tasks", before, _applied(account, before, columns, site))


def _applied(account: Account, before: Row, columns: Row, site: str | None) -> Row:
    if len(columns.get("text") or "") > TEXT_MAX:
        raise not_loaded(TITLE, {"text": f"This value is too long. It should have {TEXT_MAX} characters or less."})
    plain = {name: value for name, value in columns.items() if name not in ("performerId", "customer", "order")}
    after = schema.merged(before, plain)
    if columns.get("performerId") is not None:
        after["performer"] = columns["performerId"]
        shelf = account.shelves["groups" if after["performerType"] == "group" else "users"]
        if after["performer"] not in shelf:
            raise not_loaded(TITLE, {"performerId": f"Performer with id={after['performer']} does not exist."})
    for name in ("customer", "order"):
        if name in columns:
            after.pop(name, None)
        if columns.get(name):
            after[name] = _link(account, name, columns[name], site)
    if after["complete"] and not before["complete"]:
        after["completedAt"] = account.moment()
    if not after["complete"]:
        after.pop("completedAt", None)
    return after


def _link(account: Account, name: str, given: Row, site: str | None) -> int:
    if name == "customer":
        return int(linked(account, given, name, site, TITLE)["id"])
    found = None
    if isinstance(given.get("id"), int):
        found = account.tables["orders"].live(given["id"])
    elif given.get("externalId") is not None:
        found = account.find("orders", str(given["externalId"]), site)
    if found is None:
        raise not_loaded(TITLE, {"order": "Order not found."})
    return int(found["id"])
