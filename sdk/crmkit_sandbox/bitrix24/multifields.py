"""Phones, e-mails and other fields of many values: a write patches them by their ids."""

from typing import Any

from crmkit_sandbox.wire import Row

from .kinds import MULTIFIELDS
from .params import items_of
from .portal import Portal
from .values import number_of

DEFAULT_TYPES = {"PHONE": "WORK", "EMAIL": "WORK", "WEB": "WORK", "IM": "OTHER", "LINK": "USER"}


def patch(portal: Portal, type_: str, before: list[Row], written: Any) -> list[Row]:
    """The values after a write: no id adds, an id changes, a bare id or an empty value deletes.

    Source: Bitrix24 REST, page "crm_multifield".
    """
    values = {value["ID"]: value for value in before}
    for item in items_of(written):
        if not isinstance(item, dict):
            continue
        value_id = str(item.get("ID") or "")
        text = item.get("VALUE")
        if not value_id:
            if text not in (None, ""):
                fresh = str(portal.take_id("multifields"))
                values[fresh] = _value(type_, fresh, str(text), item.get("VALUE_TYPE"))
        elif value_id in values:
            if text in (None, "") or item.get("DELETE") == "Y":
                del values[value_id]
            else:
                kind = item.get("VALUE_TYPE") or values[value_id]["VALUE_TYPE"]
                values[value_id] = _value(type_, value_id, str(text), kind)
    return list(values.values())


def from_universal(written: Any) -> dict[str, list[Row]]:
    """A universal `fm` as classic patches by type."""
    if isinstance(written, list):
        written = {f"n{index}": item for index, item in enumerate(written)}
    patches: dict[str, list[Row]] = {}
    for key, item in (written or {}).items():
        if not isinstance(item, dict):
            continue
        type_ = str(item.get("typeId", "")).upper()
        if type_ not in MULTIFIELDS:
            continue
        row = {"VALUE": item.get("value"), "VALUE_TYPE": item.get("valueType")}
        value_id = number_of(key) or number_of(item.get("id"))
        patches.setdefault(type_, []).append({"ID": str(value_id), **row} if value_id else row)
    return patches


def universal(row: Row) -> list[Row]:
    """All values as universal methods show them."""
    return [
        {"id": int(value["ID"]), "valueType": value["VALUE_TYPE"], "value": value["VALUE"], "typeId": type_}
        for type_ in MULTIFIELDS
        for value in row.get(type_, ())
    ]


def flags(row: Row) -> Row:
    """What the record says about having phones and the like."""
    has = {"HAS_PHONE": "PHONE", "HAS_EMAIL": "EMAIL", "HAS_IMOL": "IM"}
    return {name: "Y" if row.get(type_) else "N" for name, type_ in has.items()}


def _value(type_: str, value_id: str, text: str, kind: Any) -> Row:
    return {"ID": value_id, "VALUE_TYPE": str(kind or DEFAULT_TYPES[type_]), "VALUE": text, "TYPE_ID": type_}
