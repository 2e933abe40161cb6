"""Tables of HTML: what Bitrix24 and other web services give as an Excel file."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from crmkit_dedup.files.lines import Lines
from crmkit_dedup.files.table import Record

LONGEST_LINE = 1 << 26
"""Bytes of a line: some services write a table of any size as one."""

# A sign < that no > follows before the next < is text: so any file is gone through once.
_TAG = re.compile(r"<(/?[a-zA-Z]*)[^<>]*>")
_SPACE = re.compile(r"[ \t\r\n]+")
_LONGEST_TAG = 1 << 16
_CELLS = ("td", "th")
_ROW_ENDS = ("tr", "/tr", "/table")


def is_table(head: str) -> bool:
    """Whether text that begins like this is HTML with a table in it."""
    return head.startswith("<") and "<table" in head.lower()


def web_records(lines: Lines) -> Iterator[Record]:
    """Yield the rows of all tables: the line on which each ends, and its cells; a break in a cell is a line break."""
    rows = _Rows()
    rest = ""
    for line in lines:
        text = rest + line
        # A tag may go on in the next line.
        cut = text.rfind("<")
        if text.find(">", cut) >= 0 or len(text) - cut > _LONGEST_TAG:
            cut = len(text)
        rest = text[cut:]
        for cells in rows.of(text[:cut]):
            yield lines.number, cells
    for cells in rows.of(f"{rest}</table>"):
        yield lines.number, cells


class _Rows:
    """Gathers cells; ends that are left out, as HTML allows, are where the next cell or row begins."""

    def __init__(self) -> None:
        self._cells: list[str] = []
        self._text: list[str] | None = None

    def of(self, text: str) -> Iterator[list[str]]:
        """Yield the rows that end in a piece of text."""
        at = 0
        for tag in _TAG.finditer(text):
            if self._text is not None and tag.start() > at:
                self._text.append(text[at : tag.start()])
            at = tag.end()
            name = tag[1].lower()
            if name in _CELLS or name[1:] in _CELLS:
                self._end_cell()
                self._text = [] if name in _CELLS else None
            elif name == "br" and self._text is not None:
                self._text.append("<br>")
            elif name in _ROW_ENDS:
                self._end_cell()
                if any(self._cells):
                    yield self._cells
                self._cells = []
        if self._text is not None and at < len(text):
            self._text.append(text[at:])

    def _end_cell(self) -> None:
        if self._text is not None:
            lines = (_SPACE.sub(" ", line).strip() for line in "".join(self._text).split("<br>"))
            self._cells.append(html.unescape("\n".join(lines)))
            self._text = None
