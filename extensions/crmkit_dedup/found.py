"""What a scan has found: clusters, pairs and figures, worked out again from the profiles as they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, combinations
from operator import itemgetter
from typing import Generic, NamedTuple, Protocol, TypeVar

from crmkit_dedup.clusters import Group, Joining, nearest
from crmkit_dedup.copies import Copies
from crmkit_dedup.match import Band, Cluster, Counts, Match, Member, Reason
from crmkit_dedup.rarity import Rarity
from crmkit_dedup.scoring.weighed import Weighed


class Profile(Protocol):
    """What every kind of profile has."""

    @property
    def id(self) -> str:
        """The record's own id."""
        ...

    @property
    def junk(self) -> str:
        """Code of the reason why the record is nobody; empty for a good one."""
        ...


P = TypeVar("P", bound=Profile)
_BY_POINTS = itemgetter(1)

SHARED_FROM = 3
"""Numbers of so many different people are told of."""

WHOLE = 500
"""Records of a cluster all of whose pairs are told."""

WIDEST_TOLD = 20
"""How many of them, the widest."""


class Rules(NamedTuple, Generic[P]):
    """How one kind of records is compared: the weighing, the fact that a code is about, and how groups grow."""

    weigh: Callable[[P, P, Rarity], Weighed]
    detail: Callable[[str, P, P, Rarity], str]
    joining: Joining


class Scan(Generic[P]):
    """A scanned base. `rarity` is what it has taught, for the live check.

    `compared` are the pairs that were compared, `helped` the links that each reason for sameness has helped.
    """

    def __init__(
        self,
        profiles: Sequence[P],
        groups: Sequence[Group],
        rules: Rules[P],
        rarity: Rarity,
        *,
        compared: int,
        helped: Mapping[str, int] | None = None,
    ) -> None:
        self._profiles = profiles
        self._groups = groups
        self._rules = rules
        self._compared = compared
        self._helped = helped or {}
        self._origin: Mapping[int, int] = {}
        self.rarity = rarity

    def with_copies(self, profiles: Sequence[P], copies: Copies[P]) -> Scan[P]:
        """The scan of the whole base `profiles`, when this one is of what `copies` has kept of it."""
        weigh, rarity = self._rules.weigh, self.rarity
        groups = copies.unfolded(self._groups, lambda at: weigh(profiles[at], profiles[at], rarity).band)
        whole = Scan(profiles, groups, self._rules, rarity, compared=self._compared, helped=self._helped)
        whole._origin = copies.origin
        return whole

    def __len__(self) -> int:
        """How many records were scanned."""
        return len(self._profiles)

    @property
    def clusters(self) -> Iterator[Cluster]:
        """Every record once: clusters in order of their first record, records alone in clusters of their own."""
        at = {group.members[0]: group for group in self._groups}
        inside = {position for group in self._groups for position in group.members}
        # Most are alone, for one of a few reasons.
        alone = cache(lambda junk: (Reason(junk or "alone", 0.0),))
        for position, profile in enumerate(self._profiles):
            group = at.get(position)
            if group is not None:
                yield self._cluster(group)
            elif position not in inside:
                yield Cluster(profile.id, (Member(profile.id, Band.IGNORE, 0.0, alone(profile.junk)),))

    @property
    def duplicates(self) -> Iterator[Cluster]:
        """The clusters of two and more, in order of their first record."""
        return map(self._cluster, self._groups)

    def pairs(self) -> Iterator[Match]:
        """Every pair inside the clusters with its band: auto where both records are in the group that is sure.

        In a cluster of more than `WHOLE` a copy is paired with its origin alone: their pairs would be millions.
        """
        for group in self._groups:
            told: dict[tuple[int, int], tuple[float, tuple[Reason, ...]]] = {}
            is_whole = len(group.members) <= WHOLE
            for one, other in combinations(group.members, 2) if is_whole else self._told_pairs(group):
                a, b = self._profiles[one], self._profiles[other]
                band = Band.AUTO if one in group.sure and other in group.sure else Band.REVIEW
                # Copies are told what their origins are.
                pair = (self._origin.get(one, one), self._origin.get(other, other))
                if pair not in told:
                    told[pair] = self._link(one, other)
                yield Match(a.id, b.id, band, *told[pair])

    @property
    def counts(self) -> Counts:
        """The scan in figures."""
        review = sure = 0
        for group in self._groups:
            every, own = len(group.members), len(group.sure)
            sure += own * (own - 1) // 2
            review += every * (every - 1) // 2 - own * (own - 1) // 2
        inside = sum(len(group.members) for group in self._groups)
        auto = sum(len(group.sure) for group in self._groups)
        phones = ((key, people) for key, people in self.rarity.holders.items() if key[0].isdecimal() and "@" not in key)
        shared = sorted((-people, phone) for phone, people in phones if people >= SHARED_FROM)
        return Counts(
            records=len(self._profiles),
            junk=sum(1 for profile in self._profiles if profile.junk),
            clusters=len(self._groups),
            in_clusters=inside,
            auto_records=auto,
            review_records=inside - auto,
            auto_pairs=sure,
            review_pairs=review,
            compared=self._compared,
            shared_phones=tuple((phone, -people) for people, phone in shared[:WIDEST_TOLD]),
            reasons=tuple(sorted(self._helped.items(), key=lambda item: (-item[1], item[0]))),
        )

    def _cluster(self, group: Group) -> Cluster:
        members: list[Member] = []
        told: dict[tuple[int, int], tuple[float, tuple[Reason, ...]]] = {}
        for own, partner in zip(group.members, self._nearest(group), strict=True):
            # What holds one record of a pair mostly holds the other.
            pair = (own, partner) if own < partner else (partner, own)
            link = told.get(pair)
            if link is None:
                link = told[pair] = self._link(*pair)
            members.append(Member(self._profiles[own].id, Band.AUTO if own in group.sure else Band.REVIEW, *link))
        return Cluster(members[0].id, tuple(members))

    def _nearest(self, group: Group) -> tuple[int, ...]:
        """For each member the one that holds it there."""
        if len(group.members) == 2:
            return group.members[::-1]
        if group.nearest:
            return group.nearest
        weigh, profiles = self._rules.weigh, self._profiles
        told = self._told_pairs(group)
        pairs = ((one, other, weigh(profiles[one], profiles[other], self.rarity).score) for one, other in told)
        return nearest(group.members, group.sure, pairs)

    def _told_pairs(self, group: Group) -> Iterator[tuple[int, int]]:
        """The pairs that reasons are sought in: a copy is nearest to its origin."""
        if not self._origin:
            return combinations(group.members, 2)
        origins = [position for position in group.members if position not in self._origin]
        copies = [(self._origin[position], position) for position in group.members if position in self._origin]
        return chain(combinations(origins, 2), copies)

    def _link(self, one: int, other: int) -> tuple[float, tuple[Reason, ...]]:
        """What is held of two records, weighed once more: to keep it from the scan on would double the memory."""
        a, b = self._profiles[one], self._profiles[other]
        points, score, *_ = self._rules.weigh(a, b, self.rarity)
        ranked = sorted(points, key=_BY_POINTS, reverse=True) if len(points) > 1 else points
        detail, rarity = self._rules.detail, self.rarity
        reasons = [Reason(code, round(bits, 1), detail(code, a, b, rarity)) for code, bits in ranked]
        return round(score, 2), tuple(reasons)
