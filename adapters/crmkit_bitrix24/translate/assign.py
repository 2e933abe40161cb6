"""User fields as they are written: a typed value to what its field's type wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Protocol

from crmkit.fields import FieldNames, defined, option
from crmkit.models import CustomField, FieldDef, FieldType
from crmkit.values import Json, Kind, Money
from crmkit_bitrix24.errors.refusals import REFUSALS, refused_draft


class Names(FieldNames, Protocol):
    """What the account has by name."""

    def knows_user(self, user_id: str) -> bool:
        """The portal has such an employee, or does not let us see its employees."""


def assigned(kind: Kind, token: CustomField[Any, Any], value: object, names: Names, *, is_classic: bool) -> Json:
    """What the field is to hold; None clears it.

    Raises Rejected for a value of another type, or an unknown label.
    """
    field = defined(kind, token, names, REFUSALS)
    if value is None:
        # An empty list in a form is no parameter at all: an empty text clears multiple fields as well.
        return ""
    found = _wire(field, value, names.account().key, is_classic=is_classic)
    if found is None:
        raise refused_draft(
            names.account().key,
            field.title,
            f"a {type(value).__name__} does not fit Bitrix24's field type {field.vendor_type or field.type.value}",
            f"Give the field token the right type, or send the wire value with extra={{'{field.id}': ...}}.",
        )
    return found


def _wire(field: FieldDef, value: object, account: str, *, is_classic: bool) -> Json:
    if field.type is FieldType.ENUM:
        return option(field, value, account, REFUSALS) if isinstance(value, str) else None
    if isinstance(value, tuple | list):
        if field.type is FieldType.MULTIENUM:
            return [option(field, str(label), account, REFUSALS) for label in value] or ""
        return [str(one) for one in value] or ""
    if field.type is FieldType.BOOL:
        if not isinstance(value, bool):
            return None
        return ("1" if value else "0") if is_classic else ("Y" if value else "N")
    writer = _WRITERS.get(field.type)
    return writer(value) if writer else None


def _text(value: object) -> Json:
    return value if isinstance(value, str) else None


def _whole(value: object) -> Json:
    return None if isinstance(value, bool) or not isinstance(value, int) else value


def _number(value: object) -> Json:
    return None if isinstance(value, bool) or not isinstance(value, int | Decimal) else str(value)


def _amount(value: object) -> Json:
    return f"{value.amount}|{value.currency}" if isinstance(value, Money) else None


def _day(value: object) -> Json:
    return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else None


def _moment(value: object) -> Json:
    if not isinstance(value, datetime) or value.tzinfo is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="seconds")


_WRITERS: Mapping[FieldType, Callable[[object], Json]] = {
    FieldType.TEXT: _text,
    FieldType.LONGTEXT: _text,
    FieldType.URL: _text,
    FieldType.INT: _whole,
    FieldType.DECIMAL: _number,
    FieldType.MONEY: _amount,
    FieldType.DATE: _day,
    FieldType.DATETIME: _moment,
}
