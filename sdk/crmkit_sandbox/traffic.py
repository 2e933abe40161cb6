"""The log of calls that one emulated CRM received."""

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from .wire import Row

KEPT = 200_000


@dataclass(frozen=True)
class Call:
    """One received call: `path` without the query, `bytes` of the answer, `ignored` parameters that did nothing."""

    method: str
    path: str
    query: str
    status: int
    at: float
    bytes: int
    ignored: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """The path with its query."""
        return f"{self.path}?{self.query}" if self.query else self.path


class Traffic:
    """Received calls, oldest first; the newest 200,000 are kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque(maxlen=KEPT)

    def add(self, call: Call) -> None:
        """Remember a call."""
        with self._lock:
            self._calls.append(call)

    def reset(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._calls.clear()

    def count(self, *, method: str | None = None, path: str | None = None, status: int | None = None) -> int:
        """How many calls had this method, this beginning of the path and this status."""
        return sum(
            method in (None, call.method) and status in (None, call.status) and call.path.startswith(path or "")
            for call in self
        )

    def rows(self) -> list[Row]:
        """The calls as plain data."""
        return [asdict(call) for call in self]

    def __iter__(self) -> Iterator[Call]:
        with self._lock:
            return iter(list(self._calls))

    def __len__(self) -> int:
        return len(self._calls)

    def __getitem__(self, index: int) -> Call:
        with self._lock:
            return self._calls[index]
