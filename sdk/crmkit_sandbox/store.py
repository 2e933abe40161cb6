"""Records of one kind, kept in the orders that lists are read in."""

from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .wire import Row

CACHED_SELECTIONS = 32


@dataclass(frozen=True)
class Bulk:
    """Many records that are made only when read: ids `first` to `first + count - 1`."""

    first: int
    count: int
    make: Callable[[int], Row]
    changed_at: Callable[[int], int]


class Table:
    """Rows by id. A row is never changed in place: `put` a new one, so readers and snapshots need no copies.

    Rows with `is_deleted` leave `ids` for `deleted`. Lists by id and by time of change cost O(page), any other order or
    filter costs one pass that is kept until the next change.
    """

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.deleted: list[int] = []
        self.version = 0
        self._rows: dict[int, Row] = {}
        self._bulks: list[Bulk] = []
        self._by_change: list[tuple[int, int]] = []
        self._listeners: list[Callable[[Row | None, Row], None]] = []
        self._load_listeners: list[Callable[[], None]] = []
        self._selections: OrderedDict[object, Sequence[int]] = OrderedDict()

    def get(self, row_id: int) -> Row | None:
        """The row, also of a deleted record."""
        row = self._rows.get(row_id)
        return row if row is not None else self._made(row_id)

    def live(self, row_id: int) -> Row | None:
        """The row unless it is deleted."""
        row = self.get(row_id)
        return None if row is None or row.get("is_deleted") else row

    def put(self, row: Row) -> Row:
        """Store a new row or a new state of a known one."""
        row_id = row["id"]
        before = self.get(row_id)
        if before is not None:
            self._unlist(before)
        self._rows[row_id] = row
        self._list(row)
        self._changed()
        for listener in self._listeners:
            listener(before, row)
        return row

    def clear(self) -> None:
        """Forget all rows."""
        self.load(([], [], {}, [], []))

    def extend(self, bulk: Bulk) -> None:
        """Add many records without making them."""
        fresh = range(bulk.first, bulk.first + bulk.count)
        self._bulks.append(bulk)
        self.ids.extend(fresh)
        self._by_change.extend((bulk.changed_at(row_id), row_id) for row_id in fresh)
        self.ids.sort()
        self._by_change.sort()
        self._replaced()

    def on_put(self, listener: Callable[[Row | None, Row], None]) -> None:
        """Call `listener(before, after)` at each `put`."""
        self._listeners.append(listener)

    def on_load(self, listener: Callable[[], None]) -> None:
        """Call `listener` when many rows have changed at once."""
        self._load_listeners.append(listener)

    def rows(self) -> Iterator[Row]:
        """Live rows by id."""
        for row_id in list(self.ids):
            row = self.get(row_id)
            if row is not None:
                yield row

    def some(self, ids: Iterable[int]) -> list[Row]:
        """The rows with these ids, in the order of the ids, without those that are not there."""
        return [row for row_id in ids if (row := self.get(row_id)) is not None]

    def newest(self, count: int) -> list[Row]:
        """The `count` live rows with the highest ids, the highest first."""
        return self.some(self.ids[: -count - 1 : -1])

    def changed_between(self, first: float, last: float) -> list[int]:
        """Ids of live rows changed from `first` to `last`, both included, oldest change first."""
        start = bisect_left(self._by_change, (first, 0))
        end = bisect_right(self._by_change, (last, float("inf")))
        return [row_id for _, row_id in self._by_change[start:end]]

    def select(self, key: object, choose: Callable[[], Sequence[int]]) -> Sequence[int]:
        """What `choose` gave for `key` since the last change of the table."""
        found = self._selections.get(key)
        if found is None:
            found = self._selections[key] = choose()
            if len(self._selections) > CACHED_SELECTIONS:
                self._selections.popitem(last=False)
        return found

    def dump(self) -> Any:
        """A copy that shares the rows, which never change."""
        return (list(self.ids), list(self.deleted), dict(self._rows), list(self._bulks), list(self._by_change))

    def load(self, dumped: Any) -> None:
        """Put a dumped state back."""
        ids, deleted, rows, bulks, by_change = dumped
        self.ids, self.deleted, self._rows = list(ids), list(deleted), dict(rows)
        self._bulks, self._by_change = list(bulks), list(by_change)
        self._replaced()

    def __len__(self) -> int:
        return len(self.ids)

    def _made(self, row_id: int) -> Row | None:
        for bulk in self._bulks:
            if bulk.first <= row_id < bulk.first + bulk.count:
                return bulk.make(row_id)
        return None

    def _list(self, row: Row) -> None:
        if row.get("is_deleted"):
            insort(self.deleted, row["id"])
            return
        insort(self.ids, row["id"])
        insort(self._by_change, (row["updated_at"], row["id"]))

    def _unlist(self, row: Row) -> None:
        if row.get("is_deleted"):
            del self.deleted[bisect_left(self.deleted, row["id"])]
            return
        del self.ids[bisect_left(self.ids, row["id"])]
        del self._by_change[bisect_left(self._by_change, (row["updated_at"], row["id"]))]

    def _replaced(self) -> None:
        self._changed()
        for listener in self._load_listeners:
            listener()

    def _changed(self) -> None:
        self.version += 1
        self._selections.clear()
