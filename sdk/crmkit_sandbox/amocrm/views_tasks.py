"""Tasks over the API."""

from collections.abc import Mapping

from .api import Api, ApiCall, Reply
from .listing import Filter, among, flag, list_ids, named, page_of, rows_of
from .problems import NothingFound, invalid, problem
from .shapes import self_link
from .shapes import task as shape
from .tasks import create_task, read_task, update_task

FILTERS: Mapping[str, Filter] = {
    "responsible_user_id": among("responsible_user_id"),
    "is_completed": flag("is_completed"),
    "task_type": among("task_type_id"),
    "task_type_id": among("task_type_id"),
    "entity_type": named("entity_type"),
    "entity_id": among("entity_id"),
    "created_by": among("created_by"),
}


def register(api: Api) -> None:
    """Add the routes."""
    api.route("GET", "/tasks")(list_tasks)
    api.route("GET", "/tasks/<int:row_id>")(get_task)
    api.route("POST", "/tasks")(create_tasks)
    api.route("PATCH", "/tasks")(update_tasks)
    api.route("PATCH", "/tasks/<int:row_id>")(update_one)


def list_tasks(call: ApiCall) -> Reply:
    """A page of tasks."""
    given = call.query.group("filter")
    if "entity_id" in given and "entity_type" not in given:
        raise problem(400, "filter[entity_id] needs filter[entity_type]")
    table = call.account.tables["tasks"]
    ids = list_ids(call, table, FILTERS, ("created_at", "complete_till", "id"))
    chosen, head = page_of(call, "tasks", ids)
    return {**head, "_embedded": {"tasks": [shape(call.account, row, call.base) for row in rows_of(table, chosen)]}}


def get_task(call: ApiCall, row_id: int) -> Reply:
    """One task, nothing for an unknown one."""
    row = call.account.tables["tasks"].live(row_id)
    if row is None:
        raise NothingFound
    return shape(call.account, row, call.base)


def create_tasks(call: ApiCall) -> Reply:
    """Make tasks, all or none."""
    read = [
        (str(item.get("request_id", index)), *read_task(call.account, item)) for index, item in enumerate(call.items())
    ]
    if any(errors for _, _, errors in read):
        raise invalid([(request_id, errors) for request_id, _, errors in read])
    made = []
    for request_id, columns, _ in read:
        row = create_task(call.account, call.hooks, columns)
        links = {"_links": self_link(call.base, "tasks", row["id"])}
        made.append({"id": row["id"], "request_id": request_id, **links})
    return {"_links": {"self": {"href": f"{call.base}/api/v4/tasks"}}, "_embedded": {"tasks": made}}


def update_tasks(call: ApiCall) -> Reply:
    """Change tasks, all or none."""
    read = []
    for index, item in enumerate(call.items()):
        row_id = item.get("id")
        columns, errors = read_task(call.account, item, row_id if isinstance(row_id, int) else 0)
        read.append((str(item.get("request_id", index)), row_id, columns, errors))
    if any(errors for *_, errors in read):
        raise invalid([(request_id, errors) for request_id, _, _, errors in read])
    changed = []
    for _, row_id, columns, _ in read:
        row = update_task(call.account, call.hooks, int(row_id or 0), columns)
        links = {"_links": self_link(call.base, "tasks", row["id"])}
        changed.append({"id": row["id"], "updated_at": row["updated_at"], **links})
    return {"_links": {"self": {"href": f"{call.base}/api/v4/tasks"}}, "_embedded": {"tasks": changed}}


def update_one(call: ApiCall, row_id: int) -> Reply:
    """Change one task."""
    if call.account.tables["tasks"].live(row_id) is None:
        raise problem(404, f"Entity not found: task {row_id}")
    item = call.item()
    columns, errors = read_task(call.account, item, row_id)
    if errors:
        raise invalid([(str(item.get("request_id", 0)), errors)])
    row = update_task(call.account, call.hooks, row_id, columns)
    return {"id": row_id, "updated_at": row["updated_at"], "_links": self_link(call.base, "tasks", row_id)}
