"""The demo's service: a web process and a worker process of their own, that can be killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

from crmkit.errors import CrmKitError
from crmkit.settings import secret_variable
from crmkit_cli.emulated import Entrance
from crmkit_cli.language import language, tr
from crmkit_cli.opening import read_config
from crmkit_runtime import report
from crmkit_runtime.database import Database
from crmkit_runtime.service import Service

PATIENCE_S = 30.0
"""How long the service may take to come up, to act, to die and to go down."""

_SERVICE = """\
[service]
database = "{folder}/demo.sqlite3"
public_url = "http://127.0.0.1:{port}"
language = "{language}"
sweep_every_s = 2

[extensions.call-tasks]
due_in = "PT30M"

[extensions."crmkit_cli.greeting:greeting"]
accounts = {greeted}
"""
_ACCOUNT = """
[accounts.{key}]
{table}

[accounts.{key}.sources.ringostat]
timezone = "UTC"
"""


class Office:
    """The web process and the worker process of the demo's service.

    Args:
        folder: where it keeps what it has.
        entrances: the accounts by their keys.
        greeted: the accounts in which new deals are greeted.
    """

    def __init__(self, folder: Path, entrances: Mapping[str, Entrance], greeted: Sequence[str]) -> None:
        self.folder = folder
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._accounts = tuple(entrances)
        self._config = folder / "crmkit.toml"
        service = _SERVICE.format(folder=folder, port=self.port, language=language(), greeted=json.dumps(list(greeted)))
        self._config.write_text(service + "".join(map(_account, entrances, entrances.values())), encoding="utf-8")
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CRMKIT_")},
            "CRMKIT_LANG": language(),
            **{
                secret_variable(key, name): value
                for key, entrance in entrances.items()
                for name, value in entrance.secrets.items()
            },
        }
        self._web: subprocess.Popen[bytes] | None = None
        self._worker: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the database, start both processes, wait until every account is connected."""
        self._run("migrate").wait(timeout=30)
        self._web = self._run("run", "--web-only", "--port", str(self.port))
        self._worker = self._start_worker()
        began = time.monotonic()
        while not self._is_ready():
            if time.monotonic() - began > PATIENCE_S:
                raise CrmKitError(tr("сервис не поднялся", "the service did not come up"), remedy=self._tail())
            time.sleep(0.1)

    def stop(self) -> None:
        """End both processes."""
        for process in (self._web, self._worker):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in (self._web, self._worker):
            if process is not None:
                try:
                    process.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    process.kill()

    @contextmanager
    def opened(self) -> Iterator[Service]:
        """The same service, to look at it from here."""
        known = {name: value for name, value in self._environment.items() if name.startswith("CRMKIT_")}
        service = Service.open(read_config(self._config), environment=known)
        try:
            yield service
        finally:
            service.close()

    def hook_url(self, account: str, sender: str) -> str:
        """Where a sender's webhooks go."""
        with self.opened() as service:
            return service.hook_url(account, sender)

    def die_in_next_call(self) -> None:
        """Start the worker anew with the order to die right after its next write."""
        self._end_worker()
        self._worker = self._start_worker({"CRMKIT_CRASH_AT": "after_call"})

    def revive(self) -> bool:
        """Wait for the death; start an ordinary worker again."""
        worker = self._worker
        if worker is None:
            return False
        try:
            has_died = worker.wait(timeout=PATIENCE_S) != 0
        except subprocess.TimeoutExpired:
            has_died = False
            self._end_worker()
        self._worker = self._start_worker()
        return has_died

    def database(self) -> Database:
        """The service's database."""
        return Database(str(self.folder / "demo.sqlite3"))

    def _end_worker(self) -> None:
        if self._worker is not None:
            self._worker.send_signal(signal.SIGTERM)
            self._worker.wait(timeout=15)

    def _start_worker(self, extra: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        return self._run("run", "--worker-only", extra=extra)

    def _run(self, *words: str, extra: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        with (self.folder / "service.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 -- our own command line
                [sys.executable, "-m", "crmkit_cli", words[0], "--config", str(self._config), *words[1:]],
                env={**self._environment, **(extra or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _is_ready(self) -> bool:
        try:
            if requests.get(f"{self.url}/healthz", timeout=1).status_code != 200:
                return False
        except requests.ConnectionError:
            return False
        database = self.database()
        try:
            # Connected: what happens from now on is news.
            return all(report.account(database, key).connected_at is not None for key in self._accounts)
        finally:
            database.close()

    def _tail(self) -> str:
        log = self.folder / "service.log"
        return log.read_text(encoding="utf-8", errors="replace")[-1500:] if log.exists() else ""


def _account(key: str, entrance: Entrance) -> str:
    table = "\n".join(f"{name} = {json.dumps(value)}" for name, value in entrance.table.items())
    return _ACCOUNT.format(key=key, table=table)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
