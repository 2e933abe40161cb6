"""Custom fields as they are written: a typed value to what its field's type wants."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from crmkit.fields import FieldNames, defined, option
from crmkit.home import Home
from crmkit.models import CustomField, Email, FieldDef, FieldType, Phone
from crmkit.values import Kind, Money
from crmkit_amocrm.errors.refusals import REFUSALS, refused_draft

Wire = dict[str, Any]


class Names(FieldNames, Protocol):
    """What the account has by name."""

    def loss_reasons(self, *, afresh: bool = False) -> Mapping[str, int]:
        """Ids of loss reasons by name."""


def assigned(kind: Kind, token: CustomField[Any, Any], value: object, names: Names) -> Wire:
    """One entry of `custom_fields_values`.

    Raises Rejected for a field the account does not have, a value of another type, an unknown label.
    """
    return filled(defined(kind, token, names, REFUSALS), value, names.account())


def filled(field: FieldDef, value: object, account: Home) -> Wire:
    """A field's entry with this value; None clears it."""
    return {"field_id": int(field.id), "values": None if value is None else _values(field, value, account)}


def phones_of(phones: Sequence[Phone]) -> Wire:
    """The PHONE field with these phones; amoCRM stores the whole list anew."""
    values = [{"value": phone.raw or phone.e164, "enum_code": _enum_code(phone.kind, _PHONE_KINDS)} for phone in phones]
    return {"field_code": "PHONE", "values": values or None}


def emails_of(emails: Sequence[Email]) -> Wire:
    """The EMAIL field with these addresses."""
    values = [{"value": email.value, "enum_code": _enum_code(email.kind, _EMAIL_KINDS)} for email in emails]
    return {"field_code": "EMAIL", "values": values or None}


_PHONE_KINDS = ("WORK", "WORKDD", "MOB", "FAX", "HOME", "OTHER")
_EMAIL_KINDS = ("WORK", "PRIV", "OTHER")
_KIND_WORDS = {"MOBILE": "MOB", "PERSONAL": "PRIV", "PRIVATE": "PRIV"}


def _enum_code(kind: str | None, known: Sequence[str]) -> str:
    if not kind:
        return "WORK"
    code = _KIND_WORDS.get(kind.upper(), kind.upper())
    return code if code in known else "OTHER"


def _values(field: FieldDef, value: object, account: Home) -> list[Wire]:
    writer = _WRITERS.get(field.type)
    found = writer(field, value, account) if writer else None
    if found is None:
        raise refused_draft(
            account.key,
            field.title,
            f"a {type(value).__name__} does not fit amoCRM's field type {field.vendor_type or field.type.value}",
            "Give the field token the right type, or send the wire value with extra={'custom_fields_values': [...]}.",
        )
    return found


def _text(field: FieldDef, value: object, _account: Home) -> list[Wire] | None:
    if field.vendor_type == "smart_address":
        return None
    if isinstance(value, tuple) and field.vendor_type == "multitext":
        return [{"value": str(text)} for text in value]
    return [{"value": value}] if isinstance(value, str) else None


def _number(_field: FieldDef, value: object, _account: Home) -> list[Wire] | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return [{"value": str(value)}]


def _amount(field: FieldDef, value: object, account: Home) -> list[Wire] | None:
    if not isinstance(value, Money):
        return _number(field, value, account)
    if value.currency != account.currency:
        return None
    return [{"value": str(value.amount)}]


def _flag(_field: FieldDef, value: object, _account: Home) -> list[Wire] | None:
    return [{"value": value}] if isinstance(value, bool) else None


def _day(_field: FieldDef, value: object, account: Home) -> list[Wire] | None:
    if isinstance(value, datetime) or not isinstance(value, date):
        return None
    # Source: amoCRM API v4, page "Custom fields": a date is midnight of the account's own zone.
    midnight = datetime(value.year, value.month, value.day, tzinfo=ZoneInfo(account.timezone))
    return [{"value": int(midnight.timestamp())}]


def _moment(_field: FieldDef, value: object, _account: Home) -> list[Wire] | None:
    if not isinstance(value, datetime) or value.tzinfo is None:
        return None
    return [{"value": int(value.timestamp())}]


def _label(field: FieldDef, value: object, account: Home) -> list[Wire] | None:
    return [_chosen(field, value, account)] if isinstance(value, str) else None


def _labels(field: FieldDef, value: object, account: Home) -> list[Wire] | None:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return None
    return [_chosen(field, str(label), account) for label in value]


def _chosen(field: FieldDef, label: str, account: Home) -> Wire:
    return {"enum_id": int(option(field, label, account.key, REFUSALS))}


def _object(field: FieldDef, value: object, _account: Home) -> list[Wire] | None:
    if not isinstance(value, str):
        return None
    try:
        inner = json.loads(value)
    except ValueError:
        return None
    if field.vendor_type == "chained_list":
        return inner if isinstance(inner, list) else [inner]
    return [{"value": inner}] if isinstance(inner, dict) else None


_WRITERS: Mapping[FieldType, Callable[[FieldDef, object, Home], list[Wire] | None]] = {
    FieldType.TEXT: _text,
    FieldType.LONGTEXT: _text,
    FieldType.URL: _text,
    FieldType.PHONE: _text,
    FieldType.EMAIL: _text,
    FieldType.DECIMAL: _number,
    FieldType.MONEY: _amount,
    FieldType.BOOL: _flag,
    FieldType.DATE: _day,
    FieldType.DATETIME: _moment,
    FieldType.ENUM: _label,
    FieldType.MULTIENUM: _labels,
    FieldType.JSON: _object,
}
