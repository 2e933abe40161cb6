"""Errands: commands of extensions that a person runs by hand, kept as runs like any other work."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import update

from crmkit.extension import Command, Said
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
    work = _work(service, installed, account, command, words)
    try:
        yield from command.run(Runner(service).context(work), list(words))
    except Exception as error:
        _end(service, work, "stopped", f"{type(error).__name__}: {error}")
        raise
    _end(service, work, "skipped" if work.decisions.skipped else "done", None)


def _work(service: Service, installed: Installed, account: str, command: Command, words: Sequence[str]) -> Work:
    name, handler = installed.extension.name, f"{PREFIX}{command.name}"
    # Each call by a person is a new one; what must not happen twice the extension names itself with `once=`.
    identity = f"{PREFIX}{uuid.uuid4()}"
    lane = f"{name}:{account}:{identity}"
    begun = Queued(name, handler, lane, state="stopped", error="begun by hand, and not ended")
    with service.database.write() as tx:
        run_id = add_run(tx, service, begun, account, event_id=None, argument=" ".join((command.name, *words)))
    return Work(
        service=service,
        account=service.accounts[account],
        installed=installed,
        identity=identity,
        handler=handler,
        lane=lane,
        now=service.clock.now(),
        run_id=run_id,
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
