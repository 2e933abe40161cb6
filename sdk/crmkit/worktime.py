"""When an account works: its hours by weekday, holidays and extra days, and time counted in those hours only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

HORIZON = timedelta(days=3_660)
"""How far ahead an opening or the end of a duration is looked for."""

CLOSED = "closed"
"""The hours of a day without work."""

OFFICE = "09:00-18:00"


class WorkCalendar(BaseModel):
    """The working hours of one account, in its own time zone.

    Hours are `09:00-18:00`, several parts by comma (`09:00-13:00, 14:00-18:00`), or `closed`; the end may be
    `24:00`. Work over midnight is written on both days. `extra_days` gives single dates their own hours and wins
    over `holidays`, which win over the weekday. A time that the clocks skip is the moment of the skip, a time
    that they repeat is its first one.

    Raises pydantic.ValidationError (a ValueError) on an unknown zone, on hours it cannot read, and when no
    weekday is open.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    timezone: str = "Europe/Moscow"
    monday: str = OFFICE
    tuesday: str = OFFICE
    wednesday: str = OFFICE
    thursday: str = OFFICE
    friday: str = OFFICE
    saturday: str = CLOSED
    sunday: str = CLOSED
    holidays: frozenset[date] = frozenset()
    extra_days: dict[date, str] = {}

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{name!r} is no time zone; write one like Europe/Moscow") from error
        return name

    @model_validator(mode="after")
    def _is_readable(self) -> WorkCalendar:
        # Each is read, also after one that is open.
        days = [_parts(hours) for hours in (*self._week, *self.extra_days.values())]
        if not any(days[: len(self._week)]):
            raise ValueError("no weekday is open; give at least one of monday … sunday its hours")
        return self

    def is_open(self, at: datetime) -> bool:
        """The moment is within working hours; the opening belongs to them, the closing does not.

        Raises ValueError for a naive `at`.
        """
        start, _ = next(self._spans(at))
        return start <= at

    def next_open(self, at: datetime) -> datetime:
        """Give `at` when it is open, else the next opening, in UTC.

        Raises ValueError for a naive `at`, and when nothing opens within HORIZON.
        """
        start, _ = next(self._spans(at))
        return max(start, at.astimezone(UTC))

    def add(self, at: datetime, duration: timedelta) -> datetime:
        """Give the moment when `duration` of working time has passed since `at`, in UTC.

        A duration that ends with the day gives its closing, not the next opening; no duration gives `next_open`.

        Raises ValueError for a naive `at`, a negative duration, and an end further than HORIZON.
        """
        if duration < timedelta():
            raise ValueError(f"{duration} is negative; working time is counted forwards only")
        spans, left = self._spans(at), duration
        while True:
            start, end = next(spans)
            begun = max(start, at.astimezone(UTC))
            if left <= end - begun:
                return begun + left
            left -= end - begun

    @property
    def _week(self) -> tuple[str, ...]:
        return (
            self.monday,
            self.tuesday,
            self.wednesday,
            self.thursday,
            self.friday,
            self.saturday,
            self.sunday,
        )

    def _hours(self, day: date) -> str:
        if day in self.extra_days:
            return self.extra_days[day]
        return CLOSED if day in self.holidays else self._week[day.weekday()]

    def _spans(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield opening and closing in UTC, in order, from the first that closes after `at`."""
        if at.utcoffset() is None:
            raise ValueError(f"{at.isoformat()} is naive; give it a time zone, UTC is best")
        zone = ZoneInfo(self.timezone)
        # From the day before: where clocks go back at midnight a day lasts into its successor.
        first = at.astimezone(zone).date() - timedelta(days=1)
        for ahead in range(HORIZON.days + 1):
            day = first + timedelta(days=ahead)
            for opens, closes in _parts(self._hours(day)):
                start, end = _instant(day, opens, zone), _instant(day, closes, zone)
                if at < end and start < end:
                    yield start, end
        raise ValueError(
            f"{at.isoformat()} has too little working time after it within {HORIZON.days} days; "
            "check the hours, the holidays and the duration"
        )


_PART = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\s*[-–]\s*([01]?\d|2[0-4]):([0-5]\d)", re.ASCII)
_DAY_MINUTES = 24 * 60


@lru_cache(maxsize=256)
def _parts(hours: str) -> tuple[tuple[int, int], ...]:
    """Give the parts of a day as minutes from its midnight."""
    if hours.strip().lower() == CLOSED:
        return ()
    parts: list[tuple[int, int]] = []
    for text in hours.split(","):
        match = _PART.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{hours!r} are no hours; write them like 09:00-18:00, or closed")
        opens, closes = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
        if not opens < closes <= _DAY_MINUTES or (parts and opens < parts[-1][1]):
            raise ValueError(f"{hours!r} do not run forwards within one day; write work over midnight on both days")
        parts.append((opens, closes))
    return tuple(parts)


def _instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    # The clocks skip this time. The moment of the skip lies between its readings with the offset after and before.
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    offset = before.astimezone(zone).utcoffset()
    while instant - before > timedelta(seconds=1):
        middle = before + (instant - before) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            instant = middle
    return instant.replace(microsecond=0)
