"""Tasks over the API."""

from collections.abc import Mapping

from crmkit_sandbox.wire import Row

from . import shapes, tasks
from .account import Account, full_name
from .api import Api, ApiCall, Reply
from .listing import Filter, Test, holds, listed, paged, since, until, whole_among
from .problems import problem
from .views_history import history


def _of_order(account: Account, value: object) -> Test:
    return lambda row: (account.tables["orders"].get(row.get("order") or 0) or {}).get("number") == value


def _about(account: Account, value: object) -> Test:
    wanted = str(value).casefold()

    def test(row: Row) -> bool:
        person = account.tables["customers"].get(row.get("customer") or 0) or {}
        phones = [phone["number"] for phone in person.get("phones", ())]
        return any(wanted in text.casefold() for text in (full_name(person), *phones))

    return test


def _in_state(_: Account, value: object) -> Test:
    if value not in ("performing", "completed"):
        raise ValueError("no such status")
    return lambda row: bool(row["complete"]) == (value == "completed")


FILTERS: Mapping[str, Filter] = {
    "ids": whole_among("id"),
    "orderNumber": _of_order,
    "customer": _about,
    "status": _in_state,
    "text": holds("text"),
    "performers": whole_among("performer"),
    "creators": whole_among("creator"),
    "dateFrom": since("datetime"),
    "dateTo": until("datetime"),
    "createdAtFrom": since("createdAt"),
    "createdAtTo": until("createdAt"),
    "completedAtFrom": since("completedAt"),
    "completedAtTo": until("completedAt"),
}
DOCUMENTED = ("tags", "attachedTags")


def register(api: Api) -> None:
    """Add the routes."""
    api.route("GET", "/tasks", "task_read")(list_tasks)
    api.route("GET", "/tasks/history", "task_read")(history("tasks"))
    api.route("GET", "/tasks/<int:task_id>", "task_read")(get_task)
    api.route("GET", "/tasks/<int:task_id>/comments", "task_read")(list_comments)
    api.route("POST", "/tasks/create", "task_write")(create_task)
    api.route("POST", "/tasks/<int:task_id>/edit", "task_write")(edit_task)


def list_tasks(call: ApiCall) -> Reply:
    """A page of tasks."""
    rows, head = listed(call, call.account.tables["tasks"], FILTERS, DOCUMENTED)
    return {**head, "tasks": [shapes.task(call.account, row) for row in rows]}


def get_task(call: ApiCall, task_id: int) -> Reply:
    """One task."""
    return {"task": shapes.task(call.account, _known(call, task_id))}


def list_comments(call: ApiCall, task_id: int) -> Reply:
    """A page of a task's comments."""
    _known(call, task_id)
    rows = [row for row in call.account.shelves["comments"].values() if row["task"] == task_id]
    return paged(call, "comments", [{name: row[name] for name in row if name != "task"} for row in rows[::-1]])


def create_task(call: ApiCall) -> Reply:
    """Make a task."""
    given = call.entity("task")
    return {"id": tasks.create(call.account, given, call.site(is_needed=False), call.ignored)["id"]}, 201


def edit_task(call: ApiCall, task_id: int) -> Reply:
    """Change a task."""
    given = call.entity("task")
    row = _known(call, task_id)
    return {"id": tasks.update(call.account, row, given, call.site(is_needed=False), call.ignored)["id"]}


def _known(call: ApiCall, task_id: int) -> Row:
    row = call.account.tables["tasks"].live(task_id)
    if row is None:
        raise problem(404)
    return row
