"""How rare each name, town and number is in a base: what turns an agreement into points."""

from __future__ import annotations

from collections.abc import Mapping
from math import log2
from typing import Any

from crmkit.errors import BadPayload
from crmkit_dedup.commonness import common

SMALLEST = 2_000
"""A base with fewer records tells little of how common a word is: the lacking ones are taken to be like `LEAST`."""

LISTED_FROM = 3
"""Words met less often are left out when the rarity is written down: they are rare, and they are most of the words."""

LEAST: Mapping[str, float] = {
    "surname": 1 / 30_000,
    "given": 1 / 1_000,
    "patronymic": 1 / 1_000,
    "city": 1 / 400,
    "company": 1 / 1_000_000,
    "birthday": 1 / 16_000,
    "local": 1 / 100_000,
}
"""The smallest share that a word of each field is believed to have, however seldom the base has it."""


class Counted:
    """How often each word of one field is met, in bits: 1 for a word that every second filled record has.

    `common` are shares of people at large, for what a small base lacks; `least` the share of words beside them.
    """

    __slots__ = ("_bits", "_bits_of_any", "_common", "counts", "filled", "least")

    def __init__(self, counts: Mapping[str, int], filled: int, least: float, common: Mapping[str, float]) -> None:
        self.counts = counts
        self.filled = filled
        self.least = least
        self._common = common
        self._bits: dict[str, float] = {}
        self._bits_of_any: dict[frozenset[str], float] = {}

    def share(self, word: str) -> float:
        """The share of filled records that have the word; a word that was not counted is as rare as one met once."""
        lacking = max(0, SMALLEST - self.filled)
        own = (self.counts.get(word, 1) + lacking * self._common.get(word, self.least)) / (self.filled + lacking)
        return min(max(own, self.least), 1.0)

    def bits(self, word: str) -> float:
        """How much an agreement in the word says."""
        found = self._bits.get(word)
        if found is None:
            found = self._bits[word] = -log2(self.share(word))
        return found

    def bits_of_any(self, words: frozenset[str]) -> float:
        """How much it says that two records meet in one of the words."""
        found = self._bits_of_any.get(words)
        if found is None:
            found = self._bits_of_any[words] = -log2(min(1.0, sum(map(self.share, words)) or 1.0))
        return found


class Rarity:
    """What one base has taught: its size, how common its words are, and who holds what together.

    `holders` maps a phone, a mailbox or a messenger to the number of clearly different people who hold it; what one
    person holds is not listed. A Rarity of nothing takes every word for a rare one.
    """

    __slots__ = ("base_bits", "fields", "holders", "size")

    def __init__(
        self,
        size: int = 0,
        counts: Mapping[str, Mapping[str, int]] | None = None,
        filled: Mapping[str, int] | None = None,
        holders: Mapping[str, int] | None = None,
    ) -> None:
        self.size = size
        self.base_bits = log2(max(size, SMALLEST))
        """What evidence must first outweigh: the chance that two records of the base are alike by luck."""
        self.holders: Mapping[str, int] = holders or {}
        self.fields: Mapping[str, Counted] = {
            field: Counted((counts or {}).get(field, {}), (filled or {}).get(field, 0), least, common(field))
            for field, least in LEAST.items()
        }

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads, without the words that are met seldom."""
        return {
            "size": self.size,
            "holders": dict(self.holders),
            "filled": {field: counted.filled for field, counted in self.fields.items()},
            "counts": {
                field: {word: count for word, count in counted.counts.items() if count >= LISTED_FROM}
                for field, counted in self.fields.items()
            },
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Rarity:
        """Read what `to_json` wrote. Raises BadPayload when it is something else."""
        try:
            counts = {field: _counts(data["counts"][field]) for field in LEAST}
            filled = {field: int(data["filled"][field]) for field in LEAST}
            return cls(int(data["size"]), counts, filled, _counts(data["holders"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadPayload(
                "the rarity of words is not what a scan wrote", remedy="Scan the base again: it is written anew."
            ) from error


def _counts(data: Mapping[str, Any]) -> dict[str, int]:
    return {str(word): int(count) for word, count in data.items()}
