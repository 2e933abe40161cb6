"""Answers of a scan as files: clusters and pairs, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from typing import TextIO

from crmkit_dedup.match import Cluster, Match, Reason
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
    alone: dict[tuple[Reason, ...], str] = {}
    for cluster in clusters:
        name = guarded(cluster.id)
        said: tuple[Reason, ...] = ()
        text = ""
        for member in cluster.members:
            # Most records are alone, for one of a few reasons; most of the others have the same as their partner.
            if len(cluster.members) == 1:
                text = alone.get(member.reasons) or alone.setdefault(member.reasons, _text(member.reasons, language))
            elif member.reasons != said:
                said, text = member.reasons, _text(member.reasons, language)
            lines.writerow((guarded(member.id), name, member.band.value, member.score, text))


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
