"""The database: one engine, one way to read, one gate to write through."""

from __future__ import annotations

import fcntl
import itertools
import logging
import os
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

import sqlalchemy
from sqlalchemy import Connection, Engine, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError

from crmkit.errors import ConfigError

try:
    import pysqlite3.dbapi2 as sqlite3
except ImportError:  # no wheel for this platform: the standard library serves, with its own SQLite
    import sqlite3

log = logging.getLogger(__name__)

BUSY_TIMEOUT_MS = 5_000

_MOST_VALUES = 30_000  # SQLite takes 32,766 in a statement

STORAGE_FAULTS: tuple[type[Exception], ...] = (OperationalError, sqlite3.OperationalError)
"""What is raised when the database itself fails: locked, full, away. Other errors are the fault of what is stored."""

SQLITE_VERSION: tuple[int, ...] = sqlite3.sqlite_version_info
"""Of the SQLite that serves."""


def process_name() -> str:
    """Who this process is, in leases and intents."""
    return f"{socket.gethostname()}:{os.getpid()}"


def upsert(
    connection: Connection,
    table: Table,
    values: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    *,
    conflict: Sequence[str],
    update: Sequence[str] = (),
) -> int:
    """How many rows were inserted or changed.

    Where a row with the same `conflict` columns exists, its `update` columns take the new values; without `update`
    the old row stays as it is.
    """
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table)
    if update:
        statement = statement.on_conflict_do_update(
            index_elements=list(conflict), set_={name: statement.excluded[name] for name in update}
        )
    else:
        statement = statement.on_conflict_do_nothing(index_elements=list(conflict))
    if isinstance(values, Mapping):
        return connection.execute(statement, dict(values)).rowcount
    return connection.execute(statement, [dict(row) for row in values]).rowcount if values else 0


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> Sequence[int]:
    """The ids of new rows, in order; all rows have the same columns and none has an id.

    On SQLite it is one statement for thousands of rows: each step of the driver hands the interpreter to other
    threads, and a busy web process gives it back late.
    """
    if connection.dialect.name != "sqlite":
        new = table.insert().returning(table.c.id, sort_by_parameter_order=True)
        return connection.execute(new, [dict(row) for row in rows]).scalars().all()
    width = _MOST_VALUES // len(rows[0])
    parts = (rows[start : start + width] for start in range(0, len(rows), width))
    return list(itertools.chain.from_iterable(_insert_together(connection, table, part) for part in parts))


def _insert_together(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> Sequence[int]:
    names = list(rows[0])
    places = ", ".join([f"({', '.join('?' * len(names))})"] * len(rows))
    columns = ", ".join(f'"{name}"' for name in names)
    # The driver itself: SQLAlchemy's own way costs six times as much, and this is the way of every delivery.
    raw: Any = connection.connection.driver_connection
    done = raw.execute(
        f'insert into "{table.name}" ({columns}) values {places}',  # noqa: S608 -- names of our own schema
        tuple(row[name] for row in rows for name in names),
    )
    # Within a writing transaction nobody else takes numbers, so those of one statement follow one another.
    return range(done.lastrowid - len(rows) + 1, done.lastrowid + 1)


def to_us(at: datetime) -> int:
    """A moment as stored: microseconds since the epoch."""
    return round(at.timestamp() * 1_000_000)


def from_us(stored: int) -> datetime:
    """A stored moment, aware UTC."""
    return datetime.fromtimestamp(stored / 1_000_000, UTC)


class Gate:
    """Lets one writer of one process at a time to an SQLite file.

    SQLite's own waiting polls and starves: a writer of another process waited over a second under load. Threads queue
    on a lock, processes on a `flock`; the versions with the WAL-reset fault are safe behind it as well.

    Args:
        path: the lock file, beside the database.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = threading.Lock()
        self._holder: int | None = None
        self._file: TextIO | None = None
        self._opened_by = 0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        me = threading.get_ident()
        if self._holder == me:
            raise RuntimeError("a transaction was begun inside another one: this thread would wait for itself forever")
        with self._thread:
            file = self._lock_file()
            fcntl.flock(file, fcntl.LOCK_EX)
            self._holder = me
            try:
                yield
            finally:
                self._holder = None
                fcntl.flock(file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the lock file."""
        with self._thread:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _lock_file(self) -> TextIO:
        # A forked child shares its parent's open files and with them the lock: it must open its own.
        if self._file is None or self._opened_by != os.getpid():
            self._file = self._path.open("a")
            self._opened_by = os.getpid()
        return self._file


class Database:
    """Where everything is stored.

    Args:
        url: SQLAlchemy URL, or a path of an SQLite file.
    """

    def __init__(self, url: str) -> None:
        self.url = url if "://" in url else f"sqlite:///{url}"
        self.is_sqlite = self.url.startswith("sqlite")
        self._gate: Gate | None = None
        if self.is_sqlite:
            self._engine = _sqlite_engine(self.url)
            self._gate = Gate(Path(f"{self.path}.lock"))
        else:
            self._engine = create_engine(self.url, pool_size=10, max_overflow=20, pool_pre_ping=True)
        self._reading = self._engine.execution_options(crmkit_read_only=True)
        self._watching: Connection | None = None
        self._watch = threading.Lock()
        self._seen: object = None

    @property
    def path(self) -> Path:
        """The SQLite file."""
        return Path(str(sqlalchemy.make_url(self.url).database))

    @property
    def name(self) -> str:
        """What the database is called in messages: without user and password."""
        return self.url.rsplit("@", 1)[-1].removeprefix("sqlite:///")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view; nothing may be written."""
        with self._reading.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back by any exception. Never held over a network call."""
        if self._gate is None:
            with self._engine.begin() as connection:
                yield connection
            return
        with self._gate(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """A connection outside any transaction, with the gate held; for migrations only."""
        if self._gate is None:
            with self._engine.connect() as connection:
                yield connection
            return
        with self._gate(), self._engine.connect() as connection:
            yield connection

    def changed(self) -> bool:
        """Somebody, of this process or another, has committed since the last call. Cheap enough for every 10 ms."""
        with self._watch:
            if self._watching is None:
                self._watching = self._engine.connect().execution_options(crmkit_read_only=True)
            if self.is_sqlite:
                raw: Any = self._watching.connection.driver_connection
                seen = raw.execute("PRAGMA data_version").fetchone()[0]
            else:
                seen = self._watching.execute(text("select pg_snapshot_xmax(pg_current_snapshot())::text")).scalar()
                self._watching.rollback()
            is_new = bool(seen != self._seen)
            self._seen = seen
            return is_new

    def ping(self) -> None:
        """Raise ConfigError when the database cannot be used."""
        try:
            with self.read() as connection:
                connection.execute(text("select 1"))
        except DBAPIError as error:
            raise ConfigError(
                f"the database {self.name} cannot be opened: {error.orig}",
                remedy="Check that its folder exists and is writable, and that no other program holds it locked.",
            ) from error

    def close(self) -> None:
        """Give back all connections."""
        with self._watch:
            if self._watching is not None:
                self._watching.close()
                self._watching = None
        self._engine.dispose()
        if self._gate is not None:
            self._gate.close()


def _sqlite_engine(url: str) -> Engine:
    module: ModuleType = sqlite3
    engine = create_engine(url, module=module, pool_size=10, max_overflow=50, connect_args={"timeout": 5.0})

    @event.listens_for(engine, "connect")
    def prepare(raw: Any, _record: Any) -> None:
        raw.isolation_level = None
        cursor = raw.cursor()
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get("crmkit_read_only", False)
        # A deferred transaction that read first fails at once when it then writes (SQLITE_BUSY_SNAPSHOT).
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine
