"""The index: look-up keys of an extension's records, found again in a fraction of a millisecond among millions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Table, and_, bindparam, delete, exists, func, literal, select, union_all

from crmkit.values import Kind, Ref
from crmkit_runtime.database import Database, upsert
from crmkit_runtime.tables import index_key as keys_table
from crmkit_runtime.tables import index_record as records_table
from crmkit_runtime.tables import mirror as mirror_table

CHUNK = 500
"""Values that one statement names."""

RUN_KEYS = 400_000
"""Keys that are sorted together in a bulk: each page of the tree is then touched once a run, and not once a key."""

PART_ROWS = 10_000
"""Rows that one transaction of a bulk writes: deliveries wait for no longer than that takes."""

_FIND = (
    "select kind, record_id from index_key where account = ? and extension = ? and key = ? "
    "order by kind, record_id limit ?"
)

_INSERT_KEY = "insert or ignore into index_key (account, extension, key, kind, record_id) values (?, ?, ?, ?, ?)"

_KEEP_RECORD = "insert or replace into index_record (account, extension, kind, record_id, keys) values (?, ?, ?, ?, ?)"

T = TypeVar("T")


class _Place(NamedTuple):
    """A key of a record, in the order of the tree."""

    key: str
    kind: str
    record_id: str


class _Put(NamedTuple):
    """One record of a bulk: the keys it has, and those it is to have."""

    ref: Ref
    old: tuple[str, ...] | None
    new: tuple[str, ...]


class DeskIndex:
    """Look-up keys of one extension in one account.

    Keys stand in the order of the keys, and once more beside each record, so that replacing them reads one row.
    """

    def __init__(self, database: Database, account: str, extension: str) -> None:
        self._database = database
        self._account = account
        self._extension = extension
        self._keys = and_(keys_table.c.account == account, keys_table.c.extension == extension)
        self._records = and_(records_table.c.account == account, records_table.c.extension == extension)

    def put(self, ref: Ref, keys: Sequence[str]) -> None:
        """Replace the keys of a record; writes nothing when they are what they were."""
        new = tuple(dict.fromkeys(keys))
        with self._database.read() as connection:
            if self._known(connection, ref.kind, [ref.id]).get(ref.id) == new:
                return
        with self._database.write() as tx:
            put = _Put(ref, self._known(tx, ref.kind, [ref.id]).get(ref.id), new)
            self._drop_keys(tx, _stale([put]))
            self._insert_keys(tx, _fresh([put]))
            self._keep_records(tx, [put])

    def put_many(self, keys: Iterable[tuple[Ref, Sequence[str]]]) -> int:
        """Replace the keys of many records, in small transactions and bounded memory; how many records were written."""
        written = 0
        for run in _runs(keys):
            puts = [put for put in self._looked_up(run) if put.old != put.new]
            # A kill between these leaves keys without their record: it is put again, for it counts as missing.
            for stale in _parts(sorted(_stale(puts))):
                with self._database.write() as tx:
                    self._drop_keys(tx, stale)
            for fresh in _parts(sorted(_fresh(puts))):
                with self._database.write() as tx:
                    self._insert_keys(tx, fresh)
            for some in _parts(sorted(puts, key=_address)):
                with self._database.write() as tx:
                    self._keep_records(tx, some)
            written += len(puts)
        return written

    def find(self, keys: Sequence[str], *, limit: int = 100) -> Mapping[str, Sequence[Ref]]:
        """The records under each key that has any, at most `limit` for one."""
        wanted = dict.fromkeys(keys)
        with self._database.read() as connection:
            rows = self._rows(connection, list(wanted), limit)
            found: dict[str, list[Ref]] = {}
            for key, kind, record_id in rows:
                found.setdefault(key, []).append(Ref(self._account, Kind(kind), record_id))
        return found

    def counts(self, keys: Sequence[str]) -> Mapping[str, int]:
        """How many records each key has."""
        counts = dict.fromkeys(keys, 0)
        with self._database.read() as connection:
            for some in _parts(list(counts), CHUNK):
                mine = self._keys & keys_table.c.key.in_(some)
                counted = select(keys_table.c.key, func.count()).where(mine).group_by(keys_table.c.key)
                counts |= {row[0]: row[1] for row in connection.execute(counted)}
        return counts

    def missing(self, kind: Kind, *, after: str = "", limit: int = 1_000) -> Sequence[Ref]:
        """Mirrored records of a kind that were never put here, in the order of their ids behind `after`."""
        known = exists().where(
            self._records,
            records_table.c.kind == kind.value,
            records_table.c.record_id == mirror_table.c.record_id,
        )
        query = (
            select(mirror_table.c.record_id)
            .where(
                mirror_table.c.account == self._account,
                mirror_table.c.kind == kind.value,
                mirror_table.c.record_id > after,
                mirror_table.c.is_gone == 0,
                ~known,
            )
            .order_by(mirror_table.c.record_id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [Ref(self._account, kind, record_id) for record_id in connection.execute(query).scalars()]

    def _rows(self, connection: Connection, keys: Sequence[str], limit: int) -> Iterator[tuple[str, str, str]]:
        if self._database.is_sqlite:
            # The driver keeps the statement prepared, and in this process a call of its costs no journey.
            driver = _driver(connection)
            for key in keys:
                for kind, record_id in driver.execute(_FIND, (self._account, self._extension, key, limit)):
                    yield key, kind, record_id
            return
        for some in _parts(keys, CHUNK):
            for row in connection.execute(union_all(*(self._limited(key, limit) for key in some))):
                yield row[0], row[1], row[2]

    def _limited(self, key: str, limit: int) -> Any:
        one = (
            select(literal(key).label("key"), keys_table.c.kind, keys_table.c.record_id)
            .where(self._keys, keys_table.c.key == key)
            .order_by(keys_table.c.kind, keys_table.c.record_id)
            .limit(limit)
            .subquery()
        )
        return select(one.c.key, one.c.kind, one.c.record_id)

    def _known(self, connection: Connection, kind: Kind, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The keys of records that were put, by id."""
        query = select(records_table.c.record_id, records_table.c["keys"]).where(
            self._records, records_table.c.kind == kind.value, records_table.c.record_id.in_(ids)
        )
        return {record_id: tuple(json.loads(keys)) for record_id, keys in connection.execute(query)}

    def _looked_up(self, run: Mapping[Ref, tuple[str, ...]]) -> Iterator[_Put]:
        for kind in sorted({ref.kind for ref in run}):
            mine = [ref for ref in run if ref.kind is kind]
            for some in _parts(mine, CHUNK):
                with self._database.read() as connection:
                    known = self._known(connection, kind, [ref.id for ref in some])
                yield from (_Put(ref, known.get(ref.id), run[ref]) for ref in some)

    def _drop_keys(self, tx: Connection, stale: Iterable[_Place]) -> None:
        mine = and_(*(keys_table.c[name] == bindparam(f"its_{name}") for name in _Place._fields))
        if rows := [{f"its_{name}": value for name, value in one._asdict().items()} for one in stale]:
            tx.execute(delete(keys_table).where(self._keys, mine), rows)

    def _insert_keys(self, tx: Connection, fresh: Iterable[_Place]) -> None:
        rows = [(self._account, self._extension, *one) for one in fresh]
        if self._database.is_sqlite:
            _driver(tx).executemany(_INSERT_KEY, rows)
        else:
            upsert(tx, keys_table, _named(keys_table, rows), conflict=list(keys_table.primary_key.columns.keys()))

    def _keep_records(self, tx: Connection, puts: Iterable[_Put]) -> None:
        rows = [
            (self._account, self._extension, put.ref.kind.value, put.ref.id, json.dumps(put.new, ensure_ascii=False))
            for put in puts
        ]
        if self._database.is_sqlite:
            _driver(tx).executemany(_KEEP_RECORD, rows)
        else:
            conflict = list(records_table.primary_key.columns.keys())
            upsert(tx, records_table, _named(records_table, rows), conflict=conflict, update=["keys"])


def _driver(connection: Connection) -> Any:
    """The driver itself: for millions of rows SQLAlchemy's own way costs more than the database."""
    return connection.connection.driver_connection


def _named(table: Table, rows: Iterable[tuple[str, ...]]) -> list[dict[str, str]]:
    return [dict(zip(table.columns.keys(), row, strict=True)) for row in rows]


def _runs(keys: Iterable[tuple[Ref, Sequence[str]]]) -> Iterator[Mapping[Ref, tuple[str, ...]]]:
    """The records in heaps of `RUN_KEYS` keys; of a record that comes twice in a heap the last counts."""
    heap: dict[Ref, tuple[str, ...]] = {}
    count = 0
    for ref, own in keys:
        heap[ref] = tuple(dict.fromkeys(own))
        count += len(own) + 1
        if count >= RUN_KEYS:
            yield heap
            heap, count = {}, 0
    if heap:
        yield heap


def _stale(puts: Iterable[_Put]) -> Iterator[_Place]:
    for put in puts:
        yield from (_Place(key, put.ref.kind.value, put.ref.id) for key in set(put.old or ()).difference(put.new))


def _fresh(puts: Iterable[_Put]) -> Iterator[_Place]:
    for put in puts:
        old = frozenset(put.old or ())
        yield from (_Place(key, put.ref.kind.value, put.ref.id) for key in put.new if key not in old)


def _address(put: _Put) -> tuple[str, str]:
    return put.ref.kind.value, put.ref.id


def _parts(rows: Sequence[T], size: int = PART_ROWS) -> Iterator[Sequence[T]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))
