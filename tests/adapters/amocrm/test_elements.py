"""Line items: a deal's products have the names and prices of their lists."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import requests

from crmkit import Crm, Deal, Money, connect
from crmkit.models import LineItem
from crmkit_sandbox import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(vendors=("amocrm",)) as sandbox:
        sandbox.amocrm.seed()
        sandbox.amocrm.limits.enabled = False
        yield sandbox


@pytest.fixture
def crm(sandbox: Sandbox) -> Crm:
    return connect("amocrm", base_url=sandbox.amocrm.base_url, token=sandbox.amocrm.token)


@pytest.fixture
def products(sandbox: Sandbox) -> list[str]:
    """Addresses of a window for 12 500.50 and of a sill without a price, in a list of products."""
    api = f"{sandbox.amocrm.base_url}/api/v4"
    headers = {"Authorization": f"Bearer {sandbox.amocrm.token}"}

    def made(path: str, name: str, items: list[dict[str, Any]]) -> list[int]:
        answer = requests.post(f"{api}/{path}", json=items, headers=headers, timeout=5)
        answer.raise_for_status()
        return [one["id"] for one in answer.json()["_embedded"][name]]

    catalog = made("catalogs", "catalogs", [{"name": "Товары", "type": "products"}])[0]
    fields = [{"name": "Цена", "type": "price", "code": "PRICE"}]
    field = made(f"catalogs/{catalog}/custom_fields", "custom_fields", fields)[0]
    window: dict[str, Any] = {
        "name": "Окно",
        "custom_fields_values": [{"field_id": field, "values": [{"value": "12500.5"}]}],
    }
    ids = made(f"catalogs/{catalog}/elements", "elements", [window, {"name": "Подоконник"}])
    return [f"{catalog}.{one}" for one in ids]


def test_products_come_with_name_and_price(sandbox: Sandbox, crm: Crm, products: list[str]) -> None:
    """A deal's link holds ids and a quantity only; the rest is read from the list, once for all deals."""
    window, sill = products
    drafts = [
        Deal(title="Дом", items=(LineItem(product_id=window, name="", quantity=Decimal(3)),)),
        Deal(title="Дача", items=(LineItem(product_id=sill, name=""), LineItem(product_id=window, name=""))),
    ]
    house, cottage = [crm.deals.create(draft) for draft in drafts]
    price = Money(Decimal("12500.5"), "RUB")
    sandbox.amocrm.reset_requests()
    assert crm.deals.get(house).items == (LineItem(product_id=window, name="Окно", quantity=Decimal(3), price=price),)
    assert set(crm.deals.get(cottage).items) == {
        LineItem(product_id=sill, name="Подоконник"),
        LineItem(product_id=window, name="Окно", price=price),
    }
    assert [deal.items[0].name for deal in crm.deals.iterate() if deal.ref == house] == ["Окно"]
    assert sandbox.amocrm.requests.count(path=f"/api/v4/catalogs/{window.partition('.')[0]}/elements") == 2


def test_a_list_that_may_not_be_read_costs_the_names_only(sandbox: Sandbox, crm: Crm, products: list[str]) -> None:
    """The deal itself is worth more than the names of its products."""
    ref = crm.deals.create(Deal(title="Дом", items=(LineItem(product_id=products[0], name=""),)))
    sandbox.faults.add(vendor="amocrm", path="/api/v4/catalogs", status=404, times=9)
    assert crm.deals.get(ref).items == (LineItem(product_id=products[0], name=""),)
