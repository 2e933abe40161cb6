"""Work: one run while it is done, as effects, plans and the desk need to know it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, update

from crmkit.errors import Conflict
from crmkit.extension import Decisions
from crmkit.values import Ref
from crmkit_runtime.database import to_us
from crmkit_runtime.engines import Hold
from crmkit_runtime.service import Installed, OpenAccount, Service
from crmkit_runtime.tables import run


class Suspend(BaseException):
    """The run must wait for something outside of it; it begins again at `until`, and nothing is counted.

    Not an Exception: a handler that catches everything must not go on.
    """

    def __init__(self, until: datetime, reason: str) -> None:
        super().__init__(reason)
        self.until = until
        self.reason = reason


@dataclass(frozen=True, slots=True)
class TimerChange:
    """A timer that the run sets, or drops when `at` is None."""

    key: str
    at: datetime | None


@dataclass(slots=True)
class Work:
    """What is done, for whom, and what it has brought so far.

    Args:
        identity: what the run's effects are named by: its event's key, or its tick.
        subject: the record it is about; None for a nightly job.
        now: the run's time; the same in each attempt once something was written.
        depth: how many of our own writes led to its event.
        hold: its lane; None for what a person starts by hand.
        has_effects: an earlier attempt has written, or this one has tried to.
        begun: writes of this attempt that were not refused.
        has_answer: the CRM has answered a call of this attempt.
    """

    service: Service
    account: OpenAccount
    installed: Installed
    identity: str
    handler: str
    lane: str
    now: datetime
    run_id: int | None = None
    subject: Ref | None = None
    depth: int = 0
    hold: Hold | None = None
    decisions: Decisions = field(default_factory=Decisions)
    has_effects: bool = False
    begun: int = 0
    has_answer: bool = False
    equal: Counter[str] = field(default_factory=Counter)
    choices: int = 0
    timers: list[TimerChange] = field(default_factory=list)

    @property
    def extension(self) -> str:
        """Name of the extension that works."""
        return self.installed.extension.name

    def check(self, tx: Connection) -> None:
        """Raise LaneLost when another worker has the lane by now."""
        if self.hold is not None:
            self.hold.check(tx)

    def begin_effects(self, tx: Connection) -> None:
        """Fix the run's time: a repeated attempt must describe the same writes."""
        if not self.has_effects and self.hold is not None:
            tx.execute(update(run).where(run.c.id == self.run_id).values(started_at=to_us(self.now)))
        self.has_effects = True

    def wait(self, seconds: float, reason: str) -> Suspend | Conflict:
        """What to raise so that the run goes on in `seconds`; a person is asked to come back."""
        if self.hold is None:
            return Conflict(reason, account=self.account.key, remedy=f"Try again in {seconds:.0f} s.")
        return Suspend(self.service.clock.now() + timedelta(seconds=seconds), reason)
