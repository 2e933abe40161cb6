"""A base of companies: namesakes in other cities, branches, holdings, and the duplicates of them all."""

from __future__ import annotations

import random

from benchmarks.dedup_data.dataset import Dataset, Trap
from benchmarks.dedup_data.draw import Draw
from benchmarks.dedup_data.firm import Firm, draw_firm, firm_inn, spoil_firm
from benchmarks.dedup_data.hardness import Hardness

from crmkit_dedup.rows import CompanyRow

_COPIES = Draw((2, 3, 4, 5), (65, 22, 9, 4))


class _Base:
    def __init__(self, level: Hardness, picked: random.Random) -> None:
        self.level, self.picked = level, picked
        self.records: list[tuple[tuple[object, ...], int, tuple[str, ...]]] = []
        self.traps: list[Trap] = []
        self.entity = 0

    def add(self, firm: Firm) -> int:
        self.entity += 1
        copies = 1 if self.picked.random() < self.level.singles else _COPIES.one(self.picked)
        for _ in range(copies):
            fields, noise = spoil_firm(firm, self.level, self.picked)
            self.records.append((fields, self.entity, noise))
        return self.entity


def _namesakes(base: _Base) -> None:
    """Firms of one name in other cities, or in one city with other INN."""
    one = draw_firm(base.picked)
    two = draw_firm(base.picked, core=one.core, form=one.form, city=one.city if base.picked.random() < 0.2 else "")
    base.traps.append(Trap("namesakes", (base.add(one), base.add(two))))


def _branches(base: _Base) -> None:
    """One INN, another KPP: a branch in another city, which has cards of its own."""
    head = draw_firm(base.picked, form="ООО")
    branch = draw_firm(base.picked, core=head.core, form=head.form)
    head.keep_kpp = branch.keep_kpp = True
    branch.inn, branch.ogrn, branch.site = head.inn, head.ogrn, head.site
    branch.kpp = f"{int(base.picked.random() * 9000) + 1000}43001"
    base.traps.append(Trap("branches", (base.add(head), base.add(branch))))


def _holding(base: _Base) -> None:
    """Firms of one house: a phone, a site and a mailbox for all, each with its own INN and name."""
    head, found = draw_firm(base.picked, form="ООО"), []
    for tail in base.picked.sample(
        (" Трейд", " Логистика", " Сервис", " Строй", "-Юг", "-Север", " Финанс", " Агро"), 3
    ):
        firm = draw_firm(base.picked, core=head.core + tail, form="ООО", city=head.city)
        firm.inn = firm_inn(base.picked)
        firm.phone, firm.site, firm.email = head.phone, head.site, head.email
        found.append(base.add(firm))
    base.traps.append(Trap("holding", (base.add(head), *found)))


_TRAPS = Draw((_namesakes, _branches, _holding), (60, 20, 20))


def companies(size: int, *, seed: int, level: Hardness) -> Dataset[CompanyRow]:
    """Give a base of `size` companies; equal arguments give equal bases."""
    picked = random.Random(f"firms/{seed}/{level.name}")
    base = _Base(level, picked)
    while len(base.records) < size:
        if picked.random() < level.traps:
            _TRAPS.one(picked)(base)
        else:
            base.add(draw_firm(picked))
    records = base.records
    picked.shuffle(records)
    del records[size:]
    rows = [CompanyRow(str(500 + at), *record[0]) for at, record in enumerate(records)]  # type: ignore[arg-type]
    return Dataset(rows, [record[1] for record in records], [record[2] for record in records], base.traps)
