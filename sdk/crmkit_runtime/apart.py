"""Apart: a run in a process of its own, so that minutes of its work hold up nobody else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping

from crmkit.values import Json
from crmkit_runtime import logs
from crmkit_runtime.service import Service

LINGERS_S = 20.0
"""How long the process may go on once the service is stopping: less than the service waits for its runs."""

GLANCE_S = 0.5
"""How often a waiting thread looks whether the service is stopping."""


class Broken(Exception):
    """The process ended before the run was recorded: it was killed, or there was no memory for it."""


class Stopped(Exception):
    """The service is stopping, and the process was not done in time: the next worker does the run again."""


def process(service: Service, run_id: int, lane: Mapping[str, Json], is_stopping: Callable[[], bool]) -> None:
    """Let another process do the run in a lane that is lent to it, and return when all of it is recorded.

    Raises Broken and Stopped. When this process ends, that one does too.
    """
    asked = {
        "config": service.config.model_dump(mode="json"),
        "run_id": run_id,
        "lane": dict(lane),
        "is_json": logs.is_json(),
    }
    # A signal that stops the service from a terminal must not reach it past us.
    child = subprocess.Popen(
        [sys.executable, "-m", "crmkit_runtime"],
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,
    )
    with child:
        if child.stdin is not None:
            child.stdin.write(json.dumps(asked).encode() + b"\n")
            child.stdin.flush()
        code = _waited(child, is_stopping)
    if code is None:
        raise Stopped(f"run {run_id} was broken off: the service stopped")
    if code:
        raise Broken(f"the process of run {run_id} ended with {code}; see the log for its last words")


def _waited(child: subprocess.Popen[bytes], is_stopping: Callable[[], bool]) -> int | None:
    """How the process ended; None when it was told to, because the service did not want to wait any longer."""
    left_s = LINGERS_S
    while True:
        try:
            return child.wait(GLANCE_S)
        except subprocess.TimeoutExpired:
            if not is_stopping():
                continue
            left_s -= GLANCE_S
            if left_s <= 0:
                child.terminate()
                child.wait()
                return None
