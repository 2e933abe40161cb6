"""Records of one kind to look at, as a mapping that cannot be changed."""

import threading
from collections.abc import Callable, Iterator, Mapping

from .store import Table
from .wire import Row


class Records(Mapping[int, Row]):
    """Live records by id, each in the shape that its vendor shows.

    `settle` is called before each look, for what the vendor does by itself when its time has come.
    """

    def __init__(
        self,
        lock: threading.RLock,
        table: Table,
        shape: Callable[[Row], Row],
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        self._lock = lock
        self._table = table
        self._shape = shape
        self._settle = settle

    def rows(self) -> list[Row]:
        """All of them by id."""
        return list(self.values())

    def __getitem__(self, row_id: int) -> Row:
        self._settle()
        with self._lock:
            row = self._table.live(row_id)
            if row is None:
                raise KeyError(row_id)
            return self._shape(row)

    def __iter__(self) -> Iterator[int]:
        self._settle()
        with self._lock:
            return iter(list(self._table.ids))

    def __len__(self) -> int:
        self._settle()
        return len(self._table)
