"""Tasks: what a write may hold, and how tasks change."""

from collections.abc import Callable

from crmkit_sandbox.wire import Row

from .account import ELEMENT_TYPES, Account
from .hooks import Hooks, task_item
from .journal import record
from .problems import Check

# Source: amoCRM, page "Account", with=task_types. 1 is the call back, 2 the meeting.
TASK_TYPES = (
    {"id": 1, "name": "Связаться", "color": None, "icon_id": None, "code": "FOLLOW_UP"},
    {"id": 2, "name": "Встреча", "color": None, "icon_id": None, "code": "MEETING"},
    {"id": 3, "name": "Отправить документы", "color": "#4c8bf7", "icon_id": 5, "code": ""},
)
INTEGERS = ("responsible_user_id", "created_by", "updated_by", "created_at", "updated_at", "duration", "complete_till")
PARENTS = ("leads", "contacts", "companies", "customers")


def read_task(account: Account, item: Row, row_id: int | None = None) -> tuple[Row, list[Row]]:
    """The columns that `item` sets and its faults; `row_id` names the task to update."""
    check = Check()
    if row_id is not None and account.tables["tasks"].live(row_id) is None:
        check.choice("id")
        return {}, check.errors
    columns: Row = {name: item[name] for name in INTEGERS if check.is_int(item, name)}
    if check.is_text(item, "text"):
        columns["text"] = item["text"]
    if row_id is None:
        for name in ("text", "complete_till"):
            if name not in item:
                check.missing(name)
    if check.is_int(item, "task_type_id"):
        columns["task_type_id"] = item["task_type_id"]
        if item["task_type_id"] not in [kind["id"] for kind in TASK_TYPES]:
            check.choice("task_type_id")
    for name in ("responsible_user_id", "created_by", "updated_by"):
        if columns.get(name) and columns[name] not in account.shelves["users"]:
            check.choice(name)
    _read_state(item, columns, check)
    _read_parent(account, item, columns, check)
    return columns, check.errors


def create_task(account: Account, hooks: Hooks, columns: Row) -> Row:
    """Make a task."""
    now, actor = account.now(), account.actor.user_id
    row: Row = {
        "id": account.take_id("tasks"),
        "created_by": actor,
        "updated_by": actor,
        "created_at": now,
        "updated_at": now,
        "responsible_user_id": actor or account.owner_id,
        "group_id": 0,
        "entity_id": None,
        "entity_type": None,
        "duration": 0,
        "is_completed": False,
        "task_type_id": 1,
        "text": "",
        "result": None,
        "result_id": None,
        "complete_till": now,
        **columns,
    }
    if row["result"]:
        row["result_id"] = account.take_id("notes")
    account.tables["tasks"].put(row)
    _remind(account, row)
    record(account, "tasks", row["id"], "task_added")
    hooks.emit("add_task", "task", "add", task_item(account, row))
    return row


def update_task(account: Account, hooks: Hooks, row_id: int, columns: Row) -> Row:
    """Change a task.

    Raises KeyError when there is none.
    """
    before = account.tables["tasks"].live(row_id)
    if before is None:
        raise KeyError(f"no task {row_id} in account {account.id}")
    stamp = {"updated_at": account.now(), "updated_by": account.actor.user_id}
    after = {**before, **stamp, **columns}
    if after["result"] != before["result"]:
        after["result_id"] = account.take_id("notes")
    account.tables["tasks"].put(after)
    _remind(account, before)
    _remind(account, after)
    _record_changes(account, before, after)
    item = task_item(account, after, before)
    hooks.emit("update_task", "task", "update", item)
    if before["responsible_user_id"] != after["responsible_user_id"]:
        hooks.emit("responsible_task", "task", "update", item)
    return after


def delete_task(account: Account, hooks: Hooks, row_id: int) -> None:
    """Delete a task, as the web interface does.

    Raises KeyError when there is none.
    """
    row = account.tables["tasks"].live(row_id)
    if row is None:
        raise KeyError(f"no task {row_id} in account {account.id}")
    account.tables["tasks"].put({**row, "is_deleted": True, "updated_at": account.now()})
    _remind(account, row)
    record(account, "tasks", row_id, "task_deleted")
    hooks.emit("delete_task", "task", "delete", {"id": row_id})


def _read_state(item: Row, columns: Row, check: Check) -> None:
    if "is_completed" in item:
        if isinstance(item["is_completed"], bool):
            columns["is_completed"] = item["is_completed"]
        else:
            check.wrong_type("is_completed", "bool")
    result = item.get("result")
    if isinstance(result, dict):
        if isinstance(result.get("text"), str):
            columns["result"] = {"text": result["text"]}
        else:
            check.missing("result.text")
    elif result:
        check.wrong_type("result", "array")


def _read_parent(account: Account, item: Row, columns: Row, check: Check) -> None:
    if item.get("entity_id") is None and item.get("entity_type") is None:
        return
    kind = item.get("entity_type")
    if kind not in PARENTS:
        check.choice("entity_type")
        return
    if not check.is_int(item, "entity_id"):
        return
    if kind == "customers" or account.tables[kind].live(item["entity_id"]) is None:
        check.choice("entity_id")
        return
    columns |= {"entity_id": item["entity_id"], "entity_type": kind}


def _remind(account: Account, task: Row) -> None:
    """Recompute when the parent's closest open task is due; that is no change of the parent."""
    kind, parent_id = task["entity_type"], task["entity_id"]
    if kind not in ELEMENT_TYPES or kind == "customers":
        return
    parent = account.tables[kind].get(parent_id)
    if parent is None:
        return
    around = (account.tables["tasks"].get(task_id) for task_id in account.tasks_of.ids((kind, parent_id)))
    open_till = [row["complete_till"] for row in around if row is not None and not row["is_completed"]]
    closest = min(open_till, default=None)
    if closest != parent["closest_task_at"]:
        account.tables[kind].put({**parent, "closest_task_at": closest})


def _record_changes(account: Account, before: Row, after: Row) -> None:
    row_id = after["id"]
    told: tuple[tuple[str, str, Callable[[Row], Row]], ...] = (
        ("text", "task_text_changed", lambda row: {"task": {"text": row["text"]}}),
        ("task_type_id", "task_type_changed", lambda row: {"task_type": {"id": row["task_type_id"]}}),
        (
            "complete_till",
            "task_deadline_changed",
            lambda row: {"task_deadline": {"timestamp": row["complete_till"]}},
        ),
        (
            "responsible_user_id",
            "entity_responsible_changed",
            lambda row: {"responsible_user": {"id": row["responsible_user_id"]}},
        ),
    )
    for name, type_, show in told:
        if before[name] != after[name]:
            record(account, "tasks", row_id, type_, before=[show(before)], after=[show(after)])
    if after["result"] != before["result"]:
        record(account, "tasks", row_id, "task_result_added", after=[{"note": {"id": after["result_id"]}}])
    if after["is_completed"] and not before["is_completed"]:
        record(account, "tasks", row_id, "task_completed")
