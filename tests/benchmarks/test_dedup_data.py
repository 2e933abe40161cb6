"""Bases with truth: what is drawn is what was meant, and the score is the one that a hand would count."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from benchmarks.dedup_data.companies import companies
from benchmarks.dedup_data.dataset import Trap
from benchmarks.dedup_data.deals import deals
from benchmarks.dedup_data.evaluate import Found, evaluate, found_in, found_in_file, pairs_in_file, report
from benchmarks.dedup_data.files import STYLES, write_people, write_plain, write_truth
from benchmarks.dedup_data.hardness import EASY, HARD, LEVELS, MEDIUM, Hardness
from benchmarks.dedup_data.names import feminine
from benchmarks.dedup_data.people import people

from crmkit.identity import parse_phones
from crmkit_dedup.files.reading import read_companies, read_deals, read_people
from crmkit_dedup.files.writing import write_clusters, write_pairs
from crmkit_dedup.scan import scan_people


@pytest.mark.parametrize("level", LEVELS.values(), ids=str)
def test_equal_arguments_draw_equal_bases(level: Hardness) -> None:
    """And other seeds other ones; a base has the size asked, and ids that are all different."""
    one, same, other = (people(500, seed=seed, level=level) for seed in (1, 1, 2))

    assert one == same
    assert one.rows != other.rows
    assert len({row.id for row in one.rows}) == 500
    assert len(one.entities) == len(one.noise) == 500


def test_a_harder_base_has_more_noise() -> None:
    """Each level spoils more than the one before."""
    noise = [sum(map(len, people(2_000, seed=5, level=level).noise)) for level in (EASY, MEDIUM, HARD)]

    assert noise == sorted(noise)
    assert noise[2] > 2 * noise[0]


def test_duplicates_and_traps_are_there() -> None:
    """Every trap of the catalogue is laid, and people have two to eight records and a few more."""
    data = people(30_000, seed=1, level=HARD)
    copies = Counter(Counter(data.entities).values())

    assert sorted({trap.kind for trap in data.traps}) == [
        "father_son", "junk", "manager_phone", "namesakes", "reissued", "role_box", "same_local", "siblings", "spouses",
        "stub", "switchboard", "switchboard_ext",
    ]  # fmt: skip
    assert set(range(1, 9)) <= set(copies)
    assert max(copies) <= 9


def test_phones_of_a_trap_are_one_number() -> None:
    """Spouses on one mobile share it in fact."""
    data = people(5_000, seed=1, level=EASY)
    phones: dict[int, set[str]] = {}
    for row, entity in zip(data.rows, data.entities, strict=True):
        phones.setdefault(entity, set()).update(phone.e164 for phone in parse_phones(row.phones))
    shared = [
        bool(phones.get(trap.entities[0], set()) & phones.get(trap.entities[1], set()))
        for trap in data.traps
        if trap.kind == "reissued"
    ]

    assert sum(shared) > 0.7 * len(shared)


@pytest.mark.parametrize(
    ("masculine", "expected"),
    [("Иванов", "Иванова"), ("Ильин", "Ильина"), ("Троицкий", "Троицкая"), ("Донской", "Донская"), ("Ким", "Ким"),
     ("Черных", "Черных"), ("Цой", "Цой"), ("Бондаренко", "Бондаренко"), ("Киселёв", "Киселёва")],
)  # fmt: skip
def test_women_are_called_as_they_are(masculine: str, expected: str) -> None:
    """Surnames that change, and those that do not."""
    assert feminine(masculine) == expected


ENTITIES = {"a1": 1, "a2": 1, "a3": 1, "b1": 2, "b2": 2, "c1": 3}
FOUND = {
    "a1": Found("a1", "auto"), "a2": Found("a1", "auto"), "a3": Found("a1", "review"), "b1": Found("b1", "auto"),
    "c1": Found("b1", "auto"), "b2": Found("b2", "ignore"),
}  # fmt: skip


def test_the_score_is_counted_by_pairs() -> None:
    """Four pairs are true, four are found of which three are right; two are auto, and one of them is."""
    noise = {record: ("slip",) if record == "b2" else () for record in ENTITIES}
    traps = [Trap("spouses", (2, 3)), Trap("spouses", (1, 2)), Trap("junk", (3,)), Trap("spouses", (2, 99))]

    score = evaluate(FOUND, ENTITIES, traps=traps, noise=noise)

    assert (score.pairs_true, score.pairs_found, score.auto_pairs) == (4, 4, 2)
    assert (score.precision, score.recall, score.f1) == (0.75, 0.75, 0.75)
    assert (score.auto_precision, score.auto_recall) == (0.5, 0.25)
    assert score.traps == {"junk": (1, 1), "spouses": (1, 2)}
    assert list(score.misses) == [("slip", 1, 1), ("(clean)", 0, 3)]
    assert "spouses 1/2 (50.0%)" in report(score)


def test_one_answer_scores_the_same_from_memory_and_from_files(tmp_path: Path) -> None:
    """Clusters, pairs and a scan tell one story; and the matcher is good on a small base that it has never seen."""
    data = people(3_000, seed=77, level=MEDIUM)
    scan = scan_people(data.rows)
    with (tmp_path / "clusters.csv").open("w", encoding="utf-8", newline="") as file:
        write_clusters(file, scan.clusters)
    with (tmp_path / "pairs.csv").open("w", encoding="utf-8", newline="") as file:
        write_pairs(file, scan.pairs())

    from_scan = evaluate(found_in(scan.clusters), data.truth())
    from_file = evaluate(found_in_file(tmp_path / "clusters.csv"), data.truth())
    pairs, right, auto, auto_right = pairs_in_file(tmp_path / "pairs.csv", data.truth())

    assert from_file == from_scan
    assert (pairs, auto) == (from_scan.pairs_found, from_scan.auto_pairs)
    assert right / pairs == pytest.approx(from_scan.precision)
    assert auto_right / auto == pytest.approx(from_scan.auto_precision)
    assert from_scan.f1 >= 0.92
    assert from_scan.auto_precision >= 0.99


@pytest.mark.parametrize("style", STYLES.values(), ids=lambda style: style.name)
def test_every_style_of_export_is_read_again(style: object, tmp_path: Path) -> None:
    """No phone, address or day is lost between the base, the file and the reader, whatever the headings are."""
    data = people(400, seed=9, level=EASY)
    path = tmp_path / "people.csv"
    write_people(data.rows, path, style)  # type: ignore[arg-type]

    read = {row.id: row for row in read_people(path).rows()}

    assert list(read) == [row.id for row in data.rows]
    for row in data.rows:
        again = read[row.id]
        assert again.emails == row.emails.lstrip()
        assert again.birthday == row.birthday
        assert [phone.e164 for phone in parse_phones(again.phones)] == [
            phone.e164 for phone in parse_phones(row.phones)
        ]


def test_companies_and_deals_are_read_again(tmp_path: Path) -> None:
    """A column a field; the truth stands beside them."""
    firms, wishes = companies(300, seed=1, level=MEDIUM), deals(300, seed=1, level=MEDIUM)
    write_plain(firms.rows, tmp_path / "firms.csv")
    write_plain(wishes.rows, tmp_path / "deals.csv")
    write_truth(wishes, tmp_path)

    assert list(read_companies(tmp_path / "firms.csv").rows()) == list(firms.rows)
    assert list(read_deals(tmp_path / "deals.csv").rows()) == list(wishes.rows)
    assert (tmp_path / "truth.csv").read_text(encoding="utf-8").count("\n") == 301
