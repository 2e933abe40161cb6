"""The journal: every merge with all its records as they were, so that it can be gone on with and taken back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import count
from typing import Any

from crmkit.storage import Store
from crmkit.values import Json, Kind, Ref
from crmkit_dedup.merging.portrait import Portrait

MERGES = "merges"
"""Collection of the merges by their names, `<kind>-<survivor's id>-<number>`."""

HELD = "held"
"""Collection of the records that take part in a merge just now."""

ALIVE = "alive"
"""Collection of losers that live on, marked, where a merge leaves them."""

LOSERS = "losers"
"""Collection that leads from a record to the merge that took it in."""


_FAR_S = 9_999_999_999.0
"""A moment that no merge reaches, in seconds since the epoch."""


class State(StrEnum):
    """How far a merge has come."""

    BEGUN = "begun"
    PLANNED = "planned"
    DONE = "done"
    REFUSED = "refused"
    UNDOING = "undoing"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Entry:
    """One merge.

    Args:
        before: all records as they were, the survivor first.
        after: the survivor once all had arrived, and losers that live on, as they were once they were marked.
        seen: prints of losers that live on, as they were when somebody last looked.
        copies: remarks that were written anew on the survivor, by those they are copies of.
        note: the remark about values that found no place.
        anew: losers that were made anew when the merge was taken back.
        why: the evidence in words.
        report: what was said of the merge, and of its taking back.
    """

    id: str
    state: State
    survivor: Ref
    losers: tuple[Ref, ...]
    at: datetime
    before: Mapping[Ref, Portrait]
    after: Mapping[Ref, Portrait] = field(default_factory=dict)
    seen: Mapping[Ref, str] = field(default_factory=dict)
    copies: Mapping[Ref, Ref] = field(default_factory=dict)
    note: Ref | None = None
    anew: Mapping[Ref, Ref] = field(default_factory=dict)
    why: str = ""
    report: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        """The kind of the records."""
        return self.survivor.kind

    @property
    def rank(self) -> str:
        """Its place among all merges, the latest first; no other merge has it."""
        return f"{_FAR_S - self.at.timestamp():017.6f} {self.id}"

    def to_json(self) -> dict[str, Json]:
        """The entry as the store keeps it."""
        return {
            "id": self.id,
            "state": self.state.value,
            "survivor": str(self.survivor),
            "losers": [str(ref) for ref in self.losers],
            "at": self.at.isoformat(),
            "before": {str(ref): one.to_json() for ref, one in self.before.items()},
            "after": {str(ref): one.to_json() for ref, one in self.after.items()},
            "seen": {str(ref): one for ref, one in self.seen.items()},
            "copies": {str(note): str(copy) for note, copy in self.copies.items()},
            "note": str(self.note) if self.note else None,
            "anew": {str(old): str(new) for old, new in self.anew.items()},
            "why": self.why,
            "report": list(self.report),
            "rank": self.rank,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Entry:
        """Read back what `to_json` wrote."""
        return cls(
            id=data["id"],
            state=State(data["state"]),
            survivor=Ref.parse(data["survivor"]),
            losers=tuple(Ref.parse(ref) for ref in data["losers"]),
            at=datetime.fromisoformat(data["at"]),
            before={Ref.parse(ref): Portrait.from_json(one) for ref, one in data["before"].items()},
            after={Ref.parse(ref): Portrait.from_json(one) for ref, one in data["after"].items()},
            seen={Ref.parse(ref): str(one) for ref, one in data["seen"].items()},
            copies={Ref.parse(note): Ref.parse(copy) for note, copy in data["copies"].items()},
            note=Ref.parse(data["note"]) if data["note"] else None,
            anew={Ref.parse(old): Ref.parse(new) for old, new in data["anew"].items()},
            why=data["why"],
            report=tuple(data["report"]),
        )


class Journal:
    """The merges of one account.

    Args:
        store: the extension's own.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, survivor: Portrait, losers: Sequence[Portrait], at: datetime, *, why: str = "") -> Entry:
        """A new entry, and the hold on its records. Raises BusyError when one of them is held by another merge."""
        draft = self._draft(survivor, losers, State.BEGUN, at, why)
        for number in count(1):
            entry = replace(draft, id=f"{_names(survivor.ref)}{number}")
            if self._store.add(MERGES, entry.id, entry.to_json()):
                break
        for ref in sorted(entry.before):
            if not self._store.add(HELD, _key(ref), {"merge": entry.id}):
                holder = self.holder(ref)
                self.release(entry)
                self._store.delete(MERGES, entry.id)
                raise BusyError(ref, holder or "")
        return entry

    def plan(self, survivor: Portrait, losers: Sequence[Portrait], at: datetime, *, why: str = "") -> Entry:
        """The entry of a merge that is only planned; the same plan made again is the same entry."""
        draft = self._draft(survivor, losers, State.PLANNED, at, why)
        same = next((entry for entry in self.planned(survivor.ref) if set(entry.losers) == set(draft.losers)), None)
        if same is not None:
            self.put(replace(draft, id=same.id))
            return replace(draft, id=same.id)
        for number in count(1):
            entry = replace(draft, id=f"{_names(survivor.ref)}{number}")
            if self._store.add(MERGES, entry.id, entry.to_json()):
                return entry
        raise AssertionError("counting has no end")

    def planned(self, survivor: Ref) -> Iterator[Entry]:
        """Merges into a record that are planned, and of which nobody has seen yet that they were applied."""
        return (entry for entry in self.entries(prefix=_names(survivor)) if entry.state is State.PLANNED)

    def get(self, merge_id: str) -> Entry | None:
        """The entry of that name; None when there is none."""
        found = self._store.get(MERGES, merge_id)
        return Entry.from_json(found) if found is not None else None

    def put(self, entry: Entry) -> None:
        """Keep the entry as it is now."""
        self._store.put(MERGES, entry.id, entry.to_json())

    def finish(self, entry: Entry) -> None:
        """Keep the entry, lead from its losers to it while it stands, and let its records go."""
        self.put(entry)
        for loser in entry.losers:
            if entry.state is State.DONE:
                self._store.put(LOSERS, _key(loser), {"merge": entry.id})
            else:
                self._store.delete(LOSERS, _key(loser))
            if entry.state is State.DONE and loser in entry.after:
                self._store.put(ALIVE, _key(loser), {"merge": entry.id, "ref": str(loser)})
            else:
                self._store.delete(ALIVE, _key(loser))
        self.release(entry)

    def alive(self) -> list[tuple[Ref, str]]:
        """Losers that live on, each with the name of its merge."""
        return [(Ref.parse(str(body["ref"])), str(body["merge"])) for _, body in self._store.scan(ALIVE)]

    def free(self, loser: Ref) -> None:
        """The record is no part of another one any more."""
        self._store.delete(LOSERS, _key(loser))

    def bury(self, loser: Ref) -> None:
        """A loser that lived on is deleted by now."""
        self._store.delete(ALIVE, _key(loser))

    def begun(self) -> list[Entry]:
        """Merges that were begun and not ended."""
        names = dict.fromkeys(str(body["merge"]) for _, body in self._store.scan(HELD))
        found = [entry for name in names if (entry := self.get(name)) is not None]
        return [entry for entry in found if entry.state is State.BEGUN]

    def release(self, entry: Entry) -> None:
        """Let the records of a merge take part in others."""
        for ref in entry.before:
            if self.holder(ref) == entry.id:
                self._store.delete(HELD, _key(ref))

    def hold(self, entry: Entry) -> None:
        """Hold the survivor once more, to take the merge back. Raises BusyError when another merge has it."""
        if not self._store.add(HELD, _key(entry.survivor), {"merge": entry.id}):
            holder = self.holder(entry.survivor)
            if holder != entry.id:
                raise BusyError(entry.survivor, holder or "")

    def holder(self, ref: Ref) -> str | None:
        """The merge that the record takes part in just now."""
        found = self._store.get(HELD, _key(ref))
        return str(found["merge"]) if found is not None else None

    def open_of(self, refs: Sequence[Ref]) -> Entry | None:
        """The merge of exactly these records that was begun and not ended; it holds all of them from now on."""
        holders = {holder for ref in refs if (holder := self.holder(ref)) is not None}
        entry = self.get(holders.pop()) if len(holders) == 1 else None
        if entry is None or set(entry.before) != set(refs):
            return None
        for ref in refs:
            self._store.add(HELD, _key(ref), {"merge": entry.id})
        return entry

    def of_loser(self, ref: Ref) -> Entry | None:
        """The merge that took the record in and still stands."""
        found = self._store.get(LOSERS, _key(ref))
        return self.get(str(found["merge"])) if found is not None else None

    def into(self, survivor: Ref) -> list[Entry]:
        """Merges into a record that still stand, oldest first."""
        prefix, standing = f"{survivor.kind.value}-", (State.DONE, State.PLANNED)
        found = [one for one in self.entries(prefix=prefix) if one.survivor == survivor and one.state in standing]
        return sorted(found, key=lambda entry: entry.at)

    def renew(self, old: Ref, new: Ref) -> None:
        """A survivor was made anew under another address: its own merges are from now on merges into that one."""
        for entry in self.into(old):
            before = {new if ref == old else ref: one.renewed(old, new) for ref, one in entry.before.items()}
            after = {new if ref == old else ref: one.renewed(old, new) for ref, one in entry.after.items()}
            self.put(replace(entry, survivor=new, before=before, after=after))

    def entries(self, *, prefix: str = "") -> Iterator[Entry]:
        """All merges whose names begin so, in the order of their names."""
        return (Entry.from_json(body) for _, body in self._store.scan(MERGES, prefix=prefix))

    def latest(self, *, after: str = "") -> Iterator[Entry]:
        """The merges behind that rank, the latest first."""
        return (Entry.from_json(body) for _, body in self._store.ranked(MERGES, after=after))

    def count(self) -> int:
        """How many merges there are."""
        return self._store.count_ranked(MERGES)

    def _draft(self, survivor: Portrait, losers: Sequence[Portrait], state: State, at: datetime, why: str) -> Entry:
        return Entry(
            id="",
            state=state,
            survivor=survivor.ref,
            losers=tuple(one.ref for one in losers),
            at=at,
            before={one.ref: one for one in (survivor, *losers)},
            why=why,
        )


class BusyError(Exception):
    """A record takes part in another merge just now."""

    def __init__(self, ref: Ref, merge_id: str) -> None:
        super().__init__(f"{ref} takes part in merge {merge_id}")
        self.ref = ref
        self.merge_id = merge_id


def _names(survivor: Ref) -> str:
    """How the names of the merges into a record begin."""
    return f"{survivor.kind.value}-{survivor.id}-"


def _key(ref: Ref) -> str:
    return f"{ref.kind.value}:{ref.id}"
