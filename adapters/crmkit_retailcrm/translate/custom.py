"""Custom fields, both ways: every field type of retailCRM to a typed value and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from crmkit.fields import FieldNames, defined, option
from crmkit.home import Home
from crmkit.models import CustomField, CustomValue, FieldData, FieldDef, FieldType
from crmkit.mould import Mould
from crmkit.values import Kind
from crmkit_retailcrm.errors.refusals import REFUSALS, refused_draft
from crmkit_retailcrm.translate.home import day_of, number_of, time_of, to_moment, to_number
from crmkit_retailcrm.wire import OURS, Item, as_list, as_map

FIELD_TYPES: Mapping[str, FieldType] = {
    "boolean": FieldType.BOOL,
    "date": FieldType.DATE,
    "datetime": FieldType.DATETIME,
    "dictionary": FieldType.ENUM,
    "multiselect_dictionary": FieldType.MULTIENUM,
    "email": FieldType.EMAIL,
    "integer": FieldType.INT,
    "numeric": FieldType.DECIMAL,
    "string": FieldType.TEXT,
    "text": FieldType.LONGTEXT,
}
"""The vendor's types. Source: retailCRM API v5, page "Custom fields"; others are kept as UNKNOWN."""


class Names(FieldNames, Protocol):
    """What the account has by name."""

    def has_user(self, user_id: str) -> bool:
        """The account has, or had, such a user."""

    def has_stage(self, pipeline_id: str, stage_id: str) -> bool:
        """The account has such an order type with such a status."""

    def role(self, name: str) -> str | None:
        """The custom field that the settings name for `title`, `phone` or `email`."""


def field_def(raw: Item, kind: Kind, dictionaries: Mapping[str, Item]) -> FieldDef:
    """A custom field's definition; the options of a dictionary by their names."""
    type_ = str(raw.get("type") or "")
    elements = as_list(as_map(dictionaries.get(str(raw.get("dictionary") or ""))).get("elements"))
    return FieldDef(
        kind=kind,
        id=str(raw["code"]),
        code=str(raw["code"]),
        title=str(raw.get("name") or raw["code"]),
        type=FIELD_TYPES.get(type_, FieldType.UNKNOWN),
        vendor_type=type_,
        options={str(element.get("name") or element["code"]): str(element["code"]) for element in elements},
        is_required=bool(raw.get("required")),
        is_computed=raw.get("viewMode") == "not_editable",
    )


def read_fields(raw: Item, account: Home) -> tuple[CustomValue, ...]:
    """All filled fields of an entity, by what was known of them when it was read.

    Fields that the settings give a role, such as the deal's title, are no custom fields: a change of one is told once.
    """
    values = raw.get("customFields")
    if not values or not isinstance(values, Mapping):
        return ()
    ours = as_map(raw.get(OURS))
    known, roles = as_map(ours.get("fields")), as_map(ours.get("roles")).values()
    return tuple(
        [
            _value(code, value, known.get(code), account)
            for code, value in values.items()
            if value is not None and code not in roles
        ]
    )


def known_fields(raw: Item, fields: Mapping[str, FieldDef]) -> dict[str, list[Any]]:
    """What has to be kept beside an entity so that its custom fields can be read without asking the account."""
    found: dict[str, list[Any]] = {}
    for code, value in as_map(raw.get("customFields")).items():
        field = fields.get(code)
        if field is not None and value is not None:
            codes = {str(one) for one in (value if isinstance(value, list) else [value])} if field.options else set()
            labels = {option: label for label, option in field.options.items() if option in codes}
            found[code] = [field.title, field.type.value, labels]
    return found


def assigned(kind: Kind, token: CustomField[Any, Any], value: object, names: Names) -> tuple[str, Any]:
    """Code and wire value of a custom field that is to be set.

    Raises Rejected for a field the account does not have, a value of another type, an unknown label.
    """
    field = defined(kind, token, names, REFUSALS)
    return field.id, filled(field, value, names.account())


def restored(kind: Kind, value: CustomValue, names: Names) -> tuple[str, Any]:
    """Code and wire value of a custom field as it was read once.

    Raises Rejected for a field the account does not have any more.
    """
    field = next((one for one in names.fields(kind) if one.id == value.id), None)
    if field is None:
        raise refused_draft(
            names.account().key,
            value.title,
            f"the account has no field {value.id!r} for a {kind.value} any more",
            "Create it again, or leave the value out.",
        )
    return field.id, filled(field, value.value, names.account())


def filled(field: FieldDef, value: object, account: Home) -> Any:
    """A field's wire value; None clears it."""
    if value is None:
        return None
    writer = _WRITERS.get(field.type)
    found = writer(field, value, account) if writer else value
    if found is None:
        raise refused_draft(
            account.key,
            field.title,
            f"a {type(value).__name__} does not fit a field of type {field.vendor_type or field.type.value}",
            "Give the field token the right type, or send the wire value with extra={'customFields': {...}}.",
        )
    return found


_VALUE = Mould(CustomValue)


def _value(code: str, value: Any, known: Any, account: Home) -> CustomValue:
    title, type_name, labels = known if isinstance(known, list | tuple) and len(known) == 3 else (code, "unknown", {})
    kind = FieldType(type_name)
    reader = _READERS.get(kind)
    data = reader(value, labels, account) if reader else _plain(value)
    if data is None:
        # A value that does not fit its own type must not hide the other fields of the record.
        kind, data = FieldType.UNKNOWN, _plain(value)
    return _VALUE.cast({"id": code, "code": code, "title": title, "type": kind, "value": data})


def _plain(value: Any) -> FieldData:
    return str(value) if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _text(value: Any, _labels: Mapping[str, str], _account: Home) -> FieldData:
    return str(value) if isinstance(value, str | int | float) else None


def _whole(value: Any, _labels: Mapping[str, str], _account: Home) -> FieldData:
    number = number_of(value)
    return int(number) if number is not None and number == number.to_integral_value() else None


def _number(value: Any, _labels: Mapping[str, str], _account: Home) -> FieldData:
    return number_of(value)


def _flag(value: Any, _labels: Mapping[str, str], _account: Home) -> FieldData:
    return value in (True, 1, "1", "true") if isinstance(value, bool | int | str) else None


def _day(value: Any, _labels: Mapping[str, str], _account: Home) -> FieldData:
    return day_of(value)


def _moment(value: Any, _labels: Mapping[str, str], account: Home) -> FieldData:
    return time_of(value, account)


def _label(value: Any, labels: Mapping[str, str], _account: Home) -> FieldData:
    return labels.get(str(value), str(value)) if isinstance(value, str | int) else None


def _labels_of(value: Any, labels: Mapping[str, str], _account: Home) -> FieldData:
    codes = value if isinstance(value, list) else [value]
    return tuple(labels.get(str(code), str(code)) for code in codes)


_READERS: Mapping[FieldType, Callable[[Any, Mapping[str, str], Home], FieldData]] = {
    FieldType.BOOL: _flag,
    FieldType.DATE: _day,
    FieldType.DATETIME: _moment,
    FieldType.ENUM: _label,
    FieldType.MULTIENUM: _labels_of,
    FieldType.EMAIL: _text,
    FieldType.INT: _whole,
    FieldType.DECIMAL: _number,
    FieldType.TEXT: _text,
    FieldType.LONGTEXT: _text,
}


def _to_text(_field: FieldDef, value: object, _account: Home) -> Any:
    return value if isinstance(value, str) else None


def _to_whole(_field: FieldDef, value: object, _account: Home) -> Any:
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _to_number(_field: FieldDef, value: object, _account: Home) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return to_number(Decimal(value))


def _to_flag(_field: FieldDef, value: object, _account: Home) -> Any:
    return value if isinstance(value, bool) else None


def _to_day(_field: FieldDef, value: object, _account: Home) -> Any:
    return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else None


def _to_moment(_field: FieldDef, value: object, account: Home) -> Any:
    is_aware = isinstance(value, datetime) and value.tzinfo is not None
    return to_moment(value, account.timezone) if is_aware and isinstance(value, datetime) else None


def _to_code(field: FieldDef, value: object, account: Home) -> Any:
    return option(field, value, account.key, REFUSALS) if isinstance(value, str) else None


def _to_codes(field: FieldDef, value: object, account: Home) -> Any:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return None
    return [option(field, str(label), account.key, REFUSALS) for label in value]


_WRITERS: Mapping[FieldType, Callable[[FieldDef, object, Home], Any]] = {
    FieldType.BOOL: _to_flag,
    FieldType.DATE: _to_day,
    FieldType.DATETIME: _to_moment,
    FieldType.ENUM: _to_code,
    FieldType.MULTIENUM: _to_codes,
    FieldType.EMAIL: _to_text,
    FieldType.INT: _to_whole,
    FieldType.DECIMAL: _to_number,
    FieldType.TEXT: _to_text,
    FieldType.LONGTEXT: _to_text,
}
