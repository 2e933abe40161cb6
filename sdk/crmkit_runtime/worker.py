"""Worker: the threads of one process that observe accounts and do runs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from sqlalchemy import delete

from crmkit_runtime import retention, schedule, source_sweep, timers
from crmkit_runtime.baseline import Baseline
from crmkit_runtime.chores import AFTER_FAULT_S, Chore
from crmkit_runtime.database import to_us, upsert
from crmkit_runtime.engines import lanes
from crmkit_runtime.engines.choice import engine_for
from crmkit_runtime.feed import Sweep
from crmkit_runtime.health import WORKER
from crmkit_runtime.liveness import owner_name
from crmkit_runtime.observe import Observer
from crmkit_runtime.runner import Runner
from crmkit_runtime.service import Service
from crmkit_runtime.source_sweep import SourceSweep
from crmkit_runtime.tables import lease

log = logging.getLogger(__name__)

PRUNE = timedelta(hours=1)
BEAT = timedelta(seconds=10)
BEAT_HOLDS_S = 30
WATCH_S = 0.01
"""How often other processes' commits are looked for: it bounds the time from an acknowledgement to its handler."""


class Worker:
    """Everything that works on a service in one process.

    Args:
        service: what is worked on.
        concurrency: how many runs at a time.

    Raises ConfigError for a cron line that cannot be read.
    """

    def __init__(self, service: Service, concurrency: int = 8) -> None:
        schedule.check_schedules(service)
        self._service = service
        self._concurrency = concurrency
        self._engine = engine_for(service)
        self._runner = Runner(service)
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._name = f"{WORKER}{owner_name()}:{id(self):x}"
        sweep = timedelta(seconds=service.config.sweep_every_s)
        self._accounts = [chore for key in service.accounts for chore in _for_account(service, key, sweep)]
        self._clockwork = [
            Chore(service, "timers", lambda: timers.fire(service)),
            Chore(service, "schedule", lambda: schedule.tick(service), every=timedelta(seconds=1)),
        ]
        self._upkeep = [
            Chore(service, "heartbeat", self._beat, every=BEAT),
            Chore(service, "retention", lambda: bool(retention.prune(service)), every=PRUNE),
        ]

    def start(self) -> None:
        """Begin to work, on threads of its own."""
        with self._service.database.write() as tx:
            if lost := lanes.restore(tx):
                log.warning("%s lanes had runs and were not known; they are worked on now", lost)
        self._begin("watch", self._watch)
        for chore in (*self._accounts, *self._clockwork, *self._upkeep):
            self._begin(chore.name, partial(chore.run, self._stop))
        work = partial(self._engine.run_worker, self._runner.process, self._concurrency, self._stop)
        self._begin("dispatch", work)

    def stop(self, timeout: float = 30.0) -> None:
        """Take on nothing new, finish the runs under way, and return; after `timeout` seconds with some unfinished.

        What is not finished is done again by the next worker, without repeating its writes.
        """
        self._stop.set()
        self._service.bell.ring()
        until = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                log.warning("%s did not stop within %s s", thread.name, timeout)
        with self._service.database.write() as tx:
            tx.execute(delete(lease).where(lease.c.name == self._name))

    def drain(self, timeout: float = 30.0) -> None:
        """Do everything that is due by the service's clock in the calling thread, until there is no more.

        Nothing is waited for: what is due later stays. Raises TimeoutError when there is still more after `timeout`
        seconds of real time. Not for a worker that was started.
        """
        until = time.monotonic() + timeout
        chores = (*self._accounts, *self._clockwork)
        while any([*(chore.once() for chore in chores), self._engine.step(self._runner.process)]):
            if time.monotonic() > until:
                raise TimeoutError(f"there is still work after {timeout} s; do two extensions answer each other?")

    def _begin(self, name: str, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(WATCH_S):
            try:
                if self._service.database.changed():
                    self._service.bell.ring()
            except Exception:
                log.exception("commits cannot be watched; again in %s s", AFTER_FAULT_S)
                self._stop.wait(AFTER_FAULT_S)

    def _beat(self) -> bool:
        row = {
            "name": self._name,
            "owner": owner_name(),
            "until": to_us(self._service.clock.now() + timedelta(seconds=BEAT_HOLDS_S)),
        }
        with self._service.database.write() as tx:
            upsert(tx, lease, row, conflict=["name"], update=["owner", "until"])
        return False


def _for_account(service: Service, key: str, sweep: timedelta) -> list[Chore]:
    """What is done for each account, in the order in which it has to begin."""
    baseline, feed, observer = Baseline(service, key), Sweep(service, key), Observer(service, key)
    loaded = threading.Event()

    def load() -> bool:
        if baseline.step():
            loaded.set()
        return not loaded.is_set()

    return [
        Chore(service, f"baseline:{key}", load, account=key, is_over=loaded.is_set),
        Chore(service, f"feed:{key}", lambda: bool(feed.step()), every=sweep, account=key),
        Chore(service, f"observe:{key}", observer.step, account=key, rests=True),
        *(_for_source(service, key, name) for name in service.accounts[key].sources),
    ]


def _for_source(service: Service, key: str, name: str) -> Chore:
    reader = SourceSweep(service, key, name)
    # It belongs to no account's pause: a telephony may be well while the CRM is away, and the other way round.
    return Chore(service, f"{name}:{key}", reader.step, every=source_sweep.EVERY, is_over=lambda: reader.is_over)
