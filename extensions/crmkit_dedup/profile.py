"""A person as compared: everything that was typed, brought to one form, small enough for a million of them."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import date
from sys import intern
from typing import Any, NamedTuple

from crmkit.identity import (
    PhoneClass,
    is_stub_phone,
    parse_emails,
    parse_inn,
    parse_phones,
    person_form,
    phone_class,
    skeleton,
)
from crmkit_dedup.places import city_code
from crmkit_dedup.rows import PersonRow

LIKELY = "~"
"""Stands before a mailbox whose domain was a slip: it is likely to be that mailbox, not certain."""


class PersonProfile(NamedTuple):
    """A person in comparable form; empty text, 0 and empty tuples for what is not known.

    `surname` (in its masculine form), `patronymic` (the father's name) and `given_word` (as typed) are codes of
    `crmkit.identity`; `given` are all full names that the first name may stand for, `is_listed` when a table knows
    it. `phones` are digits with the country's code, `#` and an extension after them. `birthday` is the number
    yyyymmdd, `created` the ordinal of the day. `junk` is the code of the reason why the record is nobody.
    """

    id: str
    surname: str = ""
    given: frozenset[str] = frozenset()
    given_word: str = ""
    is_listed: bool = False
    patronymic: str = ""
    gender: str = ""
    given_initials: str = ""
    patronymic_initial: str = ""
    generation: str = ""
    phones: tuple[str, ...] = ()
    has_extension: bool = False
    mailboxes: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    messengers: tuple[str, ...] = ()
    birthday: int = 0
    city: str = ""
    company: str = ""
    inn: str = ""
    external: str = ""
    created: int = 0
    junk: str = ""

    @property
    def is_nameless(self) -> bool:
        """Nothing of a name is known, not even an initial."""
        return not (self.surname or self.given or self.given_initials)


class PersonReader:
    """Turns rows into profiles. `country` is the account's; `own_phones`, its own numbers, identify nobody."""

    def __init__(self, country: str = "RU", own_phones: Iterable[str] = ()) -> None:
        self._country = country
        self._own = {line_of(phone) for text in own_phones for phone in phones_in(text, country)[0]}

    def __call__(self, row: PersonRow) -> PersonProfile:
        """The profile of a row."""
        identity, last, first, middle, name, phone_text, mail_text, chats, born, sex, city, company, inn, made, code = (
            row
        )
        surname, given, patronymic, gender, _, is_listed, given_word, letters, patronymic_initial, _, _, is_nobody = (
            person_form(last, first, middle, name)
        )
        phones, has_stub = phones_in(phone_text, self._country) if phone_text else _NONE
        if self._own:
            phones = tuple(phone for phone in phones if line_of(phone) not in self._own)
        if "80" in phone_text:
            phones = tuple(phone for phone in phones if not phone.startswith(_TOLL_FREE) or "#" in phone)
        mailboxes, roles, has_stub_mail = _mailboxes(mail_text) if mail_text else _NO_MAIL
        messengers = tuple(_MESSENGER_SPLIT.split(chats.lower())) if chats else ()
        is_reached = bool(phones or mailboxes or messengers)
        return PersonProfile(
            identity,
            intern(surname),
            _GIVEN.setdefault(given, given),
            intern(given_word),
            is_listed,
            intern(patronymic),
            gender[0] if gender else _gender(sex) if sex else "",
            letters,
            patronymic_initial,
            _generation(f"{last} {first} {middle} {name}"),
            phones,
            "#" in "".join(phones),
            mailboxes,
            roles,
            messengers,
            _day(born) if born else 0,
            city_code(city) if city else "",
            intern(skeleton(company)) if company else "",
            parse_inn(inn) or "" if inn else "",
            code,
            made.toordinal() if made else 0,
            "" if is_reached and not is_nobody else _junk(row, is_nobody, is_reached, has_stub or has_stub_mail),
        )


def person_profile(row: PersonRow, country: str = "RU") -> PersonProfile:
    """The profile of one row."""
    return PersonReader(country)(row)


def adopt(columns: list[Sequence[Any]]) -> Iterator[PersonProfile]:
    """Profiles of their columns, as they come from another process: equal sets of names are one object again."""
    place = PersonProfile._fields.index("given")
    columns[place] = [_GIVEN.setdefault(given, given) for given in columns[place]]
    return map(PersonProfile._make, zip(*columns, strict=True))


def likeness(profile: PersonProfile) -> Hashable | None:
    """All that is compared but the day of entry; None where a name alone would make copies of namesakes."""
    is_more = profile.phones or profile.mailboxes or profile.messengers or profile.inn or profile.birthday
    if profile.junk or profile.is_nameless or not (is_more or profile.external):
        return None
    return tuple(profile._replace(id="", created=0))


def line_of(phone: str) -> str:
    """The number without its extension."""
    return phone.partition("#")[0]


def is_named_after_father(profile: PersonProfile) -> bool:
    """The first name is the father's too: somebody of the family has the same first name and surname."""
    father = profile.patronymic[:4]
    return bool(father) and any(skeleton(name)[:4] == father for name in profile.given)


def is_landline(phone: str) -> bool:
    """The number is not a mobile one."""
    return not phone.startswith("79") and phone_class(f"+{line_of(phone)}") is not PhoneClass.MOBILE


def phones_in(text: str, country: str) -> tuple[tuple[str, ...], bool]:
    """The numbers of a field, and whether one of them was a stub."""
    found, has_stub = [], False
    for e164, extension, _ in parse_phones(text, country=country):
        if is_stub_phone(e164):
            has_stub = True
        else:
            found.append(f"{e164[1:]}#{extension}" if extension else e164[1:])
    return tuple(found), has_stub or (not found and bool(text.strip()))


def _mailboxes(text: str) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """Personal mailboxes, role mailboxes, and whether one was a stub."""
    own, roles, has_stub = [], [], False
    for _, key, _, _, is_role, is_stub, _, suggestion in parse_emails(text):
        if is_stub:
            has_stub = True
        elif is_role:
            roles.append(key)
        else:
            own.append(f"{LIKELY}{suggestion}" if suggestion else key)
    return tuple(own), tuple(roles), has_stub


def _junk(row: PersonRow, is_nobody: bool, is_reached: bool, has_stub: bool) -> str:
    if is_nobody and _TEST.search(f"{row.last} {row.first} {row.middle} {row.name}".lower()):
        return "junk_name"
    is_named = not is_nobody and bool(row.last or row.first or row.name)
    if is_reached or row.inn or (is_named and not is_nobody):
        return ""
    return "junk_stub" if has_stub else "junk_name" if is_nobody else "junk_empty"


def _day(born: date) -> int:
    return 0 if born in _STUB_DAYS else born.year * 10_000 + born.month * 100 + born.day


def _generation(text: str) -> str:
    found = _GENERATION.search(text)
    return "" if found is None else "junior" if found[1] in _YOUNGER else "senior"


def _gender(text: str) -> str:
    return _GENDERS.get(text.strip().lower()[:1], "")


_GIVEN: dict[frozenset[str], frozenset[str]] = {}
_NOTHING: tuple[str, ...] = ()
_NONE, _NO_MAIL = (_NOTHING, False), (_NOTHING, _NOTHING, False)
# A firm's line is nobody's; behind an extension somebody sits.
_TOLL_FREE = ("7800", "7804")
# The days that programs begin to count from and people type to have typed something.
_STUB_DAYS = frozenset(
    {date(1900, 1, 1), date(1901, 1, 1), date(1904, 1, 1), date(1970, 1, 1), date(1980, 1, 1), date(2000, 1, 1)}
)
_MESSENGER_SPLIT = re.compile(r"[;,\s|]+")
_TEST = re.compile(r"тест|test|проб|проверк|demo|демо|удалить|asd|qwe|zxc|йцу|фыв|ячс|спам|spam|дубль")
# The word begins with the very first sign, for a search looks for that sign alone.
_GENERATION = re.compile(
    r"([сСмМsSjJ])(?<!\w.)(?i:(?<=с)(?:т|тарший)|(?<=м)(?:л|ладший)|(?<=s)(?:r|enior)|(?<=j)(?:r|unior))\b"
)
_YOUNGER = frozenset("мМjJ")
_GENDERS = {"м": "m", "m": "m", "ж": "f", "f": "f", "w": "f"}
