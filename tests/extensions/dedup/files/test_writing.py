"""Answers as files: a line a record, safe to open, read back as they were."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from crmkit.errors import ConfigError
from crmkit_dedup.files.clusterfile import read_clusters
from crmkit_dedup.files.writing import guarded, write_clusters, write_pairs
from crmkit_dedup.match import Band, Cluster, Match, Member, Reason

PHONE = Reason("phone", 19.1, "+79161234567")
ALONE = Reason("alone", 0.0)
CLUSTERS = (
    Cluster("=1+1", (Member("=1+1", Band.AUTO, 21.5, (PHONE,)), Member("-b", Band.AUTO, 21.5, (PHONE,)),
                     Member("c", Band.REVIEW, 3.0, (PHONE, Reason("city_differs", -0.7))))),
    Cluster("d", (Member("d", Band.IGNORE, 0.0, (ALONE,)),)),
    Cluster("-5", (Member("-5", Band.IGNORE, 0.0, (Reason("junk", 0.0),)),)),
)  # fmt: skip


def test_clusters_are_a_line_a_record() -> None:
    """Ids that begin like a formula get an apostrophe, a negative number does not."""
    file = io.StringIO()

    write_clusters(file, CLUSTERS, "en")

    assert file.getvalue().splitlines() == [
        "record_id,cluster_id,band,score,reasons",
        "'=1+1,'=1+1,auto,21.5,same mobile phone: +79161234567 (+19.1)",
        "'-b,'=1+1,auto,21.5,same mobile phone: +79161234567 (+19.1)",
        "c,'=1+1,review,3.0,same mobile phone: +79161234567 (+19.1); different cities (-0.7)",
        "d,d,ignore,0.0,nothing like it",
        "-5,-5,ignore,0.0,junk",
    ]


@pytest.mark.parametrize("strange", ['a"b', "a,b", "a\nb", "a\r\nb", "a\rb", '"', ",", " a ", "а;б"])
def test_any_id_is_read_back(strange: str) -> None:
    """Quotes, commas and line breaks inside an id are those of the id, in clusters and in pairs."""
    file, pairs = io.StringIO(), io.StringIO()
    shared = (Reason("mailbox", 2.0, strange),)

    write_clusters(
        file, [Cluster(strange, (Member(strange, Band.AUTO, 2.0, shared), Member("z", Band.AUTO, 2.0, shared)))]
    )
    write_pairs(pairs, [Match(strange, "z", Band.AUTO, 2.0, shared)])

    told = ["auto", "2.0", f"один почтовый ящик: {strange} (+2.0)"]
    _, *lines = csv.reader(io.StringIO(file.getvalue(), newline=""))
    assert lines == [[strange, strange, *told], ["z", strange, *told]]
    assert list(csv.reader(io.StringIO(pairs.getvalue(), newline="")))[1:] == [[strange, "z", *told]]


def test_pairs_are_a_line_a_pair() -> None:
    """In the reader's language."""
    file = io.StringIO()

    write_pairs(file, [Match("a", "@b", Band.REVIEW, 3.0, (PHONE,))], "ru")

    assert file.getvalue().splitlines() == [
        "record_id_a,record_id_b,band,score,reasons",
        "a,'@b,review,3.0,один мобильный телефон: +79161234567 (+19.1)",
    ]


def test_what_a_spreadsheet_would_run_is_guarded() -> None:
    """Every sign that begins a formula, and no text besides."""
    dangerous = ["=1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1"]
    harmless = ["", "1", "-5", "+79161234567", "-0.5", "а=б", "'x", "a@b.ru"]

    assert [guarded(cell) for cell in dangerous] == [f"'{cell}" for cell in dangerous]
    assert [guarded(cell) for cell in harmless] == harmless


def test_clusters_read_back_hold_only_the_sure(tmp_path: Path) -> None:
    """Deals are compared by clients that nobody need look at; ids come without their guard."""
    path = tmp_path / "clusters.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        write_clusters(file, CLUSTERS)

    assert read_clusters(path) == {"=1+1": "=1+1", "-b": "=1+1"}


def test_clusters_of_another_program_need_no_bands(tmp_path: Path) -> None:
    """Two columns are enough."""
    path = tmp_path / "clusters.csv"
    path.write_text("cluster_id,record_id\nx,1\nx,2\n", encoding="utf-8-sig")

    assert read_clusters(path) == {"1": "x", "2": "x"}


@pytest.mark.parametrize("content", [b"", b"id,name\n1,Peter\n", b"\xff\xfe\x00"])
def test_what_holds_no_clusters_is_refused(content: bytes, tmp_path: Path) -> None:
    """The file is named."""
    path = tmp_path / "clusters.csv"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=r"clusters\.csv"):
        read_clusters(path)
