"""One record of a person: what somebody typed, and which noise went into it."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import NamedTuple

from benchmarks.dedup_data import mail
from benchmarks.dedup_data.hardness import Hardness
from benchmarks.dedup_data.person import Person
from benchmarks.dedup_data.phones import typed, with_extension
from benchmarks.dedup_data.places import OTHERWISE
from benchmarks.dedup_data.roman import SCHEMES, romanise
from benchmarks.dedup_data.slips import lookalike, slip, slip_digits, wrong_layout
from benchmarks.dedup_data.variants import DIMINUTIVES, FOREIGN


class Spoiled(NamedTuple):
    """The fields of a PersonRow but for its id, then the noise."""

    fields: tuple[object, ...]
    noise: tuple[str, ...]


_REMARKS = tuple(
    """ (Авито)| директор| муж| жена| от Ирины| Авито| г-н| (постоянный клиент)| - опт| новый| бухгалтер| юр. лицо
 клиент| дизайнер| (доставка)| перезвонить| от Ивана| от Сергея| (от Марины)| муж Ольги| жена Олега| мама Кати| брат
 2| ГИП| Инстаграм| (не звонить)| VIP| Казань| мл.""".replace("\n", "|").split("|")
)
_TITLES = ("г-н ", "г-жа ", "директор ", "ИП ", "клиент ", "др. ", "уважаемый ")


def spoil(person: Person, level: Hardness, picked: random.Random) -> Spoiled:
    """Give one record of the person."""
    noise: list[str] = []
    last, first, middle, whole = _names(person, level, picked, noise)
    phones = _phones(person, level, picked, noise)
    emails = _emails(person, level, picked, noise)
    if not phones and not emails and (not last or picked.random() < 0.7):
        phones = typed(person.mobiles[0], picked, level.phone_shape)
    roll = picked.random
    born: date | None = None
    if roll() >= level.no_birthday:
        born = _birthday(person.birthday, level, picked, noise)
    city = "" if roll() < level.no_city else person.city
    if city and roll() < level.city_shape:
        city = picked.choice(OTHERWISE.get(city, (city.upper(), f"г. {city}", city.lower())))
        noise.append("city_shape")
    created = person.since + timedelta(int(roll() ** 2 * 1_000))
    gender = ("М" if person.is_male else "Ж") if roll() < 0.15 else ""
    messenger = person.messenger if roll() < 0.7 else ""
    company = person.company if roll() < 0.6 else ""
    inn = person.inn if roll() < 0.6 else ""
    fields = (last, first, middle, whole, phones, emails, messenger, born, gender, city, company, inn, created, "")
    return Spoiled(fields, tuple(noise))


def _names(person: Person, level: Hardness, picked: random.Random, noise: list[str]) -> tuple[str, str, str, str]:
    last, first, middle = _parts(person, level, picked, noise)
    if picked.random() < level.slip:
        noise.append("slip")
        last, first, middle = _slipped(last, first, middle, picked)
    if picked.random() < 0.6:
        last, first, middle = last.replace("ё", "е"), first.replace("ё", "е"), middle.replace("ё", "е")
    last, first, middle = _shortened(last, first, middle, person, level, picked, noise)
    patronymic = middle
    last, first, middle = _script(last, first, middle, level, picked, noise)
    if person.keep_middle:
        middle = middle or patronymic
    return _arranged(last, first, middle, level, picked, noise)


def _parts(person: Person, level: Hardness, picked: random.Random, noise: list[str]) -> tuple[str, str, str]:
    """Give the parts that are told at all: one left out, one of another time, one in another form."""
    roll = picked.random
    last, middle = person.last, person.middle
    if person.other_last and roll() < level.surname_change:
        last = person.other_last if roll() < 0.75 else f"{last}-{person.other_last}"
        noise.append("surname_change")
    if not person.keep_middle and roll() < level.no_middle:
        middle = ""
        noise.append("no_middle")
    if roll() < level.no_last:
        last = ""
        noise.append("no_last")
    return last, _first(person.first, level, picked, noise), middle


def _slipped(last: str, first: str, middle: str, picked: random.Random) -> tuple[str, str, str]:
    which = picked.random()
    if which < 0.6 and last:
        return slip(last, picked), first, middle
    if which < 0.85 or not middle:
        return last, slip(first, picked), middle
    return last, first, slip(middle, picked)


def _shortened(
    last: str, first: str, middle: str, person: Person, level: Hardness, picked: random.Random, noise: list[str]
) -> tuple[str, str, str]:
    roll = picked.random
    if middle and roll() < level.diminutive / 5 and (short := _spoken(middle)):
        noise.append("spoken_middle")
        middle = short
    if last and roll() < level.initials:
        noise.append("initials")
        first, middle = first[:1] + ".", f"{middle[0]}." if middle else ""
        if middle and roll() < 0.4:
            first, middle = first + middle, ""
    elif last and not person.keep_middle and roll() < level.no_last / 5:
        noise.append("no_first")
        first = middle = ""
    return last, first, middle


def _spoken(middle: str) -> str:
    """A patronymic as it is spoken: Сергеич, Палыч, Иванна; empty where it has no such form."""
    for written, spoken in (("ович", "ыч"), ("евич", "ич"), ("овна", "на"), ("евна", "вна")):
        if middle.endswith(written) and len(middle) > 6:
            return middle.removesuffix(written) + spoken
    return ""


def _first(first: str, level: Hardness, picked: random.Random, noise: list[str]) -> str:
    roll = picked.random()
    if roll < level.diminutive and first in DIMINUTIVES:
        noise.append("diminutive")
        return picked.choice(DIMINUTIVES[first])
    if roll > 1 - level.diminutive / 6 and first in FOREIGN:
        noise.append("foreign")
        return picked.choice(FOREIGN[first])
    return first


def _script(
    last: str, first: str, middle: str, level: Hardness, picked: random.Random, noise: list[str]
) -> tuple[str, str, str]:
    """Give the parts in Latin, in the wrong layout, in look-alikes, or as they are."""
    roll = picked.random()
    if roll < level.roman:
        noise.append("roman")
        scheme = picked.choice(SCHEMES)
        return (
            romanise(last, scheme),
            romanise(first, scheme),
            "" if picked.random() < 0.6 else romanise(middle, scheme),
        )
    roll -= level.roman
    if roll < level.layout:
        noise.append("layout")
        return wrong_layout(last), wrong_layout(first), wrong_layout(middle)
    roll -= level.layout
    if roll < level.lookalike:
        noise.append("lookalike")
        return lookalike(last, picked), lookalike(first, picked), middle
    return last, first, middle


def _arranged(
    last: str, first: str, middle: str, level: Hardness, picked: random.Random, noise: list[str]
) -> tuple[str, str, str, str]:
    roll = picked.random
    if roll() < 0.08:
        change = str.upper if roll() < 0.5 else str.lower
        last, first, middle = change(last), change(first), change(middle)
        noise.append("case")
    if roll() < level.remark:
        noise.append("remark")
        if roll() < 0.7:
            first += picked.choice(_REMARKS)
        else:
            first, last = first, picked.choice(_TITLES) + last
    if roll() < level.one_field:
        noise.append("one_field")
        parts = (
            (last, first, middle) if roll() < 0.6 else (first, middle, last) if roll() < 0.5 else (first, last, middle)
        )
        text = " ".join(filter(None, parts))
        return ("", text, "", "") if roll() < 0.5 else ("", "", "", text)
    if roll() < level.order:
        noise.append("order")
        if roll() < 0.7:
            return first, last, middle, ""
        return last, " ".join(filter(None, (first, middle))), "", ""
    if roll() < 0.03:
        last, first = f" {last}", f"{first} "
    return last, first, middle, ""


def _phones(person: Person, level: Hardness, picked: random.Random, noise: list[str]) -> str:
    roll = picked.random
    if not person.keep_phone and roll() < level.no_phone:
        noise.append("no_phone")
        return ""
    number = person.mobiles[0]
    if not person.keep_phone and roll() < level.other_phone / 6:
        noise.append("toll_free")
        return typed("7800" + f"{int(roll() * 500) * 1999:07d}", picked, level.phone_shape)
    if person.city_phone and not person.keep_phone and roll() < level.other_phone:
        noise.append("city_phone")
        number = person.city_phone
    elif len(person.mobiles) > 1 and not person.keep_phone and roll() < level.other_phone * 3:
        noise.append("other_phone")
        number = person.mobiles[1]
    if roll() < level.phone_slip:
        noise.append("phone_slip")
        number = slip_digits(number, picked)
    if roll() < level.lost_number:
        noise.append("lost_number")
        return f"{number[0]}.{number[1:6]}E+10"
    text = typed(number, picked, level.phone_shape)
    if person.city_phone == number and roll() < 0.1:
        noise.append("no_city_code")
        return f"{number[-7:-4]}-{number[-4:-2]}-{number[-2:]}"
    if person.extension:
        text = with_extension(text, person.extension, picked)
    if roll() < level.extra_phone:
        noise.append("extra_phone")
        others = person.mobiles[1:] + ([person.city_phone] if person.city_phone else [])
        if others:
            extra = typed(picked.choice(others), picked, level.phone_shape)
            glue = picked.choice(("; ", ", ", " / ", "\n", " | ", ";"))
            text = f"{text}{glue}{extra}" if roll() < 0.6 else f"{extra}{glue}{text}"
    return text


def _emails(person: Person, level: Hardness, picked: random.Random, noise: list[str]) -> str:
    roll = picked.random
    if not person.emails or roll() < level.no_email:
        return ""
    address = person.emails[0]
    if len(person.emails) > 1 and roll() < level.other_email * 3:
        noise.append("other_email")
        address = person.emails[1]
    if roll() < level.email_slip:
        noise.append("email_slip")
        return mail.slipped(address, picked)
    if roll() < level.email_shape:
        noise.append("email_shape")
        address = mail.retyped(address, picked)
    if len(person.emails) > 1 and roll() < 0.08:
        address = f"{address}; {person.emails[1]}" if address != person.emails[1] else address
    return address


def _birthday(born: date, level: Hardness, picked: random.Random, noise: list[str]) -> date:
    if picked.random() >= level.birthday_slip:
        return born
    if born.day <= 12 and picked.random() < 0.4:
        noise.append("birthday_swapped")
        return born.replace(month=born.day, day=born.month)
    noise.append("birthday_slip")
    if picked.random() < 0.5:
        return born.replace(year=born.year + picked.choice((-10, -1, 1, 10)), day=min(born.day, 28))
    return born.replace(day=min(28, max(1, born.day + picked.choice((-10, -1, 1, 10)))))
