"""Pipelines and their statuses over the API."""

from crmkit_sandbox.wire import Row

from .account import LOST, WON
from .api import Api, ApiCall, Reply
from .problems import Check, invalid, problem
from .seed import COLORS, add_pipeline, status_row
from .shapes import self_link

ROOT = "/leads/pipelines"
ONE = f"{ROOT}/<int:pipeline_id>"
MOST_PIPELINES, MOST_STATUSES = 50, 100


def register(api: Api) -> None:
    """Add the routes."""
    api.route("GET", ROOT)(list_pipelines)
    api.route("POST", ROOT, admin=True)(create_pipelines)
    api.route("GET", ONE)(get_pipeline)
    api.route("PATCH", ONE, admin=True)(update_pipeline)
    api.route("DELETE", ONE, admin=True)(delete_pipeline)
    api.route("GET", f"{ONE}/statuses")(list_statuses)
    api.route("POST", f"{ONE}/statuses", admin=True)(create_statuses)
    api.route("GET", f"{ONE}/statuses/<int:status_id>")(get_status)
    api.route("PATCH", f"{ONE}/statuses/<int:status_id>", admin=True)(update_status)
    api.route("DELETE", f"{ONE}/statuses/<int:status_id>", admin=True)(delete_status)


def list_pipelines(call: ApiCall) -> Reply:
    """All pipelines; this list has no pages."""
    rows = sorted(call.account.shelves["pipelines"].values(), key=lambda row: row["sort"])
    return _listed(call, "leads/pipelines", "pipelines", [_pipeline(call, row) for row in rows])


def create_pipelines(call: ApiCall) -> Reply:
    """Make pipelines; the incoming and the closing statuses come by themselves."""
    account, items = call.account, call.items()
    _require(items, is_new=True)
    if len(account.shelves["pipelines"]) + len(items) > MOST_PIPELINES:
        raise problem(422, f"An account has at most {MOST_PIPELINES} pipelines")
    made = []
    for index, item in enumerate(items):
        stages = [status["name"] for status in (item.get("_embedded") or {}).get("statuses") or ()]
        row = add_pipeline(
            account, item["name"], stages or ["Первичный контакт"], is_main=False, sort=item.get("sort", 10)
        )
        if item.get("is_main"):
            _make_main(call, row["id"])
        made.append({**_pipeline(call, _known(call, row["id"])), "request_id": str(item.get("request_id", index))})
    return _listed(call, "leads/pipelines", "pipelines", made)


def get_pipeline(call: ApiCall, pipeline_id: int) -> Reply:
    """One pipeline with its statuses."""
    return _pipeline(call, _known(call, pipeline_id))


def update_pipeline(call: ApiCall, pipeline_id: int) -> Reply:
    """Change a pipeline."""
    before, item = _known(call, pipeline_id), call.item()
    _require([item], is_new=False)
    known = ("name", "sort", "is_unsorted_on", "is_archive")
    call.account.shelves["pipelines"][pipeline_id] = {
        **before,
        **{name: value for name, value in item.items() if name in known},
    }
    if item.get("is_main"):
        _make_main(call, pipeline_id)
    return _pipeline(call, _known(call, pipeline_id))


def delete_pipeline(call: ApiCall, pipeline_id: int) -> Reply:
    """Remove a pipeline without leads."""
    row = _known(call, pipeline_id)
    if row["is_main"] or _holds_leads(call, pipeline_id, None):
        raise problem(400, "The pipeline is the main one or holds leads")
    del call.account.shelves["pipelines"][pipeline_id]
    return None, 204


def list_statuses(call: ApiCall, pipeline_id: int) -> Reply:
    """All statuses of a pipeline."""
    rows = [_status(call, row) for row in _known(call, pipeline_id)["statuses"]]
    return _listed(call, f"leads/pipelines/{pipeline_id}/statuses", "statuses", rows)


def create_statuses(call: ApiCall, pipeline_id: int) -> Reply:
    """Add statuses to a pipeline."""
    pipeline, items = _known(call, pipeline_id), call.items()
    _require(items, is_new=True)
    if len(pipeline["statuses"]) + len(items) > MOST_STATUSES:
        raise problem(422, f"A pipeline has at most {MOST_STATUSES} statuses")
    made = []
    for item in items:
        color, sort = item.get("color", COLORS[0]), item.get("sort", 100)
        made.append(status_row(call.account.take_id("statuses"), item["name"], sort, color, pipeline_id))
    statuses = sorted([*pipeline["statuses"], *made], key=lambda row: row["sort"])
    call.account.shelves["pipelines"][pipeline_id] = {**pipeline, "statuses": statuses}
    shown = [
        {**_status(call, row), "request_id": str(item.get("request_id", index))}
        for index, (row, item) in enumerate(zip(made, items, strict=True))
    ]
    return _listed(call, f"leads/pipelines/{pipeline_id}/statuses", "statuses", shown)


def get_status(call: ApiCall, pipeline_id: int, status_id: int) -> Reply:
    """One status."""
    return _status(call, _known_status(call, pipeline_id, status_id))


def update_status(call: ApiCall, pipeline_id: int, status_id: int) -> Reply:
    """Change a status; of the closing ones only the name."""
    before = _known_status(call, pipeline_id, status_id)
    item = call.item()
    _require([item], is_new=False)
    known = ("name",) if status_id in (WON, LOST) else ("name", "sort", "color")
    after = {**before, **{name: value for name, value in item.items() if name in known}}
    pipeline = _known(call, pipeline_id)
    statuses = sorted(
        [after if row["id"] == status_id else row for row in pipeline["statuses"]], key=lambda row: row["sort"]
    )
    call.account.shelves["pipelines"][pipeline_id] = {**pipeline, "statuses": statuses}
    return _status(call, after)


def delete_status(call: ApiCall, pipeline_id: int, status_id: int) -> Reply:
    """Remove a status without leads."""
    row = _known_status(call, pipeline_id, status_id)
    if not row["is_editable"] or _holds_leads(call, pipeline_id, status_id):
        raise problem(400, "The status is a system one or holds leads")
    pipeline = _known(call, pipeline_id)
    statuses = [one for one in pipeline["statuses"] if one["id"] != status_id]
    call.account.shelves["pipelines"][pipeline_id] = {**pipeline, "statuses": statuses}
    return None, 204


def _known(call: ApiCall, pipeline_id: int) -> Row:
    row = call.account.shelves["pipelines"].get(pipeline_id)
    if row is None:
        raise problem(404, f"Entity not found: pipeline {pipeline_id}")
    return row


def _known_status(call: ApiCall, pipeline_id: int, status_id: int) -> Row:
    _known(call, pipeline_id)
    row = call.account.status(pipeline_id, status_id)
    if row is None:
        raise problem(404, f"Entity not found: status {status_id} of pipeline {pipeline_id}")
    return row


def _holds_leads(call: ApiCall, pipeline_id: int, status_id: int | None) -> bool:
    return any(
        row["pipeline_id"] == pipeline_id and status_id in (None, row["status_id"])
        for row in call.account.tables["leads"].rows()
    )


def _make_main(call: ApiCall, pipeline_id: int) -> None:
    shelf = call.account.shelves["pipelines"]
    for other, row in shelf.items():
        shelf[other] = {**row, "is_main": other == pipeline_id}


def _pipeline(call: ApiCall, row: Row) -> Row:
    shown = {key: value for key, value in row.items() if key != "statuses"}
    return {
        **shown,
        "account_id": call.account.id,
        "_links": self_link(call.base, "leads/pipelines", row["id"]),
        "_embedded": {"statuses": [_status(call, status) for status in row["statuses"]]},
    }


def _status(call: ApiCall, row: Row) -> Row:
    at = f"leads/pipelines/{row['pipeline_id']}/statuses"
    shown = {**row, "account_id": call.account.id, "_links": self_link(call.base, at, row["id"])}
    if "descriptions" in call.query.words("with"):
        shown["descriptions"] = []
    return shown


def _listed(call: ApiCall, path: str, name: str, rows: list[Row]) -> Row:
    links = {"self": {"href": f"{call.base}/api/v4/{path}"}}
    return {"_total_items": len(rows), "_links": links, "_embedded": {name: rows}}


def _require(items: list[Row], *, is_new: bool) -> None:
    faults = []
    for index, item in enumerate(items):
        check = Check()
        if is_new and not item.get("name"):
            check.missing("name")
        for name in ("name", "color"):
            check.is_text(item, name)
        check.is_int(item, "sort")
        for place, status in enumerate(
            check.objects(check.branch(item, "_embedded"), "statuses", "_embedded.statuses")
        ):
            check.is_text(status, "name")
            if "name" not in status:
                check.missing(f"_embedded.statuses.{place}.name")
        faults.append((str(item.get("request_id", index)), check.errors))
    if any(errors for _, errors in faults):
        raise invalid(faults)
