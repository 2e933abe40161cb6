"""What is remembered for a while: read once, read again when it is old, wanted afresh or not there."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from crmkit.remembered import FRESH_S, Remembered
from crmkit.testing.clock import JumpingClock


class Reader:
    """Counts how often it is read; its time is turned by hand."""

    def __init__(self) -> None:
        self.reads = 0
        self.time = datetime(2026, 3, 2, 9, tzinfo=UTC)
        self.names = Remembered(JumpingClock(lambda: self.time, self.turn))

    def turn(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    def read(self) -> int:
        self.reads += 1
        return self.reads


def test_a_value_is_read_once_until_it_is_old_or_wanted_afresh() -> None:
    """Ten minutes, or as long as is said; each name for itself."""
    one = Reader()
    seen = [one.names.get("users", one.read)]
    one.turn(FRESH_S - 1)
    seen += [one.names.get("users", one.read), one.names.get("users", one.read, afresh=True)]
    one.turn(FRESH_S)
    seen += [one.names.get("users", one.read, fresh_s=float("inf")), one.names.get("users", one.read)]
    assert seen == [1, 1, 2, 2, 3]
    assert one.names.get("fields", one.read) == 4


def test_what_was_read_along_is_known() -> None:
    """A kept value is as good as a read one."""
    one = Reader()
    before = "account" in one.names
    one.names.keep("account", 7)
    assert (before, "account" in one.names, one.names.get("account", one.read), one.reads) == (False, True, 7, 0)


def test_a_failed_reading_is_not_remembered() -> None:
    """The next one asks again."""
    one = Reader()

    def fail() -> int:
        raise ValueError("no answer")

    with pytest.raises(ValueError, match="no answer"):
        one.names.get("users", fail)
    assert ("users" in one.names, one.names.get("users", one.read)) == (False, 1)


def test_threads_that_ask_together_read_once() -> None:
    """One reads while the others wait."""
    one, gate = Reader(), threading.Barrier(8)

    def ask(_: int) -> int:
        gate.wait(10)
        return one.names.get("users", one.read)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [1] * 8
