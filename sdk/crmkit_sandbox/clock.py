"""The sandbox clock: real, frozen or turned forward by a test."""

import threading
import time
from collections.abc import Callable


class Clock:
    """Time as the emulated CRMs see it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frozen: float | None = None
        self._ahead_s = 0.0
        self._turned_s = 0.0
        self._listeners: list[Callable[[], None]] = []

    @property
    def is_frozen(self) -> bool:
        """True while only `advance` moves the time."""
        return self._frozen is not None

    def now(self) -> float:
        """Unix seconds."""
        with self._lock:
            return self._frozen if self._frozen is not None else time.time() + self._ahead_s

    def monotonic(self) -> float:
        """Seconds that pass in the real world plus those that a test has turned; freezing does not stop it.

        Rate limits count by it: a client that really waits must recover even while the calendar is frozen.
        """
        with self._lock:
            return time.monotonic() + self._turned_s

    def freeze(self, at: float | None = None) -> None:
        """Stop the time at `at`, or at the present moment."""
        moment = self.now() if at is None else float(at)
        with self._lock:
            self._frozen = moment
        self._tell()

    def advance(self, seconds: float) -> None:
        """Turn the time forward; what falls due in between happens at once."""
        with self._lock:
            self._turned_s += seconds
            if self._frozen is not None:
                self._frozen += seconds
            else:
                self._ahead_s += seconds
        self._tell()

    def release(self) -> None:
        """Return to the real time."""
        with self._lock:
            self._frozen = None
            self._ahead_s = 0.0
        self._tell()

    def on_turn(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each turn of the clock by hand."""
        self._listeners.append(listener)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
