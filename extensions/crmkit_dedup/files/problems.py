"""What was wrong in a file, by line: counted in full, the first of each kind kept."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

KEPT = 20
"""Problems of one kind that are kept with their lines; the rest are counted."""


class Problem(NamedTuple):
    """One thing wrong: `code` is a key of `TEXTS`, `detail` the fact itself."""

    line: int
    code: str
    detail: str = ""


TEXTS = {
    "bytes": (
        "байты не читаются в кодировке файла, заменены знаком �",
        "bytes that the file's encoding does not have, replaced by �",
    ),
    "encoding": ("строка в другой кодировке, прочитана в ней", "a line in another encoding, read in that one"),
    "nul": ("нулевые байты убраны", "NUL bytes removed"),
    "long": ("строка слишком длинная, хвост отброшен", "a line too long, its tail dropped"),
    "long_cell": ("ячейка слишком длинная, хвост отброшен", "a cell too long, its tail dropped"),
    "quote": ("кавычка не закрыта, строка прочитана как есть", "a quote never closed, the line read as it stands"),
    "wide": ("ячеек больше, чем столбцов: лишние не прочитаны", "more cells than columns: the extra ones not read"),
    "narrow": ("ячеек меньше, чем столбцов", "fewer cells than columns"),
    "empty_id": ("нет идентификатора, взят номер строки", "no id, the line's number taken"),
    "same_id": ("идентификатор повторяется, взят номер строки", "an id met before, the line's number taken"),
    "date": ("дата не понята и не прочитана", "a date not understood and not read"),
    "lost_number": ("номер испорчен таблицей (как 7.9E+10)", "a number lost in a spreadsheet (as 7.9E+10)"),
    "json": ("не объект JSON, строка пропущена", "no JSON object, the line passed over"),
    "json_broken": ("JSON здесь оборван, дальше не прочитано", "JSON is broken here, what is behind it not read"),
    "json_large": (
        "JSON слишком велик, не прочитан: сохраните по объекту на строку",
        "JSON too large, not read: save an object a line",
    ),
    "title": ("строка до заголовков пропущена", "a line above the headings passed over"),
}
"""Code of a problem -> what it says in Russian and in English."""


class Problems:
    """Collects problems; holds `KEPT` lines of each kind however many there are."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.kept: list[Problem] = []

    def add(self, line: int, code: str, detail: str = "") -> None:
        """Note a problem of a line."""
        self.counts[code] += 1
        if self.counts[code] <= KEPT:
            self.kept.append(Problem(line, code, detail))
