"""Customers and elements of lists: amoCRM's own links, that a merge gives to the survivor and an undo takes back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from tests.extensions.dedup.merging.office import merger, told

from crmkit_testing.amocrm import AmoCrmSide
from crmkit_testing.bench import Bench, bench

MINUTES = timedelta(minutes=10)
WORDS = {"contacts": "contact", "companies": "company"}


class Office:
    """Two cards of one person or firm: each has a customer and an element of its own, and they share one of each.

    Args:
        b: the bench.
        kind: what the cards are.
    """

    def __init__(self, b: Bench, kind: Any) -> None:
        assert isinstance(b.side, AmoCrmSide)
        self.bench, self.kind, self.amo = b, kind, b.side.amo
        self.amo.limits.enabled = False
        add = self.amo.add_contact if kind == "contacts" else self.amo.add_company
        b.advance(MINUTES)
        self.kept, self.lost = add(name="Прохор Тлехугов"), add(name="Прохор Тлехугов")
        catalog = self._made("catalogs", "catalogs", [{"name": "Товары"}])[0]
        names: list[Any] = [{"name": name} for name in ("Окно", "Дверь", "Пол")]
        own, other, both = self._made(f"catalogs/{catalog}/elements", "elements", names)
        for card, element, quantity in ((self.kept, own, 1), (self.lost, other, 3), (self.kept, both, 2)):
            self._hang(card, catalog, element, quantity)
        self._hang(self.lost, catalog, both, 5)
        for cards in ([self.kept], [self.lost], [self.kept, self.lost]):
            self.amo.add_customer("Клуб", of=[(kind, card) for card in cards])
        b.advance(MINUTES)

    def command(self, name: str, *words: str) -> list[str]:
        """What a person types."""
        lines = told(self.bench, name, *words)
        self.bench.advance(MINUTES)
        return lines

    def links(self, card: int) -> dict[tuple[str, int], Any]:
        """Every link of a card, with what is told of it."""
        return {place: dict(data) for place, data in self.amo.account.links.all_of(self.kind, card)}

    def _hang(self, card: int, catalog: int, element: int, quantity: int) -> None:
        data = {"catalog_id": catalog, "quantity": quantity}
        item = {"to_entity_id": element, "to_entity_type": "catalog_elements", "metadata": data}
        self._post(f"{self.kind}/{card}/link", [item])

    def _made(self, path: str, name: str, items: list[Any]) -> list[int]:
        return [int(one["id"]) for one in self._post(path, items)["_embedded"][name]]

    def _post(self, path: str, items: list[Any]) -> Any:
        headers = {"Authorization": f"Bearer {self.amo.token}"}
        answer = requests.post(f"{self.amo.base_url}/api/v4/{path}", json=items, headers=headers, timeout=5)
        answer.raise_for_status()
        return answer.json()


@pytest.fixture(params=WORDS)
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """Two people, and two firms."""
    with bench(merger(), "amocrm") as b:
        yield Office(b, request.param)


def test_every_link_is_as_it_was_once_the_merge_is_taken_back(office: Office) -> None:
    """In between the survivor has those of both, and the loser keeps its own."""
    before = {card: office.links(card) for card in (office.kept, office.lost)}
    word = WORDS[office.kind]
    pair = (f"{word}:{office.kept}", f"{word}:{office.lost}")
    office.command("merge", *pair, "--survivor", pair[0], "--apply")
    merged = {card: office.links(card) for card in (office.kept, office.lost)}
    lines = office.command("undo", f"{word}-{office.kept}-1")

    assert merged[office.kept].keys() == before[office.kept].keys() | before[office.lost].keys()
    assert merged[office.lost] == before[office.lost]
    assert {card: office.links(card) for card in (office.kept, office.lost)} == before
    assert not any("Не вернётся" in line for line in lines)


def test_a_link_of_later_days_stays(office: Office) -> None:
    """A customer that somebody has linked since is no part of what is taken back."""
    word = WORDS[office.kind]
    pair = (f"{word}:{office.kept}", f"{word}:{office.lost}")
    before = office.links(office.kept).keys()
    office.command("merge", *pair, "--survivor", pair[0], "--apply")
    later = office.amo.add_customer("Позже", of=[(office.kind, office.kept)])
    office.command("undo", f"{word}-{office.kept}-1")

    assert office.links(office.kept).keys() == before | {("customers", later)}
