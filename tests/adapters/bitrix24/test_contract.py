"""Bitrix24 keeps the contract that every adapter keeps: over real HTTP, against the emulated portal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from crmkit import CallStatus, CustomField, Deal, Direction, FieldType, Kind, Money, Record, Ref
from crmkit.adapter import Connection, Doors
from crmkit.http import LocalLimiter
from crmkit.testing.clock import JumpingClock
from crmkit.testing.contract import AdapterContract, Fault
from crmkit.testing.listener import HookListener
from crmkit.tokens import FileTokenStore
from crmkit.webhook import WebhookRequest
from crmkit_bitrix24 import Bitrix24Adapter, Bitrix24Settings
from crmkit_testing.bitrix24 import Bitrix24Side
from crmkit_testing.side import ACCOUNT

ALWAYS = 1_000_000
FAULTS: Mapping[Fault, Mapping[str, Any]] = {
    Fault.LIMITED: {"status": 503},
    Fault.BROKEN: {"status": 502, "body": "html"},
    Fault.PAGE: {"status": 200, "body": "html"},
    Fault.CUT: {"body": "cut_json"},
    Fault.LOST: {"body": "applied_then_reset"},
    Fault.DENIED: {"status": 401},
}
# All calls are posts: only the method's name tells reads from writes.
READS = ("batch", "crm.item.list", "crm.contact.list", "crm.company.list", "crm.activity.list")
WRITES = (
    "crm.item.add",
    "crm.contact.add",
    "crm.company.add",
    "crm.activity.todo.add",
    "crm.timeline.comment.add",
)


class Bitrix24Bed:
    """An emulated portal without records; its clock stands still until somebody waits."""

    def __init__(
        self, side: Bitrix24Side, listener: HookListener, folder: Path, way_in: Literal["application", "webhook"]
    ) -> None:
        self._side = side
        self._listener = listener
        self._clock = JumpingClock(side.now, side.turn)
        # Whoever uses the account shares its request budget and its tokens, before a restart and after.
        self._limiter = LocalLimiter(self._clock)
        self._tokens = FileTokenStore(folder)
        self.adapter = Bitrix24Adapter()
        self.settings = _application(side) if way_in == "application" else _webhook(side)
        self._path = (
            urlsplit(side.portal.webhook_url).path.removeprefix("/bitrix24") if way_in == "webhook" else "/rest/"
        )
        self.connection = self.reopen()
        self.hook_url = listener.url
        self.owner_id = side.user_ids()[1]
        self.stranger_id = "999999"
        stages = side.stages()
        self.stages = tuple(stages.values())[:3]
        self.won, self.lost = stages["Сделка успешна"], stages["Сделка провалена"]
        self.custom: Mapping[FieldType, CustomField[Deal, Any]] = {
            FieldType.TEXT: CustomField(Deal, str, "Город"),
            FieldType.INT: CustomField(Deal, int, "Комнат"),
            FieldType.DECIMAL: CustomField(Deal, Decimal, "Площадь"),
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
        return self.adapter.open(self.settings, Doors(tokens=self._tokens, limiter=self._limiter, clock=self._clock))

    def seed_deals(self, count: int) -> Sequence[Ref]:
        return [Ref(ACCOUNT, Kind.DEAL, str(number)) for number in self._side.portal.bulk_deals(count)]

    def add(self, record: Record) -> Ref:
        return self._side.add(record, hooks=True)

    def change(self, ref: Ref, values: Mapping[str, Any]) -> None:
        self._side.change(ref, values, hooks=True)

    def delete(self, ref: Ref) -> None:
        self._side.delete(ref, hooks=True)

    def merge(self, survivor: Ref, loser: Ref) -> None:
        self._side.portal.merge(survivor.kind.value, int(survivor.id), [int(loser.id)])

    def dismiss(self, user_id: str) -> None:
        self._side.portal.remove_user(int(user_id))

    def call_comes(self, phone: str, contact: Ref, *, missed: bool) -> None:
        status, talk_s = (CallStatus.MISSED, 0) if missed else (CallStatus.ANSWERED, 60)
        self._side.call(contact, phone, direction=Direction.IN, status=status, talk_s=talk_s, hooks=True)

    def fail(self, fault: Fault, *, on: Literal["reads", "writes"], times: int | None = 1) -> None:
        for method in READS if on == "reads" else WRITES:
            self._side.sandbox.faults.add(
                vendor="bitrix24", path=f"{self._path}{method}", times=times or ALWAYS, **FAULTS[fault]
            )

    def heal(self) -> None:
        self._side.sandbox.faults.clear()

    def refusals(self) -> int:
        return self._side.portal.limits.refused

    def subscriptions(self) -> Sequence[str]:
        return sorted({handler["handler"] for handler in self._side.portal.handlers})

    def deliveries(self) -> Sequence[WebhookRequest]:
        self._side.deliver()
        return self._listener.take()


def _application(side: Bitrix24Side) -> Bitrix24Settings:
    return Bitrix24Settings(
        key=ACCOUNT,
        vendor="bitrix24",
        base_url=side.portal.base_url,
        auth_url=side.portal.base_url,
        client_id=side.portal.client_id,
        client_secret=SecretStr(side.portal.client_secret),
        refresh_token=SecretStr(side.portal.issue_tokens()["refresh_token"]),
        application_token=SecretStr(side.portal.application_token),
        member_id=side.portal.member_id,
    )


def _webhook(side: Bitrix24Side) -> Bitrix24Settings:
    return Bitrix24Settings(
        key=ACCOUNT,
        vendor="bitrix24",
        base_url=side.portal.base_url,
        webhook=SecretStr(side.portal.webhook_url),
    )


def _bed(folder: Path, way_in: Literal["application", "webhook"]) -> Iterator[Bitrix24Bed]:
    side = Bitrix24Side()
    side.open()
    with HookListener() as listener:
        bed = Bitrix24Bed(side, listener, folder, way_in)
        yield bed
        bed.connection.close()
        side.close()


class TestApplication(AdapterContract):
    """The contract over the emulated Bitrix24, by an application in it."""

    @pytest.fixture
    def bed(self, tmp_path: Path) -> Iterator[Bitrix24Bed]:
        yield from _bed(tmp_path, "application")


class TestWebhook(AdapterContract):
    """The same through an incoming webhook, which can do less."""

    @pytest.fixture
    def bed(self, tmp_path: Path) -> Iterator[Bitrix24Bed]:
        yield from _bed(tmp_path, "webhook")
