"""What one emulated account remembers: its records, its settings, its counters, and who acts on them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from .store import Table
from .wire import Row
from .world import Ids, World

# Who acts, as the vendor tells them apart.
ActorT = TypeVar("ActorT")


class Memory(Generic[ActorT]):
    """Tables of records and shelves of settings, each by name; all access is under `world.lock`."""

    def __init__(self, world: World, *, tables: Iterable[str], shelves: Iterable[str], actor: ActorT) -> None:
        self.world = world
        self.ids = Ids()
        self.tables: dict[str, Table] = {name: Table() for name in tables}
        self.shelves: dict[str, dict[Any, Row]] = {name: {} for name in shelves}
        self.actor = actor

    @contextmanager
    def acting(self, actor: ActorT) -> Iterator[None]:
        """Hold the lock and act as `actor`."""
        with self.world.lock:
            before = self.actor
            self.actor = actor
            try:
                yield
            finally:
                self.actor = before
                self.world.changed.notify_all()

    def clear(self) -> None:
        """Drop the records, the settings and the counters."""
        self.ids.load({})
        for table in self.tables.values():
            table.clear()
        self.shelves = {name: {} for name in self.shelves}

    def dump(self) -> dict[str, Any]:
        """A copy for a snapshot."""
        return {
            "ids": self.ids.dump(),
            "tables": {name: table.dump() for name, table in self.tables.items()},
            "shelves": copied(self.shelves),
        }

    def load(self, dumped: dict[str, Any]) -> None:
        """Put a snapshot back."""
        self.ids.load(dumped["ids"])
        for name, table in dumped["tables"].items():
            self.tables[name].load(table)
        self.shelves = copied(dumped["shelves"])


def copied(books: dict[str, dict[Any, Row]]) -> dict[str, dict[Any, Row]]:
    """Books by name as they are now: later entries do not reach them."""
    return {name: dict(book) for name, book in books.items()}
