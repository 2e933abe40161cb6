"""A bed for the contract in a real account: its people are a second connection, its faults nobody can order."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NoReturn, cast

import pytest
from tests.live.view import View, scrap

from crmkit import Crm, CustomField, Deal, FieldType, Kind, Money, Outcome, Record, Ref, StageRef, registry
from crmkit.adapter import Adapter, Capability, Connection, Doors, Level
from crmkit.clock import Clock, SystemClock
from crmkit.errors import Unsupported
from crmkit.http import LocalLimiter
from crmkit.models import FieldDef, Pipeline
from crmkit.settings import AccountSettings, account_settings, is_secret, secret_variable
from crmkit.testing.contract import Fault
from crmkit.tokens import FileTokenStore
from crmkit.webhook import WebhookRequest
from crmkit.write import Verb, Write

FEW = 120
"""Deals of a walk over several pages: a real account is not filled with more."""

LONGEST_S = 6.0
"""How long a test waits at the most where an emulator's clock would be turned by hours."""

TYPES: Mapping[FieldType, type[Any]] = {
    **dict.fromkeys((FieldType.TEXT, FieldType.LONGTEXT, FieldType.URL, FieldType.EMAIL, FieldType.PHONE), str),
    FieldType.INT: int,
    FieldType.DECIMAL: Decimal,
    FieldType.MONEY: Money,
    FieldType.BOOL: bool,
    FieldType.DATE: date,
    FieldType.DATETIME: datetime,
    FieldType.ENUM: str,
    FieldType.MULTIENUM: tuple,
}
"""What a field of each type holds."""

HOW = 'see "Against a real account" in docs/adding-an-adapter.md'


class Tenancy:
    """One real account over all tests: its settings, its tokens, its request budget.

    Args:
        adapter: the vendor's.
        settings: the account's.
        tokens: the folder in which OAuth pairs outlive a run: a refresh token works once.
        clock: the time.
        wait: lets seconds pass.
    """

    def __init__(
        self,
        adapter: Adapter,
        settings: AccountSettings,
        tokens: Path,
        clock: Clock,
        wait: Callable[[float], None],
    ) -> None:
        self.adapter = adapter
        self.settings = settings
        self.clock = clock
        self.wait = wait
        self._doors = Doors(tokens=FileTokenStore(tokens), limiter=LocalLimiter(clock), clock=clock)

    def open(self) -> Connection:
        """A connection that remembers nothing."""
        return self.adapter.open(self.settings, self._doors)

    @cached_property
    def owner_id(self) -> str:
        """An active user."""
        with closing(Crm(self.open())) as crm:
            return next(user.ref.id for user in crm.users.iterate() if user.is_active)

    @cached_property
    def stages(self) -> tuple[tuple[StageRef, ...], StageRef, StageRef]:
        """Open stages of a pipeline, and its ends."""
        with closing(Crm(self.open())) as crm:
            return _stages(list(crm.pipelines.iterate()))

    @cached_property
    def fields(self) -> Sequence[FieldDef]:
        """The custom fields of deals."""
        with closing(self.open()) as connection:
            return connection.fields(Kind.DEAL)


def tenancy(vendor: str, environment: Mapping[str, str] = os.environ) -> Tenancy:
    """The account that `CRMKIT_LIVE_<VENDOR>_...` describe, a variable for each setting; skips where there is none."""
    key = f"live_{vendor}"
    adapter = registry.adapter(vendor)
    plain = [name for name, one in adapter.settings_type.model_fields.items() if not is_secret(one)]
    table = {name: environment[at] for name in plain if (at := secret_variable(key, name)) in environment}
    address = secret_variable(key, "base_url")
    if "base_url" not in table:
        pytest.skip(f"{address} is not set: {HOW}")
    settings = account_settings(adapter.settings_type, key, {**table, "vendor": vendor}, environment)
    tokens = Path(environment.get("CRMKIT_LIVE_TOKENS") or Path.home() / ".crmkit" / "live")
    return Tenancy(adapter, settings, tokens, SystemClock(), lambda seconds: time.sleep(min(seconds, LONGEST_S)))


class LiveBed:
    """The contract's account, empty to look at; what a test makes in it is thrown away by `close`.

    Args:
        place: the account.
    """

    hook_url = "https://nobody.example/hooks"
    stranger_id = "999999999"

    def __init__(self, place: Tenancy) -> None:
        self._place = place
        self._made: dict[Ref, None] = {}
        self.adapter = place.adapter
        self.settings = place.settings
        self.connection = self.reopen()
        self._person = self.reopen()
        self.owner_id = place.owner_id
        self.stages, self.won, self.lost = place.stages
        fields = [one for one in place.fields if not one.is_computed and one.type in TYPES]
        self.custom: Mapping[FieldType, CustomField[Deal, Any]] = {
            one.type: CustomField(Deal, TYPES[one.type], one.title)
            for one in reversed(fields)
            if one.type not in _CHOICES or len(one.options) > 1
        }
        nothing = dict.fromkeys(_CHOICES, ("", ""))
        self.options: Mapping[FieldType, Sequence[str]] = {
            **nothing,
            **{one.type: tuple(one.options) for one in reversed(fields) if len(one.options) > 1},
        }

    def close(self) -> list[Ref]:
        """Throw away what was made; what the vendor lets nobody delete."""
        left = scrap(self._place.open(), self._made)
        self.connection.close()
        self._person.close()
        return left

    def now(self) -> datetime:
        return self._place.clock.now().astimezone(UTC)

    def advance(self, seconds: float) -> None:
        self._place.wait(seconds)

    def reopen(self) -> Connection:
        return cast("Connection", View(self._place.open(), self._made))

    def seed_deals(self, count: int) -> Sequence[Ref]:
        deals = [Deal(title=f"crmkit {number}") for number in range(min(count, FEW))]
        done = self._person.write_many([Write(Verb.CREATE, Kind.DEAL, record=deal) for deal in deals])
        return [ref for ref in done if isinstance(ref, Ref)]

    def add(self, record: Record) -> Ref:
        made = self._person.write(Write(Verb.CREATE, record.ref.kind, record=record))
        assert made is not None
        return made

    def change(self, ref: Ref, values: Mapping[str, Any]) -> None:
        self._person.write(Write(Verb.UPDATE, ref.kind, ref=ref, changes=values))

    def delete(self, ref: Ref) -> None:
        try:
            self._person.write(Write(Verb.DELETE, ref.kind, ref=ref))
        except Unsupported:
            pytest.skip(f"{self.adapter.title} lets no program delete a {ref.kind.value}")

    def merge(self, survivor: Ref, loser: Ref) -> None:
        if self._person.supports(Capability.MERGE) is Level.ABSENT:
            pytest.skip(f"{self.adapter.title} lets no program merge")
        self._person.write(Write(Verb.MERGE, survivor.kind, ref=survivor, others=(loser,)))

    def dismiss(self, user_id: str) -> NoReturn:
        pytest.skip("nobody is dismissed from a real account for a test")

    def call_comes(self, phone: str, contact: Ref, *, missed: bool) -> NoReturn:
        pytest.skip("nobody rings a real account for a test")

    def fail(self, fault: Fault, *, on: Literal["reads", "writes"], times: int | None = 1) -> NoReturn:
        pytest.skip("a real account does not fail to order")

    def heal(self) -> None:
        """Nothing was spoilt."""

    def refusals(self) -> int:
        return 0

    def subscriptions(self) -> Sequence[str]:
        return []

    def deliveries(self) -> Sequence[WebhookRequest]:
        return []


_CHOICES = (FieldType.ENUM, FieldType.MULTIENUM)


def _stages(pipelines: Sequence[Pipeline]) -> tuple[tuple[StageRef, ...], StageRef, StageRef]:
    """Three open stages of a pipeline, the last ones: new requests may lie in the first; and its two ends."""
    for pipeline in sorted(pipelines, key=lambda one: not one.is_main):
        by_outcome = {
            outcome: [stage.ref for stage in pipeline.stages if stage.outcome is outcome] for outcome in Outcome
        }
        if len(by_outcome[Outcome.OPEN]) >= 3 and by_outcome[Outcome.WON] and by_outcome[Outcome.LOST]:
            return tuple(by_outcome[Outcome.OPEN][-3:]), by_outcome[Outcome.WON][0], by_outcome[Outcome.LOST][0]
    pytest.skip(f"no pipeline has three open stages, a won and a lost one: {HOW}")
