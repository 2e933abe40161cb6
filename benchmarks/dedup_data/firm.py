"""A company as it is, and one record of it as somebody typed it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from benchmarks.dedup_data import mail
from benchmarks.dedup_data.draw import Draw
from benchmarks.dedup_data.hardness import Hardness
from benchmarks.dedup_data.names import MALE_FIRST, SURNAMES, patronymic
from benchmarks.dedup_data.person import personal_inn, random_day
from benchmarks.dedup_data.phones import landline, mobile, typed
from benchmarks.dedup_data.places import CITIES, OTHERWISE
from benchmarks.dedup_data.roman import ICAO, YANDEX, romanise
from benchmarks.dedup_data.slips import lookalike, slip

FORMS = Draw(
    ("ООО", "АО", "ИП", "ПАО", "ЗАО", "ГБУЗ", "МУП", "ТОО", "ЧУП", "АНО", "КФХ"),
    (60, 6, 22, 2, 3, 1.5, 1, 2, 1, 1, 0.5),
)
_IN_WORDS = {"ООО": "Общество с ограниченной ответственностью", "АО": "Акционерное общество",
"ИП": "Индивидуальный предприниматель",
             "ЗАО": "Закрытое акционерное общество", "ПАО": "Публичное акционерное общество"}  # fmt: skip
_IN_LATIN = {
    "ООО": ("OOO", "LLC", "Ltd"),
    "АО": ("AO", "JSC"),
    "ПАО": ("PJSC",),
    "ЗАО": ("CJSC",),
    "ИП": ("IP",),
    "ТОО": ("LLP",),
}
_ONE = """Альфа Вектор Горизонт Север Лидер Аврора Меридиан Квант Рассвет Прогресс Эталон Оптима Каскад Сатурн
Факел Дельта Атлант Маяк
Восток Олимп Гарант Титан Орион Парус Кристалл Радуга Спектр Стимул Статус Контакт Импульс Престиж Вертикаль
Арсенал Базис Фортуна
Ника Веста Гермес Зенит Магнат Навигатор Новатор Партнёр Родник Слобода Союз Сфера Тандем Успех Форвард Эверест
Юпитер Янтарь
Берёзка Весна Витязь Глобус Дубрава Ермак Жемчужина Заря Исток Колос Лада Мечта Нива Оазис Поиск Русич Сокол Терем
Уют Фаворит"""
_TWO = """Строй Торг Сервис Авто Мед Агро Лес Тех Пром Металл Энерго Транс Снаб Дом Мебель Груз Софт Дент Фарм Эко
Газ Нефть Хим
Текстиль Продукт Логистик Дизайн Монтаж Ремонт Проект Вент Климат Окна Двери Кровля Бетон Щебень Плюс Гарант Групп
Трейд Маркет"""
_PREFIXES = ("", "", "", "", "", "", "ТД ", "ГК ", "СК ", "ПК ", "НПО ", "УК ", "ТК ")
_SPELLED = {
    "ТД": "Торговый дом",
    "ГК": "Группа компаний",
    "СК": "Строительная компания",
    "ПК": "Производственная компания",
    "УК": "Управляющая компания",
    "ТК": "Транспортная компания",
}
_ONES, _TWOS = _ONE.split(), _TWO.split()


@dataclass(slots=True)
class Firm:
    """One organisation or sole trader."""

    form: str
    core: str
    inn: str
    kpp: str
    ogrn: str
    city: str
    phone: str
    email: str
    site: str
    address: str
    keep_kpp: bool = False
    """The KPP is written beside the INN: nothing else tells a branch from its head."""
    since: date = field(default_factory=lambda: date(2020, 1, 1))


def firm_inn(picked: random.Random) -> str:
    """Give an organisation's INN with a right sum."""
    digits = [int(picked.random() * 10) for _ in range(9)]
    if picked.random() < 0.15:
        digits[0] = 0
    digits.append(sum(w * d for w, d in zip((2, 4, 10, 3, 5, 9, 4, 6, 8), digits, strict=True)) % 11 % 10)
    return "".join(map(str, digits))


def draw_firm(picked: random.Random, *, core: str = "", form: str = "", city: str = "") -> Firm:
    """Give a firm; a common core name is met in many cities."""
    roll = picked.random
    form = form or FORMS.one(picked)
    city = city or CITIES.one(picked)
    if form in ("ИП", "КФХ"):
        first = MALE_FIRST.one(picked)
        core = (
            core or f"{SURNAMES.one(picked)} {first} {patronymic(MALE_FIRST.one(picked), is_male=True, picked=picked)}"
        )
    elif not core:
        core = _core(picked)
    inn = personal_inn(picked) if form in ("ИП", "КФХ") else firm_inn(picked)
    kpp = f"{inn[:4]}01001" if len(inn) == 10 else ""
    head = f"{picked.choice('15') if len(inn) == 10 else 3}{int(roll() * 24):02d}{inn[:2]}{int(roll() * 1e7):07d}"
    ogrn = head + str(int(head) % 11 % 10) if len(inn) == 10 else f"{head}{int(roll() * 100):02d}"
    if len(inn) == 12:
        ogrn += str(int(ogrn) % 13 % 10)
    own = next(part for part in core.split() if len(part) > 3 or part == core.split()[-1])
    word = romanise(own, ICAO).lower().replace("’", "").replace("-", "")
    domain = f"{word}{'' if roll() < 0.4 else int(roll() * 9000)}.ru"
    email = (
        f"{picked.choice(mail.ROLES)}@{domain}"
        if roll() < 0.6
        else f"{word}{int(roll() * 900)}@{mail.FREE.one(picked)}"
    )
    phone = landline(city, picked) if roll() < 0.6 else mobile(picked)
    site = domain if roll() < 0.6 else ""
    address = f"ул. {picked.choice(_ONES)}ная, {int(roll() * 90) + 1}"
    return Firm(form, core, inn, kpp, ogrn, city, phone, email, site, address, since=random_day(picked))


def _core(picked: random.Random) -> str:
    roll = picked.random()
    prefix = picked.choice(_PREFIXES)
    if roll < 0.3:
        return prefix + picked.choice(_ONES)
    if roll < 0.6:
        number = f"-{int(picked.random() * 90)}" if picked.random() < 0.33 else ""
        return prefix + picked.choice(_TWOS) + picked.choice(_TWOS).lower() + number
    if roll < 0.85:
        return f"{prefix}{picked.choice(_ONES)}{picked.choice((' ', '-'))}{picked.choice(_TWOS)}"
    return f"{prefix}{SURNAMES.one(picked)} и партнёры"


def spoil_firm(firm: Firm, level: Hardness, picked: random.Random) -> tuple[tuple[object, ...], tuple[str, ...]]:
    """Give the fields of a CompanyRow but for its id, and the noise."""
    roll, noise = picked.random, list[str]()
    name = _name(firm, level, picked, noise)
    inn = _inn(firm.inn, level, picked, noise)
    kpp = firm.kpp if inn and (firm.keep_kpp or roll() < 0.5) else ""
    ogrn = firm.ogrn if roll() < 0.25 else ""
    phone = "" if inn and roll() < level.no_phone * 2 else typed(firm.phone, picked, level.phone_shape)
    if phone and roll() < level.other_phone:
        phone = typed(mobile(picked), picked, level.phone_shape)
        noise.append("other_phone")
    email = firm.email if roll() > level.no_email else ""
    site = (
        picked.choice(("{}", "www.{}", "https://{}/", "http://www.{}/contacts?utm=1", "{}/")).format(firm.site)
        if firm.site and roll() < 0.6
        else ""
    )
    city = "" if roll() < level.no_city else firm.city
    if city and roll() < level.city_shape:
        city = picked.choice(OTHERWISE.get(city, (city.upper(), f"г. {city}")))
    address = firm.address if roll() < 0.4 else ""
    created = firm.since + timedelta(int(roll() * 900))
    return (name, inn, kpp, ogrn, phone, email, site, city, address, created), tuple(noise)


def _inn(inn: str, level: Hardness, picked: random.Random, noise: list[str]) -> str:
    roll = picked.random()
    if roll < level.no_phone * 3.5:
        noise.append("no_inn")
        return ""
    if inn[0] == "0" and picked.random() < 0.5:
        noise.append("inn_lost_zero")
        return inn.lstrip("0")
    if picked.random() < level.phone_slip:
        noise.append("inn_slip")
        at = int(picked.random() * len(inn))
        return inn[:at] + str((int(inn[at]) + 1) % 10) + inn[at + 1 :]
    if picked.random() < 0.03:
        return picked.choice((f"{inn}.0", f"ИНН {inn}", f" {inn} ", f"'{inn}"))
    return inn


def _name(firm: Firm, level: Hardness, picked: random.Random, noise: list[str]) -> str:
    roll = picked.random
    form, core = firm.form, firm.core
    if form == "ИП" and roll() < level.initials * 3:
        last, first, middle = core.split(" ", 2)
        core = f"{last} {first[0]}. {middle[0]}." if roll() < 0.6 else f"{last} {first}"
        noise.append("initials")
    if roll() < level.slip:
        words = core.split(" ")
        at = int(roll() * len(words))
        words[at] = slip(words[at], picked)
        core = " ".join(words)
        noise.append("slip")
    if roll() < 0.4:
        core = core.replace("ё", "е")
    shape = roll()
    if shape < level.roman:
        noise.append("roman")
        return f"{romanise(core, YANDEX)} {picked.choice(_IN_LATIN.get(form, ('',)))}".strip()
    if shape < level.roman + level.lookalike:
        noise.append("lookalike")
        core = lookalike(core, picked)
    if roll() < level.order:
        core = core.replace("-", " ") if "-" in core else core.replace(" ", "-" if form not in ("ИП", "КФХ") else " ")
        noise.append("hyphen")
    head, _, rest = core.partition(" ")
    if head in _SPELLED and roll() < level.order:
        noise.append("prefix")
        core = f"{_SPELLED[head]} {rest}" if roll() < 0.6 else rest
    if roll() < level.remark:
        core += picked.choice((f" {firm.city}", f" ({firm.city})", f" г. {firm.city}", " (основной)", " НОВЫЙ", " опт"))
        noise.append("remark")
    return _formed(form, core, level, picked, noise)


def _formed(form: str, core: str, level: Hardness, picked: random.Random, noise: list[str]) -> str:
    roll = picked.random()
    opened, closed = (
        ("", "")
        if form in ("ИП", "КФХ")
        else picked.choice((("«", "»"), ('"', '"'), ("“", "”"), ("„", "“"), ("", ""), ("'", "'")))
    )
    if roll < level.no_last * 1.5:
        noise.append("no_form")
        return core
    if roll < 0.75:
        text = f"{form} {opened}{core}{closed}"
    elif roll < 0.85:
        text = f"{opened}{core}{closed}, {form}"
    elif roll < 0.93:
        text = f"{core} {form}"
    else:
        noise.append("form_in_words")
        text = f"{_IN_WORDS.get(form, form)} {opened}{core}{closed}"
    return text.upper() if picked.random() < 0.08 else text
