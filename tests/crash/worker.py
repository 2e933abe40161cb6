"""The process that is killed: `python -m tests.crash.worker DATABASE PORT SECRET`, a worker over a remote CRM."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from pathlib import Path

from tests.crash.remote import RemoteAdapter

from crmkit.events import DealUpdated
from crmkit.extension import Context, Extension
from crmkit.models import Task
from crmkit.settings import NoSettings, ServiceConfig
from crmkit_runtime.service import Service
from crmkit_runtime.worker import Worker

ACCOUNT = "acme"
QUARANTINE_S = 2.0
CONCURRENCY = 4

extension = Extension("witness")


@extension.on(DealUpdated)
def write_down(event: DealUpdated, ctx: Context[NoSettings]) -> None:
    """Make three tasks for each change: one without a name, one named, and one that all changes share."""
    lane, number = str(event.ref), int(event.delivery_id)
    ctx.crm.call("POST", "/journal/begin", body={"lane": lane, "number": number})
    try:
        ctx.crm.tasks.create(Task(text=f"{lane} {number} plain", due=ctx.now))
        ctx.crm.tasks.create(Task(text=f"{lane} {number} named"), once=f"{lane} {number}")
        ctx.crm.tasks.create(Task(text="shared by all"), once="shared")
    finally:
        ctx.crm.call("POST", "/journal/end", body={"lane": lane})


def open_service(database: Path, port: int, secret: bytes) -> Service:
    """The service that is worked on, its CRM being served on `port`."""
    table = {"vendor": "memory", "base_url": "memory://localhost"}
    config = ServiceConfig.model_validate({"database": str(database), "accounts": {ACCOUNT: table}})
    service = Service.open(
        config,
        environment={},
        extensions=[extension],
        adapters={"memory": RemoteAdapter(("127.0.0.1", port), secret)},
    )
    service.quarantine_s = QUARANTINE_S
    return service


def main(database: str, port: str, secret: str) -> None:
    """Work until SIGTERM."""
    logging.basicConfig(level=logging.WARNING, format="%(process)d %(asctime)s %(name)s %(message)s")
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    service = open_service(Path(database), int(port), bytes.fromhex(secret))
    worker = Worker(service, CONCURRENCY)
    worker.start()
    stopped.wait()
    worker.stop()
    service.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
