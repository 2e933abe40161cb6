"""GroupCommit: many threads hand in parcels, one thread stores them by the batch, each hears what became of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

from crmkit_runtime.database import STORAGE_FAULTS

log = logging.getLogger(__name__)

BATCH = 256
"""Most parcels that one transaction stores."""

T = TypeVar("T")


class Place(Generic[T]):
    """What one thread hands in, and where it waits until that is stored."""

    __slots__ = ("content", "is_stored", "number", "settled")

    def __init__(self, number: int) -> None:
        self.number = number
        self.content: T | None = None
        self.is_stored = False
        # An Event would cost a condition and two locks for each delivery.
        self.settled = threading.Lock()
        self.settled.acquire()

    def settle(self, *, is_stored: bool) -> None:
        """Let the thread go on."""
        self.is_stored = is_stored
        self.settled.release()


class GroupCommit(Generic[T]):
    """One flush of the disk serves everybody who waits at that moment.

    A batch is stored when everybody has come who was about to come when its first parcel came. So batches are full,
    and while the writer works few threads contend with it for the interpreter, which would slow it down several times.

    Args:
        store: stores a batch in one transaction; on return it survives a crash.
    """

    def __init__(self, store: Callable[[Sequence[T]], None]) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._waiting: list[Place[T]] = []
        self._last_number = 0
        self._coming = 0
        self._awaited_up_to = 0
        self._awaited = 0
        self._is_closing = False
        self._is_over = False
        self._bell = threading.Lock()
        self._bell.acquire()
        self._is_rung = False
        self._writer = threading.Thread(target=self._write_on, name="ingest-writer", daemon=True)
        self._writer.start()

    @property
    def is_alive(self) -> bool:
        """Parcels are being stored."""
        return not self._is_over

    @contextmanager
    def place(self) -> Iterator[Place[T]]:
        """Announce a parcel; `put` it within the block, or leave without."""
        with self._lock:
            self._last_number += 1
            self._coming += 1
            place: Place[T] = Place(self._last_number)
        try:
            yield place
        finally:
            if place.content is None:
                self._arrive(place)

    def put(self, place: Place[T], content: T, patience_s: float) -> bool:
        """True when it is stored; False when it was not, or not within `patience_s`."""
        place.content = content
        self._arrive(place)
        return place.settled.acquire(timeout=patience_s) and place.is_stored

    def close(self) -> None:
        """Store what waits, then stop; what comes later is refused."""
        with self._lock:
            self._is_closing = True
            self._ring()
        self._writer.join()

    def _arrive(self, place: Place[T]) -> None:
        with self._lock:
            self._coming -= 1
            was_awaited = bool(self._waiting) and place.number <= self._awaited_up_to
            if self._is_over:
                place.settle(is_stored=False)
                return
            if place.content is not None:
                self._waiting.append(place)
            if len(self._waiting) == 1 and place.content is not None:
                self._awaited_up_to, self._awaited = self._last_number, self._coming
            elif was_awaited:
                self._awaited -= 1
            if self._waiting and (not self._awaited or len(self._waiting) >= BATCH):
                self._ring()

    def _ring(self) -> None:
        if not self._is_rung:
            self._is_rung = True
            self._bell.release()

    def _write_on(self) -> None:
        batch: Sequence[Place[T]] = ()
        try:
            while batch := self._next_batch():
                self._settle_all(batch)
        finally:
            with self._lock:
                self._is_over = True
                left = [*(place for place in batch if place.settled.locked()), *self._waiting]
                self._waiting = []
            _settle(left, is_stored=False)

    def _next_batch(self) -> Sequence[Place[T]]:
        """The next batch, waited for; empty when the door is closed and everything is stored."""
        self._bell.acquire()
        with self._lock:
            self._is_rung = False
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            self._awaited = 0
            if self._waiting or self._is_closing:
                self._ring()
        return batch

    def _settle_all(self, batch: Sequence[Place[T]]) -> None:
        try:
            self._store([place.content for place in batch if place.content is not None])
        except STORAGE_FAULTS:
            log.exception("%d deliveries could not be stored; their senders are told to come again", len(batch))
            _settle(batch, is_stored=False)
        except Exception:
            if len(batch) == 1:
                log.exception("a delivery cannot be stored; its sender is told to come again")
                _settle(batch, is_stored=False)
                return
            # One that no database would take must not turn its neighbours away each time it comes again.
            for place in batch:
                self._settle_all([place])
        else:
            _settle(batch, is_stored=True)


def _settle(batch: Sequence[Place[T]], *, is_stored: bool) -> None:
    for place in batch:
        place.settle(is_stored=is_stored)
