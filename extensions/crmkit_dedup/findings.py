"""Findings: the duplicates that wait for somebody, from the day they are found until they are merged or cleared up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import takewhile
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from crmkit.storage import Store
from crmkit.values import Json, Kind, Ref
from crmkit_dedup.match import Band, Cluster, Member, Reason

COLLECTION = "findings"
"""Collection of the findings, by their keys."""

PLACES = "places"
"""Collection that leads from a record to the finding it is in."""

_PUT_OFF, _SURE, _DOUBTFUL = "0:", "1:", "2:"
"""How ranks begin: those put off stand in the order of their days, before all others once their day has come."""

_MOST_POINTS = 9_999.0

Finder = Literal["event", "scan"]
"""What found it: the event of a record, or a scan of all."""


class Suspect(BaseModel):
    """A record of a finding, with the best link that holds it there."""

    model_config = ConfigDict(frozen=True)

    id: str
    band: Band
    score: float
    reasons: tuple[Reason, ...] = ()


class Finding(BaseModel):
    """Records that look like one.

    Args:
        key: its name in the store; the kind and the id of the record that stood first when it was found.
        suspects: two or more, in the order of their ids.
        later: put off by a person until then.
        acted: ids of the suspects for whom the policy has done its part.
        task: the task that asks a person, when the policy made one.
        note: why nothing more was done, for whoever looks at it.
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind
    key: str
    suspects: tuple[Suspect, ...]
    found_at: datetime
    seen_at: datetime
    found_by: Finder
    later: datetime | None = None
    acted: tuple[str, ...] = ()
    task: Ref | None = None
    note: str = ""

    @property
    def band(self) -> Band:
        """`auto` when two of them at least need no asking."""
        return Band.AUTO if len(self.sure) > 1 else Band.REVIEW

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of all its records."""
        return tuple(one.id for one in self.suspects)

    @property
    def sure(self) -> tuple[str, ...]:
        """Ids of those that may be merged without asking."""
        return tuple(one.id for one in self.suspects if one.band is Band.AUTO)

    @property
    def score(self) -> float:
        """Points of its best link."""
        return max(one.score for one in self.suspects)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why the surest of its links holds."""
        return max(self.suspects, key=lambda one: (one.band is Band.AUTO, one.score)).reasons

    @property
    def name(self) -> str:
        """What its tasks and tags are named by: the same records found again after they were settled are another."""
        return f"{self.key}:{self.found_at.isoformat()}"

    @property
    def rank(self) -> str:
        """Its place in the queue; no other finding has it."""
        if self.later is not None:
            return f"{_PUT_OFF}{self.later.astimezone(UTC).isoformat()} {self.key}"
        return f"{_SURE if self.band is Band.AUTO else _DOUBTFUL}{_MOST_POINTS - self.score:08.2f} {self.key}"

    def to_json(self) -> dict[str, Json]:
        """The finding as the store keeps it."""
        return {**self.model_dump(mode="json"), "rank": self.rank}

    def refs(self, account: str) -> list[Ref]:
        """Addresses of its records."""
        return [Ref(account, self.kind, id_) for id_ in self.ids]

    def is_put_off(self, now: datetime) -> bool:
        """A person wants to see it later."""
        return self.later is not None and now < self.later


class Waiting(NamedTuple):
    """How many findings wait, and how many of them are sure."""

    all: int
    sure: int


class Findings:
    """The findings of one account; a record is in one at most.

    Args:
        store: the extension's own.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, key: str) -> Finding | None:
        """The finding of that name."""
        found = self._store.get(COLLECTION, key)
        return Finding.model_validate(found) if found is not None else None

    def of(self, kind: Kind, id_: str) -> Finding | None:
        """The finding that a record is in."""
        place = self._store.get(PLACES, place_of(kind, id_))
        return self.get(str(place["finding"])) if place is not None else None

    def all(self, kind: Kind | None = None) -> Iterator[Finding]:
        """Every finding, of one kind or of all, in the order of the keys."""
        for _, document in self._store.scan(COLLECTION, prefix=f"{kind.value}:" if kind else ""):
            yield Finding.model_validate(document)

    def waiting(self, now: datetime, *, after: str = "") -> Iterator[Finding]:
        """Findings to be looked at whose ranks are behind `after`: those whose day has come, then the surest first."""
        for rank in (_PUT_OFF, _SURE, _DOUBTFUL):
            ranked = self._ranked(rank, after=after)
            yield from takewhile(lambda found: not found.is_put_off(now), ranked) if rank == _PUT_OFF else ranked

    def count(self, now: datetime) -> Waiting:
        """How many are to be looked at, counted without reading them."""
        woken = [found.band for found in takewhile(lambda one: not one.is_put_off(now), self._ranked(_PUT_OFF))]
        sure, doubtful = (self._store.count_ranked(COLLECTION, prefix=rank) for rank in (_SURE, _DOUBTFUL))
        return Waiting(sure + doubtful + len(woken), sure + woken.count(Band.AUTO))

    def of_band(self, band: Band) -> Iterator[Finding]:
        """Findings of a band that nobody has put off, the surest first."""
        return self._ranked(_SURE if band is Band.AUTO else _DOUBTFUL)

    def wake(self, now: datetime) -> None:
        """Put those whose day has come back among the others."""
        for found in list(takewhile(lambda one: not one.is_put_off(now), self._ranked(_PUT_OFF))):
            self.save(found.model_copy(update={"later": None}))

    def _ranked(self, rank: str, *, after: str = "") -> Iterator[Finding]:
        documents = self._store.ranked(COLLECTION, prefix=rank, after=after)
        return (Finding.model_validate(document) for _, document in documents)

    def meet(self, kind: Kind, cluster: Cluster, *, by: Finder, now: datetime) -> Finding:
        """Take a cluster into the finding that holds one of its records, or into a new one; the finding as it is then.

        A scan has seen everybody, so who is not in its cluster is no more in the finding. An event has seen the
        neighbours of one record: who was there before stays, to be asked about.
        """
        suspects = {one.id: one for one in suspects_of(cluster.members)}
        known = {found.key: found for id_ in suspects if (found := self.of(kind, id_))}
        if not known:
            new = self._new(kind, suspects, by, now)
            if self._store.add(COLLECTION, new.key, new.to_json()):
                self.save(new)
                return new
            # Another worker has found the same this very moment, from the other side.
            known = {new.key: self.get(new.key) or new}
        target, *rest = sorted(known.values(), key=lambda found: (found.found_at, found.key))
        if by == "event":
            before = [one for found in (target, *rest) for one in found.suspects if one.id not in suspects]
            suspects |= {one.id: one.model_copy(update={"band": Band.REVIEW}) for one in before}
        for found in rest:
            self.drop(found)
        met = target.model_copy(update={"suspects": _ordered(suspects.values()), "seen_at": now})
        self.save(met)
        return met

    def _new(self, kind: Kind, suspects: Mapping[str, Suspect], by: Finder, now: datetime) -> Finding:
        ordered = _ordered(suspects.values())
        key = place_of(kind, ordered[0].id)
        return Finding(kind=kind, key=key, suspects=ordered, found_at=now, seen_at=now, found_by=by)

    def save(self, finding: Finding) -> None:
        """Keep the finding as it is now; whoever is no more in it is in none."""
        before = self.get(finding.key)
        for id_ in set(before.ids if before else ()).difference(finding.ids):
            self._leave(finding, id_)
        self._store.put(COLLECTION, finding.key, finding.to_json())
        for id_ in finding.ids:
            self._store.put(PLACES, place_of(finding.kind, id_), {"finding": finding.key})

    def drop(self, finding: Finding) -> None:
        """Forget the finding: it is settled."""
        for id_ in finding.ids:
            self._leave(finding, id_)
        self._store.delete(COLLECTION, finding.key)

    def without(self, finding: Finding, ids: set[str]) -> Finding | None:
        """Take records out of the finding; None when that leaves nothing to ask, and it is forgotten."""
        left = tuple(one for one in finding.suspects if one.id not in ids)
        if len(left) < 2:
            self.drop(finding)
            return None
        smaller = finding.model_copy(update={"suspects": left})
        self.save(smaller)
        return smaller

    def _leave(self, finding: Finding, id_: str) -> None:
        place = self._store.get(PLACES, place_of(finding.kind, id_))
        if place is not None and place["finding"] == finding.key:
            self._store.delete(PLACES, place_of(finding.kind, id_))


def place_of(kind: Kind, id_: str) -> str:
    """The name of a record among those of its account."""
    return f"{kind.value}:{id_}"


def in_order(id_: str) -> tuple[int, int, str]:
    """How ids are ordered: numbers by size, before all others."""
    return (0, int(id_), id_) if id_.isdecimal() else (1, 0, id_)


def suspects_of(members: Iterable[Member]) -> tuple[Suspect, ...]:
    """The records of a cluster as a finding keeps them."""
    return _ordered(Suspect(**one._asdict()) for one in members)


def _ordered(suspects: Iterable[Suspect]) -> tuple[Suspect, ...]:
    return tuple(sorted(suspects, key=lambda one: in_order(one.id)))
