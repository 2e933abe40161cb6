"""A file made into a table, whatever it is: CSV in any encoding, a workbook, JSON, a table of HTML."""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedReader, FileIO
from itertools import chain, islice
from pathlib import Path

from crmkit_dedup.files.columns import SEARCHED
from crmkit_dedup.files.delimited import detect_delimiter, records
from crmkit_dedup.files.encodings import Encoding, detect
from crmkit_dedup.files.jsonlines import LARGEST, as_records, is_document, objects
from crmkit_dedup.files.lines import LONGEST, Lines
from crmkit_dedup.files.problems import Problems
from crmkit_dedup.files.refusals import FileRefused
from crmkit_dedup.files.table import Record, Table
from crmkit_dedup.files.webtable import LONGEST_LINE, is_table, web_records
from crmkit_dedup.files.workbook import open_workbook

_SAMPLE = 1 << 18
_PEEKED = 200
_NAMES = {"cp1251": "windows-1251", "koi8-r": "KOI8-R", "cp866": "CP866"}
_UNREAD = {
    b"%PDF": "pdf",
    b"\x1f\x8b": "gzip",
    b"Rar!": "rar",
    b"7z\xbc\xaf": "7z",
    b"SQLite format 3": "database",
    b"\x89PNG": "picture",
    b"\xff\xd8\xff": "picture",
    b"{\\rtf": "document",
    b"<?xml": "xml",
}
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")


def open_table(path: Path, *, sheet: str | None = None, encoding: str | None = None, longest: int = LONGEST) -> Table:
    """Give the table of a file, its records still to be read; what it is, is told from its bytes, not from its name.

    `sheet` names a sheet of a workbook, `encoding` overrides what the bytes say, `longest` is the longest line in
    bytes. Raises ConfigError for a file that is missing, empty, a folder, or none of the kinds that can be read.
    """
    problems = Problems()
    try:
        file = BufferedReader(FileIO(path), _SAMPLE)
    except IsADirectoryError:
        raise FileRefused("folder", path=str(path)) from None
    except FileNotFoundError:
        raise FileRefused("missing", path=str(path)) from None
    except OSError as error:
        raise FileRefused("closed", path=str(path), why=str(error.strerror)) from error
    sample = file.peek(_SAMPLE)
    if not sample.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        file.close()
        raise FileRefused("empty", path=str(path))
    for head, form in _UNREAD.items():
        if sample.startswith(head):
            file.close()
            raise FileRefused(form, path=str(path))
    if sample.startswith(_WORKBOOKS):
        file.close()
        return open_workbook(path, problems, sheet=sheet)
    if sheet is not None:
        file.close()
        raise FileRefused("sheet", path=path.name, sheet=sheet, sheets="—")
    return _open_text(file, sample, encoding, problems, longest)


def _open_text(
    file: BufferedReader[FileIO], sample: bytes, encoding: str | None, problems: Problems, longest: int
) -> Table:
    found = Encoding(_known(encoding)) if encoding else detect(sample)
    file.read(found.mark)
    head = sample[found.mark :].decode(found.name, "replace").lstrip()
    name = _NAMES.get(found.name, found.name.upper())
    if head.startswith("{") or (head.startswith("[") and head[1:].lstrip().startswith(("{", "]"))):
        is_whole = is_document(head)
        lines = Lines(file, found, problems, longest=LARGEST if is_whole else longest)
        every = as_records(objects(lines, problems, is_document=is_whole))
        return _table(f"JSON, {name}", every, problems, file, is_headed=True)
    if is_table(head):
        lines = Lines(file, found, problems, longest=LONGEST_LINE)
        return _table(f"HTML, {name}", web_records(lines), problems, file)
    lines = Lines(file, found, problems, longest=longest)
    start = iter(lines)
    peeked = list(islice(start, _PEEKED))
    delimiter = detect_delimiter(peeked)
    already = 0
    if peeked and peeked[0].lower().startswith("sep="):
        del peeked[0]
        already = 1
    shown = {"\t": "TAB"}.get(delimiter, delimiter)
    every = records(chain(peeked, start), delimiter, problems, already=already)
    return _table(f"CSV, {name}, {shown}", every, problems, file)


def _table(
    form: str, every: Iterator[Record], problems: Problems, file: BufferedReader[FileIO], *, is_headed: bool = False
) -> Table:
    top = list(islice(every, SEARCHED * 2))
    return Table(form, top, chain(top, every), problems, read=file.tell, close=file.close, is_headed=is_headed)


def _known(encoding: str) -> str:
    try:
        "".encode(encoding)
    except LookupError:
        raise FileRefused("encoding", encoding=encoding) from None
    return encoding
