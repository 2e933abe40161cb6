"""Phones, e-mails and names: what a text means, and what must not be guessed."""

from __future__ import annotations

import subprocess
import sys
import time

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.identity import (
    MAX_FIELD,
    PersonName,
    PhoneNumber,
    email_key,
    is_anonymous,
    is_toll_free,
    normalize_email,
    parse_name,
    parse_phone,
    parse_phones,
)


@pytest.mark.parametrize(
    ("raw", "country", "e164", "extension"),
    [
        ("+7 (912) 555-01-23", "RU", "+79125550123", None),
        ("8 912 555 01 23", "RU", "+79125550123", None),
        ("9125550123", "RU", "+79125550123", None),
        ("8.912.555.01.23", "RU", "+79125550123", None),
        ("8-9-1-2-5-5-5-0-1-2-3", "RU", "+79125550123", None),
        ("моб. 89125550123 (Ира)", "RU", "+79125550123", None),
        ("8 912 555-01-23 после 18:00", "RU", "+79125550123", None),
        ("89125550123 ватсап", "RU", "+79125550123", None),
        ("8 912 555 O1 23", "RU", "+79125550123", None),
        ("79125550123.0", "RU", "+79125550123", None),
        ("7.9125550123E+10", "RU", "+79125550123", None),
        ("7,9125550123E+10", "RU", "+79125550123", None),
        ("tel:+79125550123", "RU", "+79125550123", None),
        ("sip:79125550123@pbx.example", "RU", "+79125550123", None),
        ("0079125550123", "RU", "+79125550123", None),
        ("8(3852)22-33-44", "RU", "+73852223344", None),
        ("8 (495) 555-01-23/24", "RU", "+74955550123", None),
        ("8 (912) 555-01-23 доб. 12", "RU", "+79125550123", "12"),
        ("8 495 555-01-23, вн. 5", "RU", "+74955550123", "5"),
        ("84955550123 #104", "RU", "+74955550123", "104"),
        ("tel:+74955550123;ext=12", "RU", "+74955550123", "12"),
        ("8 701 555 01 23", "RU", "+77015550123", None),
        ("8 701 555 01 23", "KZ", "+77015550123", None),
        ("8 029 555-01-23", "BY", "+375295550123", None),
        ("80295550123", "BY", "+375295550123", None),
        ("375295550123", "RU", "+375295550123", None),
        ("79125550123", "BY", "+79125550123", None),
        ("8 10 375 29 555 01 23", "RU", "+375295550123", None),
        ("067 555 01 23", "UA", "+380675550123", None),
        ("380675550123", "RU", "+380675550123", None),
        ("+998 90 123 45 67", "RU", "+998901234567", None),
        ("37499555012", "RU", "+37499555012", None),
        ("+44 (0) 20 7946 0958", "RU", "+442079460958", None),
    ],
)
def test_phone(raw: str, country: str, e164: str, extension: str | None) -> None:
    """One number is read from every way it is written, with its extension, and the text is kept."""
    assert parse_phone(raw, country=country) == PhoneNumber(e164, extension, raw)


@pytest.mark.parametrize(
    ("raw", "country"),
    [
        ("", "RU"),
        ("anonymous", "RU"),
        ("0", "RU"),
        ("101", "RU"),
        ("sip:101@pbx.example", "RU"),
        ("222-33-44", "RU"),
        ("7 8 900 555 01 23", "RU"),
        ("+7 8 900 555 01 23", "RU"),
        ("810 123 45 67", "RU"),
        ("8 10 7 900 555 01 23", "RU"),
        ("8 029 555-01-23", "RU"),
        ("067 555 01 23", "RU"),
        ("12025550123", "RU"),
        ("+7912555012", "RU"),
        ("+791255501234", "RU"),
        ("7.91255E+10", "RU"),
        ("8912345678.0", "RU"),
        ("+70001112233", "RU"),
        ("+79999999999", "RU"),
        ("9999999999", "RU"),
        ("8 987 654 32 10", "RU"),
        ("8-800-FLOWERS", "RU"),
        ("٨٩١٢٥٥٥٠١٢٣", "RU"),
        ("89125550123, 89135550123", "RU"),
        ("нет", "RU"),
    ],
)
def test_no_phone(raw: str, country: str) -> None:
    """What is hidden, internal, damaged, a placeholder, ambiguous or several numbers is not one phone."""
    assert parse_phone(raw, country=country) is None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("89125550123, 89135550123", [("+79125550123", None), ("+79135550123", None)]),
        ("89125550123 89135550123", [("+79125550123", None), ("+79135550123", None)]),
        ("+7 912 555-01-23 +7 913 555-01-23", [("+79125550123", None), ("+79135550123", None)]),
        ("8 912 555 01 23 муж 8 913 555 01 23", [("+79125550123", None), ("+79135550123", None)]),
        ("89125550123, хозяин 89135550123", [("+79125550123", None), ("+79135550123", None)]),
        ("8 (495) 555-01-23, доб. 12; 8 912 555 01 23", [("+74955550123", "12"), ("+79125550123", None)]),
        ("84955550123 доб 1\n84955550123 доб 2", [("+74955550123", "1"), ("+74955550123", "2")]),
        ("89125550123 / +7 912 555 01 23", [("+79125550123", None)]),
        ("нет | 101 | 89125550123", [("+79125550123", None)]),
        ("", []),
    ],
)
def test_phones(raw: str, expected: list[tuple[str, str | None]]) -> None:
    """A field gives each of its numbers once, in its order; one number with two extensions is two."""
    assert [(phone.e164, phone.extension) for phone in parse_phones(raw)] == expected


def test_raw_of_several() -> None:
    """Each of several numbers keeps its own part of the text, a single one keeps all of it."""
    several = parse_phones("8 912 555 01 23 (Ира); 8 913 555 01 23")
    assert [phone.raw for phone in several] == ["8 912 555 01 23 (Ира)", "8 913 555 01 23"]
    assert [phone.raw for phone in parse_phones("нет; 8 913 555 01 23")] == ["нет; 8 913 555 01 23"]


def test_long_texts_are_no_phones() -> None:
    """A text longer than any field is not searched, and the worst short ones take little time."""
    assert parse_phones("89125550123;" * 100) == ()
    assert parse_phones("89125550123" + " " * MAX_FIELD) == ()
    started = time.process_time()
    for piece in ("(", "1,", "1 ", "доб", "доб ", ";", "8 ", "+", "1(0)", "O1", "7.9E", "x1"):
        assert parse_phones((piece * MAX_FIELD)[:MAX_FIELD]) == ()
    assert time.process_time() - started < 5


mobile = (
    st.integers(0, 999_999_999)
    .map(lambda tail: f"9{tail:09d}")
    .filter(lambda digits: digits not in ("9999999999", "9876543210"))
)


@settings(max_examples=200, deadline=None)
@given(mobile, st.sampled_from(["+7", "7", "8", "", "+7 ", "8 ", "8-", "+7(", "тел. 8 ", "007"]), st.data())
def test_every_shape_gives_one_number(digits: str, prefix: str, data: st.DataObject) -> None:
    """However a mobile number is prefixed and punctuated, it is the same number."""
    signs = st.sampled_from(["", "", " ", "-", "(", ")", "\u00a0", " - "])
    shape = prefix + "".join(digit + data.draw(signs) for digit in digits)
    phone = parse_phone(shape)
    assert phone == PhoneNumber(f"+7{digits}", None, shape)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("0123456789+-() .,;/xдобE№а"), max_size=40) | st.text(max_size=60))
def test_parsing_is_idempotent(raw: str) -> None:
    """Whatever a text holds, its numbers read again are the same numbers, for any account's country."""
    for country in ("RU", "BY"):
        for phone in parse_phones(raw, country=country):
            assert parse_phone(phone.e164, country=country) == PhoneNumber(phone.e164, None, phone.e164)


@settings(max_examples=300, deadline=None)
@given(st.integers(10**6, 10**12))
def test_plain_digits_agree_with_phonenumbers(number: int) -> None:
    """What is read from plain digits is valid to phonenumbers, and written as E.164."""
    phone = parse_phone(f"+{number}")
    if phone is not None:
        parsed = phonenumbers.parse(phone.e164)
        assert phonenumbers.is_valid_number(parsed)
        assert phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) == phone.e164


def test_codes_of_plus_seven_agree_with_phonenumbers() -> None:
    """A number under any code of Russia and Kazakhstan is read when phonenumbers finds it valid, and only then."""
    for code in range(300, 900):
        for tail in ("5550123", "2223344", "0010203"):
            e164 = f"+7{code}{tail}"
            assert (parse_phone(e164) is not None) == phonenumbers.is_valid_number(phonenumbers.parse(e164)), e164


@pytest.mark.parametrize("country", ["375", "380", "998"])
def test_codes_of_neighbours_agree_with_phonenumbers(country: str) -> None:
    """A number of a neighbour is read when phonenumbers finds it valid, and only then, but where it takes off an 8."""
    for code in (*range(100, 800), *range(900, 1000)):
        for tail in ("550123", "223344", "010203"):
            e164 = f"+{country}{code}{tail}"
            assert (parse_phone(e164) is not None) == phonenumbers.is_valid_number(phonenumbers.parse(e164)), e164


def test_phonenumbers_is_loaded_when_needed() -> None:
    """A Russian number is read without the library, mobile or not; a foreign one loads it."""
    script = (
        "import sys; from crmkit.identity import parse_phone as p; print(p('8 912 555 01 23').e164,"
        " p('8 495 555 01 23').e164, 'phonenumbers' in sys.modules,"
        " p('+44 20 7946 0958').e164, 'phonenumbers' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed == "+79125550123 +74955550123 False +442079460958 True\n"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        *((raw, True) for raw in ("", " ", "0", "Anonymous", "sip:anonymous@anonymous.invalid", "номер скрыт")),
        *((raw, True) for raw in ("UNKNOWN", "Restricted", "private", "<unknown>")),
        *((raw, False) for raw in ("101", "+79125550123", "Иван", "00")),
    ],
)
def test_is_anonymous(raw: str, expected: bool) -> None:
    """Callers who hide the number are told from everything else."""
    assert is_anonymous(raw) is expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("8-800-555-01-23", True),
        ("+78045550123", True),
        ("+18005550123", True),
        ("+79125550123", False),
        ("+12025550123", False),
        ("нет", False),
        (PhoneNumber("+78005550123", None, ""), True),
    ],
)
def test_is_toll_free(number: str | PhoneNumber, expected: bool) -> None:
    """Numbers paid by their owner are told from all others, in any country."""
    assert is_toll_free(number) is expected


@pytest.mark.parametrize(
    ("raw", "address", "key"),
    [
        (" Ivan@Example.COM. ", "ivan@example.com", "ivan@example.com"),
        ("mailto:x@mail.ru,", "x@mail.ru", "x@mail.ru"),
        ("Иван <i@x.ru>", "i@x.ru", "i@x.ru"),
        ("i.v.a.n+shop@googlemail.com", "i.v.a.n+shop@googlemail.com", "ivan@gmail.com"),
        ("ivan.petrov@ya.ru", "ivan.petrov@ya.ru", "ivan-petrov@yandex.ru"),
        ("ivan-petrov+a@yandex.kz", "ivan-petrov+a@yandex.kz", "ivan-petrov@yandex.ru"),
        ("a.b+c@outlook.com", "a.b+c@outlook.com", "a.b@outlook.com"),
        ("a.b+c@mail.ru", "a.b+c@mail.ru", "a.b+c@mail.ru"),
        ("+x@gmail.com", "+x@gmail.com", "+x@gmail.com"),
        ("info@пример.рф", "info@xn--e1afmkfd.xn--p1ai", "info@xn--e1afmkfd.xn--p1ai"),
    ],
)
def test_email(raw: str, address: str, key: str) -> None:
    """An address is read from what surrounds it; its key is the same for all spellings of one mailbox."""
    assert (normalize_email(raw), email_key(raw)) == (address, key)


@pytest.mark.parametrize(
    "raw",
    [
        *("", "ivan", "@x.ru", "a@", "a@b", "a@b@c.ru", "a b@c.ru", "a..b@c.ru", ".a@c.ru", "a@-c.ru", "a@c.r"),
        *("a@x.ru, b@y.ru", "a@c..ru", "a" * 65 + "@c.ru", "a@" + "c" * 64 + ".ru", "a@" + "c." * 150 + "ru"),
    ],
)
def test_no_email(raw: str) -> None:
    """What is not one deliverable address gives None."""
    assert normalize_email(raw) is None
    assert email_key(raw) is None


@settings(max_examples=300, deadline=None)
@given(st.emails() | st.text(st.sampled_from("ab.+-@<> ,яг1"), max_size=30).map(lambda text: text + "@gmail.com"))
def test_email_is_idempotent(raw: str) -> None:
    """An address read again is the same address, and a key is its own key."""
    address, key = normalize_email(raw), email_key(raw)
    if address is not None and key is not None:
        assert normalize_email(address) == address
        assert email_key(address) == email_key(key) == key


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Иванов Иван Иванович", PersonName("Иванов", "Иван", "Иванович")),
        ("Иван Иванович Иванов", PersonName("Иванов", "Иван", "Иванович")),
        ("Абрамович Роман Аркадьевич", PersonName("Абрамович", "Роман", "Аркадьевич")),
        ("Роман Аркадьевич Абрамович", PersonName("Абрамович", "Роман", "Аркадьевич")),
        ("Мамедов Эльчин Расим оглы", PersonName("Мамедов", "Эльчин", "Расим оглы")),
        ("Ирина Никитична", PersonName(None, "Ирина", "Никитична")),
        ("Кузьма Ильич", PersonName(None, "Кузьма", "Ильич")),
        ("Марина Цветаева", PersonName("Цветаева", "Марина")),
        ("Цветаева Марина", PersonName("Цветаева", "Марина")),
        ("Лев Толстой", PersonName("Толстой", "Лев")),
        ("Ким Анна", PersonName("Ким", "Анна")),
        ("Зухра Ахметова", PersonName("Ахметова", "Зухра")),
        ("Анна-Мария Петрова-Водкина", PersonName("Петрова-Водкина", "Анна-Мария")),
        ("Цой Ли Ван", PersonName("Цой", "Ли Ван")),
        ("Сидоренко Анна Мария Олеговна", PersonName("Сидоренко", "Анна Мария", "Олеговна")),
        ("John Smith", PersonName("Smith", "John")),
        ("ИП Сидоров, Пётр (Авито)", PersonName("Сидоров", "Пётр")),
        ("Иван", PersonName(None, "Иван")),
        ("Иванова", PersonName("Иванова")),
        ("Иванович", PersonName(None, None, "Иванович")),
        ("", PersonName()),
    ],
)
def test_name(raw: str, expected: PersonName) -> None:
    """The parts of a name are told apart in whichever order they stand."""
    assert parse_name(raw) == expected


@given(st.lists(st.sampled_from(["Иван", "Петрова", "Ильич", "Олеговна", "оглы", "Ли", "Smith", "Лев"]), max_size=6))
def test_names_lose_no_word(words: list[str]) -> None:
    """Every word of a name is in one of its parts."""
    parts = parse_name(" ".join(words))
    assert sorted(word for part in parts if part for word in part.split()) == sorted(words)
