"""Records of one kind to look at, as a mapping that cannot be changed."""

import threading
from collections.abc import Callable, Iterator, Mapping

from .store import Table
from .wire import Row


class Records(Mapping[int, Row]):
    """Live records by id, each in the shape that its vendor shows."""

    def __init__(self, lock: threading.RLock, table: Table, shape: Callable[[Row], Row]) -> None:
        self._lock = lock
        self._table = table
        self._shape = shape

    def __getitem__(self, row_id: int) -> Row:
        with self._lock:
            row = self._table.live(row_id)
            if row is None:
                raise KeyError(row_id)
            return self._shape(row)

    def __iter__(self) -> Iterator[int]:
        with self._lock:
            return iter(list(self._table.ids))

    def __len__(self) -> int:
        return len(self._table)
