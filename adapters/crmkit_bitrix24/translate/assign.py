"""User fields as they are written: a typed value to what its field's type wants."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Protocol

from crmkit.models import CustomField, FieldDef, FieldType
from crmkit.values import Json, Kind, Money
from crmkit_bitrix24.errors.refusals import VENDOR, refused_draft
from crmkit_bitrix24.translate.values import Home


class Names(Protocol):
    """What the account has by name."""

    def account(self) -> Home:
        """The account."""

    def fields(self, kind: Kind, *, afresh: bool = False) -> Sequence[FieldDef]:
        """The user fields of a kind."""

    def knows_user(self, user_id: str) -> bool:
        """The portal has such an employee, or does not let us see its employees."""


def assigned(kind: Kind, token: CustomField[Any, Any], value: object, names: Names, *, is_classic: bool) -> Json:
    """What the field is to hold; None clears it.

    Raises Rejected for a value of another type, or an unknown label.
    """
    field = defined(kind, token, names)
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


def defined(kind: Kind, token: CustomField[Any, Any], names: Names) -> FieldDef:
    """The account's field that a token means: by pin, then code, then title. Raises Rejected naming the nearest."""
    found = _match(token, names.fields(kind)) or _match(token, names.fields(kind, afresh=True))
    if found is not None:
        return found
    near = difflib.get_close_matches(token.title, [field.title for field in names.fields(kind)], n=1, cutoff=0.4)
    raise refused_draft(
        names.account().key,
        token.title,
        f"the account has no such field for a {kind.value}",
        f"Create it, or pin the right one{f' (did you mean {near[0]!r}?)' if near else ''}.",
    )


def _match(token: CustomField[Any, Any], fields: Sequence[FieldDef]) -> FieldDef | None:
    pin = token.pins.get(VENDOR)
    if pin is not None:
        return next((field for field in fields if field.id == pin), None)
    by_code = next((field for field in fields if token.code is not None and field.code == token.code), None)
    return by_code or next((field for field in fields if field.title == token.title), None)


def _wire(field: FieldDef, value: object, account: str, *, is_classic: bool) -> Json:
    if field.type is FieldType.ENUM:
        return _option(field, value, account) if isinstance(value, str) else None
    if isinstance(value, tuple | list):
        if field.type is FieldType.MULTIENUM:
            return [_option(field, str(label), account) for label in value] or ""
        return [str(one) for one in value] or ""
    if field.type is FieldType.BOOL:
        if not isinstance(value, bool):
            return None
        return ("1" if value else "0") if is_classic else ("Y" if value else "N")
    writer = _WRITERS.get(field.type)
    return writer(value) if writer else None


def _option(field: FieldDef, label: str, account: str) -> str:
    if label in field.options:
        return field.options[label]
    near = difflib.get_close_matches(label, field.options, n=1, cutoff=0.4)
    raise refused_draft(
        account,
        field.title,
        f"there is no option {label!r}",
        f"Did you mean {near[0]!r}?" if near else f"Options: {', '.join(sorted(field.options)) or 'none'}.",
    )


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
