"""Companies: registry numbers decide, else the name with how the firm is reached."""

from __future__ import annotations

import pytest

from crmkit_dedup.match import Band
from crmkit_dedup.rows import CompanyRow
from crmkit_dedup.scan import scan_companies

INN = "7707083893"
OTHER_INN = "7736050003"
PHONE = "+7 495 777-00-11"


def band_of(*rows: CompanyRow) -> Band:
    """How the rows stand: AUTO when all are to be merged, REVIEW when all are to be asked about, else IGNORE."""
    found = list(scan_companies(rows, workers=1).clusters)
    if len(found) > 1:
        return Band.IGNORE
    return Band.AUTO if {member.band for member in found[0].members} == {Band.AUTO} else Band.REVIEW


@pytest.mark.parametrize(
    "name",
    [
        "Ромашка, ООО",
        "Общество с ограниченной ответственностью «Ромашка»",
        'OOO "Romashka"',
        "РОМАШКА",
        "«Ромашка» г. Казань",
    ],
)
def test_one_name_with_one_number_is_one_firm(name: str) -> None:
    """Forms, quotes, script and the city glued on do not part a firm."""
    one = CompanyRow("1", "ООО «Ромашка»", phones=PHONE, city="Казань")
    assert band_of(one, CompanyRow("2", name, phones="8 495 777 00 11", city="Казань")) is Band.AUTO


def test_a_tax_number_is_one_with_its_lost_zero() -> None:
    """A spreadsheet takes the leading zero; the sum puts it back."""
    one = CompanyRow("1", "ООО Ромашка", inn="0274062111")
    assert band_of(one, CompanyRow("2", "Ромашка", inn="274062111.0")) is Band.AUTO


def test_different_tax_numbers_are_different_firms_always() -> None:
    """Name, phone and site in common: a house of firms."""
    one = CompanyRow("1", "ООО Ромашка", inn=INN, phones=PHONE, site="romashka-dom.ru", city="Москва")
    assert band_of(one, one._replace(id="2", inn=OTHER_INN)) is Band.IGNORE


def test_a_branch_is_not_merged_with_its_firm() -> None:
    """One tax number and another KPP."""
    one = CompanyRow("1", "ООО Ромашка", inn=INN, kpp="770701001")
    assert band_of(one, one._replace(id="2", kpp="161543001", city="Казань")) is Band.IGNORE


def test_firms_of_one_house_stay_apart() -> None:
    """One phone, one mailbox, one site; the names differ by a word."""
    shared = CompanyRow("1", "ООО Ромашка Трейд", phones=PHONE, emails="info@romashka-dom.ru", site="romashka-dom.ru")
    assert band_of(shared, shared._replace(id="2", name="ООО Ромашка Логистика")) is Band.IGNORE


@pytest.mark.parametrize(
    "other",
    [
        CompanyRow("2", "ООО Ромашка", inn=INN, city="Казань"),
        CompanyRow("2", "ООО Ромашка", inn=INN, address="ул. Баумана, 5"),
        CompanyRow("2", "ООО «Ромашка» филиал", inn=INN),
        CompanyRow("2", "ООО Ромашка", inn=INN, kpp="770743001"),
    ],
    ids=["another city", "another address", "said in the name", "said by the KPP"],
)
def test_what_may_be_a_branch_is_asked_about(other: CompanyRow) -> None:
    """One tax number, a KPP on one card at the most, and a sign that another place is meant."""
    head = CompanyRow("1", "ООО Ромашка", inn=INN, city="Москва", address="г. Москва, ул. Лесная, д. 3")
    assert band_of(head, other) is Band.REVIEW
    assert band_of(head, head._replace(id="2")) is Band.AUTO


def test_where_a_firm_has_branches_the_tax_number_alone_tells_none_of_them() -> None:
    """A card with the number only may be the head's or the branch's; with the head's phone it is the head's."""
    head = CompanyRow("1", "ООО Ромашка", inn=INN, kpp="770701001", phones=PHONE)
    branch = CompanyRow("2", "ООО Ромашка", inn=INN, kpp="161543001")
    bare = CompanyRow("3", "ООО Ромашка", inn=INN)
    found = list(scan_companies([head, branch, bare], workers=1).clusters)
    assert {member.band for cluster in found for member in cluster.members} <= {Band.REVIEW, Band.IGNORE}

    found = list(scan_companies([head, branch, bare._replace(phones="84957770011")], workers=1).clusters)
    assert [[(member.id, member.band) for member in cluster.members] for cluster in found] == [
        [("1", Band.AUTO), ("3", Band.AUTO)],
        [("2", Band.IGNORE)],
    ]


def test_an_ogrn_without_a_kpp_is_asked_about_where_the_phones_differ() -> None:
    """All branches have the OGRN of their firm."""
    one = CompanyRow("1", "ООО Ромашка", ogrn="1027700132195", phones=PHONE)
    assert band_of(one, one._replace(id="2", phones="+7 843 200-11-22")) is Band.REVIEW
    assert band_of(one, one._replace(id="2", phones="84957770011")) is Band.AUTO


def test_a_second_kpp_of_a_large_taxpayer_is_no_branch() -> None:
    """Reason 50: the same firm, registered twice."""
    one = CompanyRow("1", "АО Ромашка", inn=INN, kpp="770701001", phones=PHONE)
    assert band_of(one, one._replace(id="2", kpp="997750001")) is Band.AUTO


def namesakes(count: int) -> list[CompanyRow]:
    """Firms of one name, each known by a tax number and a phone of its own."""
    numbers = ["7707083893", "7736050003", "7728168971", "7702070139", "7744001497"]
    return [
        CompanyRow(f"n{at}", "ООО Маяк", inn=inn, phones=f"+7 495 200-10-{at}0")
        for at, inn in enumerate(numbers[:count])
    ]


def test_a_name_that_one_firm_bears_is_asked_about_by_itself() -> None:
    """The more clearly different firms bear a name, the less it says."""
    bare = CompanyRow("x", "Маяк, ООО")
    assert [
        sorted(len(cluster.members) for cluster in scan_companies([*namesakes(count), bare], workers=1).clusters)
        for count in (1, 5)
    ] == [[2], [1, 1, 1, 1, 1, 1]]


def test_a_site_called_as_the_firm_is_not_enough_to_merge() -> None:
    """Firms of one brand share a site; a phone makes it one."""
    one = CompanyRow("1", "ООО Ромашка", site="romashka.ru", phones=PHONE)
    assert band_of(one, CompanyRow("2", "Ромашка", site="www.romashka.ru")) is Band.REVIEW
    assert band_of(one, CompanyRow("2", "Ромашка", site="romashka.ru", phones="84957770011")) is Band.AUTO


def test_a_trader_and_an_organisation_of_one_surname_stay_apart() -> None:
    """They share a phone and a mailbox, and pay their taxes apart; a bare surname may be either."""
    trader = CompanyRow("1", "ИП Тлехугов Прохор Ильич", phones=PHONE, emails="tlehugov@mail.ru")
    assert band_of(trader, trader._replace(id="2", name="ООО «Тлехугов»")) is Band.IGNORE
    assert band_of(trader, trader._replace(id="2", name="Тлехугов")) is Band.REVIEW


@pytest.mark.parametrize(
    ("name", "band"),
    [
        ("ИП Тлехугов Прхор Ильич", Band.AUTO),
        ("Тлехугов П.И.", Band.AUTO),
        ("Тлхеугов Прохор Ильич ИП", Band.AUTO),
        ("ИП Тлехугов Прохор Петрович", Band.IGNORE),
    ],
)
def test_a_mistyped_trader_is_the_same_trader(name: str, band: Band) -> None:
    """On one phone: a slip in the first name or the surname does not part them, another patronymic does."""
    one = CompanyRow("1", "ИП Тлехугов Прохор Ильич", phones=PHONE)
    assert band_of(one, CompanyRow("2", name, phones=PHONE)) is band


def test_a_tax_number_outweighs_a_mistyped_name_of_a_trader() -> None:
    """A person has one: a first name that does not fit is asked about."""
    one = CompanyRow("1", "ИП Тлехугов Прохор Ильич", inn="500100732259", phones=PHONE)
    assert band_of(one, one._replace(id="2", name="ИП Тлехугов Иван Ильич")) is Band.REVIEW


def test_a_phone_with_a_wrong_digit_speaks_for_firms_of_one_name() -> None:
    """One digit of difference, one name: asked about, though the name is another firm's too."""
    wrong = CompanyRow("x", "Маяк", phones="+7 495 200-10-01")
    found = scan_companies([*namesakes(5), wrong], workers=1).duplicates
    assert [{member.id for member in cluster.members} for cluster in found] == [{"n0", "x"}]


def test_a_name_mistyped_twice_is_asked_about_where_a_phone_agrees() -> None:
    """Two slips in one word; firms of one house differ by a whole word."""
    one = CompanyRow("1", "ООО Филатало", phones=PHONE)
    assert band_of(one, CompanyRow("2", "ООО Фиалтало", phones=PHONE)) is Band.REVIEW
    assert band_of(one, CompanyRow("2", "ООО Филатало Юг", phones=PHONE)) is Band.IGNORE


def test_numbers_in_names_tell_firms_apart() -> None:
    """On one phone: school 12 is not school 15; a digit behind a name may only mark a second card."""
    one = CompanyRow("1", "МБОУ СОШ 12", phones=PHONE)
    assert band_of(one, one._replace(id="2", name="МБОУ СОШ 15")) is Band.IGNORE
    one = CompanyRow("1", "ООО Лазурит", phones=PHONE)
    assert band_of(one, one._replace(id="2", name="ООО Лазурит 2")) is Band.REVIEW


def test_one_address_speaks_for_firms_of_one_name() -> None:
    """However it is written; it says nothing for neighbours in one house."""
    one = CompanyRow("1", "ООО Ромашка", city="Казань", address="420111, г. Казань, ул. Баумана, д. 5, оф. 3")
    assert band_of(one, CompanyRow("2", "Ромашка", address="Баумана 5")) is Band.AUTO
    assert band_of(one, CompanyRow("2", "ООО Вектор", city="Казань", address="Баумана, 5")) is Band.IGNORE


def test_namesakes_in_two_cities_stay_apart() -> None:
    """A name alone does not make one firm."""
    one = CompanyRow("1", "ООО Альянс", city="Москва", phones=PHONE)
    assert band_of(one, CompanyRow("2", "ООО Альянс", city="Казань", phones="+7 843 200-11-22")) is Band.IGNORE


def test_a_sole_trader_is_a_person() -> None:
    """Initials and the order of words do not part a trader; another first name does."""
    one = CompanyRow("1", "ИП Тлехугов Прохор Ильич", phones="+7 921 555-01-23")
    assert band_of(one, CompanyRow("2", "Тлехугов П. И., ИП", phones="89215550123")) is Band.AUTO
    assert band_of(one, CompanyRow("2", "ИП Тлехугов Иван Ильич", phones="89215550123")) is Band.IGNORE


def test_what_names_no_firm_is_junk() -> None:
    """A private person is not a company."""
    rows = [CompanyRow(str(at), "частное лицо", phones=PHONE) for at in range(2)]
    found = [member for cluster in scan_companies(rows).clusters for member in cluster.members]
    assert [(member.band, member.reasons[0].code) for member in found] == [(Band.IGNORE, "junk_name")] * 2
