"""CSV in its bad habits: nothing is lost silently, and memory stays bounded."""

from __future__ import annotations

import io
import os
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crmkit_dedup.files.delimited import detect_delimiter, records
from crmkit_dedup.files.encodings import Encoding
from crmkit_dedup.files.lines import Lines
from crmkit_dedup.files.opening import open_table
from crmkit_dedup.files.problems import Problem, Problems
from crmkit_dedup.files.reading import read_people

Saved = Callable[..., Path]


def cells(path: Path) -> list[list[str]]:
    """All records of a file."""
    return [record for _, record in open_table(path).records]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    """The sign that cuts all lines alike is the delimiter, though others stand in cells."""
    lines = [
        delimiter.join(("id", "имя", "телефоны")) + "\n",
        delimiter.join(("1", '"Иванов, Пётр; директор"', "8916; 8917")) + "\n",
        delimiter.join(("2", '"ООО ""Ромашка"" | филиал"', "1,5")) + "\n",
    ]
    if delimiter == ";":
        lines[1] = lines[1].replace("8916; 8917", '"8916; 8917"')
    if delimiter == ",":
        lines[2] = lines[2].replace("1,5", '"1,5"')

    assert detect_delimiter(lines) == delimiter


def test_known_headings_tell_the_delimiter_whatever_the_cells_hold() -> None:
    """Cells full of another sign do not outweigh the headings; without any, the most even cut does."""
    lines = ["id,phone,email\n", *(f'{number},"{"; " * 50}","{"; " * 50}"\n' for number in range(9))]

    assert detect_delimiter(lines) == ","
    assert detect_delimiter(["1;2,5;3\n", "4;5;6\n", "7;8,1;9,2\n"]) == ";"


def test_a_line_that_names_the_delimiter_is_believed(saved: Saved) -> None:
    """Excel's own first line is no record."""
    table = open_table(saved("sep=;\nid;имя\n1;Пётр, Анна\n"))

    assert list(table.records) == [(2, ["id", "имя"]), (3, ["1", "Пётр, Анна"])]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_end_of_line_ends_a_line(end: str, saved: Saved) -> None:
    """Windows, Unix and the old Mac."""
    assert cells(saved(f"id,имя{end}1,Пётр{end}2,Анна{end}")) == [["id", "имя"], ["1", "Пётр"], ["2", "Анна"]]


def test_a_note_of_several_lines_is_one_cell(saved: Saved) -> None:
    """Line breaks within quotes belong to the cell, and lines are counted through them."""
    table = open_table(saved('id,имя,заметка\n1,Пётр,"первая\nвторая, с запятой\n"\n2,Анна,\n'))

    assert list(table.records) == [
        (1, ["id", "имя", "заметка"]),
        (2, ["1", "Пётр", "первая\nвторая, с запятой\n"]),
        (5, ["2", "Анна", ""]),
    ]
    assert table.problems.kept == []


def test_a_quote_left_open_swallows_nothing(saved: Saved) -> None:
    """The line is read as it stands, the lines behind it as ever: at the end, in the middle, and over a quoted line."""
    text = 'id,имя\n1,"Пётр\n2,Анна\n3,"Юрий"\n4,"Ольга\n5,Вера\n'
    table = open_table(saved(text))

    assert [record for _, record in table.records] == [
        ["id", "имя"],
        ["1", "Пётр"],
        ["2", "Анна"],
        ["3", "Юрий"],
        ["4", "Ольга"],
        ["5", "Вера"],
    ]
    assert table.problems.kept == [Problem(2, "quote", '1,"Пётр'), Problem(5, "quote", '4,"Ольга')]


def test_an_open_quote_before_much_text_costs_one_line(saved: Saved) -> None:
    """csv itself gives up after 131,072 characters; every record is still there."""
    rows = "".join(f"{number},Пётр Ильич\n" for number in range(2, 20_002))
    table = open_table(saved(f'id,имя\n1,"Анна\n{rows}'))

    found = [record for _, record in table.records]

    assert len(found) == 20_002
    assert found[1] == ["1", "Анна"]
    assert found[-1] == ["20001", "Пётр Ильич"]
    assert table.problems.counts == {"quote": 1}


def test_quotes_inside_a_word_are_letters(saved: Saved) -> None:
    """Inches and nicknames do not open a cell."""
    assert cells(saved('id,имя\n1,Труба 5"\n2,Пётр "Кот" Ильин\n')) == [
        ["id", "имя"],
        ["1", 'Труба 5"'],
        ["2", 'Пётр "Кот" Ильин'],
    ]


def test_nul_bytes_are_removed_and_told(saved: Saved) -> None:
    """The rest of the line stays."""
    table = open_table(saved(b"id,name\n1,Pe\0ter\n2,Ann\n"))

    assert [record for _, record in table.records] == [["id", "name"], ["1", "Peter"], ["2", "Ann"]]
    assert table.problems.kept == [Problem(2, "nul")]


def test_a_cell_too_long_for_csv_is_cut(saved: Saved) -> None:
    """The line keeps its other cells."""
    table = open_table(saved("id,имя,телефон\n1," + "я" * 200_000 + ",89161234567\n2,Анна,\n"))

    found = [record for _, record in table.records]

    assert found[1] == ["1", "я" * 20_000, "89161234567"]
    assert found[2] == ["2", "Анна", ""]
    assert table.problems.kept == [Problem(2, "long_cell")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_line_beyond_the_cap_is_cut_and_told(encoding: str, saved: Saved) -> None:
    """Its beginning is a record, what follows it is read as ever."""
    text = "id,имя,телефон\n1,Пётр," + "9" * 5_000 + "\n2,Анна,89161234567\n"
    table = open_table(saved(text, encoding=encoding), longest=1_000)

    found = [record for _, record in table.records]

    assert found[0] == ["id", "имя", "телефон"]
    assert found[1][:2] == ["1", "Пётр"]
    assert len(found[1][2]) < 1_000
    assert found[2:] == [["2", "Анна", "89161234567"]]
    assert [(problem.line, problem.code) for problem in table.problems.kept] == [(2, "long")]


class _Endless(io.RawIOBase):
    """Bytes of a file that nobody could hold: a head, a filling, a tail."""

    def __init__(self, head: bytes, filling: int, tail: bytes) -> None:
        self._parts, self._left, self._tail = [head], filling, tail

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._parts and self._left:
            size = min(self._left, len(buffer))
            self._left -= size
            buffer[:size] = b"x" * size
            return size
        part = self._parts.pop() if self._parts else self._tail
        if not self._left and part is self._tail:
            self._tail = b""
        buffer[: len(part)] = part
        return len(part)


def _peak(lines: Iterator[str]) -> tuple[list[str], int]:
    tracemalloc.start()
    try:
        found = [line[:40] for line in lines]
        return found, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_line_of_64_megabytes_takes_the_memory_of_a_few() -> None:
    """What is behind the cap is counted and dropped as it comes."""
    problems = Problems()
    raw = io.BufferedReader(_Endless(b"id,name\n1,", 64 << 20, b"\n2,Ann\n"), 1 << 18)

    found, peak = _peak(iter(Lines(raw, Encoding("utf-8"), problems)))

    assert found == ["id,name\n", "1," + "x" * 38, "2,Ann\n"]
    assert problems.kept == [Problem(2, "long", "67,108,867")]
    assert peak < 6 << 20


@pytest.mark.slow
def test_a_line_of_two_gigabytes_in_a_pipe(tmp_path: Path) -> None:
    """The whole way: a pipe that gives 2 GB without a line break, and a good record behind it."""
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)

    def fill() -> None:
        with path.open("wb") as pipe:
            pipe.write(b"id,name,phone\n1,Peter,")
            for _ in range(2048):
                pipe.write(b"9" * (1 << 20))
            pipe.write(b"\n2,Ann,89161234567\n")

    writer = threading.Thread(target=fill, daemon=True)
    writer.start()
    reading = read_people(path)
    tracemalloc.start()
    try:
        found = [(row.id, row.name, row.phones[:11]) for row in reading.rows()]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    writer.join()

    assert found == [("1", "Peter", "99999999999"), ("2", "Ann", "89161234567")]
    assert peak < 16 << 20


def test_records_of_no_lines_are_none() -> None:
    """An empty text has no records."""
    assert list(records([], ",", Problems())) == []
