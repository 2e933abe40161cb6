"""The neighbours of a record: found by their keys among millions, compared, and joined into the group it belongs to."""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from heapq import nlargest
from typing import Any, cast

from crmkit.storage import Index, Mirror
from crmkit.values import Ref
from crmkit_dedup.exclusions import Exclusions, print_of
from crmkit_dedup.keys import WIDEST
from crmkit_dedup.match import Band, Cluster
from crmkit_dedup.rarity import Rarity
from crmkit_dedup.scan import join_few
from crmkit_dedup.sights import AnySight

MOST = 24
"""Candidates that one check compares, those with the most and the rarest keys in common: it must end in time."""

NEAREST = 8
"""Of the candidates that fit, those which are compared with each other."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a look around has brought.

    Args:
        compared: how many candidates were compared.
        cluster: the record with those that are it; None when there are none.
        is_apart: somebody has called all that is like it different.
    """

    compared: int
    cluster: Cluster | None
    is_apart: bool = False


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a look goes, and what is known before it."""

    index: Index
    mirror: Mirror
    exclusions: Exclusions
    rarity: Rarity


def look_around(sight: AnySight, ref: Ref, own: Any, desk: Desk) -> Look:
    """Find who else the record with that profile is. Asks the index once and the mirror once; the CRM is not asked."""
    keys = sight.keys(own)
    found = {key: refs for key, refs in desk.index.find(keys, limit=WIDEST + 1).items() if len(refs) <= WIDEST}
    best = _best(ref, found)
    copies = desk.mirror.get_many(sight.record, best)
    others = {ref: sight.profile(copy_) for ref, copy_ in copies.items()}
    rarity = _with_holders(sight, desk.rarity, found, others, own)
    near = [
        (weighed.score, other)
        for other, profile in others.items()
        if (weighed := sight.rules.weigh(own, profile, rarity)).band is not Band.IGNORE
    ]
    if not near:
        return Look(len(others), None)
    apart = {pair.other: pair for pair in desk.exclusions.of(ref)}
    kept = [
        others[other]
        for _, other in nlargest(NEAREST, near)
        if other not in apart or not apart[other].holds(print_of(keys), print_of(sight.keys(others[other])))
    ]
    groups = join_few([own, *kept], sight.rules, rarity).duplicates if kept else ()
    cluster = next((one for one in groups if own.id in {member.id for member in one.members}), None)
    return Look(len(others), cluster, is_apart=not kept)


def _best(own: Ref, found: Mapping[str, Sequence[Ref]]) -> list[Ref]:
    weight: Counter[Ref] = Counter()
    for refs in found.values():
        for ref in refs:
            weight[ref] += 1_000 // len(refs)
    weight.pop(own, None)
    if len(weight) <= MOST:
        return list(weight)
    return [ref for _, ref in nlargest(MOST, ((points, ref) for ref, points in weight.items()))]


def _with_holders(
    sight: AnySight, rarity: Rarity, found: Mapping[str, Sequence[Ref]], others: Mapping[Ref, Any], own: Any
) -> Rarity:
    """What the base has taught, and who holds the record's own numbers now: since the scan there may be more."""
    positions = {ref: place for place, ref in enumerate(others, 1)}
    groups = {
        key.partition(":")[2]: [0, *(positions[ref] for ref in refs if ref in positions)]
        for key, refs in found.items()
        if key.startswith(sight.reach)
    }
    held = sight.holders(groups, [own, *others.values()])
    fresh = {key: max(count, rarity.holders.get(key, 1)) for key, count in held.items()}
    if not fresh:
        return rarity
    # A copy shares what was learned: a million words are not written out again for one number.
    learned = copy(rarity)
    learned.holders = ChainMap(fresh, cast("dict[str, int]", rarity.holders))
    return learned
