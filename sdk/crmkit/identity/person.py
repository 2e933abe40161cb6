"""People's names as comparable forms: whatever the order, the field, the script, the gender or the decoration."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from crmkit.identity.clutter import TITLES
from crmkit.identity.family import Patronymic, Surname, father_code
from crmkit.identity.given import Gender, Given, given_near, of_gender
from crmkit.identity.spelling import coarse, fine_code, skeleton
from crmkit.identity.word import Word, words_of


class PersonForm(NamedTuple):
    """A name made comparable. Codes are those of `crmkit.identity.spelling`: compare them by equality or distance.

    - `surname`: the code of the surname in the masculine form; the parts of a double one are joined by `-`;
    - `given`: the full first names it may be, canonical, in Cyrillic (`саша` is both александр and александра); for a
      name that no table knows, its code alone; empty when there is none or only an initial;
    - `given_code`: the code of the first name as typed, for distances; empty for an initial;
    - `given_initials`: the letters that the first name may begin with, as codes; two names agree by an initial when
      they share one; an initial alone sets this and leaves `given` empty;
    - `patronymic`: the code of the father's name (`ivan` of Иванович and Ивановна), `patronymic_initial` its letter;
    - `gender`: by patronymic, else by first name, else by surname; None when nothing shows it;
    - `is_short`: the first name was a short form; `is_known`: a table knows the first name, or one a slip away;
    - `surname_initial`: of a surname given by one letter (`Анна К.`); else the first letter of the surname;
    - `words`: codes of what was left over; `is_junk`: the text names nobody (`Тест Тестов`, `клиент`, `йцукен`).
    """

    surname: str = ""
    given: frozenset[str] = frozenset()
    patronymic: str = ""
    gender: Gender | None = None
    is_short: bool = False
    is_known: bool = False
    given_code: str = ""
    given_initials: str = ""
    patronymic_initial: str = ""
    surname_initial: str = ""
    words: tuple[str, ...] = ()
    is_junk: bool = False


def person_form(last: str = "", first: str = "", middle: str = "", name: str = "") -> PersonForm:
    """The comparable form of a name typed into one field or several, in whichever order and field the parts stand.

    The fields are hints: a first name in the surname's field is still read as a first name. A word that `name`
    repeats after the parts counts once. The first 200 signs of a field are read.
    """
    if len(last) + len(first) + len(middle) + len(name) > _LONGEST_FIELD:
        last, first, middle, name = (text[:_LONGEST_FIELD] for text in (last, first, middle, name))
    if not (name and (last or first or middle)):
        # A name in one field stands in no field that says what it is.
        form = _plain_form(last, name or first, middle)
        if form is not None:
            return form
    placed = _read(last, first, middle, name, "")
    struck = next((word.struck for word, _ in placed if word.struck), "")
    if struck:
        placed = _read(last, first, middle, name, struck)
    if not placed:
        return _NOBODY if any(map(str.strip, (last, first, middle, name))) else _NAMELESS
    if all(word.is_nobody for word, _ in placed):
        return _NOBODY
    # Among real names Тестов is a surname.
    return _form([pair for pair in placed if not pair[0].is_nobody or pair[0].surname.strength >= _SURELY_SURNAME])


def is_junk_name(text: str) -> bool:
    """The text is typed where a name should be and names nobody: a test, a placeholder, a channel, a key run.

    An empty text is no junk: a record without a name may still be somebody.
    """
    return person_form(name=text).is_junk


_Placed = tuple[Word, str]
_Found = tuple[Word, Given]
_NO_PAIRS: list[_Placed] = []
_NO_NAMES: frozenset[str] = frozenset()
_NO_SURNAME = Surname("", None, 0)
_NAMELESS = PersonForm()
_NOBODY = PersonForm(is_junk=True)
_LONGEST_FIELD = 200
_ADDRESSED = frozenset(map(fine_code, ("мама", "папа", "бабушка", "дедушка", "тетя", "дядя", "мать", "отец")))
_GENITIVE = ("ovni", "evni", "iqni", "oviqa", "eviqa", "iqa")
_SURELY_SURNAME = 3
_BRACKETS = re.compile(r"\([^()]*\)?|\[[^\[\]]*\]|\{[^{}]*\}")
_NO_BRACKETS = str.maketrans("()[]{}", "      ")
_PREPOSITIONS = frozenset(["и", "с", "в", "к", "у", "о"])
_LOOSE_PATRONYMIC = re.compile(r"(.{3,}?)[oea]?v[a-z]{0,4}")


def _plain_form(last: str, first: str, middle: str) -> PersonForm | None:
    """The form when each word can be one part only, whatever its neighbours, as most can; else None."""
    family = own = father = None
    initials = []
    for text in (last, first, middle):
        for chunk in (text,) if text.isalpha() else _chunks(text) if text else ():
            for word in words_of(chunk):
                role = word.role
                if role == "first" and own is None:
                    own = word
                elif (role == "last" or role == "unknown") and family is None:
                    family = word
                elif role == "middle" and father is None:
                    father = word
                elif role == "initial":
                    initials.append(word)
                elif role != "title":
                    return None
    is_sure = family is not None and family.role == "last"
    # Ильич in the surname's field may be a surname, and a word that nobody knows a first name with a slip.
    if not is_sure and ((father and last) or (family and not own) or not (own or father or initials)):
        return None
    found = (own, own.given) if own and own.given else None
    return _assembled(family, found, father.patronymic if father else None, initials, _NO_PAIRS)


def _read(last: str, first: str, middle: str, name: str, struck: str) -> list[_Placed]:
    placed: list[_Placed] = []
    for text, field in ((last, "last"), (first, "first"), (middle, "middle")):
        if text:
            placed += [(word, field) for word in _words(text, struck)]
    if name:
        seen = {word.code for word, _ in placed}
        initials = [word.code for word, _ in placed if word.initial]
        for word in _words(name, struck):
            if word.initial and word.code in initials:
                initials.remove(word.code)
            elif word.initial or word.code not in seen:
                placed.append((word, "name"))
    return placed


def _words(text: str, struck: str) -> list[Word]:
    words = [word for chunk in _chunks(text) for word in (words_of(chunk, struck) if struck else words_of(chunk))]
    if any(word.is_kin for word in words):
        words = _without_kin(words)
    return [word for word in words if not word.is_title]


def _chunks(text: str) -> Sequence[str]:
    if text.isalpha():
        return (text,)
    chunks = _without_brackets(text) if "(" in text or "[" in text or "{" in text else text.split()
    if _PREPOSITIONS.isdisjoint(chunks):
        return chunks
    if text.islower():
        return [chunk for at, chunk in enumerate(chunks) if chunk not in _PREPOSITIONS or not _binds(chunks, at)]
    return [chunk for chunk in chunks if chunk not in _PREPOSITIONS]


def _binds(chunks: Sequence[str], at: int) -> bool:
    # `заявка с сайта`: an initial stands beside a name.
    return 0 < at < len(chunks) - 1 and chunks[at - 1] in TITLES and chunks[at + 1] in TITLES


def _without_brackets(text: str) -> list[str]:
    # An open `[` alone is not a remark: it is х, struck in the wrong layout.
    return _BRACKETS.sub(" ", text).split() or text.translate(_NO_BRACKETS).split()


def _without_kin(words: list[Word]) -> list[Word]:
    kept: list[Word] = []
    is_of_other = False
    kin = ""
    for word in words:
        # `муж Лены`, `от Марины Ивановны` name another, in the genitive; `мама Оля` is the person herself.
        is_herself = word.given is not None and kin in _ADDRESSED and not kept
        is_of_other = (bool(kin) and not is_herself) or (is_of_other and word.code.endswith(_GENITIVE))
        if not word.is_kin and not is_of_other:
            kept.append(word)
        kin = word.code if word.is_kin else ""
    return kept


def _form(placed: list[_Placed]) -> PersonForm:
    rest, patronymic = _take_patronymic(placed)
    rest, given = _take_given(rest, patronymic)
    rest, initials = [pair for pair in rest if not pair[0].initial], [word for word, _ in rest if word.initial]
    surname, rest = _take_surname(rest)
    if patronymic is None and surname is not None and given is not None:
        rest, patronymic = _loose_patronymic(rest)
    return _assembled(surname, given, patronymic, initials, rest)


def _take_patronymic(placed: list[_Placed]) -> tuple[list[_Placed], Patronymic | None]:
    for at, (word, _) in enumerate(placed):
        if word.child is not None:
            father = placed[at - 1][0] if at else None
            rest = [pair for pair in placed if pair[0] is not word and pair[0] is not father]
            return rest, Patronymic(father_code(father.code), word.child, True) if father else None
    # Иванна is a first name when there is no other, else the daughter of Иван.
    given = sum(word.given is not None for word, _ in placed)
    found = [pair for pair in placed if pair[0].patronymic is not None and (pair[0].given is None or given > 1)]
    if len(found) == 1 and _is_surname_after_all(found[0], placed):
        return placed, None
    if not found:
        return placed, None
    if len(found) > 1:
        after_given = {id(word) for (given, _), (word, _) in pairwise(placed) if given.given}
        found.sort(
            key=lambda pair: (
                pair[1] == "middle",
                pair[1] != "last",
                pair[0].patronymic is not None and pair[0].patronymic.gender is Gender.FEMALE,
                id(pair[0]) in after_given,
                pair[0].code,
            )
        )
    chosen = found[-1]
    return [pair for pair in placed if pair is not chosen], chosen[0].patronymic


def _is_surname_after_all(pair: _Placed, placed: list[_Placed]) -> bool:
    word, field = pair
    patronymic = word.patronymic
    if patronymic is None or patronymic.gender is Gender.FEMALE:
        return False
    others = [other for other, _ in placed if other is not word and not other.initial]
    if any(other.given is None and other.surname.strength > 0 for other in others):
        return False
    return not patronymic.surely or (field == "last" and bool(others))


def _take_given(placed: list[_Placed], patronymic: Patronymic | None) -> tuple[list[_Placed], _Found | None]:
    known = [pair for pair in placed if pair[0].given is not None and not pair[0].initial]
    if known:
        chosen = min(known, key=_given_rank)
        given = chosen[0].given
        return [pair for pair in placed if pair is not chosen], (chosen[0], given) if given else None
    unknown = [pair for pair in placed if not pair[0].initial]
    if len(unknown) < len(placed) and len(unknown) == 1 and patronymic is None:
        return placed, None
    for pair in sorted(unknown, key=_given_rank):
        strength = pair[0].surname.strength
        may_be = strength < 2 or any(word.surname.strength > strength for word, _ in unknown)
        near = given_near(pair[0].code, is_alone=len(placed) == 1) if may_be else None
        if near is not None:
            return [other for other in placed if other is not pair], (pair[0], near)
    is_first_there = any(field == "first" for _, field in unknown)
    if any(word.initial for word, _ in placed) and not is_first_there:
        return placed, None
    if (
        len(unknown) > 1
        or (unknown and patronymic is not None and unknown[0][0].surname.strength < 2)
        or is_first_there
    ):
        chosen = min(unknown, key=lambda pair: (pair[0].surname.strength > 1, *_given_rank(pair)))
        if len(unknown) > 1 or chosen[0].surname.strength < 2:
            code = coarse(chosen[0].code)
            given = Given(frozenset((code,)), False, None)
            return [pair for pair in placed if pair is not chosen], (chosen[0], given)
    return placed, None


def _given_rank(pair: _Placed) -> tuple[bool, bool, bool, int, int, str]:
    word, field = pair
    is_short = word.given is not None and word.given.is_short
    return word.surname.strength > 2, field != "first", is_short, word.surname.strength, len(word.code), word.code


def _take_surname(placed: list[_Placed]) -> tuple[Word | None, list[_Placed]]:
    if not placed:
        return None, placed
    chosen = max(
        placed,
        key=lambda pair: (
            pair[0].surname.strength > 1,
            pair[1] == "last",
            pair[0].surname.strength,
            pair[0].given is None,
            len(pair[0].code),
            pair[0].code,
        ),
    )
    return chosen[0], [pair for pair in placed if pair is not chosen]


def _loose_patronymic(rest: list[_Placed]) -> tuple[list[_Placed], Patronymic | None]:
    """A patronymic with a slip in its ending (Ивановчи), left over when surname and first name are found."""
    for pair in rest:
        found = _LOOSE_PATRONYMIC.fullmatch(coarse(pair[0].code))
        if found is not None and pair[0].surname.code.endswith(("q", "qi", "iq", "na", "an", "n", "a")):
            # Канатовия: a slip in the ending leaves the gender to the other parts.
            code = pair[0].code
            gender = Gender.FEMALE if code.endswith("na") else Gender.MALE if code.endswith("q") else None
            return [other for other in rest if other is not pair], Patronymic(father_code(found[1]), gender, False)
    return rest, None


def _assembled(
    surname: Word | None,
    found: _Found | None,
    patronymic: Patronymic | None,
    initials: list[Word],
    rest: list[_Placed],
) -> PersonForm:
    family, family_gender, strength = surname.surname if surname else _NO_SURNAME
    father, gender = (patronymic.code, patronymic.gender) if patronymic else ("", None)
    letters = [word.initial for word in initials] if initials else []
    if found is not None:
        word, given = found
        code = word.sound
        gender = gender or given.gender or (family_gender if strength > 1 else None)
        names, given_initials = _called(given.names, code, gender)
        is_short, is_known = given.is_short, word.given is not None or code not in given.names
    else:
        names, code, is_short, is_known = _NO_NAMES, "", False, False
        gender = gender or (family_gender if strength > 1 else None)
        given_initials = letters.pop(0) if letters else ""
    father_initial = father[:1] or (letters.pop(0) if letters and surname else "")
    return PersonForm(
        family,
        names,
        father,
        gender,
        is_short,
        is_known,
        code,
        given_initials,
        father_initial,
        family[:1] if surname else letters.pop(0) if letters else "",
        tuple(sorted([left.sound for left, _ in rest])) if rest else (),
        False,
    )


@lru_cache(maxsize=1 << 14)
def _called(names: frozenset[str], code: str, gender: Gender | None) -> tuple[frozenset[str], str]:
    """The names that one of this gender bears, and the letters that they may begin with."""
    if len(names) > 1 and gender is not None:
        names = of_gender(names, gender)
    return names, "".join(sorted({code[:1], *(skeleton(name)[:1] for name in names)}))
