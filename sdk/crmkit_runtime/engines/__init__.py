"""Engine: what hands queued runs to workers, one at a time and in order within a lane."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from sqlalchemy import Connection

from crmkit.values import Json


class LaneLost(BaseException):
    """Another worker has taken the lane over: nothing more may be done or recorded by this one.

    Not an Exception: a handler that catches everything must not go on.
    """


class Hold(Protocol):
    """The right to run one lane's work, until it is lost."""

    @property
    def lane(self) -> str:
        """The lane that is held."""

    def check(self, tx: Connection) -> None:
        """Raise LaneLost when the lane is somebody else's by now."""

    def settle(self, tx: Connection) -> None:
        """Choose the lane's next run, or let the lane go; in the transaction that records what became of a run.

        Raises LaneLost.
        """

    def is_ending(self) -> bool:
        """The worker that holds the lane is stopping."""

    def lend(self) -> Mapping[str, Json]:
        """What another process of this host needs to hold the lane in our place."""

    def returned(self) -> None:
        """The other process has settled the lane: nothing more is done with it here."""


Process = Callable[[int, Hold], None]
"""Does one run and settles its hold."""


class Engine(Protocol):
    """Distributes lanes over threads, processes and machines; `engines.lanes.enqueue` tells it of work."""

    def run_worker(self, process: Process, concurrency: int, stop: threading.Event) -> None:
        """Process what is due until `stop` is set, then finish the runs under way."""

    def step(self, process: Process) -> bool:
        """Process one due lane in the calling thread; False when none is due."""

    def borrowed(self, lent: Mapping[str, Json]) -> Hold:
        """The lane that another process of this host has lent to this one."""
