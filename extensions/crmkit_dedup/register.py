"""The register of a scan: what it finds, laid beside what was found before, and written down in heaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from crmkit.storage import Store
from crmkit.values import Json, Kind
from crmkit_dedup.findings import COLLECTION, PLACES, Finding, Suspect, place_of, suspects_of
from crmkit_dedup.match import Cluster

HEAP = 500
"""Findings that are written down together."""


class Tally(NamedTuple):
    """What a scan has changed in the queue."""

    new: int = 0
    known: int = 0
    settled: int = 0


class Register:
    """The findings of one kind in one account while a scan goes through them.

    Args:
        store: the extension's own.
        now: the time of the scan; what an event finds meanwhile is left alone.
    """

    def __init__(self, store: Store, kind: Kind, now: datetime) -> None:
        self._store = store
        self._kind = kind
        self._now = now
        mine = dict(store.scan(COLLECTION, prefix=f"{kind.value}:"))
        self._before = {key: Finding.model_validate(document) for key, document in mine.items()}
        self._unranked = {key for key, document in mine.items() if "rank" not in document}
        self._place = {id_: found.key for found in self._before.values() for id_ in found.ids}
        self._taken: set[str] = set()
        self._placed: set[str] = set()

    def take(self, clusters: Iterable[Cluster]) -> Tally:
        """Write down every cluster as a finding, and settle the findings that are duplicates no more."""
        known: list[Finding] = []
        new: list[Finding] = []
        counts = [0, 0]
        for cluster in clusters:
            found = self._met(suspects_of(cluster.members))
            self._taken.add(found.key)
            self._placed.update(found.ids)
            before = self._before.get(found.key)
            counts[before is not None] += 1
            if before is None:
                new.append(found)
            elif before.suspects != found.suspects or found.key in self._unranked:
                known.append(found)
            if len(known) + len(new) >= HEAP:
                self._write(known, new)
                known, new = [], []
        self._write(known, new)
        return Tally(counts[False], counts[True], self._settle())

    def _met(self, suspects: Sequence[Suspect]) -> Finding:
        """The finding that the cluster is: the oldest of those with one of its records that no other cluster is."""
        keys = {self._place[one.id] for one in suspects if one.id in self._place}
        keys |= {place_of(self._kind, suspects[0].id)} & self._before.keys()
        free = [self._before[key] for key in keys - self._taken]
        if free:
            return min(free, key=_age).model_copy(update={"suspects": tuple(suspects), "seen_at": self._now})
        names = (place_of(self._kind, one.id) for one in suspects)
        return Finding(
            kind=self._kind,
            key=next(name for name in names if name not in self._taken),
            suspects=tuple(suspects),
            found_at=self._now,
            seen_at=self._now,
            found_by="scan",
        )

    def _write(self, known: Sequence[Finding], new: Sequence[Finding]) -> None:
        self._store.put_many(COLLECTION, _documents(known))
        # What an event has found since the scan began knows more than the scan.
        self._store.put_many(COLLECTION, _documents(new), replace=False)
        self._store.put_many(PLACES, _places(self._kind, [*known, *new]))

    def _settle(self) -> int:
        """Forget the findings that no cluster is; how many."""
        gone = {key for key, found in self._before.items() if key not in self._taken and found.seen_at < self._now}
        left = [
            id_ for id_, key in self._place.items() if id_ not in self._placed and (key in gone or key in self._taken)
        ]
        self._store.delete_many(PLACES, [place_of(self._kind, id_) for id_ in left])
        self._store.delete_many(COLLECTION, gone)
        return len(gone)


def _documents(findings: Iterable[Finding]) -> Iterator[tuple[str, Mapping[str, Json]]]:
    return ((found.key, found.to_json()) for found in findings)


def _places(kind: Kind, findings: Iterable[Finding]) -> Iterator[tuple[str, Mapping[str, Json]]]:
    return ((place_of(kind, id_), {"finding": found.key}) for found in findings for id_ in found.ids)


def _age(found: Finding) -> tuple[datetime, str]:
    return found.found_at, found.key
