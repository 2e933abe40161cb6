"""A base of deals: the same wish entered twice, beside purchases that only look the same."""

from __future__ import annotations

import random
from datetime import date, timedelta

from benchmarks.dedup_data.dataset import Dataset, Trap
from benchmarks.dedup_data.draw import Draw
from benchmarks.dedup_data.hardness import Hardness
from benchmarks.dedup_data.person import random_day
from benchmarks.dedup_data.slips import slip

from crmkit_dedup.rows import DealRow

_PRODUCTS = ("Кухня", "Шкаф-купе", "Остекление балкона", "Ремонт квартиры", "Доставка", "Курс английского",
             "Абонемент", "CRM внедрение",
             "Аудит сайта", "Забор", "Кровля", "Натяжной потолок", "Кондиционер", "Страховка", "Имплантация",
             "Детский лагерь")  # fmt: skip
_WORDY = ("Заявка с сайта", "Новая сделка", "Звонок", "Входящий лид", "Сделка #{n}", "Заказ {n}",
          "Заявка {product}", "{product}",
          "{product} {client}", "Обращение", "")  # fmt: skip
_PIPELINES = ("Продажи", "Опт", "Сервис")
_STAGES = ("Новая", "Квалификация", "Предложение", "Счёт", "Договор")


class _Base:
    def __init__(self, level: Hardness, picked: random.Random) -> None:
        self.level, self.picked = level, picked
        self.records: list[tuple[tuple[object, ...], int, tuple[str, ...]]] = []
        self.traps: list[Trap] = []
        self.entity = 0
        self.client = 0

    def wish(self) -> tuple[str, str, str, date]:
        """Draw a client's wish: client, pipeline, product, day."""
        self.client += 1
        picked = self.picked
        return f"c{self.client}", picked.choice(_PIPELINES), picked.choice(_PRODUCTS), random_day(picked)

    def add(
        self,
        client: str,
        pipeline: str,
        product: str,
        day: date,
        *,
        copies: int = 1,
        is_closed: bool = False,
        is_named: bool = False,
    ) -> int:
        """Add the deals of one wish: copies come within days of the first; `is_named`: the product stands in each."""
        picked, self.entity = self.picked, self.entity + 1
        amount = str(int(picked.random() * 200) * 1000)
        for at in range(copies):
            noise: list[str] = []
            typed_product = product if is_named or picked.random() > 0.35 else ""
            if typed_product and picked.random() < self.level.slip:
                typed_product = slip(product, picked)
                noise.append("slip")
            if not typed_product:
                noise.append("no_product")
            title = picked.choice(_WORDY).format(n=int(picked.random() * 9000), product=product, client=client)
            created = day + timedelta(int(picked.random() * 8) if at else 0)
            closed = created + timedelta(5 + int(picked.random() * 60)) if is_closed else None
            stage = (
                ("Успешно реализовано" if picked.random() < 0.6 else "Закрыто и не реализовано")
                if is_closed
                else picked.choice(_STAGES)
            )
            shown = amount if picked.random() < 0.5 else ""
            contact = client if picked.random() < 0.95 else ""
            company = f"f{client}" if int(client[1:]) % 4 == 0 else ""
            fields = (
                contact or ("" if company else client),
                company,
                pipeline,
                stage,
                is_closed,
                title,
                typed_product,
                shown,
                created,
                closed,
            )
            self.records.append((fields, self.entity, tuple(noise)))
        return self.entity


def _repeat(base: _Base) -> None:
    """Bought, closed, and came again for the same."""
    client, pipeline, product, day = base.wish()
    one = base.add(client, pipeline, product, day, is_closed=True)
    later = day + timedelta(75 + int(base.picked.random() * 300))
    base.traps.append(Trap("repeat", (one, base.add(client, pipeline, product, later))))


def _other_product(base: _Base) -> None:
    client, pipeline, product, day = base.wish()
    other = base.picked.choice([item for item in _PRODUCTS if item != product])
    one = base.add(client, pipeline, product, day, is_named=True)
    two = base.add(client, pipeline, other, day + timedelta(3), is_named=True)
    base.traps.append(Trap("other_product", (one, two)))


def _other_pipeline(base: _Base) -> None:
    client, pipeline, product, day = base.wish()
    other = base.picked.choice([item for item in _PIPELINES if item != pipeline])
    one = base.add(client, pipeline, product, day)
    base.traps.append(Trap("other_pipeline", (one, base.add(client, other, product, day + timedelta(2)))))


def _long_after(base: _Base) -> None:
    """Still open half a year later, when the client asks for something again."""
    client, pipeline, product, day = base.wish()
    one = base.add(client, pipeline, product, day)
    later = day + timedelta(150 + int(base.picked.random() * 200))
    base.traps.append(Trap("long_after", (one, base.add(client, pipeline, product, later))))


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
            base.add(*base.wish(), copies=_COPIES.one(picked), is_closed=False)
            if picked.random() < 0.3:
                base.add(*base.wish(), is_closed=True)
    records = base.records
    picked.shuffle(records)
    del records[size:]
    rows = [DealRow(str(7000 + at), *record[0]) for at, record in enumerate(records)]  # type: ignore[arg-type]
    return Dataset(rows, [record[1] for record in records], [record[2] for record in records], base.traps)
