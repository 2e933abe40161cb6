"""Rows read by two processes, where there is enough of them and the system can copy a process cheaply."""

from __future__ import annotations

import marshal
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import chain, islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import Any, Generic, TypeVar, cast

from crmkit_dedup.rows import DAYS, CompanyRow, DealRow, PersonRow

R = TypeVar("R", PersonRow, CompanyRow, DealRow)
P = TypeVar("P", bound="Iterable[object]")
Plain = list[Sequence[Any]]
"""Rows or profiles by column, of nothing but what `marshal` knows: it takes a third of the time of `pickle`."""

WORTH = 6_000
"""Fewer rows than this are read sooner by one process."""

WARM = 1_500
"""Rows read before there is another process: it begins with the words that they have taught."""

OWN, LENT, AHEAD = 400, 1_500, 2
"""Rows that this process reads at a time, rows that are given to the other one, and how often before it answers."""


class Readers(Generic[R, P]):
    """Turns rows into profiles, in order.

    `read` makes a profile of a row of class `row`; `adopt` makes profiles of their columns, as they come from the
    other process.
    """

    def __init__(self, read: Callable[[R], P], row: type[R], adopt: Callable[[Plain], Iterable[P]]) -> None:
        self._read: Callable[[R], P] = read
        self._row: type[R] = row
        self._adopt = adopt
        self._days = [place for place, name in enumerate(row._fields) if name in DAYS]

    def profiles(self, rows: Iterable[R], workers: int | None) -> Iterator[P]:
        """The profiles of all rows; `workers` is how many processes read, None leaves it to the machine."""
        source = iter(rows)
        first = list(islice(source, WORTH)) if workers != 1 else []
        if len(first) < WORTH or not _can_fork(workers):
            return map(self._read, chain(first, source))
        return self._together(chain(first, source))

    def _together(self, source: Iterator[R]) -> Iterator[P]:
        yield from map(self._read, islice(source, WARM))
        context = get_context("fork")
        near, far = context.Pipe()
        process = context.Process(target=self._serve, args=(far, near), daemon=True)
        process.start()
        far.close()
        try:
            yield from self._shared(source, near)
        finally:
            near.close()
            process.join()

    def _shared(self, source: Iterator[R], near: Connection) -> Iterator[P]:
        """What is lent comes back as one piece; what was read after it was lent stands after it."""
        pieces: deque[tuple[list[R], bool, list[P]]] = deque()
        while True:
            # The next piece is there before the other process is through with this one.
            while len(pieces) < AHEAD and (lent := list(islice(source, LENT))):
                pieces.append((lent, _sent(near, self._plain(lent)), []))
            if not pieces:
                return
            rows, is_lent, _ = pieces[0]
            while is_lent and not near.poll() and (own := list(islice(source, OWN))):
                pieces[-1][2].extend(map(self._read, own))
            read = _received(near) if is_lent else None
            # The other process has ended before its time: what it had is read here, and so is all the rest.
            yield from map(self._read, rows) if read is None else self._adopt(read)
            yield from pieces.popleft()[2]

    def _serve(self, far: Connection, near: Connection) -> None:
        near.close()
        waiting: SimpleQueue[Plain | None] = SimpleQueue()
        try:
            # Taken in beside the work: two that both send, and neither receives, would wait for each other for ever.
            Thread(target=_take_in, args=(far, waiting), daemon=True).start()
            while (lent := waiting.get()) is not None and _sent(far, _columns(map(self._read, self._rows(lent)))):
                continue
        finally:
            # Without a word: an interrupt, or a fault in a row, is told of by the process that everybody sees.
            os._exit(0)

    def _plain(self, rows: Sequence[R]) -> Plain:
        columns = _columns(rows)
        for place in self._days:
            columns[place] = [day and day.toordinal() for day in columns[place]]
        return columns

    def _rows(self, columns: Plain) -> Iterator[R]:
        for place in self._days:
            columns[place] = [day and date.fromordinal(day) for day in columns[place]]
        return map(self._row._make, zip(*columns, strict=True))


def by_column(make: Callable[[Iterable[Any]], P]) -> Callable[[Plain], Iterator[P]]:
    """What makes profiles of their columns, where they have no more to share than the other process has seen to."""
    return lambda columns: map(make, zip(*columns, strict=True))


def _columns(items: Iterable[Iterable[Any]]) -> Plain:
    return list(zip(*items, strict=True))


def _take_in(pipe: Connection, waiting: SimpleQueue[Plain | None]) -> None:
    while (columns := _received(pipe)) is not None:
        waiting.put(columns)
    waiting.put(None)


def _sent(pipe: Connection, columns: Plain) -> bool:
    try:
        pipe.send_bytes(marshal.dumps(columns))
    except (OSError, ValueError):
        # The other end is gone, or a value is of a class of its own, which `marshal` does not know.
        return False
    return True


def _received(pipe: Connection) -> Plain | None:
    try:
        return cast("Plain", marshal.loads(pipe.recv_bytes()))  # noqa: S302 - our own other process
    except (EOFError, OSError):
        return None


def _can_fork(workers: int | None) -> bool:
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1
    return cores > 1 if workers is None else sys.platform == "linux"
