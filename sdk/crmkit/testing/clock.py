"""A clock for tests over an emulator: the emulator's time is ours, and nobody really waits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime


class JumpingClock:
    """Shows somebody else's time, and turns it on where a program would wait.

    Args:
        now: tells the time, aware UTC.
        jump: turns that time on by seconds.
    """

    def __init__(self, now: Callable[[], datetime], jump: Callable[[float], None]) -> None:
        self._now = now
        self._jump = jump

    def now(self) -> datetime:
        """The other's time."""
        return self._now()

    def wait(self, seconds: float, wake: threading.Event | None = None) -> None:
        """Turn the time on by `seconds`, unless `wake` is set already."""
        if seconds > 0 and not (wake is not None and wake.is_set()):
            self._jump(seconds)
