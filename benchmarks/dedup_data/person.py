"""A person as they are: what every record of theirs is a spoiled copy of."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from benchmarks.dedup_data.mail import FREE, mailbox
from benchmarks.dedup_data.names import (
    FATHER_FIRST,
    FEMALE_FIRST,
    FEW_SURNAMES,
    MALE_FIRST,
    SURNAMES,
    feminine,
    patronymic,
)
from benchmarks.dedup_data.phones import landline, mobile
from benchmarks.dedup_data.places import CITIES

_FIRST_DAY, _LAST_BIRTH = date(1945, 1, 1), 22_600
_OPENED, _OPEN_DAYS = date(2015, 1, 1), 3_000
_FIRMS = ("Альфа", "Вектор", "СтройМаркет", "Ромашка", "Горизонт", "ТехноСервис", "Север", "Мегаполис", "Факел",
          "Дельта", "Лидер",
          "Аврора", "Меридиан", "Квант", "Рассвет", "Прогресс", "Эталон", "Оптима", "Каскад", "Сатурн")  # fmt: skip


@dataclass(slots=True)
class Person:
    """One person; surnames are in the person's own gender, `family` is the masculine form."""

    is_male: bool
    family: str
    last: str
    first: str
    middle: str
    birthday: date
    mobiles: list[str]
    city: str
    since: date
    """When the first record was made."""
    emails: list[str] = field(default_factory=list)
    other_last: str = ""
    """The surname before or after a marriage."""
    city_phone: str = ""
    messenger: str = ""
    company: str = ""
    extension: str = ""
    inn: str = ""
    keep_middle: bool = False
    """The patronymic is written in every record: without it no one could tell this person from another."""
    keep_phone: bool = False


def draw_person(
    picked: random.Random,
    *,
    few: bool,
    is_male: bool | None = None,
    family: str = "",
    first: str = "",
    father: str = "",
    born: date | None = None,
    city: str = "",
) -> Person:
    """Give a person; what is not said is drawn."""
    roll = picked.random
    male = roll() < 0.5 if is_male is None else is_male
    family = family or (FEW_SURNAMES if few else SURNAMES).one(picked)
    last = family if male else feminine(family)
    first = first or (MALE_FIRST if male else FEMALE_FIRST).one(picked)
    middle = patronymic(father or FATHER_FIRST.one(picked), is_male=male, picked=picked)
    birthday = born or _FIRST_DAY + timedelta(int(roll() * _LAST_BIRTH))
    city = city or CITIES.one(picked)
    person = Person(male, family, last, first, middle, birthday, [mobile(picked)], city, random_day(picked))
    if roll() < 0.3:
        person.mobiles.append(mobile(picked))
    if roll() < 0.75:
        person.emails.append(mailbox(first, last, middle, birthday.year, picked))
        if roll() < 0.25:
            again = person.emails[0].partition("@")[0] + "@" + FREE.one(picked)
            person.emails.append(again if roll() < 0.4 else mailbox(first, last, middle, birthday.year, picked))
    if roll() < 0.1:
        person.city_phone = landline(city, picked)
    if roll() < 0.12:
        person.messenger = "@" + mailbox(first, last, middle, birthday.year, picked).partition("@")[0].replace(".", "_")
    if roll() < 0.2:
        person.company = picked.choice(_FIRMS) + picked.choice(("", "", " Плюс", "-М", " Групп"))
    if not male:
        person.other_last = feminine((FEW_SURNAMES if few else SURNAMES).one(picked))
    if roll() < 0.03:
        person.inn = personal_inn(picked)
    return person


def random_day(picked: random.Random) -> date:
    """Give a day on which a record may have been made."""
    return _OPENED + timedelta(int(picked.random() * _OPEN_DAYS))


def personal_inn(picked: random.Random) -> str:
    """Give a person's INN with right sums."""
    digits = [int(picked.random() * 10) for _ in range(10)]
    for weights in ((7, 2, 4, 10, 3, 5, 9, 4, 6, 8), (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)):
        digits.append(sum(weight * digit for weight, digit in zip(weights, digits, strict=True)) % 11 % 10)
    return "".join(map(str, digits))
