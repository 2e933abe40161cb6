"""The time that each method spent, per credential: the budget behind OPERATION_TIME_LIMIT."""

from crmkit_sandbox.clock import Clock

BASKET_S, BASKETS = 60, 10


class Operating:
    """Seconds spent per method in ten baskets of a minute; above `limit_s` the method is blocked.

    `costs` says what a call of a method costs, in seconds; a method that is not there costs what it took.
    Source: Bitrix24 REST, page "Limits".
    """

    def __init__(self, clock: Clock) -> None:
        self.limit_s = 480.0
        self.costs: dict[str, float] = {}
        self._clock = clock
        self._baskets: dict[tuple[str, str], dict[int, float]] = {}

    def spent(self, who: str, method: str) -> float:
        """Seconds that `method` spent in the last ten minutes."""
        return sum(self._live(who, method).values())

    def is_blocked(self, who: str, method: str) -> bool:
        """True when the budget is used up before the call."""
        return self.spent(who, method) > self.limit_s

    def charge(self, who: str, method: str, took_s: float) -> float:
        """Add a call; the sum after it."""
        baskets = self._live(who, method)
        now = int(self._clock.now()) // BASKET_S
        baskets[now] = baskets.get(now, 0.0) + self.costs.get(method, took_s)
        return sum(baskets.values())

    def reset_at(self, who: str, method: str) -> int:
        """When the oldest basket drops out, unix seconds."""
        oldest = min(self._live(who, method), default=int(self._clock.now()) // BASKET_S)
        return (oldest + BASKETS) * BASKET_S

    def reset(self) -> None:
        """Forget what was spent and all costs."""
        self._baskets.clear()
        self.costs.clear()
        self.limit_s = 480.0

    def _live(self, who: str, method: str) -> dict[int, float]:
        key = (who, method)
        first = int(self._clock.now()) // BASKET_S - BASKETS + 1
        self._baskets[key] = {at: spent for at, spent in self._baskets.get(key, {}).items() if at >= first}
        return self._baskets[key]
