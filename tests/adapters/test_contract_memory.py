"""The memory CRM keeps the contract that every adapter keeps."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Literal

import pytest

from crmkit import Contact, Crm, CustomField, Deal, FieldType, Kind, Money, Record, Ref, StageRef
from crmkit.adapter import HookState, Page, Query
from crmkit.errors import AuthError, CrmKitError, RateLimited, VendorDown
from crmkit.testing import MemoryConnection, MemoryCrm, Reading
from crmkit.testing.contract import AdapterContract, Fault
from crmkit.webhook import FeedPage, WebhookRequest
from crmkit.write import Verb, Write

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


class OffsetPages(MemoryConnection):
    """Pages by offset, as careless clients do: a deletion on a page that was read shifts the rest."""

    def pages(self, kind: Kind, *, updated_since: datetime | None = None, cursor: str | None = None) -> Iterator[Page]:
        for offset in range(0, 10_000, 100):
            records = [record for page in super().pages(kind) for record in page.records][offset : offset + 100]
            if records:
                yield Page(tuple(records), str(offset))


class LastSevenDigits(MemoryConnection):
    """Believes a vendor's search by the end of a number."""

    def find(self, kind: Kind, query: Query) -> Sequence[Record]:
        if query.phone is None:
            return super().find(kind, query)
        records = [record for page in super().pages(kind) for record in page.records]
        wanted = "".join(filter(str.isdecimal, query.phone))[-7:]
        people = [record for record in records if isinstance(record, Contact)]
        return [one for one in people if any((phone.e164 or "").endswith(wanted) for phone in one.phones)]


class Repeating(MemoryConnection):
    """Repeats a write whose answer was lost."""

    def write(self, write: Write) -> Ref | None:
        try:
            return super().write(write)
        except VendorDown:
            return super().write(write)


class Grabbing(MemoryConnection):
    """Takes any equal record for its own."""

    def recover(self, write: Write, *, since: datetime, known: Collection[Ref]) -> Ref | None:
        return super().recover(write, since=since, known=())


class WholeRecord(MemoryConnection):
    """Sends the whole record as it was when it was first read."""

    seen: ClassVar[Mapping[Ref, Record]] = {}

    def write(self, write: Write) -> Ref | None:
        made = super().write(write)
        if write.verb is Verb.CREATE and made is not None:
            type(self).seen = {made: self.load([made])[0]}
        elif write.ref is not None and isinstance(deal := self.seen.get(write.ref), Deal):
            super().write(Write(Verb.UPDATE, Kind.DEAL, ref=deal.ref, changes={"amount": deal.amount}))
        return made


class AllOrNothing(MemoryConnection):
    """Gives up a batch at its first bad item."""

    def write_many(self, writes: Sequence[Write]) -> Sequence[Ref | CrmKitError | None]:
        results = super().write_many(writes)
        faults = [result for result in results if isinstance(result, CrmKitError)]
        return faults * len(writes) if faults else results


class SecondsFeed(MemoryConnection):
    """Keeps the last second as its cursor and reads what is later."""

    def feed(self, cursor: str | None) -> FeedPage:
        page = super().feed(None if cursor is None else "0")
        hints = [hint for hint in page.hints if hint.at and cursor and hint.at.timestamp() > float(cursor)]
        latest = max((hint.at.timestamp() for hint in hints if hint.at), default=float(cursor or 0))
        return FeedPage(tuple(hints), str(latest), is_last=True)


class FreshKeys(MemoryConnection):
    """Names moves anew with each reading."""

    def feed(self, cursor: str | None) -> FeedPage:
        page = super().feed(cursor)
        renamed = (
            replace(hint, move=replace(hint.move, key=f"{id(page)}")) if hint.move else hint for hint in page.hints
        )
        return FeedPage(tuple(renamed), page.cursor, page.is_last)


class Subscribing(MemoryConnection):
    """Subscribes anew each time."""

    def ensure_hooks(self, url: str) -> HookState:
        return HookState(super().ensure_hooks(url).url, "created")


class Silent(MemoryConnection):
    """Says that a lost write was not done."""

    def write(self, write: Write) -> Ref | None:
        try:
            return super().write(write)
        except VendorDown as error:
            raise VendorDown(error.message) from error


BITES: Sequence[tuple[type[MemoryConnection], str, Mapping[str, Any]]] = (
    (OffsetPages, "test_a_walk_is_complete_while_others_change_the_records", {}),
    (LastSevenDigits, "test_a_phone_is_found_by_any_spelling", {"spelling": "9123456789"}),
    (Repeating, "test_a_lost_answer_is_one_write_and_is_recovered", {"kind": Kind.TASK}),
    (Grabbing, "test_a_lost_answer_is_one_write_and_is_recovered", {"kind": Kind.DEAL}),
    (Silent, "test_a_lost_answer_is_one_write_and_is_recovered", {"kind": Kind.NOTE}),
    (WholeRecord, "test_an_update_touches_only_what_it_names", {}),
    (AllOrNothing, "test_one_bad_item_does_not_stop_a_batch", {}),
    (SecondsFeed, "test_nothing_is_lost_in_the_second_of_a_reading", {}),
    (FreshKeys, "test_a_move_read_twice_keeps_its_key", {}),
    (Subscribing, "test_subscribing_twice_is_one_subscription", {}),
)


@pytest.mark.parametrize(("broken", "test", "more"), BITES, ids=[broken.__name__ for broken, _, _ in BITES])
def test_the_contract_bites(broken: type[MemoryConnection], test: str, more: Mapping[str, Any]) -> None:
    """A connection with one common mistake fails the part of the contract that forbids it; ours passes."""
    bed = MemoryBed(has_native_keys=False)
    getattr(AdapterContract(), test)(bed=bed, crm=Crm(bed.connection), **more)
    bed = MemoryBed(has_native_keys=False)
    bed.connection = broken(bed.memory.world, "acme")
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        getattr(AdapterContract(), test)(bed=bed, crm=Crm(bed.connection), **more)
