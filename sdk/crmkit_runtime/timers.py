"""Timers: moments at which an extension asked to be called for a record."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select

from crmkit.events import TimerFired
from crmkit.values import Ref
from crmkit.webhook import Origin
from crmkit_runtime.database import from_us, to_us, upsert
from crmkit_runtime.dispatch import publish
from crmkit_runtime.service import Service
from crmkit_runtime.tables import timer as table
from crmkit_runtime.work import TimerChange

CHUNK = 100


def keep(tx: Connection, account: str, extension: str, subject: Ref, lane: str, changes: Sequence[TimerChange]) -> None:
    """Set, move and drop the timers of a record, in the order in which a run asked for it."""
    for change in changes:
        name = {"account": account, "extension": extension, "ref": str(subject), "key": change.key}
        if change.at is None:
            tx.execute(delete(table).filter_by(**name))
        else:
            row = {**name, "lane": lane, "at": to_us(change.at)}
            upsert(tx, table, row, conflict=["account", "extension", "ref", "key"], update=["at", "lane"])


def fire(service: Service) -> bool:
    """Turn timers whose time has come into events for their extension alone; False when there are none."""
    now = service.clock.now()
    due = select(table).where(table.c.at <= to_us(now)).order_by(table.c.at, table.c.id).limit(CHUNK)
    with service.database.read() as connection:
        if connection.execute(due.limit(1)).first() is None:
            return False
    with service.database.write() as tx:
        for row in tx.execute(due).all():
            tx.execute(delete(table).where(table.c.id == row.id))
            event = TimerFired(ref=Ref.parse(row.ref), occurred_at=from_us(row.at), key=row.key)
            # A timer may be set again for the same moment: only a name of its own tells the two firings apart.
            key = f"timer:{uuid.uuid4()}"
            publish(tx, service, event, key=key, origin=Origin.WRITE, only=row.extension, lane=row.lane)
    service.bell.ring()
    return True


def next_at(connection: Connection) -> datetime | None:
    """When the next timer fires; None when there is none."""
    found = connection.execute(select(table.c.at).order_by(table.c.at).limit(1)).scalar()
    return from_us(found) if found is not None else None
