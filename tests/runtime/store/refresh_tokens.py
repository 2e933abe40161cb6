"""A process whose threads all find an account's token expired: `DATABASE LOG THREADS [die]`.

Whoever refreshes writes a line to LOG, in place of the one request to the CRM. With `die` the process kills itself
between the answer and the commit.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from crmkit.clock import SystemClock
from crmkit.tokens import Tokens
from crmkit_runtime.database import Database
from crmkit_runtime.keys import Keyring
from crmkit_runtime.tokens import DatabaseTokenStore

path, log, threads = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
database = Database(path)
store = DatabaseTokenStore(database, Keyring.load(database, {}), SystemClock())
pause = threading.Event()
got: list[str] = []


def call() -> None:
    """What an adapter does when a call finds its token expired."""
    stale = store.load("acme")
    with store.refreshing("acme"):
        found = store.load("acme")
        if found == stale and found is not None and found.expires_at == 0.0:
            with log.open("a") as file:
                file.write(f"{os.getpid()}\n")
            pause.wait(0.05)
            if "die" in sys.argv:
                os.kill(os.getpid(), signal.SIGKILL)
            found = Tokens("fresh", "next", 9e9)
            store.save("acme", found)
    got.append(found.access if found else "none")


print("ready", flush=True)
sys.stdin.readline()
workers = [threading.Thread(target=call) for _ in range(threads)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
print(*sorted(set(got)), len(got), flush=True)
