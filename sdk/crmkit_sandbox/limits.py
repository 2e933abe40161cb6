"""The rate limit of one emulated CRM: a sliding window, and a ban for those who do not listen."""

import threading
from collections import deque
from typing import Literal

from .clock import Clock

Verdict = Literal["pass", "slow", "banned"]


class Limiter:
    """Counts calls by the sandbox clock's monotonic time.

    `per_second` calls pass within any window of `window_s` seconds. After `ban_after` refusals within `ban_window_s`
    every call is refused for `ban_s` seconds; None means never. No vendor publishes the thresholds of a ban, so the
    default is generous.
    """

    def __init__(self, clock: Clock, *, per_second: int, retry_after_s: int | None) -> None:
        self.enabled = True
        self.per_second = per_second
        self.window_s = 1.0
        self.retry_after: int | None = retry_after_s
        # The status of a refusal.
        self.refusal_status = 429
        self.ban_after: int | None = 1000
        self.ban_window_s = 60.0
        self.ban_s = 3600.0
        self.refused = 0
        self.highest = 0
        self._clock = clock
        self._lock = threading.Lock()
        self._passed: deque[float] = deque()
        self._refusals: deque[float] = deque()
        self._banned_until = 0.0

    def check(self) -> Verdict:
        """Whether a call made at this moment passes."""
        if not self.enabled:
            return "pass"
        now = self._clock.monotonic()
        with self._lock:
            if now < self._banned_until:
                return "banned"
            _forget(self._passed, now - self.window_s)
            if len(self._passed) < self.per_second * self.window_s:
                self._passed.append(now)
                self.highest = max(self.highest, len(self._passed))
                return "pass"
            return self._refuse(now)

    def reset(self) -> None:
        """Forget all calls, refusals and bans; the settings stay."""
        with self._lock:
            self._passed.clear()
            self._refusals.clear()
            self._banned_until = 0.0
            self.refused = self.highest = 0

    def _refuse(self, now: float) -> Verdict:
        self.refused += 1
        _forget(self._refusals, now - self.ban_window_s)
        self._refusals.append(now)
        if self.ban_after is not None and len(self._refusals) >= self.ban_after:
            self._banned_until = now + self.ban_s
            return "banned"
        return "slow"


def _forget(moments: deque[float], before: float) -> None:
    while moments and moments[0] <= before:
        moments.popleft()
