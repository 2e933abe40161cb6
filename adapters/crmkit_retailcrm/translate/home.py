"""The account's own time, money and phones: what a translation needs to know of where an entity came from."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from crmkit.identity import parse_phones
from crmkit.models import Phone
from crmkit.values import Money

M = TypeVar("M", bound=BaseModel)


class Home(Protocol):
    """What a translation needs to know of the account; `crmkit.adapter.Account` is one."""

    @property
    def key(self) -> str:
        """The account's name in crmkit.toml."""

    @property
    def url(self) -> str:
        """The account's address."""

    @property
    def timezone(self) -> str:
        """The IANA zone in which the vendor writes all times."""

    @property
    def currency(self) -> str:
        """What amounts without a currency are counted in."""

    @property
    def country(self) -> str:
        """The country of phones without one."""


@lru_cache(maxsize=8192)
def moment_of(text: str, timezone: str) -> datetime | None:
    """A time of the account's zone as aware UTC; None for what is no time.

    Of an hour that the clocks repeat, the first is meant. Source: retailCRM API v5, page "Data formats".
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=ZoneInfo(timezone))).astimezone(UTC)


def time_of(value: Any, account: Home) -> datetime | None:
    """A field's time; empty, false and broken ones are none."""
    return moment_of(value, account.timezone) if isinstance(value, str) and value else None


def day_of(value: Any) -> date | None:
    """A field's day."""
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) and value else None
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


@lru_cache(maxsize=4096)
def _e164(raw: str, country: str) -> str | None:
    found = parse_phones(raw, country=country)
    return found[0].e164 if found else None


def phone_of(raw: str, account: Home) -> Phone:
    """A phone as typed, with its E.164 form where it has one."""
    return built(Phone, {"raw": raw, "e164": _e164(raw, account.country), "kind": None}, {})


def text_of(value: Any) -> str | None:
    """An id or a number as text."""
    return None if value is None or value == "" else str(value)


def built(cls: type[M], values: dict[str, Any], defaults: dict[str, Any]) -> M:
    """A frozen record out of values that are known to be right, without validating them.

    Validation of a page of orders costs more than decoding it; what the translator gives is held to the model's own
    rules by tests instead.
    """
    made = cls.__new__(cls)
    _set(made, "__dict__", defaults | values)
    _set(made, "__pydantic_fields_set__", set(values))
    _set(made, "__pydantic_extra__", None)
    _set(made, "__pydantic_private__", None)
    return made


def defaults_of(cls: type[BaseModel]) -> dict[str, Any]:
    """The values of a record's fields when nothing is set; all of them are immutable."""
    return {
        name: field.get_default(call_default_factory=True)
        for name, field in cls.model_fields.items()
        if not field.is_required()
    }


_set = object.__setattr__
