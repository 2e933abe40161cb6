"""Records of a CSV text, in any of its habits: delimiters, quotes left open, cells without end."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from crmkit_dedup.files.headings import FIELDS, field_of
from crmkit_dedup.files.problems import Problems
from crmkit_dedup.files.table import Record

DELIMITERS = (";", ",", "\t", "|")
CELL = 20_000
"""Characters of a cell that are read where csv itself gave the record up."""

_HEADED = 20


def detect_delimiter(lines: Sequence[str]) -> str:
    """Give the delimiter of these lines; a line `sep=;` says it itself.

    It is the one that leaves most headings that are known, else the one that cuts most evenly into most cells.
    """
    if lines and lines[0].lower().startswith("sep=") and len(lines[0].strip()) == 5:
        return lines[0].strip()[-1]
    best, best_score = ",", (0, 0.0)
    for delimiter in DELIMITERS:
        cut = list(_leniently(lines, delimiter))
        score = (max(map(_known, cut[:_HEADED]), default=0), _evenness(cut))
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _known(cells: Sequence[str]) -> int:
    """How many headings a line has; one alone says nothing."""
    count = max(sum(bool(field_of(cell, kind)) for cell in cells[:200]) for kind in FIELDS)
    return count if count > 1 else 0


def _evenness(records: Sequence[Sequence[str]]) -> float:
    widths = Counter(len(record) for record in records if record)
    width, count = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]), default=(1, 0))
    return count / max(1, widths.total()) * min(width, 40) if width > 1 else 0.0


def _leniently(lines: Sequence[str], delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error:
            continue


class _Feed:
    """Lines for csv, and those that the record being read has taken."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.taken: list[str] = []
        self.returned: list[str] = []

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line = self.returned.pop() if self.returned else next(self._lines)
        self.taken.append(line)
        return line


def records(lines: Iterable[str], delimiter: str, problems: Problems, *, already: int = 0) -> Iterator[Record]:
    """Yield the records of a text; `already` is the number of lines that were read before these.

    A quote that is never closed does not swallow the lines behind it: the line is read as it stands, and reported.
    """
    feed = _Feed(lines)
    reader = csv.reader(feed, delimiter=delimiter, skipinitialspace=delimiter != "\t")
    taken, number, width = feed.taken, already, 0
    while True:
        start = number + 1
        try:
            cells = next(reader)
        except (StopIteration, csv.Error):
            if not taken:
                return
            cells = _alone(feed, delimiter, start, problems)
        # Over several lines goes a note of several lines, or a quote that was left open.
        if len(taken) > 1 and _is_left_open(taken, cells, delimiter, width):
            cells = _alone(feed, delimiter, start, problems)
        number += len(taken)
        taken.clear()
        if cells:
            width = width or len(cells)
            yield start, cells


def _is_left_open(taken: Sequence[str], cells: Sequence[str], delimiter: str, width: int) -> bool:
    """A quote was left open when nothing closes it, or what closes it is the quote of a later cell."""
    is_strict = True
    try:
        for _ in csv.reader(taken, delimiter=delimiter, skipinitialspace=delimiter != "\t", strict=True):
            break
    except csv.Error as error:
        if "end of data" in str(error):
            return True
        is_strict = False
    if not width or (is_strict and len(cells) == width):
        return False
    # Whole records stand on the lines one by one.
    return all(len(_split(line, delimiter)) == width for line in (taken[:1] if is_strict else taken[:2]))


def _alone(feed: _Feed, delimiter: str, line: int, problems: Problems) -> list[str]:
    """Give the first of the lines taken as it stands, and the others back."""
    first, *others = feed.taken
    feed.returned.extend(reversed(others))
    del feed.taken[1:]
    if others or first.count('"') % 2:
        problems.add(line, "quote", first[:60].strip())
        return _split(first, delimiter)
    try:
        cells = next(csv.reader([first.replace("\r", " ")], delimiter=delimiter), [])
    except csv.Error:
        problems.add(line, "long_cell")
        cells = _split(first, delimiter)
    return cells


def _split(line: str, delimiter: str) -> list[str]:
    return [cell.strip().strip('"').replace('""', '"')[:CELL] for cell in line.rstrip("\r\n").split(delimiter)]
