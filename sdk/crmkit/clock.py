"""The time, behind a door that tests can turn."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """The time, aware UTC."""

    def wait(self, seconds: float, wake: threading.Event | None = None) -> None:
        """Return after `seconds`, or as soon as `wake` is set."""


def aware(at: datetime) -> datetime:
    """The moment itself, which has a zone. Raises ValueError for one without: it could be any of a day."""
    if at.utcoffset() is None:
        raise ValueError(f"{at.isoformat()} has no time zone; write datetime(..., tzinfo=UTC), or start from ctx.now")
    return at


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The machine's time, aware UTC."""
        return datetime.now(UTC)

    def wait(self, seconds: float, wake: threading.Event | None = None) -> None:
        """Sleep, or wait for the event."""
        if wake is not None:
            wake.wait(seconds)
        elif seconds > 0:
            time.sleep(seconds)


class TurnedClock:
    """A clock that stands still until `advance`; whoever waits on it is woken when their time has come."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._turned = threading.Condition()

    def now(self) -> datetime:
        """The time it was turned to."""
        with self._turned:
            return self._at

    def advance(self, by: timedelta) -> None:
        """Move the time on and wake everybody who waits for a moment that has now come."""
        with self._turned:
            self._at += by
            self._turned.notify_all()

    def wait(self, seconds: float, wake: threading.Event | None = None) -> None:
        """Wait until the clock was turned past `seconds` from now, or `wake` is set."""
        with self._turned:
            until = self._at + timedelta(seconds=seconds)
            while self._at < until and not (wake is not None and wake.is_set()):
                # `wake` belongs to somebody else, who cannot notify this condition: look at it every few milliseconds.
                self._turned.wait(0.005 if wake is not None else None)
