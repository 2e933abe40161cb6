"""Answers of a scan as files: clusters and pairs, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from typing import TextIO

from crmkit_dedup.match import Cluster, Match
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
    alone: dict[str, str] = {}
    for cluster in clusters:
        name = guarded(cluster.id)
        if len(cluster.members) == 1:
            # Most records are alone, and for one of a few reasons.
            member = cluster.members[0]
            code = member.reasons[0].code + member.reasons[0].detail if member.reasons else ""
            if code not in alone:
                alone[code] = guarded(reasons_text(member.reasons, language))
            lines.writerow((name, name, member.band.value, member.score, alone[code]))
            continue
        lines.writerows(
            (guarded(member.id), name, member.band.value, member.score, guarded(reasons_text(member.reasons, language)))
            for member in cluster.members
        )


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
