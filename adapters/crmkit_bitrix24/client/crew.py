"""Several requests of one portal at a time, as many as it bears; their answers in order."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from queue import SimpleQueue
from typing import TypeVar

from crmkit.clock import Clock
from crmkit.http import Pressure

T = TypeVar("T")

WIDEST = 24
"""Requests at a time while nothing is short: half of what a portal's bucket holds."""

STRAINED = 4
"""Requests at a time when the portal answers slowly or the bucket is empty: more would only wait, and let nobody by."""

CALM_S = 60.0
"""After a refusal by the limit requests go one by one for so long.

Source: Bitrix24 REST, page "Limits": slow down, and send no parallel series from one address.
"""

_SLOW_S, _WAITS_S = 5.0, 0.25


class Crew:
    """Runs requests of one account on threads of its own.

    Args:
        clock: the time.
        pressure: what the portal's last answers were like.
    """

    def __init__(self, clock: Clock, pressure: Callable[[], Pressure]) -> None:
        self._clock = clock
        self._pressure = pressure
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._process = 0
        self._mine = threading.local()
        self._refusals = 0
        self._calm_until = float("-inf")

    @property
    def width(self) -> int:
        """How many requests may be under way now."""
        pressure, now = self._pressure(), self._clock.now().timestamp()
        with self._lock:
            if pressure.refusals != self._refusals:
                self._refusals = pressure.refusals
                self._calm_until = now + CALM_S
            if now < self._calm_until:
                return 1
        return STRAINED if pressure.slowest_s > _SLOW_S or pressure.waited_s > _WAITS_S else WIDEST

    def in_order(self, jobs: Iterable[Callable[[], T]], ahead: Callable[[], int], *, waiting: int = 1) -> Iterator[T]:
        """What the jobs give, in their order; at most `ahead()` of them are under way.

        As many as that, or `waiting` times as many where answers are small, may be kept for one that is late.
        Raises what a job raises, when its turn comes; those not begun by then never are.
        """
        left, flying = iter(jobs), deque[Future[T]]()
        first = list(islice(left, 2))
        left = chain(first, left)
        if len(first) < 2 or self._is_inside():
            # One job needs no thread; one that waited for others of its own crew would keep the thread they need.
            yield from (job() for job in left)
            return
        ended, under_way = SimpleQueue[Future[T]](), 0
        try:
            while True:
                while under_way < (room := ahead()) and len(flying) < room * waiting:
                    if (job := next(left, None)) is None:
                        break
                    flying.append(self.begin(job))
                    flying[-1].add_done_callback(ended.put)
                    under_way += 1
                if not flying and not under_way:
                    return
                ended.get()
                under_way -= 1
                while flying and flying[0].done():
                    yield flying.popleft().result()
        finally:
            for future in flying:
                future.cancel()

    def begin(self, job: Callable[[], T]) -> Future[T]:
        """Begin a job."""
        with self._lock:
            if self._pool is None or self._process != os.getpid():
                # Threads do not live on in a forked process.
                self._pool = ThreadPoolExecutor(WIDEST, "bitrix24", initializer=self._enter)
                self._process = os.getpid()
            return self._pool.submit(job)

    def close(self) -> None:
        """Let the threads go; what is under way ends by itself."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    def _enter(self) -> None:
        self._mine.is_inside = True

    def _is_inside(self) -> bool:
        return getattr(self._mine, "is_inside", False)
