"""What a write asks for, checked and turned into what the portal keeps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crmkit_sandbox.wire import Row

from .kinds import DEAL, LEAD, MULTIFIELDS, Kind
from .multifields import from_universal
from .params import items_of
from .portal import Portal, stage_entity
from .problems import Problem
from .values import names_of, number_of, read_user_value, read_value

# With IMPORT=Y a creation may set what is read-only otherwise.
IMPORTED = frozenset({"DATE_CREATE", "CREATED_BY_ID", "DATE_MODIFY", "MODIFY_BY_ID"})
UNIVERSAL_LINKS = {"contactIds": "CONTACT_IDS", "companyIds": "COMPANY_IDS", "observers": "OBSERVER_IDS"}


@dataclass
class Write:
    """The columns to set, multifields to patch, and links to replace (None leaves them)."""

    columns: Row = field(default_factory=dict)
    multifields: dict[str, Any] = field(default_factory=dict)
    contacts: list[int] | None = None
    companies: list[int] | None = None
    observers: list[int] | None = None


def read_classic(portal: Portal, kind: Kind, fields: Any, *, is_new: bool, is_import: bool = False) -> Write:
    """A write of classic fields; unknown and read-only ones are ignored, as the vendor does.

    Raises Problem 400 for a value that cannot be kept.
    """
    if isinstance(fields, list) and not fields:
        fields = {}
    if not isinstance(fields, dict):
        raise Problem(400, "", "Parameter 'fields' must be array.")
    write = Write()
    user_fields = portal.user_fields(kind)
    for name, value in fields.items():
        spec = kind.fields.get(name)
        if spec is not None:
            is_locked = spec.is_read_only and not (is_new and is_import and name in IMPORTED)
            if not is_locked and not (spec.is_immutable and not is_new):
                write.columns[name] = read_value(spec, value)
        elif name in user_fields:
            write.columns[name] = read_user_value(user_fields[name], value)
        elif name in MULTIFIELDS and kind.has_multifields:
            write.multifields[name] = value
    _read_links(portal, kind, fields, write)
    _settle_stage(portal, kind, write, is_new=is_new)
    return write


def read_universal(portal: Portal, kind: Kind, fields: Any, *, is_original: bool = False) -> Write:
    """A write of universal fields.

    Raises Problem 400 for a value that cannot be kept, or a pipeline that is not there.
    """
    if isinstance(fields, list) and not fields:
        fields = {}
    if not isinstance(fields, dict):
        raise Problem(400, "", "Parameter 'fields' must be array.")
    names = names_of(kind, portal.user_fields(kind), is_original=is_original)
    write = Write()
    user_fields = portal.user_fields(kind)
    for name, value in fields.items():
        classic = names.get(str(name), str(name))
        spec = kind.fields.get(classic)
        if spec is not None and not spec.is_read_only:
            write.columns[classic] = read_value(spec, value)
        elif classic in user_fields:
            write.columns[classic] = read_user_value(user_fields[classic], value)
    _check_category(portal, kind, write)
    if kind.has_multifields and "fm" in fields:
        write.multifields = dict(from_universal(fields["fm"]))
    _read_links(
        portal, kind, {classic: fields[name] for name, classic in UNIVERSAL_LINKS.items() if name in fields}, write
    )
    return write


def check_stage(portal: Portal, kind: Kind, category_id: int, stage: str) -> Row:
    """The stage of a pipeline.

    Raises Problem 400 when the pipeline has no such stage.
    """
    found = next((row for row in portal.stages(stage_entity(kind, category_id)) if row["STATUS_ID"] == stage), None)
    if found is None:
        raise Problem(400, "CRM_FIELD_ERROR_VALUE_NOT_VALID", f"Invalid value of field '{kind.stage}': {stage}")
    return found


def _check_category(portal: Portal, kind: Kind, write: Write) -> None:
    if kind.stage and not write.columns.get(kind.stage):
        write.columns.pop(kind.stage, None)
    category = write.columns.get("CATEGORY_ID", "0")
    if kind is DEAL and number_of(category) not in portal.shelves["categories"]:
        raise Problem(400, "CRM_FIELD_ERROR_VALUE_NOT_VALID", "Invalid value of field 'CATEGORY_ID'")
    if kind.smart_id and "CATEGORY_ID" in write.columns:
        known = {row["id"] for row in portal.smart_type(kind.type_id)["categories"]}
        if number_of(category) not in known:
            raise Problem(400, "CRM_FIELD_ERROR_VALUE_NOT_VALID", "Invalid value of field 'CATEGORY_ID'")


def _settle_stage(portal: Portal, kind: Kind, write: Write, *, is_new: bool) -> None:
    if kind.stage and not write.columns.get(kind.stage):
        write.columns.pop(kind.stage, None)
    if kind is LEAD and (stage := write.columns.get("STATUS_ID")):
        check_stage(portal, kind, 0, stage)
    if kind is DEAL and is_new:
        category_id = number_of(write.columns.get("CATEGORY_ID"))
        if category_id not in portal.shelves["categories"]:
            category_id = 0
        write.columns["CATEGORY_ID"] = str(category_id)
        stages = {row["STATUS_ID"] for row in portal.stages(stage_entity(kind, category_id))}
        # A stage that the pipeline does not have is passed over: the deal starts at the first one.
        if write.columns.get("STAGE_ID") not in stages:
            write.columns.pop("STAGE_ID", None)


def _read_links(portal: Portal, kind: Kind, fields: Mapping[str, Any], write: Write) -> None:
    if _has_contacts(kind) and "CONTACT_IDS" in fields:
        write.contacts = _known(portal, "contacts", fields["CONTACT_IDS"])
    elif _has_contacts(kind) and "CONTACT_ID" in write.columns:
        write.contacts = _known(portal, "contacts", [write.columns["CONTACT_ID"]])
    if kind.key == "contact" and "COMPANY_IDS" in fields:
        write.companies = _known(portal, "companies", fields["COMPANY_IDS"])
    elif kind.key == "contact" and "COMPANY_ID" in write.columns:
        write.companies = _known(portal, "companies", [write.columns["COMPANY_ID"]])
    if "OBSERVER_IDS" in fields:
        users = [number_of(one) for one in items_of(fields["OBSERVER_IDS"])]
        write.observers = [one for one in users if one in portal.shelves["users"]]
    if _has_contacts(kind) and write.columns.get("COMPANY_ID"):
        known = _known(portal, "companies", [write.columns["COMPANY_ID"]])
        write.columns["COMPANY_ID"] = str(known[0]) if known else None


def _has_contacts(kind: Kind) -> bool:
    return kind in (DEAL, LEAD) or kind.smart_id > 0


def _known(portal: Portal, table: str, value: Any) -> list[int]:
    ids = [number_of(one) for one in items_of(value)]
    return [one for one in dict.fromkeys(ids) if portal.tables[table].live(one) is not None]
