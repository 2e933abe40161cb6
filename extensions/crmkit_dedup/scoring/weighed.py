"""The outcome of one comparison, of whatever kind of records."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from crmkit_dedup.match import Band

Points = list[tuple[str, float]]
"""Codes of reasons with their points, in the order in which they were found."""


class Weighed(NamedTuple):
    """All points of a comparison.

    `is_vetoed` when something rules out that the two are one; `is_doubted` when something speaks so strongly against
    it that a person must be asked, however many points there are.
    """

    points: Points
    score: float
    band: Band
    is_vetoed: bool = False
    is_doubted: bool = False


VETO = -99.0
"""Points of what rules out that two records are one."""


@cache
def vetoed(code: str) -> Weighed:
    """The outcome when `code` rules out that the two are one."""
    return Weighed([(code, VETO)], VETO, Band.IGNORE, is_vetoed=True)
