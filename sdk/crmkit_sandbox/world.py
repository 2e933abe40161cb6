"""What all emulated CRMs share: one clock, one lock, identifiers, snapshots."""

import threading
from collections.abc import Callable
from typing import Any, Protocol

from .clock import Clock


class Part(Protocol):
    """A piece of the world that a snapshot holds."""

    def dump(self) -> Any:
        """A copy of the state that later changes do not touch."""

    def load(self, dumped: Any) -> None:
        """Put a dumped state back."""


class Ids:
    """Counters that never give one number twice."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def take(self, name: str, *, start: int, count: int = 1) -> int:
        """The first of `count` fresh numbers of the series `name`."""
        first = self._last.get(name, start - 1) + 1
        self._last[name] = first + count - 1
        return first

    def dump(self) -> dict[str, int]:
        """A copy of the counters."""
        return dict(self._last)

    def load(self, dumped: dict[str, int]) -> None:
        """Put dumped counters back."""
        self._last = dict(dumped)


class World:
    """The lock under which all state changes, the clock, and the parts that snapshots cover."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self._parts: dict[str, Part] = {}
        self._snapshots: dict[str, dict[str, Any]] = {}

    def join(self, name: str, part: Part) -> None:
        """Let snapshots cover `part`."""
        self._parts[name] = part

    def touch(self) -> None:
        """Wake those who wait for a change."""
        with self.lock:
            self.changed.notify_all()

    def wait_for(self, claim: Callable[[], bool], timeout_s: float = 5.0) -> bool:
        """True as soon as `claim()` holds, False when it did not within `timeout_s` real seconds."""
        with self.lock:
            return self.changed.wait_for(claim, timeout_s)

    def snapshot(self, name: str = "default") -> None:
        """Remember every record under `name`; the clock, faults and logs are not part of it."""
        with self.lock:
            self._snapshots[name] = {key: part.dump() for key, part in self._parts.items()}

    def restore(self, name: str = "default") -> None:
        """Bring back what `snapshot(name)` remembered.

        Raises KeyError when there is no such snapshot.
        """
        with self.lock:
            for key, dumped in self._snapshots[name].items():
                self._parts[key].load(dumped)
        self.touch()
