"""A process that calls as often as the limiter lets it: `DATABASE THREADS SECONDS URGENCY PERMITS [SHAPE PER_S]`.

Prints the moments of its calls, Unix seconds, one a line.
"""

from __future__ import annotations

import sys
import threading
import time

from crmkit.clock import SystemClock
from crmkit.http import RateLimit, Urgency
from crmkit_runtime.database import Database
from crmkit_runtime.limits import DatabaseLimiter

path, threads, seconds, urgency, permits = sys.argv[1:6]
limit = RateLimit("acme", int(permits), 1.0)
if sys.argv[6:7] == ["bucket"]:
    limit = RateLimit("acme", int(permits), float(sys.argv[7]), "bucket")
limiter = DatabaseLimiter(Database(path), SystemClock())
calls: list[float] = []


def spend() -> None:
    """Call until the time is over."""
    while time.time() < until:
        limiter.wait([limit], Urgency(urgency))
        calls.append(time.time())


print("ready", flush=True)
sys.stdin.readline()
until = time.time() + float(seconds)
workers = [threading.Thread(target=spend) for _ in range(int(threads))]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
print("\n".join(f"{moment:.6f}" for moment in calls), flush=True)
