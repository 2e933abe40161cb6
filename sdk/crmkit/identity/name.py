"""The parts of a name as typed: which word is the surname, the first name, the patronymic."""

from __future__ import annotations

import re
from typing import NamedTuple


class PersonName(NamedTuple):
    """The parts of a name as typed; None for a part that is not there."""

    last: str | None = None
    first: str | None = None
    middle: str | None = None


def parse_name(raw: str) -> PersonName:
    """Give the parts of a Russian name written in any order; no word is lost, none is changed.

    Told apart by the endings of patronymics and surnames and by the commonest first names. Remarks in brackets
    and titles are left out. Two words that nothing tells apart: surname first in Cyrillic, last otherwise.
    """
    words = [word for word in _REMARK.sub(" ", raw).replace(",", " ").split() if word.lower() not in _TITLES]
    at = _patronymic_at(words)
    if at is None:
        return _two_parts(words)
    middle = words[at : at + 2] if at + 1 < len(words) and words[at + 1].lower() in _TURKIC else words[at : at + 1]
    before, after = words[:at], words[at + len(middle) :]
    if after:
        return PersonName(_joined(after), _joined(before), _joined(middle))
    if len(before) > 1:
        return PersonName(before[0], _joined(before[1:]), _joined(middle))
    return PersonName(None, _joined(before), _joined(middle))


_REMARK = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_TITLES = frozenset({"г-н", "г-жа", "господин", "госпожа", "ип", "mr", "mr.", "mrs", "mrs.", "ms", "ms."})
_PATRONYMIC = re.compile(r"[а-яё]{2,}(?:[ое]вич|[ьи]ич|мич|кич|[ое]вна|[иы]нична|ична)|ильич|лукич", re.IGNORECASE)
_TURKIC = frozenset({"оглы", "кызы", "угли", "кизи", "улы", "оглу", "гызы", "уулу"})
_SURNAME = re.compile(
    r"[а-яё]{2,}(?:[оеё]ва?|[иы]на?|ск(?:ий|ая|ой)|цк(?:ий|ая|ой)|енко|чук|[юу]к|янц?|дзе|швили|ых|их|[ое]вич|ая)",
    re.IGNORECASE,
)
# The commonest first names, ё folded: some end like surnames, and one of them settles a pair of words.
_FIRST_NAME_WORDS = """
александр александра алексей алена алина алиса алла анастасия анатолий ангелина андрей анна антон антонина арина
артем артур богдан борис вадим валентин валентина валерий валерия варвара василий вера вероника виктор виктория
виталий владимир владислав вячеслав галина геннадий георгий герман глеб григорий дарья денис диана дина дмитрий
евгений евгения егор екатерина елена елизавета жанна захар зинаида злата иван игорь илья инна ирина карина кирилл
клавдия константин кристина ксения лариса лев леонид лидия лилия любовь людмила макар максим маргарита марина
мария мартин марк матвей михаил надежда наталия наталья никита николай нина оксана олег ольга павел петр полина
регина роман руслан савелий светлана святослав семен сергей софия софья станислав степан таисия тамара татьяна
тимофей тимур тихон ульяна федор филипп эдуард элина эльвира эмин юлия юрий яков ян яна ярослав
"""
_FIRST_NAMES = frozenset(_FIRST_NAME_WORDS.split())


def _patronymic_at(words: list[str]) -> int | None:
    for at, word in enumerate(words[1:], start=1):
        if word.lower() in _TURKIC:
            return at - 1
    found = [at for at, word in enumerate(words) if _PATRONYMIC.fullmatch(word)]
    if len(found) > 1 and found[-1] == len(words) - 1 and not _is_surname(words[0]):
        return found[-2]  # a surname like a patronymic stands last: Роман Аркадьевич Абрамович
    return found[-1] if found else None


def _two_parts(words: list[str]) -> PersonName:
    if len(words) < 2:
        is_last = bool(words) and _is_surname(words[0])
        return PersonName(last=_joined(words)) if is_last else PersonName(first=_joined(words))
    head, tail = words[0], words[-1]
    if _is_first(head) != _is_first(tail):
        is_head_last = _is_first(tail)
    elif _is_surname(head) != _is_surname(tail):
        is_head_last = _is_surname(head)
    else:
        is_head_last = re.match(r"[а-яё]", head, re.IGNORECASE) is not None
    return PersonName(head, _joined(words[1:])) if is_head_last else PersonName(tail, _joined(words[:-1]))


def _is_first(word: str) -> bool:
    return word.lower().replace("ё", "е") in _FIRST_NAMES


def _is_surname(word: str) -> bool:
    return not _is_first(word) and all(map(_SURNAME.fullmatch, word.split("-")))


def _joined(words: list[str]) -> str | None:
    return " ".join(words) or None
