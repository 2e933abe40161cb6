"""How many ids hold one batch of rows: a guess that lets several batches be read at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from crmkit_bitrix24.wire import BATCH, PAGE

FULL = PAGE * BATCH
"""Rows of one batch of lists."""

MOST = 4
"""Ranges read at a time: their rows wait in memory until those before them are taken, wide ones fewer than narrow."""

_FIELDS = 70 * MOST


class Range(NamedTuple):
    """Ids above `low` up to `high`, None for all that there are; `pages` says how many are worth asking for."""

    low: int
    high: int | None
    pages: int = BATCH


class Forecast:
    """Learns from what was read how thick the ids lie, and trusts itself the more the better it guessed.

    A range that holds more rows than a batch costs one more request, one that holds fewer wastes a part of its own. So
    ranges are guessed only while the ids lie evenly; where they do not, an open range is read alone, which finds the
    next rows however far off they are.

    Args:
        first: the ids of the first page, which is full.
        edge: the highest id when the walk began; None when nobody knows.
        fields: how many a row has.
    """

    def __init__(self, first: Sequence[int], edge: int | None, fields: int = 1) -> None:
        self._edge = edge
        self._most = max(1, min(MOST, _FIELDS // fields))
        gaps = {high - low for low, high in pairwise(first)}
        self._ids_per_row = max(1.0, (first[-1] - first[0]) / (len(first) - 1))
        self._spare = 0.0
        # One page tells enough where all its ids stand equally far apart.
        self.trust = self._most if len(gaps) == 1 else 1

    def behind(self, low: int) -> Range:
        """The next range to read behind an id."""
        high = low + max(1, int((FULL - self._spare) * self._ids_per_row))
        # Whatever is added while the walk goes on lies behind the edge: the last range is open.
        is_open = self.trust == 1 or self._edge is None or high >= self._edge
        return Range(low, None if is_open else high)

    def rest(self, read: Range, last: int) -> Range:
        """What a range still holds behind an id."""
        if read.high is None:
            return Range(last, None)
        rows = (read.high - last) / self._ids_per_row
        return Range(last, read.high, min(BATCH, math.ceil(rows / PAGE) + 1))

    def learn(self, read: Range, last: int, rows: int, *, is_whole: bool) -> None:
        """What a range gave: so many rows, up to the id `last`, and whether these are all that it holds."""
        high = read.high if is_whole and read.high is not None else last
        if not rows:
            self.trust = 1
            return
        ids_per_row = max(1.0, (high - read.low) / rows)
        change = abs(ids_per_row / self._ids_per_row - 1)
        is_guessed = read.high is not None
        self.trust = 1 if is_guessed and change > _UNEVEN else min(self._most, 2 * self.trust)
        self._ids_per_row = ids_per_row
        if change > _EXACT:
            # Where rows are missing at random so many ids hold now more of them, now fewer. Three times the usual
            # difference is seldom exceeded, and costs less than the requests for what did not fit.
            self._spare = 3 * math.sqrt(FULL * (1 - 1 / ids_per_row))


_UNEVEN, _EXACT = 0.25, 0.002
