"""What the service did and how it is, for people to read: accounts, deliveries, runs, decisions, plans."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ColumnElement, Connection, RowMapping, func, select

from crmkit.values import Kind, Ref
from crmkit_runtime import planned
from crmkit_runtime.baseline import DONE
from crmkit_runtime.cursor import FEED_ONLY
from crmkit_runtime.database import Database, from_us, to_us
from crmkit_runtime.health import WORKER
from crmkit_runtime.planned import PlanItem
from crmkit_runtime.tables import cursor, delivery, event, hint, lease, mirror, pause, plan_item, run

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
    """One account: since when it is connected, what waits, and what is mirrored.

    `loading` and `loaded` are the kinds whose first load is under way, or over; of others it has not begun.
    """

    key: str
    connected_at: datetime | None
    paused_until: datetime | None
    pause_reason: str | None
    hints_waiting: int
    runs: Mapping[str, int]
    mirrored: Mapping[str, int]
    found_by_feed_only: int
    loading: tuple[str, ...] = ()
    loaded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """One delivery as it came in, and what it was understood to say."""

    id: int
    account: str
    sender: str
    received_at: datetime
    size: int
    outcome: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Which runs are meant; every field that is set must match.

    Args:
        ids: these numbers.
        states: any of these states.
        ref: about this record.
        since: stored at or after this moment.
    """

    ids: tuple[int, ...] = ()
    account: str | None = None
    extension: str | None = None
    states: tuple[str, ...] = ()
    ref: Ref | None = None
    event_id: int | None = None
    since: datetime | None = None


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
    states = (state,) if state else ()
    return chosen(database, Choice((), account, extension, states, ref, event_id), limit=limit)


def chosen(database: Database, choice: Choice, *, limit: int = 100) -> Sequence[RunReport]:
    """The newest of the chosen runs, newest first."""
    query = (
        select(run, event.c.name, event.c.kind, event.c.record_id, event.c.occurred_at)
        .outerjoin(event, event.c.id == run.c.event_id)
        .where(*_conditions(choice))
        .order_by(run.c.id.desc())
        .limit(limit)
    )
    with database.read() as connection:
        return [_run(row) for row in connection.execute(query).mappings()]


def count_by_state(database: Database, choice: Choice) -> Mapping[str, int]:
    """How many of the chosen runs are in each state."""
    query = (
        select(run.c.state, func.count())
        .outerjoin(event, event.c.id == run.c.event_id)
        .where(*_conditions(choice))
        .group_by(run.c.state)
    )
    with database.read() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def deliveries(
    database: Database,
    *,
    account: str | None = None,
    sender: str | None = None,
    since: datetime | None = None,
    limit: int = 100,
) -> Sequence[DeliveryReport]:
    """The newest deliveries that match, newest first."""
    size = func.length(delivery.c.body).label("size")
    columns = (delivery.c.id, delivery.c.account, delivery.c.sender, delivery.c.received_at, size, delivery.c.outcome)
    query = select(*columns).order_by(delivery.c.id.desc()).limit(limit)
    for column, wanted in ((delivery.c.account, account), (delivery.c.sender, sender)):
        if wanted is not None:
            query = query.where(column == wanted)
    if since is not None:
        query = query.where(delivery.c.received_at >= to_us(since))
    with database.read() as connection:
        return [
            DeliveryReport(row.id, row.account, row.sender, from_us(row.received_at), row.size, row.outcome)
            for row in connection.execute(query)
        ]


def plan(
    database: Database, *, states: Sequence[str] = ("planned",), account: str | None = None, limit: int = 1000
) -> Sequence[PlanItem]:
    """The oldest plan items in any of the states, in the order in which they can be applied."""
    query = select(plan_item.c.id).where(plan_item.c.state.in_(states)).order_by(plan_item.c.id).limit(limit)
    if account is not None:
        query = query.where(plan_item.c.account == account)
    with database.read() as connection:
        return planned.items(connection, list(connection.execute(query).scalars()))


def account(database: Database, key: str) -> AccountReport:
    """How an account is now."""
    with database.read() as connection:
        held = connection.execute(select(pause.c.until, pause.c.reason).where(pause.c.account == key)).first()
        named = select(cursor.c.name, cursor.c.value).where(cursor.c.account == key)
        marks = {row.name: row.value for row in connection.execute(named)}
        connected = [int(text) for name, text in marks.items() if name.startswith("connected:")]
        loads = sorted((name[9:], text) for name, text in marks.items() if name.startswith("baseline:"))
        return AccountReport(
            key=key,
            connected_at=from_us(min(connected)) if connected else None,
            paused_until=from_us(held.until) if held else None,
            pause_reason=held.reason if held else None,
            hints_waiting=connection.execute(select(func.count()).where(hint.c.account == key)).scalar_one(),
            runs=_counts(connection, run.c.state, run.c.account == key),
            mirrored=_counts(connection, mirror.c.kind, mirror.c.account == key),
            found_by_feed_only=int(marks.get(FEED_ONLY, "0")),
            loading=tuple(kind for kind, text in loads if text != DONE),
            loaded=tuple(kind for kind, text in loads if text == DONE),
        )


def is_worked_on(database: Database, now: datetime) -> bool:
    """Some worker, of whichever process, was alive a moment ago."""
    beat = select(lease.c.name).where(lease.c.name.startswith(WORKER), lease.c.until > to_us(now)).limit(1)
    with database.read() as connection:
        return connection.execute(beat).first() is not None


def _conditions(choice: Choice) -> list[ColumnElement[bool]]:
    ref = choice.ref
    conditions = [
        column == wanted
        for column, wanted in (
            (run.c.account, choice.account or (ref.account if ref else None)),
            (run.c.extension, choice.extension),
            (run.c.event_id, choice.event_id),
            (event.c.kind, ref.kind.value if ref else None),
            (event.c.record_id, ref.id if ref else None),
        )
        if wanted is not None
    ]
    if choice.ids:
        conditions.append(run.c.id.in_(choice.ids))
    if choice.states:
        conditions.append(run.c.state.in_(choice.states))
    if choice.since is not None:
        conditions.append(run.c.stored_at >= to_us(choice.since))
    return conditions


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
