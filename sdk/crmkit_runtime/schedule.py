"""Nightly jobs: cron lines in the account's time zone, one run a tick over all workers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from croniter import croniter

from crmkit.errors import ConfigError, CrmKitError
from crmkit.extension import Schedule
from crmkit_runtime import cursor
from crmkit_runtime.dispatch import Queued, add_run
from crmkit_runtime.service import Installed, OpenAccount, Service

log = logging.getLogger(__name__)


def check_schedules(service: Service) -> None:
    """Raise ConfigError for a cron line that cannot be read."""
    for installed in service.installed:
        for schedule in installed.extension.schedules:
            line = schedule.line(installed.settings)
            if line and (len(line.split()) != 5 or not croniter.is_valid(line)):
                raise ConfigError(
                    f"extension {installed.extension.name}: {schedule.name} has the cron line {line!r}",
                    remedy="Write five fields: minute, hour, day of month, month, day of week.",
                )


def tick(service: Service) -> bool:
    """Queue the jobs whose time has come; False when there are none.

    Ticks that were missed while nobody worked make one run together. A job seen for the first time waits for its next
    tick. An account whose time zone the CRM cannot tell now is looked at again later.
    """
    queued = [_tick(service, installed, account, schedule) for installed, account, schedule in _jobs(service)]
    return any(queued)


def latest_tick(cron: str, timezone: str, seen: datetime, now: datetime) -> datetime | None:
    """The last moment after `seen` and up to `now` at which the cron line fires in that zone, UTC; None without one."""
    zone = ZoneInfo(timezone)
    first: datetime = croniter(cron, seen.astimezone(zone)).get_next(datetime)
    if first > now:
        return None
    local = now.astimezone(zone)
    is_exact = croniter.match(cron, local) and local.second == 0 and local.microsecond == 0
    at = now if is_exact else max(first, croniter(cron, local).get_prev(datetime)).astimezone(UTC)
    # In the night in which clocks go back an hour comes twice, and what is due at that hour once.
    return None if _comes_again(at.astimezone(zone)) and "*" not in cron.split()[1] else at


def _comes_again(local: datetime) -> bool:
    return bool(local.fold) and local.utcoffset() != local.replace(fold=0).utcoffset()


def _jobs(service: Service) -> Iterator[tuple[Installed, OpenAccount, Schedule]]:
    for installed in service.installed:
        for key in installed.accounts:
            for schedule in installed.extension.schedules:
                yield installed, service.accounts[key], schedule


def _tick(service: Service, installed: Installed, account: OpenAccount, schedule: Schedule) -> bool:
    line = schedule.line(installed.settings)
    if not line:
        return False
    name = f"schedule:{installed.extension.name}:{schedule.name}"
    now = service.clock.now()
    with service.database.read() as connection:
        seen = cursor.value(connection, account.key, name)
    if seen is None:
        with service.database.write() as tx:
            cursor.put_first(tx, account.key, name, now.isoformat())
        return False
    try:
        timezone = account.live.account().timezone
    except CrmKitError as error:
        log.warning("account %s: the time zone is not known, its jobs wait: %s", account.key, error)
        return False
    at = latest_tick(line, timezone, datetime.fromisoformat(seen), now)
    if at is None:
        return False
    with service.database.write() as tx:
        if not cursor.replace(tx, account.key, name, seen, at.isoformat()):
            return False
        lane = f"{installed.extension.name}:{account.key}:schedule:{schedule.name}"
        queued = Queued(installed.extension.name, schedule.name, lane)
        add_run(tx, service, queued, account.key, event_id=None, argument=at.isoformat())
    service.bell.ring()
    return True
