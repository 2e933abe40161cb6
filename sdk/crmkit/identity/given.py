"""First names: which people's names a word may be, whole or short, in any script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cache, lru_cache
from typing import NamedTuple

from crmkit.identity import eastern_names, slavic_names
from crmkit.identity.spelling import fine_code


class Gender(StrEnum):
    """What a name tells of its bearer's gender."""

    MALE = "male"
    FEMALE = "female"


class Given(NamedTuple):
    """The names that a word may stand for: canonical full names in Cyrillic, lower case, ё folded."""

    names: frozenset[str]
    is_short: bool
    gender: Gender | None


def given_of(code: str, word: str = "") -> Given | None:
    """The names that a word with this fine code may stand for, or None when no table knows it.

    `word`, in lower case and ё folded, settles what a code leaves open: Алия is a name, Аля is short for many.
    Short forms of short forms (Леночка, Димка, Сашуля) are read by their endings.
    """
    by_word, by_code = _tables()
    found = by_word.get(word)
    if found is None:
        found = by_code.get(code)
    elif word.isascii() and code in by_code:
        # In Latin letters a word is another language's name or a romanisation: both readings stand.
        found = _joined(found, by_code[code])
    if found is not None:
        return found
    ending = _PET_ENDING.search(code) if code.endswith(_PET_TAILS) else None
    if ending is None:
        return None
    stem = code[: ending.start()]
    if len(stem) < 2:
        return None
    # Дамирчик is Дамир or Дамира, Димка is Дима.
    female, male = by_code.get(f"{stem}a"), by_code.get(stem)
    found = _joined(female, male) if female and male else female or male or by_code.get(f"{stem}Ja")
    return found._replace(is_short=True) if found else None


@lru_cache(maxsize=1 << 14)
def given_near(code: str, *, is_alone: bool = False) -> Given | None:
    """The one name that a word unknown to the tables is a single slip away from; None for none or several.

    A word of five signs is one only where nothing stands beside it, for surnames are as short.
    """
    shortest = _SHORTEST_WITH_SLIP - is_alone
    if not shortest <= len(code) <= _LONGEST_WITH_SLIP:
        return None
    table = _tables()[1]
    near = {found for edit in _edits(code) if (found := table.get(edit)) is not None and not found.is_short}
    return near.pop() if len(near) == 1 else None


def male_names() -> Iterator[tuple[str, frozenset[str]]]:
    """The code of each full name of men in any language, with the canonical names that it may be."""
    for code, given in _tables()[1].items():
        names = frozenset(name for name in given.names if _GENDERS[name] is not Gender.FEMALE)
        if names and not given.is_short:
            yield code, names


def gender_of(name: str) -> Gender | None:
    """The gender of a canonical full name."""
    _tables()
    return _GENDERS.get(name)


def of_gender(names: frozenset[str], gender: Gender) -> frozenset[str]:
    """The names that people of this gender bear; all of them when none is left."""
    left = frozenset(name for name in names if _GENDERS.get(name, gender) == gender)
    return left or names


_PET_ENDING = re.compile(r"(?:[eo]nka|[eo]qka|J?uwka|J?uwa|J?ulJa|J?unJa|J?usJa|J?awa|J?uha|qik|ik|ok|ka)$")
_PET_TAILS = ("ka", "uwa", "awa", "ulJa", "unJa", "usJa", "uha", "ik", "ok")
# By their codes these would be Андреев and Матев.
_LIKE_SURNAMES = frozenset({"andrew", "matthew"})
_SHORTEST_WITH_SLIP, _LONGEST_WITH_SLIP = 6, 16
_LETTERS = "abcdefghijklmnopqrstuvwzJ"
_GENDERS: dict[str, Gender | None] = {}


@cache
def _tables() -> tuple[dict[str, Given], dict[str, Given]]:
    full: dict[str, set[str]] = {}
    short: dict[str, set[str]] = {}
    for gender, blocks in (
        (Gender.MALE, (slavic_names.MALE, eastern_names.MALE)),
        (Gender.FEMALE, (slavic_names.FEMALE, eastern_names.FEMALE)),
    ):
        for names, shorts, others in (entry for block in blocks for entry in _entries(block)):
            for name in names:
                _GENDERS[name] = gender if _GENDERS.get(name, gender) == gender else None
            for word in (*names, *others):
                full.setdefault(word, set()).update(names)
            for word in shorts:
                short.setdefault(word, set()).update(names)
    for word in [word for word in short if word in _GENDERS and word not in slavic_names.BOTH]:
        del short[word]
    by_code: dict[str, tuple[set[str], set[str]]] = {}
    for at, table in enumerate((full, short)):
        for word, names_of in table.items():
            if word in _LIKE_SURNAMES:
                continue
            by_code.setdefault(fine_code(word), (set(), set()))[at].update(names_of)
    by_word = {word: _given(full.get(word, set()), short.get(word, set())) for word in {*full, *short}}
    return by_word, {code: _given(*sets) for code, sets in by_code.items() if len(code) > 1}


def _joined(one: Given, other: Given) -> Given:
    gender = one.gender if one.gender == other.gender else None
    return Given(one.names | other.names, one.is_short and other.is_short, gender)


def _given(full: set[str], short: set[str]) -> Given:
    names = frozenset(full | short)
    genders = {_GENDERS[name] for name in names}
    return Given(names, not full, genders.pop() if len(genders) == 1 else None)


def _entries(block: str) -> Iterator[tuple[list[str], list[str], list[str]]]:
    for entry in block.replace("\n", ";").split(";"):
        names, _, forms = entry.replace("ё", "е").partition(":")
        shorts, _, others = forms.partition("|")
        if names.strip():
            yield names.split(), shorts.split(), others.split()


def _edits(code: str) -> Iterator[str]:
    cuts = [(code[:at], code[at:]) for at in range(len(code) + 1)]
    for left, right in cuts:
        if right:
            yield left + right[1:]
            yield from (left + letter + right[1:] for letter in _LETTERS)
        if len(right) > 1:
            yield left + right[1] + right[0] + right[2:]
        yield from (left + letter + right for letter in _LETTERS)
