"""User fields as they are read: definitions of an account, and every type to a typed value."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import compress
from typing import Any, NamedTuple

from crmkit.home import Home
from crmkit.models import CustomValue, FieldData, FieldDef, FieldType
from crmkit.mould import Mould
from crmkit.values import Kind, Money
from crmkit_bitrix24.translate.values import day_of, decimal_of, flag_of, many, text_of, time_of
from crmkit_bitrix24.wire import Item, is_empty

Definition = Mapping[str, Any]
"""A user field in short: title, type, is it multiple, labels of an enumeration by item id."""

FIELD_TYPES: Mapping[str, FieldType] = {
    "string": FieldType.TEXT,
    "url": FieldType.URL,
    "integer": FieldType.INT,
    "double": FieldType.DECIMAL,
    "boolean": FieldType.BOOL,
    "date": FieldType.DATE,
    "datetime": FieldType.DATETIME,
    "money": FieldType.MONEY,
    "enumeration": FieldType.ENUM,
    "file": FieldType.FILE,
    "address": FieldType.TEXT,
    "employee": FieldType.TEXT,
    "crm_status": FieldType.TEXT,
    "crm": FieldType.TEXT,
    "iblock_section": FieldType.TEXT,
    "iblock_element": FieldType.TEXT,
}
"""The vendor's types. Source: Bitrix24 REST, page "User fields"; others are kept as UNKNOWN."""

_PREFIX = "UF_"


class Definitions(dict[str, Definition]):
    """The user fields of a kind by name; `numbers` are those of which zero is a value, though it looks empty."""

    def __init__(self, found: Mapping[str, Definition]) -> None:
        super().__init__(found)
        self.numbers = [name for name, definition in found.items() if definition["type"] in ("integer", "double")]


def definitions_of(fields: Mapping[str, Any]) -> Definitions:
    """The user fields among an entity's fields, by name."""
    found: dict[str, Definition] = {}
    for key, raw in fields.items():
        if not isinstance(raw, Mapping):
            continue
        name = str(raw.get("upperName") or key)
        if not name.startswith(_PREFIX):
            continue
        labels = (raw.get(label) for label in ("formLabel", "listLabel", "filterLabel", "title"))
        settings = raw.get("settings") or {}
        definition: dict[str, Any] = {
            "title": next((str(label) for label in labels if label), name),
            "type": str(raw.get("type") or ""),
            "is_multiple": flag_of(raw.get("isMultiple")),
            "is_long": isinstance(settings, Mapping) and _rows_of(settings) > 1,
            "is_required": flag_of(raw.get("isRequired")),
            "is_read_only": flag_of(raw.get("isReadOnly")),
            "items": {str(item["ID"]): str(item.get("VALUE") or "") for item in many(raw.get("items")) if "ID" in item},
        }
        found[name] = {**definition, "kept": _short(definition)}
    return Definitions(found)


def _short(definition: Definition) -> dict[str, Any]:
    short = {"title": definition["title"], "type": definition["type"]}
    if definition["is_multiple"]:
        short["is_multiple"] = True
    if definition["is_long"]:
        short["is_long"] = True
    return short


def field_def(name: str, definition: Definition, kind: Kind) -> FieldDef:
    """A user field as crmkit describes it; its id is its name (`UF_CRM_1721244482250`)."""
    return FieldDef(
        kind=kind,
        id=name,
        code=name,
        title=definition["title"],
        type=type_of(definition),
        vendor_type=definition["type"],
        options={label: item_id for item_id, label in definition["items"].items()},
        is_required=definition["is_required"],
        is_computed=definition["is_read_only"],
    )


def filled(raw: Item, definitions: Definitions) -> dict[str, Definition]:
    """What must be kept with a body so that its user fields can be read later: the filled ones, the labels they use."""
    get = raw.get
    found: dict[str, Definition] = {}
    for name in compress(definitions, map(get, definitions)):
        definition = definitions[name]
        # One object for all bodies, unless it names the labels of this one.
        found[name] = definition["kept"]
        if labels := definition["items"]:
            used = {str(one) for one in many(raw[name])}
            found[name] = {**definition["kept"], "items": {key: labels[key] for key in labels if key in used}}
    for name in definitions.numbers:
        if get(name) == 0 and raw[name] is not False:
            found[name] = definitions[name]["kept"]
    return found


def type_of(definition: Definition) -> FieldType:
    """The field's type in our words; several values are a tuple of texts, or labels."""
    return _reading(definition["type"], definition.get("is_multiple", False), definition.get("is_long", False)).type


class _Reading(NamedTuple):
    """How fields of one type are read: our type, the reader of a value, the maker of what a record holds."""

    type: FieldType
    read: Callable[[Any, Definition, Home], FieldData]
    make: Callable[[str, str, FieldData], CustomValue]


@lru_cache(maxsize=256)
def _reading(vendor_type: str, is_multiple: bool, is_long: bool) -> _Reading:
    # Remembered, because every record asks for every field.
    type_ = FIELD_TYPES.get(vendor_type, FieldType.UNKNOWN)
    read = _texts if is_multiple else _READERS.get(type_, _whatever)
    if is_multiple:
        type_ = FieldType.MULTIENUM if type_ is FieldType.ENUM else _ONE_OR_MORE.get(type_, type_)
    elif type_ is FieldType.TEXT and is_long:
        type_ = FieldType.LONGTEXT

    def make(name: str, title: str, value: FieldData) -> CustomValue:
        return _CUSTOM.cast({"id": name, "code": name, "title": title, "type": type_, "value": value})

    # Switches and labels have few values: records share them.
    is_shared = type_ in (FieldType.BOOL, FieldType.ENUM)
    return _Reading(type_, read, lru_cache(maxsize=1024)(make) if is_shared else make)


_CUSTOM = Mould(CustomValue)


_ONE_OR_MORE: Mapping[FieldType, FieldType] = dict.fromkeys(FieldType, FieldType.TEXT) | {
    FieldType.URL: FieldType.URL,
    FieldType.FILE: FieldType.FILE,
    FieldType.UNKNOWN: FieldType.UNKNOWN,
}
"""What a multiple field of a type gives: texts, because a record holds no tuple of anything else."""


def read_custom(raw: Item, definitions: Mapping[str, Definition], account: Home) -> tuple[CustomValue, ...]:
    """The filled user fields of a body, by the definitions kept with it."""
    custom = []
    for name, definition in definitions.items():
        get = definition.get
        _, read, make = _reading(definition["type"], get("is_multiple", False), get("is_long", False))
        value = read(raw.get(name), definition, account)
        if value is not None:
            custom.append(make(name, definition["title"], value))
    return tuple(custom)


def _plain(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return str(value)


def _texts(value: Any, definition: Definition, _: Home) -> FieldData:
    items = definition.get("items") or {}
    return tuple([items.get(str(one), _plain(one)) for one in many(value)]) or None


def _label(value: Any, definition: Definition, _: Home) -> FieldData:
    return None if is_empty(value) else str((definition.get("items") or {}).get(str(value), value))


def _whatever(value: Any, _: Definition, __: Home) -> FieldData:
    return None if is_empty(value) else _plain(value)


def _whole(value: Any, _: Definition, __: Home) -> FieldData:
    number = decimal_of(value)
    return None if number is None else int(number)


def _flag(value: Any, _: Definition, __: Home) -> FieldData:
    return None if value is None or value == "" else flag_of(value)


def _money(value: Any, _: Definition, account: Home) -> FieldData:
    amount, __, currency = str(value or "").partition("|")
    number = decimal_of(amount)
    return None if number is None else Money(number, currency or account.currency)


def _text(value: Any, _: Definition, __: Home) -> FieldData:
    return text_of(value)


_READERS: Mapping[FieldType, Callable[[Any, Definition, Home], FieldData]] = {
    FieldType.TEXT: _text,
    FieldType.LONGTEXT: _text,
    FieldType.URL: _text,
    FieldType.INT: _whole,
    FieldType.DECIMAL: lambda value, _, __: decimal_of(value),
    FieldType.BOOL: _flag,
    FieldType.DATE: lambda value, _, __: day_of(value),
    FieldType.DATETIME: lambda value, _, __: time_of(value),
    FieldType.MONEY: _money,
    FieldType.ENUM: _label,
}


def _rows_of(settings: Mapping[str, Any]) -> int:
    rows = decimal_of(settings.get("ROWS"))
    return 1 if rows is None else int(rows)
