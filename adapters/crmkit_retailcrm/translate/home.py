"""The account's own time, money and phones: what a translation needs to know of where an entity came from."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from crmkit.home import Home
from crmkit.identity import parse_phones
from crmkit.models import Phone
from crmkit.mould import Mould
from crmkit.values import Money


def moment_of(text: str, timezone: str) -> datetime | None:
    """A time of the account's zone as aware UTC; None for what is no time.

    Of an hour that the clocks repeat, the first is meant. Source: retailCRM API v5, page "Data formats".
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found.tzinfo is not None:
        return found.astimezone(UTC)
    offset = _offset_of(text[:_HOUR], timezone) if len(text) == _WHOLE else None
    if offset is None:
        return found.replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC)
    return found.replace(tzinfo=UTC) - offset


_HOUR, _WHOLE = len("2026-03-02 14"), len("2026-03-02 14:05:09")


@lru_cache(maxsize=8192)
def _offset_of(hour: str, timezone: str) -> timedelta | None:
    """How far a zone is ahead of UTC through a whole hour; None for one in which that changes."""
    try:
        start = datetime.fromisoformat(hour).replace(tzinfo=ZoneInfo(timezone))
    except ValueError:
        return None
    offset = start.utcoffset()
    return offset if offset == (start + timedelta(minutes=59, seconds=59)).utcoffset() else None


def time_of(value: Any, account: Home) -> datetime | None:
    """A field's time; empty, false and broken ones are none."""
    return moment_of(value, account.timezone) if isinstance(value, str) and value else None


def day_of(value: Any) -> date | None:
    """A field's day."""
    if not value or not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


def to_moment(value: datetime, timezone: str) -> str:
    """A time as the vendor writes it, to the second."""
    return value.astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M:%S")


def to_minute(value: datetime, timezone: str) -> str:
    """A time as tasks have it, to the minute."""
    return value.astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M")


def money_of(value: Any, currency: Any, account: Home) -> Money | None:
    """An amount; the vendor sends integers, fractions and texts."""
    number = number_of(value)
    return None if number is None else Money(number, str(currency or account.currency))


def number_of(value: Any) -> Decimal | None:
    """A number without the noise of binary fractions."""
    if type(value) is int:
        return Decimal(value)
    if value is None or isinstance(value, bool) or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def to_number(value: Decimal) -> int | float:
    """A number for JSON."""
    return int(value) if value == value.to_integral_value() else float(value)


_PHONE = Mould(Phone)


def phone_of(raw: str, account: Home) -> Phone:
    """A phone as typed, with its E.164 form where it has one."""
    found = parse_phones(raw, country=account.country)
    return _PHONE.cast({"raw": raw, "e164": found[0].e164 if found else None, "kind": None})


def text_of(value: Any) -> str | None:
    """An id or a number as text."""
    return None if value is None or value == "" else str(value)
