"""Files over the API: a raw upload names nothing, an edit attaches."""

from collections.abc import Mapping
from urllib.parse import quote

from flask import request
from werkzeug.wrappers import Response

from crmkit_sandbox.wire import Row

from . import schema
from .account import Account
from .api import Api, ApiCall, Reply
from .listing import Filter, Test, at_least, at_most, holds, listed, since, until, whole_among
from .problems import bad_format, bad_input, problem
from .query import values
from .shapes import plain


def _attached_to(name: str) -> Filter:
    def make(_: Account, value: object) -> Test:
        wanted = {int(text) for text in values(value)}
        return lambda row: any(one.get(name, {}).get("id") in wanted for one in row["attachment"])

    return make


FILTERS: Mapping[str, Filter] = {
    "ids": whole_among("id"),
    "orderIds": _attached_to("order"),
    "customerIds": _attached_to("customer"),
    "filename": holds("filename"),
    "type": lambda _, value: lambda row: row["type"] in values(value),
    "isAttached": lambda _, value: lambda row: bool(row["attachment"]) == schema.flag(value),
    "createdAtFrom": since("createdAt"),
    "createdAtTo": until("createdAt"),
    "sizeFrom": at_least(lambda _, row: float(row["size"])),
    "sizeTo": at_most(lambda _, row: float(row["size"])),
}
DOCUMENTED = ("orderExternalIds", "customerExternalIds", "sites")


def register(api: Api) -> None:
    """Add the routes."""
    api.route("GET", "/files", "file_read")(list_files)
    api.route("POST", "/files/upload", "file_write")(upload)
    api.route("GET", "/files/<int:file_id>", "file_read")(lambda call, file_id: {"file": plain(_known(call, file_id))})
    api.route("GET", "/files/<int:file_id>/download", "file_read")(download)
    api.route("POST", "/files/<int:file_id>/edit", "file_write")(edit_file)
    api.route("POST", "/files/<int:file_id>/delete", "file_write")(delete_file)


def list_files(call: ApiCall) -> Reply:
    """A page of files."""
    rows, head = listed(call, call.account.tables["files"], FILTERS, DOCUMENTED)
    return {**head, "files": [plain(row) for row in rows]}


def upload(call: ApiCall) -> Reply:
    """Store the raw body."""
    content = request.get_data()
    if not content:
        raise problem(400, "Your request is empty or too large")
    account, now = call.account, call.account.moment()
    file_id = account.take_id("files")
    day, _, clock = now.partition(" ")
    stamp = f"{'-'.join(day.split('-')[::-1])} {clock}"
    account.contents[file_id] = content
    account.tables["files"].put(
        {
            "id": file_id,
            "filename": f"API upload {stamp}",
            "type": _type(content),
            "createdAt": now,
            "size": len(content),
            "attachment": [],
            "updated_at": int(account.now()),
        }
    )
    return {"file": {"id": file_id}}


def download(call: ApiCall, file_id: int) -> Reply:
    """The bytes."""
    row = _known(call, file_id)
    answer = Response(call.account.contents[file_id], content_type=row["type"])
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(row['filename'], safe='')}"
    return answer


def edit_file(call: ApiCall, file_id: int) -> Reply:
    """Rename a file, attach it to customers and orders."""
    given, row = call.entity("file"), _known(call, file_id)
    after = dict(row)
    if isinstance(given.get("filename"), str):
        after["filename"] = given["filename"]
    if "attachment" in given:
        if not isinstance(given["attachment"], list):
            raise bad_format({"file.attachment": "This value is not valid."})
        after["attachment"] = [_attachment(call, one) for one in given["attachment"]]
    call.account.tables["files"].put(after)
    return {"file": {"id": file_id}}


def delete_file(call: ApiCall, file_id: int) -> Reply:
    """Take a file away."""
    call.account.tables["files"].put({**_known(call, file_id), "is_deleted": True})
    del call.account.contents[file_id]
    return {}


def _known(call: ApiCall, file_id: int) -> Row:
    row = call.account.tables["files"].live(file_id)
    if row is None:
        raise problem(404)
    return row


def _attachment(call: ApiCall, given: object) -> Row:
    for name, table in (("customer", "customers"), ("order", "orders")):
        target = given.get(name) if isinstance(given, dict) else None
        if not isinstance(target, dict):
            continue
        row = call.account.tables[table].live(target["id"]) if isinstance(target.get("id"), int) else None
        if row is None:
            raise bad_input("attachment", f"{name} not found.")
        return {name: {key: row[key] for key in ("id", "externalId", "site") if key in row}}
    raise bad_format({"file.attachment": "This value is not valid."})


def _type(content: bytes) -> str:
    for start, kind in ((b"%PDF", "application/pdf"), (b"\x89PNG", "image/png"), (b"ID3", "audio/mpeg")):
        if content.startswith(start):
            return kind
    try:
        content.decode()
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "text/plain"
