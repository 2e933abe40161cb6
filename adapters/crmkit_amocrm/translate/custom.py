"""Custom fields as they are read: every field type of amoCRM to a typed value."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from crmkit.home import Home
from crmkit.identity import parse_phones
from crmkit.models import CustomValue, Email, FieldData, FieldType, Phone
from crmkit.mould import Mould
from crmkit.values import Money

FIELD_TYPES: Mapping[str, FieldType] = {
    "text": FieldType.TEXT,
    "textarea": FieldType.LONGTEXT,
    "streetaddress": FieldType.LONGTEXT,
    "smart_address": FieldType.LONGTEXT,
    "tracking_data": FieldType.TEXT,
    "url": FieldType.URL,
    "numeric": FieldType.DECIMAL,
    "price": FieldType.DECIMAL,
    "monetary": FieldType.MONEY,
    "checkbox": FieldType.BOOL,
    "select": FieldType.ENUM,
    "radiobutton": FieldType.ENUM,
    "category": FieldType.ENUM,
    "multiselect": FieldType.MULTIENUM,
    "date": FieldType.DATE,
    "birthday": FieldType.DATE,
    "date_time": FieldType.DATETIME,
    "multitext": FieldType.TEXT,
    "file": FieldType.FILE,
    "legal_entity": FieldType.JSON,
    "items": FieldType.JSON,
    "linked_entity": FieldType.JSON,
    "chained_list": FieldType.JSON,
    "org_legal_name": FieldType.JSON,
    "payer": FieldType.JSON,
    "supplier": FieldType.JSON,
}
"""The vendor's types. Source: amoCRM API v4, page "Custom fields"; others are kept as UNKNOWN."""


Values = Sequence[Mapping[str, Any]]


class Fields(NamedTuple):
    """What a `custom_fields_values` list holds, sorted by where a record keeps it."""

    custom: tuple[CustomValue, ...] = ()
    phones: tuple[Phone, ...] = ()
    emails: tuple[Email, ...] = ()


NO_FIELDS = Fields()


def read_fields(found: Sequence[Mapping[str, Any]] | None, account: Home) -> Fields:
    """All filled fields; PHONE and EMAIL apart. A null list is an empty one."""
    if not found:
        return NO_FIELDS
    custom: list[CustomValue] = []
    phones: tuple[Phone, ...] = ()
    emails: tuple[Email, ...] = ()
    for item in found:
        values = item.get("values")
        if not values:
            continue
        code, type_ = item.get("field_code"), item.get("field_type", "")
        if type_ == "multitext" and code == "PHONE":
            phones = tuple(phone for value in values if (phone := _phone(value, account.country)))
        elif type_ == "multitext" and code == "EMAIL":
            emails = tuple(email for value in values if (email := _email(value)))
        else:
            custom.append(_custom_value(item, code, type_, values, account))
    return Fields(tuple(custom), phones, emails)


_VALUE, _PHONE, _EMAIL = Mould(CustomValue), Mould(Phone), Mould(Email)


def _custom_value(item: Mapping[str, Any], code: str | None, type_: str, values: Values, account: Home) -> CustomValue:
    reader = _READERS.get(type_)
    kind = FIELD_TYPES.get(type_, FieldType.UNKNOWN)
    try:
        value = reader(values, account) if reader else _text_or_json(values)
    except (KeyError, TypeError, ValueError, InvalidOperation, OverflowError, OSError):
        # A value that does not fit its own type must not hide the other fields of the record.
        kind, value = FieldType.UNKNOWN, _as_json(values)
    field_id = str(item.get("field_id", ""))
    title = item.get("field_name") or code or field_id
    return _VALUE.cast({"id": field_id, "code": code, "title": title, "type": kind, "value": value})


def _phone(value: Mapping[str, Any], country: str) -> Phone | None:
    raw = value.get("value")
    if not raw:
        return None
    found = parse_phones(str(raw), country=country)
    return _PHONE.cast({"raw": str(raw), "e164": found[0].e164 if found else None, "kind": _kind_of(value)})


def _email(value: Mapping[str, Any]) -> Email | None:
    raw = value.get("value")
    return _EMAIL.cast({"value": str(raw), "kind": _kind_of(value)}) if raw else None


def _kind_of(value: Mapping[str, Any]) -> str | None:
    code = value.get("enum_code")
    return str(code).lower() if code else None


def _first(values: Values) -> Any:
    return values[0]["value"]


def _text(values: Values, _: Home) -> FieldData:
    value = _first(values)
    return None if value is None else str(value)


def _texts(values: Values, _: Home) -> FieldData:
    texts = tuple(str(value["value"]) for value in values if value.get("value") is not None)
    return texts[0] if len(texts) == 1 else texts


def _labels(values: Values, _: Home) -> FieldData:
    return tuple(str(value["value"]) for value in values if value.get("value") is not None)


def _address(values: Values, _: Home) -> FieldData:
    return ", ".join(str(value["value"]) for value in values if value.get("value")) or None


def _number(values: Values, _: Home) -> FieldData:
    value = _first(values)
    return None if value in (None, "") else _finite(str(value))


def _amount(values: Values, account: Home) -> FieldData:
    value = _first(values)
    return None if value in (None, "") else Money(_finite(str(value)), account.currency)


def finite_or_none(value: object) -> Decimal | None:
    """A number as the vendor writes them; None for what is no number."""
    try:
        return None if value in (None, "") else _finite(str(value))
    except (ValueError, InvalidOperation):
        return None


def _finite(text: str) -> Decimal:
    number = Decimal(text.replace(",", "."))
    if not number.is_finite():
        raise ValueError(f"{text!r} is no number")
    return number


def _flag(values: Values, _: Home) -> FieldData:
    value = _first(values)
    return None if value is None else value in (True, 1, "1", "true")


def _date(values: Values, account: Home) -> FieldData:
    value = _first(values)
    return None if value in (None, "") else _moment(value, ZoneInfo(account.timezone)).date()


def _date_time(values: Values, _: Home) -> FieldData:
    value = _first(values)
    return None if value in (None, "") else _moment(value, UTC)


def _moment(value: Any, zone: Any) -> datetime:
    if isinstance(value, str) and not value.lstrip("-").isdigit():
        return datetime.fromisoformat(value).astimezone(zone)
    return datetime.fromtimestamp(int(value), zone)


def _file(values: Values, _: Home) -> FieldData:
    value = _first(values)
    return str(value.get("file_uuid") or _as_json([value])) if isinstance(value, Mapping) else str(value)


def _json_of_one(values: Values, _: Home) -> FieldData:
    inner = [value.get("value", dict(value)) for value in values]
    return _as_json(inner[0] if len(inner) == 1 else inner)


def _text_or_json(values: Values) -> FieldData:
    value = values[0].get("value")
    is_plain = len(values) == 1 and isinstance(value, str | int | float)
    return str(value) if is_plain else _as_json(values)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


_READERS: Mapping[str, Callable[[Values, Home], FieldData]] = {
    "text": _text,
    "textarea": _text,
    "streetaddress": _text,
    "tracking_data": _text,
    "url": _text,
    "select": _text,
    "radiobutton": _text,
    "category": _text,
    "multiselect": _labels,
    "multitext": _texts,
    "smart_address": _address,
    "numeric": _number,
    "price": _number,
    "monetary": _amount,
    "checkbox": _flag,
    "date": _date,
    "birthday": _date,
    "date_time": _date_time,
    "file": _file,
    "legal_entity": _json_of_one,
    "items": _json_of_one,
    "linked_entity": _json_of_one,
    "chained_list": _json_of_one,
    "org_legal_name": _json_of_one,
    "payer": _json_of_one,
    "supplier": _json_of_one,
}
