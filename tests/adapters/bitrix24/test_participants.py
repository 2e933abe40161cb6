"""Deals are found by every person in them, though the vendor's filter knows the main one alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.adapters.bitrix24.access import connected, webhook

from crmkit import Crm, Kind, Ref
from crmkit_testing.bitrix24 import Bitrix24Side
from crmkit_testing.side import ACCOUNT


@pytest.fixture
def crm(side: Bitrix24Side, tmp_path: Path) -> Crm:
    """The portal as a webhook sees it."""
    return Crm(connected(side, webhook(side), tmp_path))


def person(number: int) -> Ref:
    return Ref(ACCOUNT, Kind.CONTACT, str(number))


def found(crm: Crm, number: int) -> list[str]:
    """Ids of the deals of a person."""
    return [deal.ref.id for deal in crm.deals.find(contact=person(number))]


def test_a_deal_is_found_by_each_of_its_people(side: Bitrix24Side, crm: Crm) -> None:
    """By the main person and by the others, whole; the conditions besides hold for all of them."""
    portal = side.portal
    one, two, three = (portal.add_contact(name=name) for name in ("Иван", "Анна", "Пётр"))
    alone = portal.add_deal(title="Одна", contacts=[one])
    both = portal.add_deal(title="Общая", contacts=[one, two])
    won = portal.add_deal(title="Выиграна", contacts=[three, two], stage="WON")
    assert [found(crm, number) for number in (one, two, three)] == [
        [str(alone), str(both)],
        [str(both), str(won)],
        [str(won)],
    ]
    open_ones = crm.deals.find(contact=person(two), is_open=True)
    assert [(deal.title, deal.contacts) for deal in open_ones] == [("Общая", (person(one), person(two)))]


def test_what_changes_between_two_searches_is_seen(side: Bitrix24Side, crm: Crm) -> None:
    """A new deal, a person added, a person taken out, a deal thrown away."""
    portal = side.portal
    one, two = portal.add_contact(name="Иван"), portal.add_contact(name="Анна")
    old = portal.add_deal(title="Старая", contacts=[one, two])
    first = found(crm, two)
    side.turn(60)
    new = portal.add_deal(title="Новая", contacts=[one, two])
    portal.update_deal(old, contacts=[one])
    second = found(crm, two)
    side.turn(60)
    portal.update_deal(old, contacts=[one, two])
    portal.delete_deal(new)
    assert (first, second, found(crm, two)) == ([str(old)], [str(new)], [str(old)])
    assert found(crm, one) == [str(old)]


def test_all_deals_are_read_again_after_an_hour(side: Bitrix24Side, crm: Crm) -> None:
    """A merge of people changes deals that keep their time of change."""
    portal = side.portal
    one, two = portal.add_contact(name="Иван"), portal.add_contact(name="Анна")
    deal = portal.add_deal(title="Общая", contacts=[one, two])
    other = portal.add_contact(name="Пётр")
    side.turn(60)
    portal.add_deal(title="Новее")
    found(crm, other)
    with portal.portal.world.lock:
        row = portal.portal.tables["deals"].live(deal)
        assert row is not None
        links = [row["contacts"][0], {**row["contacts"][1], "CONTACT_ID": other}]
        portal.portal.tables["deals"].put({**row, "contacts": links})
    side.turn(600)
    soon = found(crm, other)
    side.turn(3600)
    assert (soon, found(crm, other)) == ([], [str(deal)])


def test_a_long_list_costs_a_request_for_2500_deals(side: Bitrix24Side, crm: Crm) -> None:
    """Five thousand deals are looked through once; the next search asks for what was changed since."""
    portal = side.portal
    portal.bulk_deals(5000)
    one, two = portal.add_contact(name="Иван"), portal.add_contact(name="Анна")
    deal = portal.add_deal(title="Общая", contacts=[one, two])
    side.turn(60)
    found(crm, one)
    first = len(portal.requests)
    assert found(crm, two) == [str(deal)]
    assert (first <= 8, len(portal.requests) - first) == (True, 2)
