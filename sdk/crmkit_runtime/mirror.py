"""The mirror: our last seen copy of each record, its version, and where merged records live on."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from pydantic import ValidationError
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from crmkit.models import RECORDS, Record
from crmkit.values import Kind, Ref
from crmkit_runtime.database import Database, from_us, to_us, upsert
from crmkit_runtime.service import Service
from crmkit_runtime.tables import alias
from crmkit_runtime.tables import mirror as table

log = logging.getLogger(__name__)

R = TypeVar("R", bound=Record)

CHUNK = 1_000
"""Rows that one reading transaction of a scan takes."""


_DATA_OF = (
    "select record_id, data from mirror where account = ? and kind = ? and is_gone = 0 "
    "and record_id in (select value from json_each(?))"
)


@dataclass(frozen=True, slots=True)
class Copy:
    """What we last saw of a record.

    Args:
        version: rises with every change of the copy, and never repeats for a record.
        translator: the adapter's rules by which `record` was made.
        raw: the vendor's body, empty when the copy was made from our own draft.
        is_partial: made from our own draft: what we did not send is unknown.
        is_gone: the record was deleted or merged; `record` is what it last was.
    """

    record: Record
    version: int
    translator: int
    raw: Mapping[str, Any]
    is_partial: bool
    is_gone: bool
    seen_at: datetime


def copy_of(connection: Connection, ref: Ref) -> Copy | None:
    """The copy, also of a record that is gone; None when it was never seen."""
    row = connection.execute(select(table).where(*_is(ref))).first()
    return _copy(row) if row else None


def get(connection: Connection, record: type[R], ref: Ref) -> R | None:
    """The last seen record; None when it was never seen or is gone."""
    found = copy_of(connection, ref)
    return found.record if found and not found.is_gone and isinstance(found.record, record) else None


def get_many(connection: Connection, account: str, record: type[R], refs: Sequence[Ref]) -> Mapping[Ref, R]:
    """The last seen records of one kind, by address; those never seen, gone, or of another account or kind are absent.

    What the vendor sent is neither read nor decoded.
    """
    wanted = {ref.id: ref for ref in refs if (ref.account, ref.kind) == (account, record.kind)}
    rows = _data_of(connection, account, record.kind, list(wanted)) if wanted else ()
    copies = ((record_id, _read(account, record, record_id, data)) for record_id, data in rows)
    return {wanted[record_id]: copy for record_id, copy in copies if copy is not None}


def _data_of(connection: Connection, account: str, kind: Kind, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    if connection.dialect.name == "sqlite":
        # The driver itself, one prepared statement for any number of ids: a look at a few copies costs half as much.
        raw: Any = connection.connection.driver_connection
        yield from raw.execute(_DATA_OF, (account, kind.value, json.dumps(ids)))
        return
    for start in range(0, len(ids), CHUNK):
        query = select(table.c.record_id, table.c.data).where(
            table.c.account == account,
            table.c.kind == kind.value,
            table.c.record_id.in_(ids[start : start + CHUNK]),
            table.c.is_gone == 0,
        )
        yield from ((row.record_id, row.data) for row in connection.execute(query))


def version(connection: Connection, ref: Ref) -> int:
    """The copy's version; 0 when the record was never seen."""
    return connection.execute(select(table.c.version).where(*_is(ref))).scalar_one_or_none() or 0


def versions(connection: Connection, account: str, refs: Sequence[Ref]) -> Mapping[Ref, int]:
    """The versions of copies; records never seen are absent."""
    found: dict[Ref, int] = {}
    for kind in {ref.kind for ref in refs}:
        ids = [ref.id for ref in refs if ref.kind is kind]
        for start in range(0, len(ids), CHUNK):
            query = select(table.c.record_id, table.c.version).where(
                table.c.account == account,
                table.c.kind == kind.value,
                table.c.record_id.in_(ids[start : start + CHUNK]),
            )
            found |= {Ref(account, kind, row.record_id): row.version for row in connection.execute(query)}
    return found


def put(tx: Connection, service: Service, record: Record, *, seen: int, is_partial: bool = False) -> bool:
    """Keep the record as it is now; False when the copy's version is no more `seen` (0: never seen)."""
    row = _row(service, record, seen + 1, is_partial=is_partial)
    if not seen:
        return upsert(tx, table, row, conflict=["account", "kind", "record_id"]) == 1
    changed = update(table).where(*_is(record.ref), table.c.version == seen)
    return tx.execute(changed.values(row)).rowcount == 1


def put_unseen(tx: Connection, service: Service, records: Sequence[Record]) -> None:
    """Keep the records that were never seen; copies that exist stay as they are."""
    rows = [_row(service, record, 1) for record in records]
    upsert(tx, table, rows, conflict=["account", "kind", "record_id"])


def patch(tx: Connection, record: Record, *, seen: int) -> int:
    """Keep what our own write made of a copy: the vendor's body stays that of the last load. The new version."""
    values = {"version": seen + 1, "data": _data(record)}
    tx.execute(update(table).where(*_is(record.ref)).values(values))
    return seen + 1


def refresh(tx: Connection, service: Service, record: Record, *, seen: int) -> None:
    """Keep the record's body and times; the version stays, for nothing that anybody waits for has changed."""
    changed = update(table).where(*_is(record.ref), table.c.version == seen)
    tx.execute(changed.values(_row(service, record, seen)))


def retranslate(tx: Connection, record: Record, *, seen: int, translator: int) -> None:
    """Keep a copy as today's rules of the adapter read it; its version stays, for the record did not change."""
    values = {"data": _data(record), "translator": translator}
    tx.execute(update(table).where(*_is(record.ref), table.c.version == seen).values(values))


def outdated(connection: Connection, account: str, translator: int, limit: int) -> Sequence[Copy]:
    """Copies that older rules of the adapter made from a vendor's body."""
    query = select(table).where(table.c.account == account, table.c.translator < translator, table.c.raw != "{}")
    return [found for row in connection.execute(query.limit(limit)) if (found := _copy(row))]


def bury(tx: Connection, ref: Ref, *, seen: int) -> int:
    """Mark the record as gone; its copy stays. The new version."""
    tx.execute(update(table).where(*_is(ref)).values(version=seen + 1, is_gone=1))
    return seen + 1


def merged(tx: Connection, loser: Ref, survivor: Ref, at: int) -> None:
    """Let the loser's address, and those of its own losers, mean the survivor."""
    names = (alias.c.account == loser.account, alias.c.kind == loser.kind.value)
    tx.execute(delete(alias).where(*names, alias.c.loser_id == loser.id))
    tx.execute(update(alias).where(*names, alias.c.survivor_id == loser.id).values(survivor_id=survivor.id))
    row = {"loser_id": loser.id, "survivor_id": survivor.id, "at": at}
    tx.execute(insert(alias).values(account=loser.account, kind=loser.kind.value, **row))


def separate(tx: Connection, ref: Ref) -> None:
    """Let the address mean its own record again."""
    names = (alias.c.account == ref.account, alias.c.kind == ref.kind.value)
    tx.execute(delete(alias).where(*names, alias.c.loser_id == ref.id))


def revive(tx: Connection, ref: Ref, *, seen: int) -> int:
    """Take the copy of a record that is there again as one of a living record. The new version."""
    tx.execute(update(table).where(*_is(ref)).values(version=seen + 1, is_gone=0))
    return seen + 1


def merged_among(connection: Connection, account: str, kind: Kind, ids: Sequence[str]) -> Mapping[str, str]:
    """Those of the ids that were merged, each with the id under which the record lives on."""
    query = select(alias.c.loser_id, alias.c.survivor_id).where(
        alias.c.account == account, alias.c.kind == kind.value, alias.c.loser_id.in_(ids)
    )
    return {row.loser_id: row.survivor_id for row in connection.execute(query)}


def survivor_of(connection: Connection, ref: Ref) -> Ref | None:
    """Where a merged record lives on; None when it was not merged."""
    query = select(alias.c.survivor_id).where(
        alias.c.account == ref.account, alias.c.kind == ref.kind.value, alias.c.loser_id == ref.id
    )
    found = connection.execute(query).scalar_one_or_none()
    return Ref(ref.account, ref.kind, found) if found else None


def scan(database: Database, account: str, record: type[R], *, after: str = "") -> Iterator[R]:
    """All copies of a kind behind an id, in the order of their ids; what changes meanwhile is seen or not."""
    for row in _rows(database, account, record.kind, table.c.record_id, table.c.data, behind=after):
        copy = _read(account, record, row.record_id, row.data)
        if copy is not None:
            yield copy


def columns(database: Database, account: str, record: type[R], *names: str) -> Iterator[tuple[object, ...]]:
    """Id and the named fields of each copy, as JSON has them."""
    defaults = {name: _plain_default(record, name) for name in names}
    for row in _rows(database, account, record.kind, table.c.record_id, table.c.data):
        values = json.loads(row.data)
        yield (row.record_id, *(values.get(name, default) for name, default in defaults.items()))


def count(connection: Connection, account: str, kind: Kind) -> int:
    """How many records of a kind there are, as far as we have seen."""
    query = select(func.count()).where(table.c.account == account, table.c.kind == kind.value, table.c.is_gone == 0)
    return connection.execute(query).scalar_one()


def _rows(database: Database, account: str, kind: Kind, *wanted: Any, behind: str = "") -> Iterator[Row[Any]]:
    """Rows in the order of their ids, a chunk a transaction: a long reading one would keep the log from shrinking."""
    while True:
        query = select(*wanted).where(
            table.c.account == account, table.c.kind == kind.value, table.c.record_id > behind, table.c.is_gone == 0
        )
        with database.read() as connection:
            rows = connection.execute(query.order_by(table.c.record_id).limit(CHUNK)).all()
        yield from rows
        if len(rows) < CHUNK:
            return
        behind = rows[-1].record_id


def _read(account: str, record: type[R], record_id: str, data: str) -> R | None:
    try:
        return record.model_validate_json(data)
    except ValidationError:
        log.warning("account %s: the copy of %s %s is unreadable", account, record.kind.value, record_id)
        return None


def _is(ref: Ref) -> tuple[Any, ...]:
    return (table.c.account == ref.account, table.c.kind == ref.kind.value, table.c.record_id == ref.id)


def _row(service: Service, record: Record, number: int, *, is_partial: bool = False) -> dict[str, Any]:
    return {
        "account": record.ref.account,
        "kind": record.ref.kind.value,
        "record_id": record.ref.id,
        "version": number,
        "translator": service.accounts[record.ref.account].adapter.translator_version,
        "data": _data(record),
        "raw": json.dumps(record.raw, ensure_ascii=False, separators=(",", ":")),
        "updated_at": to_us(record.updated_at) if record.updated_at else None,
        "seen_at": to_us(service.clock.now()),
        "is_partial": int(is_partial),
        "is_gone": 0,
    }


def _data(record: Record) -> str:
    return record.model_dump_json(exclude={"raw"}, exclude_defaults=True, warnings=False)


def _copy(row: Row[Any]) -> Copy | None:
    kind = RECORDS[Kind(row.kind)]
    try:
        record = kind.model_validate_json(row.data)
    except ValidationError:
        # Written by a release with other fields: the vendor's body tells the rest once it is translated again.
        log.warning("account %s: the copy of %s %s is unreadable", row.account, row.kind, row.record_id)
        record = kind.model_validate({"ref": Ref(row.account, kind.kind, row.record_id)})
        return Copy(record, row.version, 0, json.loads(row.raw), True, bool(row.is_gone), from_us(row.seen_at))
    return Copy(
        record=record,
        version=row.version,
        translator=row.translator,
        raw=json.loads(row.raw),
        is_partial=bool(row.is_partial),
        is_gone=bool(row.is_gone),
        seen_at=from_us(row.seen_at),
    )


def _plain_default(record: type[Record], name: str) -> object:
    default = record.model_fields[name].get_default(call_default_factory=False)
    return list(default) if isinstance(default, tuple) else default
