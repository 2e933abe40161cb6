"""Words typed in the wrong keyboard layout: `Bdfyjd` for Иванов, `Шмфтщм` for Ivanov."""

from __future__ import annotations

import re

_LATIN_KEYS = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`QWERTYUIOP{}ASDFGHJKL:\"ZXCVBNM<>~"
_CYRILLIC_KEYS = "йцукенгшщзхъфывапролджэячсмитьбюёЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮЁ"
_TO_CYRILLIC = str.maketrans(_LATIN_KEYS, _CYRILLIC_KEYS)
_TO_LATIN = str.maketrans(_CYRILLIC_KEYS, _LATIN_KEYS)
_KEY_PUNCTUATION = re.compile(r"[\[\]{};:'\",.<>`~]")
_INNER_SIGN = re.compile(r"[\[\]{};:\",.<>~]")
_LATIN_WORD = re.compile(r"[a-z\[\]{};:'\",.<>`~]+(?:-[a-z\[\]{};:'\",.<>`~]+)?", re.IGNORECASE)
_CYRILLIC_WORD = re.compile(r"[а-яё]+", re.IGNORECASE)
_LATIN_VOWELS = re.compile(r"[aeiouy]", re.IGNORECASE)
_CYRILLIC_VOWELS = re.compile(r"[аеёиоуыэюя]", re.IGNORECASE)
_LATIN_CROWD = re.compile(
    r"[bcdfghjklmnpqrstvwxz]{4}|[qvwx][bcdfgjkqvwxz]|j[bcdfgkqvwxz]|^.[^aeiouy]{3}", re.IGNORECASE
)
_CYRILLIC_CROWD = re.compile(r"[бвгджзйклмнпрстфхцчшщъь]{5}|^[ьъы]|[аеёиоуыэюя]{4}|[аеёиоуыэюя]ь", re.IGNORECASE)
_VOWELS = (0.25, 0.7)
_FEWEST_VOWELS = 0.16


def to_cyrillic_layout(chunk: str) -> str | None:
    """What the keys of a Latin chunk give in the Russian layout, or None when it cannot have been meant so."""
    return chunk.translate(_TO_CYRILLIC) if _LATIN_WORD.fullmatch(chunk) else None


def to_latin_layout(chunk: str) -> str | None:
    """What the keys of a Russian word give in the Latin layout, or None when that is no word."""
    if not _CYRILLIC_WORD.fullmatch(chunk):
        return None
    typed = chunk.translate(_TO_LATIN)
    return None if _KEY_PUNCTUATION.search(typed) else typed


def looks_mistyped(chunk: str) -> bool:
    """The Latin chunk is hard to pronounce or holds signs inside, while its Russian reading sounds like a word.

    Said of words of four signs and more: a name that no table knows is taken for mistyped on this alone.
    """
    other = to_cyrillic_layout(chunk)
    if other is None or len(chunk) < 4 or not other.isalpha() or _CYRILLIC_CROWD.search(other):
        return False
    vowels = len(_CYRILLIC_VOWELS.findall(other)) / len(other)
    own = len(_LATIN_VOWELS.findall(chunk)) / len(chunk)
    # э and ё lie under an apostrophe and a backtick, which romanised names hold too: these two are no sign of it.
    is_odd = _INNER_SIGN.search(chunk[:-1]) is not None or own < _FEWEST_VOWELS or bool(_LATIN_CROWD.search(chunk))
    return is_odd and _VOWELS[0] <= vowels <= _VOWELS[1]
