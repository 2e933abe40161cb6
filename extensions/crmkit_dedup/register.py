"""The register of a scan: what it finds, laid beside what was found before, and written down in heaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from crmkit.storage import Store
from crmkit.values import Json, Kind
from crmkit_dedup.findings import COLLECTION, PLACES, Finding, Suspect, in_order, place_of, suspects_of
from crmkit_dedup.match import Cluster, Member

HEAP = 500
"""Findings that are written down together."""


class Tally(NamedTuple):
    """What a scan has changed in the queue."""

    new: int = 0
    known: int = 0
    settled: int = 0


class _Known(NamedTuple):
    """A finding of earlier days as far as a scan needs it: a base of a million has hundreds of thousands."""

    ids: tuple[str, ...]
    found_at: datetime
    seen_at: datetime
    print: int
    """Equal for findings that look equal; by another process it is another one."""


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
        mine = store.scan(COLLECTION, prefix=f"{kind.value}:")
        self._before = {key: _known(document) for key, document in mine}
        self._place = {id_: key for key, found in self._before.items() for id_ in found.ids}
        self._taken: set[str] = set()
        self._placed: set[str] = set()

    def take(self, clusters: Iterable[Cluster]) -> Tally:
        """Write down every cluster as a finding, and settle the findings that are duplicates no more."""
        changed: list[Finding] = []
        new: list[Finding] = []
        counts = [0, 0]
        for cluster in clusters:
            ids = sorted((one.id for one in cluster.members), key=in_order)
            key = self._key(ids)
            self._taken.add(key)
            self._placed.update(ids)
            before = self._before.get(key)
            counts[before is not None] += 1
            if before is None:
                new.append(self._new(key, suspects_of(cluster.members)))
            elif before.print != _print_of(cluster.members):
                changed += self._changed(key, suspects_of(cluster.members))
            if len(changed) + len(new) >= HEAP:
                self._write(changed, new)
                changed, new = [], []
        self._write(changed, new)
        return Tally(counts[False], counts[True], self._settle())

    def _key(self, ids: Sequence[str]) -> str:
        """The name of the finding that the cluster is: the oldest with one of its records that no other cluster is."""
        keys = {self._place[id_] for id_ in ids if id_ in self._place}
        keys |= {place_of(self._kind, ids[0])} & self._before.keys()
        if free := keys - self._taken:
            return min(free, key=lambda key: (self._before[key].found_at, key))
        names = (place_of(self._kind, id_) for id_ in ids)
        return next(name for name in names if name not in self._taken)

    def _new(self, key: str, suspects: Sequence[Suspect]) -> Finding:
        return Finding(
            kind=self._kind,
            key=key,
            suspects=tuple(suspects),
            found_at=self._now,
            seen_at=self._now,
            found_by="scan",
        )

    def _changed(self, key: str, suspects: Sequence[Suspect]) -> Iterator[Finding]:
        """The finding with what the cluster says now; none when somebody has settled it since the scan began."""
        document = self._store.get(COLLECTION, key)
        if document is not None:
            update = {"suspects": tuple(suspects), "seen_at": self._now}
            yield Finding.model_validate(document).model_copy(update=update)

    def _write(self, changed: Sequence[Finding], new: Sequence[Finding]) -> None:
        self._store.put_many(COLLECTION, _documents(changed))
        # What an event has found since the scan began knows more than the scan.
        self._store.put_many(COLLECTION, _documents(new), replace=False)
        self._store.put_many(PLACES, _places(self._kind, [*changed, *new]))

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


def _known(document: Mapping[str, Any]) -> _Known:
    suspects = document["suspects"]
    told = [
        (one["id"], one["band"], one["score"], [(code, detail) for code, _, detail in one["reasons"]])
        for one in suspects
    ]
    return _Known(
        ids=tuple(one["id"] for one in suspects),
        found_at=datetime.fromisoformat(document["found_at"]),
        seen_at=datetime.fromisoformat(document["seen_at"]),
        # One that has no rank yet stands nowhere in the queue: nothing is equal to it.
        print=_print(told) if "rank" in document else 0,
    )


def _print_of(members: Iterable[Member]) -> int:
    return _print(
        [
            (one.id, one.band.value, one.score, [(reason.code, reason.detail) for reason in one.reasons])
            for one in members
        ]
    )


def _print(told: Iterable[tuple[str, str, float, Iterable[tuple[str, str]]]]) -> int:
    """What people see of a finding. Points move a little each night as the base grows: that changes nothing."""
    return hash(
        frozenset(
            (id_, band, round(score), frozenset(reason for reason in reasons if reason[0] != "base"))
            for id_, band, score, reasons in told
        )
    )
