"""What the sides of all emulated CRMs have alike: a sandbox of one vendor, its clock, its hooks, its faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NoReturn, TypeVar

from crmkit.adapter import Adapter
from crmkit.errors import ConfigError
from crmkit.testing.world import START
from crmkit.values import Kind, Ref
from crmkit_sandbox import Sandbox
from crmkit_sandbox.emulator import Emulator
from crmkit_testing.side import ACCOUNT

Made = TypeVar("Made")


class EmulatedSide:
    """One account of an emulated CRM, over real HTTP; its clock stands until somebody waits.

    Args:
        sandbox: where the vendor is emulated alone.
        emulator: the vendor.
        deletes: how a person throws a record of each kind away.
    """

    def __init__(self, sandbox: Sandbox, emulator: Emulator, deletes: Mapping[Kind, Callable[..., None]]) -> None:
        self.sandbox = sandbox
        self.vendor = emulator.key
        self.adapters: Mapping[str, Adapter] = {}
        self._emulator = emulator
        self._deletes = deletes
        sandbox.clock.freeze(START.timestamp())

    def open(self) -> None:
        """Serve on 127.0.0.1."""
        self.sandbox.start()

    def close(self) -> None:
        """Stop serving."""
        self.sandbox.stop()

    def now(self) -> datetime:
        """The sandbox's time."""
        return datetime.fromtimestamp(self.sandbox.clock.now(), UTC)

    def turn(self, seconds: float) -> None:
        """Turn the sandbox's time on."""
        self.sandbox.clock.advance(seconds)

    def seed(self) -> None:
        """A small business: people, companies, deals and tasks."""
        self.sandbox.vendors[self.vendor].seed()

    def delete(self, ref: Ref, *, hooks: bool) -> None:
        """Throw a record away."""
        self._act("delete", self._deletes, ref.kind)(int(ref.id), hooks=hooks)

    def lose_next_hooks(self, count: int) -> None:
        """Lose deliveries."""
        self._emulator.drop_next_hooks(count)

    def repeat_next_hook(self, times: int) -> None:
        """Double a delivery."""
        self._emulator.repeat_next_hook(times - 1)

    def fail_next(self, status: int, times: int, method: str | None, path: str | None) -> None:
        """Plan a fault; too many requests and a busy server ask for one second."""
        wait_s = 1 if status in (429, 503) else None
        self.sandbox.faults.add(
            vendor=self.vendor, method=method, path=path, status=status, times=times, retry_after=wait_s
        )

    def down(self, is_down: bool) -> None:
        """Answer 502 to everything, or stop doing so."""
        self.sandbox.faults.down(self.vendor, is_down)

    def deliver(self) -> int:
        """Wait for the sandbox's couriers."""
        if not self.sandbox.settle(10.0):
            raise TimeoutError("the emulator's hooks were not delivered within ten seconds")
        return len(self._emulator.deliveries)

    def requests(self) -> int:
        """Calls of the API, refused ones included."""
        return len(self._emulator.requests)

    def _act(self, verb: str, acts: Mapping[Kind, Callable[..., Made]], kind: Kind) -> Callable[..., Made]:
        if kind not in acts:
            cannot(self.vendor, f"{verb} a {kind.value}")
        return acts[kind]


def new_ref(kind: Kind, id_: int | str) -> Ref:
    """The address of a record of the bench's account."""
    return Ref(ACCOUNT, kind, str(id_))


def cannot(vendor: str, what: str) -> NoReturn:
    """Raises ConfigError for what nobody does by hand on a bench."""
    raise ConfigError(
        f"nobody can {what} by hand on the bench of {vendor}",
        vendor=vendor,
        remedy="Use bench.side.sandbox, or write it with bench.crm.",
    )
