"""What holds for the forms of any text: nothing raises, order and spelling do not matter, romanisations meet."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.identity import (
    company_form,
    email_key,
    is_junk_company,
    is_junk_name,
    is_stub_phone,
    parse_emails,
    parse_kpp,
    parse_ogrn,
    parse_phones,
    person_form,
    phone_class,
    site_domain,
    skeleton,
    tax_number,
)

MEN = (
    "Александр",
    "Юрий",
    "Пётр",
    "Евгений",
    "Илья",
    "Дмитрий",
    "Алексей",
    "Фёдор",
    "Яков",
    "Эдуард",
    "Вячеслав",
    "Сергей",
)
FATHERS = ("Иван", "Сергей", "Юрий", "Николай", "Михаил", "Яков", "Лев", "Павел", "Евгений", "Андрей", "Тимур")
PATRONYMICS = {
    "Иван": ("Иванович", "Ивановна"), "Сергей": ("Сергеевич", "Сергеевна"), "Юрий": ("Юрьевич", "Юрьевна"),
    "Николай": ("Николаевич", "Николаевна"), "Михаил": ("Михайлович", "Михайловна"), "Яков": ("Яковлевич", "Яковлевна"),
    "Лев": ("Львович", "Львовна"), "Павел": ("Павлович", "Павловна"), "Евгений": ("Евгеньевич", "Евгеньевна"),
    "Андрей": ("Андреевич", "Андреевна"), "Тимур": ("Тимурович", "Тимуровна"),
}  # fmt: skip
STEMS = (
    "Щербаков",
    "Журавлёв",
    "Цветков",
    "Чайкин",
    "Хромов",
    "Шульгин",
    "Яшин",
    "Юдин",
    "Подъячев",
    "Соловьёв",
    "Быков",
)

PLAIN = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e",
    "з": "z", "и": "i", "к": "k", "л": "l", "м": "m", "н": "n",
    "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f",
}  # fmt: skip
SCHEMAS = {
    "icao": {
        "ё": "e", "ж": "zh", "й": "i", "х": "kh", "ц": "ts",
        "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "ie", "ы": "y", "ь": "",
        "э": "e", "ю": "iu", "я": "ia",
    },
    "mvd": {
        "ё": "e", "ж": "zh", "й": "y", "х": "kh", "ц": "ts",
        "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "",
        "э": "e", "ю": "yu", "я": "ya",
    },
    "bgn": {
        "ё": "ë", "ж": "zh", "й": "y", "х": "kh", "ц": "ts",
        "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "”", "ы": "y", "ь": "’",
        "э": "e", "ю": "yu", "я": "ya",
    },
    "gost_a": {
        "ё": "ë", "ж": "ž", "й": "j", "х": "h", "ц": "c", "ч": "č", "ш": "š", "щ": "ŝ", "ъ": "ʺ", "ы": "y", "ь": "ʹ",
        "э": "è", "ю": "û", "я": "â",
    },
    "gost_b": {
        "ё": "yo", "ж": "zh", "й": "j", "х": "x", "ц": "cz",
        "ч": "ch", "ш": "sh", "щ": "shh", "ъ": "``", "ы": "y`", "ь": "`",
        "э": "e`", "ю": "yu", "я": "ya",
    },
    "yandex": {
        "ё": "yo", "ж": "zh", "й": "y", "х": "kh", "ц": "ts",
        "ч": "ch", "ш": "sh", "щ": "sch", "ъ": "", "ы": "y", "ь": "",
        "э": "e", "ю": "yu", "я": "ya",
    },
    "chat": {
        "ё": "jo", "ж": "zh", "й": "j", "х": "x", "ц": "c", "ч": "4", "ш": "w", "щ": "sch", "ъ": "", "ы": "y", "ь": "'",
        "э": "e", "ю": "ju", "я": "ja",
    },
}  # fmt: skip
"""Cyrillic to Latin by the standards that passports, maps and chats use (ICAO 9303, order 310, BGN/PCGN, GOST 7.79)."""

texts = st.text(max_size=40) | st.text(
    st.sampled_from("АаИиоОвЯьыЁ й-.,'\"()[]{}@+ 8491aAeoOwxzjJ«»№/\\;:ИПОоглы\u0301\u200b"), max_size=30
)
men = st.sampled_from(MEN)
fathers = st.sampled_from(FATHERS)
stems = st.sampled_from(STEMS)


def romanized(text: str, schema: str) -> str:
    """Write the text in Latin letters by the schema."""
    table = PLAIN | SCHEMAS[schema]
    return "".join(
        table.get(sign, sign) if sign.islower() else table.get(sign.lower(), sign).capitalize() for sign in text
    )


@settings(max_examples=400, deadline=None)
@given(texts, texts, texts)
def test_nothing_raises(one: str, two: str, three: str) -> None:
    """Any text has a form, and every part of it is in range."""
    form = person_form(one, two, three, f"{one} {two}")
    assert (form.surname + form.given_code + form.patronymic).isascii()
    assert len(form.surname_initial) <= 1
    firm = company_form(one, two)
    assert firm.core == "".join(firm.words)
    assert isinstance(is_junk_name(one) or is_junk_company(one), bool)
    assert all(box.key == email_key(box.key) for box in parse_emails(one) if not box.suggestion)
    for number in parse_phones(one):
        assert phone_class(number.e164)
        assert is_stub_phone(number.e164) in (True, False)
    for found in (tax_number(one), parse_kpp(one), parse_ogrn(one), site_domain(one)):
        assert found is None or found


@settings(max_examples=300, deadline=None)
@given(texts)
def test_a_code_is_its_own(text: str) -> None:
    """The code of a code of letters that have one sound each is the same code."""
    code = skeleton(text)
    assert code.isascii()
    assert code == code.lower()
    assert len(code) == 0 or code.isalpha()


@settings(max_examples=200, deadline=None)
@given(stems, men, fathers, st.permutations([0, 1, 2]), st.booleans())
def test_order_and_field_do_not_matter(stem: str, man: str, father: str, order: list[int], is_split: bool) -> None:
    """The parts give one form in any order, in one field or in several, in any case, with ё or without."""
    parts = (stem, man, PATRONYMICS[father][0])
    expected = person_form(*parts)
    shuffled = [parts[at] for at in order]
    assert (person_form(*shuffled) if is_split else person_form(name=" ".join(shuffled))) == expected
    for changed in (str.upper, str.lower, lambda text: text.replace("ё", "е"), lambda text: f"  {text} "):
        assert person_form(*map(changed, parts)) == expected


@pytest.mark.parametrize("schema", SCHEMAS)
@settings(max_examples=150, deadline=None)
@given(stem=stems, man=men, father=fathers, is_woman=st.booleans())
def test_romanisations_meet(schema: str, stem: str, man: str, father: str, is_woman: bool) -> None:
    """A name in any romanisation is the form of the name in Cyrillic."""
    parts = (f"{stem}а", "Юлия", PATRONYMICS[father][1]) if is_woman else (stem, man, PATRONYMICS[father][0])
    typed, roman = person_form(*parts), person_form(name=" ".join(romanized(part, schema) for part in parts))
    assert (roman.surname, roman.patronymic, roman.gender) == (typed.surname, typed.patronymic, typed.gender)
    assert roman.given & typed.given


@settings(max_examples=150, deadline=None)
@given(stems, men, fathers)
def test_the_layout_does_not_matter(stem: str, man: str, father: str) -> None:
    """A name struck in the wrong layout is the form of the name that was meant."""
    keys = str.maketrans("йцукенгшщзхъфывапролджэячсмитьбюё", "qwertyuiop[]asdfghjkl;'zxcvbnm,.`")
    parts = (stem, man, PATRONYMICS[father][0])
    struck = " ".join(parts).lower().translate(keys)
    assert person_form(name=struck) == person_form(*parts)


@given(stems, fathers)
def test_genders_fold(stem: str, father: str) -> None:
    """A man's and a woman's surname are one code, and so are son and daughter of one father."""
    son, daughter = PATRONYMICS[father]
    man, woman = person_form(stem, "Саша", son), person_form(f"{stem}а", "Саша", daughter)
    assert (man.surname, man.patronymic) == (woman.surname, woman.patronymic)
    assert (man.gender, woman.gender) == ("male", "female")
    assert (set(man.given), set(woman.given)) == ({"александр"}, {"александра"})


@given(st.integers(1, 999_999_999))
def test_tax_sums(body: int) -> None:
    """Nine digits and their sum are an INN; with any other last digit they are none."""
    digits = f"{body:09d}"
    weights = (2, 4, 10, 3, 5, 9, 4, 6, 8)
    fit = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11 % 10
    found = tax_number(f"{digits}{fit}")
    assert found is None or found.number == f"{digits}{fit}"
    assert found is not None or len(set(f"{digits}{fit}".lstrip("0"))) == 1 or f"{digits}{fit}" == "1234567894"
    assert tax_number(f"{digits}{(fit + 1) % 10}") is None


@pytest.mark.parametrize(
    "piece", ["а", "a ", "И.", "(", '"', "x'", "ооо ", "о.", "@", "а@", "1", "ив-", "1,2E", "\u0301"]
)
def test_long_texts_take_little_time(piece: str) -> None:
    """A text of any length is read in no time: a field is only so long."""
    text = piece * 100_000
    started = time.process_time()
    person_form(text, text, text, text)
    company_form(text, text)
    parse_emails(text)
    for read in (tax_number, parse_kpp, parse_ogrn, site_domain, parse_phones, is_junk_name, is_junk_company):
        read(text)
    assert time.process_time() - started < 1


firms = st.sampled_from(
    ["Ромашка", "СтройМастер", "Вектор-Юг", "Щебень и песок", "Север 24", "Юпитер", "Хлебозавод № 3"]
)
shells = st.sampled_from(
    ["ООО «{}»", '"{}", ООО', "{} ooo", "Общество с ограниченной ответственностью {}", "OOO {}", "{}", "о.о.о. {}"]
)


@settings(max_examples=150, deadline=None)
@given(firms, shells, st.sampled_from(["", " г. Казань", ", Казань", " (Казань)"]), st.booleans())
def test_shells_do_not_matter(firm: str, shell: str, city: str, is_upper: bool) -> None:
    """Whatever stands around a firm's name, the core is the same."""
    text = shell.format(firm) + city
    assert company_form(text.upper() if is_upper else text, "Казань").core == company_form(firm).core
