"""Writes of many records in one call."""

from collections.abc import Callable

from crmkit_sandbox.wire import Row

from . import changes
from .account import Account, Kind
from .api import ApiCall, Reply
from .problems import ProblemError, bad_format, bad_input

Create = Callable[[Account, Row, str, list[str]], Row]


def upload(call: ApiCall, field: str, title: str, create: Create) -> Reply:
    """Make records; 460 when some of them failed, and the others are stored all the same."""
    given, site = call.entities(field), call.site() or ""
    stored: list[Row] = []
    failed: list[Row] = []
    errors: dict[str, str] = {}
    for index, one in enumerate(given):
        try:
            row = create(call.account, one, site, call.ignored)
        except ProblemError as error:
            failed.append({"externalId": one["externalId"]} if "externalId" in one else {})
            found = error.body.get("errors")
            errors[str(index)] = next(iter(found.values())) if isinstance(found, dict) else error.body["errorMsg"]
        else:
            stored.append({name: row[name] for name in ("id", "externalId") if name in row})
    body: Row = {f"uploaded{title}": stored, f"failed{title}": failed}
    if not failed:
        return body, 201
    return {**body, "errorMsg": f"{title} are loaded with errors", "errors": errors}, 460


def fix_external_ids(call: ApiCall, kind: Kind, field: str) -> Reply:
    """Set external ids by internal ids, all or none."""
    pairs = []
    for one in call.entities(field):
        row_id, external_id = one.get("id"), one.get("externalId")
        if not isinstance(row_id, int) or not isinstance(external_id, str | int):
            raise bad_format({f"{field}.id": "This value is not valid."})
        row = call.account.tables[kind].live(row_id)
        if row is None or not call.sees(row):
            raise bad_input(field, f"Entity with id={row_id} not found.")
        known = call.account.find(kind, str(external_id), row["site"])
        if known is not None and known["id"] != row_id:
            raise bad_input(field, f"externalId={external_id} already exists.")
        pairs.append((row, str(external_id)))
    for row, external_id in pairs:
        changes.change(call.account, kind, row, {**row, "externalId": external_id})
    return {}
