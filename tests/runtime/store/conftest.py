"""A migrated database in a file, a clock that tests turn, and processes of our own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crmkit.clock import TurnedClock
from crmkit_runtime.database import Database
from crmkit_runtime.migrations import migrate

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "service.sqlite3"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    found = Database(str(path))
    migrate(found, {})
    yield found
    found.close()


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a script of this folder in a process of its own; it is killed when the test ends."""
    begun: list[subprocess.Popen[str]] = []

    def run(script: str, *words: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name(script)), *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={name: value for name, value in os.environ.items() if not name.startswith("CRMKIT_")},
        )
        begun.append(process)
        return process

    yield run
    for process in begun:
        process.kill()
        process.wait()
        if process.stdin and process.stdout:
            process.stdin.close()
            process.stdout.close()
