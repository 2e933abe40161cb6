"""The first start on a large amoCRM account while people work: rows a second, a missed call's wait, events.

    python benchmarks/first_start.py [DEALS] [--changes PER_SECOND]

The emulator runs in a process of its own with its limit of 7 requests a second on, the service in this one, with its
threads. Every so often a client's call is missed; what counts is how long its task takes (bar: 10 s). At the end each
change must have been told once, and nothing of deals that nobody touched.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import requests

from crmkit import Context, DealUpdated, Extension
from crmkit.settings import NoSettings, ServiceConfig
from crmkit_call_tasks import call_tasks
from crmkit_runtime import report
from crmkit_runtime.database import Database
from crmkit_runtime.ingest import Ingest
from crmkit_runtime.migrations import migrate
from crmkit_runtime.service import Service
from crmkit_runtime.web import create_app
from crmkit_runtime.worker import Worker
from crmkit_testing.door import Door

ACCOUNT = "bench"
PAGE, PER_S = 250, 7
CALL_EVERY_S = 15.0
BAR_S = 10.0
PATIENCE_S = 3_600.0

witness = Extension("witness")


@witness.on(DealUpdated)
def tell(event: DealUpdated, ctx: Context[NoSettings]) -> None:
    """Which deal it was, and its price."""
    ctx.explain(f"{event.ref.id} {event.deal.amount.amount if event.deal.amount else 0:.0f}")


def serve(deals: int, pipe: Pipe) -> None:
    """Run the emulator until told to stop."""
    from crmkit_sandbox import Sandbox

    with Sandbox(vendors=("amocrm",)) as sandbox:
        leads = sandbox.amocrm.bulk_leads(deals)
        pipe.send((sandbox.url, sandbox.amocrm.base_url, sandbox.amocrm.token, leads.start))
        pipe.recv()
        pipe.send((len(sandbox.amocrm.requests), sandbox.amocrm.limits.refused))


class Crowd:
    """The account's people, who act over the emulator's control API.

    Args:
        url: where the emulator listens.
        database: the service's, to see when a call was worked on.
        first, deals: the ids of the deals.
        per_s: changes a second; 0 for none.
    """

    def __init__(self, url: str, database: Database, first: int, deals: int, per_s: float) -> None:
        self.changed: dict[str, int] = {}
        self.waits_s: list[float] = []
        self._url = url
        self._database = database
        self._first, self._deals, self._per_s = first, deals, per_s
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._change, self._call)]

    def start(self) -> None:
        """Begin to work."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Go home; a call that waits is waited for."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _change(self) -> None:
        number, session = 0, requests.Session()
        while self._per_s and not self._stopped.wait(1 / self._per_s) and number < self._deals:
            # Each deal once, near and far from where the load is.
            lead = self._first + number * 7_919 % self._deals
            self._do(session, "update_lead", id=lead, price=1_000_000 + number)
            self.changed[str(lead)] = 1_000_000 + number
            number += 1

    def _call(self) -> None:
        number, session = 0, requests.Session()
        while not self._stopped.is_set():
            phone = f"+7916{number:07d}"
            person = self._do(session, "add_contact", name=f"Клиент {number}", phones=[phone], hooks=False)
            began = time.monotonic()
            self._do(session, "add_call_note", entity_type="contacts", entity_id=person, phone=phone, duration=0)
            number += 1
            while self._served() < number:
                time.sleep(0.05)
            self.waits_s.append(time.monotonic() - began)
            self._stopped.wait(CALL_EVERY_S)

    def _served(self) -> int:
        return report.count_by_state(self._database, report.Choice(extension="call-tasks")).get("done", 0)

    def _do(self, session: requests.Session, action: str, **words: Any) -> Any:
        answer = session.post(f"{self._url}/_sandbox/amocrm/do/{action}", json=words, timeout=30)
        answer.raise_for_status()
        return answer.json()["result"]


def first_start(folder: Path, base_url: str, token: str, crowd: tuple[str, int, int, float]) -> None:
    """Start a service on the account and print how it went."""
    url, first, deals, per_s = crowd
    database = Database(str(folder / "bench.sqlite3"))
    migrate(database, {})
    with Door() as door:
        config = ServiceConfig(
            database=str(database.path),
            public_url=door.url,
            accounts={ACCOUNT: {"vendor": "amocrm", "base_url": base_url}},
        )
        environment = {f"CRMKIT_{ACCOUNT.upper()}_TOKEN": token}
        service = Service.open(config, environment=environment, extensions=[witness, call_tasks])
        ingest = Ingest(service)
        door.lead_to(create_app(service, ingest))
        worker = Worker(service)
        people = Crowd(url, database, first, deals, per_s)
        began = time.monotonic()
        worker.start()
        wait_for(lambda: _is_connected(database))
        people.start()
        wait_for(lambda: "deal" in report.account(database, ACCOUNT).loaded)
        took_s = time.monotonic() - began
        people.stop()
        wait_for(lambda: len(_told(database)) >= len(people.changed))
        wait_for(lambda: not report.account(database, ACCOUNT).hints_waiting)
        show(database, people, deals, took_s)
        worker.stop()
        ingest.close()
        service.close()


def show(database: Database, people: Crowd, deals: int, took_s: float) -> None:
    """Print the figures."""
    told = _told(database)
    wanted = Counter(f"{lead} {price}" for lead, price in people.changed.items())
    state = report.account(database, ACCOUNT)
    rate, floor_s = deals / took_s, math.ceil(deals / PAGE) / PER_S
    lost, extra = (wanted - told).total(), (told - wanted).total()
    print(f"loaded {deals} deals in {took_s:.0f} s: {rate:.0f} a second, {took_s / floor_s:.2f} of the floor")
    print(
        f"{len(people.waits_s)} missed calls meanwhile, the slowest served in {max(people.waits_s):.1f} s (bar {BAR_S})"
    )
    print(f"{len(wanted)} changes meanwhile: told {told.total()}, lost {lost}, too many {extra}")
    print(f"found by the feed alone: {state.found_by_feed_only}; dead runs: {state.runs.get('dead', 0)}")


def wait_for(holds: Callable[[], bool]) -> None:
    """Return once it holds."""
    until = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > until:
            raise SystemExit(f"not within {PATIENCE_S:.0f} s")
        time.sleep(0.1)


def _is_connected(database: Database) -> bool:
    connected = report.account(database, ACCOUNT).connected_at
    return connected is not None and datetime.now(UTC).timestamp() >= int(connected.timestamp()) + 1


def _told(database: Database) -> Counter[str]:
    runs = report.runs(database, extension=witness.name, limit=1_000_000)
    return Counter(reason for run in runs for reason in run.decisions)


def main() -> None:
    """Print the figures of one first start."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("deals", type=int, nargs="?", default=200_000)
    parser.add_argument("--changes", type=float, default=5.0, help="changes a second that people make meanwhile")
    given = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    emulator = context.Process(daemon=True, target=serve, args=(given.deals, theirs))
    emulator.start()
    url, base_url, token, first = ours.recv()
    with tempfile.TemporaryDirectory(prefix="crmkit-first-start-") as folder:
        first_start(Path(folder), base_url, token, (url, first, given.deals, given.changes))
    ours.send("stop")
    asked, refused = ours.recv()
    emulator.join()
    print(f"{asked} requests, {refused} refused ({refused / asked:.2%})")


if __name__ == "__main__":
    main()
