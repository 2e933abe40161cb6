"""The other process of a heavy run: what a worker lends it is done, recorded, and that is all."""

from __future__ import annotations

import json
import os
import sys
import threading

from crmkit.settings import ServiceConfig
from crmkit_runtime import logs
from crmkit_runtime.engines.choice import engine_for
from crmkit_runtime.runner import Runner
from crmkit_runtime.service import Service

NICER = 10
"""By so much the process stands behind those that answer webhooks."""


def main() -> None:
    """Do the run that `apart.process` asks for: its request is a line, and the end of the pipe our own end."""
    asked = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    os.nice(NICER)
    service = Service.open(ServiceConfig.model_validate(asked["config"]))
    logs.configure(is_json=asked["is_json"], secrets=service.secrets())
    try:
        hold = engine_for(service).borrowed(asked["lane"])
        Runner(service, is_apart=True).process(asked["run_id"], hold)
    finally:
        service.close()


def _end_with_parent() -> None:
    # The buffered reader holds its lock while it waits, and the interpreter could not end.
    while os.read(sys.stdin.fileno(), 1):
        continue
    os._exit(1)


if __name__ == "__main__":
    main()
