"""Token stores: a pair survives a crash, a lock holds over threads and processes, a death inside it is seen."""

from __future__ import annotations

import logging
import multiprocessing
import stat
import threading
from pathlib import Path

import pytest

from crmkit.errors import ConfigError
from crmkit.tokens import FileTokenStore, StaticTokens, Tokens

PAIR = Tokens("access-1", "refresh-1", 1_800_000_000.0, "acme.amocrm.ru")


def count_up(folder: str, counter: str, times: int) -> None:
    """Add one so often, reading and writing apart, under the account's lock."""
    store, file = FileTokenStore(Path(folder)), Path(counter)
    for _ in range(times):
        with store.refreshing("acme"):
            file.write_text(str(int(file.read_text()) + 1))


def test_a_saved_pair_is_loaded_equal(tmp_path: Path) -> None:
    """By another store over the same folder as well; an unknown account has none."""
    FileTokenStore(tmp_path).save("acme", PAIR)
    assert FileTokenStore(tmp_path).load("acme") == PAIR
    assert FileTokenStore(tmp_path).load("other") is None


def test_only_the_owner_reads_the_files(tmp_path: Path) -> None:
    """The folder and the files are closed to everybody else."""
    folder = tmp_path / "tokens"
    store = FileTokenStore(folder)
    store.save("acme", PAIR)
    with store.refreshing("acme"):
        modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert (stat.S_IMODE(folder.stat().st_mode), modes) == (0o700, {0o600})


def test_a_half_written_pair_never_replaces_the_old_one(tmp_path: Path) -> None:
    """What a crash leaves of a new file is not what is loaded."""
    store = FileTokenStore(tmp_path)
    store.save("acme", PAIR)
    (tmp_path / "acme.new").write_text('{"access": "ha')
    assert store.load("acme") == PAIR


def test_a_broken_file_is_a_config_error_without_its_content(tmp_path: Path) -> None:
    """The message names the account and the remedy, not what stands in the file."""
    (tmp_path / "acme.json").write_text('{"access": "s3cret')
    with pytest.raises(ConfigError) as broken:
        FileTokenStore(tmp_path).load("acme")
    assert broken.value.account == "acme"
    assert "s3cret" not in f"{broken.value} {broken.value.__cause__}"


def test_a_pair_shows_no_token() -> None:
    """`repr` is safe to log."""
    assert repr(PAIR) == "Tokens(expires_at=1800000000.0, host='acme.amocrm.ru')"


def test_the_lock_holds_over_threads_and_processes(tmp_path: Path) -> None:
    """Nobody's step is lost between reading and writing."""
    counter = tmp_path / "counter"
    counter.write_text("0")
    work = (str(tmp_path), str(counter), 50)
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=count_up, args=work) for _ in range(2)]
    threads = [threading.Thread(target=count_up, args=work) for _ in range(4)]
    for process, thread in zip(processes * 2, threads, strict=True):
        thread.start()
        if process.pid is None:
            process.start()
    for thread in threads:
        thread.join()
    for process in processes:
        process.join()
    assert counter.read_text() == "300"


def test_a_death_inside_the_lock_is_reported_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The next holder says who died; the one after it finds nothing."""
    store = FileTokenStore(tmp_path)
    with store.refreshing("acme"):
        pass
    (tmp_path / "acme.lock").write_text("4711")
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            with store.refreshing("acme"):
                pass
    assert [record.getMessage().count("process 4711 died") for record in caplog.records] == [1]


def test_an_error_inside_the_lock_leaves_no_marker(tmp_path: Path) -> None:
    """A refused refresh is no death."""
    store = FileTokenStore(tmp_path)
    with pytest.raises(ZeroDivisionError), store.refreshing("acme"):
        raise ZeroDivisionError
    assert (tmp_path / "acme.lock").read_text() == ""


def test_a_long_lived_token_has_no_successor() -> None:
    """It is given, never replaced."""
    store = StaticTokens("long")
    assert store.load("acme") == Tokens("long")
    with store.refreshing("acme"), pytest.raises(ConfigError, match="long-lived"):
        store.save("acme", PAIR)
