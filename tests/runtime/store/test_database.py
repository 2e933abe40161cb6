"""Database: one gate to write through, changes that others notice."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from crmkit_runtime.database import Database, from_us, insert_rows, to_us, upsert
from crmkit_runtime.tables import delivery, lease


def leases(database: Database) -> list[tuple[str, str, int]]:
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(select(lease).order_by(lease.c.name))]


def test_durable_settings(database: Database) -> None:
    """Each connection flushes at commit, writes ahead, checks foreign keys and waits for a lock."""
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    with database.read() as reading:
        read = [reading.execute(text(f"pragma {name}")).scalar() for name in names]
    with database.write() as writing:
        written = [writing.execute(text(f"pragma {name}")).scalar() for name in names]
    assert read == written == ["wal", 2, 1, 5000]


def test_upsert_inserts_then_changes_what_is_named(database: Database) -> None:
    """A row that exists keeps all but the named columns."""
    with database.write() as tx:
        row = {"name": "a", "owner": "one", "until": 1}
        done = [upsert(tx, lease, row, conflict=["name"], update=["until"])]
        done.append(upsert(tx, lease, {"name": "a", "owner": "two", "until": 2}, conflict=["name"], update=["until"]))
    assert (done, leases(database)) == ([1, 1], [("a", "one", 2)])


def test_upsert_without_update_leaves_the_old_row(database: Database) -> None:
    """A row that exists stays, and the answer says that nothing was stored."""
    with database.write() as tx:
        rows = [{"name": "a", "owner": "one", "until": 1}, {"name": "b", "owner": "one", "until": 1}]
        assert upsert(tx, lease, rows, conflict=["name"]) == 2
        assert upsert(tx, lease, {"name": "a", "owner": "two", "until": 2}, conflict=["name"]) == 0
        assert upsert(tx, lease, [], conflict=["name"]) == 0
    assert leases(database) == [("a", "one", 1), ("b", "one", 1)]


def test_insert_rows_gives_the_ids_in_order(database: Database) -> None:
    """Each row has the id at its place, also behind rows that are there already."""
    rows = [
        {
            "account": "acme", "sender": f"s{number}", "received_at": number, "method": "POST", "query": "",
            "content_type": "", "body": b"\x00\xff", "outcome": "",
        }
        for number in range(5_000)
    ]  # fmt: skip
    with database.write() as tx:
        first = list(insert_rows(tx, delivery, rows[:1]))
        ids = first + list(insert_rows(tx, delivery, rows[1:]))
    with database.read() as connection:
        stored = connection.execute(select(delivery.c.id, delivery.c.sender, delivery.c.body).order_by(delivery.c.id))
        assert [tuple(row) for row in stored] == [(id_, f"s{at}", b"\x00\xff") for at, id_ in enumerate(ids)]


def test_an_exception_leaves_nothing(database: Database) -> None:
    """What was written before an exception is rolled back, and the gate is open again."""

    def stopped() -> None:
        with database.write() as tx:
            insert_lease(tx)
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        stopped()
    with database.write() as tx:
        assert tx.execute(select(lease)).all() == []


def insert_lease(tx: object) -> None:
    upsert(tx, lease, {"name": "a", "owner": "one", "until": 1}, conflict=["name"])  # type: ignore[arg-type]


def test_a_transaction_inside_another_is_refused(database: Database) -> None:
    """A thread that would wait for itself forever is told so instead."""
    with database.write(), pytest.raises(RuntimeError, match="inside another one"), database.write():
        raise AssertionError("the second transaction must not begin")
    with database.write() as tx:
        assert tx.execute(text("select 1")).scalar() == 1


def test_writers_take_turns(database: Database) -> None:
    """Eight threads that read, add and write lose no addition."""

    def add() -> None:
        for _ in range(25):
            with database.write() as tx:
                value = tx.execute(select(lease.c.until).where(lease.c.name == "sum")).scalar() or 0
                row = {"name": "sum", "owner": "", "until": value + 1}
                upsert(tx, lease, row, conflict=["name"], update=["until"])

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert leases(database) == [("sum", "", 200)]


def test_changes_of_others_are_noticed_once(database: Database) -> None:
    """`changed` is true after a commit of any connection, and only once."""
    seen = [database.changed(), database.changed()]
    other = Database(database.url)
    with other.write() as tx:
        insert_lease(tx)
    other.close()
    seen += [database.changed(), database.changed()]
    assert seen == [True, False, True, False]


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_moments_keep_their_microseconds(moment: datetime) -> None:
    """A moment is the same after storing."""
    assert from_us(to_us(moment)) == moment
