"""Dates: every spelling gives its day, and what is no date is no day."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from crmkit_dedup.files.dates import Unreadable, parse_date, shows_month_first

DAY = date(1985, 3, 7)


@pytest.mark.parametrize(
    "text",
    [
        "07.03.1985", "7.3.1985", "7.03.85", "07/03/1985", "07-03-1985", "1985-03-07", "1985/03/07", "1985.03.07",
        "19850307", "1985-03-07T00:00:00+03:00", "1985-03-07 10:20:30.5", "07.03.1985 10:00", "7 марта 1985",
        "7 марта 1985 г.", "07 мар 1985", "7-го марта 1985 года", "Mar 7, 1985", "March 7th, 1985", "7 March 1985",
        "7th March 1985", "31113", "31113.0", "31113.75", " '07.03.1985 ", "07.03.1985г.", "7 . 3 . 1985",
        "19850307000000", "479001600",
    ],
)  # fmt: skip
def test_every_spelling_gives_the_day(text: str) -> None:
    """People, CRMs, spreadsheets and machines mean the same day."""
    assert parse_date(text) == DAY


@pytest.mark.parametrize("text", ["", "-", "0000-00-00", "00.00.0000", "нет", "null", "NaN", "0", "не закрыта"])
def test_placeholders_are_no_date(text: str) -> None:
    """A cell that says nothing gives nothing."""
    assert parse_date(text) is None


@pytest.mark.parametrize(
    "text", ["31.02.2000", "99.99.9999", "скоро", "5 брюмера 1999", "123456", "2000-13-45", "1" * 14, "12.05"]
)
def test_what_is_no_date_is_said(text: str) -> None:
    """A day that is in no calendar is an error, not another day."""
    with pytest.raises(Unreadable):
        parse_date(text)


def test_seconds_before_1970_are_a_day_too() -> None:
    """amoCRM says so when its older clients were born."""
    assert [parse_date(text) for text in ("-631152000", "-631152001")] == [date(1950, 1, 1), date(1949, 12, 31)]


def test_the_order_of_day_and_month_is_that_of_the_column() -> None:
    """One impossible month shows how the whole column is written; a day above twelve turns by itself."""
    assert shows_month_first(["03/07/1985", "12/31/1999"])
    assert not shows_month_first(["03/07/1985", "31/12/1999"])
    assert not shows_month_first(["03/07/1985"])
    assert parse_date("03/07/1985", is_month_first=True) == DAY
    assert parse_date("12/31/1999") == date(1999, 12, 31)
    assert parse_date("31.12.1999", is_month_first=True) == date(1999, 12, 31)


def test_two_digits_are_a_year_of_the_last_hundred() -> None:
    """Nobody is born in the years to come."""
    this = datetime.now(UTC).year % 100

    assert parse_date(f"01.01.{this:02d}") == date(2000 + this, 1, 1)
    assert parse_date(f"01.01.{this + 1:02d}") == date(1900 + this + 1, 1, 1)
