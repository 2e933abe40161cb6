"""Reads what a caller wants to write into a lead, contact or company, and says what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crmkit_sandbox.wire import Row

from .account import LOST, WON, Account, Kind
from .fields import read_values
from .links import Place
from .problems import Check
from .tags import read_tags

INTEGERS = ("responsible_user_id", "created_by", "updated_by", "created_at", "updated_at")
TEXTS: Mapping[str, tuple[str, ...]] = {
    "leads": ("name",),
    "contacts": ("name", "first_name", "last_name"),
    "companies": ("name",),
}
LINKABLE: Mapping[str, tuple[str, ...]] = {
    "leads": ("contacts", "companies", "catalog_elements"),
    "contacts": ("companies",),
    "companies": (),
}


@dataclass
class Write:
    """A checked write: plain columns, custom fields, tags and links to make."""

    kind: Kind
    request_id: str
    row_id: int | None = None
    columns: Row = field(default_factory=dict)
    fields: dict[int, Row | None] = field(default_factory=dict)
    tags: list[Row] | None = None
    tags_to_add: list[Row] = field(default_factory=list)
    tags_to_delete: list[Row] = field(default_factory=list)
    links: list[tuple[Place, Row]] = field(default_factory=list)


def read_write(
    account: Account, kind: Kind, item: Row, request_id: str, row_id: int | None = None
) -> tuple[Write, list[Row]]:
    """The write that `item` means and its faults; `row_id` names the record to update, None makes a new one."""
    check = Check()
    write = Write(kind, request_id, row_id)
    before = account.tables[kind].live(row_id) if row_id is not None else None
    if row_id is not None and before is None:
        check.choice("id")
        return write, check.errors
    _read_columns(account, write, item, check)
    if kind == "leads":
        _read_stage(account, write, item, before, check)
    write.fields = read_values(account, kind, item.get("custom_fields_values"), check)
    if "custom_fields_values" in item and item["custom_fields_values"] is None and before is not None:
        write.fields = {value["field_id"]: None for value in before["custom_fields_values"] or ()}
    _read_embedded(account, write, item, check)
    return write, check.errors


def _read_columns(account: Account, write: Write, item: Row, check: Check) -> None:
    for name in TEXTS[write.kind]:
        if check.is_text(item, name):
            write.columns[name] = item[name]
    for name in INTEGERS:
        if check.is_int(item, name):
            write.columns[name] = item[name]
    if write.kind == "leads" and check.is_int(item, "price", nullable=True):
        write.columns["price"] = item["price"]
    for name in ("responsible_user_id", "created_by", "updated_by"):
        user_id = write.columns.get(name)
        is_robot = user_id == 0 and name != "responsible_user_id"
        if user_id is not None and not is_robot and user_id not in account.shelves["users"]:
            check.choice(name)


def _read_stage(account: Account, write: Write, item: Row, before: Row | None, check: Check) -> None:
    has_pipeline, has_status = check.is_int(item, "pipeline_id"), check.is_int(item, "status_id")
    if before is None or has_pipeline or has_status:
        pipeline_id = item["pipeline_id"] if has_pipeline else _home(account, before)
        pipeline = account.shelves["pipelines"].get(pipeline_id)
        if pipeline is None:
            check.choice("pipeline_id")
            return
        status_id = item["status_id"] if has_status else _first_status(pipeline, before)
        status = account.status(pipeline_id, status_id)
        if status is None or status["type"] == 1:
            check.choice("status_id")
            return
        write.columns |= {"pipeline_id": pipeline_id, "status_id": status_id}
    _read_loss(account, write, item, before, check)


def _read_loss(account: Account, write: Write, item: Row, before: Row | None, check: Check) -> None:
    status_id = write.columns.get("status_id", before["status_id"] if before else None)
    if item.get("loss_reason_id") is not None and check.is_int(item, "loss_reason_id"):
        if status_id != LOST or item["loss_reason_id"] not in account.shelves["loss_reasons"]:
            check.choice("loss_reason_id")
        else:
            write.columns["loss_reason_id"] = item["loss_reason_id"]
    if check.is_int(item, "closed_at", nullable=True) and status_id in (WON, LOST):
        write.columns["closed_at"] = item["closed_at"]


def _home(account: Account, before: Row | None) -> int:
    return int(before["pipeline_id"] if before is not None else account.main_pipeline["id"])


def _first_status(pipeline: Row, before: Row | None) -> int:
    if before is not None and before["pipeline_id"] == pipeline["id"]:
        return int(before["status_id"])
    return next(int(status["id"]) for status in pipeline["statuses"] if status["type"] == 0)


def _read_embedded(account: Account, write: Write, item: Row, check: Check) -> None:
    embedded = item.get("_embedded") or {}
    if not isinstance(embedded, dict):
        check.wrong_type("_embedded", "array")
        return
    if "tags" in embedded:
        write.tags = read_tags(account, write.kind, embedded["tags"], "_embedded.tags", check)
    write.tags_to_add = read_tags(account, write.kind, item.get("tags_to_add"), "tags_to_add", check)
    write.tags_to_delete = read_tags(account, write.kind, item.get("tags_to_delete"), "tags_to_delete", check)
    if write.row_id is not None:
        return
    for to_kind in LINKABLE[write.kind]:
        _read_links(account, write, to_kind, embedded.get(to_kind) or [], check)


def _read_links(account: Account, write: Write, to_kind: str, items: Any, check: Check) -> None:
    path = f"_embedded.{to_kind}"
    if not isinstance(items, list):
        check.wrong_type(path, "array")
        return
    if to_kind == "companies" and len(items) > 1:
        check.fault("TooManyElements", path, "This collection should contain 1 element or less.")
    has_main = any(isinstance(item, dict) and item.get("is_main") for item in items)
    for index, item in enumerate(items):
        linked_id = item.get("id") if isinstance(item, dict) else None
        table = account.tables["elements" if to_kind == "catalog_elements" else to_kind]
        if not isinstance(linked_id, int) or table.live(linked_id) is None:
            check.choice(f"{path}.{index}.id")
            continue
        write.links.append(((to_kind, linked_id), _metadata(to_kind, item, is_main=not has_main and index == 0)))


def _metadata(to_kind: str, item: Row, *, is_main: bool) -> Row:
    if to_kind == "contacts":
        return {"main_contact": bool(item.get("is_main", is_main))}
    if to_kind == "catalog_elements":
        given = item.get("metadata") or {}
        return {
            "quantity": given.get("quantity", 1),
            "catalog_id": given.get("catalog_id"),
            "price_id": given.get("price_id"),
        }
    return {}
