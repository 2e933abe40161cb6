"""A base with its truth: rows, who each row is, the noise in it, and the traps laid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

Row = TypeVar("Row")


class Trap(NamedTuple):
    """Different entities that tempt a matcher; merging records of any two of them is the fault counted."""

    kind: str
    entities: tuple[int, ...]


class Dataset(NamedTuple, Generic[Row]):
    """Rows and, position by position, the truth."""

    rows: Sequence[Row]
    entities: Sequence[int]
    noise: Sequence[tuple[str, ...]]
    traps: Sequence[Trap]

    def truth(self) -> Mapping[str, int]:
        """Record id -> entity."""
        return {row[0]: entity for row, entity in zip(self.rows, self.entities, strict=True)}  # type: ignore[index]
