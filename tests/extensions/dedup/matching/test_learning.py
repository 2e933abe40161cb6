"""What a base teaches: rarity of words, who shares a number, and how it is kept."""

from __future__ import annotations

import json

import pytest

from crmkit.errors import BadPayload
from crmkit_dedup.crew import WORTH
from crmkit_dedup.keys import index_keys
from crmkit_dedup.match import Band
from crmkit_dedup.profile import person_profile
from crmkit_dedup.rarity import Rarity
from crmkit_dedup.rows import PersonRow
from crmkit_dedup.scan import scan_people
from crmkit_dedup.scoring import weights
from crmkit_dedup.scoring.people import weigh_people


def base(size: int) -> list[PersonRow]:
    """People of whom every tenth bears the same name, each with a number of his own."""
    return [
        PersonRow(
            str(at), "Сидоров" if at % 10 == 0 else f"Фамилин{'абвгдежзик'[at % 7]}о", "Пётр", phones=f"+7921{at:07d}"
        )
        for at in range(size)
    ]


def test_a_common_name_says_less_than_a_rare_one() -> None:
    """Bits are those of the share in the base."""
    rarity = Rarity(40_000, {"surname": {"иванов": 400, "тлехугов": 4}}, {"surname": 40_000})
    bits = rarity.fields["surname"]
    assert (round(bits.bits("иванов"), 2), round(bits.bits("тлехугов"), 2)) == (6.64, 13.29)


def test_two_weigh_the_same_whichever_is_first() -> None:
    """A slip in a patronymic proves as little as the patronymic that was meant, though the slip itself is rare."""
    crowd = [PersonRow(str(at), "Сидоров", "Пётр", "Александрович", phones=f"+7921{at:07d}") for at in range(300)]
    rarity = scan_people(crowd, workers=1).rarity
    meant = person_profile(PersonRow("a", "Тлехугов", "Прохор", "Александрович"))
    slipped = person_profile(PersonRow("b", "Тлехугов", "Прохор", "Алексадрович"))
    one, other = weigh_people(meant, slipped, rarity), weigh_people(slipped, meant, rarity)
    bits = rarity.fields["patronymic"].bits(meant.patronymic) + weights.PATRONYMIC_SLIP
    assert one == other
    assert dict(one.points)["patronymic_slip"] == bits


def test_a_small_base_knows_the_commonest_names() -> None:
    """What two records cannot teach is known of people at large."""
    given = Rarity(2).fields["given"]
    assert given.bits("александр") < 5 < 9 < given.bits("прохор")


def test_rarity_comes_back_from_json() -> None:
    """What was written down weighs as before, but for words met once or twice."""
    scan = scan_people(base(300), workers=1)
    read = Rarity.from_json(json.loads(json.dumps(scan.rarity.to_json())))
    one, other = (person_profile(row) for row in base(300)[10:30:10])
    assert weigh_people(one, other, read) == weigh_people(one, other, scan.rarity)


@pytest.mark.parametrize("data", [{}, {"size": "many"}, {"size": 1, "counts": [], "filled": {}, "holders": {}}])
def test_what_is_no_rarity_is_refused(data: dict[str, object]) -> None:
    """A document that something else wrote is a BadPayload."""
    with pytest.raises(BadPayload):
        Rarity.from_json(data)


def test_shared_numbers_are_counted_with_their_people() -> None:
    """Different people are counted, not records."""
    names = ("Олег", "Антонов Иван", "Иван Антонов", "Борисов Олег", "Власова Анна", "Власова А.", "")
    rows = [PersonRow(str(at), name=name, phones="+7 495 777-00-11") for at, name in enumerate(names)]
    scan = scan_people(rows)
    assert scan.rarity.holders == {"74957770011": 3}
    assert scan.counts.shared_phones == (("74957770011", 3),)


def test_keys_of_one_person_meet() -> None:
    """Two records of one person share a key; junk has none."""
    one = index_keys(person_profile(PersonRow("1", "Сидорова", "Оля", phones="8 921 555 01 23")))
    other = index_keys(person_profile(PersonRow("2", name="Olga Sidorova", emails="olga77@mail.ru")))
    assert set(one) & set(other) == {"n:sidorov ольга", "s:sidorov"}
    assert index_keys(person_profile(PersonRow("3", name="тест", phones="8 921 555 01 23"))) == ()


def test_two_processes_answer_as_one() -> None:
    """Where rows are read makes no difference."""
    rows = base(WORTH + 3_001)
    rows[5::5_000] = [row._replace(phones=rows[0].phones) for row in rows[5::5_000]]
    alone, together = scan_people(rows, workers=1), scan_people(rows, workers=2)
    assert list(alone.duplicates) == list(together.duplicates)
    assert alone.counts == together.counts


def test_progress_is_told_to_the_end() -> None:
    """Each step ends with all of its work done."""
    told: dict[str, tuple[int, int | None]] = {}
    scan_people(base(50), workers=1, progress=lambda step, done, total: told.update({step: (done, total)}))
    assert told["read"] == (50, 50)
    assert all(total is not None and done <= total for done, total in told.values())


def test_counts_are_those_of_the_clusters() -> None:
    """A report's figures follow from the answer."""
    rows = [
        PersonRow("1", "Сидоров", "Пётр", phones="+79215550123"),
        PersonRow("2", "Сидоров", "Петя", phones="89215550123"),
        PersonRow("3", name="тест"),
    ]
    scan = scan_people(rows)
    counts = scan.counts
    members = [member for cluster in scan.clusters for member in cluster.members]
    assert [member.band for member in members] == [Band.AUTO, Band.AUTO, Band.IGNORE]
    assert (counts.records, counts.junk, counts.clusters, counts.in_clusters) == (3, 1, 1, 2)
    assert (counts.auto_records, counts.review_records, counts.auto_pairs, counts.review_pairs) == (2, 0, 1, 0)
    assert dict(counts.reasons) == {"phone": 1, "surname": 1, "given": 1}


def test_a_mailbox_of_the_own_name_says_little_of_namesakes() -> None:
    """Where hundreds have the name that a mailbox is made of, it is asked about; a mailbox of anything else is not."""
    crowd = [PersonRow(f"n{at}", last="Волкова", first="Елена", phones=f"+7916{at:07d}") for at in range(400)]
    others = [PersonRow(f"o{at}", name=f"{SYLLABLES[at % 40]}{SYLLABLES[at // 40]}ов Иван") for at in range(1_600)]

    def bands(mailbox: str) -> set[Band]:
        one = PersonRow("a", last="Волкова", first="Елена", phones="+79265550101", emails=mailbox)
        other = PersonRow("b", last="Волкова", first="Елена", phones="+79265550202", emails=mailbox)
        clusters = scan_people([*crowd, *others, one, other], workers=1).clusters
        return {member.band for cluster in clusters for member in cluster.members if member.id in "ab"}

    assert (bands("e.volkova@mail.ru"), bands("snezhinka.omsk@mail.ru")) == ({Band.REVIEW}, {Band.AUTO})


SYLLABLES = [first + last for first in "бвгдзклмнр" for last in ("ар", "ел", "ож", "ун")]
