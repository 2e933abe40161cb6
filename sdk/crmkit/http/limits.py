"""Request budgets and who keeps them: nobody passes a limit, handlers go before first loads and scans."""

from __future__ import annotations

import enum
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

from crmkit.clock import Clock, SystemClock
from crmkit.errors import RateLimited

LONGEST_WAIT_S = 30.0
"""A vendor that asks for a longer pause than this is not waited for: the error goes to the caller."""


class Urgency(enum.StrEnum):
    """Which queue a call stands in: handlers pass before first loads and scans."""

    LIVE = "live"
    BULK = "bulk"


@dataclass(frozen=True, slots=True)
class RateLimit:
    """One budget of a vendor. `key` names who shares it.

    A `window` allows `permits` in any `per_s` seconds; a `bucket` holds `permits` and gains one each `per_s` seconds.
    Of a window that `is_even` half may go at once and the rest is spread: for vendors that do not say how they count.
    """

    key: str
    permits: int
    per_s: float
    shape: Literal["window", "bucket"] = "window"
    is_even: bool = False


class Limiter(Protocol):
    """Holds callers back so that no budget is ever exceeded."""

    def wait(self, limits: Sequence[RateLimit], urgency: Urgency) -> None:
        """Return when one call may be made under every limit.

        Raises RateLimited at once when a push holds a limit for longer than LONGEST_WAIT_S.
        """

    def push(self, limit: RateLimit, seconds: float) -> None:
        """Let nobody pass `limit` for `seconds`: the vendor has refused."""


class _Budget:
    """One limit: who stands before it, what was granted, and the earliest free moment."""

    def __init__(self, limit: RateLimit, margin_s: float) -> None:
        self.limit = limit
        self._margin_s = margin_s
        self._granted: deque[float] = deque(maxlen=limit.permits)
        self._level, self._level_at = float(limit.permits), 0.0
        self._turn = threading.Condition()
        self._is_taken = False
        self._live_waiting = 0
        self.blocked_until = 0.0

    @contextmanager
    def turn(self, urgency: Urgency) -> Iterator[None]:
        """Stand at the head of the queue; bulk callers let every live one pass."""
        with self._turn:
            if urgency is Urgency.LIVE:
                self._live_waiting += 1
                self._turn.wait_for(lambda: not self._is_taken)
                self._live_waiting -= 1
            else:
                self._turn.wait_for(lambda: not self._is_taken and not self._live_waiting)
            self._is_taken = True
        try:
            yield
        finally:
            with self._turn:
                self._is_taken = False
                self._turn.notify_all()

    def free_at(self, now: float, per_s: float) -> float:
        """When the caller may pass whose own network asks for windows of `per_s`."""
        start = max(now, self.blocked_until)
        if self.limit.shape == "bucket":
            return start + max(0.0, 1 - self._level_then(start)) * self.limit.per_s
        half = self.limit.permits // 2 if self.limit.is_even else 0
        if half and len(self._granted) >= half and self._granted[-half] > start - per_s:
            start = max(start, self._granted[-1] + per_s / self.limit.permits)
        if len(self._granted) < self.limit.permits:
            return start
        return max(start, self._granted[0] + per_s + self._margin_s)

    def push(self, until: float) -> None:
        self.blocked_until = max(self.blocked_until, until)
        if self.limit.shape == "bucket":
            # The vendor's bucket is full, whoever filled it: only what leaks from then on is free.
            self._level, self._level_at = min(self._level, 0.0), max(self._level_at, self.blocked_until)

    def take(self, at: float) -> None:
        self._level, self._level_at = self._level_then(at) - 1, at
        self._granted.append(at)

    def _level_then(self, at: float) -> float:
        gained = max(0.0, at - self._level_at) / self.limit.per_s
        return min(float(self.limit.permits), self._level + gained)


_RESOLUTION_S = 2e-6
"""Clocks count microseconds: a shorter pause than this is no pause."""


class LocalLimiter:
    """A limiter for the threads of one process.

    Callers pass one at a time and the moment they really pass is what counts, so a thread that wakes late takes room
    from itself, not from the window.

    Args:
        clock: where to wait.
        margin_s: added to each window for the way from here to the network; callers add what the network needs.
    """

    def __init__(self, clock: Clock | None = None, margin_s: float = 0.01) -> None:
        self._clock = clock or SystemClock()
        self._margin_s = margin_s
        self._lock = threading.Lock()
        self._budgets: dict[str, _Budget] = {}

    def wait(self, limits: Sequence[RateLimit], urgency: Urgency) -> None:
        """Stand in the queue of every limit, then pass. Raises RateLimited for a push over LONGEST_WAIT_S."""
        # One order for everybody, else two callers could each hold what the other waits for.
        ordered = sorted(limits, key=lambda limit: limit.key)
        budgets = [self._budget(limit) for limit in ordered]
        with ExitStack() as turns:
            for budget in budgets:
                turns.enter_context(budget.turn(urgency))
            while True:
                now = self._now()
                self._refuse_long_push(budgets, now)
                moments = [one.free_at(now, limit.per_s) for one, limit in zip(budgets, ordered, strict=True)]
                at = max(moments, default=now)
                if at - now < _RESOLUTION_S:
                    break
                self._clock.wait(at - now)
            for budget in budgets:
                budget.take(now)

    def push(self, limit: RateLimit, seconds: float) -> None:
        """Let nobody pass for `seconds`, those who already stand in the queue included; a bucket is empty then."""
        self._budget(limit).push(self._now() + seconds)

    def _refuse_long_push(self, budgets: Sequence[_Budget], now: float) -> None:
        left_s = max((budget.blocked_until - now for budget in budgets), default=0.0)
        if left_s > LONGEST_WAIT_S:
            raise RateLimited(
                f"the vendor asked us to stay away; {left_s:.0f} s are left",
                retry_after_s=left_s,
                remedy="Nothing was sent; it is tried again when the pause is over.",
            )

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _budget(self, limit: RateLimit) -> _Budget:
        with self._lock:
            if limit.key not in self._budgets:
                self._budgets[limit.key] = _Budget(limit, self._margin_s)
            budget = self._budgets[limit.key]
            budget.limit = limit
            return budget
