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
from tests.adapters.bed import EmulatedBed, deal_refs, opened
from tests.adapters.bitrix24.access import application, webhook

from crmkit import CustomField, Deal, FieldType, Money, Ref
from crmkit.testing.contract import AdapterContract, Fault
from crmkit.testing.listener import HookListener
from crmkit.tokens import FileTokenStore
from crmkit_bitrix24 import Bitrix24Adapter, Bitrix24Settings
from crmkit_testing.bitrix24 import Bitrix24Side

# All calls are posts: only the method's name tells reads from writes.
READS = ("batch", "crm.item.list", "crm.contact.list", "crm.company.list", "crm.activity.list")
WRITES = (
    "crm.item.add",
    "crm.contact.add",
    "crm.company.add",
    "crm.activity.todo.add",
    "crm.timeline.comment.add",
)


class Bitrix24Bed(EmulatedBed):
    """An emulated portal without records; its clock stands still until somebody waits."""

    def __init__(
        self, side: Bitrix24Side, listener: HookListener, folder: Path, way_in: Literal["application", "webhook"]
    ) -> None:
        self._portal = side.portal
        super().__init__(
            side,
            listener,
            adapter=Bitrix24Adapter(),
            settings=webhook(side) if way_in == "webhook" else _application(side),
            tokens=FileTokenStore(folder),
            limited={"status": 503},
        )
        self._path = (
            urlsplit(side.portal.webhook_url).path.removeprefix("/bitrix24") if way_in == "webhook" else "/rest/"
        )
        stages = side.stages()
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

    def seed_deals(self, count: int) -> Sequence[Ref]:
        return deal_refs(self._portal.bulk_deals(count))

    def merge(self, survivor: Ref, loser: Ref) -> None:
        self._portal.merge(survivor.kind.value, int(survivor.id), [int(loser.id)])

    def dismiss(self, user_id: str) -> None:
        self._portal.remove_user(int(user_id))

    def fail(self, fault: Fault, *, on: Literal["reads", "writes"], times: int | None = 1) -> None:
        for method in READS if on == "reads" else WRITES:
            self._spoil(fault, times, path=f"{self._path}{method}")

    def subscriptions(self) -> Sequence[str]:
        return sorted({handler["handler"] for handler in self._portal.handlers})


def _application(side: Bitrix24Side) -> Bitrix24Settings:
    token, member_id = SecretStr(side.portal.application_token), side.portal.member_id
    return application(side, application_token=token, member_id=member_id)


def _bed(folder: Path, way_in: Literal["application", "webhook"]) -> Iterator[Bitrix24Bed]:
    with opened(Bitrix24Side(), lambda side, listener: Bitrix24Bed(side, listener, folder, way_in)) as bed:
        yield bed


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
