"""Pages of one list, read ahead so that the network's delay does not matter, given in their order."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

from crmkit.clock import Clock
from crmkit_retailcrm.client.line import Line, Params

MOST_AHEAD = 8
"""Requests in flight at once; each is one page in memory."""

_A_SECOND = 10
"""Requests that the vendor lets pass. Source: retailCRM API v5, page "API rules"."""


class Sheet(NamedTuple):
    """One page as read: its place, how many pages the list had, when it was asked for and answered (Unix seconds)."""

    number: int
    items: list[dict[str, Any]]
    pages: int
    asked_at: float
    answered_at: float


class Sheets:
    """Reads one list by page numbers.

    Args:
        line: the way to the account.
        clock: the time.
        path: the list, below `/api/v5/`.
        name: the key of the list in the answer.
        params: filters.
    """

    def __init__(self, line: Line, clock: Clock, path: str, name: str, params: Params = ()) -> None:
        self._line = line
        self._clock = clock
        self._path = path
        self._name = name
        self._params = params

    def read(self, number: int) -> Sheet:
        """One page."""
        asked_at = self._clock.now().timestamp()
        items, pages = self._line.page(self._path, self._name, self._params, number)
        return Sheet(number, items, pages, asked_at, self._clock.now().timestamp())

    def ahead(self, first: int) -> Iterator[Sheet]:
        """The pages from `first` to the list's end.

        Once the first has told how many there are, as many are in flight as the vendor's rate needs while answers take
        as long as they do: with quick ones the next page alone, up to eight with slow ones.
        """
        sheet = self.read(first)
        waiting: deque[Future[Sheet]] = deque()
        number = first
        pool = ThreadPoolExecutor(MOST_AHEAD, thread_name_prefix="crmkit-pages")
        try:
            while True:
                depth = min(MOST_AHEAD, 1 + math.ceil(self._line.answer_s * _A_SECOND))
                # The list grows and shrinks while others work: the latest answer tells its end.
                while len(waiting) < depth and number < sheet.pages:
                    number += 1
                    waiting.append(pool.submit(self.read, number))
                yield sheet
                if not waiting:
                    return
                sheet = waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
