"""Several requests at a time: as many as the portal bears, their answers in order, nobody waiting for themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from crmkit.clock import TurnedClock
from crmkit.http import Pressure
from crmkit_bitrix24.client.crew import CALM_S, STRAINED, WIDEST, Crew

NOTHING = Pressure(0, 0.1, 0.0)


def crew(*seen: Pressure) -> Crew:
    """A crew that meets with this pressure, the last of it for good."""
    left = list(seen)
    clock = TurnedClock(datetime(2026, 3, 2, tzinfo=UTC))
    return Crew(clock, lambda: left.pop(0) if len(left) > 1 else left[0])


def test_answers_come_in_the_order_of_the_jobs() -> None:
    """The first job is the last to end."""
    ended = threading.Event()

    def first() -> str:
        assert ended.wait(10)
        return "first"

    def last() -> str:
        ended.set()
        return "last"

    assert list(crew(NOTHING).in_order([first, last], lambda: 2)) == ["first", "last"]


def test_a_late_answer_holds_back_only_as_many_as_may_wait() -> None:
    """Two at a time: behind the first, which is late, six more are done; the eighth waits."""
    begun: list[int] = []
    seventh, late = threading.Event(), threading.Event()

    def job(number: int) -> Callable[[], int]:
        def run() -> int:
            begun.append(number)
            if number == 0:
                assert late.wait(10)
            if number == 7:
                seventh.set()
            return number

        return run

    def release() -> None:
        assert seventh.wait(10)
        late.set()

    threading.Thread(target=release).start()
    answers = crew(NOTHING).in_order([job(number) for number in range(12)], lambda: 2, waiting=4)
    assert next(answers) == 0
    assert begun[:8] == list(range(8))
    assert list(answers) == list(range(1, 12))


def test_no_more_are_under_way_than_are_allowed() -> None:
    """Three at a time, and jobs are made only when there is room for them."""
    lock, under_way, most, made = threading.Lock(), 0, 0, 0
    meet = threading.Barrier(3, timeout=10)

    def work() -> int:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        meet.wait()
        with lock:
            under_way -= 1
        return most

    def jobs() -> Iterator[Callable[[], int]]:
        nonlocal made
        for _ in range(9):
            made += 1
            yield work

    answers = crew(NOTHING).in_order(jobs(), lambda: 3)
    next(answers)
    assert made <= 4
    assert [most, *answers][-1] == 3


def test_one_job_stays_in_its_own_thread() -> None:
    """Nothing is begun for it."""
    found = list(crew(NOTHING).in_order([threading.current_thread], lambda: 8))
    assert found == [threading.current_thread()]


def test_a_job_with_jobs_of_its_own_does_them_itself() -> None:
    """Else all threads could wait for what only they can do."""
    mine = crew(NOTHING)

    def outer() -> list[str]:
        return list(mine.in_order([lambda: threading.current_thread().name] * 3, lambda: WIDEST))

    for names in mine.in_order([outer] * (2 * WIDEST), lambda: WIDEST):
        assert len(set(names)) == 1


def test_a_fault_comes_in_its_turn_and_stops_what_was_not_begun() -> None:
    """The answers before it are given, the jobs behind it are not done."""
    done: list[int] = []

    def job(number: int) -> Callable[[], int]:
        def run() -> int:
            if number == 2:
                raise ValueError("two")
            done.append(number)
            return number

        return run

    answers = crew(NOTHING).in_order([job(number) for number in range(50)], lambda: 1)
    assert [next(answers), next(answers)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(answers)
    assert done == [0, 1]


@pytest.mark.parametrize(
    ("pressure", "width"),
    [
        (NOTHING, WIDEST),
        (Pressure(0, 6.0, 0.0), STRAINED),
        (Pressure(0, 0.1, 0.4), STRAINED),
        (Pressure(1, 0.1, 0.0), 1),
    ],
    ids=["free", "slow answers", "an empty bucket", "refused"],
)
def test_the_portals_state_says_how_many(pressure: Pressure, width: int) -> None:
    """Many while nothing is short, a few when more would only wait, one after a refusal."""
    assert crew(pressure).width == width


def test_a_refusal_is_forgotten_after_a_while() -> None:
    """Requests go one by one for a minute, then several again; another refusal begins anew."""
    clock = TurnedClock(datetime(2026, 3, 2, tzinfo=UTC))
    refusals = 0
    mine = Crew(clock, lambda: Pressure(refusals, 0.1, 0.0))
    refusals = 1
    assert mine.width == 1
    clock.advance(timedelta(seconds=CALM_S - 1))
    assert mine.width == 1
    clock.advance(timedelta(seconds=2))
    assert mine.width == WIDEST
    refusals = 2
    assert mine.width == 1


def test_a_closed_crew_can_be_used_again() -> None:
    """Threads come back when they are needed."""
    mine = crew(NOTHING)
    assert list(mine.in_order([lambda: 1, lambda: 2], lambda: 2)) == [1, 2]
    mine.close()
    assert list(mine.in_order([lambda: 3, lambda: 4], lambda: 2)) == [3, 4]
