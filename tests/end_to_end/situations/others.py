"""The other side of an account in real time, and a script that looks at it: for tests that start processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crmkit import Crm, registry
from crmkit.adapter import Doors
from crmkit.http import LocalLimiter
from crmkit.settings import account_settings
from crmkit.tokens import FileTokenStore
from crmkit_testing.side import ACCOUNT, Side
from crmkit_testing.sides import SIDES, new_side

VENDORS = tuple(vendor for vendor in SIDES if vendor != "memory")


@contextmanager
def in_real_time(vendor: str) -> Iterator[Any]:
    """An open account by the machine's clock; the emulator refuses nobody: a busy machine is late at times."""
    side: Any = new_side(vendor)
    side.sandbox.clock.release()
    getattr(side.sandbox, vendor).limits.enabled = False
    side.open()
    try:
        yield side
    finally:
        side.close()


def script(side: Side, folder: Path) -> Crm:
    """The account as a script sees it, with tokens of its own."""
    table = side.account_table()
    adapter = registry.adapter(side.vendor)
    settings = account_settings(adapter.settings_type, ACCOUNT, table, side.environment())
    return Crm(adapter.open(settings, Doors(tokens=FileTokenStore(folder / "script"), limiter=LocalLimiter())))
