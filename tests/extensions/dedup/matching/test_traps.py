"""Traps: records that are much alike and are not one person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest

from crmkit_dedup.match import Band
from crmkit_dedup.rows import PersonRow
from crmkit_dedup.scan import scan_people

PHONE = "+7 921 555-01-23"


def merged(rows: Sequence[PersonRow]) -> list[set[str]]:
    """The groups that would be merged without asking."""
    groups = []
    for cluster in scan_people(rows, workers=1).clusters:
        sure = {member.id for member in cluster.members if member.band is Band.AUTO}
        groups += [sure] if sure else []
    return groups


def test_spouses_on_one_phone_stay_apart() -> None:
    """A man and a woman of one surname share a number, a town and a mailbox."""
    husband = PersonRow("1", "Сидоров", "Пётр", phones=PHONE, emails="family.sidorov@mail.ru", city="Казань")
    assert merged([husband, husband._replace(id="2", last="Сидорова", first="Анна")]) == []


def test_siblings_on_one_phone_stay_apart() -> None:
    """The same surname and patronymic, another first name."""
    rows = [
        PersonRow("1", "Сидоров", "Пётр", "Ильич", phones=PHONE),
        PersonRow("2", "Сидоров", "Иван", "Ильич", phones=PHONE),
    ]
    assert merged(rows) == []


def test_father_and_son_of_one_name_stay_apart() -> None:
    """One first name and surname, one phone: patronymics, birthdays or a remark tell them apart."""
    father = PersonRow("1", "Сидоров", "Пётр", "Ильич", phones=PHONE)
    assert merged([father, PersonRow("2", "Сидоров", "Пётр", "Петрович", phones=PHONE)]) == []
    born = [PersonRow(str(year), "Сидоров", "Пётр", phones=PHONE, birthday=date(year, 5, 6)) for year in (1957, 1984)]
    assert merged(born) == []
    assert merged([father._replace(middle="", last="Сидоров ст."), father._replace(id="2", last="Сидоров мл.")]) == []


def test_a_record_that_father_and_son_both_claim_is_not_merged() -> None:
    """Without a patronymic it may be either of the two."""
    rows = [
        PersonRow("1", "Сидоров", "Пётр", "Ильич", phones=PHONE),
        PersonRow("2", "Сидоров", "Пётр", "Петрович", phones=PHONE),
        PersonRow("3", "Сидоров", "Пётр", phones=PHONE),
    ]
    assert merged(rows) == []


def test_a_number_issued_again_after_years_stays_apart() -> None:
    """One mobile number, clearly different full names, years between the records."""
    rows = [
        PersonRow("1", "Сидоров", "Пётр", "Ильич", phones=PHONE, created=date(2015, 1, 1)),
        PersonRow("2", "Гаврилов", "Пётр", "Олегович", phones=PHONE, created=date(2022, 1, 1)),
    ]
    assert merged(rows) == []


def test_a_nameless_call_of_years_ago_is_not_merged_into_the_present_holder() -> None:
    """The number may have been another person's."""
    rows = [
        PersonRow("1", phones=PHONE, created=date(2015, 1, 1)),
        PersonRow("2", "Гаврилов", "Пётр", phones=PHONE, created=date(2022, 1, 1)),
    ]
    assert merged(rows) == []


SWITCHBOARD = [
    "Антонов Иван",
    "Борисов Олег",
    "Власова Анна",
    "Гришина Ольга",
    "Дроздов Павел",
    "Егоров Глеб",
    "Жукова Инна",
]


def test_colleagues_at_one_switchboard_stay_apart() -> None:
    """A number of many people proves nothing, even with one company and one town."""
    one = PersonRow("", phones="+7 495 777-00-11", company="ООО Ромашка", city="Москва")
    assert merged([one._replace(id=str(at), name=name) for at, name in enumerate(SWITCHBOARD)]) == []


def test_a_first_name_alone_at_a_switchboard_is_not_merged() -> None:
    """`Иван` on the common number is nobody in particular."""
    rows = [PersonRow(str(at), name=name, phones="+7 495 777-00-11") for at, name in enumerate(SWITCHBOARD)]
    assert merged([*rows, PersonRow("x", name="Иван", phones="+7 495 777-00-11")]) == []


def test_extensions_tell_people_apart_and_bring_one_together() -> None:
    """Two extensions of one number are two people; the same extension is the same person."""
    one = PersonRow("1", first="Олег", phones="+7 495 777-00-11 доб. 12")
    assert merged([one, PersonRow("2", first="Олег", phones="+7 495 777-00-11 доб. 15")]) == []
    assert merged([one, PersonRow("2", first="Олег", phones="8 (495) 777 00 11, вн. 12")]) == [{"1", "2"}]


def test_a_role_mailbox_brings_nobody_together() -> None:
    """`info@` is the firm's."""
    rows = [PersonRow(str(at), name=name, emails="info@romashka.ru") for at, name in enumerate(SWITCHBOARD)]
    assert merged(rows) == []


JUNK = (
    PersonRow("1", name="тест", phones=PHONE),
    PersonRow("2", name="тест", phones=PHONE),
    PersonRow("3", name="Клиент", phones="+7 999 999-99-99"),
    PersonRow("4", name="Клиент", phones="+7 999 999-99-99"),
    PersonRow("5", name="asdf", emails="no@no.ru"),
    PersonRow("6", name="asdf", emails="no@no.ru"),
    PersonRow("7"),
    PersonRow("8"),
)


def test_junk_matches_nobody_and_says_why() -> None:
    """Test records, stub numbers and empty cards stand alone, each with its reason."""
    found = list(scan_people(JUNK).clusters)
    assert [len(cluster.members) for cluster in found] == [1] * len(JUNK)
    assert {member.reasons[0].code[:4] for cluster in found for member in cluster.members} == {"junk"}


def test_a_stub_number_does_not_join_real_people() -> None:
    """Two people for whom seven ones were typed stay two."""
    rows = [PersonRow("1", "Сидоров", "Пётр", phones="1111111"), PersonRow("2", "Гусева", "Анна", phones="1111111")]
    assert [len(cluster.members) for cluster in scan_people(rows).clusters] == [1, 1]


def test_a_toll_free_line_joins_nobody_but_those_behind_one_extension() -> None:
    """It is a firm's: a name that sounds alike beside it is not even asked about."""
    rows = [
        PersonRow("1", "Белова", "Ольга", phones="8 800 200-10-20"),
        PersonRow("2", "", "Ольга", phones="88002001020"),
    ]
    behind = [row._replace(phones=f"{row.phones} доб. 15") for row in rows]

    assert [len(cluster.members) for cluster in scan_people(rows).clusters] == [1, 1]
    assert [len(cluster.members) for cluster in scan_people(behind).clusters] == [2]


def test_namesakes_without_anything_else_in_common_stay_apart() -> None:
    """A common name with other numbers is not even asked about."""
    for count in (2, 50):
        rows = [PersonRow(str(at), "Иванов", "Александр", phones=f"+7921{5550123 + at * 7919}") for at in range(count)]
        assert [len(cluster.members) for cluster in scan_people(rows).clusters] == [1] * count


SAME = PersonRow("1", "Сидоров", "Пётр", "Ильич", phones=PHONE, emails="sidor@mail.ru")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (SAME._replace(birthday=date(1984, 3, 7)), SAME._replace(id="2", birthday=date(1991, 11, 22))),
        (SAME._replace(inn="500100732259"), SAME._replace(id="2", inn="773370857141")),
        (SAME, SAME._replace(id="2", middle="Олегович")),
        (SAME, SAME._replace(id="2", first="Олег")),
    ],
    ids=["birthday", "inn", "patronymic", "first name"],
)
def test_what_differs_for_certain_is_a_veto(one: PersonRow, other: PersonRow) -> None:
    """Another birthday, tax number, patronymic or first name: never one person, whatever agrees."""
    assert [len(cluster.members) for cluster in scan_people([one, other]).clusters] == [1, 1]


def test_groups_do_not_chain_through_a_record_between_them() -> None:
    """A nameless record with two numbers does not make one person of their holders."""
    rows = [
        PersonRow("1", "Сидоров", "Пётр", phones="+7 921 555-01-23"),
        PersonRow("2", "Гусева", "Анна", phones="+7 903 111-22-33"),
        PersonRow("3", phones="+7 921 555-01-23; +7 903 111-22-33"),
    ]
    groups = [{member.id for member in cluster.members} for cluster in scan_people(rows).clusters]
    assert not any({"1", "2"} <= group for group in groups)
