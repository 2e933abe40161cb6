"""Nightly jobs: in the account's own time, once, over all workers and restarts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crmkit.errors import ConfigError, CrmKitError
from crmkit.extension import Context, Extension
from crmkit.http import Urgency
from crmkit.models import Task
from crmkit.settings import NoSettings, Settings
from crmkit.testing.faults import Reading
from crmkit_runtime.schedule import check_schedules, latest_tick, tick

House = Callable[..., Any]
Ctx = Context[NoSettings]


def nightly(seen: list[Any]) -> Extension[NoSettings]:
    """An extension that works at three at night."""
    extension = Extension("night")

    @extension.every("0 3 * * *")
    def job(ctx: Ctx) -> None:
        seen.append((ctx.account.key, ctx.now))

    return extension


class NightSettings(Settings):
    """When to work."""

    scan: str = ""


def at_utc(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of March 2026."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def test_a_job_runs_at_its_hour_in_the_accounts_zone_once_for_each_account(house: House) -> None:
    """Three at night in Moscow is midnight UTC; the first night is the one after it was installed."""
    seen: list[Any] = []
    at = house(nightly(seen), accounts=("acme", "best"))
    at.work()
    at.advance(timedelta(hours=48), step=timedelta(minutes=30))

    assert seen == [
        ("acme", at_utc(3, 0)),
        ("best", at_utc(3, 0)),
        ("acme", at_utc(4, 0)),
        ("best", at_utc(4, 0)),
    ]
    assert [run.lane for run in at.runs()][:2] == ["night:acme:schedule:job", "night:best:schedule:job"]
    assert at.runs()[0].argument == "2026-03-03T00:00:00+00:00"


def test_the_operator_chooses_the_hour_or_none(house: House) -> None:
    """A job may take its cron line from the settings; an empty line switches it off, a wrong one stops the start."""
    seen: list[datetime] = []
    extension = Extension("night", settings=NightSettings)

    @extension.every(lambda settings: settings.scan)
    def job(ctx: Context[NightSettings]) -> None:
        seen.append(ctx.now)

    def at(line: str) -> Any:
        return house(extension, extensions={"night": {"settings": {"scan": line}}})

    for line in ("0 5 * * *", ""):
        one = at(line)
        one.work()
        one.advance(timedelta(hours=30), step=timedelta(minutes=30))
    with pytest.raises(ConfigError, match="night: job has the cron line 'at five'"):
        check_schedules(at("at five").service)

    assert seen == [at_utc(3, 2)]


def test_workers_that_look_at_once_queue_one_run(house: House) -> None:
    """Eight threads of two services see the same tick; one run is queued."""
    seen: list[Any] = []
    one = house(nightly(seen))
    two = house(nightly(seen), world=one.world)
    one.work()
    one.clock.advance(timedelta(days=1))
    start = threading.Barrier(8)

    def look(service: Any) -> None:
        start.wait(5)
        tick(service)

    threads = [threading.Thread(target=look, args=(at.service,)) for at in (one, two) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert one.states() == ["queued"]


def test_nights_that_nobody_worked_make_one_run(house: House) -> None:
    """After a week's absence the job runs once, for the latest night."""
    seen: list[Any] = []
    at = house(nightly(seen))
    at.work()
    at.advance(timedelta(days=7, hours=2))

    assert len(seen) == 1
    assert at.runs()[0].argument == "2026-03-09T00:00:00+00:00"


def test_a_job_stands_behind_the_handlers_in_the_request_budget(house: House) -> None:
    """Its calls are bulk, so that a nightly scan starves nobody."""
    extension = Extension("scan")

    @extension.every("0 * * * *")
    def job(ctx: Ctx) -> None:
        list(ctx.crm.tasks.iterate())

    at = house(extension)
    at.work()
    at.advance(timedelta(hours=1))

    pages = [asked for asked in at.world.asked if asked.verb is Reading.PAGES]
    assert {asked.urgency for asked in pages} == {Urgency.BULK}


def test_a_job_that_fails_is_tried_again_and_writes_once(house: House) -> None:
    """Its writes are named by its tick."""
    extension = Extension("scan")
    tries: list[int] = []

    @extension.every("0 3 * * *")
    def job(ctx: Ctx) -> None:
        ctx.crm.tasks.create(Task(text=f"отчёт {len(tries) // 2}"))
        tries.append(1)
        if len(tries) % 2:
            raise RuntimeError("fault")

    at = house(extension)
    at.work()
    at.advance(timedelta(days=2), step=timedelta(minutes=15))

    assert (at.tasks(), at.states()) == (["отчёт 0", "отчёт 1"], ["done", "done"])


def test_a_job_has_no_record_to_set_a_timer_for(house: House) -> None:
    """It is told so."""
    extension, said = Extension("scan"), []

    @extension.every("0 3 * * *")
    def job(ctx: Ctx) -> None:
        with pytest.raises(CrmKitError) as refused:
            ctx.later(ctx.now, "x")
        said.append(refused.value.message)

    at = house(extension)
    at.work()
    at.advance(timedelta(days=1))

    assert said == ["job set a timer, but a nightly job is about no record"]


@pytest.mark.parametrize(
    ("cron", "zone", "seen", "now", "expected"),
    [
        ("0 3 * * *", "Europe/Moscow", at_utc(2, 9), at_utc(2, 23, 59), None),
        ("0 3 * * *", "Europe/Moscow", at_utc(2, 9), at_utc(3, 0), at_utc(3, 0)),
        ("0 3 * * *", "Europe/Moscow", at_utc(2, 9), at_utc(5, 1), at_utc(5, 0)),
        ("* * * * *", "Asia/Vladivostok", at_utc(2, 9), at_utc(2, 9, 1), at_utc(2, 9, 1)),
        # Clocks go forward over half past two on the 29th of March in Berlin: the job is due at three instead.
        ("30 2 * * *", "Europe/Berlin", at_utc(28, 9), at_utc(29, 12), at_utc(29, 1)),
        # Clocks go back on the 25th of October: half past two comes twice.
        (
            "30 2 * * *",
            "Europe/Berlin",
            datetime(2026, 10, 24, 9, tzinfo=UTC),
            datetime(2026, 10, 25, 0, 45, tzinfo=UTC),
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        ),
        (
            "30 2 * * *",
            "Europe/Berlin",
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
            datetime(2026, 10, 25, 12, tzinfo=UTC),
            None,
        ),
    ],
)
def test_the_latest_tick(cron: str, zone: str, seen: datetime, now: datetime, expected: datetime | None) -> None:
    """The last due moment after the one seen, in the account's zone, over both changes of clocks."""
    assert latest_tick(cron, zone, seen, now) == expected
