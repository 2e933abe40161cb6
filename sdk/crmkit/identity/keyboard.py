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
# Consonants that begin a word in some language of Europe; other pairs are keys struck in the wrong layout.
_ONSETS = (
    "bl|br|ch|cl|cr|cv|cz|dj|dm|dn|dr|dv|dz|fl|fr|gl|gn|gr|gv|kh|kl|kn|kr|ks|kv|lv|ml|mn|mr|mst|ph|pl|pn|pr|ps|pt|rh|rz"
    "|sc|sh|sk|sl|sm|sn|sp|sr|st|sv|sw|sz|th|tr|ts|tv|tw|tz|vl|vn|vr|vs|vz|wr|wh|zb|zd|zh|zl|zm|zn|zr|zv|gh|lj|nj|ng"
)
_LATIN_CROWD = re.compile(rf"[qvwx][bcdfgjkqvwxz]|j[jqwx]|^(?!{_ONSETS})[bcdfghjklmnpqrstvwxz]{{2}}", re.IGNORECASE)
_CYRILLIC_CROWD = re.compile(r"[бвгджзйклмнпрстфхцчшщъь]{5}|^[ьъы]|[аеёиоуыэюя]{4}|[аеёиоуыэюя]ь", re.IGNORECASE)
_RUSSIAN_RANK = {letter: rank for rank, letter in enumerate("оеаитнсрвлкмдпуяыьгзбчйхжшюцщэфъё")}
_LATIN_RANK = {letter: rank for rank, letter in enumerate("aoeinrtsylkvmdpughbzcfjwxq")}
"""Letters of Russian words and of romanised or English ones, the commonest first."""

_RAREST = 30
_TELLING = 5
_FAR_LIKELIER = 3.0
"""Places that a sign of the chunk must gain on average."""

_VOWELS = (0.25, 0.7)
_FEWEST_IN_RUSSIAN = 0.2
_FEWEST_VOWELS, _FEW_VOWELS = 0.16, 0.34


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
    # э and ё lie under an apostrophe and a backtick, which romanised names hold too: these two are no sign of it.
    is_odd = _INNER_SIGN.search(chunk[:-1]) is not None or _LATIN_CROWD.search(chunk) is not None
    return (is_odd or _latin_vowels(chunk) < _FEWEST_VOWELS) and _VOWELS[0] <= vowels <= _VOWELS[1]


def is_likelier_russian(chunk: str) -> bool:
    """The keys of the Latin chunk are by far likelier to have been struck for a Russian word: `Tahfyjd`, Ефранов.

    Told by how common the letters are, so of words of five signs and more.
    """
    other = to_cyrillic_layout(chunk)
    if other is None or len(chunk) < _TELLING or not other.isalpha() or _CYRILLIC_CROWD.search(other):
        return False
    vowels = len(_CYRILLIC_VOWELS.findall(other)) / len(other)
    gain = sum(_LATIN_RANK.get(sign, _RAREST) for sign in chunk.lower())
    gain -= sum(_RUSSIAN_RANK[letter] for letter in other.lower())
    return _FEWEST_IN_RUSSIAN <= vowels <= _VOWELS[1] and gain >= _FAR_LIKELIER * len(chunk)


def sounds_latin(chunk: str) -> bool:
    """The Latin chunk can be pronounced as it stands: it has vowels enough and no crowd of consonants."""
    return _INNER_SIGN.search(chunk) is None and _latin_vowels(chunk) > _FEW_VOWELS and not _LATIN_CROWD.search(chunk)


def _latin_vowels(chunk: str) -> float:
    return len(_LATIN_VOWELS.findall(chunk)) / len(chunk)
