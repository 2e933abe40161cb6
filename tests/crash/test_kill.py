"""kill -9: workers die while they write to a slow CRM, and nothing is lost, reordered, overlapped or repeated."""

from __future__ import annotations

import random
import time

import pytest
from tests.crash.harness import Stage, Verdict

KILLS = 22
PER_KILL = 20
RECORDS = 25

pytestmark = pytest.mark.crash


def test_two_workers_killed_over_and_over_do_everything_once(stage: Stage) -> None:
    """Each cycle queues changes, waits until handlers are at work, and kills one of two workers in the middle of it."""
    begun_at = time.monotonic()
    workers = [stage.start(), stage.start()]
    for number in range(KILLS):
        stage.publish(PER_KILL, RECORDS)
        begun = len(stage.server.journal.began)
        assert stage.server.journal.wait_for(begun + random.randrange(3, 10), 20)
        time.sleep(random.uniform(0, 0.06))  # anywhere inside a handler: before, in and after its calls
        stage.kill(workers[number % 2])
        workers[number % 2] = stage.start()
    stage.wait_until_done(60)

    assert stage.verdict() == Verdict((), (), (), ())
    assert time.monotonic() - begun_at < 90


def test_workers_that_are_told_to_stop_finish_what_they_have_begun(stage: Stage) -> None:
    """SIGTERM: no handler is cut, and the next worker goes on at once."""
    first = stage.start()
    stage.publish(30, 10)
    assert stage.server.journal.wait_for(5, 20)
    first.terminate()
    assert first.wait(20) == 0
    assert stage.server.journal.at_work == {}

    stage.start()
    stage.wait_until_done(30)
    assert stage.verdict() == Verdict((), (), (), ())
    assert len(stage.server.journal.began) == 30


@pytest.mark.parametrize(
    "point",
    [
        "after_claim",
        "before_intent",
        "before_intent:3",
        "after_intent",
        "after_intent:2",
        "after_call",
        "after_call:3",
        "after_record",
        "before_finish",
        "after_finish",
    ],
)
def test_a_worker_that_dies_at_a_point_leaves_nothing_half_done(stage: Stage, point: str) -> None:
    """The next worker takes the lanes over at once and finds out what the dead one had sent."""
    stage.publish(6, 2)
    assert stage.start(crash_at=point).wait(30) == 137
    stage.start()
    stage.wait_until_done(30)

    assert stage.verdict() == Verdict((), (), (), ())
