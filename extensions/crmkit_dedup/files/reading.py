"""Rows of a table: people, companies or deals, with a row for every record and an id for every row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache, partial
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from crmkit_dedup.files.columns import Columns, by_cells, by_headings, find_headings
from crmkit_dedup.files.dates import Unreadable, parse_date, shows_month_first
from crmkit_dedup.files.headings import MANY, Kind
from crmkit_dedup.files.opening import open_table
from crmkit_dedup.files.problems import Problems
from crmkit_dedup.files.refusals import FileRefused
from crmkit_dedup.files.table import Record, Table
from crmkit_dedup.rows import DAYS, CompanyRow, DealRow, PersonRow

Row = TypeVar("Row", PersonRow, CompanyRow, DealRow)
Fields = Mapping[str, Sequence[str]]
"""Field -> headings of its columns, as a person has said."""

NEEDED: Mapping[Kind, frozenset[str]] = {
    "contacts": frozenset({"name", "last", "first", "phones", "emails", "messengers", "inn"}),
    "companies": frozenset({"name", "inn", "phones", "emails", "site"}),
    "deals": frozenset({"contact", "company"}),
}
"""Kind -> fields of which a table must have one: without any nothing can be compared."""

LONGEST, LONGEST_LIST = 300, 1_500
"""Characters of a cell that are compared, and of one with phones, addresses or goods: nothing real is longer, and a
name of a thousand words would take as long as a thousand names."""

# Ten digits are a firm's: all who work there have it, and are not one person.
_FIRMS_INN = 10

_REPORT_EVERY = 5_000
_REMEMBERED = 1 << 16
"""Days of a column."""

_TIMED = re.compile(r"(\d{4}-\d\d-\d\d|\d\d\.\d\d\.\d{4})[T ]\d?\d:\d\d[\d:.,+\-Z ]{0,24}$")
_SHORTEST_TIMED = 14
_FORMULA = re.compile(r'="(.*)"$', re.DOTALL)
_LOST = re.compile(r"\d[.,]?(\d*)[eEеЕ]\+?\d+")
_YES = frozenset({"да", "yes", "true", "y", "1", "1.0", "истина", "+"})
_ENDED = re.compile(
    r"успешно|закрыт|не реализ|выигр|проигр|заверш|отказ|отмен|провал|выполнен"
    r"|\bwon\b|\blost\b|closed|success|cancel|complet|\bdone\b|fail",
    re.IGNORECASE,
)


class Reading(Generic[Row]):
    """Rows of a table in its order, to be iterated once; how it is read is known before."""

    def __init__(self, table: Table, kind: Kind, row: type[Row], fields: Fields, *, path: Path) -> None:
        self.table, self.kind, self.problems = table, kind, table.problems
        self._row: type[Row] = row
        self._path = path
        named = [heading for headings in fields.values() for heading in headings]
        self._at = 0 if table.is_headed else find_headings([cells for _, cells in table.top], kind, named)
        self.columns = self._columns(fields)

    def rows(self, progress: Callable[[int, int | None], None] | None = None) -> Iterator[Row]:
        """Yield the rows; `progress` is told of bytes or records done and in all, now and then.

        A record without an id, or with one met before, gets `line:N`; in a table without ids it is the line's number.
        """
        make = _Maker(self.columns, self._row, self.problems, self.table.top[self._skipped :])
        total = self.table.size
        if total is None and self._path.is_file():
            total = self._path.stat().st_size
        headings = list(self.columns.headings)
        try:
            for count, (line, cells) in enumerate(islice(self.table.records, self._skipped, None), start=1):
                # Exports that were joined have the headings once more.
                if any(cells) and cells != headings:
                    yield make(line, cells)
                if progress is not None and count % _REPORT_EVERY == 0:
                    progress(self.table.read() if self.table.read else count, total)
        finally:
            self.table.close()

    @property
    def _skipped(self) -> int:
        return 0 if self._at is None else self._at + 1

    def _columns(self, fields: Fields) -> Columns:
        cells = [record for _, record in self.table.top]
        if self._at is None:
            columns = by_cells(cells, self.kind, fields)
        else:
            columns = by_headings(cells[self._at], self.kind, fields)
            for line, record in self.table.top[: self._at]:
                self.problems.add(line, "title", " ".join(filter(None, record))[:60])
        if not NEEDED[self.kind] & columns.places.keys():
            self.table.close()
            if not columns.headings:
                raise FileRefused("no_records", path=str(self._path))
            listed = ", ".join(heading[:40] for heading in columns.headings[:20])
            raise FileRefused(
                "nothing_to_compare", path=str(self._path), kind=self.kind, columns=listed, form=self.table.form
            )
        return columns


def read_people(path: Path, *, fields: Fields | None = None, sheet: str | None = None) -> Reading[PersonRow]:
    """Give the people of a file. Raises ConfigError for a file that cannot be read."""
    return Reading(open_table(path, sheet=sheet), "contacts", PersonRow, fields or {}, path=path)


def read_companies(path: Path, *, fields: Fields | None = None, sheet: str | None = None) -> Reading[CompanyRow]:
    """Give the companies of a file. Raises ConfigError for a file that cannot be read."""
    return Reading(open_table(path, sheet=sheet), "companies", CompanyRow, fields or {}, path=path)


def read_deals(path: Path, *, fields: Fields | None = None, sheet: str | None = None) -> Reading[DealRow]:
    """Give the deals of a file. Raises ConfigError for a file that cannot be read."""
    return Reading(open_table(path, sheet=sheet), "deals", DealRow, fields or {}, path=path)


class _Day(NamedTuple):
    """A column of days, the first of which are remembered: most come again and again."""

    place: int
    parse: Callable[[str], date | None]
    is_past: bool


class _Maker(Generic[Row]):
    """Makes a row of a record's cells; lean, for it runs a million times."""

    def __init__(self, columns: Columns, row: type[Row], problems: Problems, sample: Sequence[Record]) -> None:
        names: tuple[str, ...] = row._fields
        self._make: Callable[[Iterable[Any]], Row] = row._make
        self._problems = problems
        self._width = len(columns.headings)
        self._places = columns.places
        # What the file lacks is read from one empty cell more, put behind the last.
        self._pick = itemgetter(*(columns.places.get(name, (-1,))[0] for name in names))
        self._joined = [(names.index(name), places) for name, places in columns.places.items() if len(places) > 1]
        self._days = [
            _Day(names.index(name), _parser(_is_month_first(places[0], sample)), name == "birthday")
            for name, places in columns.places.items()
            if name in DAYS
        ]
        absent = DAYS - columns.places.keys()
        self._no_days = [names.index(name) for name in absent if name in names]
        self._formulas = sorted(
            {at for _, cells in sample for at, cell in enumerate(cells[: self._width]) if cell.startswith('="')}
        )
        self._phones = names.index("phones") if "phones" in columns.places else 0
        self._lists = {names.index(name) for name in MANY if name in names}
        self._has_ids = "id" in columns.places
        self._own_inn = names.index("inn") if "birthday" in names and "inn" in columns.places else 0
        self._is_deal = row is DealRow
        self._seen: set[str] = set()
        self._today = datetime.now(UTC).date()

    def __call__(self, line: int, cells: list[str]) -> Row:
        if len(cells) != self._width:
            self._fit(line, cells)
        for place in self._formulas:
            if found := _FORMULA.match(cells[place]):
                cells[place] = found[1]
        cells.append("")
        values: list[Any] = list(self._pick(cells))
        for place, places in self._joined:
            values[place] = "; ".join([cell for at in places if (cell := cells[at])])
        if len("".join(values)) > LONGEST:
            self._cut(line, values)
        for place in self._no_days:
            values[place] = None
        for day in self._days:
            values[day.place] = self._day(line, text, day) if (text := values[day.place]) else None
        if self._phones and "E+" in values[self._phones]:
            self._check_number(line, values[self._phones])
        if self._own_inn and len(values[self._own_inn].strip()) <= _FIRMS_INN:
            values[self._own_inn] = ""
        values[0] = self._id(line, values[0].strip()) if self._has_ids else str(line)
        if self._is_deal:
            self._settle_deal(values)
        return self._make(values)

    def _cut(self, line: int, values: list[Any]) -> None:
        for place, text in enumerate(values):
            most = LONGEST_LIST if place in self._lists else LONGEST
            if len(text) > most:
                self._problems.add(line, "long_cell", text[:40])
                values[place] = text[:most]

    def _fit(self, line: int, cells: list[str]) -> None:
        if len(cells) < self._width:
            self._problems.add(line, "narrow", f"{len(cells)} / {self._width}")
            cells.extend([""] * (self._width - len(cells)))
            return
        if any(cells[self._width :]):
            self._problems.add(line, "wide", " ".join(filter(None, cells[self._width :]))[:60])
        del cells[self._width :]

    def _id(self, line: int, text: str) -> str:
        if not text:
            self._problems.add(line, "empty_id")
            text = f"line:{line}"
        elif text in self._seen:
            self._problems.add(line, "same_id", text[:60])
            text = f"line:{line}"
        self._seen.add(text)
        return text

    def _day(self, line: int, text: str, day: _Day) -> date | None:
        # With its second each would be another text to read.
        timed = _TIMED.match(text) if len(text) > _SHORTEST_TIMED else None
        try:
            found = day.parse(timed[1] if timed else text)
        except Unreadable:
            self._problems.add(line, "date", text[:40])
            return None
        if found and day.is_past and found > self._today:
            self._problems.add(line, "date", text[:40])
            return None
        return found

    def _check_number(self, line: int, text: str) -> None:
        # Ten digits behind the point are a whole number of the CIS.
        if any(len(found[1]) < 9 for found in _LOST.finditer(text)):
            self._problems.add(line, "lost_number", text[:40])

    def _settle_deal(self, values: list[Any]) -> None:
        """Whether a deal is over: its own column says so, else its stage, else a closing day that has come."""
        stage, said, closed = str(values[4]), str(values[5]).strip().casefold(), values[10]
        is_over = said in _YES or bool(_ENDED.search(said)) or bool(_ENDED.search(stage))
        if not said and closed is not None and closed <= self._today:
            is_over = True
        values[5] = is_over


def _parser(is_month_first: bool) -> Callable[[str], date | None]:
    # Of one argument: the same cache in front of a keyword takes three times as long.
    return lru_cache(_REMEMBERED)(partial(parse_date, is_month_first=is_month_first))


def _is_month_first(place: int, sample: Sequence[Record]) -> bool:
    return shows_month_first([cells[place] for _, cells in sample if place < len(cells)])
