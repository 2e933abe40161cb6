"""DatabaseLimiter: never above a limit, nearly all of it used, live callers first."""

from __future__ import annotations

import itertools
import subprocess
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from crmkit.clock import TurnedClock
from crmkit.errors import RateLimited
from crmkit.http import RateLimit, Urgency
from crmkit_runtime.budgets import MARGIN_S
from crmkit_runtime.database import Database
from crmkit_runtime.limits import DatabaseLimiter, _TableShelf

SEVEN = RateLimit("acme", 7, 1.0)
Start = Callable[..., "subprocess.Popen[str]"]

pytestmark = pytest.mark.timed


class Walker:
    """A clock that goes on by itself to wherever somebody waits; remembers when calls were let through."""

    def __init__(self, clock: TurnedClock) -> None:
        self._clock = clock
        self._began = clock.now()

    def now(self) -> object:
        return self._clock.now()

    def wait(self, seconds: float, wake: threading.Event | None = None) -> None:
        if seconds > 0:
            self._clock.advance(timedelta(seconds=seconds))

    @property
    def at(self) -> float:
        return round((self._clock.now() - self._began).total_seconds(), 3)


@pytest.fixture
def walker(clock: TurnedClock) -> Walker:
    return Walker(clock)


@pytest.fixture
def limiter(database: Database, walker: Walker) -> DatabaseLimiter:
    return DatabaseLimiter(database, walker)  # type: ignore[arg-type]


def moments(limiter: DatabaseLimiter, walker: Walker, count: int, *limits: RateLimit, live: bool = True) -> list[float]:
    found = []
    for _ in range(count):
        limiter.wait(limits, Urgency.LIVE if live else Urgency.BULK)
        found.append(walker.at)
    return found


def test_a_window_lets_its_permits_pass_at_once(limiter: DatabaseLimiter, walker: Walker) -> None:
    """Seven calls go at once, the next seven a window and its margin later."""
    step = 1 + MARGIN_S
    assert moments(limiter, walker, 15, SEVEN) == [0.0] * 7 + [step] * 7 + [2 * step]


def test_a_bucket_gains_steadily(limiter: DatabaseLimiter, walker: Walker) -> None:
    """All but one of a bucket's permits go at once, the others as they are gained."""
    bucket = RateLimit("portal", 4, 0.5, "bucket")
    assert moments(limiter, walker, 6, bucket) == [0.0, 0.0, 0.0, 0.5, 1.0, 1.5]


def test_every_limit_is_kept(limiter: DatabaseLimiter, walker: Walker) -> None:
    """A call under two limits waits for the slower one."""
    both = (RateLimit("account", 50, 1.0), RateLimit("method", 1, 2.0))
    assert moments(limiter, walker, 3, *both) == [0.0, 2.05, 4.1]


def test_no_limits_no_wait(limiter: DatabaseLimiter, walker: Walker) -> None:
    """An account without a known limit is not held back."""
    assert moments(limiter, walker, 3) == [0.0, 0.0, 0.0]


def test_keys_are_apart(limiter: DatabaseLimiter, walker: Walker) -> None:
    """One account's used budget does not hold another account back."""
    moments(limiter, walker, 7, SEVEN)
    assert moments(limiter, walker, 1, RateLimit("other", 7, 1.0)) == [0.0]


def test_bulk_alone_is_evenly_spaced_and_uses_the_limit(limiter: DatabaseLimiter, walker: Walker) -> None:
    """A first load with nobody beside it makes all calls that the limit allows, without bursts."""
    found = moments(limiter, walker, 71, SEVEN, live=False)
    gaps = [round(after - before, 3) for before, after in itertools.pairwise(found)]
    assert min(gaps) > 0.1
    assert 70 / found[-1] == pytest.approx(7 / (1 + MARGIN_S), rel=0.05)


def test_a_live_call_waits_one_step_behind_bulk(limiter: DatabaseLimiter, walker: Walker) -> None:
    """However long a first load has been running, a handler's call comes next."""
    moments(limiter, walker, 30, SEVEN, live=False)
    before = walker.at
    (after,) = moments(limiter, walker, 1, SEVEN)
    assert after - before < 0.35


def test_bulk_leaves_a_quarter_while_handlers_work(limiter: DatabaseLimiter, walker: Walker) -> None:
    """Just after a live call bulk holds 5 of 7 permits at most, so two more live calls go at once."""
    moments(limiter, walker, 1, SEVEN)
    moments(limiter, walker, 20, SEVEN, live=False)
    before = walker.at
    assert moments(limiter, walker, 2, SEVEN) == [before, before]


def test_a_push_holds_everybody(database: Database, clock: TurnedClock, walker: Walker) -> None:
    """After a refusal no worker passes before the vendor's time, whoever was refused."""
    first, second = (DatabaseLimiter(database, walker) for _ in range(2))  # type: ignore[arg-type]
    first.push(SEVEN, 3.0)
    assert moments(second, walker, 1, SEVEN) == [3.0]


def test_a_push_empties_a_bucket(limiter: DatabaseLimiter, walker: Walker) -> None:
    """The vendor says that it is full, whoever filled it: behind the pause only what leaks is free."""
    bucket = RateLimit("portal", 48, 0.5, shape="bucket")
    assert moments(limiter, walker, 2, bucket) == [0.0, 0.0]
    limiter.push(bucket, 2.0)
    assert moments(limiter, walker, 4, bucket) == [2.5, 3.0, 3.5, 4.0]


def test_a_push_reaches_those_who_sleep(database: Database, clock: TurnedClock) -> None:
    """A caller that had a slot when the vendor refused another one does not use it."""
    limiter = DatabaseLimiter(database, clock)
    for _ in range(7):
        limiter.wait([SEVEN], Urgency.LIVE)
    passed = threading.Event()

    def call() -> None:
        limiter.wait([SEVEN], Urgency.LIVE)
        passed.set()

    sleeper = threading.Thread(target=call, daemon=True)
    sleeper.start()
    assert not passed.wait(0.1)
    limiter.push(SEVEN, 10.0)
    clock.advance(timedelta(seconds=2))
    assert not passed.wait(0.1)
    clock.advance(timedelta(seconds=8))
    assert passed.wait(5)
    sleeper.join(5)


def test_refusals_in_a_row_leave_room_to_strangers(limiter: DatabaseLimiter, walker: Walker) -> None:
    """The first is taken for chance; each more costs a permit, down to three; with time all seven come back."""
    bursts = []
    for refusals in range(8):
        found = moments(limiter, walker, 14, SEVEN)
        bursts.append(max(found.count(at) for at in found[7:]))
        for _ in range(3 if refusals < 7 else 0):
            limiter.push(SEVEN, 2.0)
        walker.wait(2.5)
    assert bursts == [7, 7, 6, 5, 4, 4, 3, 3]
    walker.wait(200)
    assert moments(limiter, walker, 7, SEVEN) == [walker.at] * 7


def test_a_long_push_is_an_error(limiter: DatabaseLimiter) -> None:
    """Nobody sleeps for minutes: the caller hears how long the account is closed."""
    limiter.push(SEVEN, 600.0)
    with pytest.raises(RateLimited) as error:
        limiter.wait([SEVEN], Urgency.LIVE)
    assert error.value.retry_after_s == pytest.approx(600.0)


def test_a_refused_method_does_not_close_the_account(limiter: DatabaseLimiter, walker: Walker) -> None:
    """While one method is pushed, others of the same account pass."""
    limiter.push(RateLimit("method:list", 1, 1.0), 20.0)
    assert moments(limiter, walker, 1, SEVEN, RateLimit("method:get", 1, 1.0)) == [0.0]


def test_a_clock_set_back_does_not_close_the_account(database: Database, clock: TurnedClock) -> None:
    """When the machine's time jumps back an hour, calls wait no longer than a window."""
    walker = Walker(clock)
    limiter = DatabaseLimiter(database, walker)  # type: ignore[arg-type]
    moments(limiter, walker, 7, SEVEN)
    clock.advance(timedelta(hours=-1))
    before = walker.at
    (after,) = moments(limiter, walker, 1, SEVEN)
    assert after - before < 1.1


def test_a_slot_that_was_overslept_takes_nobodys_place(database: Database, clock: TurnedClock) -> None:
    """A caller that wakes late, in a window that others have filled, waits for another slot."""
    limiter = DatabaseLimiter(database, clock)
    one = RateLimit("one", 1, 1.0)
    limiter.wait([one], Urgency.LIVE)
    passed: list[float] = []
    began = clock.now()

    def call() -> None:
        limiter.wait([one], Urgency.LIVE)
        passed.append((clock.now() - began).total_seconds())

    callers = [threading.Thread(target=call, daemon=True) for _ in range(2)]
    for caller in callers:
        caller.start()
        caller.join(0.1)
    # Both have a slot, at 1.05 and 2.1 s; both wake at 2.5 s.
    clock.advance(timedelta(seconds=2.5))
    for _ in range(100):
        clock.advance(timedelta(seconds=0.05))
        for caller in callers:
            caller.join(0.005)
    assert len(passed) == 2
    assert abs(passed[1] - passed[0]) >= 1.0


def test_a_torn_file_does_not_close_the_account(limiter: DatabaseLimiter, walker: Walker, path: Path) -> None:
    """What a power cut left of a budget is read as an empty one."""
    moments(limiter, walker, 7, SEVEN)
    for file in Path(f"{path}.limits").iterdir():
        file.write_bytes(b"\0" * 50)
    assert moments(limiter, walker, 1, SEVEN) == [0.0]


def test_budgets_in_rows(database: Database, walker: Walker) -> None:
    """Where budgets are rows of the database the same calls pass at the same moments."""
    limiter = DatabaseLimiter(database, walker)  # type: ignore[arg-type]
    limiter._shelf = _TableShelf(database)
    assert moments(limiter, walker, 8, SEVEN, RateLimit("account", 50, 1.0)) == [0.0] * 7 + [1 + MARGIN_S]


def spent(processes: list[subprocess.Popen[str]]) -> list[list[float]]:
    """Let all go at once; the moments at which each called."""
    for process in processes:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    return [[float(line) for line in process.communicate()[0].split()] for process in processes]


def together(calls: list[list[float]]) -> list[float]:
    return sorted(itertools.chain.from_iterable(calls))


def most_in_a_window(calls: list[float], seconds: float) -> int:
    return max(sum(1 for other in calls if start <= other < start + seconds) for start in calls)


def test_four_processes_share_one_window(database: Database, start: Start) -> None:
    """In no second do four processes with two threads each pass 40 permits, and 0.95 of them are used."""
    calls = together(spent([start("spend_budget.py", database.path, 2, 2.5, "live", 40) for _ in range(4)]))
    assert most_in_a_window(calls, 1.0) <= 40
    assert len(calls) >= 0.95 * 40 * (calls[-1] - calls[0])


def test_four_processes_share_one_bucket(database: Database, start: Start) -> None:
    """Four processes never take more than a bucket of 10 and 20 a second holds, and 0.95 of what it gains."""
    words = ("live", 10, "bucket", 0.05)
    calls = together(spent([start("spend_budget.py", database.path, 2, 2, *words) for _ in range(4)]))
    for first in range(0, len(calls), 5):
        for last in range(first, len(calls), 5):
            assert last - first + 1 <= 10 + (calls[last] - calls[first]) / 0.05 + 1e-6
    assert len(calls) >= 0.95 * (calls[-1] - calls[0]) / 0.05


def test_bulk_of_other_processes_does_not_starve_handlers(database: Database, start: Start) -> None:
    """Beside three first loads one handler's thread still makes most of the calls."""
    live = start("spend_budget.py", database.path, 1, 2, "live", 20)
    bulk = [start("spend_budget.py", database.path, 2, 2, "bulk", 20) for _ in range(3)]
    mine, *others = spent([live, *bulk])
    everything = together([mine, *others])
    assert most_in_a_window(everything, 1.0) <= 20
    assert len(mine) > 0.7 * len(everything)


def test_handlers_of_other_processes_do_not_starve_bulk(database: Database, start: Start) -> None:
    """Beside handlers that would take every call a first load still makes one in each window, and few more."""
    bulk = start("spend_budget.py", database.path, 2, 3.5, "bulk", 20)
    live = [start("spend_budget.py", database.path, 2, 3.5, "live", 20) for _ in range(2)]
    mine, *others = spent([bulk, *live])
    everything = together([mine, *others])
    assert most_in_a_window(everything, 1.0) <= 20
    assert max(after - before for before, after in itertools.pairwise(sorted(mine))) < 1.5
    assert len(mine) < 0.25 * len(everything)
