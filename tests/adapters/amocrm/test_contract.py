"""amoCRM keeps the contract that every adapter keeps: over real HTTP, against the emulated account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import pytest
from pydantic import SecretStr
from tests.adapters.bed import EmulatedBed, deal_refs, opened

from crmkit import CustomField, Deal, FieldType, Kind, Money, Ref
from crmkit.testing.contract import AdapterContract, Fault
from crmkit.testing.listener import HookListener
from crmkit.tokens import StaticTokens
from crmkit_amocrm import AmoCrmAdapter, AmoCrmSettings
from crmkit_testing.amocrm import AmoCrmSide
from crmkit_testing.side import ACCOUNT


class AmoCrmBed(EmulatedBed):
    """An emulated account without records; its clock stands still until somebody waits."""

    def __init__(self, side: AmoCrmSide, listener: HookListener) -> None:
        self._amo = side.amo
        token = side.amo.token
        super().__init__(
            side,
            listener,
            adapter=AmoCrmAdapter(),
            settings=AmoCrmSettings(key=ACCOUNT, vendor="amocrm", base_url=side.amo.base_url, token=SecretStr(token)),
            tokens=StaticTokens(token),
            limited={"status": 429, "retry_after": 1},
        )
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

    def seed_deals(self, count: int) -> Sequence[Ref]:
        return deal_refs(self._amo.bulk_leads(count))

    def merge(self, survivor: Ref, loser: Ref) -> None:
        kinds: Mapping[Kind, Literal["leads", "contacts", "companies"]] = {
            Kind.DEAL: "leads",
            Kind.CONTACT: "contacts",
            Kind.COMPANY: "companies",
        }
        self._amo.merge(kinds[survivor.kind], int(survivor.id), [int(loser.id)])

    def dismiss(self, user_id: str) -> None:
        self._amo.remove_user(int(user_id))

    def fail(self, fault: Fault, *, on: Literal["reads", "writes"], times: int | None = 1) -> None:
        for method in ("GET",) if on == "reads" else ("POST", "PATCH"):
            self._spoil(fault, times, method=method)

    def subscriptions(self) -> Sequence[str]:
        return [hook["destination"] for hook in self._amo.webhooks]


class TestAmoCrm(AdapterContract):
    """The contract over the emulated amoCRM."""

    @pytest.fixture
    def bed(self) -> Iterator[AmoCrmBed]:
        with opened(AmoCrmSide(), AmoCrmBed) as bed:
            yield bed
