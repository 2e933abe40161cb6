"""Who holds a lease or an intent, and whether that process is gone."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from crmkit_runtime.database import process_name


def owner_name() -> str:
    """This process, told from every other that ever had its number: host, process number, start time."""
    return _owner(os.getpid())


def is_ours(owner: str) -> bool:
    """The holder is this very process."""
    return owner == owner_name() or owner.startswith(f"{owner_name()}:")


def is_gone(owner: str) -> bool:
    """The holder ran on this host and does so no more; a process of another host is never known to be gone."""
    host, _, rest = owner.partition(":")
    number, _, started = rest.partition(":")
    if host != process_name().partition(":")[0] or not number.isdecimal():
        return False
    return _started(int(number)) != started.partition(":")[0]


@cache
def _owner(pid: int) -> str:
    return f"{process_name()}:{_started(pid)}"


def _started(pid: int) -> str:
    """When the process began, in the kernel's ticks; empty when there is none.

    A restarted container gives its first process the same number again: by the number alone the dead would live on.
    """
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return _without_proc(pid)
    return "" if state[0] in ("Z", "X") else state[19]


def _without_proc(pid: int) -> str:
    if Path("/proc/self").exists():
        return ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        return "0"
    return "0"
