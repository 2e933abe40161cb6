"""What fingers and programs do to a word: slips, the wrong layout, look-alike letters."""

from __future__ import annotations

import random

_ROWS = ("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890")
_NEAR: dict[str, str] = {}
for _row in _ROWS:
    for _at, _letter in enumerate(_row):
        _NEAR[_letter] = _row[max(0, _at - 1) : _at] + _row[_at + 1 : _at + 2]
_SOUND = {
    "о": "а",
    "а": "о",
    "е": "и",
    "и": "е",
    "б": "п",
    "п": "б",
    "д": "т",
    "т": "д",
    "г": "к",
    "з": "с",
    "с": "з",
    "в": "ф",
}

_CYRILLIC = "йцукенгшщзхъфывапролджэячсмитьбюЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮёЁ"
_LATIN = "qwertyuiop[]asdfghjkl;'zxcvbnm,.QWERTYUIOP{}ASDFGHJKL:\"ZXCVBNM<>`~"
TO_LATIN_KEYS = str.maketrans(_CYRILLIC, _LATIN)
LOOKALIKES = dict(zip("аеорсухАВЕКМНОРСТХ", "aeopcyxABEKMHOPCTX", strict=True))


def slip(word: str, picked: random.Random) -> str:
    """Give the word with one slip: a neighbour key, a like sound, a letter lost, doubled or swapped."""
    if len(word) < 4:
        return word
    at = picked.randrange(1, len(word) - 1)
    kind = picked.random()
    letter = word[at]
    if kind < 0.3:
        return word[:at] + word[at + 1 :]
    if kind < 0.45:
        return word[:at] + letter + word[at:]
    if kind < 0.65:
        return word[:at] + word[at + 1] + letter + word[at + 2 :]
    if kind < 0.85 and (other := _SOUND.get(letter)):
        return word[:at] + other + word[at + 1 :]
    near = _NEAR.get(letter.lower())
    return word[:at] + picked.choice(near) + word[at + 1 :] if near else word[:at] + word[at + 1 :]


def wrong_layout(text: str) -> str:
    """Give the text typed with the keyboard left in English."""
    return text.translate(TO_LATIN_KEYS)


def lookalike(text: str, picked: random.Random) -> str:
    """Give the text with some Cyrillic letters typed as Latin ones of the same look."""
    return "".join(LOOKALIKES.get(letter, letter) if picked.random() < 0.5 else letter for letter in text)


def slip_digits(number: str, picked: random.Random) -> str:
    """Give the digits with one changed, or two neighbours swapped; the first three stay."""
    at = picked.randrange(3, len(number) - 1)
    if picked.random() < 0.4 and number[at] != number[at + 1]:
        return number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    return number[:at] + str((int(number[at]) + picked.randrange(1, 10)) % 10) + number[at + 1 :]
