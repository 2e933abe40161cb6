"""Chores: steps that a worker repeats, each on a thread of its own, and that outlive their own failures."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crmkit.errors import CrmKitError
from crmkit_runtime import pause
from crmkit_runtime.service import Service

log = logging.getLogger(__name__)

AFTER_FAULT_S = 5.0
REST_S = 2.0


@dataclass(slots=True)
class Chore:
    """One repeated step.

    Args:
        step: does a piece of work; says whether there may be more at once.
        every: how long after a step the next one begins, by the service's clock; None: at once while there is more,
            then whenever the bell rings, or every `look_s` of real time.
        account: the account it works for; it rests while that account is paused.
        is_over: says that the chore has nothing to do any more.
        rests: a step that found work is followed by a rest as long as itself, `REST_S` at the most: what comes
            meanwhile is done together, and half of a request budget that it waits for is left to others.
    """

    service: Service
    name: str
    step: Callable[[], bool]
    every: timedelta | None = None
    look_s: float = 0.5
    account: str | None = None
    is_over: Callable[[], bool] = field(default=lambda: False)
    rests: bool = False
    not_before: datetime | None = None

    def run(self, stop: threading.Event) -> None:
        """Repeat the step until `stop` is set or the chore is over."""
        while not stop.is_set() and not self.is_over():
            began = time.monotonic()
            try:
                has_more = self.once()
            except Exception:
                # Even the pause could not be read or stored: the database is away.
                log.exception("%s cannot go on; again in %s s", self.name, AFTER_FAULT_S)
                stop.wait(AFTER_FAULT_S)
                continue
            if not has_more:
                self.service.bell.wait(self.look_s)
            elif self.rests:
                stop.wait(min(time.monotonic() - began, REST_S))

    def once(self) -> bool:
        """Do the step when its time has come and its account answers; whether there may be more at once."""
        now = self.service.clock.now()
        if self.is_over() or (self.not_before is not None and now < self.not_before) or self._waits(now):
            return False
        try:
            has_more = self.step()
        except CrmKitError as error:
            self._failed(error)
            return False
        except Exception:
            log.exception("%s failed; again in %s s", self.name, AFTER_FAULT_S)
            self.not_before = now + timedelta(seconds=AFTER_FAULT_S)
            return False
        if has_more or self.every is not None:
            self._answered()
        self.not_before = now + self.every if self.every is not None else None
        return has_more

    def _waits(self, now: datetime) -> bool:
        if self.account is None:
            return False
        with self.service.database.read() as connection:
            return pause.paused(connection, self.account, now) is not None

    def _failed(self, error: CrmKitError) -> None:
        now = self.service.clock.now()
        if self.account is not None and error.pauses_account:
            with self.service.database.write() as tx:
                self.not_before = pause.pause(tx, self.account, error, now).until
        else:
            self.not_before = now + timedelta(seconds=AFTER_FAULT_S)
        log.warning("%s waits until %s: %s", self.name, self.not_before.isoformat(), error)

    def _answered(self) -> None:
        if self.account is None:
            return
        with self.service.database.read() as connection:
            if pause.last_pause(connection, self.account) is None:
                return
        with self.service.database.write() as tx:
            pause.clear(tx, self.account, self.service.clock.now())
