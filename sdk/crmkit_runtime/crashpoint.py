"""Named points at which a process dies on demand, to prove that nothing is lost there; inert unless asked for."""

from __future__ import annotations

import os
import threading
from collections import Counter

VARIABLE = "CRMKIT_CRASH_AT"
"""`<point>` or `<point>:<n>`: die when the point is reached, or reached for the n-th time."""

POINTS = (
    "in_ingest_before_commit",
    "in_ingest_after_commit",
    "after_claim",
    "before_intent",
    "after_intent",
    "after_call",
    "after_record",
    "before_finish",
    "after_finish",
)
"""Every point, in the order in which a delivery passes them."""

_wanted, _, _nth = os.environ.get(VARIABLE, "").partition(":")
_reached: Counter[str] = Counter()
_lock = threading.Lock()


def crashpoint(point: str) -> None:
    """Die at once, as by kill -9, when the environment asks for it here."""
    if point != _wanted:
        return
    with _lock:
        _reached[point] += 1
        if _reached[point] >= int(_nth or 1):
            os._exit(137)
