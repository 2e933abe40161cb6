"""A base of deals: the same wish entered twice, beside purchases that only look the same."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import NamedTuple

from benchmarks.dedup_data.dataset import Dataset, Trap
from benchmarks.dedup_data.draw import Draw
from benchmarks.dedup_data.hardness import Hardness
from benchmarks.dedup_data.person import random_day
from benchmarks.dedup_data.slips import slip

from crmkit_dedup.rows import DealRow

_FAMILIES = """Кухня,Кухня угловая,кухни,Кухня на заказ|Шкаф-купе,Шкаф купе,шкафы-купе
Остекление балкона,Балкон остекление|Ремонт квартиры,Ремонт квартир под ключ|Доставка,Доставка груза
Курс английского,Английский язык курс|Абонемент,Абонемент на год|CRM внедрение,Внедрение CRM
Аудит сайта,SEO аудит сайта|Забор,Забор из профнастила|Кровля,Кровельные работы
Натяжной потолок,Потолок натяжной,Натяжные потолки|Кондиционер,Кондиционер с установкой|Страховка,Страховка КАСКО
Имплантация,Имплантация зубов|Детский лагерь,Лагерь детский путёвка"""
_PRODUCTS = tuple(tuple(family.split(",")) for family in _FAMILIES.replace("\n", "|").split("|"))
_VAGUE = ("Заявка с сайта", "Новая сделка", "Звонок", "Входящий лид", "Сделка #{n}", "Заказ {n}", "Обращение", "",
          "Новая заявка",
          "Сделка от {day}", "{client}")  # fmt: skip
_TELLING = ("Заявка {product}", "{product}", "{product} {client}", "Заказ: {product}", "{product}, {n} руб")
_PIPELINES = ("Продажи", "Опт", "Сервис")
_STAGES = ("Новая", "Квалификация", "Предложение", "Счёт", "Договор")
_DAYS = {"easy": 6, "medium": 14, "hard": 25}
"""Within how many days the same wish is entered again."""


class Wish(NamedTuple):
    """What a client wants, and when they said so first; `family` is a place among the products."""

    client: str
    pipeline: str
    family: int
    day: date
    is_named: bool = False
    """What is wanted stands in every deal: nothing else tells it from another wish."""


class _Base:
    def __init__(self, level: Hardness, picked: random.Random) -> None:
        self.level, self.picked = level, picked
        self.records: list[tuple[tuple[object, ...], int, tuple[str, ...]]] = []
        self.traps: list[Trap] = []
        self.entity = 0
        self.client = 0

    def wish(self) -> Wish:
        """Draw a wish of a new client."""
        self.client += 1
        picked = self.picked
        place = int(picked.random() * len(_PRODUCTS))
        return Wish(f"c{self.client}", picked.choice(_PIPELINES), place, random_day(picked))

    def add(self, wish: Wish, *, copies: int = 1, is_closed: bool = False) -> int:
        """Add the deals of one wish; copies come within days of the first."""
        picked, self.entity = self.picked, self.entity + 1
        amount = str(int(picked.random() * 200) * 1000)
        for at in range(copies):
            created = wish.day + timedelta(int(picked.random() * _DAYS[self.level.name]) if at else 0)
            closed = created + timedelta(5 + int(picked.random() * 60)) if is_closed else None
            noise: list[str] = []
            title, product = self._words(wish, created, noise)
            shown = amount if picked.random() < 0.5 else ""
            company = f"f{wish.client}" if int(wish.client[1:]) % 4 == 0 else ""
            contact = "" if company and picked.random() < 0.1 else wish.client
            stage = self._stage(is_closed=is_closed)
            fields = (contact, company, wish.pipeline, stage, is_closed, title, product, shown, created, closed)
            self.records.append((fields, self.entity, tuple(noise)))
        return self.entity

    def trap(self, kind: str, one: int, other: int) -> None:
        """Note two wishes that look like one."""
        self.traps.append(Trap(kind, (one, other)))

    def _words(self, wish: Wish, created: date, noise: list[str]) -> tuple[str, str]:
        picked, level = self.picked, self.level
        family = _PRODUCTS[wish.family]
        product = family[0]
        if picked.random() < level.diminutive * 2:
            product = picked.choice(family)
            noise.append("other_words")
        if picked.random() < level.slip:
            product = slip(product, picked)
            noise.append("slip")
        has_field = picked.random() > 0.35
        is_telling = picked.random() < 0.45 or (wish.is_named and not has_field)
        title = picked.choice(_TELLING if is_telling else _VAGUE).format(
            n=int(picked.random() * 9000), product=product, client=wish.client, day=created
        )
        if not has_field:
            noise.append("no_product")
        return title, product if has_field else ""

    def _stage(self, *, is_closed: bool) -> str:
        if not is_closed:
            return self.picked.choice(_STAGES)
        return "Успешно реализовано" if self.picked.random() < 0.6 else "Закрыто и не реализовано"


def _repeat(base: _Base) -> None:
    """Bought, closed, and came again for the same: some within days of the closing."""
    wish = base.wish()
    one = base.add(wish, is_closed=True)
    later = wish.day + timedelta(70 + int(base.picked.random() ** 2 * 300))
    base.trap("repeat", one, base.add(wish._replace(day=later)))


def _other_product(base: _Base) -> None:
    """Two things wanted at once."""
    wish = base.wish()._replace(is_named=True)
    other = base.picked.choice([place for place in range(len(_PRODUCTS)) if place != wish.family])
    later = wish.day + timedelta(int(base.picked.random() * 7))
    base.trap("other_product", base.add(wish), base.add(wish._replace(family=other, day=later)))


def _other_pipeline(base: _Base) -> None:
    """One client in the hands of two departments."""
    wish = base.wish()
    other = base.picked.choice([item for item in _PIPELINES if item != wish.pipeline])
    base.trap("other_pipeline", base.add(wish), base.add(wish._replace(pipeline=other, day=wish.day + timedelta(2))))


def _long_after(base: _Base) -> None:
    """Still open half a year later, when the client asks for something again."""
    wish = base.wish()
    later = wish.day + timedelta(150 + int(base.picked.random() * 200))
    base.trap("long_after", base.add(wish), base.add(wish._replace(day=later)))


_TRAPS = Draw((_repeat, _other_product, _other_pipeline, _long_after), (40, 25, 20, 15))
_COPIES = Draw((1, 2, 3, 4), (70, 22, 6, 2))


def deals(size: int, *, seed: int, level: Hardness) -> Dataset[DealRow]:
    """Give a base of `size` deals with right clients; equal arguments give equal bases."""
    picked = random.Random(f"deals/{seed}/{level.name}")
    base = _Base(level, picked)
    while len(base.records) < size:
        if picked.random() < level.traps * 3:
            _TRAPS.one(picked)(base)
        else:
            base.add(base.wish(), copies=_COPIES.one(picked))
            if picked.random() < 0.3:
                base.add(base.wish(), is_closed=True)
    records = base.records
    picked.shuffle(records)
    del records[size:]
    rows = [DealRow(str(7000 + at), *record[0]) for at, record in enumerate(records)]  # type: ignore[arg-type]
    return Dataset(rows, [record[1] for record in records], [record[2] for record in records], base.traps)
