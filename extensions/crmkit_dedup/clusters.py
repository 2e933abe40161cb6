"""Which records are one: links joined best first, never across a contradiction, never by a chain alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from math import inf
from typing import NamedTuple

LARGEST = 40
"""More records than this are not one person: what would join them is left apart."""

TIE = 3.0
"""Two rivals nearer than this, in points, cannot be told apart: the record between them is to be asked about."""

_HALF = 32
"""Bits of a position where two are one number."""

_NEVER = -inf


class Link(NamedTuple):
    """Two positions that may be one, the smaller first; `is_auto` when nobody needs to be asked."""

    left: int
    right: int
    score: float
    is_auto: bool
    is_doubted: bool = False


class Judgement(NamedTuple):
    """A comparison as clustering needs it: the two cannot be one when vetoed, and may not be when doubted."""

    score: float
    is_vetoed: bool
    is_doubted: bool = False


class Joining(NamedTuple):
    """How readily groups of several become one.

    A sure link joins them when no pair of theirs has less than `sure_floor` points; a link of `strong` points whatever
    they have: one record with this number, one with that, and a third that has both. Any other link joins them when
    its own points, counted by `own_share`, and those of all pairs on average come to `floor`.
    """

    floor: float
    sure_floor: float
    strong: float = inf
    own_share: float = 0.0


class Group(NamedTuple):
    """Positions that are one, in order; `sure` are those to be merged without asking: none, or two and more.

    `nearest` are, of three members and more, the partners with most points, one for each member: a sure one's is
    sure too. Empty where nobody has looked.
    """

    members: tuple[int, ...]
    sure: frozenset[int]
    nearest: tuple[int, ...] = ()


class Clustering:
    """Groups that grow from links.

    `judge` compares two positions that no link has joined. `name` is what a position is called whatever the order of
    the input, so that ties always fall the same way.
    """

    def __init__(self, judge: Callable[[int, int], Judgement], name: Callable[[int], str], joining: Joining) -> None:
        self._judge = judge
        self._name = name
        self._joining = joining

    def groups(self, links: Iterable[Link]) -> list[Group]:
        """Give all groups of two and more, in order of their first member; each position is in one at most."""
        found: list[Group] = []
        for web in _webs(links):
            plain = _plain(web)
            found += _Web(self._judge, self._name, self._joining).groups(web) if plain is None else (plain,)
        return sorted(found)


def _webs(links: Iterable[Link]) -> Iterable[list[Link]]:
    """The links apart that have no position in common, not even by way of others."""
    webs: dict[int, list[Link]] = {}
    for link in links:
        left, right = webs.get(link.left), webs.get(link.right)
        if left is None or right is None:
            web = left or right or []
        elif left is right:
            web = left
        else:
            web, other = (left, right) if len(left) >= len(right) else (right, left)
            web += other
            webs.update((at, web) for joined in other for at in joined[:2])
        web.append(link)
        webs[link.left] = webs[link.right] = web
    return {id(web): web for web in webs.values()}.values()


def _plain(web: list[Link]) -> Group | None:
    """The group of two records alone, or of several every two of whom are surely one: nothing is left to decide."""
    if len(web) == 1:
        pair = web[0][:2]
        return Group(pair, frozenset(pair if web[0].is_auto else ()))
    members = {position for link in web for position in link[:2]}
    size = len(members)
    if size > LARGEST or len(web) * 2 != size * (size - 1):
        return None
    if not all(link.is_auto and not link.is_doubted for link in web):
        return None
    sure, pairs = frozenset(members), [link[:3] for link in sorted(web)]
    return Group(tuple(sorted(members)), sure, nearest(sorted(members), sure, pairs))


class _Web:
    """The groups among positions that hang together."""

    def __init__(self, judge: Callable[[int, int], Judgement], name: Callable[[int], str], joining: Joining) -> None:
        self._judge = judge
        self._name = name
        self._joining = joining
        self._group: dict[int, list[int]] = {}
        self._best: dict[int, float] = {}
        self._scores: dict[int, float] = {}
        self._doubted: set[int] = set()

    def groups(self, links: Iterable[Link]) -> list[Group]:
        """Give the groups of two and more."""
        ranked = sorted(links, key=self._rank)
        for link in ranked:
            self._keep(link.left << _HALF | link.right, link.score, is_doubted=link.is_doubted)
        sure = [link for link in ranked if link.is_auto]
        refused = [link for link in sure if not self._join(link, is_sure=True)]
        refused += [link for link in ranked if link.is_doubted and not link.is_auto and self._are_rivals(link)]
        parts = self._sure_parts(sure, self._contested(refused))
        for link in ranked:
            self._join(link, is_sure=False)
        return [self._finished(group, parts) for group in self._lists()]

    def _rank(self, link: Link) -> tuple[float, str, str]:
        one, other = self._name(link.left), self._name(link.right)
        return (-round(link.score, 6), min(one, other), max(one, other))

    def _lists(self) -> Iterable[list[int]]:
        return {id(group): group for group in self._group.values()}.values()

    def _of(self, position: int) -> list[int]:
        return self._group.get(position) or [position]

    def _join(self, link: Link, *, is_sure: bool) -> bool:
        left, right = self._of(link.left), self._of(link.right)
        if left is right:
            return True
        if len(left) + len(right) > LARGEST or not self._agree(left, right, link.score, is_sure=is_sure):
            return False
        if is_sure:
            self._best.setdefault(link.left, link.score)
            self._best.setdefault(link.right, link.score)
        if len(left) < len(right):
            left, right = right, left
        self._group.setdefault(left[0], left)
        left.extend(right)
        self._group.update(dict.fromkeys(right, left))
        return True

    def _agree(self, left: Sequence[int], right: Sequence[int], own: float, *, is_sure: bool) -> bool:
        """No pair of the two groups stands against the link between them, which has `own` points."""
        if len(left) == len(right) == 1:
            return True
        least = self._joining.sure_floor if is_sure and own < self._joining.strong else _NEVER
        total = 0.0
        for one in left:
            for other in right:
                score = self._score(one, other)
                if score == _NEVER or score < least or (is_sure and self._is_doubted(one, other)):
                    return False
                total += score
        share = self._joining.own_share
        return is_sure or own * share + total / (len(left) * len(right)) * (1 - share) >= self._joining.floor

    def _score(self, one: int, other: int) -> float:
        """The points of a pair, compared once; `_NEVER` for one that is ruled out."""
        pair = one << _HALF | other if one < other else other << _HALF | one
        score = self._scores.get(pair)
        if score is None:
            judgement = self._judge(one, other)
            score = _NEVER if judgement.is_vetoed else judgement.score
            self._keep(pair, score, is_doubted=judgement.is_doubted)
        return score

    def _is_doubted(self, one: int, other: int) -> bool:
        return (one << _HALF | other if one < other else other << _HALF | one) in self._doubted

    def _keep(self, pair: int, score: float, *, is_doubted: bool) -> None:
        self._scores[pair] = score
        if is_doubted:
            self._doubted.add(pair)

    def _are_rivals(self, link: Link) -> bool:
        """The groups of the two, one of which is no single record, hold records that cannot be one."""
        return any(self._score(one, other) == _NEVER for one in self._of(link.left) for other in self._of(link.right))

    def _contested(self, refused: Iterable[Link]) -> set[int]:
        """Records that two groups claim about equally, though the groups are not one."""
        found = set()
        for link in refused:
            for own, rival in ((link.left, link.right), (link.right, link.left)):
                is_close = own in self._group and self._best.get(own, 0.0) - link.score < TIE
                if is_close and not any(self._score(own, other) == _NEVER for other in self._of(rival)):
                    found.add(own)
        return found

    def _sure_parts(self, sure: Iterable[Link], contested: set[int]) -> dict[int, frozenset[int]]:
        part: dict[int, set[int]] = {}
        for link in sure:
            if link.left in contested or link.right in contested or self._of(link.left) is not self._of(link.right):
                continue
            joined = part.get(link.left, {link.left}) | part.get(link.right, {link.right})
            part.update(dict.fromkeys(joined, joined))
        return {position: frozenset(joined) for position, joined in part.items()}

    def _finished(self, group: list[int], parts: dict[int, frozenset[int]]) -> Group:
        mine = {parts[position] for position in group if position in parts}
        members, sure = tuple(sorted(group)), max(mine, key=self._weight, default=frozenset())
        if len(members) == 2:
            return Group(members, sure)
        # Every two of a group were compared before they came into it.
        pairs = [(one, other, self._scores[one << _HALF | other]) for one, other in combinations(members, 2)]
        return Group(members, sure, nearest(members, sure, pairs))

    def _weight(self, part: frozenset[int]) -> tuple[int, float, str]:
        return (len(part), max(self._best.get(position, 0.0) for position in part), min(map(self._name, part)))


def nearest(members: Iterable[int], sure: frozenset[int], pairs: Iterable[tuple[int, int, float]]) -> tuple[int, ...]:
    """For each member its partner of most points; `pairs` are two members and their points, each pair once."""
    best: dict[int, tuple[float, int]] = {}
    for one, other, score in pairs:
        for own, partner in ((one, other), (other, one)):
            # A sure record is shown by what makes it sure, though a doubtful one may be nearer.
            if (own in sure) and partner not in sure:
                continue
            if own not in best or score > best[own][0]:
                best[own] = (score, partner)
    return tuple([best[member][1] for member in members])
