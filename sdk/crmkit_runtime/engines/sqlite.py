"""SqliteEngine: the embedded dispatcher, lanes leased from one table by threads and processes of one host."""

from __future__ import annotations

import itertools
import logging
import secrets
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy import Connection, Row, delete, or_, select, update
from sqlalchemy.exc import DBAPIError

from crmkit.values import Json
from crmkit_runtime.crashpoint import crashpoint
from crmkit_runtime.database import to_us
from crmkit_runtime.engines import LaneLost, Process
from crmkit_runtime.engines.lanes import head
from crmkit_runtime.liveness import is_gone, is_ours, owner_name
from crmkit_runtime.service import Service
from crmkit_runtime.tables import lane as lanes
from crmkit_runtime.tables import pause

log = logging.getLogger(__name__)

LEASE_S = 30.0
HEARTBEAT_S = 10.0
IDLE_S = 0.1
"""How often a sleeping worker looks for what has become due by the clock alone."""

GONE_CHECK_S = 0.5
TURN = 50
"""Runs of one lane in a row before other lanes get the thread."""

_held: defaultdict[str, set[str]] = defaultdict(set)
_instances = itertools.count(1)


@dataclass(slots=True)
class LaneHold:
    """One leased lane and the run that is next in it."""

    engine: SqliteEngine
    lane: str
    account: str
    fence: int
    run_id: int | None
    runs: int = 0

    def check(self, tx: Connection) -> None:
        """Raise LaneLost when the lease is another worker's by now."""
        held = select(lanes.c.fence).where(
            lanes.c.lane == self.lane, lanes.c.owner == self.engine.owner, lanes.c.fence == self.fence
        )
        if tx.execute(held).first() is None:
            raise LaneLost(self.lane)

    def settle(self, tx: Connection) -> None:
        """Go on with the lane's next run when it is due and the lane has not had its turn; else let the lane go."""
        self.check(tx)
        self.run_id = None
        self.runs += 1
        following = head(tx, self.lane)
        if following is None:
            tx.execute(delete(lanes).where(lanes.c.lane == self.lane))
        elif following.not_before > self.engine.now() or self.runs >= TURN or self.engine.must_pause(tx, self.account):
            self.engine.let_go(tx, self.lane, max(following.not_before, self.engine.now()))
        else:
            self.run_id = following.id

    def is_ending(self) -> bool:
        """The worker was told to stop."""
        return self.engine.is_stopping

    def lend(self) -> Mapping[str, Json]:
        """The lease as it stands; it is kept alive here while the other process works."""
        return {"owner": self.engine.owner, "lane": self.lane, "account": self.account, "fence": self.fence}

    def returned(self) -> None:
        """The lane was let go by whom it was lent to."""
        self.run_id = None


class SqliteEngine:
    """Leases lanes from the table `lane`: claimed in batches, kept alive by a heartbeat, fenced against sleepers.

    A lane's row exists exactly while runs are queued in it. The lease of a process that died on this host is taken over
    at once, that of another host after `LEASE_S`.

    Args:
        service: the service whose lanes are drained.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._database = service.database
        self.owner = f"{owner_name()}:{next(_instances)}"
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._busy: Counter[str] = Counter()
        self._gone: list[str] = []
        self._gone_at = -GONE_CHECK_S

    @property
    def is_stopping(self) -> bool:
        """The worker that it works for was told to stop."""
        return self._stop.is_set()

    def now(self) -> int:
        """The service's time, in microseconds."""
        return to_us(self._service.clock.now())

    def let_go(self, tx: Connection, lane: str, due_at: int) -> None:
        """Give the lane back, to be claimed again from `due_at` on."""
        tx.execute(update(lanes).where(lanes.c.lane == lane).values(owner=None, lease_until=0, due_at=due_at))

    def must_pause(self, tx: Connection, account: str) -> bool:
        """The lane's thread is to stop: the worker is stopping or the account waits."""
        waits = select(pause.c.account).where(pause.c.account == account, pause.c.until > self.now())
        return self._stop.is_set() or tx.execute(waits).first() is not None

    def run_worker(self, process: Process, concurrency: int, stop: threading.Event) -> None:
        """Claim and drain lanes on `concurrency` threads until `stop` is set; then the runs under way are finished."""
        self._stop = stop
        beating = threading.Thread(target=self._beat, name="lane-heartbeat", daemon=True)
        beating.start()
        with ThreadPoolExecutor(concurrency, thread_name_prefix="lane") as pool:
            while not stop.is_set():
                try:
                    holds = self._claim(concurrency - self._busy.total(), concurrency)
                except Exception:
                    log.exception("lanes cannot be claimed; again in a second")
                    stop.wait(1.0)
                    continue
                for hold in holds:
                    pool.submit(self._drain, hold, process)
                if not holds:
                    self._service.bell.wait(IDLE_S)
        beating.join()

    def step(self, process: Process) -> bool:
        """Claim one due lane and drain it in the calling thread; False when no lane is due."""
        holds = self._claim(1, 1)
        for hold in holds:
            self._drain(hold, process)
        return bool(holds)

    def borrowed(self, lent: Mapping[str, Json]) -> LaneHold:
        """The lane in its lender's name, for one run: then it is let go, and whoever is free claims it."""
        self.owner = str(lent["owner"])
        return LaneHold(self, str(lent["lane"]), str(lent["account"]), int(str(lent["fence"])), None, TURN)

    def _drain(self, hold: LaneHold, process: Process) -> None:
        try:
            crashpoint("after_claim")
            while hold.run_id is not None:
                process(hold.run_id, hold)
        except LaneLost:
            log.warning("lane %s was taken over by another worker", hold.lane)
        except Exception:
            log.exception("lane %s could not be worked on; again in a second", hold.lane)
            self._give_back(hold)
        finally:
            with self._lock:
                _held[self.owner].discard(hold.lane)
                self._busy[hold.account] -= 1
            self._service.bell.ring()

    def _give_back(self, hold: LaneHold) -> None:
        try:
            with self._database.write() as tx:
                hold.check(tx)
                self.let_go(tx, hold.lane, self.now() + 1_000_000)
        except (LaneLost, DBAPIError, OSError) as error:
            log.warning("lane %s stays leased until its lease runs out: %s", hold.lane, error)

    def _claim(self, free: int, concurrency: int) -> list[LaneHold]:
        """Lease up to `free` due lanes; nothing is written while none is due."""
        if free <= 0:
            return []
        with self._database.read() as connection:
            if not self._due(connection, 1):
                return []
        with self._database.write() as tx:
            found = self._due(tx, free + 2 * concurrency)
            holds = [hold for row in self._fair(tx, found, free, concurrency) if (hold := self._lease(tx, row))]
        with self._lock:
            for hold in holds:
                _held[self.owner].add(hold.lane)
                self._busy[hold.account] += 1
        return holds

    def _due(self, connection: Connection, limit: int) -> list[Row[str, str, str | None, int]]:
        now = self.now()
        waiting = select(pause.c.account).where(pause.c.until > now)
        rows = connection.execute(
            select(lanes.c.lane, lanes.c.account, lanes.c.owner, lanes.c.lease_until)
            .where(
                lanes.c.due_at <= now,
                lanes.c.account.not_in(waiting),
                or_(
                    lanes.c.owner.is_(None), lanes.c.lease_until < now, lanes.c.owner.in_(self._gone_owners(connection))
                ),
            )
            .order_by(lanes.c.due_at, lanes.c.lane)
            .limit(limit)
        )
        # A thread of this process is not late because the clock was turned: its lane stays its own.
        return [row for row in rows.all() if not (row.owner and is_ours(row.owner) and row.lane in _held[row.owner])]

    def _gone_owners(self, connection: Connection) -> list[str]:
        if time.monotonic() - self._gone_at >= GONE_CHECK_S:
            owners = connection.execute(select(lanes.c.owner).where(lanes.c.owner.is_not(None)).distinct()).scalars()
            self._gone = [owner for owner in owners if owner and (is_gone(owner) or is_ours(owner))]
            self._gone_at = time.monotonic()
        return self._gone

    def _fair(
        self, tx: Connection, rows: list[Row[str, str, str | None, int]], free: int, concurrency: int
    ) -> Iterator[Row[str, str, str | None, int]]:
        """At most `free` lanes; a slow account leaves threads to others, one that was away is tried by one lane."""
        trying = set(tx.execute(select(pause.c.account)).scalars())
        share = concurrency if len(self._service.accounts) == 1 else max(1, concurrency * 3 // 4)
        taken = Counter(self._busy)
        for row in rows:
            if free and taken[row.account] < (1 if row.account in trying else share):
                free -= 1
                taken[row.account] += 1
                yield row

    def _lease(self, tx: Connection, row: Row[str, str, str | None, int]) -> LaneHold | None:
        first = head(tx, row.lane)
        if first is None:
            tx.execute(delete(lanes).where(lanes.c.lane == row.lane))
            return None
        if first.not_before > self.now():
            self.let_go(tx, row.lane, first.not_before)
            return None
        # Drawn, not counted: a lane's row comes and goes, and a sleeper's old number must never be right again.
        fence = secrets.randbits(31)
        until = self.now() + int(LEASE_S * 1_000_000)
        tx.execute(
            update(lanes).where(lanes.c.lane == row.lane).values(owner=self.owner, lease_until=until, fence=fence)
        )
        return LaneHold(self, row.lane, row.account, fence, first.id)

    def _beat(self) -> None:
        while True:
            is_stopping = self._stop.wait(HEARTBEAT_S)
            if is_stopping and not self._busy.total():
                return
            try:
                with self._database.write() as tx:
                    until = self.now() + int(LEASE_S * 1_000_000)
                    tx.execute(update(lanes).where(lanes.c.owner == self.owner).values(lease_until=until))
            except Exception:
                log.exception("leases could not be prolonged; again in %s s", HEARTBEAT_S)
            if is_stopping:
                time.sleep(IDLE_S)
