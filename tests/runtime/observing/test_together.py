"""Several observers of one account: nothing is told twice, nothing is lost, whoever dies."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from crmkit.models import Deal
from crmkit.testing.faults import Reading
from crmkit.values import Kind, Ref
from crmkit.webhook import Hint, Origin
from crmkit_runtime import hints, lease, look, news
from crmkit_runtime.database import to_us
from crmkit_runtime.liveness import owner_name
from crmkit_runtime.observe import Observer
from crmkit_runtime.tables import lease as leases

DEAL = Ref("acme", Kind.DEAL, "1")


def test_observers_in_threads_tell_each_change_once(house: Any) -> None:
    """Four threads observe while people change fifty deals twice and hooks come twice."""
    refs = [house.person.add(Deal(title=f"{number}")) for number in range(50)]
    house.settle()
    house.advance(1)
    stop = threading.Event()

    def observe() -> None:
        mine = Observer(house.service, "acme")
        while not stop.is_set():
            if not mine.step():
                house.service.bell.wait(0.01)

    with ThreadPoolExecutor(4) as pool:
        working = [pool.submit(observe) for _ in range(4)]
        for turn in ("раз", "два"):
            for ref in refs:
                house.person.change(ref, {"title": f"{turn} {ref.id}"})
            house.deliver(times=2)
        until = time.monotonic() + 30
        while house.hints() and time.monotonic() < until:
            wait(working, timeout=0.02, return_when=FIRST_EXCEPTION)
        stop.set()
    for one in working:
        one.result()
    told = [one for one in house.told() if one[0] == "DealUpdated"]
    assert {one[1] for one in told} == {ref.id for ref in refs}
    assert all(sum(one[1] == ref.id for one in told) in (1, 2) for ref in refs)
    assert all(house.seen(ref) == house.truth(ref) for ref in refs)


def test_a_copy_that_changes_while_a_record_is_loaded_is_loaded_again(house: Any) -> None:
    """Our write is stored between the load and its transaction: the load is thrown away, nothing is told wrongly."""
    write = house.update(DEAL, {"title": "наша"}).begin()
    house.person.change(DEAL, {"title": "их"})
    house.deliver()

    plain = house.service.accounts["acme"].live

    class Slow:
        def __getattr__(self, name: Any) -> Any:
            return getattr(plain, name)

        def load(self, refs: Any) -> Any:
            found = plain.load(refs)
            if not write.ref:
                write.send().record()
            return found

    object.__setattr__(house.service.accounts["acme"], "live", Slow())
    loads = house.world.count(Reading.LOAD)
    house.settle()
    assert house.world.count(Reading.LOAD) - loads >= 2
    assert house.told() == [("DealUpdated", "1", "title", "by robot")]
    assert house.seen(DEAL).title == "наша"


def test_a_hint_that_comes_while_its_record_is_loaded_stays(house: Any) -> None:
    """A change after the load but before its transaction is not lost: its hint leads to another look."""
    house.person.change(DEAL, {"title": "раз"})
    house.deliver()
    plain = house.service.accounts["acme"].live

    class Slow:
        def __getattr__(self, name: Any) -> Any:
            return getattr(plain, name)

        def load(self, refs: Any) -> Any:
            found = plain.load(refs)
            if house.truth(DEAL).title == "раз":
                house.person.change(DEAL, {"title": "два"})
                house.deliver()
            return found

    object.__setattr__(house.service.accounts["acme"], "live", Slow())
    house.look()
    assert [one.deal.title for one in house.events()] == ["раз", "два"]


def test_only_one_looks_at_an_account_at_a_time(house: Any) -> None:
    """While somebody holds the account's lease, others have nothing to do; afterwards they have."""
    house.person.change(DEAL, {"title": "новая"})
    house.deliver()
    with lease.held(house.service, "observe:acme", 60) as is_ours:
        assert is_ours
        assert house.observer.step() is False
        with lease.held(house.service, "observe:acme", 60) as is_theirs:
            assert not is_theirs
    assert house.observer.step() is True


def test_the_lease_of_a_dead_process_is_taken_over_at_once(house: Any) -> None:
    """A process of this host that was killed leaves no account unobserved; one of another host is waited for."""
    code = "import sys; sys.path[:0] = %r; from crmkit_runtime.liveness import owner_name; print(owner_name())"
    path = [one for one in sys.path if one]
    done = subprocess.run([sys.executable, "-c", code % path], capture_output=True, text=True, check=True)
    assert os.getpid() != int(done.stdout.split(":")[1])
    until = to_us(house.clock.now() + timedelta(hours=1))
    with house.service.database.write() as tx:
        tx.execute(insert(leases).values(name="dead", owner=f"{done.stdout.strip()}:1", until=until))
        tx.execute(insert(leases).values(name="far", owner="elsewhere:1:2:3", until=until))
        tx.execute(insert(leases).values(name="alive", owner=f"{owner_name()}:99", until=until))
    found = {}
    for name in ("dead", "far", "alive"):
        with lease.held(house.service, name, 60) as found[name]:
            pass
    assert found == {"dead": True, "far": False, "alive": False}
    house.advance(3601)
    with lease.held(house.service, "far", 60) as is_ours:
        assert is_ours


def test_a_fault_of_our_own_code_on_one_record_leaves_the_others_alone(
    house: Any, monkeypatch: Any, caplog: Any
) -> None:
    """A record that breaks the observer is logged and looked at later; the others are told at once."""
    second = house.person.add(Deal(title="вторая"))
    third = house.person.add(Deal(title="третья"))
    plain = news.is_new

    def breaks(record: Any, told: Any, connected: Any) -> Any:
        if record.ref == second:
            raise ZeroDivisionError("planted")
        return plain(record, told, connected)

    monkeypatch.setattr(look, "is_new", breaks)
    house.deliver()
    house.look()
    assert house.told() == [("DealCreated", third.id)]
    assert f"{second} could not be observed" in caplog.text
    monkeypatch.setattr(look, "is_new", plain)
    house.settle()
    assert house.told() == [("DealCreated", third.id), ("DealCreated", second.id)]


@pytest.mark.parametrize("reason", ["moves", "write"])
def test_a_look_before_its_time_counts_no_try(house: Any, reason: Any) -> None:
    """A fresh hint for a record that waits does not use up its patience."""
    with house.service.database.write() as tx:
        one = [Hint(DEAL)]
        hints.store(tx, house.service, "acme", one, origin=Origin.HOOK, delivery_id="1")
        now = house.clock.now()
        hints.put_off(tx, hints.of(tx, "acme", [DEAL])[DEAL], now, 5.0, reason)
        hints.store(tx, house.service, "acme", one, origin=Origin.HOOK, delivery_id="2")
        hints.put_off(tx, hints.of(tx, "acme", [DEAL])[DEAL], now, 5.0, reason)
        waiting = hints.of(tx, "acme", [DEAL])[DEAL]
    assert [(row.tries, row.not_before) for row in waiting] == [(1, now + timedelta(seconds=5))] * 2
