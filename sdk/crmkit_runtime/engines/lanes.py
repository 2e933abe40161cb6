"""Lanes with work: a row exists exactly while runs are queued in it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Row, insert, literal, select

from crmkit_runtime.database import to_us, upsert
from crmkit_runtime.liveness import is_gone, is_ours
from crmkit_runtime.tables import lane as lanes
from crmkit_runtime.tables import run


def enqueue(tx: Connection, lane: str, account: str, not_before: int, *, ahead: bool = False) -> None:
    """Wake the lane of a run that `tx` has queued, in the same transaction.

    A lane that has work already keeps its time, because its first run decides; `ahead` says that the new run is first.
    """
    values = {"lane": lane, "account": account, "due_at": not_before, "lease_until": 0, "fence": 0}
    upsert(tx, lanes, values, conflict=["lane"], update=["due_at"] if ahead else [])


def head(connection: Connection, lane: str) -> Row[int, int] | None:
    """The number and the time of the lane's first queued run."""
    first = select(run.c.id, run.c.not_before).where(run.c.lane == lane, run.c.state == "queued").order_by(run.c.id)
    return connection.execute(first.limit(1)).first()


def is_worked_on(connection: Connection, run_id: int, now: datetime) -> bool | None:
    """Somebody alive holds the lane of the run; None for a run that stands in no lane, as a person's errand."""
    state = connection.execute(select(run.c.state).where(run.c.id == run_id)).scalar()
    if state != "queued":
        return None
    holder = connection.execute(
        select(lanes.c.owner, lanes.c.lease_until).join(run, run.c.lane == lanes.c.lane).where(run.c.id == run_id)
    ).first()
    if holder is None or holder.owner is None or is_gone(holder.owner):
        return False
    return is_ours(holder.owner) or holder.lease_until > to_us(now)


def is_held(connection: Connection, lane: str) -> bool:
    """Somebody who is not known to be gone holds the lane."""
    owner = connection.execute(select(lanes.c.owner).where(lanes.c.lane == lane)).scalar()
    return owner is not None and not is_gone(owner)


def restore(tx: Connection) -> int:
    """Wake the lanes of queued runs that have none, as a database mended by hand may hold; how many there were."""
    lost = (
        select(run.c.lane, run.c.account, literal(0), literal(0), literal(0))
        .where(run.c.state == "queued", run.c.lane.not_in(select(lanes.c.lane)))
        .distinct()
    )
    return tx.execute(insert(lanes).from_select(["lane", "account", "due_at", "lease_until", "fence"], lost)).rowcount
