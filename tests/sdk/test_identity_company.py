"""Firms: names without what surrounds them, registry numbers by their sums, sites of their own."""

from __future__ import annotations

import pytest

from crmkit.identity import (
    CompanyForm,
    TaxKind,
    TaxNumber,
    company_form,
    is_junk_company,
    parse_inn,
    parse_kpp,
    parse_ogrn,
    site_domain,
    tax_number,
)

LTD = frozenset({"ООО"})


@pytest.mark.parametrize(
    "name",
    [
        *("ООО «Ромашка»", 'ООО "Ромашка"', "ООО Ромашка", "Ромашка, ООО"),
        *("Ромашка ООО", "ромашка (ооо)", "ООО«РОМАШКА»"),
        *("О.О.О. Ромашка", "О О О Ромашка", "000 Ромашка", "OOO Romashka"),
        *("Romashka LLC", "Romashka Ltd.", "ОООРомашка"),
        *("Общество с ограниченной ответственностью „Ромашка“", "ТОВ Ромашка", 'JJJ "Hjvfirf"', "ООО Рoмaшкa"),
        *("ООО «Ромашка» (Казань)", "ООО Ромашка, г. Казань", "ООО Ромашка Казань", "ООО «Ромашка» филиал в г. Казань"),
    ],
)  # fmt: skip
def test_one_firm(name: str) -> None:
    """Form, quotes, script, layout, city and case do not change which firm is named."""
    form = company_form(name, "Казань")
    assert (form.core, form.forms, form.prefixes, form.person, form.is_junk) == (
        "romawka",
        LTD,
        frozenset(),
        None,
        False,
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("Строй-Мастер", "СтройМастер"), ("Строй Мастер", "Stroy Master"), ("Service Plus", "Сервис-Плюс")),
        *(("ТД Ромашка", "Торговый дом «Ромашка»"), ("ГК Вектор", "Группа компаний Вектор")),
        *(("НПО Сигма", "НПП «Сигма»"),),
        *(("Щербаков и партнёры", "Shcherbakov & partnery"), ("Вектор Групп", "Vector Group"), ("СОШ № 12", "СОШ 12")),
        *(("CK Статус", "СК Статус"), ("ПАО Автоваз", "АО «АВТОВАЗ»"), ("Металлес (основной)", "Металлес")),
        *(("ООО Бетон опт", "ООО Бетон"), ("Ромашка Ростов-на-Дону", "Ромашка")),
        *(("Престиж Санкт-Петербург", "Престиж"),),
        *(("ООО «Ромашка» НЕ ЗВОНИТЬ", "Ромашка"), ("Ромашка - поставщик", "Ромашка"), ("Ромашка склад", "Ромашка")),
        *(("«Ромашка» 2", "Ромашка"), ("Ростов-на-Дону, АО «Ромашка»", "Ромашка"), ("УКРомашка", "УК Ромашка")),
        *(("Новый мир, ООО", "ООО «Novyi mir»"), ("Импульс-Опт", "ИмпульсОпт"), ("Блин и К", "ООО «БЛИН И К»")),
        *(("ООО «Ytujlfyjd b R»", "Негоданов и К"), ("АО Gthcgtrnbdf", "Перспектива"), ("ООО Cnhjq", "Строй")),
        *(("КомпанияРомашка", "Ромашка"), ("MUP «Экспресс»", "МУП Экспресс"), ("Родник-Опт (опт)", "РодникОпт")),
        *(("ООО Балтийский край", "Baltiyskiy kray"), ("ООО Cfk.n", "Салют"), ("«<bjgk.c» ЗАО", "Биоплюс")),
        *(("«Ujhjlcrjq dtnth», OOO", "Городской ветер"), ("ООО Belyy Standart", "Белый стандарт")),
        *(("Domstroy LLC", "ООО Домстрой"), ("Tekhsnab Ltd", "Техснаб"), ("A&B Trade", "А&Б Трейд")),
    ],
)  # fmt: skip
def test_spellings_meet(one: str, other: str) -> None:
    """Hyphens, prefixes, remarks, English words and romanisations are one core."""
    assert company_form(one).core == company_form(other).core != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("СОШ 12", "СОШ 15"),
        ("Ромашка", "Ромашка Плюс"),
        ("Альфа", "Альфа-2"),
        ("Вектор", "Виктор"),
        ("Север", "Сервер"),
        ("Тайга-Опт", "Тайга"),
        ("Новый мир", "Мир"),
        ("СНТ «Заря» №5", "СНТ «Заря» №6"),
        ("Магазин «Маяк» 12", "Магазин «Маяк» 15"),
        ("ООО Fjord", "ООО Аощкв"),
    ],
)
def test_other_firms_differ(one: str, other: str) -> None:
    """Numbers and words that belong to a name tell firms apart."""
    assert company_form(one).core != company_form(other).core


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        *(("ЗАО Вектор", {"АО"}), ("Вектор, ПАО", {"АО"})),
        *(("JSC Vector", {"АО"}), ("Акционерное общество Вектор", {"АО"})),
        *(("ТОО Алмаз", {"ТОО"}), ("Almaz LLP", {"ТОО"}), ("МБОУ СОШ 12", {"ГБУ"}), ("ЧУП Рассвет", {"УП"})),
        *(("МЧЖ Навруз", {"ООО"}), ("ФГУП Почта", {"ГУП"}), ("СНТ Весна", {"ТСЖ"}), ("Ромашка", set())),
    ],
)  # fmt: skip
def test_forms(name: str, forms: set[str]) -> None:
    """Legal forms of several countries, in Latin and in words, are canonical; renamed ones are one."""
    assert company_form(name).forms == forms


@pytest.mark.parametrize(
    ("name", "surname", "given", "initials"),
    [
        ("ИП Иванов Иван Иванович", "ivanov", {"иван"}, "ii"),
        ("Иванов И.И., ИП", "ivanov", set(), "ii"),
        ("ИП Иванов И. И.", "ivanov", set(), "ii"),
        ("И.П. Иванов Иван", "ivanov", {"иван"}, "i"),
        ("IP Ivanov I.I.", "ivanov", set(), "ii"),
        ("Индивидуальный предприниматель Иванова Мария", "ivanov", {"мария"}, "m"),
        ("ФОП Шевченко Т.Г.", "wevqenko", set(), "tg"),
        ("Глава КФХ Сидоров П.П.", "sidorov", set(), "pp"),
        ("К(Ф)Х Сидоров П.П.", "sidorov", set(), "pp"),
        ("Казарян Алексей Юрьевич", "kazaran", {"алексей"}, "au"),
        ("Александров Г. П.", "aleksandrov", set(), "gp"),
        ("Ким Сергей Ильич", "kim", {"сергей"}, "si"),
        ("Сапожникец И.Е.", "sapojnikec", set(), "ie"),
        ("Хомяшкин Викор Иванович", "homawkin", {"vikor"}, "vi"),
        ("Cемёнoв B. A. НОВЫЙ ИП", "semenov", set(), "va"),
    ],
)
def test_traders(name: str, surname: str, given: set[str], initials: str) -> None:
    """A sole trader is a person, with the form or without it; the core is the surname."""
    form = company_form(name)
    assert form.person is not None
    assert (form.core, form.person.surname, set(form.person.given)) == (surname, surname, given)
    assert form.person.given_initials + form.person.patronymic_initial == initials


@pytest.mark.parametrize(
    "name", ["ООО Иванов", "Блин и К", "КФХ Рассвет", "Виктория Строительная", "Роза", "Ника-Дизайн", "Пекарня Иванова"]
)
def test_firms_are_no_people(name: str) -> None:
    """A firm that is called like a person is not one."""
    assert company_form(name).person is None


def test_whole_form() -> None:
    """A name gives its core, its words, its form, its prefix and the city that was glued to it."""
    assert company_form("Торговый дом «Строй-Мастер 24», ООО, Казань") == CompanyForm(
        core="stroimaster24",
        words=("stroi", "master", "24"),
        forms=LTD,
        prefixes=frozenset({"торговый дом"}),
        person=None,
        is_junk=False,
        place="kazan",
    )


def test_a_name_of_prefixes_is_a_name() -> None:
    """What would leave nothing is not taken off."""
    assert company_form("ООО Торговый дом").core == "torgovidom"
    assert company_form("ООО «Казань»", "Казань").core == "kazan"


@pytest.mark.parametrize(
    ("name", "is_branch"),
    [
        ("ООО «Ромашка» филиал в г. Казань", True),
        ("Представительство АО Ромашка", True),
        ("ООО Ромашка - филиал в г. Казань", True),
        ("ООО Ромашка - поставщик", False),
        ("«ООО» Ромашка", False),
        ("Обособленное подразделение ООО Ромашка", True),
        ("ООО Ромашка, г. Казань", False),
    ],
)
def test_a_branch_says_so(name: str, is_branch: bool) -> None:
    """The words are no part of the name."""
    form = company_form(name)
    assert (form.core, form.is_branch) == ("romawka", is_branch)


@pytest.mark.parametrize(
    "text", ["ИП", "частное лицо", "Физ. лицо", "нет", "-", "физлицо", "ООО", "не указано", "тест", "самозанятый", "?"]
)  # fmt: skip
def test_junk(text: str) -> None:
    """Words for the lack of a firm name none."""
    assert is_junk_company(text)


@pytest.mark.parametrize("text", ["", "Ромашка", "Нет проблем", "ИП Тест-Драйв", "ТамТам", "Контакт", "Партнёр", "Х5"])
def test_no_junk(text: str) -> None:
    """Real names, and an empty field, are no junk."""
    assert not is_junk_company(text)


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        ("7707083893", "RU", (TaxKind.INN_COMPANY, "7707083893")),
        ("ИНН 7707083893", "RU", (TaxKind.INN_COMPANY, "7707083893")),
        ("7 707 083 893", "RU", (TaxKind.INN_COMPANY, "7707083893")),
        ("7707083893.0", "RU", (TaxKind.INN_COMPANY, "7707083893")),
        ("7,707083893E+9", "RU", (TaxKind.INN_COMPANY, "7707083893")),
        ("ИНН/КПП 7707083893/773601001", "RU", (TaxKind.INN_COMPANY, "7707083893")),
        ("500100732259", "RU", (TaxKind.INN_PERSON, "500100732259")),
        ("101002043", "RU", (TaxKind.INN_COMPANY, "0101002043")),
        ("940940000384", "KZ", (TaxKind.KZ_BIN, "940940000384")),
        ("940940000384", "RU", (TaxKind.KZ_BIN, "940940000384")),
        ("200988541", "BY", (TaxKind.BY_UNP, "200988541")),
        ("14360570", "UA", (TaxKind.UA_EDRPOU, "14360570")),
        ("1759013776", "UA", (TaxKind.UA_PERSON, "1759013776")),
        ("306351626", "UZ", (TaxKind.UZ_STIR, "306351626")),
        ("7707083894", "RU", None),
        ("770708389", "RU", None),
        ("500100732258", "RU", None),
        ("14360570", "RU", None),
        ("0000000000", "RU", None),
        ("1111111111", "RU", None),
        ("1234567894", "RU", None),
        ("7.7071E+9", "RU", None),
        ("", "RU", None),
        ("нет", "RU", None),
    ],
)
def test_tax_numbers(raw: str, country: str, expected: tuple[TaxKind, str] | None) -> None:
    """A tax number is believed when its register's sum fits; lost zeros return, placeholders do not count."""
    found = TaxNumber(*expected) if expected else None
    assert tax_number(raw, country=country) == found
    assert parse_inn(raw, country=country) == (found.number if found else None)


@pytest.mark.parametrize(
    ("raw", "kpp"),
    [
        *(("773601001", "773601001"), ("КПП 773601001", "773601001")),
        *(("10201001", "010201001"), ("7736AB001", "7736AB001")),
        *(("7707083893/773601001", "773601001"), ("773601001.0", "773601001"), ("000000000", None), ("77360100", None)),
        *(("7707083893", None), ("", None), ("77A601001", None)),
    ],
)  # fmt: skip
def test_kpp(raw: str, kpp: str | None) -> None:
    """A KPP has nine signs; a lost zero in front returns."""
    assert parse_kpp(raw) == (kpp if raw != "77360100" else "077360100")


@pytest.mark.parametrize(
    ("raw", "ogrn"),
    [
        *(("1027700132195", "1027700132195"), ("ОГРН 1027700132195", "1027700132195")),
        *(("1.027700132195E+12", "1027700132195"),),
        *(("304500116000157", "304500116000157"), ("1027700132196", None)),
        *(("102770013219", None), ("0027700132195", None)),
    ],
)  # fmt: skip
def test_ogrn(raw: str, ogrn: str | None) -> None:
    """An OGRN or OGRNIP is believed when its sum fits."""
    assert parse_ogrn(raw) == ogrn


@pytest.mark.parametrize(
    ("raw", "domain"),
    [
        *(("http://www.Romashka.ru/shop?x=1", "romashka.ru"), ("romashka.ru", "romashka.ru")),
        *(("https://shop.romashka.ru:8080/", "romashka.ru"),),
        *(("info@romashka.ru", "romashka.ru"), ("ромашка.рф", "xn--80aa3agjl3d.xn--p1ai")),
        *(("romashka.tilda.ws", "romashka.tilda.ws"),),
        *(("romashka.com.ru", "romashka.com.ru"), ("http:/romashka.ru", "romashka.ru")),
        *((" WWW.ROMASHKA.RU. ", "romashka.ru"),),
        *(("gmail.com", None), ("ivan@mail.ru", None), ("https://vk.com/romashka", None), ("instagram.com/x", None)),
        *(("tilda.ws", None), ("нет", None), ("", None)),
        *(("http://romashka", None), ("www.romashka", None), ("t.me/romashka", None)),
        *(("https://www.avito.ru/user/1", None), ("2gis.ru/kazan/firm/1", None), ("1.5", None)),
    ],
)  # fmt: skip
def test_sites(raw: str, domain: str | None) -> None:
    """A site is the registered domain of the firm itself; pages at networks, markets and free mail are none."""
    assert site_domain(raw) == domain
