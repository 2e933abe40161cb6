"""DatabaseTokenStore: sealed at rest, one refresh at a time over all processes."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from crmkit.clock import SystemClock, TurnedClock
from crmkit.errors import ConfigError
from crmkit.tokens import Tokens
from crmkit_runtime.database import Database, to_us, upsert
from crmkit_runtime.keys import Keyring
from crmkit_runtime.liveness import owner_name
from crmkit_runtime.tables import token
from crmkit_runtime.tokens import DatabaseTokenStore, UnfinishedRefresh

PAIR = Tokens("canary-access-1", "canary-refresh-1", 1_772_442_000.0, "eu.example.com")
EXPIRED = Tokens("stale", "once", 0.0)
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def ring() -> Keyring:
    return Keyring([Fernet.generate_key().decode()])


@pytest.fixture
def store(database: Database, ring: Keyring, clock: TurnedClock) -> DatabaseTokenStore:
    return DatabaseTokenStore(database, ring, clock)


def markers(database: Database) -> list[tuple[str, str | None]]:
    with database.read() as connection:
        rows = connection.execute(select(token.c.account, token.c.refreshing_by))
        return [(row.account, row.refreshing_by) for row in rows]


def mark(database: Database, clock: TurnedClock, by: str) -> None:
    """Leave what a process leaves that is inside a refresh."""
    row = {"account": "acme", "refreshing_since": to_us(clock.now()), "refreshing_by": by}
    with database.write() as tx:
        upsert(tx, token, row, conflict=["account"], update=["refreshing_since", "refreshing_by"])


def test_a_pair_comes_back(store: DatabaseTokenStore) -> None:
    """Each account has its own pair, and the newest one."""
    store.save("acme", Tokens("first"))
    store.save("acme", PAIR)
    assert [store.load(key) for key in ("acme", "other")] == [PAIR, None]


def test_nothing_readable_lies_on_the_disk(store: DatabaseTokenStore, path: Path) -> None:
    """Neither the database nor its log holds a token in clear."""
    store.save("acme", PAIR)
    disk = b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())
    assert b"canary" not in disk


def test_a_foreign_key_is_said(store: DatabaseTokenStore, database: Database, clock: TurnedClock) -> None:
    """Tokens sealed with another key are a ConfigError that names the account."""
    store.save("acme", PAIR)
    other = DatabaseTokenStore(database, Keyring([Fernet.generate_key().decode()]), clock)
    with pytest.raises(ConfigError, match=r"the tokens cannot be read.*account acme"):
        other.load("acme")


def test_key_check(store: DatabaseTokenStore, database: Database, clock: TurnedClock) -> None:
    """The first key is remembered; another one is refused although no account has a token yet."""
    store.check_key()
    store.check_key()
    with pytest.raises(ConfigError, match="sealed with another key"):
        DatabaseTokenStore(database, Keyring([Fernet.generate_key().decode()]), clock).check_key()


def test_rotation_frees_from_the_old_key(database: Database, clock: TurnedClock) -> None:
    """After `rotate` the new key alone opens everything; the accounts are counted."""
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    before = DatabaseTokenStore(database, Keyring([old]), clock)
    before.check_key()
    before.save("acme", PAIR)
    before.save("other", Tokens("second"))
    assert DatabaseTokenStore(database, Keyring([new, old]), clock).rotate() == 2
    after = DatabaseTokenStore(database, Keyring([new]), clock)
    after.check_key()
    assert [after.load("acme"), after.load("other")] == [PAIR, Tokens("second")]


def test_the_marker_stands_only_while_refreshing(store: DatabaseTokenStore, database: Database) -> None:
    """The lease names its holder inside, nobody outside, also after an error."""
    inside = []

    def refused() -> None:
        with store.refreshing("acme"):
            inside.extend(markers(database))
            raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        refused()
    assert (inside, markers(database)) == ([("acme", owner_name())], [("acme", None)])


def test_saving_finishes_the_refresh(store: DatabaseTokenStore, database: Database) -> None:
    """A process that dies after the commit of the new pair leaves no marker: nothing was lost."""
    with store.refreshing("acme"):
        store.save("acme", PAIR)
        assert markers(database) == [("acme", None)]


def test_threads_refresh_one_after_another(store: DatabaseTokenStore) -> None:
    """No two of eight threads are inside at once."""
    inside, most, lock = 0, 0, threading.Lock()

    def refresh() -> None:
        nonlocal inside, most
        with store.refreshing("acme"):
            with lock:
                inside += 1
                most = max(most, inside)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=refresh) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_accounts_do_not_wait_for_each_other(store: DatabaseTokenStore) -> None:
    """One account can refresh inside another's refresh."""
    with store.refreshing("acme"), store.refreshing("other"):
        store.save("other", PAIR)
    assert store.load("other") == PAIR


def test_a_dead_holder_is_taken_over_and_reported(
    store: DatabaseTokenStore, database: Database, clock: TurnedClock
) -> None:
    """The lease of a process that is gone is reported at start, taken over, and still reported by who took it."""
    host = owner_name().partition(":")[0]
    dead = f"{host}:4194300:1"
    mark(database, clock, dead)
    lost = UnfinishedRefresh("acme", clock.now(), dead)
    at_start = store.unfinished_refreshes()
    with store.refreshing("acme"):
        store.save("acme", PAIR)
    assert (at_start, store.unfinished_refreshes(), markers(database)) == ([lost], [lost], [("acme", None)])


def test_an_earlier_process_of_our_number_is_gone(
    store: DatabaseTokenStore, database: Database, clock: TurnedClock
) -> None:
    """In a container each start has the same process number: the one before is not taken for this one."""
    host, pid, _ = owner_name().split(":")
    mark(database, clock, f"{host}:{pid}:1")
    assert store.unfinished_refreshes() == [UnfinishedRefresh("acme", clock.now(), f"{host}:{pid}:1")]


def test_a_holder_of_another_host_is_believed_for_a_minute(
    store: DatabaseTokenStore, database: Database, clock: TurnedClock
) -> None:
    """Nobody can see whether it lives: its lease counts for 60 seconds, then it is taken over."""
    mark(database, clock, "elsewhere:7:1")
    clock.advance(timedelta(seconds=60))
    young = store.unfinished_refreshes()
    clock.advance(timedelta(seconds=1))
    with store.refreshing("acme"):
        pass
    assert (young, [one.by for one in store.unfinished_refreshes()]) == ([], ["elsewhere:7:1"])


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("go\n")
    process.stdin.flush()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def test_four_processes_with_eight_threads_make_one_request(database: Database, start: Start, tmp_path: Path) -> None:
    """At expiry all 32 callers get the new token and exactly one of them asked for it."""
    system = DatabaseTokenStore(database, Keyring.load(database, {}), SystemClock())
    system.save("acme", EXPIRED)
    log = tmp_path / "requests"
    processes = [start("refresh_tokens.py", database.path, log, 8) for _ in range(4)]
    assert [said(process) for process in processes] == ["ready"] * 4
    for process in processes:
        go(process)
    assert [said(process) for process in processes] == ["fresh 8"] * 4
    assert len(log.read_text().splitlines()) == 1


@pytest.mark.crash
def test_a_kill_between_answer_and_commit_is_reported(database: Database, start: Start, tmp_path: Path) -> None:
    """The next start names the account, and the next caller need not wait for the dead one."""
    ring = Keyring.load(database, {})
    store = DatabaseTokenStore(database, ring, SystemClock())
    store.save("acme", EXPIRED)
    victim = start("refresh_tokens.py", database.path, tmp_path / "requests", 1, "die")
    said(victim)
    go(victim)
    assert victim.wait(10) == -signal.SIGKILL
    found = DatabaseTokenStore(database, ring, SystemClock()).unfinished_refreshes()
    assert [(one.account, one.by.split(":")[1]) for one in found] == [("acme", str(victim.pid))]
    with store.refreshing("acme"):
        assert store.load("acme") == EXPIRED
