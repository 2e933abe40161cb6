"""Single values as Bitrix24 writes them, in all its spellings of "no value"."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from crmkit.identity import parse_phones
from crmkit.models import Email, Phone
from crmkit.mould import Mould
from crmkit_bitrix24.wire import is_empty

_PHONE, _EMAIL = Mould(Phone), Mould(Email)


def text_of(value: Any) -> str | None:
    """A text; None for null, an empty text, false and an empty list."""
    if isinstance(value, str):
        return value or None
    return None if value is None or value is False or isinstance(value, list | dict) else str(value)


def id_of(value: Any) -> str | None:
    """An id as text; None for everything that says "no value", 0 among it."""
    if type(value) is int:
        return str(value) if value else None
    if type(value) is str:
        return None if value == "" or value == "0" else value
    return None if is_empty(value) or isinstance(value, list | dict) else str(value)


def time_of(value: Any) -> datetime | None:
    """A moment in UTC; None for none, and for what is no time. Some fields write day.month.year without a zone."""
    return _moment(value) if value and isinstance(value, str) else None


@lru_cache(maxsize=1024)
def _moment(value: str) -> datetime | None:
    # Several times of one record are mostly the same one.
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        try:
            found = datetime.strptime(value, "%d.%m.%Y %H:%M:%S").replace(tzinfo=UTC)
        except ValueError:
            return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def day_of(value: Any) -> date | None:
    """A day: the date part as written, because the time beside it is only the server's midnight, shifted or not."""
    if not isinstance(value, str) or not value:
        return None
    for text, form in ((value[:10], "%Y-%m-%d"), (value[:10], "%d.%m.%Y")):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 -- a day has no zone
        except ValueError:
            continue
    return None


def flag_of(value: Any) -> bool:
    """A switch: Y, 1 and true are on."""
    return value in ("Y", "1", 1, True, "true")


def decimal_of(value: Any) -> Decimal | None:
    """A number; None for none and for what is no finite number."""
    if type(value) is int:
        return Decimal(value)
    if value is None or value == "" or isinstance(value, bool | list | dict):
        return None
    try:
        number = Decimal(str(value).replace(",", "."))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def many(value: Any) -> list[Any]:
    """The values of a multiple field, whose emptiness is false, [], null or an empty text."""
    if isinstance(value, list):
        return [one for one in value if one is not None]
    if isinstance(value, dict):
        return list(value.values())
    return [] if is_empty(value) else [value]


def phones_of(found: Any, country: str) -> tuple[Phone, ...]:
    """Phones of a multifield in the vendor's order, with their E.164 forms."""
    return tuple(
        [
            _PHONE.cast({"raw": raw, "e164": _parsed(raw, country), "kind": _kind(value.get("VALUE_TYPE"))})
            for value in (many(found) if found else ())
            if isinstance(value, dict) and (raw := text_of(value.get("VALUE")))
        ]
    )


def emails_of(found: Any) -> tuple[Email, ...]:
    """E-mails of a multifield in the vendor's order."""
    return tuple(
        [
            _EMAIL.cast({"value": address, "kind": _kind(value.get("VALUE_TYPE"))})
            for value in (many(found) if found else ())
            if isinstance(value, dict) and (address := text_of(value.get("VALUE")))
        ]
    )


def _kind(value_type: Any) -> str | None:
    text = text_of(value_type)
    return text.lower() if text else None


def phone_of(raw: str, country: str) -> Phone:
    """A phone as written, with its E.164 form where it has one."""
    return Phone(raw=raw, e164=_e164(raw, country))


def _parsed(raw: str, country: str) -> str | None:
    found = parse_phones(raw, country=country)
    if not found and raw.isdigit():
        # Telephony writes international numbers without their plus.
        found = parse_phones(f"+{raw}", country=country)
    return found[0].e164 if found else None


# The same few numbers call; cards have each its own.
_e164 = lru_cache(maxsize=4096)(_parsed)
