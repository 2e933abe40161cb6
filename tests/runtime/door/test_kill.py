"""kill -9 of the web process: whoever heard 200 finds their delivery stored."""

from __future__ import annotations

import http.client
import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from crmkit_runtime.database import Database
from crmkit_runtime.migrations import migrate
from crmkit_runtime.tables import delivery, hint

pytestmark = pytest.mark.crash


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = Database(str(tmp_path / "service.sqlite3"))
    migrate(found, {})
    yield found
    found.close()


@contextmanager
def web(database: Database, crash_at: str = "") -> Iterator[tuple[int, str, subprocess.Popen[str]]]:
    """A web process, killed at the end; it dies by itself at a named point when asked to."""
    script = Path(__file__).with_name("serve_door.py")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CRMKIT_")}
    words = [sys.executable, str(script), str(database.path)]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, text=True, env={**environment, "CRMKIT_CRASH_AT": crash_at}
    ) as process:
        assert process.stdout
        port, path, _ = process.stdout.readline().split()
        try:
            yield int(port), path, process
        finally:
            process.kill()


def post(port: int, path: str, number: int, link: Any = None) -> int:
    """The status; 0 when the connection broke."""
    item = f'{{"kind": "deal", "id": "{number}", "action": "changed", "at": null, "created_at": null, "actor": null}}'
    own = link or http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        own.request("POST", path, f'{{"account": "acme", "items": [{item}]}}'.encode())
        answer = own.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return 0
    return int(answer.status)


def stored(database: Database) -> set[int]:
    """The deals of all hints; each hint's delivery is there as well, and the file is sound."""
    with database.read() as connection:
        assert connection.execute(text("pragma integrity_check")).scalar() == "ok"
        hints = connection.execute(select(hint.c.record_id, hint.c.delivery_id)).all()
        deliveries = set(connection.execute(select(delivery.c.id)).scalars())
    assert {int(by) for _, by in hints} <= deliveries
    return {int(number) for number, _ in hints}


def test_who_heard_200_is_stored(database: Database) -> None:
    """Over five kills under the posts of eight senders no acknowledged delivery is missing, none is stored twice."""
    numbers = itertools.count(1)
    acknowledged: set[int] = set()

    def send(port: int, path: str) -> None:
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        while True:
            number = next(numbers)
            if post(port, path, number, link) != 200:
                return
            acknowledged.add(number)

    for kill in range(5):
        with web(database) as (port, path, process):
            senders = [threading.Thread(target=send, args=(port, path)) for _ in range(8)]
            for sender in senders:
                sender.start()
            while len(acknowledged) < (kill + 1) * 40:
                threading.Event().wait(0.005)
            process.kill()
            for sender in senders:
                sender.join()
    found = stored(database)
    assert acknowledged - found == set()
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(hint)).scalar() == len(found)


@pytest.mark.parametrize(("point", "kept"), [("in_ingest_before_commit", set()), ("in_ingest_after_commit", {1})])
def test_death_around_the_commit(database: Database, point: str, kept: set[int]) -> None:
    """Before the commit nothing is kept and nobody heard 200; after it everything is, though the sender cannot know."""
    with web(database, point) as (port, path, process):
        assert post(port, path, 1) == 0
        assert process.wait(5) == 137
    assert stored(database) == kept
    with web(database) as (port, path, _):
        assert post(port, path, 2) == 200
    assert stored(database) == {*kept, 2}
