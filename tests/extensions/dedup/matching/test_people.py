"""People: which records are one, which are to be asked about, which stay apart, by rows alone."""

from __future__ import annotations

from datetime import date

import pytest

from crmkit_dedup.match import Band
from crmkit_dedup.rows import PersonRow
from crmkit_dedup.scan import scan_people

PHONE = "+7 921 555-01-23"
MAIL = "petr.sidorov77@example.ru"


def band_of(*rows: PersonRow) -> Band:
    """How the rows stand: AUTO when all are to be merged, REVIEW when all are to be asked about, else IGNORE."""
    found = list(scan_people(rows, workers=1).clusters)
    if len(found) > 1:
        return Band.IGNORE
    bands = {member.band for member in found[0].members}
    return Band.AUTO if bands == {Band.AUTO} else Band.REVIEW


def named(identity: str, name: str, phones: str = "", emails: str = "", birthday: date | None = None) -> PersonRow:
    """A row whose whole name stands in one field."""
    return PersonRow(identity, name=name, phones=phones, emails=emails, birthday=birthday)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Сидоров Пётр Ильич", "Сидоров Петр"),
        ("Сидоров Пётр Ильич", "Петя Сидоров"),
        ("Сидорова Ольга", "Olga Sidorova"),
        ("Щербакова Юлия", "Iuliia Shcherbakova"),
        ("Сидоров Пётр", "Cbljhjd Gtnh"),
        ("Сидоров Пётр", "Сидopoв Пётp"),
        ("Сидоров Пётр", "Сидоорв Пётр"),
        ("Сидоров Пётр Ильич", "Сидоров П. И."),
        ("Сидоров Пётр (Авито)", "ПЁТР СИДОРОВ"),
    ],
    ids=["part", "diminutive", "latin", "passport", "layout", "lookalike", "slip", "initials", "remark"],
)
def test_one_name_in_two_spellings_and_one_mobile_number_is_one_person(one: str, other: str) -> None:
    """However the name is written, with the same mobile number it is merged without asking."""
    assert band_of(named("1", one, PHONE), named("2", other, "89215550123")) is Band.AUTO


def test_a_phone_is_one_in_any_shape() -> None:
    """Numbers are compared, not the ways of writing them."""
    shapes = ("8 (921) 555-01-23", "79215550123.0", "9215550123", "7.9215550123E+10", "tel:+79215550123")
    assert band_of(*(named(str(at), "Сидоров Пётр", shape) for at, shape in enumerate(shapes))) is Band.AUTO


def test_parts_in_fields_meet_the_whole_in_one() -> None:
    """Three fields and one field hold the same name."""
    parted = PersonRow("1", last="Сидоров", first="Пётр", middle="Ильич", phones=PHONE)
    assert band_of(parted, named("2", "Пётр Ильич Сидоров", PHONE)) is Band.AUTO


def test_one_mailbox_behind_aliases_is_one_person() -> None:
    """Dots and tags that the provider ignores do not part a person."""
    one = named("1", "Сидоров Пётр", emails="p.sidorov+shop@gmail.com")
    assert band_of(one, named("2", "Петр Сидоров", emails="PSidorov@googlemail.com")) is Band.AUTO


def test_a_slip_in_a_provider_is_the_same_mailbox() -> None:
    """`gmial.com` is read as what was meant when the names agree."""
    one = named("1", "Сидоров Пётр", emails="petrsid77@gmial.com")
    assert band_of(one, named("2", "Сидоров Петр", emails="petrsid77@gmail.com")) is Band.AUTO


def test_a_birthday_makes_namesakes_one() -> None:
    """Surname, first name and birthday are enough without a number."""
    one = named("1", "Тлехугов Прохор", birthday=date(1984, 3, 7))
    assert band_of(one, named("2", "Прохор Тлехугов", birthday=date(1984, 3, 7))) is Band.AUTO


def test_a_birthday_typed_wrong_does_not_part() -> None:
    """Day and month that changed places, with the same name and number, are a slip."""
    one = named("1", "Сидоров Пётр", PHONE, birthday=date(1984, 3, 7))
    assert band_of(one, named("2", "Сидоров Пётр", PHONE, birthday=date(1984, 7, 3))) is Band.AUTO


def test_a_day_that_programs_count_from_is_no_birthday() -> None:
    """It neither parts a person's cards nor makes namesakes one."""
    stub, real = named("1", "Тлехугов Прохор", "+79161234567", birthday=date(1970, 1, 1)), date(1957, 5, 15)
    phones = ("+79215550123", "+79034447788")
    others = [named(phone, "Иванов Александр", phone, birthday=date(2000, 1, 1)) for phone in phones]

    assert band_of(stub, named("2", "Прохор Тлехугов", "89161234567", birthday=real)) is Band.AUTO
    assert band_of(*others) is Band.IGNORE


def test_a_married_name_with_number_and_patronymic_is_asked_about_or_merged() -> None:
    """A woman's new surname does not make another person of her."""
    one = named("1", "Иванова Мария Петровна", PHONE, emails=MAIL)
    assert band_of(one, named("2", "Соколова Мария Петровна", PHONE, emails=MAIL)) is not Band.IGNORE


def test_a_call_without_a_name_is_the_holder_of_its_number() -> None:
    """A nameless record joins the one person who has the number."""
    assert band_of(PersonRow("1", phones=PHONE), named("2", "Сидоров Пётр", PHONE)) is Band.AUTO


def test_a_call_from_a_number_of_two_people_is_never_merged() -> None:
    """Nobody can tell which of the two it was."""
    rows = (named("1", "Сидоров Пётр", PHONE), named("2", "Сидорова Анна", PHONE), PersonRow("3", phones=PHONE))
    bands = {member.id: member.band for cluster in scan_people(rows).clusters for member in cluster.members}
    assert bands["3"] is not Band.AUTO


def test_a_slip_in_a_number_is_seen_beside_the_whole_name() -> None:
    """One wrong digit and the same rare name: one person."""
    one = named("1", "Тлехугов Прохор Ильич", "+79215550123")
    assert band_of(one, named("2", "Тлехугов Прохор Ильич", "+79215550128")) is Band.AUTO


def test_works_with_names_numbers_and_mailboxes_alone() -> None:
    """A dump of three columns is enough."""
    rows = (
        PersonRow("1", name="Сидоров Пётр", phones=PHONE, emails=MAIL),
        PersonRow("2", name="Сидоров П.", emails=MAIL),
        PersonRow("3", name="Мария Кузнецова", phones="+7 903 111-22-33"),
    )
    found = [[member.id for member in cluster.members] for cluster in scan_people(rows).clusters]
    assert found == [["1", "2"], ["3"]]


def test_every_point_has_a_reason_and_the_points_are_the_score() -> None:
    """The score is the sum of what the reasons show."""
    (match,) = scan_people([named("1", "Сидоров Пётр", PHONE), named("2", "Сидоров Петр", PHONE)]).pairs()
    assert {reason.code for reason in match.reasons} == {"phone", "given", "surname", "base"}
    assert match.score == pytest.approx(sum(reason.points for reason in match.reasons), abs=0.2)


def test_own_numbers_identify_nobody() -> None:
    """The account's own number, typed into a client's card, brings nobody together."""
    rows = (PersonRow("1", phones=PHONE), PersonRow("2", phones=PHONE))
    assert [len(cluster.members) for cluster in scan_people(rows, own_phones=["8 921 555 01 23"]).clusters] == [1, 1]


def test_the_country_of_the_account_reads_its_numbers() -> None:
    """`8 029 ...` in a Belarusian account is a Minsk mobile number."""
    rows = (named("1", "Сидоров Пётр", "8 029 611-22-33"), named("2", "Сидоров Пётр", "+375 29 611-22-33"))
    assert [len(cluster.members) for cluster in scan_people(rows, country="BY").clusters] == [2]


def test_a_card_with_two_numbers_brings_the_cards_of_each_together() -> None:
    """Two cards that share a first name alone are one person where a third card has the numbers of both."""
    letter = PersonRow("1", first="Прохор", phones=PHONE)
    call = PersonRow("2", first="Прохор", phones="+7 903 777-88-99")
    whole = named("3", "Тлехугов Прохор Ильич", f"{PHONE}; +7 903 777-88-99")
    assert band_of(letter, call) is Band.IGNORE
    assert band_of(letter, call, whole) is Band.AUTO


def test_a_call_joins_all_cards_of_the_holder_of_its_number() -> None:
    """One card of the holder has another number: it has nothing in common with the call, and nothing against it."""
    rows = [
        named("1", "Тлехугов Прохор", PHONE, birthday=date(1984, 3, 7)),
        named("2", "Тлехугов Прохор", "+7 903 777-88-99", birthday=date(1984, 3, 7)),
        PersonRow("3", phones=PHONE),
    ]
    assert band_of(*rows) is Band.AUTO
