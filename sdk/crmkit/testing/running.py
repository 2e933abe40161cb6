"""Calling an extension's handlers in a test: no service, no database, no network."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from crmkit.crm import Crm
from crmkit.errors import ConfigError
from crmkit.events import Event
from crmkit.extension import Context, Decisions, Extension
from crmkit.settings import Settings, read_settings
from crmkit.testing.memory import MemoryCrm
from crmkit.testing.once import OnceConnection
from crmkit.values import Ref

S = TypeVar("S", bound=Settings)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the handlers decided: `reasons` is what they explained, `skipped` when one found nothing to do.

    `timers` are the moments that the extension waits for, by record and key.
    """

    handlers: tuple[str, ...]
    reasons: tuple[str, ...]
    skipped: bool
    timers: Mapping[tuple[Ref | None, str], datetime]


def context(
    extension: Extension[S],
    crm: MemoryCrm,
    event: Event | None = None,
    *,
    settings: S | None = None,
    now: datetime | None = None,
    language: str = "ru",
) -> Context[S]:
    """A context as the runtime would give: on the memory CRM, with the extension's own store, index and timers there.

    `once=` counts as in the runtime. Settings left out have their defaults; `now` is the CRM's clock.
    Raises ConfigError when a setting without a default is missing.
    """
    desk = crm.desk(extension.name)
    about = event.ref if event else None

    def set_timer(at: datetime, key: str) -> None:
        desk.timers[about, key] = at

    def drop_timer(key: str) -> None:
        desk.timers.pop((about, key), None)

    known = settings or read_settings(extension.settings_type, {}, where=f"settings of {extension.name}")
    return Context(
        crm=Crm(OnceConnection(crm.connection, desk.effects)),
        settings=known,
        account=crm.world.account(crm.key).account,
        now=now or crm.world.clock.now(),
        mirror=desk.mirror,
        index=desk.index,
        store=desk.store,
        assign=desk.assign,
        log=logging.getLogger(f"{extension.name}.{crm.key}"),
        decisions=Decisions(),
        set_timer=set_timer,
        drop_timer=drop_timer,
        language=language,
    )


def run(
    extension: Extension[S],
    event: Event,
    crm: MemoryCrm,
    *,
    settings: S | None = None,
    now: datetime | None = None,
    language: str = "ru",
) -> Outcome:
    """Call every handler that is registered for the event, in order; errors of handlers come through.

    Raises ConfigError when there is no such handler, so that a test cannot pass by calling nothing.
    """
    wanted = [subscription for subscription in extension.subscriptions if isinstance(event, subscription.event)]
    if not wanted:
        names = ", ".join(sorted({one.event.__name__ for one in extension.subscriptions})) or "nothing"
        raise ConfigError(
            f"extension {extension.name} has no handler for {type(event).__name__}", remedy=f"It handles {names}."
        )
    is_own = event.cause is not None and event.cause.extension == extension.name
    calls = [one for one in wanted if one.own or not is_own]
    contexts = [context(extension, crm, event, settings=settings, now=now, language=language) for _ in calls]
    for one, ctx in zip(calls, contexts, strict=True):
        one.run(event, ctx)
    return _outcome(extension, crm, [one.name for one in calls], contexts)


def run_job(
    extension: Extension[S],
    name: str,
    crm: MemoryCrm,
    *,
    settings: S | None = None,
    now: datetime | None = None,
    language: str = "ru",
) -> Outcome:
    """Call the scheduled job `name` (the function's name) once.

    Raises ConfigError naming the jobs there are.
    """
    jobs = {job.name: job for job in extension.schedules}
    if name not in jobs:
        known = ", ".join(sorted(jobs)) or "none"
        raise ConfigError(f"extension {extension.name} has no job {name!r}", remedy=f"It has: {known}.")
    ctx = context(extension, crm, settings=settings, now=now, language=language)
    jobs[name].run(ctx)
    return _outcome(extension, crm, [name], [ctx])


def _outcome(extension: Extension[S], crm: MemoryCrm, names: Sequence[str], contexts: Sequence[Context[S]]) -> Outcome:
    return Outcome(
        handlers=tuple(names),
        reasons=tuple(reason for ctx in contexts for reason in ctx.decisions.reasons),
        skipped=any(ctx.decisions.skipped for ctx in contexts),
        timers=dict(crm.desk(extension.name).timers),
    )
