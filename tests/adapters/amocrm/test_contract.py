"""amoCRM keeps the contract that every adapter keeps: over real HTTP, against the emulated account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import pytest
from pydantic import SecretStr

from crmkit import CallStatus, CustomField, Deal, Direction, FieldType, Kind, Money, Record, Ref
from crmkit.adapter import Connection, Doors
from crmkit.http import LocalLimiter
from crmkit.testing.clock import JumpingClock
from crmkit.testing.contract import AdapterContract, Fault
from crmkit.testing.listener import HookListener
from crmkit.tokens import StaticTokens
from crmkit.webhook import WebhookRequest
from crmkit_amocrm import AmoCrmAdapter, AmoCrmSettings
from crmkit_testing.amocrm import AmoCrmSide
from crmkit_testing.side import ACCOUNT

ALWAYS = 1_000_000
FAULTS: Mapping[Fault, Mapping[str, Any]] = {
    Fault.LIMITED: {"status": 429, "retry_after": 1},
    Fault.BROKEN: {"status": 502, "body": "html"},
    Fault.PAGE: {"status": 200, "body": "html"},
    Fault.CUT: {"body": "cut_json"},
    Fault.LOST: {"body": "applied_then_reset"},
    Fault.DENIED: {"status": 401},
}


class AmoCrmBed:
    """An emulated account without records; its clock stands still until somebody waits."""

    def __init__(self, side: AmoCrmSide, listener: HookListener) -> None:
        self._side = side
        self._listener = listener
        self._clock = JumpingClock(side.now, side.turn)
        # Whoever uses the account shares its request budget, before a restart and after.
        self._limiter = LocalLimiter(self._clock)
        self.adapter = AmoCrmAdapter()
        self.settings = AmoCrmSettings(
            key=ACCOUNT, vendor="amocrm", base_url=side.amo.base_url, token=SecretStr(side.amo.token)
        )
        self.connection = self.reopen()
        self.hook_url = listener.url
        self.owner_id = side.user_ids()[1]
        self.stranger_id = "999999"
        stages = list(side.stages().values())
        self.stages = tuple(stages[:3])
        self.won, self.lost = stages[-2:]
        self.custom: Mapping[FieldType, CustomField[Deal, Any]] = {
            FieldType.TEXT: CustomField(Deal, str, "Город"),
            FieldType.LONGTEXT: CustomField(Deal, str, "Комментарий"),
            FieldType.DECIMAL: CustomField(Deal, Decimal, "Сумма предоплаты"),
            FieldType.MONEY: CustomField(Deal, Money, "Аванс"),
            FieldType.BOOL: CustomField(Deal, bool, "Срочно"),
            FieldType.DATE: CustomField(Deal, date, "Дата следующего шага"),
            FieldType.DATETIME: CustomField(Deal, datetime, "Встреча"),
            FieldType.ENUM: CustomField(Deal, str, "Источник"),
            FieldType.MULTIENUM: CustomField(Deal, tuple, "Услуги"),
            FieldType.URL: CustomField(Deal, str, "Сайт"),
        }
        self.options = {FieldType.ENUM: ("Сайт", "Звонок"), FieldType.MULTIENUM: ("Монтаж", "Доставка")}

    def now(self) -> datetime:
        return self._side.now()

    def advance(self, seconds: float) -> None:
        self._side.turn(seconds)

    def reopen(self) -> Connection:
        tokens = StaticTokens(self._side.amo.token)
        return self.adapter.open(self.settings, Doors(tokens=tokens, limiter=self._limiter, clock=self._clock))

    def seed_deals(self, count: int) -> Sequence[Ref]:
        return [Ref(ACCOUNT, Kind.DEAL, str(number)) for number in self._side.amo.bulk_leads(count)]

    def add(self, record: Record) -> Ref:
        return self._side.add(record, hooks=True)

    def change(self, ref: Ref, values: Mapping[str, Any]) -> None:
        self._side.change(ref, values, hooks=True)

    def delete(self, ref: Ref) -> None:
        self._side.delete(ref, hooks=True)

    def merge(self, survivor: Ref, loser: Ref) -> None:
        kinds: Mapping[Kind, Literal["leads", "contacts", "companies"]] = {
            Kind.DEAL: "leads",
            Kind.CONTACT: "contacts",
            Kind.COMPANY: "companies",
        }
        self._side.amo.merge(kinds[survivor.kind], int(survivor.id), [int(loser.id)])

    def dismiss(self, user_id: str) -> None:
        self._side.amo.remove_user(int(user_id))

    def call_comes(self, phone: str, contact: Ref, *, missed: bool) -> None:
        status, talk_s = (CallStatus.MISSED, 0) if missed else (CallStatus.ANSWERED, 60)
        self._side.call(contact, phone, direction=Direction.IN, status=status, talk_s=talk_s, hooks=True)

    def fail(self, fault: Fault, *, on: Literal["reads", "writes"], times: int | None = 1) -> None:
        for method in ("GET",) if on == "reads" else ("POST", "PATCH"):
            self._side.sandbox.faults.add(vendor="amocrm", method=method, times=times or ALWAYS, **FAULTS[fault])

    def heal(self) -> None:
        self._side.sandbox.faults.clear()

    def refusals(self) -> int:
        return self._side.amo.limits.refused

    def subscriptions(self) -> Sequence[str]:
        return [hook["destination"] for hook in self._side.amo.webhooks]

    def deliveries(self) -> Sequence[WebhookRequest]:
        self._side.deliver()
        return self._listener.take()


class TestAmoCrm(AdapterContract):
    """The contract over the emulated amoCRM."""

    @pytest.fixture
    def bed(self) -> Iterator[AmoCrmBed]:
        side = AmoCrmSide()
        side.open()
        with HookListener() as listener:
            bed = AmoCrmBed(side, listener)
            yield bed
            bed.connection.close()
            side.close()
