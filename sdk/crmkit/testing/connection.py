"""An open account of the memory CRM."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from heapq import nsmallest

from crmkit.adapter import Account, Capability, HookState, Level, Page, Query
from crmkit.errors import CrmKitError, NotFound, Unsupported
from crmkit.http import Urgency
from crmkit.models import RECORDS, CustomValue, FieldDef, FieldType, Record
from crmkit.testing import changes, furniture, matching
from crmkit.testing.faults import Reading
from crmkit.testing.hooks import VENDOR
from crmkit.testing.state import AccountState
from crmkit.testing.world import MemoryWorld
from crmkit.values import Json, Kind, Ref
from crmkit.webhook import FeedPage
from crmkit.write import Native, Verb, Write

CAPABILITIES: Mapping[Capability, Level] = dict.fromkeys(Capability, Level.NATIVE)
"""What the memory CRM can do: everything."""


class MemoryConnection:
    """One account, straight from the dictionaries; every request is counted and may be made to fail.

    Args:
        world: where the account lives.
        key: the account's key.
        urgency: the queue its calls stand in, written down with each.
    """

    vendor = VENDOR

    def __init__(self, world: MemoryWorld, key: str, urgency: Urgency = Urgency.LIVE) -> None:
        self._world = world
        self._key = key
        self._urgency = urgency

    @property
    def key(self) -> str:
        """The account's key."""
        return self._key

    def account(self) -> Account:
        """The account as it describes itself."""
        with self._world.serving(self._key, Reading.ACCOUNT, urgency=self._urgency) as state:
            return state.account

    def supports(self, capability: Capability) -> Level:
        """How the account gives a capability."""
        return CAPABILITIES[capability]

    def load(self, refs: Sequence[Ref]) -> Sequence[Record]:
        """The records that exist, each once."""
        kinds = {ref.kind for ref in refs}
        kind = kinds.pop() if len(kinds) == 1 else None
        with self._world.serving(self._key, Reading.LOAD, kind, tuple(refs), self._urgency) as state:
            return [state.records[ref] for ref in dict.fromkeys(refs) if ref in state.records]

    def pages(self, kind: Kind, *, updated_since: datetime | None = None, cursor: str | None = None) -> Iterator[Page]:
        """The records of a kind, by number, or with `updated_since` oldest change first."""
        behind = cursor
        while True:
            with self._world.serving(self._key, Reading.PAGES, kind, urgency=self._urgency) as state:
                size = self._world.page_size
                if updated_since is None:
                    records, behind = _by_number(state, kind, behind, size)
                else:
                    records, behind = _by_change(state, kind, updated_since, behind, size)
            if not records:
                return
            yield Page(tuple(records), behind)

    def find(self, kind: Kind, query: Query) -> Sequence[Record]:
        """All records that match."""
        with self._world.serving(self._key, Reading.FIND, kind, urgency=self._urgency) as state:
            return matching.find(state, kind, query)

    def download(self, ref: Ref) -> bytes:
        """The content of a file."""
        with self._world.serving(self._key, Reading.DOWNLOAD, Kind.FILE, (ref,), self._urgency) as state:
            if ref not in state.contents:
                raise NotFound(f"{ref} does not exist", account=self._key, vendor=VENDOR, status=404, ref=str(ref))
            return state.contents[ref]

    def fields(self, kind: Kind) -> Sequence[FieldDef]:
        """The custom fields of a kind."""
        with self._world.serving(self._key, Reading.FIELDS, kind, urgency=self._urgency) as state:
            return list(state.fields.get(kind, ()))

    def write(self, write: Write) -> Ref | None:
        """Do it, or raise what the CRM says against it."""
        refs = (write.ref, *write.others) if write.ref else write.others
        with self._world.serving(self._key, write.verb, write.kind, refs, self._urgency) as state:
            known = self._by_marker(state, write) if self._world.has_native_keys else None
            return known or changes.apply(state, write, furniture.API_USER)

    def write_many(self, writes: Sequence[Write]) -> Sequence[Ref | CrmKitError | None]:
        """Do them one by one; a refusal takes the place of a result."""
        results: list[Ref | CrmKitError | None] = []
        for write in writes:
            try:
                results.append(self.write(write))
            except CrmKitError as error:
                results.append(error)
        return results

    def natives(self, record: Record) -> Sequence[Native]:
        """The filled custom fields."""
        return [_native(item) for item in record.custom if isinstance(item, CustomValue) and item.value is not None]

    def native_extra(self, kind: Kind, values: Mapping[str, Json], *, on: Record | None = None) -> Mapping[str, Json]:
        """Custom fields by their numbers."""
        return {"custom": dict(values)} if values else {}

    def recover(self, write: Write, *, since: datetime, known: Collection[Ref]) -> Ref | None:
        """The newest record that an equal write created since, and that belongs to nobody else."""
        if write.verb is not Verb.CREATE:
            return None
        floor = since.replace(microsecond=0)
        with self._world.serving(self._key, Reading.RECOVER, write.kind, urgency=self._urgency) as state:
            digest = write.digest()
            for made in reversed(state.created):
                if made.digest == digest and made.at >= floor and made.ref not in known:
                    return made.ref
        return None

    def feed(self, cursor: str | None) -> FeedPage:
        """The rows behind the cursor that have shown up by now."""
        with self._world.serving(self._key, Reading.FEED, urgency=self._urgency) as state:
            if cursor is None:
                return FeedPage((), str(len(state.feed)), is_last=True)
            start = int(cursor)
            shown = max(start, state.visible_rows(self._world.feed_lag))
            end = min(shown, start + self._world.page_size)
            rows = state.feed[max(0, start - self._world.feed_overlap) : end]
            return FeedPage(tuple(row.hint for row in rows), str(end), is_last=end == shown)

    def ensure_hooks(self, url: str) -> HookState:
        """Send hooks to `url` from now on."""
        with self._world.serving(self._key, Reading.HOOKS, urgency=self._urgency) as state:
            was, was_enabled = state.subscription, state.is_subscription_enabled
            state.subscription, state.is_subscription_enabled = url, True
        if was is None:
            return HookState(url, "created")
        if was != url:
            return HookState(url, "changed")
        return HookState(url, "kept" if was_enabled else "revived")

    def call(self, method: str, path: str, *, query: Sequence[tuple[str, str]] = (), body: Json = None) -> Json:
        """`GET /<kind>/<id>` gives the record's body; the memory CRM has no other native door."""
        with self._world.serving(self._key, Reading.CALL, urgency=self._urgency) as state:
            kind, _, id_ = path.strip("/").partition("/")
            if method != "GET" or kind not in set(Kind) or not id_:
                raise Unsupported(
                    f"{method} {path} is nothing the memory CRM knows",
                    account=self._key,
                    vendor=VENDOR,
                    remedy="Ask GET /<kind>/<id>.",
                )
            found = state.records.get(Ref(self._key, Kind(kind), id_))
            if found is None:
                raise NotFound(f"{path} does not exist", account=self._key, vendor=VENDOR, status=404)
            return found.raw

    def close(self) -> None:
        """Nothing is held."""

    def _by_marker(self, state: AccountState, write: Write) -> Ref | None:
        if write.marker is None:
            return None
        return next((made.ref for made in state.created if made.marker == write.marker), None)


def _native(item: CustomValue) -> Native:
    value: Json = item.model_dump(mode="json")["value"]
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(item.value)
    return Native(item.id, item.title, value, text, is_many=item.type is FieldType.MULTIENUM)


def _by_number(state: AccountState, kind: Kind, behind: str | None, size: int) -> tuple[list[Record], str]:
    ids = state.ids(kind)
    start = bisect_right(ids, int(behind or 0))
    chosen = ids[start : start + size]
    records = [state.records[Ref(state.key, kind, str(number))] for number in chosen]
    return records, str(chosen[-1]) if chosen else behind or "0"


def _by_change(
    state: AccountState, kind: Kind, since: datetime, behind: str | None, size: int
) -> tuple[list[Record], str]:
    floor = since.replace(microsecond=0)
    place = tuple(int(part) for part in behind.split(":")) if behind else (0, 0)
    rows = (
        (int(record.updated_at.timestamp()), int(record.ref.id), record)
        for record in state.all(RECORDS[kind])
        if record.updated_at is not None and record.updated_at >= floor
    )
    chosen = nsmallest(size, (row for row in rows if row[:2] > place), key=lambda row: row[:2])
    cursor = f"{chosen[-1][0]}:{chosen[-1][1]}" if chosen else behind or "0:0"
    return [row[2] for row in chosen], cursor
