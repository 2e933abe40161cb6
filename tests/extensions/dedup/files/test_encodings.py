"""Encodings: told from bytes alone, line by line where a file holds several."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from crmkit_dedup.files.encodings import Encoding, detect
from crmkit_dedup.files.problems import Problem
from crmkit_dedup.files.reading import read_people

TEXT = "ID;ФИО;Телефон\n1;Иванов Пётр Ильич;8 916 123-45-67\n2;Щукина Юлия;+7 903 000 11 22\n3;объёмный ЖУРАВЛЁВ;\n"


@pytest.mark.parametrize("encoding", ["utf-8", "cp1251", "koi8-r", "cp866", "mac-cyrillic", "iso8859-5"])
def test_a_russian_text_is_known_in_every_encoding(encoding: str) -> None:
    """The encoding that makes a Russian text of the bytes is the one named."""
    assert detect(TEXT.encode(encoding)) == Encoding(encoding)


@pytest.mark.parametrize(
    ("encoding", "mark", "name"),
    [
        ("utf-8-sig", 3, "utf-8"),
        ("utf-16", 2, "utf-16-le"),
        ("utf-16-le", 0, "utf-16-le"),
        ("utf-16-be", 0, "utf-16-be"),
        ("utf-32", 4, "utf-32-le"),
    ],
)
def test_marks_and_wide_letters(encoding: str, mark: int, name: str) -> None:
    """A byte order mark names the encoding and is no text; without one, two-byte letters show themselves."""
    assert detect(TEXT.encode(encoding)) == Encoding(name, mark)


@pytest.mark.parametrize("text", [b"id,phone\n1,89161234567\n", "«Ромашка» — №1\n".encode("cp1251") * 3])
def test_little_evidence_is_read_the_likely_way(text: bytes) -> None:
    """ASCII is UTF-8; a few signs of typography do not make a text foreign."""
    assert detect(text).name in ("utf-8", "cp1251")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1251", "koi8-r", "cp866"])
def test_a_file_reads_the_same_in_every_encoding(encoding: str, saved: Callable[..., Path]) -> None:
    """The rows are those of the text, whatever bytes it was written in."""
    reading = read_people(saved(TEXT, encoding=encoding))

    assert [(row.id, row.name, row.phones) for row in reading.rows()] == [
        ("1", "Иванов Пётр Ильич", "8 916 123-45-67"),
        ("2", "Щукина Юлия", "+7 903 000 11 22"),
        ("3", "объёмный ЖУРАВЛЁВ", ""),
    ]
    assert reading.problems.kept == []


def test_lines_of_another_encoding_are_read_in_it_and_reported(saved: Callable[..., Path]) -> None:
    """Two files glued together lose no letter, either way round."""
    utf, old = "id,фио\n1,Пётр Ильич\n2,Юлия\n3,Анна\n".encode(), "4,Жанна Щукина\n".encode("cp1251")
    head, new = "id,фио\n1,Пётр Ильич\n2,Юлия Щукина\n3,Роман\n".encode("cp1251"), "4,Жанна Щукина\n".encode()

    first, second = read_people(saved(utf + old, "a.csv")), read_people(saved(head + new, "b.csv"))

    assert [row.name for row in first.rows()] == ["Пётр Ильич", "Юлия", "Анна", "Жанна Щукина"]
    assert first.problems.kept == [Problem(5, "encoding", "cp1251")]
    assert [row.name for row in second.rows()] == ["Пётр Ильич", "Юлия Щукина", "Роман", "Жанна Щукина"]
    assert second.problems.kept == [Problem(5, "encoding", "utf-8")]


def test_broken_bytes_are_marked_in_place(saved: Callable[..., Path]) -> None:
    """One bad byte costs one letter, and its line is told."""
    reading = read_people(saved("id,фио\n1,Пётр".encode() + b"\xff" + " Ильич\n2,Анна\n".encode()))

    assert [row.name for row in reading.rows()] == ["Пётр\ufffd Ильич", "Анна"]
    assert reading.problems.kept == [Problem(2, "bytes", "ff 20 d0")]
