"""The memory CRM's world: accounts, a clock, faults, and what was asked of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from crmkit.clock import Clock, TurnedClock
from crmkit.errors import CrmKitError, RateLimited, VendorDown
from crmkit.http import Urgency
from crmkit.testing.faults import Asked, Fault, Faults, Reading
from crmkit.testing.hooks import VENDOR, Hook
from crmkit.testing.state import AccountState
from crmkit.values import Kind, Ref
from crmkit.write import Verb

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""Where the clock of a new world stands: Monday noon in Moscow."""


class MemoryWorld:
    """Accounts of a CRM that lives in dictionaries; thread-safe.

    Args:
        clock: the time of everything; a `TurnedClock` at `START` when left out.

    Attributes:
        hooks: deliveries that the CRM would make, oldest first; take them, repeat them or throw them away.
        asked: every request that reached the CRM, oldest first.
        page_size: records and feed rows of one page.
        feed_lag: how long after a change its feed row shows up.
        feed_overlap: how many rows behind the cursor each reading of the feed repeats.
        has_native_keys: a create with a known marker gives the first one's address, as CRMs with foreign keys do.
        on_request: called before each request is served, outside of the lock: the place to change things in between.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or TurnedClock(START)
        self.lock = threading.RLock()
        self.hooks: list[Hook] = []
        self.asked: list[Asked] = []
        self.page_size = 100
        self.feed_lag = timedelta(0)
        self.feed_overlap = 0
        self.has_native_keys = False
        self.on_request: Callable[[Asked], None] | None = None
        self._accounts: dict[str, AccountState] = {}
        self._faults = Faults()

    def account(self, key: str) -> AccountState:
        """The account's state; it comes into being with the first question."""
        with self.lock:
            if key not in self._accounts:
                self._accounts[key] = AccountState(key, self.clock, self.hooks)
            return self._accounts[key]

    def fail_next(
        self,
        error: CrmKitError | Callable[[], CrmKitError],
        times: int | None = 1,
        verb: Verb | Reading | None = None,
        kind: Kind | None = None,
        *,
        account: str | None = None,
        applied: bool = False,
    ) -> None:
        """Answer the next requests with `error`: `times` of them, or until `heal()` with None.

        `verb`, `kind` and `account` narrow which; `applied` does a write first, so that only its answer is lost.
        """
        with self.lock:
            self._faults.add(Fault(error, times, verb, kind, account, applied))

    def lose_answer(self, verb: Verb | None = None, kind: Kind | None = None, *, times: int = 1) -> None:
        """Do the next write and lose its answer."""
        lost = VendorDown("the answer was lost", maybe_applied=True, vendor=VENDOR)
        self.fail_next(lost, times, verb, kind, applied=True)

    def refuse(self, times: int = 1, *, retry_after_s: float | None = 1.0) -> None:
        """Answer the next requests that the rate limit is used up."""
        self.fail_next(RateLimited("too many requests", retry_after_s=retry_after_s, vendor=VENDOR, status=429), times)

    def down(self, *, account: str | None = None) -> None:
        """Answer nothing until `heal()`."""
        self.fail_next(VendorDown("the CRM is away", vendor=VENDOR, status=502), None, account=account)

    def heal(self) -> None:
        """Forget all faults."""
        with self.lock:
            self._faults.clear()

    def lag_feed(self, seconds: float) -> None:
        """Let feed rows show up `seconds` after their moment."""
        self.feed_lag = timedelta(seconds=seconds)

    def count(self, verb: Verb | Reading | None = None, kind: Kind | None = None, account: str | None = None) -> int:
        """How many requests of a sort were made."""
        with self.lock:
            return sum(
                verb in (None, asked.verb) and kind in (None, asked.kind) and account in (None, asked.account)
                for asked in self.asked
            )

    def take_hooks(self, account: str | None = None) -> list[Hook]:
        """The deliveries made since, oldest first; they are the caller's from now on."""
        with self.lock:
            taken = [hook for hook in self.hooks if account in (None, hook.account)]
            self.hooks[:] = [hook for hook in self.hooks if account not in (None, hook.account)]
            return taken

    def drop_hooks(self) -> int:
        """Lose the deliveries made since; how many there were."""
        return len(self.take_hooks())

    @contextmanager
    def serving(
        self,
        account: str,
        verb: Verb | Reading,
        kind: Kind | None = None,
        refs: tuple[Ref, ...] = (),
        urgency: Urgency = Urgency.LIVE,
    ) -> Iterator[AccountState]:
        """The account's state, locked, for one request; raises the fault that waits for it, before or after."""
        asked = Asked(account, verb, kind, refs, urgency)
        if self.on_request is not None:
            self.on_request(asked)
        state = self.account(account)
        with self.lock:
            self.asked.append(asked)
            fault = self._faults.find(asked)
            if fault is not None and not fault.is_applied:
                raise fault.take()
            yield state
            if fault is not None:
                raise fault.take()
