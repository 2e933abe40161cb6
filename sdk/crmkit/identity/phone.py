"""Phone numbers as E.164: read from whatever people and spreadsheets make of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cache, lru_cache
from types import ModuleType
from typing import NamedTuple

MAX_FIELD = 1_000
"""Longest field that is searched for phones, in characters; a longer one is a text, not a phone."""


class PhoneNumber(NamedTuple):
    """A number that can be dialled from anywhere, and the text it was read from."""

    e164: str
    extension: str | None
    raw: str


def parse_phone(raw: str, *, country: str = "RU") -> PhoneNumber | None:
    """Give the one number that the text holds, or None.

    None for an anonymous caller, an internal number, a number without its city code, digits that a spreadsheet
    has rounded, placeholders (all digits equal), what no country has, what could be read in two ways
    (`7 8 900 …`), and for several numbers: `parse_phones` gives those. `country` (ISO 3166, two letters) is the
    account's own: it decides what a number without `+` means.
    """
    found = parse_phones(raw, country=country)
    return found[0] if len(found) == 1 else None


def parse_phones(raw: str, *, country: str = "RU") -> tuple[PhoneNumber, ...]:
    """Give each number that the field holds once, in the order written.

    `raw` is the whole text for a single number, else the number's own part. What `parse_phone` would refuse is
    left out.
    """
    if len(raw) > MAX_FIELD:
        return ()
    own = _own_digits(raw) or _dressed_digits(raw) if country in _PLUS_SEVEN else ""
    if own:
        return (PhoneNumber(f"+7{own}", None, raw),)
    found: dict[tuple[str, str | None], PhoneNumber] = {}
    for part in _parts(raw, country):
        for number in _numbers(part, country):
            found.setdefault((number.e164, number.extension), number)
    return tuple(found.values()) if len(found) > 1 else tuple([number._replace(raw=raw) for number in found.values()])


class PhoneClass(StrEnum):
    """What kind of line a number is."""

    MOBILE = "mobile"
    LANDLINE = "landline"
    TOLL_FREE = "toll_free"
    OTHER = "other"


def is_country(code: str) -> bool:
    """The code (ISO 3166, two capital letters) is of a country whose numbers are known."""
    return code in _PLUS_SEVEN or code in _phonenumbers().SUPPORTED_REGIONS


def phone_class(e164: str) -> PhoneClass:
    """Give the kind of line of a number in E.164; numbers that may be either (USA) are mobile.

    Answered from a short table for +7 and the neighbours that are met most, by phonenumbers for the rest.
    Source: the numbering plans of Russia and Kazakhstan (codes 9xx; 70x, 747, 75x, 76x, 77x), Belarus, Ukraine.
    """
    for country, mobile, toll_free in _PLANS:
        if e164.startswith(country):
            own = e164[len(country) :]
            if own.startswith(toll_free):
                return PhoneClass.TOLL_FREE
            if own.startswith(mobile):
                return PhoneClass.MOBILE
            return PhoneClass.OTHER if country == "+7" and own.startswith("80") else PhoneClass.LANDLINE
    return _class_by_library(e164)


def is_stub_phone(e164: str) -> bool:
    """The number in E.164 is one that people type to have typed something: it is nobody's.

    Seven or more equal digits at the end (`… 1111111`), seven consecutive ones behind a code that is as easily typed
    (`999 123-45-67`; behind any other it is a number somebody was glad to get), no area code (`+7 000 …`), one pair of
    digits all over.
    """
    tail = e164[-7:]
    own = e164[2:] if e164[:2] == "+7" else e164[4:]
    if own[:3] == "000" or (tail in _COUNTED and own[:3] in _EASY_CODES):
        return True
    if len(e164) > 3 and e164[-2] != e164[-4]:
        return False  # one digit or one pair at the end would show here
    pairs = len(own) // 2
    return tail == tail[:1] * len(tail) or (len(own) > 8 and own[: 2 * pairs] == own[:2] * pairs)


def is_anonymous(raw: str) -> bool:
    """The text says that the caller hides the number, or says nothing at all."""
    return _WORD.sub("", _SCHEME.sub("", raw.strip()).partition("@")[0].lower()) in _ANONYMOUS


def is_toll_free(number: PhoneNumber | str, *, country: str = "RU") -> bool:
    """The number is paid by its owner (8-800 and the like): a company's line, never a person's."""
    phone = parse_phone(number, country=country) if isinstance(number, str) else number
    if phone is None:
        return False
    if phone.e164.startswith("+7"):
        return phone.e164.startswith(("+7800", "+7804"))
    library = _phonenumbers()
    return bool(library.number_type(library.parse(phone.e164)) == library.PhoneNumberType.TOLL_FREE)


_PLUS_SEVEN = frozenset({"RU", "KZ"})
_TRUNKS = frozenset({"", "7", "+7", "8"})
# Every +7 9xx number of eleven digits is a valid mobile one: no table is needed, and most numbers are these. As typed
# without signs, as a spreadsheet keeps numbers, and with one word behind.
_MOBILE = re.compile(r"(?:\+?7|8)?(9[0-9]{9})(?:\.0| ?\([^\W\d_]{2,12}\))?")
# The same with words around and signs between, but no dot, which may be a spreadsheet's: all the digits there are.
_DRESSED = re.compile(
    r"[^\d+@]{0,12}(?:\+[78]|(?:00)?[78])[^\w;,./|\r\n+]{0,3}(9(?:[^\w;,./|\r\n+]{0,3}[0-9]){9})[^\d@]*", re.IGNORECASE
)
_NO_DIGIT = re.compile(r"[^0-9]+")
_LONGEST_DRESSED = 40
# No dot among them: `8912345678.0` is ten digits that a spreadsheet took for a number.
_RARE_SIGNS = re.compile(r"[\u00a0\u2011\u2013\t]+")

_EXTENSION_WORD = r"(?:доб(?:авочный)?|доп|вн(?:утр)?|ext(?:ension)?|x|х|#)"
# A separator in front of an extension belongs to the number; a plus or ten digits in a row begin another one.
_PARTS = re.compile(
    rf"[;,/|\r\n][;,/|\r\n]*(?!\s*{_EXTENSION_WORD}[.:=\s]*[0-9])|\s\s*(?=\+)|\s(?<=[0-9]{{10}}\s)\s*(?=[0-9]{{10}})",
    re.IGNORECASE,
)
_EXTENSION = re.compile(
    rf"[;,\s]*{_EXTENSION_WORD}[.:=\s]*([0-9]{{1,6}})\W*$|(?<=[0-9]{{2}})\s*\(([0-9]{{2,5}})\)\s*$", re.IGNORECASE
)
# Without one of these there is none.
_EXTENSION_SIGN = re.compile(r"[xXхХ#]|[дД][оО]|[вВ][нН]|[0-9]\)")
_DAMAGE = re.compile(r"(?<![0-9.,])(?:([0-9])[.,]([0-9]{1,14})[eеEЕ]\+?([0-9]{1,2})|([1-9][0-9]{9,14})[.,]0+)(?![0-9])")
_DAMAGE_SIGN = re.compile(r"[.,eеEЕ][0+]|[eеEЕ][0-9]")
# Letters with no other beside them: without one the next two find nothing.
_LIKE_DIGITS = re.compile(r"[OoОоЗзZz](?<![^\W\d_].)[OoОоЗзZz]*(?![^\W\d_])")
_ZERO = re.compile(r"(?<=[0-9])[OoОо]+(?=[0-9\s()-]|$)|(?<=[\s()+-])[OoОо]+(?=[0-9])")
_THREE = re.compile(r"(?<=[0-9]{3})[ЗзZz]+(?=[0-9\s()-]|$)|(?<=[0-9][\s-])[Зз](?=[0-9])")
# No country begins with 8 and goes on like a Russian mobile number: the trunk prefix with a plus in front.
_PLUS_EIGHT = re.compile(r"\+8(?=[\s(-]*9(?:[\s()-]*[0-9]){9}(?![0-9]))")
# 8/912/555-01-23: no part is long enough to be a number of its own.
_SLASH = re.compile(r"[/|]")
_SLASHED = re.compile(r"\s*\+?[78]?[-\s(]*(?:[0-9][-\s)]*){0,3}[/|][0-9-\s]{3,9}(?:[/|][0-9-\s]{2,9})*")
_SCHEME = re.compile(r"^\s*(?:tel|sips?|callto):(?://)?", re.IGNORECASE)
_RUN = re.compile(r"\+?[0-9(](?:[-\s0-9().\u00a0\u2010-\u2015]*[0-9])?")
_TRUNK_ZERO = re.compile(r"(\+(?!7)[0-9]{1,3})\s*\(0\)")
_SHORTEST = 7
_CITY_AND_NUMBER = 10
_SEVEN_AND_NUMBER = 11
_COUNTRY_AND_NUMBER = 12
# Codes of Russia and Kazakhstan under which every seven digits are a number; the others are asked of phonenumbers.
# Source: the numbering plans of both countries.
_CODE_RANGES = """
301-302 336 341-343 345-347 349 351-353 365 381-385 388 390-391 394-395 401 411 413 415-416 421 423-424 426-427 471-475
481-487 491-496 498-499 700-702 705-708 747 751 760-764 771 775-778 800 803-804 808-809 811-818 820-821 831 833-836
840-848 851 855-857 860-863 865-867 869 871-873 877-879 900-999
"""
# The same for mobile numbers of Belarus, Ukraine and Uzbekistan, nine digits behind the country's code.
_MOBILE_RANGES = {
    "375": "255-257 259 291-299 330-339 440-449",
    "380": "390-399 500-509 630-639 660-689 710-739 750-759 770-779 910-999",
    "998": "330-339 500-509 770-779 870-889 900-959 970-999",
}
_NEIGHBOURS = ("375", "380", "998", "374", "994", "995", "996", "992")
_PLACEHOLDERS = frozenset({"9876543210", "1234567890", "0123456789", *(digit * 10 for digit in "0123456789")})
_EASY_CODES = frozenset({"900", "999", "111", "123"})
_COUNTED = frozenset({"1234567", "7654321", "0123456", "2345678", "3456789", "9876543", "8765432"})
_PLANS = (
    ("+7", ("9", "70", "747", "75", "76", "77"), ("800", "804")),
    ("+375", ("25", "29", "33", "44"), ("800", "801")),
    ("+380", ("39", "50", "63", "66", "67", "68", "73", "75", "77", "9"), ("800",)),
    ("+998", ("20", "33", "50", "55", "70", "77", "87", "88", "9"), ("800",)),
)
_WORD = re.compile(r"[\W_]+")
_ANONYMOUS_WORDS = """
anonymous unknown restricted private withheld unavailable hidden
скрыт скрытый скрытыйномер номерскрыт неизвестен неизвестно неизвестныйномер аноним анонимный анонимно
"""
_ANONYMOUS = frozenset({"", "0", *_ANONYMOUS_WORDS.split()})


def _codes(ranges: str) -> Iterator[str]:
    for span in ranges.split():
        low, _, high = span.partition("-")
        yield from map(str, range(int(low), int(high or low) + 1))


_WHOLE_CODES = frozenset(_codes(_CODE_RANGES))
_MOBILE_CODES = frozenset(f"{country}{code}" for country, ranges in _MOBILE_RANGES.items() for code in _codes(ranges))


def _mended(match: re.Match[str]) -> str:
    whole, fraction, exponent, with_zeros = match.groups()
    if with_zeros is not None:
        return str(with_zeros)
    # All digits are there only when the fraction is as long as the exponent; fewer were rounded away.
    kept, rest = fraction[: int(exponent)], fraction[int(exponent) :]
    return f"{whole}{kept}" if len(kept) == int(exponent) and not rest.strip("0") else " "


def _own_digits(text: str) -> str:
    """The ten digits behind +7 when the text is one number and signs between its digits; empty for all else."""
    mobile = _MOBILE.fullmatch(text)
    if mobile is not None:
        own = mobile[1]
    elif text[:1].isalpha() or text[-1:].isalpha():
        return ""
    else:
        bare = text if text.isascii() and "\t" not in text else _RARE_SIGNS.sub("", text)
        plain = bare.replace(" ", "").replace("-", "").replace("(", "").replace(")", "")
        own = plain[-_CITY_AND_NUMBER:]
        if plain[:-_CITY_AND_NUMBER] not in _TRUNKS or own[:3] not in _WHOLE_CODES:
            return ""
        if len(own) < _CITY_AND_NUMBER or not (own.isdecimal() and own.isascii()):
            return ""
        # What stands in brackets behind a landline number may be an extension.
        if own[0] != "9" and text.rstrip().endswith(")"):
            return ""
    return "" if own in _PLACEHOLDERS else own


def _dressed_digits(text: str) -> str:
    """The ten digits of the one mobile number that stands among words; empty for all else."""
    dressed = _DRESSED.fullmatch(text) if len(text) <= _LONGEST_DRESSED else None
    own = _NO_DIGIT.sub("", dressed[1]) if dressed else ""
    return "" if own in _PLACEHOLDERS else own


def _parts(raw: str, country: str) -> list[str]:
    """The parts of a field that hold a number each; digits that spreadsheets and people have spoiled are mended."""
    text = _THREE.sub("3", _ZERO.sub("0", raw)) if _LIKE_DIGITS.search(raw) else raw
    if _DAMAGE_SIGN.search(text):
        text = _DAMAGE.sub(_mended, text)
    if "+8" in text and country in _PLUS_SEVEN:
        text = _PLUS_EIGHT.sub("8", text)
    parts = _PARTS.split(text)
    return [_SLASH.sub(" ", text)] if len(parts) > 1 and _SLASHED.fullmatch(text) else parts


def _numbers(part: str, country: str) -> Iterator[PhoneNumber]:
    plain = part.strip()
    if country in _PLUS_SEVEN and not plain.endswith((")", ".0")) and (own := _own_digits(plain)):
        yield PhoneNumber(f"+7{own}", None, plain)
        return
    text = (_SCHEME.sub("", part) if ":" in part else part).partition("@")[0]
    extension = _EXTENSION.search(text) if _EXTENSION_SIGN.search(text) else None
    if extension is not None:
        text = text[: extension.start()]
    if "(0)" in text:
        text = _TRUNK_ZERO.sub(r"\1", text)
    runs = [(run, digits) for run in _RUN.findall(text) if len(digits := _NO_DIGIT.sub("", run)) >= _SHORTEST]
    for at, (run, digits) in enumerate(runs, start=1):
        e164 = _e164(digits, run.startswith("+"), country)
        if e164 is not None:
            inner = extension[1] or extension[2] if extension is not None and at == len(runs) else None
            yield PhoneNumber(e164, inner, plain if len(runs) == 1 else run)


def _e164(digits: str, is_international: bool, country: str) -> str | None:
    if is_international or digits.startswith("00"):
        return _valid(digits.removeprefix("00"), None)
    if country in _PLUS_SEVEN:
        if len(digits) == 11 and digits[0] in "78":
            return _valid(f"7{digits[1:]}", None)
        if len(digits) == _CITY_AND_NUMBER and digits[0] in "3456789":
            return _valid(f"7{digits}", None)
        if digits.startswith("810") and not digits.startswith("8107"):
            return _valid(digits[3:], None)
    national = _valid(digits, country) if country not in _PLUS_SEVEN else None
    if national is None and digits.startswith(_NEIGHBOURS if country in _PLUS_SEVEN else (*_NEIGHBOURS, "7")):
        return _valid(digits, None)
    return national


def _valid(digits: str, country: str | None) -> str | None:
    if country is None and len(digits) == _SEVEN_AND_NUMBER and digits[0] == "7" and digits[1:4] in _WHOLE_CODES:
        return None if digits[1:] in _PLACEHOLDERS else f"+{digits}"
    if country is None and len(digits) == _COUNTRY_AND_NUMBER and digits[:6] in _MOBILE_CODES:
        return None if len(set(digits[3:])) == 1 else f"+{digits}"
    return _valid_by_library(digits, country)


@lru_cache(maxsize=1 << 12)
def _valid_by_library(digits: str, country: str | None) -> str | None:
    library = _phonenumbers()
    try:
        number = library.parse(digits if country else f"+{digits}", country)
    except library.NumberParseException:
        return None
    own = library.national_significant_number(number)
    # The library takes off a second country code or trunk prefix in silence; what it took must be known.
    prefix = digits.removesuffix(own)
    is_plain = prefix == str(number.country_code) if country is None else len(prefix) <= 3
    if not is_plain or not digits.endswith(own) or not library.is_valid_number(number):
        return None
    return None if len(set(own)) == 1 or own in _PLACEHOLDERS else f"+{number.country_code}{own}"


@cache
def _phonenumbers() -> ModuleType:
    # Loaded when first needed: most numbers never get here, and `import crmkit` must stay quick.
    import phonenumbers

    return phonenumbers


@lru_cache(maxsize=20_000)
def _class_by_library(e164: str) -> PhoneClass:
    library = _phonenumbers()
    try:
        kind = library.number_type(library.parse(e164))
    except library.NumberParseException:
        return PhoneClass.OTHER
    kinds = library.PhoneNumberType
    if kind in (kinds.MOBILE, kinds.FIXED_LINE_OR_MOBILE):
        return PhoneClass.MOBILE
    if kind == kinds.FIXED_LINE:
        return PhoneClass.LANDLINE
    return PhoneClass.TOLL_FREE if kind == kinds.TOLL_FREE else PhoneClass.OTHER
