"""Methods of the tasks module: fields in capitals in, camel case out."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from crmkit_sandbox.wire import Row

from .listing import list_table, read_filter
from .methods import Answer, Call, Registry
from .params import items_of
from .problems import Problem
from .tasks import COMPLETED, DEFERRED, IN_PROGRESS, PENDING, create_task, delete_task, read_task, update_task
from .values import number_of, universal_name

NUMBERS = (
    "ID",
    "PARENT_ID",
    "PRIORITY",
    "STATUS",
    "CREATED_BY",
    "RESPONSIBLE_ID",
    "CHANGED_BY",
    "CLOSED_BY",
    "GROUP_ID",
)
DATES = ("CREATED_DATE", "CHANGED_DATE", "CLOSED_DATE", "DEADLINE", "STATUS_CHANGED_DATE")
TEXTS = ("TITLE", "DESCRIPTION", "MARK", "XML_ID", "UF_CRM_TASK", "TAGS", "DESCRIPTION_IN_BBCODE")
TYPES = (
    dict.fromkeys(NUMBERS, "integer")
    | dict.fromkeys(DATES, "datetime")
    | dict.fromkeys((*TEXTS, "ACCOMPLICES", "AUDITORS"), "string")
)
# Names of filters that differ from the fields they look at.
ALIASES = {"REAL_STATUS": "STATUS", "ACCOMPLICE": "ACCOMPLICES", "AUDITOR": "AUDITORS", "TAG": "TAGS"}
HIDDEN = ("id", "updated_at", "is_deleted", "activity")
MOVES = {"complete": COMPLETED, "renew": PENDING, "start": IN_PROGRESS, "pause": PENDING, "defer": DEFERRED}


def register(registry: Registry) -> None:
    """Declare the methods."""
    registry.add("tasks.task.add", _add, scope="task")
    registry.add("tasks.task.get", lambda call: {"task": _show(call, _row(call))}, scope="task")
    registry.add("tasks.task.list", _list, scope="task")
    registry.add("tasks.task.update", _update, scope="task")
    registry.add("tasks.task.delete", _delete, scope="task")
    for name, status in MOVES.items():
        registry.add(f"tasks.task.{name}", _mover(status), scope="task")
    registry.add("tasks.task.delegate", _delegate, scope="task")


def _row(call: Call) -> Row:
    row = call.portal.tables["tasks"].live(number_of(call.need("taskId")))
    if row is None:
        raise Problem(400, "ERROR_CORE", "Task not found or not accessible")
    return row


def _show(call: Call, row: Row, names: list[str] | None = None) -> Row:
    shown: Row = {}
    for name, value in row.items():
        if name in HIDDEN or (names is not None and name not in names):
            continue
        if name == "UF_CRM_TASK" and (names is None or name not in names):
            continue
        shown[universal_name(name) if name != "UF_CRM_TASK" else "ufCrmTask"] = value
    if shown.get("tags"):
        shown["tags"] = {str(number): {"id": number, "title": tag} for number, tag in enumerate(shown["tags"], 1)}
    if names is None or "RESPONSIBLE_ID" in names:
        shown["responsible"] = _user(call, row["RESPONSIBLE_ID"])
    if names is None or "CREATED_BY" in names:
        shown["creator"] = _user(call, row["CREATED_BY"])
    return shown | {"group": []}


def _user(call: Call, user_id: str) -> Row:
    link = f"/company/personal/user/{user_id}/"
    return {"id": user_id, "name": call.portal.user_name(user_id), "link": link, "icon": ""}


def _names(call: Call) -> list[str] | None:
    asked = [str(name).upper() for name in items_of(call.get("select"))]
    if not asked:
        return None
    names = [name for name in TYPES if "*" in asked and name != "UF_CRM_TASK"]
    return ["ID", *names, *(name for name in asked if name in TYPES)]


def _add(call: Call) -> Row:
    columns = read_task(call.need("fields"), is_new=True)
    if number_of(columns["RESPONSIBLE_ID"]) not in call.portal.shelves["users"]:
        raise Problem(400, "ERROR_CORE", "User specified in the Responsible field is not found<br>")
    row = create_task(call.portal, call.events, columns)
    return {"task": _show(call, row)}


def _update(call: Call) -> Row:
    row = _row(call)
    after = update_task(call.portal, call.events, row, read_task(call.need("fields"), is_new=False))
    return {"task": _show(call, after)}


def _delete(call: Call) -> Row:
    delete_task(call.portal, call.events, _row(call))
    return {"task": True}


def _mover(status: str) -> Callable[[Call], Row]:
    def move(call: Call) -> Row:
        return {"task": _show(call, update_task(call.portal, call.events, _row(call), {"STATUS": status}))}

    return move


def _delegate(call: Call) -> Row:
    columns = {"RESPONSIBLE_ID": str(number_of(call.need("userId")))}
    return {"task": _show(call, update_task(call.portal, call.events, _row(call), columns))}


def _list(call: Call) -> Answer:
    filter_ = {_alias(str(key)): value for key, value in call.map("filter").items()}
    call.ignored += [key for key in filter_ if key.lstrip("!=<>@%") not in TYPES]
    conditions = read_filter(filter_, TYPES)
    now = call.portal.now()
    is_overdue = any(one.name == "STATUS" and str(one.value) == "-1" for one in conditions)
    page = list_table(
        call.portal.tables["tasks"],
        [one for one in conditions if not (one.name == "STATUS" and str(one.value).startswith("-"))],
        TYPES,
        order={str(name).upper(): way for name, way in call.map("order").items()},
        start=call.get("start", 0),
        more=(lambda row: _is_overdue(row, now)) if is_overdue else None,
    )
    names = _names(call)
    rows = [_show(call, row, names) for row in page.rows]
    return Answer({"tasks": rows}, 0 if page.total is None else page.total, page.next)


def _alias(key: str) -> str:
    name = key.lstrip("!=<>@%")
    prefix = key[: len(key) - len(name)]
    return prefix + ALIASES.get(name.upper(), name.upper())


def _is_overdue(row: Row, now: int) -> bool:
    deadline: Any = row["DEADLINE"]
    return bool(deadline) and row["STATUS"] != COMPLETED and datetime.fromisoformat(deadline).timestamp() < now
