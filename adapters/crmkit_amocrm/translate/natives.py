"""Custom fields in amoCRM's own words: read from a body so that they can be written again exactly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crmkit.models import Record
from crmkit.values import Json, Kind
from crmkit.write import Native
from crmkit_amocrm.translate.ties import ties, ties_extra
from crmkit_amocrm.wire import Item

_PREFIX = "custom_fields_values."
_CHOICES = frozenset({"select", "radiobutton", "category", "multiselect"})
_LISTS = frozenset({"multitext", "multiselect", "legal_entity"})
_OURS = frozenset({"PHONE", "EMAIL"})


def natives(record: Record) -> list[Native]:
    """The filled custom fields of a card, but for phones and e-mails, and what else it is tied to."""
    found = record.raw.get("custom_fields_values") or ()
    fields = [_native(item, record.kind) for item in found if item.get("values") and not _is_ours(item)]
    return [*fields, *ties(record)]


def native_extra(values: Mapping[str, Json], on: Record | None = None) -> dict[str, Json]:
    """The body that fills or empties custom fields; every field is replaced as a whole, and so are ties.

    Source: amoCRM API v4, page "Custom fields: values" (null empties a field).
    """
    entries: list[Json] = [
        {"field_id": int(name.removeprefix(_PREFIX)), "values": value}
        for name, value in values.items()
        if name.startswith(_PREFIX)
    ]
    return {**({"custom_fields_values": entries} if entries else {}), **ties_extra(values, on)}


def _native(item: Item, kind: Kind) -> Native:
    type_ = str(item.get("field_type") or "")
    values: list[Json] = [written(value, type_) for value in item["values"]]
    return Native(
        name=f"{_PREFIX}{item['field_id']}",
        title=str(item.get("field_name") or item["field_id"]),
        value=values,
        text=", ".join(_text(value) for value in item["values"]),
        tells=_tells(item, kind, type_),
        is_many=type_ in _LISTS,
        is_fixed=bool(item.get("is_computed")),
    )


def _is_ours(item: Item) -> bool:
    return item.get("field_type") == "multitext" and item.get("field_code") in _OURS


def written(value: Item, type_: str) -> dict[str, Json]:
    """A value as it may be sent back: a choice by its number, since its label may have been edited since."""
    if type_ in _CHOICES and value.get("enum_id"):
        return {"enum_id": value["enum_id"]}
    if "value" not in value:
        return {name: value[name] for name in ("catalog_id", "catalog_element_id") if name in value}
    kept: dict[str, Json] = {"value": value["value"]}
    mark = next((name for name in ("enum_id", "enum_code") if value.get(name)), None)
    return {**kept, mark: value[mark]} if mark else kept


def _text(value: Item) -> str:
    inner: Any = value.get("value", value.get("catalog_element_id", ""))
    if isinstance(inner, Mapping):
        return str(inner.get("name") or inner.get("file_name") or "")
    return ("да" if inner else "нет") if isinstance(inner, bool) else str(inner)


def _tells(item: Item, kind: Kind, type_: str) -> tuple[str, ...]:
    """The fields of our records that are read out of this one."""
    names = {str(item.get("field_name") or "").strip().upper(), str(item.get("field_code") or "").upper()}
    if kind is Kind.CONTACT:
        return ("birthday",) if type_ == "birthday" else ()
    if kind is not Kind.COMPANY:
        return ()
    if type_ == "legal_entity":
        return ("inn", "kpp")
    known = {"site": {"WEB"}, "inn": {"ИНН", "INN"}, "kpp": {"КПП", "KPP"}}
    return tuple(ours for ours, words in known.items() if names & words)
