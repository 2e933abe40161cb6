"""Errands: commands and buttons of extensions that a person uses by hand, kept as runs like any other work."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import update

from crmkit.errors import ConfigError
from crmkit.extension import Command, Context, Panel, Said
from crmkit.panel import PanelData, View
from crmkit_runtime import planned
from crmkit_runtime.database import to_us
from crmkit_runtime.dispatch import BY_HAND, Queued, add_run
from crmkit_runtime.runner import Runner
from crmkit_runtime.service import Installed, Service
from crmkit_runtime.tables import run
from crmkit_runtime.work import Work

PREFIX = BY_HAND
"""How the handler's name of an errand's run begins."""


def do(service: Service, installed: Installed, account: str, command: Command, words: Sequence[str]) -> Iterator[Said]:
    """The lines that the command yields, and its progress, as it works.

    Its run is kept with what it decided and wrote; one that broke off is kept as stopped, and no replay repeats it: a
    person runs the command again.

    Raises what the command raises.
    """
    with _kept(service, installed, account, command.name, words) as ctx:
        yield from command.run(ctx, list(words))


def look(service: Service, installed: Installed, account: str, panel: Panel, view: View | None = None) -> PanelData:
    """What a page of the console, or the part of a long one, holds now; nothing of it is kept."""
    return panel.look(Runner(service).context(_work(service, installed, account, panel.name)), view)


def open_row(service: Service, installed: Installed, account: str, panel: Panel, key: str) -> Sequence[str]:
    """What a page tells of one of its rows: the row's own lines, and those that are worked out for it alone."""
    ctx = Runner(service).context(_work(service, installed, account, panel.name))
    own = next((row.detail for row in panel.look(ctx, View(key=key)).rows if row.key == key), ())
    return (*own, *panel.open(ctx, key)) if panel.open is not None else tuple(own)


def press(service: Service, installed: Installed, account: str, panel: Panel, action: str, key: str) -> Sequence[str]:
    """Do an action of a page for the row `key`, and tell what was decided; kept like a command.

    Raises ConfigError for a page or a row without that action, and what the action raises.
    """
    act = panel.act
    if act is None or action not in look(service, installed, account, panel, View(key=key)).actions:
        raise ConfigError(
            f"the page {panel.name} of {installed.extension.name} has no action {action!r}",
            account=account,
            remedy="Load the page again: its buttons may have changed.",
        )
    with _kept(service, installed, account, panel.name, (action, key)) as ctx:
        act(ctx, action, key)
    return tuple(ctx.decisions.reasons)


@contextmanager
def _kept(
    service: Service, installed: Installed, account: str, name: str, words: Sequence[str]
) -> Iterator[Context[Any]]:
    work = _work(service, installed, account, name)
    # Each call by a person is a new one; what must not happen twice the extension names itself with `once=`.
    begun = Queued(work.extension, work.handler, work.lane, state="stopped", error="begun by hand, and not ended")
    with service.database.write() as tx:
        work.run_id = add_run(tx, service, begun, account, event_id=None, argument=" ".join((name, *words)))
    try:
        yield Runner(service).context(work)
    except Exception as error:
        _end(service, work, "stopped", f"{type(error).__name__}: {error}")
        raise
    _end(service, work, "skipped" if work.decisions.skipped else "done", None)


def _work(service: Service, installed: Installed, account: str, name: str) -> Work:
    identity = f"{PREFIX}{uuid.uuid4()}"
    return Work(
        service=service,
        account=service.accounts[account],
        installed=installed,
        identity=identity,
        handler=f"{PREFIX}{name}",
        lane=f"{installed.extension.name}:{account}:{identity}",
        now=service.clock.now(),
    )


def _end(service: Service, work: Work, state: str, error: str | None) -> None:
    values: dict[str, Any] = {
        "state": state,
        "error": error,
        "attempts": 1,
        "decisions": json.dumps(work.decisions.reasons, ensure_ascii=False),
        "started_at": to_us(work.now),
        "finished_at": to_us(service.clock.now()),
    }
    with service.database.write() as tx:
        if work.installed.mode == "plan":
            planned.explain(tx, work)
        tx.execute(update(run).where(run.c.id == work.run_id).values(values))
