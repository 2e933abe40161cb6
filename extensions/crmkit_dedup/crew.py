"""Rows read by two processes, where there is enough of them and the system can copy a process cheaply."""

from __future__ import annotations

import os
import pickle
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import Generic, TypeVar, cast

R = TypeVar("R", bound="Iterable[object]")
P = TypeVar("P", bound="Iterable[object]")

WORTH = 6_000
"""Fewer rows than this are read sooner by one process."""

OWN, LENT, AHEAD = 400, 1_500, 2
"""Rows that this process reads at a time, rows that are given to the other one, and how often before it answers."""


class Readers(Generic[R, P]):
    """Turns rows into profiles, in order.

    `read` makes a profile of a row; `row` and `adopt` make a row and a profile of their plain fields, as they come
    from the other process.
    """

    def __init__(
        self, read: Callable[[R], P], row: Callable[[Iterable[object]], R], adopt: Callable[[Iterable[object]], P]
    ) -> None:
        self._read = read
        self._row = row
        self._adopt = adopt

    def profiles(self, rows: Iterable[R], workers: int | None) -> Iterator[P]:
        """The profiles of all rows; `workers` is how many processes read, None leaves it to the machine."""
        source = iter(rows)
        first = list(islice(source, WORTH)) if workers != 1 else []
        if len(first) < WORTH or not _can_fork(workers):
            return map(self._read, chain(first, source))
        return self._together(chain(first, source))

    def _together(self, source: Iterator[R]) -> Iterator[P]:
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
                pieces.append((lent, _sent(near, lent), []))
            if not pieces:
                return
            rows, is_lent, _ = pieces[0]
            while is_lent and not near.poll() and (own := list(islice(source, OWN))):
                pieces[-1][2].extend(map(self._read, own))
            read = _received(near) if is_lent else None
            # The other process has ended before its time: what it had is read here, and so is all the rest.
            yield from map(self._read, rows) if read is None else map(self._adopt, read)
            yield from pieces.popleft()[2]

    def _serve(self, far: Connection, near: Connection) -> None:
        near.close()
        waiting: SimpleQueue[list[tuple[object, ...]] | None] = SimpleQueue()
        # Taken in beside the work: two that both send, and neither receives, would wait for each other for ever.
        Thread(target=_take_in, args=(far, waiting), daemon=True).start()
        while (rows := waiting.get()) is not None and _sent(far, [self._read(self._row(row)) for row in rows]):
            continue


def _take_in(pipe: Connection, waiting: SimpleQueue[list[tuple[object, ...]] | None]) -> None:
    while (rows := _received(pipe)) is not None:
        waiting.put(rows)
    waiting.put(None)


def _sent(pipe: Connection, items: Iterable[Iterable[object]]) -> bool:
    try:
        pipe.send_bytes(pickle.dumps(list(map(tuple, items)), pickle.HIGHEST_PROTOCOL))
    except OSError:
        return False
    return True


def _received(pipe: Connection) -> list[tuple[object, ...]] | None:
    try:
        return cast("list[tuple[object, ...]]", pickle.loads(pipe.recv_bytes()))  # noqa: S301 - our own other process
    except (EOFError, OSError):
        return None


def _can_fork(workers: int | None) -> bool:
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1
    return cores > 1 if workers is None else sys.platform == "linux"
