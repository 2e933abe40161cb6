"""Full text and phone search over one table, kept up to date as rows change."""

import re
from collections.abc import Callable

from .store import Table
from .wire import Row

PHONE_TAIL = 10
ONLY_PHONE = re.compile(r"[\d\s()+.-]+")
NO_DIGIT = re.compile(r"\D")

# Gives the texts of a row and, of these, the phone numbers.
Texts = Callable[[Row], tuple[list[str], list[str]]]


class Search:
    """Finds rows by any filled text, and phones by their digits however they are typed."""

    def __init__(self, table: Table, texts: Texts) -> None:
        self._table = table
        self._texts = texts
        self._text: dict[int, str] = {}
        self._digits: dict[int, str] = {}
        self._tails: dict[str, set[int]] = {}
        self._is_built = False
        table.on_put(self._follow)
        table.on_load(self.rebuild)

    def find(self, query: str) -> list[int]:
        """Ids of live rows that hold every word of `query`, or a phone with its digits."""
        self._build()
        digits = NO_DIGIT.sub("", query)
        if ONLY_PHONE.fullmatch(query) and len(digits) >= 5:
            tail = digits[-PHONE_TAIL:]
            found = {row_id for row_id, text in self._digits.items() if tail in text}
        else:
            found = set()
        words = query.casefold().split()
        found.update(row_id for row_id, text in self._text.items() if all(word in text for word in words))
        return sorted(row_id for row_id in found if self._table.live(row_id) is not None)

    def by_phone(self, phone: str) -> list[int]:
        """Ids of live rows with a phone that ends in the same ten digits."""
        self._build()
        tail = NO_DIGIT.sub("", phone)[-PHONE_TAIL:]
        if not tail:
            return []
        return sorted(row_id for row_id in self._tails.get(tail, ()) if self._table.live(row_id) is not None)

    def rebuild(self) -> None:
        """Forget the index; the next search makes it anew."""
        self._is_built = False
        self._text.clear()
        self._digits.clear()
        self._tails.clear()

    def _build(self) -> None:
        if self._is_built:
            return
        self._is_built = True
        for row in self._table.rows():
            self._add(row)

    def _follow(self, before: Row | None, after: Row) -> None:
        if not self._is_built:
            return
        if before is not None:
            for phone in self._texts(before)[1]:
                self._tails.get(NO_DIGIT.sub("", phone)[-PHONE_TAIL:], set()).discard(before["id"])
        self._add(after)

    def _add(self, row: Row) -> None:
        texts, phones = self._texts(row)
        self._text[row["id"]] = "\n".join(texts).casefold()
        digits = [NO_DIGIT.sub("", phone) for phone in phones]
        self._digits[row["id"]] = " ".join(digits)
        for number in digits:
            self._tails.setdefault(number[-PHONE_TAIL:], set()).add(row["id"])
