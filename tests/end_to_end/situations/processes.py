"""Processes: `crmkit run`, started as an operator would, several on one database, to be killed where a test says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

from crmkit_runtime import report
from crmkit_runtime.crashpoint import VARIABLE
from crmkit_runtime.database import Database
from crmkit_runtime.migrations import migrate
from crmkit_testing.side import ACCOUNT, Side

HOOK_SECRET = "a-secret-of-these-tests-only"
KILLED = 137
PATIENCE_S = 30.0

_CONFIG = """\
[service]
database = "{folder}/crmkit.sqlite3"
sweep_every_s = {sweep_every_s}

[accounts.{account}]
{table}

[accounts.{account}.sources.ringostat]
timezone = "UTC"

[extensions."{extension}"]
"""


class Process:
    """One `crmkit run`.

    Args:
        popen: the process; it says on its output when it is up.
        is_web: it receives.
    """

    def __init__(self, popen: subprocess.Popen[str], *, is_web: bool) -> None:
        self.popen = popen
        self.url = self._read_line().rpartition(" ")[2] if is_web else ""

    def wait_for_work(self) -> None:
        """Return once its workers run."""
        line = self._read_line()
        assert line == "Workers are running", line

    def post(self, sender: str, body: Mapping[str, str]) -> int:
        """Deliver to this process; the status of the answer."""
        address = f"{self.url}/hooks/{sender}/{ACCOUNT}/{HOOK_SECRET}"
        return requests.post(address, data=dict(body), timeout=10).status_code

    def _read_line(self) -> str:
        assert self.popen.stdout is not None
        return self.popen.stdout.readline().strip()


class Processes:
    """A folder with a crmkit.toml and what runs on it; what still runs is killed at the end. Use it in `with`.

    Args:
        folder: where everything lies; a module of extensions may lie there too.
        side: the account's other side, open.
        extension: the one that is installed, by its name or as `module:attribute`.
        sweep_every_s: how often the feed is read; no hooks are subscribed.
    """

    def __init__(self, folder: Path, side: Side, extension: str, *, sweep_every_s: float = 60.0) -> None:
        self.database = Database(str(folder / "crmkit.sqlite3"))
        self._config = folder / "crmkit.toml"
        text = _CONFIG.format(
            folder=folder,
            account=ACCOUNT,
            table="\n".join(f'{name} = "{value}"' for name, value in side.account_table().items()),
            extension=extension,
            sweep_every_s=sweep_every_s,
        )
        self._config.write_text(text, encoding="utf-8")
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CRMKIT_")},
            "CRMKIT_LANG": "en",
            **side.environment(),
            "CRMKIT_ACME_HOOK_SECRET": HOOK_SECRET,
        }
        self._log = (folder / "processes.log").open("ab")
        self._started: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        migrate(self.database, {})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for popen in self._started:
            if popen.poll() is None:
                popen.kill()
            popen.wait()
            if popen.stdout is not None:
                popen.stdout.close()
        self._log.close()
        self.database.close()

    def start(self, *, is_web: bool = False, crash_at: str | None = None) -> Process:
        """A worker, or one that receives as well; with `crash_at` it dies there as by kill -9."""
        words = ["--port", "0"] if is_web else ["--worker-only"]
        popen = subprocess.Popen(
            [sys.executable, "-m", "crmkit_cli", "run", "--config", str(self._config), *words],
            env={**self._environment, "PYTHONUNBUFFERED": "1", **({VARIABLE: crash_at} if crash_at else {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._started.append(popen)
        return Process(popen, is_web=is_web)

    def account(self) -> report.AccountReport:
        """How the account is."""
        return report.account(self.database, ACCOUNT)

    def said(self) -> str:
        """The end of what the processes logged, for a test that fails."""
        return Path(self._log.name).read_text(encoding="utf-8")[-4000:]
