"""Namesakes in a base of a hundred thousand: what a name makes by itself is no second witness to it."""

from __future__ import annotations

from datetime import date

import pytest

from crmkit_dedup.match import Band
from crmkit_dedup.profile import person_profile
from crmkit_dedup.rarity import Rarity
from crmkit_dedup.rows import PersonRow
from crmkit_dedup.scoring.people import weigh_people

ONE, OTHER = "+7 921 555-01-23", "+7 903 777-88-99"
LARGE = Rarity(100_000)


def band_of(one: PersonRow, other: PersonRow) -> Band:
    """How two cards of a large base stand."""
    return weigh_people(person_profile(one), person_profile(other), LARGE).band


@pytest.mark.parametrize(
    "mailbox", ["novikovaolga@gmail.com", "o.novikova@mail.ru", "olga1960@mail.ru", "novikova_o@yandex.ru"]
)
def test_a_mailbox_made_of_the_name_does_not_outweigh_other_numbers(mailbox: str) -> None:
    """Each has a number of her own: a person is asked, for whoever has the name may have taken or misheard it."""
    whole = PersonRow("1", "Новикова", "Ольга", phones=ONE, emails=mailbox)
    assert band_of(whole, PersonRow("2", first="Ольга", phones=OTHER, emails=mailbox)) is not Band.AUTO


def test_a_mailbox_of_a_persons_own_invention_does() -> None:
    """Nobody else would think of it."""
    one = PersonRow("1", "Новикова", "Ольга", phones=ONE, emails="severny.kotik77@mail.ru")
    assert band_of(one, one._replace(id="2", phones=OTHER)) is Band.AUTO


def test_a_nickname_made_of_the_name_does_not_outweigh_other_numbers() -> None:
    """A messenger is a mailbox in this."""
    one = PersonRow("1", "Ткачук", phones=ONE, messengers="@n_tkachuk")
    assert band_of(one, PersonRow("2", "Ткачук", "Нурлан", phones=OTHER, messengers="@n_tkachuk")) is not Band.AUTO


def test_a_rare_name_makes_a_rare_mailbox_but_not_in_two_towns() -> None:
    """Nobody else of this base is called so, unless two towns are meant."""
    one = PersonRow("1", "Тлехугов", "Прохор", emails="p.tlehugov@mail.ru", city="Казань")
    assert band_of(one, one._replace(id="2")) is Band.AUTO
    assert band_of(one, one._replace(id="2", city="Омск")) is Band.REVIEW


def test_one_name_of_a_mailbox_at_two_providers_is_no_second_kind_of_evidence() -> None:
    """Матвеев Дмитрий at one provider and Матвеев Дмитрий at another are asked about."""
    one = PersonRow("1", "Тлехугов", "Прохор", emails="prohor@bk.ru")
    assert band_of(one, one._replace(id="2", emails="prohor@yandex.ru")) is Band.REVIEW


def test_a_rare_whole_name_is_one_person_while_nothing_differs() -> None:
    """With a number each they may be namesakes, however rare the name."""
    one = PersonRow("1", "Тлехугов", "Прохор", "Измаилович")
    assert band_of(one, one._replace(id="2", phones=ONE)) is Band.AUTO
    assert band_of(one._replace(phones=OTHER), one._replace(id="2", phones=ONE)) is Band.REVIEW
    assert band_of(one._replace(city="Казань"), one._replace(id="2", city="Омск")) is Band.REVIEW


def test_one_firm_makes_colleagues_of_one_name_one_person() -> None:
    """A rare firm is a witness beside the name."""
    one = PersonRow("1", "Тлехугов", "Прохор", company="Ромашка Юг")
    assert band_of(one, one._replace(id="2", phones=ONE)) is Band.AUTO
    assert band_of(one, one._replace(id="2", phones=ONE, company="")) is Band.REVIEW


def test_one_number_and_one_name_with_two_mailboxes_is_asked_about() -> None:
    """A father and a son share number and name; a patronymic or a birthday tells."""
    one = PersonRow("1", "Сидоров", "Пётр", phones=ONE, emails="kotik77@mail.ru")
    other = one._replace(id="2", emails="wolf1984@mail.ru")
    assert band_of(one, other) is Band.REVIEW
    assert band_of(one._replace(middle="Ильич"), other._replace(middle="Ильич")) is Band.AUTO
    assert band_of(one._replace(birthday=date(1984, 3, 7)), other._replace(birthday=date(1984, 3, 7))) is Band.AUTO


def test_one_letter_twice_may_be_a_father_and_a_son() -> None:
    """`П. П.` is Пётр Павлович as well as his son; `П. И.` is no son of his."""
    father = PersonRow("1", "Сидоров", "Пётр", "Павлович", phones=ONE)
    assert band_of(father, PersonRow("2", "Сидоров", "П.", "П.", phones=ONE)) is Band.REVIEW
    heir = father._replace(middle="Ильич")
    assert band_of(heir, PersonRow("2", "Сидоров", "П.", "И.", phones=ONE)) is Band.AUTO


def test_initials_and_a_mailbox_made_of_the_name_are_asked_about() -> None:
    """Kin share a number and a surname; a mailbox with the surname says no less than the surname does."""
    one = PersonRow("1", "Тлехугов", "Прохор", emails="p.tlehugov@mail.ru")
    assert band_of(one, PersonRow("2", "Тлехугов", "П.", emails="p.tlehugov@mail.ru")) is Band.REVIEW


def test_a_first_name_that_a_slip_has_made_of_another_is_asked_about() -> None:
    """Дана may be Диана with a letter lost; Дарья is somebody else."""
    one = PersonRow("1", "Тлехугова", "Диана", phones=ONE)
    assert band_of(one, PersonRow("2", "Тлехугова", "Дана", phones=ONE)) is Band.REVIEW
    assert band_of(one, PersonRow("2", "Тлехугова", "Дарья", phones=ONE)) is Band.IGNORE


def test_an_unheard_first_name_with_the_same_number_is_asked_about() -> None:
    """A word that no table knows may be a slip or no name; with another number it is nobody known."""
    one = PersonRow("1", "Тлехугов", "Прохор", phones=ONE)
    assert band_of(one, PersonRow("2", first="Фыргамыж", phones=ONE)) is Band.REVIEW
    assert band_of(one, PersonRow("2", first="Фыргамыж", phones=OTHER)) is Band.IGNORE
