"""From the acknowledgement of a delivery to the start of its handler, on an idle service; prints p50 and p99.

    python benchmarks/wake.py [--calls 200] [--pause 0.05]

Each call of a telephony is stored, acknowledged, and handled before the next one comes.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from crmkit import CallFinished, Context, Extension, NoSettings
from crmkit.settings import ServiceConfig
from crmkit.testing import MemoryAdapter, MemoryWorld
from crmkit.webhook import WebhookRequest
from crmkit_runtime.database import Database
from crmkit_runtime.ingest import Ingest
from crmkit_runtime.migrations import migrate
from crmkit_runtime.service import Service
from crmkit_runtime.worker import Worker

FORM = "application/x-www-form-urlencoded"


def call(number: int) -> WebhookRequest:
    """A missed call as Ringostat posts it."""
    fields = {
        "uniqueid": f"bench-{number}",
        "call_type": "in",
        "calldate": "2026-03-02 12:00:00",
        "caller": f"7916{number:07}",
        "dst": "74951234567",
        "disposition": "NO ANSWER",
        "billsec": "0",
        "duration": "20",
    }
    body = urlencode(fields).encode()
    return WebhookRequest("POST", "/hooks/ringostat/bench", "", {"content-type": FORM}, body, datetime.now(UTC))


def main() -> None:
    """Send the calls one by one and print what was seen."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--calls", type=int, default=200)
    options.add_argument("--pause", type=float, default=0.05)
    chosen = options.parse_args()
    started: list[float] = []
    begun = threading.Event()
    listener = Extension("listener")

    @listener.on(CallFinished)
    def note_the_time(event: CallFinished, ctx: Context[NoSettings]) -> None:
        started.append(time.perf_counter())
        begun.set()

    with tempfile.TemporaryDirectory() as folder:
        config = ServiceConfig.model_validate(
            {
                "database": str(Path(folder) / "bench.sqlite3"),
                "accounts": {"bench": {"vendor": "memory", "sources": {"ringostat": {}}}},
            }
        )
        database = Database(config.database)
        migrate(database, {})
        database.close()
        adapters = {"memory": MemoryAdapter(MemoryWorld())}
        service = Service.open(config, environment={}, extensions=[listener], adapters=adapters)
        ingest, worker = Ingest(service), Worker(service)
        worker.start()
        took = []
        for number in range(chosen.calls + 10):
            time.sleep(chosen.pause)
            begun.clear()
            ingest.receive("ringostat", "bench", call(number))
            acknowledged = time.perf_counter()
            if not begun.wait(10):
                raise SystemExit(f"call {number} was not handled")
            took.append((started[-1] - acknowledged) * 1000)
        worker.stop()
        ingest.close()
        service.close()
    counted = sorted(took[10:])
    p50, p99 = (counted[int(len(counted) * share)] for share in (0.5, 0.99))
    print(f"idle acknowledgement -> handler   p50 {p50:.1f} ms (bar 15)   p99 {p99:.1f} ms (bar 100)")


if __name__ == "__main__":
    main()
