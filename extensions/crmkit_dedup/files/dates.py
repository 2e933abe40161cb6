"""Dates in every spelling that people, CRMs and spreadsheets use."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

_MONTHS = "янв jan|фев feb|мар mar|апр apr|мая май may|июн jun|июл jul|авг aug|сен sep|окт oct|ноя nov|дек dec"
_MONTH = {head: number for number, heads in enumerate(_MONTHS.split("|"), 1) for head in heads.split()}
_NUMBERS = re.compile(r"(\d{1,4})\s*[./\-\s,]\s*(\d{1,2})\s*[./\-\s,]\s*(\d{1,4})(?:\D.*)?$", re.DOTALL)
_DAY_FIRST = re.compile(r"(\d{1,2})(?:-?(?:го|е|st|nd|rd|th))?[\s.\-]+([а-яa-z]{3})[а-яa-z]*\.?,?[\s.\-]+(\d{2,4})")
_MONTH_FIRST = re.compile(r"([a-zа-я]{3})[a-zа-я]*\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})")
_NUMBER = re.compile(r"\d{5,14}(?:[.,]\d+)?$")
_BEFORE_1970 = re.compile(r"-\d{6,10}$")
_LONGEST = 60
_EXCEL_DAY = date(1899, 12, 30)
_DAY_OF_UNIX = date(1970, 1, 1)
# amoCRM's exports say of an open deal that it is "не закрыта".
_BLANK = {
    "",
    "-",
    "—",
    "нет",
    "null",
    "none",
    "nan",
    "nat",
    "n/a",
    "0",
    "не указано",
    "не указана",
    "не закрыта",
    "#n/a",
}


class Unreadable(ValueError):
    """The text is no date."""


def parse_date(text: str, *, is_month_first: bool = False) -> date | None:
    """Give the day; None for an empty cell, a placeholder or a date of zeros. The hour and the zone are left out.

    Where day and month could be either, the day is first unless `is_month_first`. Two digits of a year stand for the
    last hundred years. Numbers are days as spreadsheets count them, `YYYYMMDD`, or seconds since 1970, or before.

    Raises Unreadable.
    """
    plain = text.strip().strip("'\"").casefold()
    if plain in _BLANK or plain.startswith(("0000", "00.00", "00-00", "00/00")):
        return None
    if len(plain) > _LONGEST:
        raise Unreadable(text[:_LONGEST])
    if _NUMBER.match(plain):
        return _of_number(plain)
    if _BEFORE_1970.match(plain):
        return _DAY_OF_UNIX + timedelta(seconds=int(plain))
    try:
        if found := _NUMBERS.match(plain):
            return _of_parts(found[1], found[2], found[3], is_month_first=is_month_first)
        if found := _DAY_FIRST.search(plain):
            return date(_year(found[3]), _MONTH[found[2]], int(found[1]))
        if found := _MONTH_FIRST.search(plain):
            return date(_year(found[3]), _MONTH[found[1]], int(found[2]))
    except (ValueError, KeyError):
        raise Unreadable(text) from None
    raise Unreadable(text)


def shows_month_first(texts: list[str]) -> bool:
    """Give whether a column must be month first: some middle number is no month, and no first number denies it."""
    firsts, seconds = 0, 0
    for text in texts:
        found = _NUMBERS.match(text.strip()[:_LONGEST])
        if found and len(found[1]) <= 2:
            firsts, seconds = max(firsts, int(found[1])), max(seconds, int(found[2]))
    return seconds > 12 >= firsts


def _of_parts(one: str, two: str, three: str, *, is_month_first: bool) -> date:
    if len(one) >= 3:
        return date(int(one), int(two), int(three))
    first, second = int(one), int(two)
    if (is_month_first or second > 12) and first <= 12:
        first, second = second, first
    return date(_year(three), second, first)


def _year(text: str) -> int:
    year = int(text)
    if len(text) > 2:
        if not 1850 <= year <= 2200:
            raise ValueError(text)
        return year
    this = datetime.now(UTC).year
    year += this // 100 * 100
    return year - 100 if year > this else year


def _of_number(plain: str) -> date | None:
    whole = plain.replace(",", ".").partition(".")[0]
    try:
        if len(whole) == 5:
            return _EXCEL_DAY + timedelta(int(whole))
        if len(whole) in (8, 14) and whole[:2] in ("18", "19", "20"):
            return date(int(whole[:4]), int(whole[4:6]), int(whole[6:8]))
        if len(whole) in (9, 10, 13):
            return datetime.fromtimestamp(int(whole[:10]) if len(whole) == 13 else int(whole), UTC).date()
    except ValueError:
        pass
    raise Unreadable(plain)
