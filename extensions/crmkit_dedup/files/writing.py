"""Answers of a scan as files: clusters and pairs, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from typing import TextIO

from crmkit_dedup.match import Band, Cluster, Match, Reason
from crmkit_dedup.reasons import Language, reasons_text

CLUSTERS = ("record_id", "cluster_id", "band", "score", "reasons")
PAIRS = ("record_id_a", "record_id_b", "band", "score", "reasons")

_DANGER = ("=", "+", "-", "@", "\t", "\r", "\n")
_SIGNED_NUMBER = re.compile(r"[+-]\d+(?:[.,]\d+)?$")


def guarded(cell: str) -> str:
    """Give the cell as text that no spreadsheet takes for a formula: an apostrophe in front where it begins like one.

    A signed number stays: it calculates to itself.
    """
    if cell.startswith(_DANGER) and not _SIGNED_NUMBER.match(cell):
        return f"'{cell}"
    return cell


def write_clusters(file: TextIO, clusters: Iterable[Cluster], language: Language = "ru") -> None:
    """Write a line for each record: its cluster, the band, the score, the reasons of the link that holds it there."""
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow(CLUSTERS)
    lines.writerows(_lines(clusters, language))


def _lines(clusters: Iterable[Cluster], language: Language) -> Iterator[tuple[str, str, Band, float, str]]:
    alone: dict[tuple[Reason, ...], str] = {}
    for cluster, members in clusters:
        name = guarded(cluster)
        # Most records are alone, for one of a few reasons; most of the others have the same as their partner.
        if len(members) == 1:
            _, band, score, reasons = members[0]
            yield name, name, band, score, alone.get(reasons) or alone.setdefault(reasons, _text(reasons, language))
            continue
        said: tuple[Reason, ...] = ()
        text = ""
        for record, band, score, reasons in members:
            if reasons is not said:
                said, text = reasons, _text(reasons, language)
            yield guarded(record), name, band, score, text


def _text(reasons: Iterable[Reason], language: Language) -> str:
    return guarded(reasons_text(reasons, language))


def write_pairs(file: TextIO, pairs: Iterable[Match], language: Language = "ru") -> None:
    """Write a line for each pair of records in one cluster."""
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow(PAIRS)
    lines.writerows(
        (
            guarded(pair.left),
            guarded(pair.right),
            pair.band.value,
            pair.score,
            guarded(reasons_text(pair.reasons, language)),
        )
        for pair in pairs
    )
