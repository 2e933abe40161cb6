"""What holds for every base: each record once, one sure group a cluster, no contradiction inside, no order of input."""

from __future__ import annotations

import random
from datetime import date
from itertools import combinations, permutations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from crmkit_dedup.firm import CompanyReader
from crmkit_dedup.found import Scan
from crmkit_dedup.holders import people_among
from crmkit_dedup.match import Band
from crmkit_dedup.profile import PersonProfile, person_profile
from crmkit_dedup.rarity import Rarity
from crmkit_dedup.rows import CompanyRow, PersonRow
from crmkit_dedup.scan import scan_people
from crmkit_dedup.scoring.companies import weigh_companies
from crmkit_dedup.scoring.people import weigh_people

PERSON = st.builds(
    PersonRow,
    id=st.just(""),
    last=st.sampled_from(["", "Сидоров", "Сидорова", "Sidorov", "Гусев", "Тлехугов"]),
    first=st.sampled_from(["", "Пётр", "Петя", "Анна", "П.", "Олег", "тест"]),
    middle=st.sampled_from(["", "Ильич", "Петрович", "Ильинична"]),
    phones=st.sampled_from(["", "+79215550123", "89215550123; +79031112233", "+79031112233", "1111111"]),
    emails=st.sampled_from(["", "petr77@mail.ru", "petr77@gmail.com", "info@romashka.ru"]),
    birthday=st.sampled_from([None, date(1984, 3, 7), date(1957, 1, 2)]),
    city=st.sampled_from(["", "Казань", "Москва"]),
    created=st.sampled_from([None, date(2015, 1, 1), date(2024, 1, 1)]),
)
BEARER = st.builds(
    PersonRow,
    id=st.just(""),
    last=st.sampled_from(["", "Сидоров", "Ким", "Дуб", "Гусева"]),
    first=st.sampled_from(["", "Саша", "Александр", "Александра", "А.", "Олег"]),
    middle=st.sampled_from(["", "Ильич", "И.", "П.", "Петрович"]),
    gender=st.sampled_from(["", "м", "ж"]),
)
"""Somebody whose first name or gender may be known by half."""

BASE = st.lists(PERSON, min_size=1, max_size=12).map(
    lambda rows: [row._replace(id=str(at)) for at, row in enumerate(rows)]
)


REACHED = st.builds(
    PersonRow,
    id=st.just(""),
    last=st.sampled_from(["", "Сидоров", "Сидаров"]),
    first=st.sampled_from(["", "Пётр", "П."]),
    phones=st.permutations(["+79215550123", "+79031112233", "+74951234567"]).map("; ".join),
    emails=st.permutations(["petr77@mail.ru", "sidorov@mail.ru", "boss@firma.ru"]).map(", ".join),
    messengers=st.permutations(["@petr", "@sidorov"]).map(" ".join),
)
"""Somebody who is reached by several numbers and mailboxes, typed in any order."""

FIRM = st.builds(
    CompanyRow,
    id=st.just(""),
    name=st.sampled_from(
        ["ИП Попов Борис Дмитриевич", "ИП Попов Брис", "ИП Попав Борис", "ИП Попов Б.", "ООО Ромашка", "Ромашка-Сервис"]
    ),
    phones=st.sampled_from(["", "+78332212603", "+78332212603; +79080814130", "+79080814130; +78332212603"]),
    emails=st.sampled_from(["", "b@firma.ru", "b@firma.ru, c@firma.ru", "c@firma.ru, b@firma.ru"]),
    inn=st.sampled_from(["", "7707083893"]),
    city=st.sampled_from(["", "Казань", "Москва"]),
)


def parts(scan: Scan[PersonProfile]) -> set[frozenset[tuple[str, Band]]]:
    """The answer without any order: who is with whom, in which band."""
    return {frozenset((member.id, member.band) for member in cluster.members) for cluster in scan.clusters}


@settings(max_examples=60, deadline=None)
@given(BASE)
def test_every_record_is_told_of_once(rows: list[PersonRow]) -> None:
    """No record is lost or doubled, and those alone say why."""
    members = [member for cluster in scan_people(rows, workers=1).clusters for member in cluster.members]
    assert sorted(member.id for member in members) == sorted(row.id for row in rows)
    assert all(member.reasons for member in members)


@settings(max_examples=60, deadline=None)
@given(BASE)
def test_no_cluster_holds_a_contradiction(rows: list[PersonRow]) -> None:
    """Two records that cannot be one are never together, whatever joins others to them."""
    scan = scan_people(rows, workers=1)
    profiles = {row.id: person_profile(row) for row in rows}
    for cluster in scan.clusters:
        for one, other in combinations(cluster.members, 2):
            assert not weigh_people(profiles[one.id], profiles[other.id], scan.rarity).is_vetoed


@settings(max_examples=60, deadline=None)
@given(BASE)
def test_a_cluster_has_one_group_to_merge_and_records_to_ask_about(rows: list[PersonRow]) -> None:
    """A sure group has two records and more; a record alone is ignored, one of many never is."""
    for cluster in scan_people(rows, workers=1).clusters:
        bands = [member.band for member in cluster.members]
        assert bands.count(Band.AUTO) != 1
        assert (bands == [Band.IGNORE]) == (len(bands) == 1)
        assert len(bands) == 1 or Band.IGNORE not in bands


@settings(max_examples=60, deadline=None)
@given(BASE, st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(rows: list[PersonRow], shuffler: random.Random) -> None:
    """The same records in another order fall into the same groups and bands."""
    shuffled = list(rows)
    shuffler.shuffle(shuffled)
    assert parts(scan_people(rows, workers=1)) == parts(scan_people(shuffled, workers=1))


@settings(max_examples=60, deadline=None)
@given(st.lists(BEARER, min_size=2, max_size=4))
@example([PersonRow("", "Ким", "Саша"), PersonRow("", "Сидоров", "Александр")])
def test_the_order_of_holders_changes_nothing(holders: list[PersonRow]) -> None:
    """Whoever is met first, a number has as many clearly different holders."""
    profiles = [person_profile(row) for row in holders]
    assert len({people_among(order) for order in permutations(profiles)}) == 1


@settings(max_examples=40, deadline=None)
@given(BASE)
def test_pairs_are_those_of_the_clusters(rows: list[PersonRow]) -> None:
    """Every pair inside a cluster is told, auto where both records are sure."""
    scan = scan_people(rows, workers=1)
    expected = {
        (one.id, other.id, Band.AUTO if one.band is other.band is Band.AUTO else Band.REVIEW)
        for cluster in scan.duplicates
        for one, other in combinations(cluster.members, 2)
    }
    assert {(pair.left, pair.right, pair.band) for pair in scan.pairs()} == expected


@settings(max_examples=40, deadline=None)
@given(BASE)
def test_every_record_is_shown_by_the_best_of_its_pairs(rows: list[PersonRow]) -> None:
    """No pair of a record has more points than those told of it; a sure one is shown by a sure one."""
    scan = scan_people(rows, workers=1)
    best: dict[str, float] = {}
    bands = {member.id: member.band for cluster in scan.duplicates for member in cluster.members}
    for pair in scan.pairs():
        for own in (pair.left, pair.right):
            if bands[own] is pair.band or bands[own] is Band.REVIEW:
                best[own] = max(best.get(own, pair.score), pair.score)
    assert {member.id: member.score for cluster in scan.duplicates for member in cluster.members} == best


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_no_text_is_too_strange(name: str, phones: str, emails: str) -> None:
    """Whatever was typed, a scan ends with an answer."""
    rows = [PersonRow(at, name=name, phones=phones, emails=emails, city=name, company=emails) for at in "ab"]
    assert sum(len(cluster.members) for cluster in scan_people(rows, workers=1).clusters) == 2


@settings(max_examples=200, deadline=None)
@given(FIRM, FIRM)
@example(CompanyRow("", "ИП Попов Борис"), CompanyRow("", "ИП Попов Брис"))
def test_two_firms_are_weighed_alike_both_ways(one: CompanyRow, other: CompanyRow) -> None:
    """Which of two firms stands first in the input says nothing."""
    counts = {"surname": {"popov": 90, "popav": 3}, "given": {"борис": 400}}
    rarity = Rarity(9_000, counts, {"surname": 9_000, "given": 9_000}, {"78332212603": 3, "b@firma.ru": 2})
    a, b = CompanyReader()(one), CompanyReader()(other)
    there, back = weigh_companies(a, b, rarity), weigh_companies(b, a, rarity)
    assert (round(there.score, 9), there.band) == (round(back.score, 9), back.band)


@settings(max_examples=200, deadline=None)
@given(REACHED, REACHED)
@example(PersonRow("", phones="+74951234567; +79215550123"), PersonRow("", phones="+79215550123; +74951234567"))
def test_two_people_are_weighed_alike_both_ways(one: PersonRow, other: PersonRow) -> None:
    """Which of two cards stands first in the input says nothing, nor in what order their numbers were typed."""
    rarity = Rarity(9_000, holders={"79031112233": 3, "petr77@mail.ru": 2, "@petr": 2})
    a, b = person_profile(one), person_profile(other)
    there, back = weigh_people(a, b, rarity), weigh_people(b, a, rarity)
    assert (round(there.score, 9), there.band) == (round(back.score, 9), back.band)
