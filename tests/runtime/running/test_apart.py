"""A heavy job has a process of its own: it works for the service, dies with it, and its death is a fault."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crmkit.settings import ServiceConfig
from crmkit_runtime import apart, report
from crmkit_runtime.database import Database
from crmkit_runtime.desk import DeskStore
from crmkit_runtime.dispatch import Queued, add_run
from crmkit_runtime.engines import Hold
from crmkit_runtime.engines.choice import engine_for
from crmkit_runtime.migrations import migrate
from crmkit_runtime.report import RunReport
from crmkit_runtime.runner import Runner
from crmkit_runtime.service import Service
from crmkit_sandbox import Sandbox

EXTENSION = """
import os, signal, sys, time

from crmkit import Context, Extension, NoSettings

heavy = Extension("heavy")


@heavy.every("0 3 * * *", is_heavy=True)
def sweep(ctx: Context[NoSettings]) -> None:
    ctx.explain("begun")
    order = (ctx.store.get("orders", "today") or {}).get("do")
    if order == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if order == "fail":
        raise ValueError("the base is upside down")
    if order == "wait":
        print("waiting", flush=True)
        ctx.store.put("done", "begun", {})
        time.sleep(600)
    ctx.store.put("done", "today", {"process": os.getpid(), "nice": os.nice(0)})
"""


class Night:
    """A service whose one job is due."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.engine = engine_for(service)
        self.store = DeskStore(service.database, "acme", "heavy")

    def order(self, what: str) -> None:
        """What the job is to do this night."""
        self.store.put("orders", "today", {"do": what})

    def queue(self) -> None:
        """The hour has come."""
        queued = Queued("heavy", "sweep", "heavy:acme:schedule:sweep")
        with self.service.database.write() as tx:
            add_run(tx, self.service, queued, "acme", event_id=None, argument="2026-03-02T03:00:00+00:00")

    def work(self) -> bool:
        """Do what is due; whether anything was."""
        return self.engine.step(Runner(self.service).process)

    def has_begun(self) -> bool:
        """Wait until the job says that it is at work; False after a minute."""
        until = time.monotonic() + 60
        while self.store.get("done", "begun") is None and time.monotonic() < until:
            self.service.bell.wait(0.05)
        return self.store.get("done", "begun") is not None

    @property
    def run(self) -> RunReport:
        """The job's run."""
        [run] = report.runs(self.service.database)
        return run


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    """A service with the job beside an emulated CRM, described by its config and the environment alone."""
    (tmp_path / "heavy_job.py").write_text(EXTENSION, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with Sandbox(("amocrm",)) as sandbox:
        monkeypatch.setenv("CRMKIT_ACME_TOKEN", sandbox.amocrm.token)
        config = ServiceConfig.model_validate(
            {
                "database": str(tmp_path / "service.sqlite3"),
                "accounts": {"acme": {"vendor": "amocrm", "base_url": sandbox.amocrm.base_url}},
                "extensions": {"heavy_job:heavy": {}},
            }
        )
        database = Database(config.database)
        migrate(database)
        database.close()
        service = Service.open(config)
        try:
            yield Night(service)
        finally:
            service.close()
        sys.modules.pop("heavy_job", None)


def test_another_process_does_it_and_stands_behind(night: Night) -> None:
    """The run is recorded as any other; the lane is free again, and the next night comes."""
    night.queue()
    worked = [night.work(), night.work()]
    done = night.store.get("done", "today") or {}

    assert (worked, night.run.state, night.run.decisions) == ([True, False], "done", ("begun",))
    assert done["process"] != os.getpid()
    assert done["nice"] == os.nice(0) + 10


def test_a_fault_is_recorded_there(night: Night) -> None:
    """With its message, and tried again later."""
    night.order("fail")
    night.queue()
    night.work()

    assert (night.run.state, night.run.attempts) == ("queued", 1)
    assert "the base is upside down" in (night.run.error or "")


def test_a_process_that_is_killed_is_a_fault(night: Night) -> None:
    """As by a system that is out of memory: counted, so that it does not go on for ever."""
    night.order("die")
    night.queue()
    night.work()

    assert (night.run.state, night.run.attempts) == ("queued", 1)
    assert "ended with -9" in (night.run.error or "")


def test_a_service_that_stops_waits_no_longer_than_it_must(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run is broken off, counts no attempt, and is the next worker's."""
    monkeypatch.setattr(apart, "LINGERS_S", 0.0)
    night.order("wait")
    night.queue()
    stop = threading.Event()
    worker = threading.Thread(target=night.engine.run_worker, args=(Runner(night.service).process, 1, stop))
    worker.start()
    assert night.has_begun()
    stop.set()
    worker.join(timeout=60)

    assert (worker.is_alive(), night.run.state, night.run.attempts) == (False, "queued", 0)
    assert "the service stopped" in (night.run.error or "")


def test_it_dies_with_the_service(night: Night) -> None:
    """Whoever held the other end of its pipe is gone: so is the process, in the middle of its work."""
    night.order("wait")
    night.queue()
    asked: dict[str, Any] = {"config": night.service.config.model_dump(mode="json"), "is_json": False}

    def lend(run_id: int, hold: Hold) -> None:
        asked.update(run_id=run_id, lane=dict(hold.lend()))
        hold.returned()

    night.engine.step(lend)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    words = [sys.executable, "-m", "crmkit_runtime"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(asked).encode() + b"\n")
        child.stdin.flush()
        said = child.stdout.readline()
        child.stdin.close()
        code = child.wait(timeout=30)

    assert (said, code, night.run.state) == (b"waiting\n", 1, "queued")
