"""How good found clusters are against the truth: pairwise F1, the auto band, traps sprung, what the misses were."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from benchmarks.dedup_data.dataset import Trap

AUTO, REVIEW = "auto", "review"


class Found(NamedTuple):
    """What a matcher says of one record."""

    cluster: str
    band: str


class Score(NamedTuple):
    """Shares of pairs; `precision` and `recall` are of auto and review together."""

    precision: float
    recall: float
    f1: float
    auto_precision: float
    auto_recall: float
    pairs_true: int
    pairs_found: int
    auto_pairs: int
    traps: Mapping[str, tuple[int, int]]
    """Kind -> traps in which records of different entities share an auto group, and traps laid."""
    misses: Sequence[tuple[str, int, int]]
    """Noise, true pairs missed where either record has it, and all true pairs where either has it."""


class _Member(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def band(self) -> str: ...


class _Cluster(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def members(self) -> Sequence[_Member]: ...


def found_in(clusters: Iterable[_Cluster]) -> dict[str, Found]:
    """Give the answer of a scan by record; a record alone is in none."""
    found: dict[str, Found] = {}
    for cluster in clusters:
        for member in cluster.members:
            found[member.id] = Found(cluster.id, str(member.band))
    return found


def found_in_file(clusters_csv: Path) -> dict[str, Found]:
    """Give the answer written in `record_id,cluster_id,band,...`."""
    with clusters_csv.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.DictReader(file)
        return {_plain(line["record_id"]): Found(line["cluster_id"], line["band"]) for line in lines}


def pairs_in_file(pairs_csv: Path, entities: Mapping[str, int]) -> tuple[int, int, int, int]:
    """Give from `record_id_a,record_id_b,band,...`: pairs, right ones, auto pairs, right auto ones."""
    counts = [0, 0, 0, 0]
    with pairs_csv.open(encoding="utf-8-sig", newline="") as file:
        for line in csv.DictReader(file):
            one, other = _plain(line["record_id_a"]), _plain(line["record_id_b"])
            is_right = entities[one] == entities[other]
            counts[0] += 1
            counts[1] += is_right
            if line["band"] == AUTO:
                counts[2] += 1
                counts[3] += is_right
    return counts[0], counts[1], counts[2], counts[3]


def _plain(cell: str) -> str:
    """Give the id without the apostrophe that guards a cell from being a formula."""
    return cell.removeprefix("'")


def evaluate(
    found: Mapping[str, Found],
    entities: Mapping[str, int],
    *,
    traps: Sequence[Trap] = (),
    noise: Mapping[str, tuple[str, ...]] | None = None,
) -> Score:
    """Give the score of an answer; records that it does not speak of stand alone."""
    pairs_true = _pairs(Counter(entities.values()).values())
    together = {record: said.cluster for record, said in found.items() if said.band != "ignore"}
    auto = {record: said.cluster for record, said in found.items() if said.band == AUTO}
    pairs_found, right = _agreement(together, entities)
    auto_pairs, auto_right = _agreement(auto, entities)
    precision, recall = right / max(1, pairs_found), right / max(1, pairs_true)
    return Score(
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / max(1e-9, precision + recall),
        auto_precision=auto_right / max(1, auto_pairs),
        auto_recall=auto_right / max(1, pairs_true),
        pairs_true=pairs_true,
        pairs_found=pairs_found,
        auto_pairs=auto_pairs,
        traps=_sprung(auto, entities, traps),
        misses=_misses(together, entities, noise) if noise else (),
    )


def _pairs(sizes: Iterable[int]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes)


def _agreement(groups: Mapping[str, str], entities: Mapping[str, int]) -> tuple[int, int]:
    """Give pairs held together, and how many of them are right."""
    held = Counter(groups.values())
    right = Counter((cluster, entities[record]) for record, cluster in groups.items())
    return _pairs(held.values()), _pairs(right.values())


def _sprung(auto: Mapping[str, str], entities: Mapping[str, int], traps: Sequence[Trap]) -> dict[str, tuple[int, int]]:
    groups_of: defaultdict[int, set[str]] = defaultdict(set)
    held: defaultdict[str, set[int]] = defaultdict(set)
    for record, cluster in auto.items():
        groups_of[entities[record]].add(cluster)
        held[cluster].add(entities[record])
    present = set(entities.values())
    counts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for trap in traps:
        members = [entity for entity in trap.entities if entity in present]
        if not members or (len(trap.entities) > 1 and len(members) < 2):
            continue
        counts[trap.kind][1] += 1
        if len(members) == 1:
            sprung = any(len(held[cluster]) > 1 for cluster in groups_of[members[0]])
        else:
            clusters = [cluster for entity in members for cluster in groups_of[entity]]
            sprung = len(clusters) != len(set(clusters))
        counts[trap.kind][0] += sprung
    return {kind: (counted[0], counted[1]) for kind, counted in sorted(counts.items())}


def _misses(
    together: Mapping[str, str], entities: Mapping[str, int], noise: Mapping[str, tuple[str, ...]]
) -> list[tuple[str, int, int]]:
    records_of: defaultdict[int, list[str]] = defaultdict(list)
    for record, entity in entities.items():
        records_of[entity].append(record)
    missed: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for records in records_of.values():
        for at, one in enumerate(records):
            for other in records[at + 1 :]:
                kinds = {*noise[one], *noise[other]} or {"(clean)"}
                total.update(kinds)
                if together.get(one, one) != together.get(other, other):
                    missed.update(kinds)
    return sorted(((kind, missed[kind], total[kind]) for kind in total), key=lambda row: -row[1])


def report(score: Score, *, title: str = "") -> str:
    """Give the score as lines for a person."""
    auto = f"auto: precision {score.auto_precision:.4f}  recall {score.auto_recall:.4f}"
    lines = [
        f"{title}F1 {score.f1:.4f}  precision {score.precision:.4f}  recall {score.recall:.4f}   {auto}",
        f"  pairs: {score.pairs_true:,} true, {score.pairs_found:,} found, {score.auto_pairs:,} auto",
    ]
    if score.traps:
        sprung = (f"{kind} {hit}/{laid} ({hit / laid:.1%})" for kind, (hit, laid) in score.traps.items())
        lines.append("  traps auto-merged: " + ", ".join(sprung))
    if score.misses:
        worst = (f"{kind} {missed}/{total} ({missed / total:.0%})" for kind, missed, total in score.misses[:16])
        lines.append("  missed pairs by noise: " + ", ".join(worst))
    return "\n".join(lines)
