"""First starts and upgrades on three CRMs: silence for what was there, and every change made meanwhile once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.end_to_end.situations.witness import witness

from crmkit import Deal, DealCreated, DealStageChanged, DealUpdated, Kind, Money, Record, Ref
from crmkit.adapter import Account, Page
from crmkit_amocrm import adapter as amocrm
from crmkit_bitrix24 import adapter as bitrix24
from crmkit_retailcrm import adapter as retailcrm
from crmkit_testing.bench import Bench
from crmkit_testing.plugin import OpenBench

WATCHED = (DealCreated, DealUpdated, DealStageChanged)
DEALS = 2_000
MINUTES = timedelta(minutes=10)
ACTS_A_PAGE = 3

BULK: Mapping[str, Callable[[Any], range]] = {
    "amocrm": lambda side: side.amo.bulk_leads(DEALS),
    "bitrix24": lambda side: side.portal.bulk_deals(DEALS),
    "retailcrm": lambda side: side.retail.bulk_orders(DEALS),
}
CONNECTIONS: Mapping[str, type[Any]] = {
    "amocrm": amocrm.AmoCrmConnection,
    "bitrix24": bitrix24.Bitrix24Connection,
    "retailcrm": retailcrm.RetailCrmConnection,
}
ADAPTERS: Mapping[str, tuple[Any, type[Any]]] = {
    "amocrm": (amocrm, amocrm.AmoCrmAdapter),
    "bitrix24": (bitrix24, bitrix24.Bitrix24Adapter),
    "retailcrm": (retailcrm, retailcrm.RetailCrmAdapter),
}


def told(b: Bench) -> list[str]:
    """What the witness was called with, oldest first."""
    return [reason for run in b.runs if run.extension == "witness" for reason in run.decisions]


class Office:
    """People who work on deals all over the account while it is loaded: an amount, a move, a new deal, in turn.

    No deal is touched twice, so that what has to be told of each is known: `wanted` counts it by event and id.
    """

    def __init__(self, b: Bench, deals: range) -> None:
        self.wanted: Counter[tuple[str, str]] = Counter()
        self._side = b.side
        self._closed = list(b.side.stages().values())[-1]
        self._deals = deals
        self._turn = 0

    def act(self) -> None:
        """Do the next thing, two seconds later; of every second one the CRM loses the hook."""
        # Near and far from where the load is: beside each other in time, far apart in the list.
        ref = Ref("acme", Kind.DEAL, str(self._deals[self._turn * 997 % len(self._deals)]))
        hooks = self._turn % 2 == 0
        self._side.turn(2)
        match self._turn % 3:
            case 0:
                amount = Money(Decimal(777_000 + self._turn), "RUB")
                self._side.change(ref, {"amount": amount}, hooks=hooks)
                self.wanted["DealUpdated", ref.id] += 1
            case 1:
                self._side.change(ref, {"stage": self._closed}, hooks=hooks)
                self.wanted["DealUpdated", ref.id] += 1
                self.wanted["DealStageChanged", ref.id] += 1
            case _:
                made = self._side.add(Deal(title=f"Новая {self._turn}"), hooks=hooks)
                self.wanted["DealCreated", made.id] += 1
        self._turn += 1


def test_a_first_start_while_people_go_on_working(
    crm_bench: OpenBench, crmkit_vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is told of 2,000 deals that were there; what is done before, between and behind their pages is, once."""
    b = crm_bench(witness(*WATCHED))
    office = Office(b, BULK[crmkit_vendor](b.side))
    connection = CONNECTIONS[crmkit_vendor]
    read = connection.pages

    def pages_of_a_busy_account(
        self: Any, kind: Kind, *, updated_since: datetime | None = None, cursor: str | None = None
    ) -> Iterator[Page]:
        is_first_load = kind is Kind.DEAL and updated_since is None
        for page in read(self, kind, updated_since=updated_since, cursor=cursor):
            if is_first_load:
                for _ in range(ACTS_A_PAGE):
                    office.act()
            yield page
            if is_first_load:
                office.act()

    monkeypatch.setattr(connection, "pages", pages_of_a_busy_account)
    b.settle()
    for _ in range(3):
        b.advance(MINUTES)
    events = Counter((words[0], words[1].rstrip(":")) for words in (line.split() for line in told(b)))
    assert events == office.wanted
    assert len(events) > ACTS_A_PAGE
    assert {run.state for run in b.runs} == {"done"}


def test_a_translator_change_fires_no_event(
    crm_bench: OpenBench, crmkit_vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upgrade that reads titles in capitals is silent; what a person did meanwhile and afterwards is told."""
    b = crm_bench(witness(*WATCHED))
    one, other = b.side.user_ids()[:2]
    deals = [b.person.add_deal(f"Сделка {number}", owner_id=one) for number in range(3)]
    before = told(b)
    room, adapter = ADAPTERS[crmkit_vendor]
    as_today = room.from_item

    def in_capitals(kind: Kind, item: Mapping[str, Any], account: Account) -> Record:
        record: Record = as_today(kind, item, account)
        return record.model_copy(update={"title": record.title.upper()}) if isinstance(record, Deal) else record

    with b.stopped() as person:
        person.change(deals[1], {"owner_id": other}, hooks=False)
        monkeypatch.setattr(room, "from_item", in_capitals)
        monkeypatch.setattr(adapter, "translator_version", adapter.translator_version + 1)
    b.advance(MINUTES)
    person.change(deals[2], {"owner_id": other})
    b.advance(MINUTES)
    assert before == [f"DealCreated {deal.id}: Сделка {number}/0" for number, deal in enumerate(deals)]
    assert told(b)[3:] == [
        f"DealUpdated {deals[1].id}: owner_id: СДЕЛКА 1/0 -> СДЕЛКА 1/0",
        f"DealUpdated {deals[2].id}: owner_id: СДЕЛКА 2/0 -> СДЕЛКА 2/0",
    ]
