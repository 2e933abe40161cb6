"""Runner: calls the handler of one queued run, and records what became of it."""

from __future__ import annotations

import json
import logging
import random
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, select, update

from crmkit.crm import Crm
from crmkit.errors import CrmKitError, VendorDown
from crmkit.events import Event, read_event
from crmkit.extension import Context, Schedule, Subscription
from crmkit.values import Ref
from crmkit_runtime import apart, pause, planned, timers
from crmkit_runtime.crashpoint import crashpoint
from crmkit_runtime.database import from_us, to_us
from crmkit_runtime.desk import DeskAssign, DeskMirror, DeskStore, Staff
from crmkit_runtime.dispatch import follow, lane_of, losers_of
from crmkit_runtime.effects import GuardedConnection
from crmkit_runtime.engines import Hold
from crmkit_runtime.engines.lanes import enqueue, is_held
from crmkit_runtime.index import DeskIndex
from crmkit_runtime.service import Installed, Service
from crmkit_runtime.tables import event as events
from crmkit_runtime.tables import run
from crmkit_runtime.work import Suspend, TimerChange, Work

log = logging.getLogger(__name__)

ATTEMPTS = 8
PATIENCE = timedelta(minutes=30)
"""A run that goes on failing for so long is dead, whatever the number of its attempts."""

MERGED_WAIT = timedelta(milliseconds=100)
LONGEST_WAIT_S = 300.0
LONGEST_ERROR = 4_000


class Orphan(Exception):
    """The run's extension, handler or account is not installed here any more."""


@dataclass(frozen=True, slots=True)
class Call:
    """A handler with what it is called on; `event` is None for a nightly job."""

    installed: Installed
    handler: Callable[..., None]
    event: Event | None
    is_heavy: bool = False


class Runner:
    """Does runs, one at a time per call; its `process` is what an engine hands runs to.

    Args:
        service: the service whose handlers are called.
        is_apart: this process is there for one heavy run.
    """

    def __init__(self, service: Service, *, is_apart: bool = False) -> None:
        self._service = service
        self._is_apart = is_apart
        self._database = service.database
        self._staff = Staff(service)

    def process(self, run_id: int, hold: Hold) -> None:
        """Do the run, record what became of it and settle the hold, in one transaction after the handler's work.

        An error that concerns the whole account pauses it and counts nothing. Any other fault is tried again with
        growing pauses; after `ATTEMPTS`, or `PATIENCE` since the first, the run is dead.
        """
        with self._database.read() as connection:
            row = connection.execute(_with_event(run_id)).first()
            ref = _ref(row) if row else None
            subject = follow(connection, ref) if ref else None
        if row is None or row.state != "queued":
            self._settle(hold)
            return
        try:
            call = self._resolve(row, subject)
        except Orphan as error:
            self._bury(row, hold, f"{error} Install what is missing and replay this run.")
            return
        if self._moved(row, hold, call, subject) or self._waits_for_merged(row, hold, subject):
            return
        work = self._work(row, hold, call, subject)
        if call.is_heavy and self._service.is_reopenable and not self._is_apart:
            self._elsewhere(row, work, hold)
            return
        try:
            self._call(work, call)
        except Suspend as wait:
            self._again(work, hold, wait.until, f"{wait.reason} (no attempt is counted)")
        except CrmKitError as error:
            self._failed(row, work, hold, error)
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- a handler's fault must not stop its worker
            self._failed(row, work, hold, error)
        else:
            self._done(row, work, hold)

    def _elsewhere(self, row: Row[Any], work: Work, hold: Hold) -> None:
        """Let another process do the run; one that ends before its time is a fault like others."""
        try:
            apart.process(self._service, row.id, hold.lend(), hold.is_ending)
        except apart.Stopped as error:
            self._again(work, hold, self._service.clock.now(), f"{error} (no attempt is counted)")
        except (apart.Broken, OSError) as error:
            self._failed(row, work, hold, error)
        else:
            hold.returned()

    def _resolve(self, row: Row[Any], subject: Ref | None) -> Call:
        """What the run calls. Raises Orphan."""
        found = (
            one
            for one in self._service.installed
            if one.extension.name == row.extension and row.account in one.accounts
        )
        installed = next(found, None)
        if installed is None:
            raise Orphan(f"Extension {row.extension} is not installed for account {row.account}.")
        if row.event_id is None:
            jobs: list[Schedule] = [job for job in installed.extension.schedules if job.name == row.handler]
            if jobs:
                return Call(installed, jobs[0].run, None, jobs[0].is_heavy)
        else:
            event = _read(row)
            if subject is not None:
                event = event.model_copy(update={"ref": subject})
            named: list[Subscription] = [
                one
                for one in installed.extension.subscriptions
                if one.name == row.handler and isinstance(event, one.event)
            ]
            if named:
                return Call(installed, named[0].run, event)
        raise Orphan(f"Extension {row.extension} has no handler {row.handler} any more.")

    def _moved(self, row: Row[Any], hold: Hold, call: Call, subject: Ref | None) -> bool:
        """Queue the run in the lane of the record that its own was merged into; False when it stands right."""
        if call.event is None or subject is None or subject == _ref(row):
            return False
        lane = lane_of(row.extension, call.event, subject)
        if lane == row.lane:
            return False
        with self._database.write() as tx:
            tx.execute(update(run).where(run.c.id == row.id).values(lane=lane))
            enqueue(tx, lane, row.account, to_us(self._service.clock.now()), ahead=True)
            hold.settle(tx)
        return True

    def _waits_for_merged(self, row: Row[Any], hold: Hold, subject: Ref | None) -> bool:
        """Put the run off while a run of a record that was merged into its own is still under way; False otherwise."""
        if subject is None:
            return False
        with self._database.read() as connection:
            if not any(
                is_held(connection, _twin(row.lane, subject, loser)) for loser in losers_of(connection, subject)
            ):
                return False
        soon = self._service.clock.now() + MERGED_WAIT
        with self._database.write() as tx:
            hold.check(tx)
            tx.execute(update(run).where(run.c.id == row.id).values(not_before=to_us(soon)))
            hold.settle(tx)
        return True

    def _work(self, row: Row[Any], hold: Hold, call: Call, subject: Ref | None) -> Work:
        return Work(
            service=self._service,
            account=self._service.accounts[row.account],
            installed=call.installed,
            identity=row.key if row.event_id is not None else f"tick:{row.argument}",
            handler=row.handler,
            lane=row.lane,
            now=from_us(row.started_at) if row.started_at is not None else self._service.clock.now(),
            run_id=row.id,
            subject=subject,
            depth=row.depth or 0,
            hold=hold,
            has_effects=row.started_at is not None,
        )

    def _call(self, work: Work, call: Call) -> None:
        ctx = self.context(work, nightly=call.event is None)
        if call.event is None:
            call.handler(ctx)
        else:
            call.handler(call.event, ctx)

    def context(self, work: Work, *, nightly: bool = False) -> Context[Any]:
        """What the work's handler is given; a nightly job stands behind the others in the account's request budget."""
        account, database = work.account, self._database
        connection = GuardedConnection(account.bulk if nightly else account.live, work)
        return Context(
            crm=Crm(connection),
            settings=work.installed.settings,
            account=connection.account(),
            now=work.now,
            mirror=DeskMirror(database, account.key),
            index=DeskIndex(database, account.key, work.extension),
            store=DeskStore(database, account.key, work.extension),
            assign=DeskAssign(work, self._staff),
            log=_logger(work),
            decisions=work.decisions,
            set_timer=lambda at, key: _set_timer(work, key, at),
            drop_timer=lambda key: _set_timer(work, key, None),
            language=self._service.config.language,
            is_plan=work.installed.mode == "plan",
        )

    def _done(self, row: Row[Any], work: Work, hold: Hold) -> None:
        crashpoint("before_finish")
        now = self._service.clock.now()
        with self._database.write() as tx:
            if work.subject is not None:
                timers.keep(tx, row.account, row.extension, work.subject, row.lane, work.timers)
            if work.installed.mode == "plan":
                planned.explain(tx, work)
            DeskAssign(work, self._staff).forget(tx)
            if work.has_answer:
                pause.clear(tx, row.account, now)
            state = "skipped" if work.decisions.skipped else "done"
            finished = {"state": state, "finished_at": to_us(now), "error": None, "attempts": row.attempts + 1}
            self._update(tx, work, started_at=to_us(work.now), **finished)
            hold.settle(tx)
        log.info("run %s (%s) is %s: %s", row.id, row.lane, state, "; ".join(work.decisions.reasons) or "nothing said")
        crashpoint("after_finish")

    def _again(self, work: Work, hold: Hold, until: datetime, error: str) -> None:
        with self._database.write() as tx:
            self._update(tx, work, not_before=to_us(until), error=error)
            hold.settle(tx)

    def _failed(self, row: Row[Any], work: Work, hold: Hold, error: BaseException) -> None:
        if isinstance(error, CrmKitError) and error.pauses_account:
            self._pause(row, work, hold, error)
            return
        now = self._service.clock.now()
        attempts = row.attempts + 1
        first = from_us(row.first_failed_at) if row.first_failed_at is not None else now
        text = _explain(error)
        values: dict[str, Any] = {"attempts": attempts, "first_failed_at": to_us(first), "error": text}
        is_dead = attempts >= ATTEMPTS or now - first >= PATIENCE
        if is_dead:
            values |= {"state": "dead", "finished_at": to_us(now)}
            log.error("run %s (%s) is dead after %s attempts: %s", row.id, row.lane, attempts, error)
        else:
            values["not_before"] = to_us(now + timedelta(seconds=_jittered(min(2.0 ** (attempts - 1), LONGEST_WAIT_S))))
            log.warning("run %s (%s) failed, attempt %s: %s", row.id, row.lane, attempts, error)
        with self._database.write() as tx:
            self._update(tx, work, **values, **_unfixed(row, work))
            hold.settle(tx)

    def _pause(self, row: Row[Any], work: Work, hold: Hold, error: CrmKitError) -> None:
        """Let the account wait; a run that fails while the account answers others waits longer and longer, alone."""
        now = self._service.clock.now()
        with self._database.write() as tx:
            is_alone = (
                row.error is not None and isinstance(error, VendorDown) and pause.last_pause(tx, row.account) is None
            )
            if is_alone:
                age_s = max((now - from_us(row.stored_at)).total_seconds(), 1.0)
                until = now + timedelta(seconds=_jittered(min(age_s, LONGEST_WAIT_S)))
            else:
                until = pause.pause(tx, row.account, error, now).until
            self._update(tx, work, not_before=to_us(until), error=_explain(error), **_unfixed(row, work))
            hold.settle(tx)
        log.warning("run %s (%s) waits until %s: %s", row.id, row.lane, until.isoformat(), error)

    def _bury(self, row: Row[Any], hold: Hold, reason: str) -> None:
        log.error("run %s (%s) is dead: %s", row.id, row.lane, reason)
        values = {"state": "dead", "error": reason, "finished_at": to_us(self._service.clock.now())}
        with self._database.write() as tx:
            tx.execute(update(run).where(run.c.id == row.id).values(values))
            hold.settle(tx)

    def _settle(self, hold: Hold) -> None:
        with self._database.write() as tx:
            hold.settle(tx)

    def _update(self, tx: Connection, work: Work, **values: Any) -> None:
        """Record the run's state. Raises LaneLost before anything is recorded by one who has lost the lane."""
        work.check(tx)
        reasons = json.dumps(work.decisions.reasons, ensure_ascii=False)
        tx.execute(update(run).where(run.c.id == work.run_id).values(decisions=reasons, **values))


def _with_event(run_id: int) -> Any:
    return (
        select(run, events.c.name, events.c.key, events.c.body, events.c.kind, events.c.record_id, events.c.depth)
        .select_from(run.outerjoin(events, run.c.event_id == events.c.id))
        .where(run.c.id == run_id)
    )


def _twin(lane: str, subject: Ref, loser: Ref) -> str:
    """The lane of the loser beside that of its survivor; its own lane, which is held by us, is not meant."""
    mine = f"{subject.kind.value}:{subject.id}"
    return lane.removesuffix(mine) + f"{loser.kind.value}:{loser.id}" if lane.endswith(f":{mine}") else ""


def _read(row: Row[Any]) -> Event:
    try:
        return read_event(row.name, json.loads(row.body))
    except (KeyError, ValidationError) as error:
        raise Orphan(f"The stored {row.name} cannot be read by this release: {error}.") from error


def _ref(row: Row[Any]) -> Ref | None:
    return Ref.parse(f"{row.account}/{row.kind}:{row.record_id}") if row.kind else None


def _unfixed(row: Row[Any], work: Work) -> dict[str, None]:
    """A run that has written nothing yet takes its next attempt's own time: after an outage that is another one."""
    return {"started_at": None} if row.started_at is None and not work.begun else {}


def _jittered(seconds: float) -> float:
    """A moment up to `seconds` away, so that what failed together is not tried again together."""
    return random.uniform(0, seconds)  # noqa: S311 -- spreads retries, guards nothing


def _logger(work: Work) -> logging.Logger:
    # getLogger() keeps every logger for good, and there is one for each run.
    logger = logging.Logger(f"crmkit.run.{work.extension}.{work.account.key}.{work.run_id}")  # noqa: LOG001
    logger.parent = logging.getLogger("crmkit.run")
    return logger


def _set_timer(work: Work, key: str, at: datetime | None) -> None:
    if work.subject is None:
        raise CrmKitError(
            f"{work.handler} set a timer, but a nightly job is about no record",
            account=work.account.key,
            remedy="Set timers in handlers of events.",
        )
    work.timers.append(TimerChange(key, at))


def _explain(error: BaseException) -> str:
    """What is kept of an error: the message of one of ours, the last calls of a handler's own fault."""
    if isinstance(error, CrmKitError):
        return str(error)[:LONGEST_ERROR]
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    return "".join(lines)[-LONGEST_ERROR:]
