"""Pages of one list, read ahead so that the network's delay does not matter, given in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

from crmkit.clock import Clock
from crmkit_amocrm.client.line import Line, Params
from crmkit_amocrm.wire import PAGE, embedded, has_next

MOST_AHEAD = 6
"""Requests in flight at once; each is one page in memory."""

_A_SECOND = 7
"""Requests that the vendor lets pass. Source: amoCRM API v4, page "Limits"."""


class Sheet(NamedTuple):
    """One page as read, and when it was asked for and answered (Unix seconds)."""

    number: int
    items: list[dict[str, Any]]
    is_last: bool
    asked_at: float
    answered_at: float


class Sheets:
    """Reads one list by page numbers.

    Args:
        line: the way to the account.
        clock: the time.
        path: the list, below `/api/v4/`.
        name: the entities' key under `_embedded`.
        params: filters, order and what to embed.
    """

    def __init__(self, line: Line, clock: Clock, path: str, name: str, params: Params) -> None:
        self._line = line
        self._clock = clock
        self._path = path
        self._name = name
        self._params = params

    def read(self, number: int) -> Sheet:
        """One page."""
        asked_at = self._now()
        params = [*self._params, ("page", str(number)), ("limit", str(PAGE))]
        body = self._line.get(self._path, params)
        items = embedded(body, self._name)
        return Sheet(number, items, not has_next(body), asked_at, self._now())

    def ahead(self, first: int, last: int | None = None) -> Iterator[Sheet]:
        """The pages from `first` to `last`, else to the list's end.

        As many are in flight as the vendor's rate needs while answers take as long as they do: with quick ones the
        next page alone, up to six with slow ones.
        """
        waiting: deque[Future[Sheet]] = deque()
        number = first
        pool = ThreadPoolExecutor(MOST_AHEAD, thread_name_prefix="crmkit-pages")
        try:
            waiting.append(pool.submit(self.read, number))
            while waiting:
                sheet = waiting.popleft().result()
                depth = min(MOST_AHEAD, 1 + round(self._line.answer_s * _A_SECOND))
                while len(waiting) < depth and not sheet.is_last and (last is None or number < last):
                    number += 1
                    waiting.append(pool.submit(self.read, number))
                yield sheet
                if sheet.is_last:
                    return
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _now(self) -> float:
        return self._clock.now().timestamp()
