"""Records entered so often that they are one by sight: one of them is compared for all."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeVar

from crmkit_dedup.clusters import Group
from crmkit_dedup.match import Band

P = TypeVar("P")

MANY = 20
"""Fewer equal records than this are compared like any others."""


class Copies(Generic[P]):
    """The copies in a base. `kept` are the records to compare, in order: all, but one for all copies of it.

    `sight` is a part of a profile that is quick to tell, `likeness` all of it that is compared, or None for what is
    too little to be called a copy by.
    """

    def __init__(
        self, profiles: Sequence[P], sight: Callable[[P], Hashable], likeness: Callable[[P], Hashable | None]
    ) -> None:
        self._copies = _copies(profiles, sight, likeness)
        self.origin = {copy: first for first, copies in self._copies.items() for copy in copies}
        """Position of a copy -> position of the record that is compared for it."""
        self._places = [at for at in range(len(profiles)) if at not in self.origin] if self.origin else None
        self.kept = profiles if self._places is None else [profiles[at] for at in self._places]

    def unfolded(self, groups: Iterable[Group], band: Callable[[int], Band]) -> list[Group]:
        """The groups of `kept` in positions of the base, with the copies in them and groups of copies alone.

        `band` is what the rules make of two records like the one at the position (of the base).
        """
        if self._places is None:
            return list(groups)
        places = self._places
        left = {first: copies for first, copies in self._copies.items() if band(first) is not Band.IGNORE}
        found = []
        for group in groups:
            members = [places[at] for at in group.members]
            sure = {places[at] for at in group.sure}
            repeated = [at for at in members if at in left]
            nearest = () if repeated else tuple([places[at] for at in group.nearest])
            for first in repeated:
                copies = left.pop(first)
                members += copies
                if band(first) is Band.AUTO:
                    part = {first, *copies}
                    sure = sure | part if first in sure else max(sure, part, key=len)
            found.append(Group(tuple(sorted(members)), frozenset(sure), nearest))
        for first, copies in left.items():
            alike = (first, *copies)
            found.append(Group(alike, frozenset(alike if band(first) is Band.AUTO else ())))
        return sorted(found)


def _copies(
    profiles: Sequence[P], sight: Callable[[P], Hashable], likeness: Callable[[P], Hashable | None]
) -> dict[int, list[int]]:
    # Numbers, not the parts themselves: a million tuples would weigh as much as the base.
    seen = [hash(sight(profile)) for profile in profiles]
    wide = {sign for sign, count in Counter(seen).items() if count > MANY}
    alike: defaultdict[Hashable, list[int]] = defaultdict(list)
    if wide:
        for at, sign in enumerate(seen):
            if sign in wide and (whole := likeness(profiles[at])) is not None:
                alike[whole].append(at)
    return {positions[0]: positions[1:] for positions in alike.values() if len(positions) > MANY}
