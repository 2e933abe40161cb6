"""A connection whose writes with `once=` are done once, as the runtime does them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from crmkit.adapter import Account, Capability, Connection, HookState, Level, Page, Query
from crmkit.errors import CrmKitError
from crmkit.models import FieldDef, Record
from crmkit.values import Json, Kind, Ref
from crmkit.webhook import FeedPage
from crmkit.write import Native, Write


class OnceConnection:
    """Another connection with a memory of what was done under which key.

    Args:
        inner: does the work.
        effects: results by key; shared by all runs of one extension in one account.
    """

    def __init__(self, inner: Connection, effects: dict[str, Ref | None]) -> None:
        self._inner = inner
        self._effects = effects

    @property
    def vendor(self) -> str:
        """Vendor key."""
        return self._inner.vendor

    @property
    def key(self) -> str:
        """The account's key."""
        return self._inner.key

    def write(self, write: Write) -> Ref | None:
        """Do it, unless it was done under the same key: then its result of that time."""
        if write.marker is None:
            return self._inner.write(write)
        if write.marker not in self._effects:
            self._effects[write.marker] = self._inner.write(write)
        return self._effects[write.marker]

    def write_many(self, writes: Sequence[Write]) -> Sequence[Ref | CrmKitError | None]:
        """Do them in batches."""
        return self._inner.write_many(writes)

    def account(self) -> Account:
        """The account as it describes itself."""
        return self._inner.account()

    def supports(self, capability: Capability) -> Level:
        """How this account gives a capability."""
        return self._inner.supports(capability)

    def load(self, refs: Sequence[Ref]) -> Sequence[Record]:
        """The records that exist."""
        return self._inner.load(refs)

    def pages(self, kind: Kind, *, updated_since: datetime | None = None, cursor: str | None = None) -> Iterator[Page]:
        """All records of a kind, page by page."""
        return self._inner.pages(kind, updated_since=updated_since, cursor=cursor)

    def find(self, kind: Kind, query: Query) -> Sequence[Record]:
        """All records that match."""
        return self._inner.find(kind, query)

    def download(self, ref: Ref) -> bytes:
        """The content of a file."""
        return self._inner.download(ref)

    def fields(self, kind: Kind) -> Sequence[FieldDef]:
        """The custom fields of a kind."""
        return self._inner.fields(kind)

    def natives(self, record: Record) -> Sequence[Native]:
        """The fields that only the vendor's words tell."""
        return self._inner.natives(record)

    def native_extra(self, kind: Kind, values: Mapping[str, Json], *, on: Record | None = None) -> Mapping[str, Json]:
        """`extra=` that fills native fields."""
        return self._inner.native_extra(kind, values, on=on)

    def recover(self, write: Write, *, since: datetime, known: Collection[Ref]) -> Ref | None:
        """The record that a write with a lost answer created."""
        return self._inner.recover(write, since=since, known=known)

    def feed(self, cursor: str | None) -> FeedPage:
        """The next page of the account's own changes."""
        return self._inner.feed(cursor)

    def ensure_hooks(self, url: str) -> HookState:
        """Make the CRM send its events to `url`."""
        return self._inner.ensure_hooks(url)

    def call(self, method: str, path: str, *, query: Sequence[tuple[str, str]] = (), body: Json = None) -> Json:
        """The native door."""
        return self._inner.call(method, path, query=query, body=body)

    def close(self) -> None:
        """Give back network connections."""
        self._inner.close()
