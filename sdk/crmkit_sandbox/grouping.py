"""Rows of one table by a key of theirs, kept up to date as rows change."""

from collections.abc import Callable, Hashable

from .store import Table
from .wire import Row


class Grouping:
    """Ids of live rows that share a key."""

    def __init__(self, table: Table, key: Callable[[Row], Hashable]) -> None:
        self._table = table
        self._key = key
        self._groups: dict[Hashable, set[int]] = {}
        self._is_built = False
        table.on_put(self._follow)
        table.on_load(self.rebuild)

    def ids(self, key: Hashable) -> list[int]:
        """Ids of the live rows with `key`, ascending."""
        self._build()
        return sorted(row_id for row_id in self._groups.get(key, ()) if self._table.live(row_id) is not None)

    def rebuild(self) -> None:
        """Forget the groups; the next question makes them anew."""
        self._is_built = False
        self._groups.clear()

    def _build(self) -> None:
        if not self._is_built:
            self._is_built = True
            for row in self._table.rows():
                self._groups.setdefault(self._key(row), set()).add(row["id"])

    def _follow(self, before: Row | None, after: Row) -> None:
        if not self._is_built:
            return
        if before is not None:
            self._groups.get(self._key(before), set()).discard(before["id"])
        self._groups.setdefault(self._key(after), set()).add(after["id"])
