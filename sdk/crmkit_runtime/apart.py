"""Apart: a run in a process of its own, so that minutes of its work hold up nobody else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping

from crmkit.values import Json
from crmkit_runtime import logs
from crmkit_runtime.service import Service


class Broken(Exception):
    """The process ended before the run was recorded: it was killed, or there was no memory for it."""


def process(service: Service, run_id: int, lane: Mapping[str, Json]) -> None:
    """Let another process do the run in a lane that is lent to it, and return when all of it is recorded.

    Raises Broken. When this process ends, that one does too.
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
        code = child.wait()
    if code:
        raise Broken(f"the process of run {run_id} ended with {code}; see the log for its last words")
