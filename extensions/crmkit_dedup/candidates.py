"""Which pairs of a base are worth comparing: those that share a key, and something more where it says little."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Generic, NamedTuple, TypeVar

from crmkit_dedup.rarity import Rarity

P = TypeVar("P")


class Beside(NamedTuple, Generic[P]):
    """What two holders of a key must share besides it; one of them must be such as `leads` says, where it says."""

    keys: Callable[[P], Iterable[str]]
    leads: Callable[[P], bool] | None = None


class Family(NamedTuple, Generic[P]):
    """A kind of key. `code` stands before the key in an index.

    `beside` tells what the holders of a key, so many as there are, must share besides it to be compared; None when
    the key is enough. What more than `cap` holders share with it brings nobody together.
    """

    code: str
    keys: Callable[[P], Iterable[str]]
    cap: int
    beside: Callable[[Rarity, str, int], Beside[P] | None]


def wider_than(cap: int, beside: Beside[P]) -> Callable[[Rarity, str, int], Beside[P] | None]:
    """The rule of keys that are enough by themselves where not more than `cap` hold them."""
    return lambda _rarity, _key, holders: beside if holders > cap else None


def groups_by_key(
    profiles: Sequence[P], keys: Callable[[P], Iterable[str]], among: Iterable[int] | None = None
) -> dict[str, list[int]]:
    """Positions by key, of the keys that two and more hold; positions are in order. `among` are those to look at."""
    first: dict[str, int] = {}
    groups: dict[str, list[int]] = {}
    for position in range(len(profiles)) if among is None else among:
        for key in keys(profiles[position]):
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

    def __init__(self, profiles: Sequence[P], words: Rarity) -> None:
        self._profiles = profiles
        self._words = words
        self.pairs: set[int] = set()

    def add(self, family: Family[P], groups: Mapping[str, Sequence[int]]) -> None:
        """Take the pairs of each group that the family finds worth it."""
        size, pairs = len(self._profiles), self.pairs
        for key, group in groups.items():
            if len(group) == 2:
                pairs.add(group[0] * size + group[1])
                continue
            beside = family.beside(self._words, key, len(group))
            for part in (group,) if beside is None else self._parts(group, beside, family.cap):
                pairs.update([one * size + other for one, other in combinations(part, 2)])

    def _parts(self, group: Sequence[int], beside: Beside[P], cap: int) -> Iterator[Sequence[int]]:
        profiles, (keys, leads) = self._profiles, beside
        for part in groups_by_key(profiles, keys, group).values():
            if len(part) <= cap and (leads is None or any(leads(profiles[at]) for at in part)):
                yield part
