"""Records entered hundreds of times over: one cluster, however wide the groups are that they share keys with."""

from __future__ import annotations

from datetime import date, timedelta

from crmkit_dedup.match import Band, Cluster
from crmkit_dedup.rows import CompanyRow, DealRow, PersonRow
from crmkit_dedup.scan import scan_companies, scan_deals, scan_people

OLEG = PersonRow("0", last="Сидоренко", first="Олег", phones="+7 912 345-00-11", emails="oleg77@mail.ru")
SURNAMES = ("Ахметов", "Белкин", "Воронцов", "Гаврилов", "Дроздов", "Ежов", "Жарков", "Зимин", "Ильин", "Козлов")
GIVEN = ("Олег", "Пётр", "Сергей", "Андрей", "Максим", "Юрий", "Фёдор", "Роман", "Денис", "Борис")


def times(row: PersonRow, count: int) -> list[PersonRow]:
    return [row._replace(id=str(at)) for at in range(count)]


def bands(cluster: Cluster) -> set[Band]:
    return {member.band for member in cluster.members}


def test_one_contact_entered_by_a_robot_is_one_cluster() -> None:
    """Three hundred equal contacts are one cluster, in order, to be merged without asking, its reasons told."""
    scan = scan_people(times(OLEG, 300))
    (cluster,) = scan.clusters
    assert [member.id for member in cluster.members] == [str(at) for at in range(300)]
    assert bands(cluster) == {Band.AUTO}
    assert {member.reasons for member in cluster.members} == {cluster.members[0].reasons}
    assert [reason.code for reason in cluster.members[0].reasons][:2] == ["mailbox", "phone"]
    assert len(list(scan.pairs())) == scan.counts.auto_pairs == 300 * 299 // 2


def test_pairs_of_thousands_are_not_millions() -> None:
    """Above five hundred each copy is paired with the first of them; two spellings still with each other."""
    rows = [row._replace(last="Сидаренко") if at >= 1_500 else row for at, row in enumerate(times(OLEG, 3_000))]
    scan = scan_people(rows, workers=1)
    pairs = [(int(pair.left), int(pair.right), pair.band) for pair in scan.pairs()]

    assert pairs == [
        (0, 1_500, Band.AUTO),
        *((0, at, Band.AUTO) for at in range(1, 1_500)),
        *((1_500, at, Band.AUTO) for at in range(1_501, 3_000)),
    ]
    assert scan.counts.auto_pairs == 3_000 * 2_999 // 2


def test_copies_made_day_after_day_are_copies() -> None:
    """The day of entry is no difference between copies."""
    rows = [row._replace(created=date(2024, 1, 1) + timedelta(days=at)) for at, row in enumerate(times(OLEG, 300))]
    assert [len(cluster.members) for cluster in scan_people(rows).clusters] == [300]


def test_copies_in_two_spellings_meet() -> None:
    """Three hundred contacts, every other with a slip in the surname, are one cluster."""
    rows = [row._replace(last="Сидаренко") if at % 2 else row for at, row in enumerate(times(OLEG, 300))]
    (cluster,) = scan_people(rows).clusters
    assert [member.id for member in cluster.members] == [str(at) for at in range(300)]
    assert bands(cluster) == {Band.AUTO}


def test_somebody_else_stays_apart_from_copies() -> None:
    """Copies take along who is one with them and nobody else; the clusters are in order of their first records."""
    other = PersonRow("ann", last="Белкина", first="Анна", phones="+7 921 111-22-34")
    again = OLEG._replace(id="again", emails="", name="")
    clusters = list(scan_people([other, *times(OLEG, 100), again]).clusters)
    assert [(cluster.id, len(cluster.members)) for cluster in clusters] == [("ann", 1), ("0", 101)]
    assert clusters[1].members[-1].id == "again"


def test_thousands_of_equal_companies_are_one_cluster() -> None:
    """Three thousand equal companies are one cluster."""
    rows = [CompanyRow(str(at), "ООО Ромашка", inn="7707083893", phones="+7 495 123-00-11") for at in range(3_000)]
    (cluster,) = scan_companies(rows).clusters
    assert len(cluster.members) == 3_000
    assert bands(cluster) == {Band.AUTO}


def test_namesakes_are_no_copies() -> None:
    """Equal names with nothing beside them are three hundred people, or nobody knows how many."""
    assert scan_people(times(PersonRow("0", last="Сидоренко", first="Олег"), 300)).counts.clusters == 0


def test_people_of_one_switchboard_are_no_copies() -> None:
    """Three hundred different people with the number of their firm are in no cluster."""
    rows = [
        PersonRow(f"{last}{first}{at}", last=f"{last}{end}", first=first, phones="+7 495 123-00-11")
        for last in SURNAMES
        for first in GIVEN
        for at, end in enumerate(("", "ский", "енко"))
    ]
    assert scan_people(rows).counts.clusters == 0


def test_junk_is_never_a_copy() -> None:
    """Three hundred records of nobody stay alone, each with its reason."""
    clusters = list(scan_people(times(PersonRow("0", last="Тест", phones="1111111"), 300)).clusters)
    assert {(len(cluster.members), cluster.members[0].reasons[0].code) for cluster in clusters} == {(1, "junk_name")}
    assert len(clusters) == 300


def test_one_wish_that_a_robot_has_entered_is_one_cluster() -> None:
    """Two hundred equal deals of a client; two of another one are theirs, and won ones are purchases repeated."""
    wish = DealRow("0", contact="17", pipeline="Продажи", product="Кухня", amount="90000", created=date(2025, 5, 3))
    rows = [wish._replace(id=str(at)) for at in range(200)]
    rows += [wish._replace(id=f"other{at}", contact="18", product=f"Шкаф {at}") for at in range(2)]
    won = [row._replace(id=f"won{row.id}", contact="19", is_closed=True) for row in rows[:200]]

    found = [(len(cluster.members), bands(cluster)) for cluster in scan_deals([*rows, *won], workers=1).clusters]
    assert sorted(found, key=lambda one: -one[0]) == [
        (200, {Band.AUTO}),
        (2, {Band.AUTO}),
        *[(1, {Band.IGNORE})] * 200,
    ]
