"""Rows read by two processes: every field arrives there and comes back as it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date, datetime

import pytest

from crmkit_dedup.crew import LENT, WARM, WORTH, Readers, by_column
from crmkit_dedup.firm import CompanyProfile, CompanyReader
from crmkit_dedup.profile import PersonProfile, PersonReader, adopt
from crmkit_dedup.rows import CompanyRow, DealRow, PersonRow
from crmkit_dedup.scoring.deals import DealProfile, deal_profile

SIZE = WORTH + 2 * LENT
NAMES = ("Сидоров Пётр", "Тлехугова Ася Олеговна", "Ли Вера", "тест", "", "Иванов-старший Иван")


class Text(str):
    """Text of another library's own class."""

    __slots__ = ()


def people(size: int) -> Iterator[PersonRow]:
    """People with all fields filled, of whom every seventh lacks the days and every ninth all but a number."""
    for at in range(size):
        if at % 9 == 0:
            yield PersonRow(str(at), phones=f"+7495{at:07d} доб. {at % 50}")
        else:
            days = (None, None) if at % 7 == 0 else (date(1950 + at % 50, 2, 1 + at % 28), datetime(2020, 1, 1, 9, 30))
            yield PersonRow(
                str(at), name=NAMES[at % 6], phones=f"+7921{at:07d}, info", emails=f"a{at}@mail.ru; info@firm{at}.ru",
                messengers=f"@one{at} two", birthday=days[0], gender="ж", city="Тверь", company=f"ООО Рога {at % 8}",
                inn="500100732259", created=days[1], external_id=f"x{at}",
            )  # fmt: skip


def readers() -> Readers[PersonRow, PersonProfile]:
    """What a scan of people reads with."""
    return Readers(PersonReader(), PersonRow, adopt)


def test_people_come_back_as_they_are_read_here() -> None:
    """All fields are the same and in order, and words are one object as if one process had read them."""
    rows = list(people(SIZE))
    found = list(readers().profiles(rows, 2))
    assert found == list(map(PersonReader(), rows))
    for field in ("surname", "given", "patronymic"):
        values = [getattr(profile, field) for profile in found]
        assert len(set(map(id, values))) == len(set(values))


def test_companies_come_back_as_they_are_read_here() -> None:
    """Sets of words and domains go over too."""
    rows = [
        CompanyRow(
            str(at), f"ООО «Ромашка {at}»", "7707083893", "770701001", "1027700132195", f"+7495{at:07d}",
            f"a@romashka{at}.ru", f"romashka{at}.ru", "Москва", "ул. Мира, 1", date(2020, 1, 1 + at % 28),
        )
        for at in range(SIZE)
    ]  # fmt: skip
    found = list(Readers(CompanyReader(), CompanyRow, by_column(CompanyProfile._make)).profiles(rows, 2))
    assert found == list(map(CompanyReader(), rows))


def test_deals_come_back_as_they_are_read_here() -> None:
    """A moment goes over as the day that is compared of it."""
    rows = [
        DealRow(
            str(at), f"c{at % 99}", f"o{at % 77}", "Продажи", "новая", at % 5 == 0, "Заявка на окна", "Окна", "1000.5",
            datetime(2024, 5, 1 + at % 28, 23, 59), date(2024, 6, 1) if at % 5 == 0 else None,
        )
        for at in range(SIZE)
    ]  # fmt: skip
    found = list(Readers(deal_profile, DealRow, by_column(DealProfile._make)).profiles(rows, 2))
    assert found == list(map(deal_profile, rows))


def test_values_of_a_class_of_their_own_are_read_here() -> None:
    """What cannot be sent to another process is read by this one."""
    rows = [row._replace(id=Text(row.id)) for row in people(SIZE)]
    assert list(readers().profiles(rows, 2)) == list(map(PersonReader(), rows))


def test_few_rows_start_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A base of some thousands is read where it is, whatever was asked."""
    monkeypatch.setattr(os, "fork", _refused)
    rows = list(people(WORTH - 1))
    assert list(readers().profiles(rows, 2)) == list(map(PersonReader(), rows))


def test_a_reader_that_dies_is_not_missed() -> None:
    """Rows lent to a process that ends before its time are read here, in their place, and so are all behind them."""
    rows = list(people(SIZE))
    mine = PersonReader()

    def dying(row: PersonRow) -> PersonProfile:
        # In the midst of the second piece that is lent.
        if os.getpid() != parent and int(row.id) >= WARM + LENT + LENT // 2:
            os._exit(1)
        return mine(row)

    parent = os.getpid()
    assert list(Readers(dying, PersonRow, adopt).profiles(rows, 2)) == list(map(mine, rows))


def test_an_interrupt_is_told_of_once(capfd: pytest.CaptureFixture[str]) -> None:
    """What breaks the other process off, as Ctrl-C does both, leaves no traceback of it."""
    rows = list(people(SIZE))
    mine = PersonReader()

    def interrupted(row: PersonRow) -> PersonProfile:
        if os.getpid() != parent:
            raise KeyboardInterrupt
        return mine(row)

    parent = os.getpid()
    assert list(Readers(interrupted, PersonRow, adopt).profiles(rows, 2)) == list(map(mine, rows))
    assert capfd.readouterr() == ("", "")


def _refused() -> int:
    raise AssertionError("a process was started")
