"""Numbers that registers give to firms: INN, KPP, OGRN and their neighbours in the CIS, checked by their own sums."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple


class TaxKind(StrEnum):
    """Whose register a tax number is from."""

    INN_COMPANY = "inn_company"
    INN_PERSON = "inn_person"
    KZ_BIN = "kz_bin"
    BY_UNP = "by_unp"
    UA_EDRPOU = "ua_edrpou"
    UA_PERSON = "ua_person"
    UZ_STIR = "uz_stir"


class TaxNumber(NamedTuple):
    """A tax number whose sum fits, with the zeros that a spreadsheet took put back."""

    kind: TaxKind
    number: str


def parse_inn(raw: str, *, country: str = "RU") -> str | None:
    """Give the tax number that the text holds, or None when there is none whose sum fits: `tax_number` without kind."""
    found = tax_number(raw, country=country)
    return found.number if found else None


def tax_number(raw: str, *, country: str = "RU") -> TaxNumber | None:
    """Give the tax number that the text holds: the account's own country first, then those of its neighbours.

    Reads `ИНН 7707083893`, `ИНН/КПП 7707083893/773601001` (the first is taken) and what spreadsheets make of it:
    `7707083893.0`, a lost leading zero. None for sums that do not fit and for placeholders (all digits equal, 1234…).
    Source: how the tax services of Russia, Kazakhstan, Belarus and Ukraine count the last digit.
    """
    for digits in _digit_groups(raw):
        if len(set(digits.lstrip("0"))) < 2 or digits in _COUNTED:
            continue
        for kind in (*_FIRST.get(country, ()), *_KINDS):
            number = _CHECKS[kind](digits)
            if number is not None:
                return TaxNumber(kind, number)
    return None


def parse_kpp(raw: str) -> str | None:
    """Give the nine signs of a KPP, or None. A branch has its firm's INN and a KPP of its own."""
    for part in _KPP_PART.findall(_unspread(raw).upper()):
        text = str(part).rjust(9, "0") if len(part) == 8 and part.isdecimal() else part
        if _KPP.fullmatch(text) and len(set(text)) > 1:
            return str(text)
    return None


def parse_ogrn(raw: str) -> str | None:
    """Give the OGRN (13 digits) or the OGRNIP (15) that the text holds, or None when its sum does not fit."""
    for digits in _digit_groups(raw):
        if len(digits) in (13, 15) and digits[0] != "0":
            body = digits[:-1]
            if int(body) % (11 if len(digits) == 13 else 13) % 10 == int(digits[-1]):
                return digits
    return None


_LONGEST_FIELD = 200
_COUNTED = frozenset({"1234567894", "123456789012", "123456789", "987654321"})
_SPREAD = re.compile(r"(?<![\d.,])(\d)[.,](\d{6,14})[eеEЕ]\+?(\d{1,2})(?!\d)")
_POINT_ZERO = re.compile(r"(?<=\d)[.,]0+(?!\d)")
_GROUPED = re.compile(r"(?<=\d)[ \u00a0](?=\d)")
_KPP_PART = re.compile(r"(?<![0-9A-Z])[0-9A-Z]{8,9}(?![0-9A-Z])")
_KPP = re.compile(r"\d{4}[\dA-Z]{2}\d{3}")
_INN_10 = (2, 4, 10, 3, 5, 9, 4, 6, 8)
_INN_11 = (7, *_INN_10)
_INN_12 = (3, *_INN_11)


def _unspread(raw: str) -> str:
    def mended(match: re.Match[str]) -> str:
        whole, fraction, exponent = match.groups()
        kept = fraction[: int(exponent)]
        return f"{whole}{kept}" if len(kept) == int(exponent) and not fraction[int(exponent) :].strip("0") else " "

    return _POINT_ZERO.sub("", _SPREAD.sub(mended, raw[:_LONGEST_FIELD]))


def _digit_groups(raw: str) -> list[str]:
    text = _unspread(raw)
    groups = re.findall(r"[0-9]+", text)
    return [group for group in (*groups, *re.findall(r"[0-9]+", _GROUPED.sub("", text))) if 7 < len(group) < 16]


def _sum(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def _inn_company(digits: str) -> str | None:
    number = digits.rjust(10, "0")
    is_fit = len(number) == 10 and len(digits) > 8 and _sum(number, _INN_10) % 11 % 10 == int(number[9])
    return number if is_fit else None


def _inn_person(digits: str) -> str | None:
    number = digits.rjust(12, "0")
    if len(number) != 12 or len(digits) < 11:
        return None
    is_fit = _sum(number, _INN_11) % 11 % 10 == int(number[10]) and _sum(number, _INN_12) % 11 % 10 == int(number[11])
    return number if is_fit else None


def _kz_bin(digits: str) -> str | None:
    if len(digits) != 12:
        return None
    rest = _sum(digits, tuple(range(1, 12))) % 11
    if rest == 10:
        rest = _sum(digits, (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)) % 11
    return digits if rest == int(digits[11]) else None


def _by_unp(digits: str) -> str | None:
    is_fit = len(digits) == 9 and _sum(digits, (29, 23, 19, 17, 13, 7, 5, 3)) % 11 == int(digits[8])
    return digits if is_fit else None


def _ua_edrpou(digits: str) -> str | None:
    if len(digits) != 8:
        return None
    is_middle = 30_000_000 < int(digits) < 60_000_000
    weights = (7, 1, 2, 3, 4, 5, 6) if is_middle else (1, 2, 3, 4, 5, 6, 7)
    rest = _sum(digits, weights) % 11
    if rest == 10:
        rest = _sum(digits, tuple(weight + 2 for weight in weights)) % 11 % 10
    return digits if rest == int(digits[7]) else None


def _ua_person(digits: str) -> str | None:
    is_fit = len(digits) == 10 and _sum(digits, (-1, 5, 7, 9, 4, 6, 10, 5, 7)) % 11 % 10 == int(digits[9])
    return digits if is_fit else None


def _uz_stir(digits: str) -> str | None:
    return digits if len(digits) == 9 and digits[0] in "23456" else None


_CHECKS = {
    TaxKind.INN_COMPANY: _inn_company, TaxKind.INN_PERSON: _inn_person, TaxKind.KZ_BIN: _kz_bin,
    TaxKind.BY_UNP: _by_unp, TaxKind.UA_EDRPOU: _ua_edrpou, TaxKind.UA_PERSON: _ua_person, TaxKind.UZ_STIR: _uz_stir,
}  # fmt: skip
# Eight digits are met everywhere and an Uzbek number has no sum: these two are believed only where they are at home.
_KINDS = (TaxKind.INN_COMPANY, TaxKind.INN_PERSON, TaxKind.KZ_BIN, TaxKind.BY_UNP)
_FIRST = {
    "KZ": (TaxKind.KZ_BIN,), "BY": (TaxKind.BY_UNP,), "UA": (TaxKind.UA_EDRPOU, TaxKind.UA_PERSON),
    "UZ": (TaxKind.UZ_STIR,),
}  # fmt: skip
