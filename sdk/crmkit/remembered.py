"""What is read once and then remembered for a while: the names of an account."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from crmkit.clock import Clock

T = TypeVar("T")

FRESH_S = 600.0
"""Names are read again after this long; an unknown name is looked for afresh at once."""


class Remembered:
    """Values by name, each with the moment when it was read. Thread-safe; one reads while the others wait.

    Args:
        clock: the time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._kept: dict[str, tuple[float, Any]] = {}

    def get(self, name: str, read: Callable[[], T], *, afresh: bool = False, fresh_s: float = FRESH_S) -> T:
        """The value, read when it is not there, is older than `fresh_s`, or is wanted `afresh`."""
        now, fresh_s = self._clock.now().timestamp(), 0.0 if afresh else fresh_s
        with self._lock:
            kept = self._kept.get(name)
            # What somebody read while we stood here is as fresh as what we would read.
            if kept is not None and now - kept[0] < fresh_s:
                found: T = kept[1]
                return found
            found = read()
            self._kept[name] = (now, found)
            return found

    def keep(self, name: str, value: object) -> None:
        """Remember a value that was read along with something else."""
        with self._lock:
            self._kept[name] = (self._clock.now().timestamp(), value)

    def __contains__(self, name: str) -> bool:
        with self._lock:
            return name in self._kept
