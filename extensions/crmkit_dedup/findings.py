"""Findings: the duplicates that wait for somebody, from the day they are found until they are merged or cleared up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from crmkit.storage import Store
from crmkit.values import Kind, Ref
from crmkit_dedup.match import Band, Reason

COLLECTION = "findings"
"""Collection of the findings, by their keys."""

PLACES = "places"
"""Collection that leads from a record to the finding it is in."""


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
        found_by: what found it: the event of a record, or a scan of all.
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
    found_by: Literal["event", "scan"]
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

    def refs(self, account: str) -> list[Ref]:
        """Addresses of its records."""
        return [Ref(account, self.kind, id_) for id_ in self.ids]

    def is_put_off(self, now: datetime) -> bool:
        """A person wants to see it later."""
        return self.later is not None and now < self.later


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

    def save(self, finding: Finding) -> None:
        """Keep the finding as it is now; whoever is no more in it is in none."""
        before = self.get(finding.key)
        for id_ in set(before.ids if before else ()).difference(finding.ids):
            self._leave(finding, id_)
        self._store.put(COLLECTION, finding.key, finding.model_dump(mode="json"))
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
