"""What a handler has beside the CRM, in dictionaries: mirror, index, store, choice of owners, timers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crmkit.assignment import Choice, Policy, choose
from crmkit.models import RECORDS, Task, User
from crmkit.storage import R
from crmkit.testing.state import AccountState
from crmkit.values import Json, Kind, Ref


class MemoryMirror:
    """The account's records as they are now; no request is counted."""

    def __init__(self, state: AccountState) -> None:
        self._state = state

    def get(self, record: type[R], ref: Ref) -> R | None:
        """The record; None when it is gone."""
        return self._state.get(record, ref)

    def get_many(self, record: type[R], refs: Sequence[Ref]) -> Mapping[Ref, R]:
        """The records that are there."""
        found = {ref: self._state.get(record, ref) for ref in refs}
        return {ref: copy for ref, copy in found.items() if copy is not None}

    def scan(self, record: type[R], *, after: str = "") -> Iterator[R]:
        """All records of a kind behind an id, in the order of their ids."""
        found = sorted(self._state.all(record), key=lambda one: one.ref.id)
        return (one for one in found if one.ref.id > after)

    def columns(self, record: type[R], *names: str) -> Iterator[tuple[object, ...]]:
        """Id and the named fields, as JSON has them."""
        for found in self._state.all(record):
            yield (found.ref.id, *(found.raw[name] for name in names))

    def count(self, record: type[R]) -> int:
        """How many records of a kind there are."""
        return len(self._state.ids(record.kind))


class MemoryIndex:
    """Keys of records in a dict."""

    def __init__(self, state: AccountState) -> None:
        self._state = state
        self._keys: dict[Ref, tuple[str, ...]] = {}

    def put(self, ref: Ref, keys: Sequence[str]) -> None:
        """Replace the keys of a record."""
        self._keys[ref] = tuple(dict.fromkeys(keys))

    def put_many(self, keys: Iterable[tuple[Ref, Sequence[str]]]) -> int:
        """Replace the keys of many records; how many of them had others."""
        written = 0
        for ref, own in keys:
            before = self._keys.get(ref)
            self.put(ref, own)
            written += self._keys[ref] != before
        return written

    def find(self, keys: Sequence[str], *, limit: int = 100) -> Mapping[str, Sequence[Ref]]:
        """The records under each key that has any."""
        found = {key: sorted(ref for ref, own in self._keys.items() if key in own)[:limit] for key in keys}
        return {key: refs for key, refs in found.items() if refs}

    def counts(self, keys: Sequence[str]) -> Mapping[str, int]:
        """How many records each key has."""
        all_keys = Counter(key for own in self._keys.values() for key in own)
        return {key: all_keys[key] for key in keys}

    def missing(self, kind: Kind, *, after: str = "", limit: int = 1_000) -> Sequence[Ref]:
        """Records of a kind that were never put here."""
        refs = sorted(record.ref for record in self._state.all(RECORDS[kind]))
        return [ref for ref in refs if ref.id > after and ref not in self._keys][:limit]


class MemoryStore:
    """Documents in a dict; kept as text, so that what is read is never what was put in."""

    def __init__(self) -> None:
        self._documents: dict[tuple[str, str], str] = {}

    def get(self, collection: str, key: str) -> Mapping[str, Json] | None:
        """The document, or None."""
        text = self._documents.get((collection, key))
        return _read(text) if text is not None else None

    def put(self, collection: str, key: str, document: Mapping[str, Json]) -> None:
        """Keep the document. Raises TypeError for what is not JSON."""
        self._documents[collection, key] = json.dumps(document)

    def add(self, collection: str, key: str, document: Mapping[str, Json]) -> bool:
        """Keep the document unless there is one."""
        if (collection, key) in self._documents:
            return False
        self.put(collection, key, document)
        return True

    def put_many(
        self, collection: str, documents: Iterable[tuple[str, Mapping[str, Json]]], *, replace: bool = True
    ) -> int:
        """Keep many documents; how many were written."""
        written = 0
        for key, document in documents:
            if replace:
                self.put(collection, key, document)
            written += replace or self.add(collection, key, document)
        return written

    def delete(self, collection: str, key: str) -> None:
        """Forget the document."""
        self._documents.pop((collection, key), None)

    def delete_many(self, collection: str, keys: Iterable[str]) -> None:
        """Forget many documents."""
        for key in keys:
            self.delete(collection, key)

    def scan(self, collection: str, *, prefix: str = "") -> Iterator[tuple[str, Mapping[str, Json]]]:
        """Keys and documents in the order of the keys."""
        for (own, key), text in sorted(self._documents.items()):
            if own == collection and key.startswith(prefix):
                yield key, _read(text)

    def ranked(self, collection: str, *, prefix: str = "", after: str = "") -> Iterator[tuple[str, Mapping[str, Json]]]:
        """Keys and documents in the order of their ranks."""
        texts = [(key, _read(text)) for (own, key), text in self._documents.items() if own == collection]
        found = sorted(
            (rank, key, document) for key, document in texts if isinstance(rank := document.get("rank"), str)
        )
        return ((key, document) for rank, key, document in found if rank.startswith(prefix) and rank > after)

    def count_ranked(self, collection: str, *, prefix: str = "") -> int:
        """How many documents have a rank that begins so."""
        return sum(1 for _ in self.ranked(collection, prefix=prefix))


def _read(text: str) -> Mapping[str, Json]:
    document: Mapping[str, Json] = json.loads(text)
    return document


class MemoryAssign:
    """Chooses among the account's active users; turns are counted for each set of candidates."""

    def __init__(self, state: AccountState) -> None:
        self._state = state
        self._last: dict[tuple[str, ...], str] = {}

    def __call__(
        self,
        policy: Policy,
        *,
        owner_id: str | None = None,
        among: Sequence[str] = (),
        fixed: str | None = None,
    ) -> Choice:
        """The user by `policy`."""
        owners = (task.owner_id for task in self._state.all(Task) if not task.is_done)
        load: Counter[str] = Counter(owner for owner in owners if owner is not None)
        turns = tuple(among)
        choice = choose(
            policy,
            active=[user.ref.id for user in self._state.all(User) if user.is_active],
            owner_id=owner_id,
            among=among,
            fixed=fixed,
            last=self._last.get(turns),
            load=load,
        )
        if choice.is_turn and choice.user_id is not None:
            self._last[turns] = choice.user_id
        return choice


@dataclass(slots=True)
class Desk:
    """One extension's own things in one account; lives as long as the test.

    `timers` holds what `ctx.later` asked for: by record and key, the moment. `effects` are writes by their `once=`.
    """

    mirror: MemoryMirror
    assign: MemoryAssign
    index: MemoryIndex
    store: MemoryStore = field(default_factory=MemoryStore)
    timers: dict[tuple[Ref | None, str], datetime] = field(default_factory=dict)
    effects: dict[str, Ref | None] = field(default_factory=dict)

    @classmethod
    def of(cls, state: AccountState) -> Desk:
        """An empty desk in an account."""
        return cls(MemoryMirror(state), MemoryAssign(state), MemoryIndex(state))
