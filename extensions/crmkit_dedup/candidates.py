"""Which pairs of a base are worth comparing: those that share a key, wide keys narrowed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Generic, NamedTuple, TypeVar

P = TypeVar("P")


class Family(NamedTuple, Generic[P]):
    """A kind of key. `code` stands before the key in an index; holders beyond `cap` are narrowed."""

    code: str
    keys: Callable[[P], Iterable[str]]
    cap: int


def groups_by_key(profiles: Sequence[P], keys: Callable[[P], Iterable[str]]) -> dict[str, list[int]]:
    """Positions by key, of the keys that two and more hold; positions are in order."""
    first: dict[str, int] = {}
    groups: dict[str, list[int]] = {}
    for position, profile in enumerate(profiles):
        for key in keys(profile):
            met = first.setdefault(key, position)
            if met != position:
                group = groups.get(key)
                if group is None:
                    groups[key] = [met, position]
                elif group[-1] != position:
                    group.append(position)
    return groups


class Candidates(Generic[P]):
    """Pairs of positions, each once, as one number: `smaller * size + larger`."""

    def __init__(self, profiles: Sequence[P], narrow: Callable[[P], Iterable[str]]) -> None:
        self._profiles = profiles
        self._narrow = narrow
        self._size = len(profiles)
        self.pairs: set[int] = set()

    def add(
        self, groups: Mapping[str, Sequence[int]], cap: int, is_telling: Callable[[str], bool] | None = None
    ) -> None:
        """Take every pair of a group; of a group wider than `cap`, those that share something more.

        A key for which `is_telling` is false proves little by itself: its holders must share something more too.
        """
        size, pairs = self._size, self.pairs
        for key, group in groups.items():
            if len(group) == 2:
                pairs.add(group[0] * size + group[1])
            elif len(group) <= cap and (is_telling is None or is_telling(key)):
                pairs.update([one * size + other for one, other in combinations(group, 2)])
            else:
                for part in self._parts(group, cap):
                    pairs.update([one * size + other for one, other in combinations(part, 2)])

    def _parts(self, group: Sequence[int], cap: int) -> Iterator[list[int]]:
        parts: defaultdict[str, list[int]] = defaultdict(list)
        for position in group:
            for key in self._narrow(self._profiles[position]):
                part = parts[key]
                if not part or part[-1] != position:
                    part.append(position)
        return (part for part in parts.values() if 1 < len(part) <= cap)
