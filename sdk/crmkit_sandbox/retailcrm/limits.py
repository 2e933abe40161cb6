"""The vendor's rate limit: 10 calls a second for each key, 40 for telephony."""

from crmkit_sandbox.clock import Clock
from crmkit_sandbox.limits import Limiter, Verdict

PER_SECOND, TELEPHONY_PER_SECOND = 10, 40


class KeyLimits(Limiter):
    """One sliding window for each key and kind of method; `refused` and `highest` are over all of them."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, per_second=PER_SECOND, retry_after_s=None)
        self.telephony_per_second = TELEPHONY_PER_SECOND
        self.ban_after = None
        self._windows: dict[tuple[str, bool], Limiter] = {}

    def check(self) -> Verdict:
        """Always a pass: the gateway knows no keys, the application asks `admit`."""
        return "pass"

    def admit(self, key: str, *, is_telephony: bool) -> bool:
        """Whether a call with this key passes at this moment."""
        if not self.enabled:
            return True
        per_second = self.telephony_per_second if is_telephony else self.per_second
        with self._lock:
            window = self._windows.get((key, is_telephony))
            if window is None:
                window = Limiter(self._clock, per_second=per_second, retry_after_s=None)
                window.ban_after = None
                self._windows[key, is_telephony] = window
            window.per_second, window.window_s = per_second, self.window_s
            is_passed = window.check() == "pass"
            self.refused += not is_passed
            self.highest = max(self.highest, window.highest)
        return is_passed

    def reset(self) -> None:
        """Forget all calls and refusals; the settings stay."""
        super().reset()
        with self._lock:
            self._windows.clear()
