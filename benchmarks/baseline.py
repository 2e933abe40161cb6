"""How fast 200,000 deals enter the mirror beside hooks that pour in, and that the live work does not wait for it."""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from crmkit import DealCreated, DealUpdated
from crmkit.clock import TurnedClock
from crmkit.extension import Context, Extension
from crmkit.models import Deal, StageRef
from crmkit.settings import NoSettings, ServiceConfig
from crmkit.testing.memory import MemoryAdapter, MemoryCrm
from crmkit.testing.world import MemoryWorld
from crmkit.values import Kind, Money, Ref
from crmkit.webhook import Origin
from crmkit_runtime import mirror
from crmkit_runtime.baseline import Baseline
from crmkit_runtime.database import Database
from crmkit_runtime.hints import store
from crmkit_runtime.migrations import migrate
from crmkit_runtime.observe import Observer
from crmkit_runtime.service import Service

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PAGE = 250
HOOKS_A_PAGE = 5

watcher = Extension("watcher")


@watcher.on(DealCreated)
def created(event: DealCreated, ctx: Context[NoSettings]) -> None:
    """Nothing: the runs are not done here."""


@watcher.on(DealUpdated)
def updated(event: DealUpdated, ctx: Context[NoSettings]) -> None:
    """Nothing: the runs are not done here."""


@contextmanager
def opened(world: MemoryWorld) -> Iterator[Service]:
    """Give a service over an empty database."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "crmkit.sqlite3")
        database = Database(path)
        migrate(database)
        database.close()
        tables = {"acme": {"vendor": "memory", "base_url": "memory://localhost"}}
        config = ServiceConfig.model_validate({"database": path, "accounts": tables})
        adapters = {"memory": MemoryAdapter(world)}
        service = Service.open(config, environment={}, clock=world.clock, extensions=[watcher], adapters=adapters)
        try:
            yield service
        finally:
            service.close()


def fill(crm: MemoryCrm, number: int) -> list[Ref]:
    """Put `number` old deals into the CRM."""
    state = crm.world.account("acme")
    stage = StageRef(pipeline_id="1", stage_id="new")
    then = START - timedelta(days=30)
    made = []
    for place in range(number):
        ref = state.new_ref(Kind.DEAL)
        amount = Money(Decimal(1000 + place), "RUB")
        state.put(
            Deal(ref=ref, title=f"Поставка {place}", stage=stage, amount=amount, created_at=then, updated_at=then)
        )
        made.append(ref)
    return made


def main() -> None:
    """Print rows a second, how long a changed deal waits for its event meanwhile, and what was told."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--deals", type=int, default=200_000)
    number = arguments.parse_args().deals
    clock = TurnedClock(START)
    world = MemoryWorld(clock)
    world.page_size = PAGE
    crm = MemoryCrm(world=world)
    refs = fill(crm, number)
    with opened(world) as service:
        observer, baseline = Observer(service, "acme"), Baseline(service, "acme")
        observer.step()
        clock.advance(timedelta(seconds=1))
        chance, touched = random.Random(1), set[Ref]()
        waits: list[float] = []
        loading = 0.0
        is_done = False
        while not is_done:
            began = time.perf_counter()
            is_done = baseline.step()
            loading += time.perf_counter() - began
            for ref in chance.sample(refs, HOOKS_A_PAGE):
                crm.person.change(ref, {"title": f"изменена {len(touched)}"})
                touched.add(ref)
            began = time.perf_counter()
            for hook in world.take_hooks():
                with service.database.write() as tx:
                    store(tx, service, "acme", hook.hints, origin=Origin.HOOK, delivery_id="hook")
            while observer.step():
                pass
            waits.append((time.perf_counter() - began) * 1000)
            clock.advance(timedelta(seconds=1))
        with service.database.read() as connection:
            kept = mirror.count(connection, "acme", Kind.DEAL)
            told = connection.exec_driver_sql("select count(distinct record_id), count(*) from event").one()
        print(f"{kept:,} of {number:,} deals in {loading:.1f} s of loading: {kept / loading:,.0f} a second")
        print(
            f"{HOOKS_A_PAGE} hooks beside each page of {PAGE}: told after p50 {statistics.median(waits):.1f} ms, "
            f"p99 {statistics.quantiles(waits, n=100)[98]:.1f} ms"
        )
        print(f"{told[1]:,} events about {told[0]:,} deals; {len(touched):,} were touched")


if __name__ == "__main__":
    main()
