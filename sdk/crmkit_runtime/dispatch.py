"""Events become runs: who is to be called, in which lane, and how a run is queued once more."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from crmkit.events import CallFinished, CompanyMerged, ContactMerged, DealMerged, Event, record_of
from crmkit.extension import Subscription
from crmkit.models import Call, CustomValue, Deal, Record
from crmkit.settings import Rollout
from crmkit.values import Ref
from crmkit.webhook import Origin
from crmkit_runtime.database import Database, to_us, upsert
from crmkit_runtime.engines.lanes import enqueue, is_held
from crmkit_runtime.service import Installed, Service
from crmkit_runtime.tables import alias, effect, run
from crmkit_runtime.tables import event as events

log = logging.getLogger(__name__)

BY_HAND = "command:"
"""How the handler's name begins of a run that a person started: it stands in no lane."""

CHUNK = 500
DEEPEST = 8
"""How many of our own writes may follow from one another before the chain is stopped."""


@dataclass(frozen=True, slots=True)
class Queued:
    """One run to be queued: whose, in which lane, and why it is not run at once when it is not."""

    extension: str
    handler: str
    lane: str
    state: str = "queued"
    error: str | None = None
    decision: str | None = None


def publish(
    tx: Connection,
    service: Service,
    event: Event,
    *,
    key: str,
    origin: Origin,
    only: str | None = None,
    lane: str | None = None,
) -> int | None:
    """Store an event and queue a run for each handler that wants it; None when the event was stored before.

    Args:
        tx: the transaction in which the change that the event tells of is stored.
        key: identity of the event within its account.
        origin: who told us.
        only: the one extension that is to hear of it.
        lane: where its run is to wait; the record's own lane when left out.
    """
    row = {
        "account": event.ref.account,
        "kind": event.ref.kind.value,
        "record_id": event.ref.id,
        "name": type(event).__name__,
        "key": key,
        "body": to_body(event),
        "occurred_at": to_us(event.occurred_at),
        "stored_at": to_us(service.clock.now()),
        "origin": origin.value,
        "depth": event.cause.depth if event.cause else 0,
    }
    if not upsert(tx, events, row, conflict=["account", "key"]):
        return None
    found = select(events.c.id).where(events.c.account == event.ref.account, events.c.key == key)
    event_id = int(tx.execute(found).scalar_one())
    subject = follow(tx, event.ref)
    if isinstance(event, ContactMerged | CompanyMerged | DealMerged):
        _readdress(tx, service, event.loser, subject)
    for queued in _runs(service, event, subject, only):
        placed = replace(queued, lane=lane) if lane else queued
        add_run(tx, service, placed, event.ref.account, event_id=event_id)
    return event_id


def add_run(
    tx: Connection, service: Service, queued: Queued, account: str, *, event_id: int | None, argument: str | None = None
) -> int:
    """Store a run and wake its lane; the run's number."""
    now = to_us(service.clock.now())
    values = {
        "event_id": event_id,
        "account": account,
        "extension": queued.extension,
        "handler": queued.handler,
        "lane": queued.lane,
        "state": queued.state,
        "attempts": 0,
        "not_before": now,
        "error": queued.error,
        "decisions": queued.decision,
        "stored_at": now,
        "finished_at": None if queued.state == "queued" else now,
        "argument": argument,
    }
    run_id = int(tx.execute(insert(run).values(values).returning(run.c.id)).scalar_one())
    if queued.state == "queued":
        enqueue(tx, queued.lane, account, now)
    return run_id


def follow(connection: Connection, ref: Ref) -> Ref:
    """The address under which the record lives on after merges; the same one when it was not merged."""
    for _ in range(DEEPEST):
        survivor = connection.execute(
            select(alias.c.survivor_id).where(
                alias.c.account == ref.account, alias.c.kind == ref.kind.value, alias.c.loser_id == ref.id
            )
        ).scalar()
        if survivor is None:
            return ref
        ref = Ref(ref.account, ref.kind, survivor)
    return ref


def losers_of(connection: Connection, ref: Ref) -> Sequence[Ref]:
    """The addresses of records that were merged into this one."""
    query = select(alias.c.loser_id).where(
        alias.c.account == ref.account, alias.c.kind == ref.kind.value, alias.c.survivor_id == ref.id
    )
    return [Ref(ref.account, ref.kind, loser) for loser in connection.execute(query).scalars()]


def lane_of(extension: str, event: Event, subject: Ref) -> str:
    """Where a run waits its turn: behind earlier runs of its extension for the same record, or the same phone."""
    return f"{extension}:{_queue(event, subject)}"


def to_body(event: Event) -> str:
    """The event as stored: its records without the vendor's own payload."""
    plain = {
        name: value.model_copy(update={"raw": {}, "custom": _read_values(value)})
        for name in type(event).model_fields
        if isinstance(value := getattr(event, name), Record)
    }
    return event.model_copy(update=plain).model_dump_json()


def replay(
    database: Database,
    *,
    ids: Sequence[int] = (),
    ref: Ref | None = None,
    since: datetime | None = None,
    extension: str | None = None,
    failed: bool = True,
) -> int:
    """Queue finished runs once more; how many there were. What a person did by hand is not repeated.

    Each runs in its lane before what came later. Writes that were done are not done again: only what is missing, or
    what the handler does differently by now.

    Args:
        ids: these runs.
        ref: runs about this record.
        since: runs of events stored since.
        extension: runs of this extension.
        failed: only those that ended dead or stopped.
    """
    states = ("dead", "stopped") if failed else ("dead", "stopped", "done", "skipped")
    by_hand = run.c.handler.startswith(BY_HAND)
    wanted = select(run.c.id, run.c.lane, run.c.account).where(run.c.state.in_(states), ~by_hand)
    if ids:
        wanted = wanted.where(run.c.id.in_(ids))
    if ref is not None:
        about = select(events.c.id).where(
            events.c.account == ref.account, events.c.kind == ref.kind.value, events.c.record_id == ref.id
        )
        wanted = wanted.where(run.c.event_id.in_(about))
    if since is not None:
        wanted = wanted.where(run.c.stored_at >= to_us(since))
    if extension is not None:
        wanted = wanted.where(run.c.extension == extension)
    fresh = {"state": "queued", "attempts": 0, "first_failed_at": None, "not_before": 0, "finished_at": None}
    with database.write() as tx:
        found = tx.execute(wanted.order_by(run.c.id)).all()
        numbers = [row.id for row in found]
        for start in range(0, len(numbers), CHUNK):
            some = run.c.id.in_(numbers[start : start + CHUNK])
            tx.execute(update(run).where(some).values(**fresh, error=None, decisions=None))
            # A run that has written something keeps its time, so that it describes the same writes again.
            written = select(effect.c.run_id).where(effect.c.run_id.in_(numbers[start : start + CHUNK]))
            tx.execute(update(run).where(some, run.c.id.not_in(written)).values(started_at=None))
        for lane, account in {(row.lane, row.account) for row in found}:
            enqueue(tx, lane, account, 0, ahead=True)
    return len(found)


def _readdress(tx: Connection, service: Service, loser: Ref, survivor: Ref) -> None:
    """Let what waits in the loser's lanes wait in the survivor's, before the news of the merge.

    A lane that is being worked on stays: its run under way is finished there, and each later one moves by itself.
    """
    for installed in service.installed:
        name = installed.extension.name
        old = f"{name}:{loser.account}:{loser.kind.value}:{loser.id}"
        new = f"{name}:{survivor.account}:{survivor.kind.value}:{survivor.id}"
        if is_held(tx, old):
            continue
        waiting = update(run).where(run.c.lane == old, run.c.state == "queued").values(lane=new)
        if tx.execute(waiting).rowcount:
            enqueue(tx, new, survivor.account, to_us(service.clock.now()), ahead=True)


def _runs(service: Service, event: Event, subject: Ref, only: str | None) -> Iterator[Queued]:
    """The runs that an event makes, in the order in which the extensions are installed."""
    depth = event.cause.depth if event.cause else 0
    for installed, subscription in _wanted(service, event, only):
        name, lane = installed.extension.name, lane_of(installed.extension.name, event, subject)
        if depth > DEEPEST:
            error = _end_of_chain(event)
            log.warning("%s.%s: %s", name, subscription.name, error)
            yield Queued(name, subscription.name, lane, state="stopped", error=error)
            continue
        outside = _outside(installed.rollout, event, _queue(event, subject))
        if outside:
            yield Queued(name, subscription.name, lane, state="skipped", decision=json.dumps([outside]))
        else:
            yield Queued(name, subscription.name, lane)


def _wanted(service: Service, event: Event, only: str | None) -> Iterator[tuple[Installed, Subscription]]:
    author = event.cause.extension if event.cause else None
    for installed in service.installed:
        name = installed.extension.name
        if event.ref.account not in installed.accounts or (only is not None and name != only):
            continue
        for subscription in installed.extension.subscriptions:
            if isinstance(event, subscription.event) and (subscription.own or name != author):
                yield installed, subscription


def _end_of_chain(event: Event) -> str:
    author = event.cause.extension if event.cause else "nobody"
    return (
        f"a chain of {DEEPEST} of our own writes ends here: {type(event).__name__} of {event.ref}, caused by {author}; "
        "the extensions answer each other without end. Let one ignore what the other writes, then replay this run."
    )


def _queue(event: Event, subject: Ref) -> str:
    # Two calls of one number are one conversation, whether or not somebody has found the person by then.
    if isinstance(event, CallFinished) and event.call.phone and event.call.phone.e164:
        return f"{subject.account}:phone:{event.call.phone.e164}"
    return f"{subject.account}:{subject.kind.value}:{subject.id}"


def _outside(rollout: Rollout, event: Event, queue: str) -> str | None:
    """Why the record is outside the rollout; None when it is inside."""
    record = record_of(event) or getattr(event, "before", None)
    if rollout.users:
        owner = _owner(record) if isinstance(record, Record) else None
        if owner not in rollout.users:
            return f"outside the rollout: the owner is {owner or 'unknown'}, not one of {', '.join(rollout.users)}"
    pipeline = record.stage.pipeline_id if isinstance(record, Deal) and record.stage else None
    if rollout.pipelines and pipeline is not None and pipeline not in rollout.pipelines:
        return f"outside the rollout: the pipeline is {pipeline}"
    if rollout.percent < 100:
        share = int.from_bytes(hashlib.blake2b(queue.encode(), digest_size=8).digest()) % 100
        if share >= rollout.percent:
            return f"outside the rollout of {rollout.percent} %"
    return None


def _owner(record: Record) -> str | None:
    if isinstance(record, Call) and record.employee and record.owner_id is None:
        return record.employee.user_id
    return record.owner_id


def _read_values(record: Record) -> tuple[CustomValue, ...]:
    """Custom fields as a CRM gave them; a draft's own changes have no value that could be read back."""
    return tuple(item for item in record.custom if isinstance(item, CustomValue))
