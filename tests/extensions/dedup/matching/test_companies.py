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
