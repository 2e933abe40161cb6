"""What the service did and how it is, for people to read: accounts, runs, decisions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ColumnElement, Connection, RowMapping, func, select

from crmkit.values import Kind, Ref
from crmkit_runtime.database import Database, from_us
from crmkit_runtime.tables import cursor, event, hint, mirror, pause, run

RUN_STATES = ("queued", "done", "skipped", "dead", "stopped")
"""Every state a run can be in."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """One handler's work on one event: what was decided and why, or what went wrong."""

    id: int
    event_id: int | None
    event: str
    ref: str
    account: str
    extension: str
    handler: str
    state: str
    attempts: int
    decisions: tuple[str, ...]
    error: str | None
    occurred_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class AccountReport:
    """One account: since when it is connected, what waits, and what is mirrored."""

    key: str
    connected_at: datetime | None
    paused_until: datetime | None
    pause_reason: str | None
    hints_waiting: int
    runs: Mapping[str, int]
    mirrored: Mapping[str, int]
    found_by_feed_only: int


def runs(
    database: Database,
    *,
    account: str | None = None,
    extension: str | None = None,
    state: str | None = None,
    ref: Ref | None = None,
    event_id: int | None = None,
    limit: int = 100,
) -> Sequence[RunReport]:
    """The newest runs that match, newest first."""
    query = (
        select(run, event.c.name, event.c.kind, event.c.record_id, event.c.occurred_at)
        .outerjoin(event, event.c.id == run.c.event_id)
        .order_by(run.c.id.desc())
        .limit(limit)
    )
    for column, wanted in (
        (run.c.account, account or (ref.account if ref else None)),
        (run.c.extension, extension),
        (run.c.state, state),
        (run.c.event_id, event_id),
        (event.c.kind, ref.kind.value if ref else None),
        (event.c.record_id, ref.id if ref else None),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    with database.read() as connection:
        return [_run(row) for row in connection.execute(query).mappings()]


def account(database: Database, key: str) -> AccountReport:
    """How an account is now."""
    with database.read() as connection:
        held = connection.execute(select(pause.c.until, pause.c.reason).where(pause.c.account == key)).first()
        named = select(cursor.c.name, cursor.c.value).where(cursor.c.account == key)
        marks = {row.name: row.value for row in connection.execute(named)}
        connected = marks.get("connected_at")
        return AccountReport(
            key=key,
            connected_at=from_us(int(connected)) if connected else None,
            paused_until=from_us(held.until) if held else None,
            pause_reason=held.reason if held else None,
            hints_waiting=connection.execute(select(func.count()).where(hint.c.account == key)).scalar_one(),
            runs=_counts(connection, run.c.state, run.c.account == key),
            mirrored=_counts(connection, mirror.c.kind, mirror.c.account == key),
            found_by_feed_only=int(marks.get("feed_only", "0")),
        )


def _counts(connection: Connection, column: Column[str], where: ColumnElement[bool]) -> dict[str, int]:
    query = select(column, func.count()).where(where).group_by(column)
    return {row[0]: row[1] for row in connection.execute(query)}


def _run(row: RowMapping) -> RunReport:
    address = Ref(row["account"], Kind(row["kind"]), row["record_id"]) if row["record_id"] else None
    return RunReport(
        id=row["id"],
        event_id=row["event_id"],
        event=row["name"] or row["argument"] or "",
        ref=str(address or row["account"]),
        account=row["account"],
        extension=row["extension"],
        handler=row["handler"],
        state=row["state"],
        attempts=row["attempts"],
        decisions=tuple(json.loads(row["decisions"])) if row["decisions"] else (),
        error=row["error"],
        occurred_at=from_us(row["occurred_at"]) if row["occurred_at"] is not None else None,
        finished_at=from_us(row["finished_at"]) if row["finished_at"] is not None else None,
    )
