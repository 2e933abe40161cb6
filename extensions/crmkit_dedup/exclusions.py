"""Pairs that a person has called different: not proposed again until what they are compared by has changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from crmkit.storage import Store
from crmkit.values import Ref

COLLECTION = "excluded"
"""Collection of the pairs; each stands there twice, under either record."""


class Seen(NamedTuple):
    """A record and the print of what it was compared by."""

    ref: Ref
    print: str


class Exclusion(BaseModel):
    """Two records of one kind that are not one; prints are those of the day on which somebody said so."""

    model_config = ConfigDict(frozen=True)

    one: Ref
    other: Ref
    one_print: str = ""
    other_print: str = ""
    at: datetime
    by: str = ""

    def holds(self, one: str, other: str) -> bool:
        """Neither print is another than it was on that day."""
        return self.one_print in ("", one) and self.other_print in ("", other)


class Exclusions:
    """The excluded pairs of one account.

    Args:
        store: the extension's own.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, one: Seen, other: Seen, *, at: datetime, by: str = "") -> None:
        """Keep the two apart; an empty print holds whatever changes. Raises ValueError for a record and itself."""
        if one.ref == other.ref:
            raise ValueError(f"{one.ref} cannot be kept apart from itself")
        for left, right in ((one, other), (other, one)):
            pair = Exclusion(one=left.ref, other=right.ref, one_print=left.print, other_print=right.print, at=at, by=by)
            self._store.put(COLLECTION, _key(left.ref, right.ref), pair.model_dump(mode="json"))

    def drop(self, one: Ref, other: Ref) -> bool:
        """Let the two be compared again; False when they were not kept apart."""
        was = self._store.get(COLLECTION, _key(one, other)) is not None
        self._store.delete(COLLECTION, _key(one, other))
        self._store.delete(COLLECTION, _key(other, one))
        return was

    def between(self, one: Ref, other: Ref) -> Exclusion | None:
        """What somebody has said of the two, whether or not it still holds."""
        found = self._store.get(COLLECTION, _key(one, other))
        return Exclusion.model_validate(found) if found is not None else None

    def holds(self, one: Seen, other: Seen) -> bool:
        """The two are kept apart, and neither has changed since in what it is compared by."""
        found = self.between(one.ref, other.ref)
        return found is not None and found.holds(one.print, other.print)

    def of(self, ref: Ref) -> list[Exclusion]:
        """All that is kept apart from a record, as `other`, in the order of the ids."""
        mine = self._store.scan(COLLECTION, prefix=_key(ref, None))
        return [Exclusion.model_validate(document) for _, document in mine]

    def pairs(self) -> Iterator[Exclusion]:
        """Every pair, once."""
        for _, document in self._store.scan(COLLECTION):
            found = Exclusion.model_validate(document)
            if found.one < found.other:
                yield found


def print_of(keys: Iterable[str]) -> str:
    """The print of a record's index keys: the same however its phone or name is spelled."""
    return blake2b("\n".join(sorted(set(keys))).encode(), digest_size=8).hexdigest()


def _key(one: Ref, other: Ref | None) -> str:
    return f"{one.kind.value}:{one.id}|{other.id if other else ''}"
