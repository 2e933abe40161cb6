"""In which encoding a text is, told from its bytes."""

from __future__ import annotations

import codecs
from typing import NamedTuple

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
SINGLE_BYTE = ("cp1251", "koi8-r", "cp866", "mac-cyrillic", "iso8859-5")
"""Encodings in which a Russian text may be, one byte a letter; the likelier first."""

_JUDGED = 1 << 16
"""Bytes of Russian lines that tell one encoding from another beyond doubt."""

_FREQUENT = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"
_WORTH = {letter: 34 - place for place, letter in enumerate(_FREQUENT)}
_LETTERS = frozenset(_FREQUENT + _FREQUENT.upper())
_USUAL = frozenset("«»№—–“”„…’‘\u00a0°·•©®")


class Encoding(NamedTuple):
    """The encoding's name for Python, and how many bytes of the file are its mark."""

    name: str
    mark: int = 0


def detect(sample: bytes) -> Encoding:
    """Give the encoding of a file by its beginning; where the beginning is plain ASCII it is UTF-8.

    A text of several encodings gets the one that most of its lines are in.
    """
    for mark, name in _MARKS:
        if sample.startswith(mark):
            return Encoding(name, len(mark))
    if wide := _wide(sample):
        return Encoding(wide)
    if sample.isascii():
        return Encoding("utf-8")
    lines = [line for line in sample.splitlines()[:-1] or [sample] if not line.isascii()]
    good = sum(map(_is_utf8, lines))
    if good * 2 >= len(lines):
        return Encoding("utf-8")
    return Encoding(best_single_byte(b"\n".join(lines)[:_JUDGED]))


def best_single_byte(text: bytes) -> str:
    """Give the one-byte encoding in which the text looks most like Russian."""
    scores = {name: _likeness(text.decode(name, "replace")) for name in SINGLE_BYTE}
    return max(SINGLE_BYTE, key=lambda name: scores[name])


def _wide(sample: bytes) -> str | None:
    """UTF-16 without its mark: every other byte is 0 or, in Russian, 4."""
    size = len(sample) & ~1
    if size < 4:
        return None
    even, odd = sample[:size:2], sample[1:size:2]
    high = (0, 4)
    share_even, share_odd = (sum(map(half.count, high)) / len(half) for half in (even, odd))
    if share_odd > 0.8 and share_even < 0.4:
        return "utf-16-le"
    return "utf-16-be" if share_even > 0.8 and share_odd < 0.4 else None


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _likeness(text: str) -> float:
    """Frequent letters speak for the encoding; capitals inside words, frames and signs speak against it."""
    points, before = 0, " "
    for letter in text:
        if letter < "\x80":
            before = letter
            continue
        if letter in _LETTERS:
            low = letter.lower()
            points += _WORTH[low]
            if letter != low and before in _LETTERS and before == before.lower():
                points -= 60
            elif letter == low and before == " ":
                points -= 4
        elif letter not in _USUAL:
            points -= 50
        before = letter
    return points
