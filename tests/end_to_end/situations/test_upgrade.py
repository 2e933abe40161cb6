"""An adapter that reads the vendor's records differently after an upgrade makes no event of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from tests.end_to_end.situations.premises import Premises
from tests.end_to_end.situations.witness import witness

from crmkit.adapter import Account
from crmkit.events import ContactUpdated, DealStageChanged, DealUpdated
from crmkit.models import Deal, Record
from crmkit.values import Kind
from crmkit_amocrm import adapter
from crmkit_amocrm.adapter import AmoCrmAdapter
from crmkit_amocrm.translate import from_item

OpenPremises = Callable[..., Premises]
MINUTES = timedelta(minutes=10)
WATCHED = (DealUpdated, DealStageChanged, ContactUpdated)


def in_capitals(kind: Kind, item: Mapping[str, Any], account: Account) -> Record:
    """The next release's reading: titles of deals in capitals."""
    record = from_item(kind, item, account)
    return record.model_copy(update={"title": record.title.upper()}) if isinstance(record, Deal) else record


def test_a_translator_change_fires_no_event(premises: OpenPremises, monkeypatch: pytest.MonkeyPatch) -> None:
    """All copies are read anew; hooks of untouched records tell nothing, a real change tells only what it changed."""
    place = premises()
    amo = place.amo()
    amo.seed()
    leads = [amo.add_lead(name=f"Сделка {n}", price=100, hooks=False) for n in range(3)]
    with place.open(witness(*WATCHED)) as desk:
        desk.connect()
        amo.update_lead(leads[0], price=200)
        desk.settle()
    place.time.advance(60)

    monkeypatch.setattr(adapter, "from_item", in_capitals)
    monkeypatch.setattr(AmoCrmAdapter, "translator_version", AmoCrmAdapter.translator_version + 1)
    with place.open(witness(*WATCHED)) as desk:
        desk.settle()
        after_start = desk.told("witness")
        amo.update_lead(leads[1], tags=["Опт"])
        amo.update_lead(leads[2], price=300)
        desk.pass_time(MINUTES)
        first = f"DealUpdated {leads[0]}: amount: Сделка 0/100 -> Сделка 0/200"
        assert after_start == [first]
        assert desk.told("witness") == [
            first,
            f"DealUpdated {leads[1]}: tags: СДЕЛКА 1/100 -> СДЕЛКА 1/100",
            f"DealUpdated {leads[2]}: amount: СДЕЛКА 2/100 -> СДЕЛКА 2/300",
        ]


def test_a_change_made_during_the_upgrade_is_told_without_its_new_spelling(
    premises: OpenPremises, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a person changed while the service was away for the upgrade is the only news after it."""
    place = premises()
    amo = place.amo()
    leads = [amo.add_lead(name=f"Сделка {n}", price=100, hooks=False) for n in range(3)]
    with place.open(witness(*WATCHED)) as desk:
        desk.connect()
        desk.settle()
    amo.update_lead(leads[1], price=900, hooks=False)
    place.time.advance(60)

    monkeypatch.setattr(adapter, "from_item", in_capitals)
    monkeypatch.setattr(AmoCrmAdapter, "translator_version", AmoCrmAdapter.translator_version + 1)
    with place.open(witness(*WATCHED)) as desk:
        desk.pass_time(MINUTES)
        desk.pass_time(MINUTES)
        assert desk.told("witness") == [f"DealUpdated {leads[1]}: amount: СДЕЛКА 1/100 -> СДЕЛКА 1/900"]
