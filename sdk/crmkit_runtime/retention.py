"""What is forgotten, and when: deliveries, finished runs, their events, moves and calls long told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Table, delete, select

from crmkit_runtime.database import to_us
from crmkit_runtime.service import Service
from crmkit_runtime.tables import delivery, effect, event, ledger, move, run, told_call

KEEP = timedelta(days=30)
KEEP_FAILED = timedelta(days=90)
ABANDONED = timedelta(hours=1)
"""How long an intent stays open after its run was given up."""

CHUNK = 500


def prune(service: Service) -> int:
    """Forget what is old, a few rows a transaction so that nobody waits; how many rows went.

    Effects that were named with `once=` are kept for good: their names must never mean a second record.
    """
    gone = 0
    for table, is_old in _old(service.clock.now()):
        while removed := _remove(service, table, is_old):
            gone += removed
    return gone


def _old(now: datetime) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    old, older = to_us(now - KEEP), to_us(now - KEEP_FAILED)
    yield delivery, delivery.c.received_at < old
    yield run, run.c.state.in_(("done", "skipped")) & (run.c.finished_at < old)
    yield run, run.c.state.in_(("dead", "stopped")) & (run.c.finished_at < older)
    yield (
        event,
        (event.c.stored_at < old) & event.c.id.not_in(select(run.c.event_id).where(run.c.event_id.is_not(None))),
    )
    yield move, (move.c.state == "emitted") & (move.c.at < old)
    yield told_call, told_call.c.started_at < old
    yield ledger, ledger.c.at < old
    yield effect, (effect.c.state == "done") & (effect.c.at < older) & effect.c.key.not_like("once:%")
    queued = select(run.c.id).where(run.c.state == "queued")
    yield (
        effect,
        (effect.c.state == "intent") & (effect.c.at < to_us(now - ABANDONED)) & effect.c.run_id.not_in(queued),
    )


def _remove(service: Service, table: Table, is_old: ColumnElement[bool]) -> int:
    key = list(table.primary_key.columns)
    with service.database.write() as tx:
        rows = tx.execute(select(*key).where(is_old).limit(CHUNK)).all()
        for row in rows:
            tx.execute(delete(table).where(*(column == value for column, value in zip(key, row, strict=True))))
    return len(rows)
