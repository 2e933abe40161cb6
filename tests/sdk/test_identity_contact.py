"""Phones and mailboxes beyond their reading: what kind they are, and whether anybody is behind them."""

from __future__ import annotations

import pytest

from crmkit.identity import Mailbox, PhoneClass, is_stub_phone, parse_email, parse_emails, parse_phones, phone_class


@pytest.mark.parametrize(
    ("e164", "expected"),
    [
        *(("+79161112233", PhoneClass.MOBILE), ("+74951112233", PhoneClass.LANDLINE)),
        *(("+78121112233", PhoneClass.LANDLINE),),
        *(("+78005553535", PhoneClass.TOLL_FREE), ("+78041112233", PhoneClass.TOLL_FREE)),
        *(("+78091112233", PhoneClass.OTHER),),
        *(("+77012223344", PhoneClass.MOBILE), ("+77172223344", PhoneClass.LANDLINE)),
        *(("+77472223344", PhoneClass.MOBILE),),
        *(("+375291112233", PhoneClass.MOBILE), ("+375171112233", PhoneClass.LANDLINE)),
        *(("+380671112233", PhoneClass.MOBILE),),
        *(("+998901112233", PhoneClass.MOBILE), ("+996555112233", PhoneClass.MOBILE)),
        *(("+37499111222", PhoneClass.MOBILE),),
        *(("+442079460958", PhoneClass.LANDLINE), ("+18005550199", PhoneClass.TOLL_FREE), ("+", PhoneClass.OTHER)),
    ],
)  # fmt: skip
def test_phone_class(e164: str, expected: PhoneClass) -> None:
    """The kind of a line is told for the neighbours from a table, for others by phonenumbers."""
    assert phone_class(e164) is expected


@pytest.mark.parametrize(
    ("e164", "expected"),
    [
        *(("+79001111111", True), ("+79991234567", True), ("+79007654321", True)),
        *(("+70001112233", True), ("+79898989898", True)),
        *(("+79000000000", True), ("+375291111111", True), ("+79125550123", False)),
        *(("+74952223344", False), ("+79011111112", False)),
        *(("+79161234567", False), ("+79123456789", False), ("+74957654321", False)),
    ],
)  # fmt: skip
def test_stub_phones(e164: str, expected: bool) -> None:
    """Numbers typed to have typed something are told from numbers."""
    assert is_stub_phone(e164) is expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("+8 912 555 01 23", [("+79125550123", None)]),
        ("8912555012З", [("+79125550123", None)]),
        ("8/912/555-01-23", [("+79125550123", None)]),
        ("8|912|555|01|23", [("+79125550123", None)]),
        ("8 495 555-01-23 (104)", [("+74955550123", "104")]),
        ("\u202a+7 912 555\u201101\u201123\u202c", [("+79125550123", None)]),
        ("8 912 555 01 23 Ирина 8 913 555 01 24 Олег", [("+79125550123", None), ("+79135550124", None)]),
        ("моб:89125550123;дом:84955550123", [("+79125550123", None), ("+74955550123", None)]),
        ("495/123/45", []),
    ],
)
def test_more_shapes(raw: str, expected: list[tuple[str, str | None]]) -> None:
    """A plus before the trunk prefix, slashes inside a number and a bracketed extension are read."""
    assert [(phone.e164, phone.extension) for phone in parse_phones(raw)] == expected


def test_whole_mailbox() -> None:
    """A mailbox tells its key, its halves, and what the address says of its reader."""
    assert parse_email(" Иван <I.Petrov+shop@YA.ru>, ") == Mailbox(
        address="i.petrov+shop@ya.ru",
        key="i-petrov@yandex.ru",
        local="i-petrov",
        domain="yandex.ru",
        is_role=False,
        is_stub=False,
        is_free=True,
        suggestion=None,
    )


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        *(("ivan собака mail.ru", "ivan@mail.ru"), ("ivan(at)mail.ru", "ivan@mail.ru")),
        *(("ivan [собака] mail.ru", "ivan@mail.ru"),),
        *(("ivan @ mail.ru", "ivan@mail.ru"), ("ivаn@mаil.ru", "ivan@mail.ru"), ("ivan@mail,ru", "ivan@mail.ru")),
        *(('ivan"mail.ru', "ivan@mail.ru"), ("почта: ivan@mail.ru (личная)", "ivan@mail.ru")),
        *(("x@пример.рф", "x@xn--e1afmkfd.xn--p1ai"),),
        *(("mailto:ivan@mail.ru", "ivan@mail.ru"), ("ivan@mail.ru.", "ivan@mail.ru")),
    ],
)  # fmt: skip
def test_reading(raw: str, key: str) -> None:
    """An address is read through what people write around and inside it."""
    box = parse_email(raw)
    assert box is not None
    assert box.key == key


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        *(("a.b@gmial.com", "ab@gmail.com"), ("a@gmail.con", "a@gmail.com")),
        *(("a@gmail.ru", "a@gmail.com"), ("a@gmailcom", "a@gmail.com")),
        *(("a@mail.ry", "a@mail.ru"), ("a@mial.ru", "a@mail.ru"), ("a@mailru", "a@mail.ru"), ("a@mail", "a@mail.ru")),
        *(("a.b@yadnex.ru", "a-b@yandex.ru"), ("a@yandx.ru", "a@yandex.ru")),
        *(("a@rambler.ri", "a@rambler.ru"), ("a@outlok.com", "a@outlook.com")),
        *(("a@mail.com", None), ("a@gmail.com", None), ("a@vmail.ru", None)),
        *(("a@romashka.ru", None), ("a@bk.ru", None)),
    ],
)  # fmt: skip
def test_slips(raw: str, meant: str | None) -> None:
    """A domain one slip away from a provider suggests the box that was meant; domains of their own do not."""
    box = parse_email(raw)
    assert box is not None
    assert box.suggestion == meant


@pytest.mark.parametrize(
    ("raw", "is_role", "is_stub", "is_free"),
    [
        *(("info@romashka.ru", True, False, False), ("zakaz12@romashka.ru", True, False, False)),
        *(("buh@mail.ru", True, False, True),),
        *(("no@no.ru", False, True, False), ("test@test.ru", False, True, False), ("1@1.ru", False, True, False)),
        *(("aaa@mail.ru", False, True, True), ("nomail@gmail.com", False, True, True)),
        *(("ivan@romashka.ru", False, False, False),),
        *(("a@artlebedev.ru", False, False, False), ("infonova@mail.ru", False, False, True)),
    ],
)  # fmt: skip
def test_kinds(raw: str, is_role: bool, is_stub: bool, is_free: bool) -> None:
    """Shared boxes, stubs and free providers are told apart."""
    box = parse_email(raw)
    assert box is not None
    assert (box.is_role, box.is_stub, box.is_free) == (is_role, is_stub, is_free)


@pytest.mark.parametrize(
    ("raw", "keys"),
    [
        ("a@b.ru; c@d.ru", ["a@b.ru", "c@d.ru"]),
        ("a@b.ru, c@d.ru", ["a@b.ru", "c@d.ru"]),
        ("a@b.ru c@d.ru", ["a@b.ru", "c@d.ru"]),
        ("a@b.ru/c@d.ru", ["a@b.ru", "c@d.ru"]),
        ("a@b.ru\nA@B.RU", ["a@b.ru"]),
        ("i.van@gmail.com, ivan@googlemail.com", ["ivan@gmail.com"]),
        ("нет", []),
        ("", []),
        ("ivan@", []),
        ("a@b.ru " * 500, []),
    ],
)
def test_several(raw: str, keys: list[str]) -> None:
    """A field gives each of its mailboxes once; a text is no field."""
    assert [box.key for box in parse_emails(raw)] == keys


def test_several_are_not_one() -> None:
    """A field of several addresses has no single mailbox."""
    assert parse_email("a@b.ru; c@d.ru") is None
