"""Budget: what is left of one request limit, as numbers that fit in a file or a row."""

from __future__ import annotations

from bisect import insort
from dataclasses import asdict, dataclass, field
from typing import Any

from crmkit.http import RateLimit, Urgency

MARGIN_S = 0.05
"""Added to each window, because the vendor sees our calls bunched by the network; 20 ms were seen to be too little."""

MOST_REFUSALS = 5
"""So many refusals in a row are remembered; each after the first leaves one permit of a window to strangers."""

REFUSAL_LASTS_S = 20.0
"""After so long without a refusal one of them is forgotten."""

LIVE_MEMORY_S = 5.0
"""For so long after a handler's call the bulk class leaves a quarter of the permits alone."""

BULK_SHARE = 5
"""Once so many calls could have been made without one of bulk's, its next one takes its turn like a live one."""


@dataclass(slots=True)
class Budget:
    """The grants of one limit that still count, some of them in the future; times are Unix seconds.

    Args:
        granted: the moments of the grants, in order.
        level: what a bucket held at `level_at`.
        blocked_until: nobody passes before.
        live_until: the last moment granted to a live caller.
        refusals: how often the vendor refused of late; refusals of calls that were under way together count as one.
        bulk_at: the last moment granted to a bulk caller.
        at: when it was last looked at.
    """

    granted: list[float] = field(default_factory=list)
    level: float | None = None
    level_at: float = 0.0
    blocked_until: float = 0.0
    live_until: float = 0.0
    refusals: float = 0.0
    bulk_at: float = 0.0
    at: float = 0.0

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Budget:
        """A budget as `to_json` wrote it."""
        return cls(**stored)

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return asdict(self)

    def turn(self, limit: RateLimit, now: float) -> None:
        """Bring it to `now`: forget what no longer counts. A clock that was set back moves the grants with it."""
        if self.at - now > 1:
            back = self.at - now
            self.granted = [moment - back for moment in self.granted]
            self.level_at -= back
            self.blocked_until -= back
            self.live_until -= back
            self.bulk_at -= back
        self.refusals = max(0.0, self.refusals - max(0.0, now - max(self.at, self.blocked_until)) / REFUSAL_LASTS_S)
        self.at = now
        horizon = now - limit.per_s - MARGIN_S
        self.granted = [moment for moment in self.granted if moment > horizon] if limit.shape == "window" else []

    def free_at(self, limit: RateLimit, urgency: Urgency, now: float) -> float:
        """The first moment at which one more call keeps the limit; for bulk, one that live callers do not miss."""
        start = max(now, self.blocked_until)
        spare = 0
        is_modest = urgency is Urgency.BULK and now < self.hungry_at(limit)
        if is_modest:
            start = max(start, self.live_until)
            spare = round(limit.permits / 4) if now - self.live_until < LIVE_MEMORY_S else 0
        if limit.shape == "bucket":
            return start + max(0.0, 1 + spare - self._level_then(limit, start)) * limit.per_s
        if is_modest and self.granted:
            # A burst would leave the next live caller a whole window to wait; evenly spaced, it is one step.
            start = max(start, self.granted[-1] + pace(limit))
        return self._free_in_window(limit, spare, start)

    def take(self, limit: RateLimit, urgency: Urgency, at: float) -> None:
        """Grant a call at that moment."""
        if limit.shape == "bucket":
            self.level, self.level_at = self._level_then(limit, at) - 1, max(at, self.level_at)
        else:
            insort(self.granted, at)
        if urgency is Urgency.LIVE:
            self.live_until = max(self.live_until, at)
        else:
            self.bulk_at = max(self.bulk_at, at)

    def hungry_at(self, limit: RateLimit) -> float:
        """From when on the next bulk caller stands in line with the live ones: bulk has gone without for so long.

        Without that a first load would never end while hooks pour in.
        """
        step = limit.per_s / limit.permits if limit.shape == "window" else limit.per_s
        return self.bulk_at + BULK_SHARE * step

    def move(self, limit: RateLimit, moment: float, now: float) -> bool:
        """Whether the grant of `moment` may be used `now`, later; what was granted to others meanwhile decides."""
        if limit.shape == "bucket" or now - moment < MARGIN_S / 5 or moment not in self.granted:
            return True
        others = list(self.granted)
        others.remove(moment)
        insort(others, now)
        full = limit.permits
        if any(others[at + full] - others[at] < limit.per_s for at in range(len(others) - full)):
            return False
        self.granted = others
        return True

    def push(self, until: float) -> None:
        """Let nobody pass before `until`; the vendor has refused."""
        if self.blocked_until <= self.at:
            self.refusals = min(self.refusals + 1, MOST_REFUSALS)
        self.blocked_until = max(self.blocked_until, until)
        if self.level is not None:
            # The vendor's bucket is full, whoever filled it: only what leaks from then on is free.
            self.level, self.level_at = min(self.level, 0.0), max(self.level_at, self.blocked_until)

    def _free_in_window(self, limit: RateLimit, spare: int, start: float) -> float:
        # Calls are granted in the order in which they come: never before the last grant.
        start = max(start, self.granted[-1]) if self.granted else start
        permits = max(1, limit.permits - spare - round(max(0.0, self.refusals - 1)))
        if len(self.granted) < permits:
            return start
        return max(start, self.granted[-permits] + limit.per_s + MARGIN_S)

    def _level_then(self, limit: RateLimit, at: float) -> float:
        # One permit of a bucket stays unused: it takes up what the network bunches, as the margin does for a window.
        capacity = float(max(1, limit.permits - 1))
        if self.level is None:
            return capacity
        return min(capacity, self.level + (at - self.level_at) / limit.per_s)


def pace(limit: RateLimit) -> float:
    """Seconds between two calls that use a window evenly."""
    return 0.8 * limit.per_s / limit.permits if limit.shape == "window" else limit.per_s
