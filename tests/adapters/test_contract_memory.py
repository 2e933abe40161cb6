"""The memory CRM keeps the contract that every adapter keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import pytest

from crmkit import CustomField, Deal, FieldType, Money, Record, Ref, StageRef
from crmkit.errors import AuthError, CrmKitError, RateLimited, VendorDown
from crmkit.testing import MemoryConnection, MemoryCrm, Reading
from crmkit.testing.contract import AdapterContract, Fault
from crmkit.webhook import WebhookRequest
from crmkit.write import Verb

ERRORS: Mapping[Fault, CrmKitError] = {
    Fault.LIMITED: RateLimited("limit", retry_after_s=1.0, account="acme", vendor="memory"),
    Fault.BROKEN: VendorDown("broken", account="acme", vendor="memory"),
    Fault.PAGE: VendorDown("a page", account="acme", vendor="memory"),
    Fault.CUT: VendorDown("half", account="acme", vendor="memory"),
    Fault.LOST: VendorDown("lost", account="acme", vendor="memory"),
    Fault.DENIED: AuthError("denied", account="acme", vendor="memory", remedy="Authorise again."),
}


class MemoryBed:
    """The memory CRM as a bed."""

    def __init__(self, *, has_native_keys: bool) -> None:
        self.memory = MemoryCrm()
        self.memory.world.has_native_keys = has_native_keys
        self.adapter = self.memory.adapter
        self.settings = self.memory.settings
        self.connection = self.memory.connection
        self.owner_id = "2"
        self.stranger_id = "777"
        self.stages = tuple(StageRef(pipeline_id="1", stage_id=stage) for stage in ("new", "talks", "offer"))
        self.won = StageRef(pipeline_id="1", stage_id="won")
        self.lost = StageRef(pipeline_id="1", stage_id="lost")
        self.custom: Mapping[FieldType, CustomField[Deal, Any]] = {
            FieldType.TEXT: CustomField(Deal, str, "Канал"),
            FieldType.LONGTEXT: CustomField(Deal, str, "Описание"),
            FieldType.INT: CustomField(Deal, int, "Число мест"),
            FieldType.DECIMAL: CustomField(Deal, Decimal, "Площадь"),
            FieldType.MONEY: CustomField(Deal, Money, "Предоплата"),
            FieldType.BOOL: CustomField(Deal, bool, "Согласие"),
            FieldType.DATE: CustomField(Deal, date, "Дата следующего шага"),
            FieldType.DATETIME: CustomField(Deal, datetime, "Время визита"),
            FieldType.ENUM: CustomField(Deal, str, "Причина"),
            FieldType.MULTIENUM: CustomField(Deal, tuple, "Интересы"),
            FieldType.URL: CustomField(Deal, str, "Ссылка"),
            FieldType.EMAIL: CustomField(Deal, str, "Почта для счёта"),
            FieldType.PHONE: CustomField(Deal, str, "Телефон склада"),
        }
        self.options = dict.fromkeys((FieldType.ENUM, FieldType.MULTIENUM), ("Дорого", "Долго"))
        self.hook_url = "http://127.0.0.1/hooks/memory/acme"

    def now(self) -> datetime:
        return self.memory.world.clock.now()

    def advance(self, seconds: float) -> None:
        self.memory.advance(timedelta(seconds=seconds))

    def reopen(self) -> MemoryConnection:
        return MemoryConnection(self.memory.world, "acme")

    def seed_deals(self, count: int) -> Sequence[Ref]:
        return self.memory.seed(*(Deal(title=f"Сделка {number}") for number in range(count)))

    def add(self, record: Record) -> Ref:
        return self.memory.person.add(record)

    def change(self, ref: Ref, values: Mapping[str, Any]) -> None:
        self.memory.person.change(ref, values)

    def delete(self, ref: Ref) -> None:
        self.memory.person.delete(ref)

    def merge(self, survivor: Ref, loser: Ref) -> None:
        self.memory.person.merge(survivor, loser)

    def dismiss(self, user_id: str) -> None:
        self.memory.person.dismiss(user_id)

    def call_comes(self, phone: str, contact: Ref, *, missed: bool) -> None:
        if missed:
            self.memory.person.missed_call(phone, contact=contact)
        else:
            self.memory.person.called(phone, contact=contact)

    def fail(self, fault: Fault, *, on: Literal["reads", "writes"], times: int | None = 1) -> None:
        error = ERRORS[fault]
        if isinstance(error, VendorDown):
            error = VendorDown(error.message, maybe_applied=on == "writes", account="acme", vendor="memory")
        for verb in Reading if on == "reads" else Verb:
            self.memory.world.fail_next(error, times, verb, applied=fault is Fault.LOST)

    def heal(self) -> None:
        self.memory.world.heal()

    def refusals(self) -> int:
        return 0

    def subscriptions(self) -> Sequence[str]:
        url = self.memory.world.account("acme").subscription
        return [url] if url else []

    def deliveries(self) -> Sequence[WebhookRequest]:
        return [hook.request for hook in self.memory.world.take_hooks("acme")]


class TestMemory(AdapterContract):
    """The contract over dictionaries."""

    @pytest.fixture(params=[False, True], ids=["looked-up", "native-keys"])
    def bed(self, request: pytest.FixtureRequest) -> MemoryBed:
        return MemoryBed(has_native_keys=request.param)
