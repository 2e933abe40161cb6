"""Reports: what the service did and how it is, as people ask."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from crmkit.values import Kind, Ref
from crmkit_runtime import report, tables
from crmkit_runtime.database import Database, to_us
from crmkit_runtime.health import WORKER
from crmkit_runtime.migrations import migrate
from crmkit_runtime.report import AccountReport, Choice, DeliveryReport, RunReport

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def at(minutes: int) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database with nothing in it."""
    found = Database(str(tmp_path / "service.sqlite3"))
    migrate(found, {})
    yield found
    found.close()


@pytest.fixture
def busy(database: Database) -> Database:
    """Two events and four runs of two accounts."""
    event = {"key": "", "body": "{}", "origin": "hook", "depth": 0, "stored_at": to_us(at(0))}
    run = {"attempts": 1, "not_before": 0, "lane": "lane"}
    with database.write() as tx:
        for number, account, name, kind in ((1, "acme", "CallFinished", "call"), (2, "other", "DealCreated", "deal")):
            row = {**event, "id": number, "account": account, "name": name, "kind": kind, "record_id": "42"}
            tx.execute(insert(tables.event).values({**row, "key": str(number), "occurred_at": to_us(at(number))}))
        for number, account, event_id, extension, state in (
            (1, "acme", 1, "call-tasks", "done"),
            (2, "acme", 1, "hygiene", "dead"),
            (3, "other", 2, "hygiene", "queued"),
            (4, "acme", None, "hygiene", "skipped"),
        ):
            row = {**run, "id": number, "account": account, "event_id": event_id, "extension": extension}
            more = {"state": state, "handler": "handle", "stored_at": to_us(at(number)), "argument": "nightly"}
            ended = {"finished_at": None if state == "queued" else to_us(at(number + 1))}
            tx.execute(insert(tables.run).values({**row, **more, **ended, "decisions": '["because"]'}))
    return database


def test_a_run_is_told_with_its_event_and_reasons(busy: Database) -> None:
    """A run about a record names it; a nightly one names its tick and its account."""
    first, last = report.runs(busy)[-1], report.runs(busy)[0]

    assert first == RunReport(
        id=1,
        event_id=1,
        event="CallFinished",
        ref="acme/call:42",
        account="acme",
        extension="call-tasks",
        handler="handle",
        state="done",
        attempts=1,
        decisions=("because",),
        error=None,
        occurred_at=at(1),
        finished_at=at(2),
    )
    assert (last.event, last.ref, last.event_id, last.occurred_at) == ("nightly", "acme", None, None)


@pytest.mark.parametrize(
    ("choice", "numbers"),
    [
        (Choice(), [4, 3, 2, 1]),
        (Choice(ids=(1, 3, 9)), [3, 1]),
        (Choice(account="acme"), [4, 2, 1]),
        (Choice(extension="hygiene", account="acme"), [4, 2]),
        (Choice(states=("dead", "queued")), [3, 2]),
        (Choice(ref=Ref("acme", Kind.CALL, "42")), [2, 1]),
        (Choice(ref=Ref("acme", Kind.DEAL, "42")), []),
        (Choice(event_id=2), [3]),
        (Choice(since=at(3)), [4, 3]),
    ],
)
def test_runs_are_chosen(busy: Database, choice: Choice, numbers: list[int]) -> None:
    """By every field that is set, newest first; the counts agree."""
    assert [one.id for one in report.chosen(busy, choice)] == numbers
    assert sum(report.count_by_state(busy, choice).values()) == len(numbers)


def test_no_more_runs_come_than_asked_for(busy: Database) -> None:
    """The newest."""
    assert [one.id for one in report.runs(busy, limit=2)] == [4, 3]
    assert [one.id for one in report.runs(busy, state="done", ref=Ref("acme", Kind.CALL, "42"))] == [1]


def test_runs_are_counted_by_state(busy: Database) -> None:
    """States without runs are left out."""
    assert report.count_by_state(busy, Choice(account="acme")) == {"done": 1, "dead": 1, "skipped": 1}


def test_deliveries_are_listed(database: Database) -> None:
    """Newest first, with their size and what they were understood to say, without their body."""
    row = {"method": "POST", "query": "", "content_type": "", "outcome": "deal:1 added"}
    with database.write() as tx:
        for number, account, sender in ((1, "acme", "amocrm"), (2, "other", "amocrm"), (3, "acme", "ringostat")):
            came = {"account": account, "sender": sender, "received_at": to_us(at(number)), "body": b"x" * number}
            tx.execute(insert(tables.delivery).values({**row, **came, "id": number}))

    assert report.deliveries(database)[0] == DeliveryReport(3, "acme", "ringostat", at(3), 3, "deal:1 added")
    assert [one.id for one in report.deliveries(database)] == [3, 2, 1]
    assert [one.id for one in report.deliveries(database, account="acme")] == [3, 1]
    assert [one.id for one in report.deliveries(database, account="acme", sender="amocrm")] == [1]
    assert [one.id for one in report.deliveries(database, since=at(2))] == [3, 2]
    assert [one.id for one in report.deliveries(database, limit=1)] == [3]


def test_an_account_is_told_as_it_is(busy: Database) -> None:
    """Since when, what waits, what is loaded and loading, what only the feed found, and why it is paused."""
    marks = {
        "connected:deal": str(to_us(at(5))),
        "connected:call": str(to_us(at(4))),
        "baseline:deal": "page 7",
        "baseline:user": "done",
        "feed_only": "3",
    }
    with busy.write() as tx:
        for name, value in marks.items():
            tx.execute(insert(tables.cursor).values({"account": "acme", "name": name, "value": value}))
        held = {"account": "acme", "until": to_us(at(9)), "strikes": 2, "reason": "not paid"}
        tx.execute(insert(tables.pause).values(held))

    assert report.account(busy, "acme") == AccountReport(
        key="acme",
        connected_at=at(4),
        paused_until=at(9),
        pause_reason="not paid",
        hints_waiting=0,
        runs={"done": 1, "dead": 1, "skipped": 1},
        mirrored={},
        found_by_feed_only=3,
        loading=("deal",),
        loaded=("user",),
    )


def test_an_account_that_was_never_connected_is_told_so(database: Database) -> None:
    """Everything is empty."""
    assert report.account(database, "acme") == AccountReport("acme", None, None, None, 0, {}, {}, 0)


def test_a_worker_is_seen_while_its_heart_beats(database: Database) -> None:
    """A lease of another kind is no worker, and an old one no living one."""
    with database.write() as tx:
        for name in (f"{WORKER}host:1", "observe:acme"):
            tx.execute(insert(tables.lease).values({"name": name, "owner": "host:1", "until": to_us(at(1))}))

    assert report.is_worked_on(database, at(0))
    assert not report.is_worked_on(database, at(1))
