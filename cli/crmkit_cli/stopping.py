"""Being asked to stop: by SIGTERM, or by Ctrl+C."""

from __future__ import annotations

import signal
import threading


def stopping_signal() -> threading.Event:
    """Set when the process is asked to stop: SIGTERM, Ctrl+C."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    return stopped
