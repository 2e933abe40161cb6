"""A weighted choice that costs one bisection."""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import Generic, TypeVar

T = TypeVar("T")


class Draw(Generic[T]):
    """Items with weights; `one` gives an item as often as its weight says."""

    def __init__(self, items: Sequence[T], weights: Sequence[float]) -> None:
        assert len(items) == len(weights), "an item has no weight"
        self.items, self.weights = tuple(items), tuple(weights)
        self._sums = list(accumulate(weights))
        self._total = self._sums[-1]

    def one(self, picked: random.Random) -> T:
        """Give one item."""
        return self.items[bisect(self._sums, picked.random() * self._total)]
