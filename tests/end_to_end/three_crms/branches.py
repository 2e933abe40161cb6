"""Branches: emulated accounts of one CRM that know one time, one database, and services opened beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Self

from tests.end_to_end.situations.premises import Open, opened

from crmkit import Deal, Ref, Task, registry
from crmkit.adapter import Doors
from crmkit.clock import Clock, SystemClock
from crmkit.crm import Crm
from crmkit.extension import Extension
from crmkit.http import LocalLimiter
from crmkit.settings import account_settings
from crmkit.testing.clock import JumpingClock
from crmkit.tokens import FileTokenStore
from crmkit_runtime.database import Database
from crmkit_runtime.migrations import migrate
from crmkit_testing.side import ACCOUNT
from crmkit_testing.sides import new_side

Access = tuple[Mapping[str, Any], Mapping[str, str]]
"""An account's table, and its secrets under the names of the account `acme`."""


def given(side: Any) -> Access:
    """The way in that the vendor's bench takes."""
    return side.account_table(), side.environment()


class Branches:
    """What outlives a service. Use it in `with`.

    Args:
        folder: where the database lies.
        vendor: whose accounts.
        keys: a key for each account.
        is_turned: the time stands until a test turns it; else it is the machine's.
        access: how an account is opened; asked afresh at each opening of a service.
    """

    def __init__(
        self,
        folder: Path,
        vendor: str,
        keys: Sequence[str] = (ACCOUNT,),
        *,
        is_turned: bool = True,
        access: Callable[[Any], Access] = given,
    ) -> None:
        self.vendor = vendor
        self.sides: Mapping[str, Any] = {key: new_side(vendor) for key in keys}
        self.clock: Clock = JumpingClock(self.sides[keys[0]].now, self.turn) if is_turned else SystemClock()
        self.database = Database(str(folder / "crmkit.sqlite3"))
        self._folder = folder
        self._is_turned = is_turned
        self._access = access

    def __enter__(self) -> Self:
        for side in self.sides.values():
            if not self._is_turned:
                side.sandbox.clock.release()
            side.open()
        migrate(self.database, {})
        return self

    def __exit__(self, *_: object) -> None:
        self.database.close()
        for side in self.sides.values():
            side.close()

    @property
    def keys(self) -> Sequence[str]:
        """The accounts' keys."""
        return list(self.sides)

    def turn(self, seconds: float) -> None:
        """Turn the accounts' time on."""
        for side in self.sides.values():
            side.turn(seconds)

    def deliver(self) -> int:
        """Wait until no hook is under way; how many were sent in all."""
        return sum(side.deliver() for side in self.sides.values())

    def environment(self) -> Mapping[str, str]:
        """The accounts' secrets."""
        return {
            name.replace(f"CRMKIT_{ACCOUNT.upper()}_", f"CRMKIT_{key.upper()}_"): value
            for key, side in self.sides.items()
            for name, value in self._access(side)[1].items()
        }

    def open(self, *extensions: Extension[Any]) -> AbstractContextManager[Open]:
        """A service with these extensions, at a door of its own."""
        accounts = {key: dict(self._access(side)[0]) for key, side in self.sides.items()}
        return opened(self, accounts, extensions)

    def tasks(self, key: str) -> list[Task]:
        """The tasks of an account, as a script with tokens of its own sees them."""
        crm = self._script(key)
        found = sorted(crm.tasks.iterate(), key=lambda task: task.ref)
        crm.close()
        return found

    def deal(self, key: str, ref: Ref) -> Deal:
        """A deal of an account, as a script sees it."""
        crm = self._script(key)
        found = crm.deals.get(ref)
        crm.close()
        return found

    def _script(self, key: str) -> Crm:
        side = self.sides[key]
        table, environment = given(side)
        adapter = registry.adapter(self.vendor)
        settings = account_settings(adapter.settings_type, ACCOUNT, table, environment)
        tokens = FileTokenStore(self._folder / f"script-{key}-{len(list(self._folder.iterdir()))}")
        return Crm(adapter.open(settings, Doors(tokens=tokens, limiter=LocalLimiter(self.clock), clock=self.clock)))
