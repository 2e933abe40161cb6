"""The leaky bucket of one portal: a burst passes, then a few calls a second."""

import math
import threading

from crmkit_sandbox.clock import Clock
from crmkit_sandbox.limits import Limiter, Verdict


class LeakyBucket(Limiter):
    """A counter that each call raises and each whole second lowers by `per_second`; the call above `burst` is refused.

    Refused calls raise the counter too while `counts_refused`: the vendor does not say, this is the careful reading.
    Source: Bitrix24 REST, page "Limits": 2 a second and 50, for an enterprise plan 5 and 250.
    """

    def __init__(self, clock: Clock, *, per_second: int = 2, burst: int = 50) -> None:
        super().__init__(clock, per_second=per_second, retry_after_s=None)
        self.refusal_status = 503
        self.burst = burst
        self.counts_refused = True
        self._bucket_clock = clock
        self._bucket_lock = threading.Lock()
        self._level = 0
        self._ticked = math.floor(clock.monotonic())

    def check(self) -> Verdict:
        """Whether a call made at this moment passes."""
        if not self.enabled:
            return "pass"
        with self._bucket_lock:
            tick = math.floor(self._bucket_clock.monotonic())
            self._level = max(0, self._level - self.per_second * (tick - self._ticked))
            self._ticked = tick
            is_full = self._level >= self.burst
            if not is_full or self.counts_refused:
                self._level += 1
            if is_full:
                self.refused += 1
                return "slow"
            self.highest = max(self.highest, self._level)
            return "pass"

    def reset(self) -> None:
        """Empty the bucket and forget the refusals; the settings stay."""
        with self._bucket_lock:
            self._level = self.refused = self.highest = 0
