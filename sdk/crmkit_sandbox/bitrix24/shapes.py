"""Records as classic and as universal methods show them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from crmkit_sandbox.wire import Row

from .kinds import LEAD, MULTIFIELDS, STATUS_TYPES, Field, Kind
from .multifields import universal as universal_multifields
from .params import items_of
from .portal import Portal
from .values import names_of, show_user_value, universal_name, universal_shower


def classic_record(portal: Portal, kind: Kind, row: Row) -> Row:
    """Everything about a record, multifields that have values included."""
    shown = classic_rows(portal, kind, [row], [*kind.fields, *portal.user_fields(kind)])[0]
    return shown | {name: row[name] for name in MULTIFIELDS if name in row}


def classic_rows(portal: Portal, kind: Kind, rows: Iterable[Row], names: Sequence[str]) -> list[Row]:
    """Rows with the fields `names`; multifields without values are left out."""
    user_fields = portal.user_fields(kind)
    plain = [name for name in names if name not in user_fields and name not in MULTIFIELDS]
    many = [name for name in names if name in MULTIFIELDS]
    custom = [(name, user_fields[name]) for name in names if name in user_fields]
    shown = []
    for row in rows:
        one = {name: row[name] for name in plain}
        for name, field in custom:
            one[name] = show_user_value(field, row.get(name))
        for name in many:
            if name in row:
                one[name] = row[name]
        shown.append(one)
    return shown


def classic_names(portal: Portal, kind: Kind, select: Any) -> list[str]:
    """The fields that a classic `select` asks for; everything but multifields when it is empty."""
    asked = [str(name) for name in items_of(select)] or ["*", "UF_*"]
    known = [*kind.fields, *portal.user_fields(kind), *(MULTIFIELDS if kind.has_multifields else ())]
    names: dict[str, None] = {"ID": None}
    for name in asked:
        if name == "*":
            names |= dict.fromkeys(kind.fields)
        elif name == "UF_*":
            names |= dict.fromkeys(portal.user_fields(kind))
        elif name in known:
            names[name] = None
    return list(names)


def universal_record(portal: Portal, kind: Kind, row: Row, *, is_original: bool = False) -> Row:
    """Everything about a record in the universal shape."""
    return universal_rows(portal, kind, [row], ["*"], is_original=is_original)[0]


def universal_rows(
    portal: Portal, kind: Kind, rows: Iterable[Row], select: Sequence[str], *, is_original: bool = False
) -> list[Row]:
    """Rows in the universal shape; `*` brings links, user fields and `fm` too."""
    user_fields = portal.user_fields(kind)
    names = names_of(kind, user_fields, is_original=is_original)
    is_all = not select or "*" in select
    chosen = dict(names) if is_all else {"id": "ID"}
    for name in select:
        classic = names.get(name, name)
        if classic in kind.fields or classic in user_fields:
            chosen[name if name in names else universal_name(name)] = classic
        elif name == "uf*" or name == "UF_*":
            chosen |= {one: classic for one, classic in names.items() if classic in user_fields}
    shows = [(name, classic, _shower(kind, user_fields, classic)) for name, classic in chosen.items()]
    asked = [name for name in ("contactIds", "companyIds", "observers") if is_all or name in select]
    links = [name for name in asked if _has_links(kind, name)]
    shown = []
    for row in rows:
        kept = row.get
        one: Row = {
            name: show(kept(classic)) if show is not None else kept(classic) or None for name, classic, show in shows
        }
        for name in links:
            one[name] = _links(row, name)
        if is_all and kind.has_multifields:
            one["fm"] = universal_multifields(row)
        if is_all and kind is LEAD:
            one |= _lead_values(row)
        if is_all:
            one["entityTypeId"] = kind.type_id
        shown.append(one)
    return shown


def field_rows(portal: Portal, kind: Kind) -> dict[str, Row]:
    """What `fields` methods tell, by classic names."""
    found = {name: _field_row(kind, field) for name, field in kind.fields.items()}
    if kind.has_multifields:
        found |= {name: _field(name, "crm_multifield", is_multiple=True) for name in MULTIFIELDS}
    for name, row in portal.user_fields(kind).items():
        found[name] = _user_field(row)
    return found


def _field_row(kind: Kind, field: Field) -> Row:
    row = _field(field.name, field.type, is_read_only=field.is_read_only, is_immutable=field.is_immutable)
    if field.type == "crm_status":
        by_kind = {"contact": "CONTACT_TYPE"}
        known = STATUS_TYPES.get(field.name, "")
        row["statusType"] = by_kind.get(kind.key, "DEAL_TYPE") if field.name == "TYPE_ID" else known
    return row


def _field(
    name: str, type_: str, *, is_read_only: bool = False, is_immutable: bool = False, is_multiple: bool = False
) -> Row:
    return {
        "type": type_,
        "isRequired": False,
        "isReadOnly": is_read_only,
        "isImmutable": is_immutable,
        "isMultiple": is_multiple,
        "isDynamic": False,
        "title": name,
    }


def _user_field(row: Row) -> Row:
    shown = _field(row["FIELD_NAME"], row["USER_TYPE_ID"], is_multiple=row["MULTIPLE"] == "Y")
    shown |= {"isRequired": row["MANDATORY"] == "Y", "isDynamic": True}
    if row["USER_TYPE_ID"] == "enumeration":
        shown["items"] = [{"ID": item["ID"], "VALUE": item["VALUE"]} for item in row["LIST"]]
    labels = ("LIST_COLUMN_LABEL", "EDIT_FORM_LABEL", "LIST_FILTER_LABEL")
    names = ("listLabel", "formLabel", "filterLabel")
    return shown | {name: row[label] for name, label in zip(names, labels, strict=True)}


def _shower(kind: Kind, user_fields: dict[str, Row], name: str) -> Callable[[Any], Any] | None:
    if name in user_fields:
        field = user_fields[name]
        return universal_shower(field["USER_TYPE_ID"], is_multiple=field["MULTIPLE"] == "Y")
    return universal_shower(kind.fields[name].type)


def _lead_values(row: Row) -> Row:
    """Phones and e-mails of a lead by their types, which only leads repeat beside `fm`."""
    shown: Row = {}
    for name, types in (("PHONE", ("WORK", "MOBILE", "MAILING")), ("EMAIL", ("WORK", "HOME", "MAILING"))):
        values = row.get(name, ())
        shown[name.lower()] = values[0]["VALUE"] if values else ""
        for type_ in types:
            found = (value["VALUE"] for value in values if value["VALUE_TYPE"] == type_)
            shown[f"{name.lower()}{type_.capitalize()}"] = next(found, "")
    return shown


def _has_links(kind: Kind, name: str) -> bool:
    return {"contactIds": kind.key in ("deal", "lead") or kind.smart_id > 0, "companyIds": kind.key == "contact"}.get(
        name, True
    )


def _links(row: Row, name: str) -> list[int]:
    if name == "observers":
        return list(row["observers"])
    shelf, key = ("contacts", "CONTACT_ID") if name == "contactIds" else ("companies", "COMPANY_ID")
    links = row[shelf]
    return [link[key] for link in links] if links else []
