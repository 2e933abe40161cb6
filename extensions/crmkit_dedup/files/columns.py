"""Which column is which field: by its heading, by what a person says, or by what the cells look like."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from crmkit_dedup.files.dates import Unreadable, parse_date
from crmkit_dedup.files.headings import ALIASES, FIELDS, MANY, Kind, field_of, plain
from crmkit_dedup.files.refusals import FileRefused

SEARCHED = 20
"""Lines at the top of a table among which the headings are looked for."""

# Patterns that are quick on a cell would take minutes on a megabyte.
_LOOKED_AT = 200

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"^\W*(?:тел|моб)?\W*\+?[\d\s()\-.–]{10,20}\D{0,12}$")
_WORDS = re.compile(r"^[A-Za-zА-Яа-яЁёІіЇї'’\-]{2,}(?:\s+[A-Za-zА-Яа-яЁёІіЇї'’\-.]+){0,3}$")
_PATRONYMIC = re.compile(r"(вич|вна|ична|ьич|мич|оглы|кызы)$", re.IGNORECASE)
_FORM = re.compile(r"(^|\W)(ооо|ао|ип|зао|пао|тоо|llc|ltd)(\W|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Columns:
    """Which columns hold which field; positions count from 0."""

    headings: tuple[str, ...]
    places: Mapping[str, tuple[int, ...]]
    """Field -> its columns, in the order of the file; a field that the file lacks is left out."""
    is_guessed: bool = False
    """The file has no headings: fields were told from the cells."""
    unknown: tuple[str, ...] = field(default=())
    """Headings that no field was found for."""

    def shown(self) -> list[tuple[str, str]]:
        """Give field and heading of each column that is read, in the order of the file, for a person to check."""
        pairs = sorted((place, name) for name, places in self.places.items() for place in places)
        return [(name, self.headings[place]) for place, name in pairs]


def find_headings(rows: Sequence[Sequence[str]], kind: Kind, named: Iterable[str] = ()) -> int | None:
    """Give the position of the line with headings among the first ones; None where there is none.

    `named` are headings that a person has spoken of: a line that has one is the line.
    """
    wanted = {plain(name) for name in named if name}
    best, best_count = None, 0
    for at, cells in enumerate(rows[:SEARCHED]):
        if any(map(_is_data, cells)):
            continue
        fields = {name for cell in cells if (name := field_of(cell, kind)) is not None}
        count = len(fields) + 2 * len(wanted.intersection(map(plain, cells)) if wanted else ())
        if count > best_count:
            best, best_count = at, count
    # One word that may be a heading is one where it stands above what it names.
    if best_count == 1 and not any(_is_data(cell) for cells in rows[: SEARCHED + 1] for cell in cells):
        return best if max(map(len, rows)) <= 3 else None
    return best


def by_headings(headings: Sequence[str], kind: Kind, overrides: Mapping[str, Sequence[str]]) -> Columns:
    """Give the columns of a table with headings; `overrides` are field -> names of columns that a person has said.

    Raises ConfigError for a field or a column that does not exist.
    """
    names = tuple(heading.strip().lstrip("\ufeff") for heading in headings)
    places: dict[str, list[int]] = {}
    unknown: list[str] = []
    said = {ALIASES.get(name.casefold(), name.casefold()): wanted for name, wanted in overrides.items()}
    taken = {place for name, wanted in said.items() for place in _said(name, wanted, names, kind)}
    for place, heading in enumerate(names):
        if place in taken:
            continue
        name = field_of(heading, kind)
        if name is None and heading:
            unknown.append(heading)
        if name and name not in said and (name in MANY or name not in places):
            places.setdefault(name, []).append(place)
    for name, wanted in said.items():
        if found := _said(name, wanted, names, kind):
            places[name] = found
    _settle(places, names, said, kind)
    ordered = {name: tuple(places[name]) for name in FIELDS[kind] if name in places}
    return Columns(names, ordered, unknown=tuple(unknown))


def _said(name: str, wanted: Iterable[str], headings: Sequence[str], kind: Kind) -> list[int]:
    if name not in FIELDS[kind]:
        raise FileRefused("no_field", field=name, kind=kind, fields=", ".join(sorted(FIELDS[kind])))
    found: list[int] = []
    for heading in filter(None, wanted):
        same = [at for at, other in enumerate(headings) if other == heading]
        same = same or [at for at, other in enumerate(headings) if plain(other) == plain(heading)]
        if not same and heading.startswith("#") and heading[1:].isdigit() and 0 < int(heading[1:]) <= len(headings):
            same = [int(heading[1:]) - 1]
        if not same:
            listed = ", ".join(filter(None, headings[:30]))
            raise FileRefused("no_column", field=name, column=heading[:80], columns=listed)
        found += same
    return found


def _settle(
    places: dict[str, list[int]], headings: Sequence[str], said: Mapping[str, Sequence[str]], kind: Kind
) -> None:
    """What one heading means beside the others: a lone "Имя" holds the whole name, a lone "Статус" is the stage.

    A lone "Closed" is the day, one beside the day is a yes or a no.
    """
    present = places.keys() - said.keys()
    if kind == "contacts" and "first" in present and not {"last", "name"} & places.keys():
        places["name"] = places.pop("first")
    is_name_alone = "name" in present and plain(headings[places["name"][0]]) == "name"
    if kind == "contacts" and is_name_alone and "last" in places and "first" not in places:
        places["first"] = places.pop("name")
    closed = [at for at, heading in enumerate(headings) if field_of(heading, kind) == "closed"]
    if kind == "deals" and len(closed) > 1 and not {"closed", "is_closed"} & said.keys():
        closed.sort(key=lambda at: plain(headings[at]) == "closed")
        places["closed"] = closed[:1]
        if plain(headings[closed[-1]]) == "closed":
            places.setdefault("is_closed", closed[-1:])
    if kind == "deals" and "stage" not in places and "is_closed" in places:
        places["stage"] = places["is_closed"]


def by_cells(rows: Sequence[Sequence[str]], kind: Kind, overrides: Mapping[str, Sequence[str]]) -> Columns:
    """Give the columns of a table without headings, from its first rows; columns are named #1, #2 and so on."""
    width = max(map(len, rows), default=0)
    names = tuple(f"#{place + 1}" for place in range(width))
    places: dict[str, list[int]] = {}
    for place in range(width):
        cells = [cell for row in rows if place < len(row) and (cell := row[place][:_LOOKED_AT].strip())]
        name = _looks_like(cells, kind, is_first=place == 0, rows=len(rows)) if cells else None
        if name and (name in MANY or name == "name" or name not in places):
            places.setdefault(name, []).append(place)
    if kind == "contacts" and "name" in places:
        _settle_guessed_names(places, rows)
    for name, wanted in overrides.items():
        real = ALIASES.get(name.casefold(), name.casefold())
        found = _said(real, wanted, names, kind)
        for others in places.values():
            others[:] = [place for place in others if place not in found]
        places[real] = found
    ordered = {name: tuple(places[name]) for name in FIELDS[kind] if places.get(name)}
    return Columns(names, ordered, is_guessed=True)


def _settle_guessed_names(places: dict[str, list[int]], rows: Sequence[Sequence[str]]) -> None:
    """Columns of one word each are surname and first name; the one of patronymics says so by its endings."""
    found = places.pop("name")
    if any(len(row[found[0]].split()) > 1 for row in rows if found[0] < len(row)) or len(found) == 1:
        places["name"] = found[:1]
        return
    for place in found:
        cells = [row[place].strip() for row in rows if place < len(row) and row[place].strip()]
        if sum(bool(_PATRONYMIC.search(cell)) for cell in cells) * 2 > len(cells):
            places["middle"] = [place]
    others = [place for place in found if [place] != places.get("middle")]
    places.update({name: [place] for name, place in zip(("last", "first"), others, strict=False)})


def _looks_like(cells: Sequence[str], kind: Kind, *, is_first: bool, rows: int) -> str | None:
    def most(count: int) -> bool:
        return count * 10 >= len(cells) * 6

    if kind != "deals" and most(sum(bool(_EMAIL.search(cell)) for cell in cells)):
        return "emails"
    if is_first and len(set(cells)) == len(cells) == rows and all(" " not in cell and len(cell) < 40 for cell in cells):
        return "id"
    if kind == "companies" and most(
        sum(cell.isdigit() and 9 <= len(cell) <= 12 and cell[:1] not in "78" for cell in cells)
    ):
        return "inn"
    if most(sum(map(_is_date, cells))):
        return "created" if kind != "contacts" else "birthday"
    if kind != "deals" and most(sum(bool(_PHONE.match(cell)) for cell in cells)):
        return "phones"
    if kind == "companies" and sum(bool(_FORM.search(cell)) for cell in cells) * 4 >= len(cells):
        return "name"
    if kind == "contacts" and most(sum(bool(_WORDS.match(cell)) for cell in cells)):
        return "name"
    return None


def _is_date(cell: str) -> bool:
    try:
        return not cell.isdigit() and parse_date(cell) is not None
    except Unreadable:
        return False


def _is_data(cell: str) -> bool:
    cell = cell[:_LOOKED_AT]
    return bool(_EMAIL.search(cell)) or sum(map(str.isdigit, cell)) >= 7
