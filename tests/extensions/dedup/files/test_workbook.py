"""Workbooks: the sheet with the data, merged cells, numbers as people typed them; bombs stay shut."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from crmkit.errors import ConfigError
from crmkit_dedup.files import workbook
from crmkit_dedup.files.reading import read_people

Book = Callable[..., Path]
HEAD = ["ID", "ФИО", "Телефон", "Дата рождения"]


def test_numbers_and_days_come_as_a_person_would_read_them(book: Book) -> None:
    """A phone typed as a number has no point behind it, a serial number of a day is the day."""
    path = book(
        {"Лист1": [HEAD, [7, "Иванов Пётр", 79161234567, 31113], [8.0, "Анна", "8 916 000-11-22", "07.03.1985"]]}
    )

    reading = read_people(path)

    assert [(row.id, row.phones, row.birthday) for row in reading.rows()] == [
        ("7", "79161234567", date(1985, 3, 7)),
        ("8", "8 916 000-11-22", date(1985, 3, 7)),
    ]
    assert reading.table.form == "XLSX, «Лист1»"
    assert reading.table.size == 3


def test_the_sheet_with_the_data_is_read_or_the_one_named(book: Book) -> None:
    """Covers and notes are passed over; a name is a name in any case; a wrong one lists the right ones."""
    path = book({"Титул": [["Отчёт"]], "Контакты": [HEAD, [1, "Пётр"], [2, "Анна"]], "Архив": [HEAD, [3, "Вера"]]})

    assert [row.id for row in read_people(path).rows()] == ["1", "2"]
    assert [row.id for row in read_people(path, sheet="архив ").rows()] == ["3"]
    with pytest.raises(ConfigError, match="no sheet 'Лист9'") as refusal:
        read_people(path, sheet="Лист9")
    assert refusal.value.remedy == "Sheets: Титул, Контакты, Архив."


def test_a_hidden_sheet_is_read_when_it_is_named_or_nothing_else_stands_there(book: Book) -> None:
    """Lists of choices and old copies are what people hide."""
    both = {"Контакты": [HEAD, [1, "Пётр"]], "Справочник": [HEAD, *([number, "Вера"] for number in range(10, 20))]}
    beside = book(both, hidden=["Справочник"], name="beside.xlsx")
    alone = book({"Справочник": [HEAD, [3, "Вера"]]}, hidden=["Справочник"], name="alone.xlsx")

    assert [row.id for row in read_people(beside).rows()] == ["1"]
    assert len(list(read_people(beside, sheet="Справочник").rows())) == 10
    assert [row.id for row in read_people(alone).rows()] == ["3"]


def test_merged_cells_are_carried_down_and_titles_passed_over(book: Book) -> None:
    """A company merged over its people is everybody's; a title merged over the headings is nobody's."""
    rows = [
        ["Выгрузка за март", "", ""],
        ["Компания", "ФИО", "Телефон"],
        ["Ромашка", "Пётр Ильин", 79161234567],
        ["", "Анна Ильина", 79161234568],
        ["", "Вера Цой", 79161234569],
        ["Лютик", "Олег Ким", 79161234570],
    ]
    reading = read_people(book({"Лист": rows}, merged=["A1:C1", "A3:A4"]))

    assert [(row.id, row.company, row.name) for row in reading.rows()] == [
        ("3", "Ромашка", "Пётр Ильин"),
        ("4", "Ромашка", "Анна Ильина"),
        ("5", "", "Вера Цой"),
        ("6", "Лютик", "Олег Ким"),
    ]
    assert [(problem.line, problem.code) for problem in reading.problems.kept] == [(1, "title")]


def test_a_formula_is_its_last_result_and_is_never_calculated(book: Book) -> None:
    """What stands in the cell is read; what is behind it is not run."""
    path = book({"Лист": [HEAD, [1, '{=HYPERLINK("http://x","Пётр")}Пётр', "=1+1", ""]]})

    assert [(row.name, row.phones) for row in read_people(path).rows()] == [("Пётр", "=1+1")]


def test_a_table_away_from_the_corner_keeps_its_rows(book: Book) -> None:
    """Empty rows and columns before the table change neither the cells nor the numbers of the lines."""
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="3"><c r="C3" t="inlineStr"><is><t>ФИО</t></is></c>'
        '<c r="D3" t="inlineStr"><is><t>Компания</t></is></c></row>'
        '<row r="5"><c r="C5" t="inlineStr"><is><t>Анна</t></is></c>'
        '<c r="D5" t="inlineStr"><is><t>Лютик</t></is></c></row>'
        '<row r="6"><c r="C6" t="inlineStr"><is><t>Олег</t></is></c></row>'
        '</sheetData><mergeCells><mergeCell ref="D5:D6"/></mergeCells></worksheet>'
    )

    found = list(read_people(book({"Лист": sheet})).rows())

    assert [(row.id, row.name, row.company) for row in found] == [("5", "Анна", "Лютик"), ("6", "Олег", "Лютик")]


def bomb(path: Path, part: str, size: int, *, said: int | None = None) -> Path:
    """A workbook one part of which unpacks to `size` zeros, whatever its directory says."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open(part, "w") as file:
            for _ in range(size >> 20):
                file.write(b"\0" * (1 << 20))
    if said is not None:
        content = path.read_bytes()
        path.write_bytes(content.replace(struct.pack("<I", size), struct.pack("<I", said)))
    return path


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/media/image1.png"])
@pytest.mark.parametrize("said", [None, 1000])
def test_a_zip_bomb_is_refused_unopened(part: str, said: int | None, tmp_path: Path) -> None:
    """However small it says it is, and in whatever part it hides."""
    path = bomb(tmp_path / "bomb.xlsx", part, 80 << 20, said=said)

    with pytest.raises(ConfigError, match="zip bomb"):
        read_people(path)


def test_a_workbook_larger_than_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is on all parts together."""
    monkeypatch.setattr(workbook, "LARGEST", 3 << 20)
    path = tmp_path / "large.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number in range(4):
            archive.writestr(f"xl/worksheets/sheet{number}.xml", bytes(range(256)) * 4096)

    with pytest.raises(ConfigError, match="zip bomb"):
        read_people(path)


def test_cells_at_the_far_corner_are_refused(book: Book) -> None:
    """Two cells as far apart as a sheet allows would take gigabytes."""
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
        "</sheetData></worksheet>"
    )

    with pytest.raises(ConfigError, match="row 1,048,576, column 16,384"):
        read_people(book({"Лист": sheet}))


@pytest.mark.parametrize(
    "content",
    [b"PK\x03\x04" + b"junk" * 50, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, b"PK\x03\x04"],
)
def test_a_broken_workbook_is_said(content: bytes, tmp_path: Path) -> None:
    """The file is named, and what to do."""
    path = tmp_path / "broken.xlsx"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=r"broken\.xlsx is no readable workbook") as refusal:
        read_people(path)
    assert refusal.value.remedy == "Open it in a spreadsheet and save it anew."


def test_a_zip_that_is_no_workbook_is_said(tmp_path: Path) -> None:
    """An archive of something else has no sheets."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("readme.txt", "hello")
    path = tmp_path / "archive.zip"
    path.write_bytes(packed.getvalue())

    with pytest.raises(ConfigError, match="no readable workbook"):
        read_people(path)
