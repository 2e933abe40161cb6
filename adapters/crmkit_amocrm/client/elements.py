"""What the elements of lists are called and cost: a deal names its products by id only."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crmkit.clock import Clock
from crmkit.errors import NotFound, Rejected, Unsupported
from crmkit_amocrm.client.line import Line
from crmkit_amocrm.wire import PAGE, Item

KEPT_S = 600.0
"""So long a name or a price may be out of date; a whole walk asks for each product once."""

MOST_KEPT = 50_000

Address = tuple[str, str]


class Elements:
    """Knows the products of an account's lists, each read when a deal first names it.

    Args:
        line: the way to the account.
        clock: tells how old an answer is.
    """

    def __init__(self, line: Line, clock: Clock) -> None:
        self._line = line
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[Address, Item] = {}
        self._known_since = 0.0

    def describe(self, deals: Sequence[dict[str, Any]]) -> None:
        """Put `name` and `price` to the elements that the deals hold; a request for each list with new ones.

        An element whose list we may not read stays without.
        """
        held = [element for deal in deals for element in _elements(deal)]
        if not held:
            return
        known = self._known_now()
        self._learn(known, {_address(element) for element in held} - known.keys())
        for element in held:
            found = known.get(_address(element))
            if found is not None:
                element["name"] = found.get("name") or ""
                element["price"] = _price(found, (element.get("metadata") or {}).get("price_id"))

    def _known_now(self) -> dict[Address, Item]:
        now = self._clock.now().timestamp()
        with self._lock:
            if now - self._known_since > KEPT_S or len(self._known) > MOST_KEPT:
                self._known, self._known_since = {}, now
            return self._known

    def _learn(self, known: dict[Address, Item], missing: Iterable[Address]) -> None:
        lists: dict[str, list[str]] = {}
        for catalog, element in sorted(missing):
            lists.setdefault(catalog, []).append(element)
        for catalog, ids in lists.items():
            for start in range(0, len(ids), PAGE):
                for item in self._read(catalog, ids[start : start + PAGE]):
                    known[(catalog, str(item["id"]))] = item

    def _read(self, catalog: str, ids: Sequence[str]) -> list[dict[str, Any]]:
        wanted = [("filter[id][]", one) for one in ids]
        try:
            return self._line.items(f"catalogs/{catalog}/elements", "elements", [*wanted, ("limit", str(PAGE))])
        except (NotFound, Rejected, Unsupported):
            # The deal itself is worth more than the names of its products.
            return []


def _elements(deal: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    return (deal.get("_embedded") or {}).get("catalog_elements") or ()


def _address(element: Item) -> Address:
    return str((element.get("metadata") or {}).get("catalog_id", "")), str(element["id"])


def _price(element: Item, price_id: object) -> str | None:
    """The price that the link chose, else the list's own.

    Source: amoCRM API v4, page "Lists": `price_id` is the id of one of the element's price fields.
    """
    fields = element.get("custom_fields_values") or ()
    chosen = [field for field in fields if price_id is not None and field.get("field_id") == price_id]
    for field in chosen or [field for field in fields if field.get("field_code") == "PRICE"]:
        for value in field.get("values") or ():
            return str(value.get("value") or "") or None
    return None
