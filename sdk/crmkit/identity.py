"""Who a text means: phone numbers as E.164, e-mail addresses as comparable keys, Russian names in three parts."""

from __future__ import annotations

import re
from collections.abc import Iterator
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


class PersonName(NamedTuple):
    """The parts of a name as typed; None for a part that is not there."""

    last: str | None = None
    first: str | None = None
    middle: str | None = None


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
    if country in _PLUS_SEVEN:
        plain = _MOBILE.fullmatch(raw.translate(_UNPUNCTUATED))
        if plain is not None and plain[1] not in _PLACEHOLDERS:
            return (PhoneNumber(f"+7{plain[1]}", None, raw),)
    if len(raw) > MAX_FIELD:
        return ()
    parts = _PARTS.split(_DAMAGE.sub(_mended, _ZERO.sub("0", raw)))
    found: dict[tuple[str, str | None], PhoneNumber] = {}
    for number in (number for part in parts for number in _numbers(part, country)):
        found.setdefault((number.e164, number.extension), number)
    return tuple(found.values()) if len(found) > 1 else tuple(number._replace(raw=raw) for number in found.values())


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


def normalize_email(raw: str) -> str | None:
    """Give the address in lower case with its domain in ASCII, or None when the text is not one address.

    Takes off what surrounds an address in a field: spaces, `mailto:`, `Name <…>`, closing dots and commas.
    """
    bracketed = _BRACKETED.search(raw)
    text = (bracketed[1] if bracketed else raw).strip().lower().removeprefix("mailto:").rstrip(" \t\r\n.,;")
    local, at, domain = text.rpartition("@")
    if not at or len(text) > 254 or len(local) > 64 or not _LOCAL.fullmatch(local):
        return None
    try:
        ascii_domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    return f"{local}@{ascii_domain}" if _DOMAIN.fullmatch(ascii_domain) else None


def email_key(raw: str) -> str | None:
    """Give one text for all spellings that reach the same mailbox, or None when the text is not an address.

    Gmail and Yandex ignore some signs and have several domains; `+tag` goes where the provider is known to drop
    it. Equal keys mean one mailbox; it may still be shared by people.
    """
    address = normalize_email(raw)
    if address is None:
        return None
    local, _, domain = address.rpartition("@")
    if domain in _GMAIL:
        short, domain = local.partition("+")[0].replace(".", ""), "gmail.com"
    elif domain in _YANDEX:
        short, domain = local.partition("+")[0].replace(".", "-"), "yandex.ru"
    elif domain in _TAGGED:
        short = local.partition("+")[0]
    else:
        short = local
    return f"{short or local}@{domain}"


def parse_name(raw: str) -> PersonName:
    """Give the parts of a Russian name written in any order; no word is lost, none is changed.

    Told apart by the endings of patronymics and surnames and by the commonest first names. Remarks in brackets
    and titles are left out. Two words that nothing tells apart: surname first in Cyrillic, last otherwise.
    """
    words = [word for word in _REMARK.sub(" ", raw).replace(",", " ").split() if word.lower() not in _TITLES]
    at = _patronymic_at(words)
    if at is None:
        return _two_parts(words)
    middle = words[at : at + 2] if at + 1 < len(words) and words[at + 1].lower() in _TURKIC else words[at : at + 1]
    before, after = words[:at], words[at + len(middle) :]
    if after:
        return PersonName(_joined(after), _joined(before), _joined(middle))
    if len(before) > 1:
        return PersonName(before[0], _joined(before[1:]), _joined(middle))
    return PersonName(None, _joined(before), _joined(middle))


_PLUS_SEVEN = frozenset({"RU", "KZ"})
# Every +7 9xx number of eleven digits is a valid mobile one: no table is needed, and most numbers are these.
_MOBILE = re.compile(r"(?:\+?7|8)?(9[0-9]{9})", re.ASCII)
# No dot among them: `8912345678.0` is ten digits that a spreadsheet took for a number.
_UNPUNCTUATED = dict.fromkeys(map(ord, " -()\u00a0\u2011\u2013\t"))

_EXTENSION_WORD = r"(?:доб(?:авочный)?|доп|вн(?:утр)?|ext(?:ension)?|x|х|#)"
# A separator in front of an extension belongs to the number; a plus or ten digits in a row begin another one.
_PARTS = re.compile(
    rf"[;,/|\r\n]+(?!\s*{_EXTENSION_WORD}[.:=\s]*[0-9])|\s+(?=\+)|(?<=[0-9]{{10}})\s+(?=[0-9]{{10}})", re.IGNORECASE
)
_EXTENSION = re.compile(rf"[;,\s]*{_EXTENSION_WORD}[.:=\s]*([0-9]{{1,6}})\W*$", re.IGNORECASE)
_DAMAGE = re.compile(r"(?<![0-9.,])(?:([0-9])[.,]([0-9]{1,14})[eеEЕ]\+?([0-9]{1,2})|([1-9][0-9]{9,14})[.,]0+)(?![0-9])")
_ZERO = re.compile(r"(?<=[0-9])[OoОо]+(?=[0-9\s()-]|$)|(?<=[\s()+-])[OoОо]+(?=[0-9])")
_SCHEME = re.compile(r"^\s*(?:tel|sips?|callto):(?://)?", re.IGNORECASE)
_RUN = re.compile(r"\+?[0-9(](?:[-\s0-9().\u00a0\u2010-\u2015]*[0-9])?")
_TRUNK_ZERO = re.compile(r"(\+(?!7)[0-9]{1,3})\s*\(0\)")
_SHORTEST = 7
_CITY_AND_NUMBER = 10
_NEIGHBOURS = ("375", "380", "998", "374", "994", "995", "996", "992")
_PLACEHOLDERS = frozenset({"9999999999", "9876543210", "1234567890", "0123456789"})
_WORD = re.compile(r"[\W_]+")
_ANONYMOUS_WORDS = """
anonymous unknown restricted private withheld unavailable hidden
скрыт скрытый скрытыйномер номерскрыт неизвестен неизвестно неизвестныйномер аноним анонимный анонимно
"""
_ANONYMOUS = frozenset({"", "0", *_ANONYMOUS_WORDS.split()})


def _mended(match: re.Match[str]) -> str:
    whole, fraction, exponent, with_zeros = match.groups()
    if with_zeros is not None:
        return str(with_zeros)
    # All digits are there only when the fraction is as long as the exponent; fewer were rounded away.
    kept, rest = fraction[: int(exponent)], fraction[int(exponent) :]
    return f"{whole}{kept}" if len(kept) == int(exponent) and not rest.strip("0") else " "


def _numbers(part: str, country: str) -> Iterator[PhoneNumber]:
    text = _SCHEME.sub("", part).partition("@")[0]
    extension = _EXTENSION.search(text)
    if extension is not None:
        text = text[: extension.start()]
    runs = [run for run in _RUN.findall(_TRUNK_ZERO.sub(r"\1", text)) if sum(map(str.isdecimal, run)) >= _SHORTEST]
    for run in runs:
        e164 = _e164("".join(filter(str.isdecimal, run)), run.startswith("+"), country)
        if e164 is not None:
            own = extension[1] if extension is not None and run is runs[-1] else None
            yield PhoneNumber(e164, own, part.strip() if len(runs) == 1 else run)


@lru_cache(maxsize=20_000)
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


_BRACKETED = re.compile(r"<([^<>]*)>\s*$")
_LOCAL = re.compile(r"""[^\s@"<>(),:;\\\[\].]+(?:\.[^\s@"<>(),:;\\\[\].]+)*""")
_DOMAIN = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})")
_GMAIL = frozenset({"gmail.com", "googlemail.com"})
_YANDEX = frozenset({"yandex.ru", "ya.ru", "yandex.com", "yandex.by", "yandex.kz"})
_TAGGED = frozenset({"outlook.com", "hotmail.com", "live.com", "icloud.com", "fastmail.com", "fastmail.fm"})

_REMARK = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_TITLES = frozenset({"г-н", "г-жа", "господин", "госпожа", "ип", "mr", "mr.", "mrs", "mrs.", "ms", "ms."})
_PATRONYMIC = re.compile(r"[а-яё]{2,}(?:[ое]вич|[ьи]ич|мич|кич|[ое]вна|[иы]нична|ична)|ильич|лукич", re.IGNORECASE)
_TURKIC = frozenset({"оглы", "кызы", "угли", "кизи", "улы", "оглу", "гызы", "уулу"})
_SURNAME = re.compile(
    r"[а-яё]{2,}(?:[оеё]ва?|[иы]на?|ск(?:ий|ая|ой)|цк(?:ий|ая|ой)|енко|чук|[юу]к|янц?|дзе|швили|ых|их|[ое]вич|ая)",
    re.IGNORECASE,
)
# The commonest first names, ё folded: some end like surnames, and one of them settles a pair of words.
_FIRST_NAME_WORDS = """
александр александра алексей алена алина алиса алла анастасия анатолий ангелина андрей анна антон антонина арина
артем артур богдан борис вадим валентин валентина валерий валерия варвара василий вера вероника виктор виктория
виталий владимир владислав вячеслав галина геннадий георгий герман глеб григорий дарья денис диана дина дмитрий
евгений евгения егор екатерина елена елизавета жанна захар зинаида злата иван игорь илья инна ирина карина кирилл
клавдия константин кристина ксения лариса лев леонид лидия лилия любовь людмила макар максим маргарита марина
мария мартин марк матвей михаил надежда наталия наталья никита николай нина оксана олег ольга павел петр полина
регина роман руслан савелий светлана святослав семен сергей софия софья станислав степан таисия тамара татьяна
тимофей тимур тихон ульяна федор филипп эдуард элина эльвира эмин юлия юрий яков ян яна ярослав
"""
_FIRST_NAMES = frozenset(_FIRST_NAME_WORDS.split())


def _patronymic_at(words: list[str]) -> int | None:
    for at, word in enumerate(words[1:], start=1):
        if word.lower() in _TURKIC:
            return at - 1
    found = [at for at, word in enumerate(words) if _PATRONYMIC.fullmatch(word)]
    if len(found) > 1 and found[-1] == len(words) - 1 and not _is_surname(words[0]):
        return found[-2]  # a surname like a patronymic stands last: Роман Аркадьевич Абрамович
    return found[-1] if found else None


def _two_parts(words: list[str]) -> PersonName:
    if len(words) < 2:
        is_last = bool(words) and _is_surname(words[0])
        return PersonName(last=_joined(words)) if is_last else PersonName(first=_joined(words))
    head, tail = words[0], words[-1]
    if _is_first(head) != _is_first(tail):
        is_head_last = _is_first(tail)
    elif _is_surname(head) != _is_surname(tail):
        is_head_last = _is_surname(head)
    else:
        is_head_last = re.match(r"[а-яё]", head, re.IGNORECASE) is not None
    return PersonName(head, _joined(words[1:])) if is_head_last else PersonName(tail, _joined(words[:-1]))


def _is_first(word: str) -> bool:
    return word.lower().replace("ё", "е") in _FIRST_NAMES


def _is_surname(word: str) -> bool:
    return not _is_first(word) and all(map(_SURNAME.fullmatch, word.split("-")))


def _joined(words: list[str]) -> str | None:
    return " ".join(words) or None
