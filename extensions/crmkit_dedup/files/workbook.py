"""Tables of XLSX and XLS workbooks, and which of them are refused unopened."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import BinaryIO

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from crmkit_dedup.files.columns import SEARCHED
from crmkit_dedup.files.problems import Problems
from crmkit_dedup.files.refusals import FileRefused
from crmkit_dedup.files.table import Record, Table

LARGEST = 1 << 31
"""Bytes that a workbook may unpack to."""
SUSPECT_PART, STEEPEST = 64 << 20, 150
"""A part above so many bytes must not be packed more tightly than this: XML of real tables comes to 10-40."""
CELLS = 60_000_000
"""Cells between the first and the farthest one: each costs memory, empty or not."""

_CHUNK = 1 << 22
_CELL = re.compile(rb"""\br=["']([A-Za-z]{1,6})(\d{1,9})["']""")
_CellValue = int | float | str | bool | time | date | datetime | timedelta


def open_workbook(path: Path, problems: Problems, *, sheet: str | None = None) -> Table:
    """Give the table of a sheet: the one named, else of those that are not hidden the one with most rows.

    Merged cells count once, where they begin, but a value merged downwards is that of every row beneath it.
    Raises ConfigError for a workbook that is broken, protected by a password or unpacks to more than `LARGEST`, for
    one whose cells lie further apart than any table's, for a sheet that does not exist.
    """
    if zipfile.is_zipfile(path):
        _weigh(path)
    try:
        book = CalamineWorkbook.from_path(str(path))
        sheets = [about for about in book.sheets_metadata if about.typ == SheetTypeEnum.WorkSheet]
        names = [about.name for about in sheets]
        seen = [about.name for about in sheets if about.visible == SheetVisibleEnum.Visible]
        chosen = _named(book, names, sheet, path) if sheet is not None else _fullest(book, seen or names, path)
    except PasswordError as error:
        raise FileRefused("password", path=path.name) from error
    except (CalamineError, OSError, ValueError) as error:
        raise FileRefused("workbook", path=path.name, why=str(error)) from error
    rows = _rows(chosen)
    top = [record for _, record in zip(range(SEARCHED * 2), rows, strict=False)]
    others = ", ".join(name for name in names if name != chosen.name)
    form = f"XLSX, «{chosen.name}»" + (f" ({others})" if others else "")
    return Table(form, top, _chained(top, rows), problems, size=(chosen.end or (0, 0))[0] + 1)


def _chained(top: Sequence[Record], rows: Iterator[Record]) -> Iterator[Record]:
    yield from top
    yield from rows


def _named(book: CalamineWorkbook, names: Sequence[str], wanted: str, path: Path) -> CalamineSheet:
    same = [name for name in names if name.strip().casefold() == wanted.strip().casefold()]
    if not same:
        raise FileRefused("sheet", path=path.name, sheet=wanted, sheets=", ".join(names) or "—")
    return book.get_sheet_by_name(same[0])


def _fullest(book: CalamineWorkbook, names: Sequence[str], path: Path) -> CalamineSheet:
    best: CalamineSheet | None = None
    for name in names:
        sheet = book.get_sheet_by_name(name)
        if best is None or sheet.height * min(sheet.width, 3) > best.height * min(best.width, 3):
            best = sheet
    if best is None:
        raise FileRefused("no_cells", path=path.name)
    return best


def _rows(sheet: CalamineSheet) -> Iterator[Record]:
    # calamine leaves out empty columns on the left, and not the empty rows above.
    left = (sheet.start or (0, 0))[1]
    below = {(row, column - left): last for (row, column), (last, _) in sheet.merged_cell_ranges or () if last > row}
    held: dict[int, tuple[int, str]] = {}
    for row, values in enumerate(sheet.iter_rows()):
        cells = [value if type(value) is str else _text(value) for value in values]
        if below:
            _fill(cells, row, below, held)
        if any(cells):
            yield row + 1, cells


def _fill(cells: list[str], row: int, below: dict[tuple[int, int], int], held: dict[int, tuple[int, str]]) -> None:
    """Carry a value that is merged downwards into the rows beneath; headings and titles go sideways and stay."""
    for column, text in enumerate(cells):
        last = below.get((row, column))
        if last is not None:
            held[column] = (last, text)
        elif column in held and row > held[column][0]:
            del held[column]
        elif column in held and not text:
            cells[column] = held[column][1]


def _text(value: _CellValue) -> str:
    """A cell as a person would read it: whole numbers without a point, days without an hour."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _weigh(path: Path) -> None:
    """Refuse a workbook that unpacks to too much: measured, since a bomb lies about its size."""
    total = 0
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            for part in archive.infolist():
                is_sheet = part.filename.startswith("xl/worksheets/") and part.filename.endswith(".xml")
                size = _unpacked(file, part, LARGEST - total, is_sheet=is_sheet, name=path.name)
                if size > SUSPECT_PART and size > STEEPEST * max(1, part.compress_size):
                    raise FileRefused("bomb", path=path.name)
                total += size
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise FileRefused("workbook", path=path.name, why=str(error)) from error


def _unpacked(file: BinaryIO, part: zipfile.ZipInfo, left: int, *, is_sheet: bool, name: str) -> int:
    """Bytes that a part unpacks to; the cells of a sheet are looked at on the way."""
    # Deflate packs 1032 to 1 at best, so a small part cannot be large.
    if not is_sheet and part.compress_size * 1032 < SUSPECT_PART:
        return part.compress_size * 4
    file.seek(part.header_offset + 26)
    lengths = file.read(4)
    if len(lengths) < 4:
        raise EOFError(part.filename)
    file.seek(int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little"), 1)
    extent = _Extent()
    size, tail = 0, b""
    for piece in _inflated(file, part):
        size += len(piece)
        if size > left:
            raise FileRefused("bomb", path=name)
        if is_sheet:
            extent.see(tail + piece)
            tail = piece[-24:]
    if extent.cells > CELLS:
        raise FileRefused("extent", path=name, rows=extent.rows, columns=extent.columns)
    return size


def _inflated(file: BinaryIO, part: zipfile.ZipInfo) -> Iterator[bytes]:
    left = part.compress_size
    inflate = zlib.decompressobj(-15) if part.compress_type == zipfile.ZIP_DEFLATED else None
    while left > 0 and (packed := file.read(min(_CHUNK // 4, left))):
        left -= len(packed)
        while packed:
            if inflate is None:
                yield packed
                break
            yield inflate.decompress(packed, _CHUNK)
            packed = inflate.unconsumed_tail


class _Extent:
    """How far from the corner the cells of a sheet go."""

    def __init__(self) -> None:
        self.rows = self.columns = 0

    @property
    def cells(self) -> int:
        return self.rows * self.columns

    def see(self, text: bytes) -> None:
        found = _CELL.findall(text)
        for letters in {letters for letters, _ in found}:
            column = 0
            for letter in letters.upper():
                column = column * 26 + letter - 64
            self.columns = max(self.columns, column)
        self.rows = max(self.rows, max((int(row) for _, row in found), default=0))
