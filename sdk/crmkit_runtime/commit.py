"""GroupCommit: many threads hand in what is to be stored, one thread stores it by the batch, each hears of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from crmkit_runtime.database import STORAGE_FAULTS

log = logging.getLogger(__name__)

BATCH = 256
"""Most that one transaction stores."""

T = TypeVar("T")


class _Place(Generic[T]):
    """What one thread has handed in, and where it waits until that is stored."""

    __slots__ = ("content", "is_stored", "settled")

    def __init__(self, content: T) -> None:
        self.content = content
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

    The threads only hand in and wait: whatever costs time is done by the one that stores, because threads that compute
    at once wake each other for the interpreter, and the writer would be the last to get it.

    Args:
        store: stores a batch in one transaction; on return it survives a crash.
        report: told of each batch, and whether it was stored, when nobody waits for it any more.
    """

    def __init__(self, store: Callable[[Sequence[T]], None], report: Callable[[Sequence[T], bool], None]) -> None:
        self._store = store
        self._report = report
        self._waiting: SimpleQueue[_Place[T] | None] = SimpleQueue()
        self._door = threading.Lock()
        self._is_closed = False
        self._writer = threading.Thread(target=self._write_on, name="ingest-writer", daemon=True)
        self._writer.start()

    @property
    def is_alive(self) -> bool:
        """What is handed in is being stored."""
        return not self._is_closed and self._writer.is_alive()

    def put(self, content: T, patience_s: float) -> bool:
        """True when it is stored; False when it was not, or not within `patience_s`."""
        place = _Place(content)
        with self._door:
            if self._is_closed:
                return False
            self._waiting.put(place)
        return place.settled.acquire(timeout=patience_s) and place.is_stored

    def close(self) -> None:
        """Store what waits, then stop; what comes later is refused."""
        self._shut()
        self._writer.join()

    def _shut(self) -> None:
        with self._door:
            if not self._is_closed:
                self._is_closed = True
                self._waiting.put(None)

    def _write_on(self) -> None:
        batch: list[_Place[T]] = []
        try:
            while batch := self._next_batch():
                self._settle_all(batch)
        finally:
            # The writer is dying of something no batch could cause: nobody may wait for it.
            self._shut()
            self._settle([place for place in batch if place.settled.locked()], is_stored=False)
            while left := self._next_batch():
                self._settle(left, is_stored=False)

    def _next_batch(self) -> list[_Place[T]]:
        """What waits now, at least one; empty when the door is closed and everything was taken."""
        batch: list[_Place[T]] = []
        try:
            place = self._waiting.get()
            while place is not None:
                batch.append(place)
                if len(batch) == BATCH:
                    return batch
                place = self._waiting.get_nowait()
            # The end of the queue is seen again by the next look, so that a last batch is stored before it.
            self._waiting.put(None)
        except Empty:
            pass
        return batch

    def _settle_all(self, batch: Sequence[_Place[T]]) -> None:
        try:
            self._store([place.content for place in batch])
        except STORAGE_FAULTS:
            log.exception("%d deliveries could not be stored; their senders are told to come again", len(batch))
            self._settle(batch, is_stored=False)
        except Exception:
            if len(batch) == 1:
                log.exception("a delivery cannot be stored; its sender is told to come again")
                self._settle(batch, is_stored=False)
                return
            # One that no database would take must not turn its neighbours away each time it comes again.
            for place in batch:
                self._settle_all([place])
        else:
            self._settle(batch, is_stored=True)

    def _settle(self, batch: Sequence[_Place[T]], *, is_stored: bool) -> None:
        for place in batch:
            place.settle(is_stored=is_stored)
        self._report([place.content for place in batch], is_stored)
