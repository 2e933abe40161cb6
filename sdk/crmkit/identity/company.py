"""Names of firms as comparable forms: without legal forms, quotes, prefixes and cities, in one script."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import NamedTuple

from crmkit.identity import legal_form
from crmkit.identity.clutter import is_key_run
from crmkit.identity.family import surname_of
from crmkit.identity.given import given_of
from crmkit.identity.keyboard import is_likelier_russian, looks_mistyped, to_cyrillic_layout
from crmkit.identity.person import PersonForm, person_form
from crmkit.identity.spelling import LOOK_ALIKE, fine_code, one_script, skeleton


class CompanyForm(NamedTuple):
    """A firm's name made comparable; codes are those of `crmkit.identity.spelling`, digits are kept.

    - `core`: the name's own words as one code without spaces, `words` the same apart; both empty for a nameless firm;
    - `forms`: legal forms, canonical (`ООО`, `АО`, `ИП`, …) whatever the script, in full or short; may be empty;
    - `prefixes`: what stood before the name and is no part of it, expanded (`торговый дом`, `группа компаний`);
    - `place`: the code of the city that was glued to the name, if any;
    - `is_branch`: the name says that a branch or an office of the firm is meant;
    - `person`: the entrepreneur of an ИП, ФОП or КФХ, whose name the firm's is, also where the form
      was left out (`core` is the surname alone then); else None;
    - `is_junk`: the text names no firm (`частное лицо`, `нет`, `-`).
    """

    core: str = ""
    words: tuple[str, ...] = ()
    forms: frozenset[str] = frozenset()
    prefixes: frozenset[str] = frozenset()
    person: PersonForm | None = None
    is_junk: bool = False
    place: str = ""
    is_branch: bool = False


def company_form(raw: str, city: str = "") -> CompanyForm:
    """The comparable form of a firm's name. `city` is the firm's own: glued to the name it is no part of it."""
    return _form(raw[:_LONGEST_NAME], city[:_LONGEST_NAME])


def is_junk_company(raw: str) -> bool:
    """The text is typed where a firm's name should be and names none; an empty text is no junk."""
    return company_form(raw).is_junk


_LONGEST_NAME = 300
_SURNAME_AND_INITIALS = 3
_ENDING = 2
_REGION = 2
"""Words of a region, which a firm may be called as: `Балтийский край`."""
_TRADERS = frozenset({"ИП", "КФХ"})
_FARM = re.compile(r"\bк\s?\(\s?ф\s?\)\s?х\b", re.IGNORECASE)
_BRACKETED = re.compile(r"\([^()]*\)")
_QUOTES = re.compile(r"[«»\"“”„‟'’‘`<>]+")
_DOTTED = re.compile(r"\b((?:[^\W\d_]\.\s?){2,}[^\W\d_]\b\.?)|^\s*([иia]\.\s?[пpо]\.)", re.IGNORECASE)
_SPACED = re.compile(r"^\s*((?:[оo0]\s){2}[оo0]|[зоп]\sа\sо|и\sп)\s", re.IGNORECASE)
_GLUED = re.compile(r"\b(ООО|ЗАО|ОАО|ПАО|ТОО|OOO|ИП|АО|ТД|ГК|УК|ПК|СК|ТК|НПО)(?=[А-ЯЁA-Z][а-яёa-z])")
_INNER_CAPITAL = re.compile(r"(?<=[а-яё])(?=[А-ЯЁ][а-яё])")
_TOKEN = re.compile(r"[^\W_]+(?:&[^\W_]+)?")
_INITIALS = re.compile(r"(?<!\w)[^\W\d_]\.\s?[^\W\d_](?!\w)")
_LAYOUT_FORMS = frozenset({"jjj", "bg", "pfj", "jfj", "gfj", "fj", "njj"})
_LOOKS_ONLY = re.compile(r"[ABCEHKMOPTXY]{1,3}|[ABCEHKMOPTXYaceopxyk]{4,}")
_HEAD = re.compile(r"\s*(?:г\.?\s|город\s)?\s*([А-ЯЁ][^\W\d_]+(?:[- ][^\W\d_]+){0,3})\s*,\s*(?=\S)")
_ASIDE = re.compile(r"(?<=[^\s,])\s+[-–—]\s+[а-яё][а-яё\s]*$")
_QUOTED = re.compile(r".*[«\"“„'‘][^«»\"“”„'‘’]{2,}[»\"”“'’](?=[\s,.-])(.*\w.*)$")
_BARE_WORD = re.compile(r"(?<![-\w])(?:[а-яё]+|[А-ЯЁ]+)(?![-\w])")
_LATIN = re.compile(r"[A-Za-z]{3}")
_LATIN_LETTER = re.compile(r"[A-Za-z]")
_BEHIND_QUOTE = re.compile(r"([\"'»”])([,.])")
_AROUND = "\"'«»“”„()"
_LETTERS = re.compile(r"[^\W\d_]+")


@lru_cache(maxsize=1 << 13)
def _form(raw: str, city: str) -> CompanyForm:
    raw = _tidied(_FARM.sub("кфх", raw))
    whole = _tokens(raw)
    tokens = (_tokens(_BRACKETED.sub(" ", raw)) if "(" in raw else whole) or whole
    is_form_alone = len(tokens) == 1 and tokens[0] in _form_words()
    if is_form_alone or all(token in legal_form.NOBODY or is_key_run(token) for token in tokens):
        return CompanyForm(is_junk=bool(raw.strip()))
    left, forms = _without_forms(whole)
    is_branch = not legal_form.BRANCHES.isdisjoint(whole)
    tokens = _without_remarks(left if tokens is whole else _without_forms(tokens)[0], raw)
    tokens, place = _without_places(tokens, _tokens(city))
    person = _person(tokens, forms, raw)
    if person is not None:
        return CompanyForm(person.surname, (person.surname,), forms, frozenset(), person, place=place)
    own, prefixes = _without_prefixes(tokens)
    codes = _codes(own or tokens)
    known = prefixes if own else frozenset()
    return CompanyForm("".join(codes), codes, forms, known, place=place, is_branch=is_branch)


def _tidied(raw: str) -> str:
    """The text without what is written behind a dash; a town before the name goes behind it."""
    head = _HEAD.match(raw) if "," in raw else None
    if head is not None and _is_city(list(_tokens(head[1]))):
        raw = f"{raw[head.end() :]} г. {head[1]}"
    aside = _ASIDE.search(raw)
    return raw[: aside.start()] if aside and legal_form.BRANCHES.isdisjoint(_tokens(aside[0])) else raw


def _without_remarks(tokens: tuple[str, ...], raw: str) -> tuple[str, ...]:
    """The words of the name: neither those that stand behind its quotes, nor what managers write after one."""
    quoted = _QUOTED.match(raw)
    if quoted is not None:
        tail = _without_forms(_tokens(quoted[1]))[0]
        if tail and len(tail) < len(tokens) and tokens[-len(tail) :] == tail:
            tokens = tokens[: -len(tail)] + tuple(token for token in tail if not _is_remark(token, quoted[1]))
    found = legal_form.REMARKS.intersection(tokens[1:])
    if not found:
        return tokens
    found &= {word.lower() for word in _BARE_WORD.findall(_BRACKETED.sub(" ", raw))}
    dropped = found | {"не"} if "звонить" in found else found
    return tokens[:1] + tuple(token for token in tokens[1:] if token not in dropped)


def _is_remark(token: str, tail: str) -> bool:
    if token.isdecimal():
        return len(token) == 1 and "№" not in tail
    return token not in legal_form.CITIES and token not in legal_form.PLACES and "г." not in tail


@lru_cache(maxsize=1 << 12)
def _tokens(raw: str) -> tuple[str, ...]:
    text = _SPACED.sub(lambda found: re.sub(r"\s", "", found[1]) + " ", raw)
    if _LATIN.search(text):
        text = _in_layout(text)
    text = _INNER_CAPITAL.sub(" ", text)
    text = _GLUED.sub(r"\1 ", _QUOTES.sub(" ", text.replace("ё", "е").replace("Ё", "Е")))
    text = _DOTTED.sub(_undotted, text)
    tokens = _TOKEN.findall(text)
    if not text.isascii():
        # Among Russian words a token of look-alikes only is Russian too: CK Статус.
        tokens = [token.translate(LOOK_ALIKE) if _LOOKS_ONLY.fullmatch(token) else token for token in tokens]
    return tuple(one_script(token).lower() for token in tokens)


def _undotted(match: re.Match[str]) -> str:
    joined = re.sub(r"[.\s]", "", match[0])
    return f"{joined} " if one_script(joined).lower() in _form_words() else match[0]


def _person(tokens: tuple[str, ...], forms: frozenset[str], raw: str) -> PersonForm | None:
    """The person that the firm is: of an ИП or КФХ, or of a name with no form at all that reads as a whole one's."""
    if forms and not forms & _TRADERS:
        return None
    person = person_form(name=" ".join(f"{token}." if len(token) == 1 else token for token in tokens))
    if not person.surname or person.is_junk:
        return None
    if not forms:
        is_family = any(map(_ends_like_surname, tokens))
        # A patronymic tells a first name that is in no table.
        is_own = bool(person.patronymic and person.given) or any(given_of(fine_code(token), token) for token in tokens)
        # `Блин и К` has no initials: they are written with dots.
        is_initials = not person.given and len(tokens) == _SURNAME_AND_INITIALS and bool(_INITIALS.search(raw))
        is_person = (is_own and (is_family or bool(person.patronymic))) or is_initials
        return person if is_person and not person.words else None
    if "ИП" in forms:
        return person
    return person if person.given or person.given_initials else None


def _ends_like_surname(token: str) -> bool:
    surname = surname_of(fine_code(token))
    # An adjective (Строительная) is no surname here.
    return surname.strength > _ENDING or (surname.strength == _ENDING and not surname.code.endswith("i"))


def _in_layout(text: str) -> str:
    chunks = _BEHIND_QUOTE.sub(r"\1 \2", text).split()
    is_russian = any(chunk.lower().strip("\"'@") in _LAYOUT_FORMS for chunk in (*chunks[:1], *chunks[-1:]))
    bare = [chunk.strip(_AROUND) for chunk in chunks]
    if not is_russian and not any(map(is_likelier_russian, bare)):
        # A name with a form in Latin letters, or among Russian words, may be hard to pronounce and be right.
        is_latin = not text.isascii() or any(chunk.lower().strip(".,") in _form_words() for chunk in bare)
        if is_latin or not any(len(chunk) > 4 and looks_mistyped(chunk) for chunk in bare):
            return text
    names = [own for own in bare if own.lower() not in _form_words() and _LATIN_LETTER.search(own)]
    return " ".join(
        (to_cyrillic_layout(own) if own in names else None) or chunk for own, chunk in zip(bare, chunks, strict=True)
    )


def _without_forms(tokens: tuple[str, ...]) -> tuple[tuple[str, ...], frozenset[str]]:
    forms = set()
    left: list[str] = []
    at = 0
    phrases = _form_phrases()
    while at < len(tokens):
        size, form = _phrase_at(tokens, at, phrases)
        if form is None:
            size, form = 1, _form_words().get(tokens[at])
        if form is None:
            left.append(tokens[at])
        else:
            forms.add(form)
        at += size
    # A name of nothing but forms (`ООО «Фонд»`) is a name all the same.
    return tuple(left) or tokens[1:] or tokens, frozenset(forms)


def _without_places(tokens: tuple[str, ...], city: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    dropped = legal_form.PLACES if len(tokens) > _REGION else legal_form.BRANCHES
    left = [token for token in tokens if token not in dropped] or list(tokens)
    place = ""
    for at, token in enumerate(left):
        if token in ("г", "гор") and at and at + 1 < len(left) and len(left[at + 1]) > 1:
            size = next(size for size in (3, 2, 1) if size == 1 or _is_city(left[at + 1 : at + 1 + size]))
            place = "".join(map(skeleton, left[at + 1 : at + 1 + size]))
            left = left[: at - 1 if left[at - 1] == "в" and at > 1 else at] + left[at + 1 + size :]
            break
    codes, own = [skeleton(token) for token in left], [skeleton(word) for word in city]
    for size in sorted({len(own), 3, 2, 1} - {0}, reverse=True):
        if len(left) <= size:
            continue
        for start, rest in ((len(left) - size, left[:-size]), (0, left[size:])):
            piece = left[start : start + size]
            if codes[start : start + size] == own or (start and _is_city(piece)):
                return tuple(rest), "".join(codes[start : start + size])
    return tuple(left), place


def _is_city(piece: list[str]) -> bool:
    return "-".join(piece) in legal_form.CITIES or all(word in legal_form.CITIES for word in piece)


def _without_prefixes(tokens: tuple[str, ...]) -> tuple[tuple[str, ...], frozenset[str]]:
    found = set()
    left: list[str] = []
    at = 0
    phrases = _prefix_phrases()
    while at < len(tokens):
        size, prefix = _phrase_at(tokens, at, phrases)
        if prefix is None:
            left.append(tokens[at])
        else:
            found.add(prefix)
        at += size
    return tuple(left), frozenset(found)


def _phrase_at(
    tokens: tuple[str, ...], at: int, phrases: dict[str, list[tuple[tuple[str, ...], str]]]
) -> tuple[int, str | None]:
    for phrase, meaning in phrases.get(skeleton(tokens[at]), ()):
        if tuple(map(skeleton, tokens[at : at + len(phrase)])) == phrase:
            return len(phrase), meaning
    return 1, None


def _codes(tokens: Iterable[str]) -> tuple[str, ...]:
    words = [token for token in tokens if token not in legal_form.JOINTS]
    return tuple(code for token in words or tokens if (code := _code(token)))


@lru_cache(maxsize=1 << 15)
def _code(token: str) -> str:
    token = legal_form.ENGLISH.get(token, token)
    if token.isalpha():
        return skeleton(token)
    return _LETTERS.sub(lambda found: skeleton(found[0]), token).replace("&", "i")


@cache
def _form_words() -> dict[str, str]:
    return {word: form for form, words in legal_form.ABBREVIATIONS.items() for word in words.split()}


@cache
def _form_phrases() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    return _by_first_word((phrase, form) for form, phrases in legal_form.FULL_WORDS.items() for phrase in phrases)


@cache
def _prefix_phrases() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    return _by_first_word(
        (phrase.strip(), meaning)
        for meaning, text in legal_form.PREFIXES.items()
        for phrase in (meaning, *text.split(","))
    )


def _by_first_word(phrases: Iterable[tuple[str, str]]) -> dict[str, list[tuple[tuple[str, ...], str]]]:
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for phrase, meaning in phrases:
        codes = tuple(map(skeleton, phrase.split()))
        found.setdefault(codes[0], []).append((codes, meaning))
    for longest_first in found.values():
        longest_first.sort(key=lambda pair: -len(pair[0]))
    return found
