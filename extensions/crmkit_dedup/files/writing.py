"""Answers of a scan as files: clusters and pairs, safe to open in a spreadsheet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TextIO

from crmkit_dedup.match import Cluster, Match, Reason
from crmkit_dedup.reasons import Language, reasons_text

CLUSTERS = ("record_id", "cluster_id", "band", "score", "reasons")
PAIRS = ("record_id_a", "record_id_b", "band", "score", "reasons")

_DANGER = ("=", "+", "-", "@", "\t", "\r", "\n")
_QUOTED = re.compile('[",\r\n]')
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
    file.write(_line(CLUSTERS))
    file.writelines(_lines(clusters, language))


def write_pairs(file: TextIO, pairs: Iterable[Match], language: Language = "ru") -> None:
    """Write a line for each pair of records in one cluster."""
    file.write(_line(PAIRS))
    file.writelines(
        _line((guarded(left), guarded(right), band, str(score), _text(reasons, language)))
        for left, right, band, score, reasons in pairs
    )


def _lines(clusters: Iterable[Cluster], language: Language) -> Iterator[str]:
    alone: dict[tuple[Reason, ...], str] = {}
    for identity, members in clusters:
        cluster = _cell(guarded(identity))
        # Most records are alone, for one of a few reasons; most of the others have the same as their partner.
        if len(members) == 1:
            _, band, score, reasons = members[0]
            text = alone.get(reasons) or alone.setdefault(reasons, _cell(_text(reasons, language)))
            yield f"{cluster},{cluster},{band},{score},{text}\n"
            continue
        said: tuple[Reason, ...] = ()
        text = ""
        for record, band, score, reasons in members:
            if reasons is not said:
                said, text = reasons, _cell(_text(reasons, language))
            yield f"{_cell(guarded(record))},{cluster},{band},{score},{text}\n"


def _text(reasons: Iterable[Reason], language: Language) -> str:
    return guarded(reasons_text(reasons, language))


def _line(cells: Iterable[str]) -> str:
    return ",".join(map(_cell, cells)) + "\n"


def _cell(text: str) -> str:
    """The text as a cell of CSV; `csv` itself would look at the same cluster and reasons again in each line."""
    if _QUOTED.search(text):
        return '"' + text.replace('"', '""') + '"'
    return text
