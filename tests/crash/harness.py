"""Stage: a database, a CRM and worker processes that are started and killed; and the verdict on what they did."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from sqlalchemy import func, select
from tests.crash.remote import CrmServer
from tests.crash.worker import ACCOUNT, open_service

from crmkit.clock import SystemClock
from crmkit.events import DealUpdated
from crmkit.models import Deal, Task
from crmkit.testing.world import MemoryWorld
from crmkit.values import Kind, Ref
from crmkit.webhook import Origin
from crmkit_runtime.crashpoint import VARIABLE
from crmkit_runtime.database import Database
from crmkit_runtime.dispatch import publish
from crmkit_runtime.migrations import migrate
from crmkit_runtime.tables import run

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What went wrong: all of it must be empty."""

    lost: tuple[str, ...]
    repeated: tuple[str, ...]
    reordered: tuple[str, ...]
    overlapped: tuple[str, ...]


class Stage:
    """Everything of one crash test.

    Args:
        folder: where the database lies.
        delay_s: how slow a write to the CRM is, before and after it is done.
    """

    def __init__(self, folder: Path, delay_s: float = 0.01) -> None:
        self.world = MemoryWorld(SystemClock())
        self.server = CrmServer(self.world, delay_s)
        self._database = folder / "crmkit.sqlite3"
        database = Database(str(self._database))
        migrate(database)
        database.close()
        self._service = open_service(self._database, self.server.address[1], self.server.secret)
        self._log = (folder / "workers.log").open("ab")
        self._workers: list[subprocess.Popen[bytes]] = []
        self._numbers = itertools.count(1)
        self._published: list[tuple[str, int]] = []

    def __enter__(self) -> Stage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            if worker.poll() is None:
                worker.kill()
            worker.wait()
        self._log.close()
        self._service.close()
        self.server.close()

    def start(self, crash_at: str | None = None) -> subprocess.Popen[bytes]:
        """A new worker process; with `crash_at` it dies at that point."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        if crash_at:
            environment[VARIABLE] = crash_at
        arguments = [str(self._database), str(self.server.address[1]), self.server.secret.hex()]
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.worker", *arguments], cwd=ROOT, env=environment, stderr=self._log
        )
        self._workers.append(worker)
        return worker

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """SIGKILL, and wait for the end."""
        worker.kill()
        worker.wait()

    def publish(self, count: int, records: int) -> None:
        """Let `count` changes happen to `records` deals, one transaction each, in the order of their numbers."""
        for _ in range(count):
            number = next(self._numbers)
            ref = Ref(ACCOUNT, Kind.DEAL, str(random.randrange(records) + 1))
            event = DealUpdated(
                ref=ref,
                occurred_at=self._service.clock.now(),
                delivery_id=str(number),
                before=None,
                deal=Deal(ref=ref, title="x"),
                changed=frozenset({"title"}),
            )
            with self._service.database.write() as tx:
                publish(tx, self._service, event, key=f"test:{number}", origin=Origin.HOOK)
            self._published.append((str(ref), number))

    def states(self) -> Mapping[str, int]:
        """How many runs are in each state."""
        with self._service.database.read() as connection:
            rows = connection.execute(select(run.c.state, func.count()).group_by(run.c.state))
            return {row[0]: row[1] for row in rows}

    def wait_until_done(self, timeout: float) -> None:
        """Return when every run is done; AssertionError with what the workers logged when they are not in time."""
        end = time.monotonic() + timeout
        while (states := self.states()) != {"done": len(self._published)}:
            assert time.monotonic() < end, f"{states}\n{Path(self._log.name).read_text()[-4000:]}"
            self._service.bell.wait(0.05)

    def verdict(self) -> Verdict:
        """What the CRM has, against what was asked for."""
        texts = [task.text for task in self.world.account(ACCOUNT).all(Task)]
        made = Counter(texts)
        wanted = {f"{lane} {number} {sort}" for lane, number in self._published for sort in ("plain", "named")}
        wanted.add("shared by all")
        return Verdict(
            lost=tuple(sorted(wanted - made.keys())),
            repeated=tuple(sorted(text for text, count in made.items() if count > 1)),
            reordered=tuple(sorted({*_unordered(self.server.journal.began), *_unordered(_numbered(texts))})),
            overlapped=tuple(self.server.journal.overlapped),
        )


def _numbered(texts: list[str]) -> list[tuple[str, int]]:
    parts = [text.split() for text in texts if text.endswith("plain")]
    return [(lane, int(number)) for lane, number, _ in parts]


def _unordered(sequence: list[tuple[str, int]]) -> set[str]:
    """Lanes in which a smaller number came after a larger one."""
    last: defaultdict[str, int] = defaultdict(int)
    wrong = set()
    for lane, number in sequence:
        if number < last[lane]:
            wrong.add(lane)
        last[lane] = max(last[lane], number)
    return wrong
