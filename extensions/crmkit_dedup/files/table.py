"""A table as it was found in a file: its first lines, its records, and how it was read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from crmkit_dedup.files.problems import Problems

Record = tuple[int, list[str]]
"""The line on which a record begins (a row of a sheet, from 1), and its cells as text."""


def _nothing() -> None:
    """A table that holds nothing open."""


@dataclass
class Table:
    """Records in the order of the file, read as they are asked for, and once."""

    form: str
    """How it was read, for a person: "CSV, windows-1251, ;"."""
    top: Sequence[Record]
    """The first records; headings are among them, where there are any."""
    records: Iterator[Record]
    """All records, those of `top` too."""
    problems: Problems
    size: int | None = None
    """Records in all, where the file tells it beforehand."""
    read: Callable[[], int] | None = None
    """Bytes of the file that are read so far, where records cannot be counted beforehand."""
    close: Callable[[], None] = _nothing
    is_headed: bool = False
    """The first record is headings, whatever it looks like."""
