"""Hints: "this record may have changed", kept until somebody has looked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from crmkit.models import RECORDS
from crmkit.values import Kind, Ref
from crmkit.webhook import Action, Hint, Origin
from crmkit_runtime import moves
from crmkit_runtime.database import from_us, insert_rows, to_us
from crmkit_runtime.service import Service
from crmkit_runtime.tables import hint as table

CHUNK = 200
LOOK_AHEAD = 2_000
"""Hints that are read to choose the next records from: many may be about one record."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A stored hint. `tries` counts how often it was put off for the reason `waits_for`."""

    id: int
    ref: Ref
    action: Action
    origin: Origin
    at: datetime | None
    created_at: datetime | None
    actor_id: str | None
    delivery_id: str
    not_before: datetime
    tries: int
    waits_for: str | None
    merged_into: Ref | None


def store(
    tx: Connection,
    service: Service,
    account: str,
    hints: Iterable[Hint],
    *,
    origin: Origin,
    delivery_id: str,
    delay_s: float = 0.0,
) -> int:
    """Keep hints of kinds that some extension declares, to be looked at after `delay_s`; how many were kept.

    Moves of deals are kept apart, each once: a move that the feed reported before brings no hint again.
    """
    kinds = service.kinds(account) & RECORDS.keys()
    now = service.clock.now()
    rows = [
        _row(hint, origin, delivery_id, now, delay_s)
        for hint in hints
        if hint.ref.kind in kinds
        and (hint.move is None or hint.ref.kind is not Kind.DEAL or moves.report(tx, hint.ref, hint.move))
    ]
    if rows:
        tx.execute(insert(table), rows)
    return len(rows)


def store_told(tx: Connection, service: Service, told: Iterable[tuple[Hint, str]], *, origin: Origin) -> None:
    """Keep the hints of many deliveries, each with its delivery's id, in one statement."""
    now = service.clock.now()
    wanted = {account: service.kinds(account) & RECORDS.keys() for account in service.accounts}
    rows = [_row(hint, origin, by, now, 0.0) for hint, by in told if hint.ref.kind in wanted[hint.ref.account]]
    if rows:
        insert_rows(tx, table, rows)


def due(connection: Connection, account: str, now: datetime, limit: int = CHUNK) -> Sequence[Ref]:
    """The records to look at next: those that a hook or our own write told of first."""
    found: dict[Ref, None] = {}
    for told in (table.c.origin.in_(_URGENT), table.c.origin.not_in(_URGENT)):
        query = select(table.c.kind, table.c.record_id).where(
            table.c.account == account, table.c.not_before <= to_us(now), told
        )
        for row in connection.execute(query.order_by(table.c.id).limit(LOOK_AHEAD)):
            found[Ref(account, Kind(row.kind), row.record_id)] = None
            if len(found) == limit:
                return list(found)
    return list(found)


def of(connection: Connection, account: str, refs: Sequence[Ref]) -> Mapping[Ref, Sequence[Waiting]]:
    """All hints of the records, oldest first."""
    found: dict[Ref, list[Waiting]] = defaultdict(list)
    for kind in {ref.kind for ref in refs}:
        ids = [ref.id for ref in refs if ref.kind is kind]
        query = select(table).where(table.c.account == account, table.c.kind == kind.value, table.c.record_id.in_(ids))
        for row in connection.execute(query.order_by(table.c.id)):
            found[Ref(account, kind, row.record_id)].append(_waiting(row))
    return found


def drop(tx: Connection, hints: Sequence[Waiting]) -> None:
    """Forget these; newer ones of the same record stay."""
    for start in range(0, len(hints), CHUNK):
        tx.execute(delete(table).where(table.c.id.in_([one.id for one in hints[start : start + CHUNK]])))


def put_off(tx: Connection, hints: Sequence[Waiting], now: datetime, seconds: float, reason: str) -> None:
    """Look again after `seconds`; the tries for a reason are counted from its first.

    A look before its time, because somebody told of the record anew, counts no try.
    """
    pending = [one.not_before for one in hints if one.waits_for == reason and one.not_before > now]
    until = min(pending, default=now + timedelta(seconds=seconds))
    count = tries(hints, reason) + (0 if pending else 1)
    values = {"not_before": to_us(until), "tries": count, "waits_for": reason}
    tx.execute(update(table).where(table.c.id.in_([one.id for one in hints])).values(values))


def tries(hints: Sequence[Waiting], reason: str) -> int:
    """How often the record was put off for this reason."""
    return max((one.tries for one in hints if one.waits_for == reason), default=0)


def next_at(connection: Connection, account: str) -> datetime | None:
    """When the next hint is to be looked at; None when there is none."""
    found = connection.execute(select(func.min(table.c.not_before)).where(table.c.account == account)).scalar_one()
    return from_us(found) if found is not None else None


_URGENT = (Origin.HOOK.value, Origin.WRITE.value)


def _row(hint: Hint, origin: Origin, delivery_id: str, now: datetime, delay_s: float) -> dict[str, Any]:
    return {
        "account": hint.ref.account,
        "kind": hint.ref.kind.value,
        "record_id": hint.ref.id,
        "action": hint.action.value,
        "origin": origin.value,
        "at": to_us(hint.at) if hint.at else None,
        "created_at": to_us(hint.created_at) if hint.created_at else None,
        "actor_id": hint.actor_id,
        "delivery_id": delivery_id,
        "stored_at": to_us(now),
        "not_before": to_us(now + timedelta(seconds=delay_s)),
        "tries": 0,
        "merged_into": hint.merged_into.id if hint.merged_into else None,
    }


def _waiting(row: Row[Any]) -> Waiting:
    kind = Kind(row.kind)
    return Waiting(
        id=row.id,
        ref=Ref(row.account, kind, row.record_id),
        action=Action(row.action),
        origin=Origin(row.origin),
        at=from_us(row.at) if row.at is not None else None,
        created_at=from_us(row.created_at) if row.created_at is not None else None,
        actor_id=row.actor_id,
        delivery_id=row.delivery_id,
        not_before=from_us(row.not_before),
        tries=row.tries,
        waits_for=row.waits_for,
        merged_into=Ref(row.account, kind, row.merged_into) if row.merged_into else None,
    )
