"""What the vendor's side of a contract test needs: an account, people in it, faults, delivered hooks, a clock."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, Protocol

import pytest

from crmkit.adapter import Adapter, Capability, Connection, Level
from crmkit.crm import Crm
from crmkit.models import CustomField, Deal, FieldType, Record, StageRef
from crmkit.settings import AccountSettings
from crmkit.values import Kind, Money, Ref
from crmkit.webhook import FeedPage, Hint, WebhookRequest


class Fault(enum.StrEnum):
    """What goes wrong with the next requests.

    LIMITED: the rate limit is used up. BROKEN: a server error, nothing was done. PAGE: a page for people where data is
    due. CUT: half of the data. LOST: the write is done and its answer never comes. DENIED: the credentials are refused.
    """

    LIMITED = "limited"
    BROKEN = "broken"
    PAGE = "page"
    CUT = "cut"
    LOST = "lost"
    DENIED = "denied"


class Bed(Protocol):
    """One account of the vendor under test, empty but for its settings.

    Attributes:
        adapter: the adapter under test.
        settings: the account's settings.
        connection: the open account; nothing it does may really wait.
        owner_id: an active user; `stranger_id` an id that no user has.
        stages: open stages of one pipeline, in their order, three at least.
        won, lost: the ends of that pipeline.
        custom: a token for each type of deal field that a program may write.
        options: labels of the fields of the types ENUM and MULTIENUM, two each at least.
        hook_url: an address whose deliveries `deliveries` gives.
    """

    adapter: Adapter
    settings: AccountSettings
    connection: Connection
    owner_id: str
    stranger_id: str
    stages: Sequence[StageRef]
    won: StageRef
    lost: StageRef
    custom: Mapping[FieldType, CustomField[Deal, Any]]
    options: Mapping[FieldType, Sequence[str]]
    hook_url: str

    def now(self) -> datetime:
        """The account's time."""

    def advance(self, seconds: float) -> None:
        """Turn the account's time on."""

    def reopen(self) -> Connection:
        """A connection that remembers nothing, as after a restart."""

    def seed_deals(self, count: int) -> Sequence[Ref]:
        """Deals that were there before anybody looked: no hooks, no feed rows."""

    def add(self, record: Record) -> Ref:
        """A person makes a record; only the fields that were set count."""

    def change(self, ref: Ref, values: Mapping[str, Any]) -> None:
        """A person changes fields: the keys of the kind's `...Changes`."""

    def delete(self, ref: Ref) -> None:
        """A person throws a record away."""

    def merge(self, survivor: Ref, loser: Ref) -> None:
        """A person makes one record out of two."""

    def dismiss(self, user_id: str) -> None:
        """A user leaves the account; records keep the id."""

    def call_comes(self, phone: str, contact: Ref, *, missed: bool) -> None:
        """The CRM's own telephony enters a call of this contact."""

    def fail(self, fault: Fault, *, on: Literal["reads", "writes"], times: int | None = 1) -> None:
        """Spoil the next requests of that sort; None until `heal`."""

    def heal(self) -> None:
        """Spoil nothing more."""

    def refusals(self) -> int:
        """How often the account refused a request because its limit was used up, as it counts itself."""

    def subscriptions(self) -> Sequence[str]:
        """The addresses that the account sends hooks to."""

    def deliveries(self) -> Sequence[WebhookRequest]:
        """What came to `hook_url` since the last question, once nothing is under way."""


class ContractPart:
    """What all parts of the contract share; the adapter's test class gives the fixture `bed`."""

    @pytest.fixture
    def crm(self, bed: Bed) -> Crm:
        """The account as a handler sees it."""
        return Crm(bed.connection)


def need(crm: Crm, capability: Capability) -> None:
    """Skip the test when the account lacks the capability."""
    if crm.supports(capability) is Level.ABSENT:
        pytest.skip(f"{crm.vendor} has no {capability.value}")


def need_kind(crm: Crm, kind: Kind) -> None:
    """Skip the test when the account has no records of the kind; only some kinds may be missing."""
    if kind is Kind.FILE:
        need(crm, Capability.FILES)


def read_feed(connection: Connection, cursor: str) -> tuple[list[Hint], str]:
    """All hints behind the cursor, page by page, and the cursor at their end."""
    hints: list[Hint] = []
    for _ in range(50):
        page: FeedPage = connection.feed(cursor)
        hints += page.hints
        cursor = page.cursor
        if page.is_last:
            return hints, cursor
    raise AssertionError("the feed has no end: fifty pages without is_last")


def samples(bed: Bed) -> Mapping[FieldType, Any]:
    """A value of each type, chosen to hurt: quotes, line ends, a moment that is another day elsewhere."""
    return {
        FieldType.TEXT: "Сайт «Окна» & Ко, 100%",
        FieldType.LONGTEXT: "первая строка\nвторая + третья",
        FieldType.INT: 12,
        FieldType.DECIMAL: Decimal("12.5"),
        FieldType.MONEY: Money(Decimal(1500), bed.connection.account().currency),
        FieldType.BOOL: True,
        FieldType.DATE: date(2026, 12, 31),
        FieldType.DATETIME: datetime.fromisoformat("2026-12-31T21:30:00+00:00"),
        FieldType.ENUM: bed.options[FieldType.ENUM][0],
        FieldType.MULTIENUM: tuple(bed.options[FieldType.MULTIENUM][:2]),
        FieldType.URL: "https://example.com/a?b=1&c=2",
        FieldType.EMAIL: "bill@example.com",
        FieldType.PHONE: "+79123456789",
    }
