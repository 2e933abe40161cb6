"""One word of a name and all that it may be: a first name, a patronymic, a surname, an initial, clutter."""

from __future__ import annotations

import re
import string
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from crmkit.identity.clutter import KIN, TITLES, is_nonsense
from crmkit.identity.family import Patronymic, Surname, patronymic_of, surname_of
from crmkit.identity.given import Gender, Given, given_of
from crmkit.identity.keyboard import looks_mistyped, sounds_latin, to_cyrillic_layout, to_latin_layout
from crmkit.identity.legal_form import CITIES
from crmkit.identity.spelling import LOOK_ALIKE, coarse, fine_code, one_script, russian_code


class Word(NamedTuple):
    """What a word may be.

    `initial` is its code when it is a single letter, `child` the gender of оглы or кызы, `struck` the script (`latin`,
    `cyrillic`) that it was struck in by mistake, `sound` the coarse code. `role` is `last`, `first`, `middle`,
    `initial` or `title` when it is that beside words of any other role, `unknown` when nothing tells what it is.
    """

    code: str
    given: Given | None
    patronymic: Patronymic | None
    surname: Surname
    initial: str = ""
    child: Gender | None = None
    is_title: bool = False
    is_kin: bool = False
    is_nobody: bool = False
    struck: str = ""
    role: str = ""
    sound: str = ""


@lru_cache(maxsize=1 << 15)
def words_of(chunk: str, struck: str = "") -> tuple[Word, ...]:
    """The words that a piece of text without spaces holds; decorations and digits are left out.

    `struck`: the script in which its neighbours were struck by mistake: in that script this piece was struck so too.
    """
    lower = chunk.lower()
    if _RUSSIAN.fullmatch(lower):
        word = _read(chunk, lower.replace("ё", "е"), russian_code(lower))
        is_known = word.given is not None or word.patronymic is not None or word.surname.strength > 1
        if is_known or _in_latin(chunk, struck) is None:
            return (word,)
    if not chunk.isascii():
        chunk = _MARK.sub("", unicodedata.normalize("NFC", chunk))
    mended = _in_layout(chunk, struck)
    if mended.isalpha() and len(mended) > 1:
        word = _word(mended)
        return (word if mended is chunk else word._replace(struck=_script(chunk), role=""),)
    found: list[Word] = []
    for part in _PART.findall(mended):
        text = _without_digits(part)
        tail = _CHILD_TAIL.fullmatch(text) if len(text) > 1 else None
        if tail is not None:
            found += [_word(tail[1]), _word(tail[2])]
        elif text:
            found.append(_word(text.strip(_SIGNS)))
    found = [word for word in found if word.code or word.is_nobody]
    return tuple(found if mended is chunk else [word._replace(struck=_script(chunk), role="") for word in found])


_RUSSIAN = re.compile(r"[а-яё]{2,}")
_PART = re.compile(r"[^\W_]+(?:['’`ʼʹʺ”\"´-]{1,2}[^\W_]+)*['’`]?")
_LATIN, _CYRILLIC = "latin", "cyrillic"
_SURELY_SURNAME = 3
_SHORTEST_RELAID = 4
_SIGNS = "'’`ʼʹʺ”\"´-"
_SONS = "оглы оглу угли ўғли улы ұлы уулу ogly oglu ogli ugli uly uulu"
_DAUGHTERS = "кызы гызы кизи қызы қизи kyzy gizi qizi kizi gyzy"
_CHILDREN = dict.fromkeys(_SONS.split(), Gender.MALE) | dict.fromkeys(_DAUGHTERS.split(), Gender.FEMALE)
_CHILD_TAIL = re.compile(rf"(\w+)-({'|'.join(_CHILDREN)})", re.IGNORECASE)
_LETTER_PAIRS = frozenset(["yu", "ya", "yo", "ye", "zh", "kh", "ch", "sh", "ts", "iu", "ia", "ju", "ja", "дж"])
_MARK = re.compile(r"[\u0300-\u036f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufe0e\ufe0f]")
_LOOKS_ONLY = re.compile(r"[ABCEHKMOPTXYaceopxykmt]{3,}")
_ONLY_DIGITS = re.compile(r"\d+")
_EDGE_DIGITS = re.compile(r"^\d+(?=[^\W\d_])|\d+$")
_CHAT_ENDING = re.compile(r"[a-z'’]{2}i4$", re.IGNORECASE)
_CHAT_DIGIT = re.compile(r"^[346](?=[a-zа-яё]{2})")
_SPOKEN = ("нна", "nna")
_INITIALS = re.compile(r"(?:(?:[a-z]|y[uaoe]|[ij][ua]|[zskct]h|ts)\.)+(?:[a-z]\.?)?", re.IGNORECASE)
_LETTER_KEYS = {ord(key): letter for key in string.ascii_letters if (letter := to_cyrillic_layout(key)) is not None}
_AROUND = ".,;:'\"<>[]{}`~!?"


def _script(chunk: str) -> str:
    return _LATIN if chunk.isascii() else _CYRILLIC


def _word(text: str) -> Word:
    text = _in_cyrillic_looks(text)
    lower = one_script(text).lower().replace("ё", "е")
    code = fine_code(text)
    if "w" in lower and lower.isascii() and given_of(chatted := fine_code(lower.replace("w", "sh"))):
        code = chatted  # Antowa is Антоша, though it ends like a surname
    return _initial(code) if len(text) == 1 else _read(text, lower, code)


def _read(text: str, lower: str, code: str) -> Word:
    if lower in _CHILDREN:
        return Word(code, None, None, Surname(code, None, 0), child=_CHILDREN[lower], sound=coarse(code))
    if lower in _LETTER_PAIRS:
        return _initial(code)._replace(given=given_of(code, lower))
    is_nobody = is_nonsense(lower)
    is_title, is_kin = lower in TITLES, lower in KIN
    if "-" in text:
        return _double(code, text, is_title)
    surname, patronymic = surname_of(code), patronymic_of(code)
    if patronymic is None and lower.endswith(_SPOKEN):
        patronymic = patronymic_of(f"{fine_code(lower[:-2])}na")  # Русланна: a code keeps one н of two
    given = _given(code, lower)
    if given is not None and given.is_short and surname.strength == _SURELY_SURNAME:
        given = given_of("", lower)  # Алиева sounds like Алева, short for Алевтина: only the very word will do
    if given is None and surname.strength < _SURELY_SURNAME - 1 and lower in CITIES:
        is_title = True  # Сергей Казань
    role = "" if is_kin or is_nobody else "title" if is_title else _role(given, patronymic, surname)
    return Word(code, given, patronymic, surname, "", None, is_title, is_kin, is_nobody, "", role, coarse(code))


def _initial(code: str) -> Word:
    sound = coarse(code)
    return Word(code, None, None, Surname(code, None, 0), sound[:1], role="initial", sound=sound)


def _role(given: Given | None, patronymic: Patronymic | None, surname: Surname) -> str:
    if patronymic is not None:
        return "middle" if patronymic.surely and given is None else ""
    if given is not None:
        return "first"
    return "last" if surname.strength >= _SURELY_SURNAME - 1 else "unknown"


def _given(code: str, lower: str) -> Given | None:
    given = given_of(code, lower)
    if given is None and lower.isascii() and ("j" in lower or "w" in lower):
        # In chats and telegrams `j` is ж and `w` is ш wherever they stand (Sereja, Antowa); in the West `w` is в (Iwan)
        given = given_of(fine_code(lower.replace("j", "zh").replace("w", "sh")))
        if given is None and "w" in lower:
            given = given_of(fine_code(lower.replace("w", "v")))
    return given


def _in_cyrillic_looks(text: str) -> str:
    """The word in Cyrillic when all its Latin letters only look so, and it is a name that way alone: Bepa."""
    if not (text.isascii() and _LOOKS_ONLY.fullmatch(text)) or _sounds_known(text):
        return text
    other = text.translate(LOOK_ALIKE)
    return other if _sounds_known(other) or surname_of(fine_code(other)).strength > 1 else text


def _double(code: str, text: str, is_title: bool) -> Word:
    parts = [_word(part) for part in text.split("-") if part]
    real = [part for part in parts if not (part.is_title or part.is_nobody or part.is_kin)]
    if is_title or not real:
        role = "title" if is_title or parts else ""
        return Word(code, None, None, Surname(code, None, 0), is_title=bool(role), role=role, sound=coarse(code))
    if len(real) == 1:
        return real[0]
    surname = Surname(
        "-".join(part.surname.code for part in real),
        real[-1].surname.gender,
        max(part.surname.strength for part in real),
    )
    given = given_of(code)
    givens = [part.given or given for part in real]
    if all(givens):
        names = frozenset(name for given in givens if given for name in given.names)
        genders = {given.gender for given in givens if given}
        gender = genders.pop() if len(genders) == 1 else None
        given = Given(names, all(given.is_short for given in givens if given), gender)
    return Word(code, given, None, surname, role=_role(given, None, surname), sound=coarse(code))


def _without_digits(part: str) -> str:
    if _ONLY_DIGITS.fullmatch(part):
        return ""
    if _CHAT_ENDING.search(part):
        return part.lstrip("0123456789")
    return part if _CHAT_DIGIT.match(part) else _EDGE_DIGITS.sub("", part)


def _in_layout(chunk: str, struck: str) -> str:
    """The chunk, or what its keys give in the other layout when that is a name and the chunk is none."""
    if not chunk.isascii():
        typed = _in_latin(chunk, struck)
        return chunk if typed is None or _is_known(chunk) else typed
    core = chunk.strip(_AROUND)
    if _INITIALS.fullmatch(chunk):
        return chunk.translate(_LETTER_KEYS) if struck == _LATIN else chunk
    is_initial = len(core) < 2 or core.lower() in _LETTER_PAIRS
    if (is_initial and struck != _LATIN) or _sounds_known(core):
        return chunk
    if is_initial:
        return core.translate(_LETTER_KEYS)
    for piece in (chunk, core) if core != chunk else (chunk,):
        typed = to_cyrillic_layout(piece)
        if (
            typed is not None
            and typed.isalpha()
            and (struck == _LATIN or _sounds_known(typed) or _is_odd(piece, typed))
        ):
            return typed
    return chunk


def _is_odd(chunk: str, typed: str) -> bool:
    own = surname_of(fine_code(chunk))
    if own.strength == _SURELY_SURNAME:
        return False
    other = surname_of(fine_code(typed))
    if own.strength < other.strength == _SURELY_SURNAME and not sounds_latin(chunk):
        return True
    return own.strength <= other.strength and looks_mistyped(chunk)


def _in_latin(chunk: str, struck: str) -> str | None:
    """What the keys of a Cyrillic word give in the Latin layout, or None when that is no name."""
    typed = to_latin_layout(chunk) if len(chunk) >= _SHORTEST_RELAID else None
    if typed is None or struck == _CYRILLIC or _sounds_known(typed):
        return typed
    return typed if surname_of(fine_code(typed)).strength == _SURELY_SURNAME else None


def _is_known(chunk: str) -> bool:
    code = fine_code(chunk)
    return bool(given_of(code) or patronymic_of(code)) or surname_of(code).strength > 1


def _sounds_known(word: str) -> bool:
    code = fine_code(word)
    patronymic = patronymic_of(code)
    return _given(code, word.lower()) is not None or (patronymic is not None and patronymic.surely)
