"""What one job of a client cost its process, as a line of JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path


def report(job: Callable[[], int]) -> None:
    """Print how many records the job handled, what it cost this process, and what stopped it."""
    done, fault = 0, None
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        done = job()
    except Exception as error:  # noqa: BLE001  how a client dies is a result too
        fault = f"{type(error).__name__}: {error}"[:80]
    spent = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
    print(json.dumps({"done": done, **spent, "peak_mb": _peak_mb(), "fault": fault}))


def _peak_mb() -> float:
    # Not ru_maxrss: that of a fresh process begins with the peak of the one that started it.
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0
