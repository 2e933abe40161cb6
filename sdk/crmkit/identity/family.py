"""Surnames folded to one gender, and patronymics to the father's name, by the endings of their codes."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from crmkit.identity.given import Gender, male_names
from crmkit.identity.spelling import coarse, fine_code


class Surname(NamedTuple):
    """A surname's code in the masculine form, the gender its ending shows, and how surely it is one (0 to 3)."""

    code: str
    gender: Gender | None
    strength: int


class Patronymic(NamedTuple):
    """The code of the father's name, and the gender that the ending shows; `surely` when no surname ends so."""

    code: str
    gender: Gender | None
    surely: bool


def surname_of(code: str) -> Surname:
    """The surname that a word with this fine code would be."""
    for own, masculine, gender, strength in _BY_TAIL.get(code[-2:]) or _BY_TAIL.get(code[-1:]) or ():
        if code.endswith(own) and len(code) >= len(own) + _SHORTEST_STEM:
            return Surname(coarse(code.removesuffix(own) + masculine), gender, strength)
    return Surname(coarse(code), None, 0)


def patronymic_of(code: str) -> Patronymic | None:
    """The father that a patronymic with this fine code names, or None when the word is none.

    Of a father whom no table knows the full endings alone tell; spoken and Kazakh ones (Иваныч, Максимна, Серикулы)
    need a known one.
    """
    if not code.endswith(_MARKS):
        return None
    gender = Gender.FEMALE if code.endswith(_OF_DAUGHTERS) else Gender.MALE
    for ending in _FATHERS_BY_TAIL.get(code[-3:]) or _FATHERS_BY_TAIL[code[-2:]]:
        if not code.endswith(ending):
            continue
        stem = code.removesuffix(ending)
        if len(stem) > 1 and (father := _fathers().get(_bare(stem))) is not None:
            if ending == "iq" and len(_bare(stem)) < _LONG_STEM and _bare(stem) not in _SHORT_FATHERS:
                return None  # Галич
            if ending != "na":
                return Patronymic(father, gender, True)
            if len(stem) > _SHORTEST_STEM and stem[-1] not in _VOWELS:
                return Patronymic(father, gender, False)
    found = _PATRONYMIC.fullmatch(code) if code.endswith(_FULL_MARKS) else None
    return Patronymic(_bare(found[1]), gender, gender is Gender.FEMALE) if found else None


def father_code(stem: str) -> str:
    """One code for the stems that patronymics make of a father's name: Серге-ич, Серг-евич, Сергей."""
    bare = _bare(stem)
    return _fathers().get(bare, bare)


_SHORTEST_STEM = 2
_ENDINGS: tuple[tuple[str, str, Gender | None, int], ...] = (
    ("skaJa", "ski", Gender.FEMALE, 3), ("ckaJa", "cki", Gender.FEMALE, 3), ("skoi", "ski", Gender.MALE, 3),
    ("ckoi", "cki", Gender.MALE, 3), ("ski", "ski", Gender.MALE, 3), ("cki", "cki", Gender.MALE, 3),
    ("ska", "ski", Gender.FEMALE, 3), ("cka", "cki", Gender.FEMALE, 3), ("aJa", "i", Gender.FEMALE, 2),
    ("oi", "i", None, 1), ("ova", "ov", Gender.FEMALE, 3), ("eva", "ev", Gender.FEMALE, 3),
    ("Jova", "Jov", Gender.FEMALE, 3), ("ina", "in", Gender.FEMALE, 2), ("ov", "ov", Gender.MALE, 3),
    ("ev", "ev", Gender.MALE, 3), ("ein", "ein", None, 1), ("ain", "ain", None, 1),
    ("in", "in", Gender.MALE, 2), ("enko", "enko", None, 3),
    ("quk", "quk", None, 3), ("Juk", "Juk", None, 3), ("uk", "uk", None, 2), ("Janc", "Janc", None, 3),
    ("Jan", "Jan", None, 2), ("dze", "dze", None, 3), ("wvili", "wvili", None, 3), ("ih", "ih", None, 2),
    ("ko", "ko", None, 1), ("zade", "zade", None, 3), ("oviq", "oviq", None, 2), ("eviq", "eviq", None, 2),
    ("ec", "ec", None, 1), ("iva", "iv", Gender.FEMALE, 1), ("i", "i", None, 1),
)  # fmt: skip
_MARKS = ("iq", "na", "uli", "kizi")
# Of Серікқызы a code keeps one к: the last ending is for it.
_PATRONYMIC_ENDINGS = (
    *("iniqna", "iqna", "ovna", "evna", "avna", "ivna", "vna", "na"),
    *("oviq", "eviq", "aviq", "iq", "kizi", "uli", "izi"),
)
# By their last letters, so that few are tried; a shorter ending stands under each tail that ends so.
_BY_TAIL = {
    tail: [ending for ending in _ENDINGS if ending[0][-2:] == tail or tail.endswith(ending[0])]
    for tail in {own[-2:] for own, *_ in _ENDINGS}
}
_FATHERS_BY_TAIL = {
    tail: [ending for ending in _PATRONYMIC_ENDINGS if ending[-3:] == tail or tail.endswith(ending)]
    for tail in {ending[-3:] for ending in _PATRONYMIC_ENDINGS}
}
_PATRONYMIC = re.compile(r"(.{2,}?)(?:oviq|eviq|aviq|ovna|evna|avna|ivna|iniqna|iqna)", re.ASCII)
_FULL_MARKS = ("viq", "vna", "iqna")
_VOWELS = "aeiouJ"
_OF_DAUGHTERS = ("a", "kizi")
_LONG_STEM = 4
_SHORT_FATHERS = frozenset({"il", "luk", "fom", "pal", "san", "sav", "ur"})


# Stems that drop or change a letter of the name, and the ones of everyday speech (Михалыч, Палыч, Саныч).
_CHANGED_STEMS = {
    "pavl": "pavel", "pal": "pavel", "lv": "lev", "akovl": "akov", "mihal": "mihail", "san": "aleksandr",
    "aleksan": "aleksandr", "niki": "nikit", "konstantin": "konstantin", "iosif": "osif", "osip": "osif",
}  # fmt: skip


@cache
def _fathers() -> dict[str, str]:
    found = {_bare(code): _bare(fine_code(min(names))) for code, names in male_names()}
    found.update({_bare(fine_code(name)): _bare(fine_code(name)) for _, names in male_names() for name in names})
    return found | _CHANGED_STEMS


def _bare(code: str) -> str:
    return coarse(code).rstrip("aeiou")
