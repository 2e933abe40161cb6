"""Clocks: the machine's, and the one that tests turn."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from crmkit.clock import SystemClock, TurnedClock, aware

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def waiting(
    clock: TurnedClock, seconds: float, wake: threading.Event | None = None
) -> tuple[threading.Thread, list[datetime]]:
    """A thread that waits on the clock, and the moments at which it returned."""
    woken: list[datetime] = []

    def sleep() -> None:
        clock.wait(seconds, wake)
        woken.append(clock.now())

    thread = threading.Thread(target=sleep, daemon=True)
    thread.start()
    return thread, woken


def test_a_turned_clock_stands_still_until_it_is_turned() -> None:
    """`advance` is the only thing that moves it."""
    clock = TurnedClock(START)
    assert clock.now() == START
    clock.advance(timedelta(hours=1))
    assert clock.now() == START + timedelta(hours=1)


def test_who_waits_is_woken_when_their_moment_has_come() -> None:
    """Turning the clock short of the moment wakes nobody; the turn that reaches it does."""
    clock = TurnedClock(START)
    thread, woken = waiting(clock, 60)
    clock.advance(timedelta(seconds=59))
    thread.join(0.05)
    assert thread.is_alive()
    while thread.is_alive():  # the thread may have begun to wait after the first turn
        clock.advance(timedelta(seconds=60))
        thread.join(0.05)
    assert woken[0] >= START + timedelta(seconds=60)


def test_all_who_wait_are_woken_by_one_turn() -> None:
    """Several threads sleep for different times; one turn past them all lets them all go on."""
    clock = TurnedClock(START)
    threads = [waiting(clock, seconds)[0] for seconds in (1, 5, 30)]
    while any(thread.is_alive() for thread in threads):
        clock.advance(timedelta(minutes=1))
        for thread in threads:
            thread.join(0.05)
    assert [thread.is_alive() for thread in threads] == [False, False, False]


def test_a_wake_ends_the_waiting_before_its_time() -> None:
    """The event wins over the clock, which has not been turned."""
    clock, wake = TurnedClock(START), threading.Event()
    thread, woken = waiting(clock, 3600, wake)
    wake.set()
    thread.join(5)
    assert woken == [START]


def test_nothing_to_wait_for_is_not_waited_for() -> None:
    """Zero, a past moment and an event that is set already return at once, on both clocks."""
    done = threading.Event()
    done.set()
    for clock in (TurnedClock(START), SystemClock()):
        begun = time.monotonic()
        clock.wait(0)
        clock.wait(-5)
        clock.wait(3600, done)
        assert time.monotonic() - begun < 1


def test_the_machines_clock_is_aware_and_waits() -> None:
    """It shows UTC and does not return early."""
    clock = SystemClock()
    begun = time.monotonic()
    clock.wait(0.02)
    clock.wait(0.02, threading.Event())
    assert time.monotonic() - begun >= 0.039
    assert clock.now().utcoffset() == timedelta(0)


def test_a_moment_without_a_zone_is_refused() -> None:
    """A moment with any zone passes as it is; one without could mean two dozen moments."""
    moscow = datetime(2026, 3, 2, 12, tzinfo=timezone(timedelta(hours=3)))
    assert aware(moscow) is moscow
    with pytest.raises(ValueError, match="2026-03-02T12:00:00 has no time zone"):
        aware(datetime(2026, 3, 2, 12))
