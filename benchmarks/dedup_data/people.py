"""A base of people: households, namesakes, offices, junk, and the duplicates of them all."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

from benchmarks.dedup_data import mail
from benchmarks.dedup_data.dataset import Dataset, Trap
from benchmarks.dedup_data.draw import Draw
from benchmarks.dedup_data.hardness import Hardness
from benchmarks.dedup_data.person import Person, draw_person, random_day
from benchmarks.dedup_data.phones import STUBS, landline, mobile, typed
from benchmarks.dedup_data.spoil import spoil

from crmkit_dedup.rows import PersonRow

_COPIES = Draw((2, 3, 4, 5, 6, 7, 8), (60, 22, 9, 4, 2.5, 1.5, 1))
_JUNK = ("тест", "Тест Тестов", "test", "asdf", "фыва", "Неизвестно", "Без имени", "ааа", "qwerty", "Клиент",
         "удалить", "ДУБЛЬ", "123",
         "Новый контакт", "xxx", ".", "спам", "Test Test", "не звонить", "проверка")  # fmt: skip
_CALLS = ("", "", "", "Входящий звонок", "Новый клиент", "Без имени", "Клиент", "Звонок с сайта", "Имя не указано")


class _Base:
    """Collects records until there are enough of them."""

    def __init__(self, level: Hardness, picked: random.Random) -> None:
        self.level, self.picked = level, picked
        self.records: list[tuple[tuple[object, ...], int, tuple[str, ...]]] = []
        self.traps: list[Trap] = []
        self.entity = 0

    def add(self, person: Person, *, copies: int | None = None) -> int:
        """Add a person with as many records as are drawn; gives the entity."""
        self.entity += 1
        if copies is None:
            copies = 1 if self.picked.random() < self.level.singles else _COPIES.one(self.picked)
        for _ in range(copies):
            fields, noise = spoil(person, self.level, self.picked)
            self.records.append((fields, self.entity, noise))
        if copies == 1 or self.picked.random() < 0.03:
            self.maybe_call(person)
        return self.entity

    def maybe_call(self, person: Person) -> None:
        """Add a record made by telephony: the number and no name."""
        if self.picked.random() < 0.03 and not person.extension and not person.keep_phone:
            self.add_bare(typed(person.mobiles[0], self.picked, 0.1), self.entity, "call")

    def add_bare(self, phones: str, entity: int, kind: str, *, first: str | None = None, emails: str = "") -> None:
        """Add a record that has a phone or an address but no person's name."""
        name = self.picked.choice(_CALLS) if first is None else first
        if kind == "call" and self.picked.random() < 0.2:
            name = f"Звонок {phones}"
        day = random_day(self.picked)
        fields = ("", name, "", "", phones, emails, "", None, "", "", "", "", day, "")
        self.records.append((fields, entity, (kind,)))

    def new(self) -> Person:
        """Draw a person."""
        return draw_person(self.picked, few=self.level.short_names)

    def trap(self, kind: str, *entities: int) -> None:
        """Note that these entities tempt."""
        self.traps.append(Trap(kind, entities))


def _spouses(base: _Base) -> None:
    picked, one = base.picked, draw_person(base.picked, few=base.level.short_names, is_male=True)
    born = one.birthday + timedelta(int((picked.random() - 0.4) * 3000))
    two = draw_person(picked, few=base.level.short_names, is_male=False, family=one.family, born=born, city=one.city)
    if picked.random() < 0.2:
        one.city_phone = two.city_phone = landline(one.city, picked)
        if picked.random() < 0.5:
            one.mobiles = two.mobiles = [one.city_phone]
    else:
        two.mobiles[0] = one.mobiles[0]
    if picked.random() < 0.3:
        two.emails = list(one.emails)
    if picked.random() < 0.25:
        two.last = two.other_last
    base.trap("spouses", base.add(one), base.add(two))


def _father_and_son(base: _Base) -> None:
    picked, few = base.picked, base.level.short_names
    father = draw_person(picked, few=few, is_male=True)
    born = father.birthday + timedelta(9000 + int(picked.random() * 4000))
    son = draw_person(
        picked, few=few, is_male=True, family=father.family, first=father.first, father=father.first, born=born,
        city=father.city,
    )  # fmt: skip
    if picked.random() < 0.6:
        son.mobiles[0] = father.mobiles[0]
    if son.middle == father.middle:
        father.middle = "Прохорович"
    father.keep_middle = son.keep_middle = True
    base.trap("father_son", base.add(father), base.add(son))


def _siblings(base: _Base) -> None:
    picked, few = base.picked, base.level.short_names
    one = base.new()
    father = picked.choice(("Сергей", "Александр", "Иван", "Олег", "Магомед", "Рустам"))
    born = one.birthday + timedelta(int((picked.random() - 0.5) * 4000) if picked.random() < 0.9 else 0)
    one = draw_person(picked, few=few, family=one.family, father=father, city=one.city)
    two = draw_person(picked, few=few, family=one.family, father=father, born=born, city=one.city)
    while two.first == one.first:
        two = draw_person(picked, few=few, family=one.family, father=father, born=born, city=one.city)
    shared = picked.random()
    if shared < 0.6:
        two.mobiles[0] = one.mobiles[0]
    if shared > 0.5 and one.emails:
        two.emails = list(one.emails)
    base.trap("siblings", base.add(one), base.add(two))


def _namesakes(base: _Base) -> None:
    one = base.new()
    two = draw_person(
        base.picked, few=base.level.short_names, is_male=one.is_male, family=one.family, first=one.first,
        city=one.city if base.picked.random() < 0.4 else "",
    )  # fmt: skip
    if base.picked.random() < 0.5:
        two.middle = one.middle
    base.trap("namesakes", base.add(one), base.add(two))


def _same_local(base: _Base) -> None:
    """One name of a mailbox at two providers: two people."""
    one, two = base.new(), base.new()
    local = f"{one.emails[0].partition('@')[0] if one.emails else 'sergey1985'}"
    one.emails, two.emails = (
        [f"{local}@mail.ru"],
        [f"{local}@{base.picked.choice(('bk.ru', 'list.ru', 'yandex.ru', 'gmail.com'))}"],
    )
    base.trap("same_local", base.add(one), base.add(two))


def _reissued(base: _Base) -> None:
    before, after = base.new(), base.new()
    after.mobiles[0] = before.mobiles[0]
    after.since = before.since + timedelta(900 + int(base.picked.random() * 1500))
    base.trap("reissued", base.add(before), base.add(after))


def _switchboard(base: _Base) -> None:
    picked = base.picked
    first = base.new()
    number = landline(first.city, picked) if picked.random() < 0.7 else mobile(picked)
    firm = picked.choice(("Завод", "Холдинг", "Трест", "Институт", "Фабрика")) + f" {int(picked.random() * 900)}"
    has_extensions = picked.random() < 0.5
    found: list[int] = []
    for _ in range(4 + int(picked.random() ** 2 * 26)):
        person = base.new()
        person.city, person.company = first.city, firm
        person.mobiles = [number, *person.mobiles]
        person.extension = str(100 + int(picked.random() * 900)) if has_extensions else ""
        person.keep_phone = True
        found.append(base.add(person))
    base.trap("switchboard_ext" if has_extensions else "switchboard", *found)


def _role_box(base: _Base) -> None:
    picked = base.picked
    domain = f"{picked.choice(('stroy', 'torg', 'med', 'auto', 'les', 'agro'))}{int(picked.random() * 9000)}.ru"
    address = f"{picked.choice(mail.ROLES)}@{domain}"
    found: list[int] = []
    for _ in range(3 + int(picked.random() * 7)):
        person = base.new()
        person.emails = [address]
        found.append(base.add(person))
    base.trap("role_box", *found)


def _junk(base: _Base) -> None:
    picked = base.picked
    base.entity += 1
    phones = picked.choice(STUBS) if picked.random() < 0.6 else ""
    emails = picked.choice(mail.STUBS) if not phones or picked.random() < 0.3 else ""
    base.add_bare(phones, base.entity, "junk", first=picked.choice(_JUNK), emails=emails)
    base.trap("junk", base.entity)


def _stub(base: _Base) -> None:
    """A real person whose phone was typed only because the field was required."""
    picked, person = base.picked, base.new()
    entity = base.add(person, copies=1)
    fields, _, noise = base.records[-1]
    changed = list(fields)
    changed[4 if picked.random() < 0.6 else 5] = picked.choice(STUBS)
    base.records[-1] = (tuple(changed), entity, (*noise, "stub"))
    base.trap("stub", entity)


def _manager_phone(base: _Base) -> None:
    """A seller's own number, typed into clients' cards."""
    number, found = mobile(base.picked), []
    for _ in range(4 + int(base.picked.random() * 16)):
        person = base.new()
        person.mobiles[0] = number
        found.append(base.add(person))
    base.trap("manager_phone", *found)


def _unknown_caller(base: _Base) -> None:
    """A call from a number that nobody has: stays alone; some call twice."""
    base.entity += 1
    number = mobile(base.picked)
    for _ in range(1 if base.picked.random() < 0.8 else 2):
        base.add_bare(typed(number, base.picked, 0.1), base.entity, "call")


_TRAPS: Draw[Callable[[_Base], None]] = Draw(
    (_spouses, _father_and_son, _siblings, _namesakes, _reissued, _same_local, _switchboard, _role_box, _junk, _stub,
    _manager_phone, _unknown_caller),
    (22, 9, 9, 18, 12, 4, 2, 2.5, 10, 8, 0.7, 8),
)  # fmt: skip


def people(size: int, *, seed: int, level: Hardness) -> Dataset[PersonRow]:
    """Give a base of `size` records in an order that says nothing; equal arguments give equal bases."""
    picked = random.Random(f"{seed}/{level.name}")
    base = _Base(level, picked)
    while len(base.records) < size:
        if picked.random() < level.traps:
            _TRAPS.one(picked)(base)
        else:
            base.add(base.new())
    records = base.records
    picked.shuffle(records)
    del records[size:]
    start = 10_000 + int(picked.random() * 90_000)
    rows = [PersonRow(str(start + at * 3), *record[0]) for at, record in enumerate(records)]  # type: ignore[arg-type]
    return Dataset(rows, [record[1] for record in records], [record[2] for record in records], base.traps)
