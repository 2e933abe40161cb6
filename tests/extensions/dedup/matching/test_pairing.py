"""Which records are compared at all: those that share more than what many have."""

from __future__ import annotations

from itertools import product

from crmkit_dedup.rows import CompanyRow, PersonRow
from crmkit_dedup.scan import scan_companies, scan_people

SYLLABLES = ("ба", "во", "гу", "ды", "же", "зи", "ко", "лу", "мы", "не", "по", "ру")


def strangers() -> list[PersonRow]:
    """1,728 people of different surnames, of whom every fourth has the first name that the namesakes have."""
    given = ("Пётр", "Олег", "Роман", "Денис")
    surnames = map("".join, product(SYLLABLES, repeat=3))
    return [
        PersonRow(
            f"s{at}", f"{surname.title()}шин", given[at % 4], phones=f"+7 9{at % 100:02d} {at * 6007 % 10_000_000:07d}"
        )
        for at, surname in enumerate(surnames)
    ]


def namesakes(count: int) -> list[PersonRow]:
    """People of one name who have nothing else in common, not even the beginning or the end of a phone."""
    return [
        PersonRow(f"n{at}", "Сидоров", "Пётр", phones=f"+7 9{at + 20} {at + 100}-{at + 5000}") for at in range(count)
    ]


def test_namesakes_with_nothing_else_in_common_are_not_compared() -> None:
    """Fifty bearers of a common name are no pairs."""
    scan = scan_people([*strangers(), *namesakes(50)])
    assert (scan.counts.compared, scan.counts.clusters) == (0, 0)


def test_namesakes_are_compared_by_what_else_they_share() -> None:
    """Of the bearers of a common name two of one town and two with one slip in the phone are compared, and meet."""
    people = namesakes(50)
    people[3] = people[3]._replace(city="Казань", middle="Ильич")
    people[40] = people[40]._replace(city="Казань", middle="Ильич")
    people[5] = people[5]._replace(phones="+7 921 555-01-23")
    people[30] = people[30]._replace(phones="+7 921 565-01-23")
    scan = scan_people([*strangers(), *people])
    assert scan.counts.compared == 2
    assert [[member.id for member in found.members] for found in scan.duplicates] == [["n3", "n40"], ["n5", "n30"]]


def test_bearers_of_a_rare_name_are_all_compared() -> None:
    """A name that only three of a large base have brings them together by itself."""
    rare = [PersonRow(f"n{at}", "Тлехугов", "Прохор") for at in range(3)]
    scan = scan_people([*strangers(), *rare])
    assert scan.counts.compared == 3
    assert [[member.id for member in found.members] for found in scan.duplicates] == [["n0", "n1", "n2"]]


def test_bearers_of_one_surname_with_different_first_names_are_not_compared() -> None:
    """A family of ten in one town is no pairs: their first names are known, and differ."""
    given = ("Олег", "Пётр", "Сергей", "Андрей", "Максим", "Юрий", "Фёдор", "Роман", "Денис", "Борис")
    kin = [PersonRow(f"k{at}", "Гордеев", name, city="Казань") for at, name in enumerate(given)]
    scan = scan_people([*strangers(), *kin])
    assert (scan.counts.compared, scan.counts.clusters) == (0, 0)


def test_a_first_name_that_is_no_name_is_no_reason_not_to_compare() -> None:
    """Of ten bearers of one surname the two who share a town meet, when the first name of one is an initial."""
    given = ("Олег", "Сергей", "Андрей", "Максим", "Юрий", "Фёдор", "Роман", "Денис", "Борис")
    kin = [PersonRow(f"k{at}", "Гордеев", name) for at, name in enumerate(given)]
    kin[8] = kin[8]._replace(city="Казань", company="ООО Ромашка")
    kin.append(PersonRow("k9", "Гордеев", "Б.", city="Казань", company="ООО Ромашка"))
    scan = scan_people([*strangers(), *kin])
    assert scan.counts.compared == 1
    assert [[member.id for member in found.members] for found in scan.duplicates] == [["k8", "k9"]]


def firms() -> list[CompanyRow]:
    """1,728 firms of different names, and fifty of one name, each in a town of its own."""
    names = ["".join(name) for name in product(SYLLABLES, repeat=3)]
    others = [CompanyRow(f"s{at}", f"ООО {name}") for at, name in enumerate(names)]
    return [*others, *(CompanyRow(f"n{at}", "ООО Василёк", city=names[at * 30]) for at in range(50))]


def test_firms_of_a_common_name_in_different_towns_are_not_compared() -> None:
    """Fifty bearers of a common name are no pairs."""
    assert scan_companies(firms()).counts.compared == 0


def test_firms_of_a_common_name_in_one_town_are_compared() -> None:
    """Two of the bearers are a pair by their town."""
    rows = firms()
    rows[-1] = rows[-1]._replace(city=rows[-20].city)
    assert scan_companies(rows).counts.compared == 1
