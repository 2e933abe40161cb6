"""The frame of a contract test's bed: an emulated account, an adapter beside it, a door for its hooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol, TypeVar

from crmkit import CallStatus, Direction, FieldType, Kind, Record, Ref
from crmkit.adapter import Adapter, Connection, Doors
from crmkit.http import LocalLimiter
from crmkit.settings import AccountSettings
from crmkit.testing.clock import JumpingClock
from crmkit.testing.contract import Fault
from crmkit.testing.listener import HookListener
from crmkit.tokens import TokenStore
from crmkit.webhook import WebhookRequest
from crmkit_sandbox import Sandbox
from crmkit_testing.side import ACCOUNT, Side

ALWAYS = 1_000_000
FAULTS: Mapping[Fault, Mapping[str, Any]] = {
    Fault.BROKEN: {"status": 502, "body": "html"},
    Fault.PAGE: {"status": 200, "body": "html"},
    Fault.CUT: {"body": "cut_json"},
    Fault.LOST: {"body": "applied_then_reset"},
    Fault.DENIED: {"status": 401},
}

SideT = TypeVar("SideT", bound="EmulatedSide")
BedT = TypeVar("BedT", bound="EmulatedBed")


class EmulatedSide(Side, Protocol):
    """The side of a CRM in the sandbox."""

    sandbox: Sandbox


class EmulatedBed:
    """An emulated account without records; its clock stands still until somebody waits.

    Args:
        side: the account.
        listener: takes its hooks.
        adapter, settings, tokens: how the account is opened.
        limited: the fault by which this vendor says that the rate limit is used up.
    """

    def __init__(
        self,
        side: EmulatedSide,
        listener: HookListener,
        *,
        adapter: Adapter,
        settings: AccountSettings,
        tokens: TokenStore,
        limited: Mapping[str, Any],
    ) -> None:
        self._emulated = side
        self._listener = listener
        self._faults = {**FAULTS, Fault.LIMITED: limited}
        clock = JumpingClock(side.now, side.turn)
        # Whoever uses the account shares its request budget and its tokens, before a restart and after.
        self._doors = Doors(tokens=tokens, limiter=LocalLimiter(clock), clock=clock)
        self.adapter = adapter
        self.settings = settings
        self.connection = self.reopen()
        self.hook_url = listener.url
        self.owner_id = side.user_ids()[1]
        self.stranger_id = "999999"
        stages = list(side.stages().values())
        self.stages = tuple(stages[:3])
        self.won, self.lost = stages[-2:]
        self.options = {FieldType.ENUM: ("Сайт", "Звонок"), FieldType.MULTIENUM: ("Монтаж", "Доставка")}

    def now(self) -> datetime:
        return self._emulated.now()

    def advance(self, seconds: float) -> None:
        self._emulated.turn(seconds)

    def reopen(self) -> Connection:
        return self.adapter.open(self.settings, self._doors)

    def add(self, record: Record) -> Ref:
        return self._emulated.add(record, hooks=True)

    def change(self, ref: Ref, values: Mapping[str, Any]) -> None:
        self._emulated.change(ref, values, hooks=True)

    def delete(self, ref: Ref) -> None:
        self._emulated.delete(ref, hooks=True)

    def call_comes(self, phone: str, contact: Ref, *, missed: bool) -> None:
        status, talk_s = (CallStatus.MISSED, 0) if missed else (CallStatus.ANSWERED, 60)
        self._emulated.call(contact, phone, direction=Direction.IN, status=status, talk_s=talk_s, hooks=True)

    def heal(self) -> None:
        self._emulated.sandbox.faults.clear()

    def refusals(self) -> int:
        return self._emulated.sandbox.vendors[self._emulated.vendor].limits.refused

    def deliveries(self) -> Sequence[WebhookRequest]:
        self._emulated.deliver()
        return self._listener.take()

    def _spoil(self, fault: Fault, times: int | None, *, method: str | None = None, path: str | None = None) -> None:
        self._emulated.sandbox.faults.add(
            vendor=self._emulated.vendor, method=method, path=path, times=times or ALWAYS, **self._faults[fault]
        )


def deal_refs(numbers: Sequence[int]) -> list[Ref]:
    """The addresses of deals."""
    return [Ref(ACCOUNT, Kind.DEAL, str(number)) for number in numbers]


@contextmanager
def opened(side: SideT, make: Callable[[SideT, HookListener], BedT]) -> Iterator[BedT]:
    """A bed on a side that is up, until the test is over."""
    side.open()
    with HookListener() as listener:
        bed = make(side, listener)
        yield bed
        bed.connection.close()
        side.close()
