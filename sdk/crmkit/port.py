"""Ports: the typed verbs of one kind of record, over the few calls of a connection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Generic, TypeVar, cast

from crmkit.adapter import BatchResult, Connection, Failure, Query
from crmkit.clock import aware
from crmkit.errors import Ambiguous, CrmKitError, NotFound
from crmkit.models import Record
from crmkit.values import Json, Ref
from crmkit.write import Verb, Write

R = TypeVar("R", bound=Record)
C = TypeVar("C", bound=Mapping[str, object])


class Readable(Generic[R]):
    """The reading half of a port.

    Args:
        connection: the open account.
        record: the record class this port gives.
    """

    def __init__(self, connection: Connection, record: type[R]) -> None:
        self._connection = connection
        self._record = record

    def get(self, ref: Ref) -> R:
        """The record, freshly read. Raises NotFound, also for another account's record or one of another kind."""
        self._mine(ref)
        found = self.get_many([ref])
        if ref not in found:
            raise NotFound(
                f"{ref} does not exist or is not visible to us",
                account=ref.account,
                vendor=self._connection.vendor,
                ref=str(ref),
                remedy="It may have been deleted or merged; look it up by phone or name.",
            )
        return found[ref]

    def get_many(self, refs: Sequence[Ref]) -> Mapping[Ref, R]:
        """The records that exist, by address; those that do not are absent."""
        mine = [ref for ref in refs if self._is_mine(ref)]
        return {record.ref: cast("R", record) for record in self._connection.load(mine)} if mine else {}

    def iterate(self, *, updated_since: datetime | None = None) -> Iterator[R]:
        """All records, page by page, each once; complete even while others change them.

        `updated_since` is aware; vendors compare whole seconds. Raises ValueError for one without a zone.
        """
        return self._each(aware(updated_since) if updated_since is not None else None)

    def _each(self, updated_since: datetime | None) -> Iterator[R]:
        seen: set[str] = set()
        for page in self._connection.pages(self._record.kind, updated_since=updated_since):
            for record in page.records:
                if record.ref.id not in seen:
                    seen.add(record.ref.id)
                    yield cast("R", record)

    def _is_mine(self, ref: Ref) -> bool:
        return (ref.account, ref.kind) == (self._connection.key, self._record.kind)

    def _mine(self, *refs: Ref) -> None:
        """Ids are unique within a kind of an account only: the same number elsewhere is somebody else's record."""
        for ref in refs:
            if not self._is_mine(ref):
                raise NotFound(
                    f"{ref} is no {self._record.kind.value} of account {self._connection.key}",
                    account=self._connection.key,
                    vendor=self._connection.vendor,
                    ref=str(ref),
                    remedy="Ask the port of its kind, of its own account.",
                )

    def _find(self, query: Query) -> Sequence[R]:
        return cast("Sequence[R]", self._connection.find(self._record.kind, query))

    def _one(self, found: Sequence[R], query: Query) -> R | None:
        if len(found) > 1:
            raise Ambiguous(
                f"{len(found)} records of kind {self._record.kind.value} match {dict(query.asked())}",
                matches=tuple(str(record.ref) for record in found),
                account=self._connection.key,
                vendor=self._connection.vendor,
                remedy="Use find() and choose, or merge the duplicates.",
            )
        return found[0] if found else None


class Port(Readable[R], Generic[R, C]):
    """Reading and writing of one kind of record."""

    def create(self, record: R, *, once: str | None = None, extra: Mapping[str, Json] | None = None) -> Ref:
        """Create the record; only the fields that were set are sent.

        `once` names the effect within the account and the extension: the same name never creates twice, and gives the
        address of the first. `extra` is laid over the vendor's body.
        Raises Rejected by field.
        """
        write = Write(Verb.CREATE, self._record.kind, record=record, extra=extra or {}, marker=once)
        made = self._connection.write(write)
        if made is None:
            raise CrmKitError(f"the CRM gave no id for {write.target}", account=self._connection.key)
        return made

    def create_many(self, records: Sequence[R]) -> BatchResult:
        """Create in batches; says per record what became of it."""
        return self._batch([Write(Verb.CREATE, self._record.kind, record=record) for record in records])

    def update(self, ref: Ref, changes: C, *, once: str | None = None, extra: Mapping[str, Json] | None = None) -> None:
        """Change these fields and no others: `crm.deals.update(ref, {"title": "..."})`."""
        self._mine(ref)
        write = Write(Verb.UPDATE, self._record.kind, ref=ref, changes=changes, extra=extra or {}, marker=once)
        self._connection.write(write)

    def update_many(self, changes: Mapping[Ref, C]) -> BatchResult:
        """Change several records in batches; says per record, in the mapping's order, what became of it."""
        self._mine(*changes)
        return self._batch(
            [Write(Verb.UPDATE, self._record.kind, ref=ref, changes=new) for ref, new in changes.items()]
        )

    def delete(self, ref: Ref) -> None:
        """Delete the record. Raises Unsupported where the vendor cannot."""
        self._mine(ref)
        self._connection.write(Write(Verb.DELETE, self._record.kind, ref=ref))

    def link(self, ref: Ref, other: Ref, *, extra: Mapping[str, Json] | None = None) -> None:
        """Connect two records; connecting them again changes nothing.

        `extra={"is_main": True}` makes a contact the main one of a deal, where the vendor has a main one.
        """
        self._mine(ref)
        self._connection.write(Write(Verb.LINK, self._record.kind, ref=ref, others=(other,), extra=extra or {}))

    def unlink(self, ref: Ref, other: Ref) -> None:
        """Disconnect two records."""
        self._mine(ref)
        self._connection.write(Write(Verb.UNLINK, self._record.kind, ref=ref, others=(other,)))

    def merge(
        self,
        survivor: Ref,
        losers: Sequence[Ref],
        *,
        once: str | None = None,
        extra: Mapping[str, Json] | None = None,
    ) -> None:
        """Make the losers a part of the survivor; what is told of them is about the survivor from now on.

        Doing it again changes nothing. Where the merge is emulated (capability MERGE) the losers stay, marked as
        duplicates. Raises Unsupported where the vendor cannot, Conflict where a person has to decide.
        """
        self._mine(survivor, *losers)
        write = Write(Verb.MERGE, self._record.kind, ref=survivor, others=tuple(losers), extra=extra or {}, marker=once)
        self._connection.write(write)

    def readdress(self, old: Ref, new: Ref) -> None:
        """Take a merge back for whoever listens: what is told of `old` is about `new` from now on.

        `new` is `old` itself where the record stands for itself again, another one where it was made anew. Nothing is
        changed in the CRM.
        """
        self._mine(old, new)
        self._connection.write(Write(Verb.READDRESS, self._record.kind, ref=old, others=(new,)))

    def _batch(self, writes: Sequence[Write]) -> BatchResult:
        done: dict[int, Ref] = {}
        failed: list[Failure] = []
        for index, (write, result) in enumerate(zip(writes, self._connection.write_many(writes), strict=True)):
            if isinstance(result, CrmKitError):
                failed.append(Failure(index, result))
            elif (ref := result or write.ref) is not None:
                done[index] = ref
        return BatchResult(done, tuple(failed))
