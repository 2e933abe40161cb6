"""A view of a real account: a connection that shows what one test made, and nothing of what was there before."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from crmkit.adapter import Capability, Connection, Level, Page, Query
from crmkit.errors import CrmKitError
from crmkit.models import Record
from crmkit.values import Kind, Ref
from crmkit.write import Verb, Write

SETTINGS = frozenset({Kind.USER, Kind.PIPELINE})


class View:
    """The account as the contract wants it, empty at first: reads show the records in `made` alone.

    Args:
        connection: the open account.
        made: addresses of the records of this test, whoever of its connections made them; each creation adds one.
    """

    def __init__(self, connection: Connection, made: dict[Ref, None]) -> None:
        self._connection = connection
        self._made = made

    def __getattr__(self, name: str) -> Any:
        """All else is the connection's own."""
        return getattr(self._connection, name)

    def supports(self, capability: Capability) -> Level:
        """As the account does, but for hooks: nobody delivers to a test."""
        return Level.ABSENT if capability is Capability.WEBHOOKS else self._connection.supports(capability)

    def pages(self, kind: Kind, *, updated_since: datetime | None = None, cursor: str | None = None) -> Iterator[Page]:
        for page in self._connection.pages(kind, updated_since=updated_since, cursor=cursor):
            yield Page(tuple(self._ours(page.records)), page.cursor, page.is_dated)

    def find(self, kind: Kind, query: Query) -> Sequence[Record]:
        return self._ours(self._connection.find(kind, query))

    def write(self, write: Write) -> Ref | None:
        return self._noted(write, self._connection.write(write))

    def write_many(self, writes: Sequence[Write]) -> Sequence[Ref | CrmKitError | None]:
        done = self._connection.write_many(writes)
        for write, result in zip(writes, done, strict=True):
            if not isinstance(result, CrmKitError):
                self._noted(write, result)
        return done

    def recover(self, write: Write, *, since: datetime, known: Collection[Ref]) -> Ref | None:
        return self._noted(write, self._connection.recover(write, since=since, known=known))

    def _ours(self, records: Sequence[Record]) -> list[Record]:
        return [one for one in records if one.ref in self._made or one.ref.kind in SETTINGS]

    def _noted(self, write: Write, ref: Ref | None) -> Ref | None:
        if write.verb is Verb.CREATE and ref is not None:
            self._made[ref] = None
        return ref


def scrap(connection: Connection, made: Collection[Ref]) -> list[Ref]:
    """Throw away what a test made, the last first; what the vendor lets no program delete is closed and named so.

    The records that are still there.
    """
    left = []
    for ref in reversed(list(made)):
        try:
            connection.write(Write(Verb.DELETE, ref.kind, ref=ref))
        except CrmKitError:
            left.append(ref)
    there = {record.ref: record for record in connection.load(left)}
    for ref in there:
        _close(connection, ref)
    return list(there)


def _close(connection: Connection, ref: Ref) -> None:
    changes: Mapping[Kind, Mapping[str, Any]] = {
        Kind.TASK: {"is_done": True, "result": "crmkit: a test"},
        Kind.DEAL: {"title": "crmkit: a test, delete me"},
        Kind.CONTACT: {"name": "crmkit: a test, delete me", "phones": (), "emails": ()},
        Kind.COMPANY: {"name": "crmkit: a test, delete me", "phones": (), "emails": ()},
    }
    try:
        connection.write(Write(Verb.UPDATE, ref.kind, ref=ref, changes=changes.get(ref.kind, {})))
    except CrmKitError:
        # The account's people delete it by hand; a test that is over is not failed by that.
        return
