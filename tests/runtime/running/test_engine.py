"""The embedded engine: who may have a lane, and for how long."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from crmkit.errors import ConfigError, VendorDown
from crmkit.events import DealCreated
from crmkit.extension import Context, Extension
from crmkit.settings import NoSettings
from crmkit.testing.world import MemoryWorld
from crmkit_runtime.engines.choice import engine_for
from crmkit_runtime.engines.sqlite import LEASE_S, TURN
from crmkit_runtime.liveness import is_gone, is_ours, owner_name
from crmkit_runtime.tables import lane

House = Callable[..., Any]
Ctx = Context[NoSettings]


def happen(house: Any, number: int = 1, account: str = "acme") -> None:
    """A deal appeared."""
    deal = house.deal(number, account)
    house.publish(DealCreated(ref=deal.ref, occurred_at=house.clock.now(), deal=deal))


def doing(run: Callable[[DealCreated], None]) -> Extension[NoSettings]:
    """An extension that does `run` for each new deal."""
    extension = Extension("doer")

    @extension.on(DealCreated)
    def handle(event: DealCreated, ctx: Ctx) -> None:
        run(event)

    return extension


def dead_owner() -> str:
    """A process of this host that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return owner_name().replace(f":{os.getpid()}:", f":{child.pid}:")


def test_a_process_is_known_by_its_host_its_number_and_its_start() -> None:
    """Ours is alive, a dead one is gone, a number used again is another process, another host is never judged."""
    host, pid, started = owner_name().rsplit(":", 2)

    assert (is_ours(owner_name()), is_ours(f"{owner_name()}:3"), is_gone(owner_name())) == (True, True, False)
    assert is_gone(dead_owner())
    assert is_gone(f"{host}:{pid}:{int(started) - 1}:1")
    assert not is_gone(f"elsewhere:{pid}:{started}")
    assert not is_gone("unsure:123")


@pytest.mark.parametrize(("owner", "state"), [("dead", "done"), ("elsewhere", "queued")])
def test_the_lease_of_the_dead_is_taken_over_at_once(house: House, owner: str, state: str) -> None:
    """That of another host only when it has run out."""
    at = house(doing(lambda event: None))
    happen(at)
    holder = dead_owner() if owner == "dead" else "elsewhere:1:1:1"
    until = at.engine.now() + int(LEASE_S * 1_000_000)
    with at.service.database.write() as tx:
        tx.execute(update(lane).values(owner=holder, lease_until=until, fence=7))
    at.work()
    assert at.states() == [state]

    at.advance(timedelta(seconds=LEASE_S + 1))
    assert at.states() == ["done"]


def test_a_lane_at_work_is_not_claimed_again_however_the_clock_is_turned(house: House) -> None:
    """A test may turn the clock by an hour inside a handler: the lane stays its thread's own."""
    seen: list[str] = []

    def run(event: DealCreated) -> None:
        seen.append("in")
        at.clock.advance(timedelta(hours=1))
        assert not at.engine.step(at.runner.process)
        seen.append("out")

    at = house(doing(run))
    happen(at)
    happen(at)
    at.work()

    assert seen == ["in", "out", "in", "out"]


def test_an_account_that_was_away_is_tried_by_one_lane_first(house: House) -> None:
    """Eight threads do not run against a wall together."""
    tries: list[str] = []

    def run(event: DealCreated) -> None:
        tries.append(event.ref.id)
        raise VendorDown("away")

    at = house(doing(run))
    happen(at, 0)
    at.work()
    for number in range(1, 8):
        happen(at, number)
    at.clock.advance(timedelta(seconds=1))
    stop = threading.Event()
    worker = threading.Thread(target=at.engine.run_worker, args=(at.runner.process, 8, stop))
    worker.start()
    while len(tries) < 2:
        at.service.bell.wait(0.01)
    at.service.bell.wait(0.3)
    stop.set()
    worker.join(10)

    assert len(tries) == 2


def test_an_account_whose_crm_hangs_leaves_threads_to_the_others(house: House) -> None:
    """Of four threads three may hang; the fourth serves the other account."""
    leave, served = threading.Event(), threading.Event()

    def run(event: DealCreated) -> None:
        if event.ref.account == "best":
            served.set()
        else:
            leave.wait(10)

    at = house(doing(run), accounts=("acme", "best"))
    for number in range(6):
        happen(at, number)
    stop = threading.Event()
    worker = threading.Thread(target=at.engine.run_worker, args=(at.runner.process, 4, stop))
    worker.start()
    happen(at, 1, "best")
    was_served = served.wait(5)
    leave.set()
    stop.set()
    worker.join(10)

    assert was_served


def test_a_long_lane_lets_others_pass(house: House) -> None:
    """After its turn of runs a lane goes behind those that wait."""
    order: list[str] = []
    at = house(doing(lambda event: order.append(event.ref.id)))
    for _ in range(TURN + 10):
        happen(at, 1)
    happen(at, 2)
    at.advance(timedelta(milliseconds=1))

    assert order == ["1"] * TURN + ["2"] + ["1"] * 10


def test_a_lane_without_work_leaves_no_row(house: House) -> None:
    """The table holds what is to be done, not what was."""
    at = house(doing(lambda event: None), world=MemoryWorld())
    for number in range(3):
        happen(at, number)
    at.work()

    with at.service.database.read() as connection:
        assert connection.execute(select(lane.c.lane)).all() == []


def test_a_database_without_an_engine_is_a_fault_with_a_remedy(house: House) -> None:
    """Said before anything starts."""
    at = house(Extension("any"))
    at.service.database.is_sqlite = False
    try:
        with pytest.raises(ConfigError, match="has no engine for runs"):
            engine_for(at.service)
    finally:
        at.service.database.is_sqlite = True
