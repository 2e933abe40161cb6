"""Orders in the emulated retailCRM: sums, items, payments, statuses, filters, merges."""

from typing import Any

import pytest

from crmkit_sandbox import Sandbox

NOW = "2025-10-09 11:53:20"
KETTLE = {"productName": "Чайник", "initialPrice": 1990, "quantity": 1}


def create(retail: Any, **fields: Any) -> Any:
    answer = retail.post("orders/create", site="main", order=fields)
    assert answer.status_code == 201, answer.text
    return answer.json()["order"]


def edit(retail: Any, row_id: int, **fields: Any) -> Any:
    return retail.post(f"orders/{row_id}/edit", by="id", order=fields)


def test_an_order_comes_back_whole(shop: Sandbox, retail: Any) -> None:
    """The answer of a write holds the full order with its full customer; names and phone are taken from them."""
    person = shop.retailcrm.add_customer(firstName="Анна", phones=["+79000000001"])
    row = create(retail, externalId="o-1", orderMethod="missed-call", customer={"id": person}, items=[KETTLE])
    (item,) = row["items"]
    customer = row.pop("customer")
    assert (customer, row.pop("contact")) == (shop.retailcrm.customers[person], customer)
    assert item == {
        "id": item["id"],
        "markingCodes": [],
        "discounts": [],
        "initialPrice": 1990,
        "discountTotal": 0,
        "createdAt": NOW,
        "quantity": 1,
        "status": "new",
        "purchasePrice": 0,
        "offer": {"name": "Чайник", "displayName": "Чайник", "id": item["offer"]["id"]},
        "prices": [{"price": 1990, "quantity": 1}],
        "properties": [],
    }
    assert row == {
        "slug": row["id"],
        "id": row["id"],
        "number": f"{row['id']}A",
        "externalId": "o-1",
        "bonusesCreditTotal": 0,
        "bonusesChargeTotal": 0,
        "orderType": "eshop-individual",
        "orderMethod": "missed-call",
        "privilegeType": "none",
        "countryIso": "RU",
        "createdAt": NOW,
        "statusUpdatedAt": NOW,
        "summ": 1990,
        "totalSumm": 1990,
        "prepaySum": 0,
        "purchaseSumm": 0,
        "markDatetime": NOW,
        "currency": "RUB",
        "call": False,
        "expired": False,
        "firstName": "Анна",
        "phone": "+79000000001",
        "contragent": {"contragentType": "individual"},
        "delivery": {"cost": 0, "netCost": 0, "address": []},
        "site": "main",
        "status": "new",
        "items": [item],
        "payments": [],
        "fromApi": True,
        "shipped": False,
        "customFields": [],
    }
    assert retail.get("orders/o-1", site="main").json()["order"]["id"] == row["id"]


def test_sums_follow_from_items_discounts_and_delivery(retail: Any) -> None:
    """Goods, discounts of items and of the order, and delivery make the total, to the kopeck."""
    items = [
        {"productName": "a", "initialPrice": 99.99, "quantity": 3, "discountManualAmount": 9.99},
        {"productName": "b", "initialPrice": 100, "quantity": 0.5},
    ]
    row = create(retail, items=items, discountManualPercent=10, delivery={"code": "courier", "cost": 300})
    assert (row["summ"], row["totalSumm"]) == (349.97, 585.0)
    assert [item["discountTotal"] for item in row["items"]] == [19.99, 10]
    cheaper = edit(retail, row["id"], discountManualPercent=0, discountManualAmount=20).json()["order"]
    assert cheaper["totalSumm"] == 600.0


def test_items_are_known_by_their_ids(shop: Sandbox, retail: Any) -> None:
    """An item with an id is changed, one without is added, one left out goes, or stays by the switch."""
    row = create(retail, items=[KETTLE, {"productName": "Весы", "initialPrice": 500, "quantity": 1}])
    kettle, scales = (item["id"] for item in row["items"])
    changed = edit(retail, row["id"], items=[{"id": kettle, "quantity": 2}]).json()["order"]
    assert [(item["id"], item["quantity"], item["initialPrice"]) for item in changed["items"]] == [(kettle, 2, 1990)]
    lost = edit(retail, row["id"], items=[{"id": scales, "quantity": 2}])
    assert lost.json()["errors"] == {"items": f"Order product with id={scales} not found."}
    shop.retailcrm.switches.removes_left_out_items = False
    more = edit(retail, row["id"], items=[{"productName": "Термос", "initialPrice": 10}]).json()["order"]
    assert [item["offer"]["name"] for item in more["items"]] == ["Чайник", "Термос"]


def test_statuses_are_codes_of_the_book(shop: Sandbox, retail: Any) -> None:
    """A status of the book moves the order and its time; another is refused; the cheap poll tells the group."""
    row = create(retail, externalId="o-1")
    shop.clock.advance(60)
    moved = edit(retail, row["id"], status="client-confirmed").json()["order"]
    assert (moved["status"], moved["statusUpdatedAt"], moved["createdAt"]) == (
        "client-confirmed",
        "2025-10-09 11:54:20",
        NOW,
    )
    refused = edit(retail, row["id"], status="nowhere")
    assert (refused.status_code, refused.json()) == (
        400,
        {"success": False, "errorMsg": "Order is not loaded", "errors": {"status": '"nowhere" does not exist.'}},
    )
    polled = retail.get("orders/statuses", **{"ids[]": [row["id"], 1], "externalIds[]": "none"}).json()
    assert polled["orders"] == [
        {"id": row["id"], "externalId": "o-1", "status": "client-confirmed", "group": "approval"}
    ]


def test_some_errors_come_as_a_list(retail: Any) -> None:
    """A wrong e-mail and a negative quantity are told without field names as keys."""
    for fields, text in (
        ({"email": "nobody"}, "Order.email: wrong value"),
        ({"items": [{**KETTLE, "quantity": -1}]}, "Order.items: quantity must not be negative"),
    ):
        answer = retail.post("orders/create", site="main", order=fields)
        assert (answer.status_code, answer.json()) == (
            400,
            {"success": False, "errorMsg": "Validation error", "errors": [text]},
        )


def test_an_unknown_customer_is_refused(retail: Any) -> None:
    """The refusal names the field and the external id, as the vendor's does."""
    answer = retail.post("orders/create", site="main", order={"customer": {"externalId": "2106"}})
    assert (answer.status_code, answer.json()) == (
        400,
        {
            "success": False,
            "errorMsg": "Order is not loaded",
            "errors": {"customer.externalId": "Customer with externalId=2106 not found."},
        },
    )


def test_an_order_without_a_customer_finds_or_makes_one(shop: Sandbox, retail: Any) -> None:
    """A phone that is known, however typed, finds its person; another name makes a new one; no name makes nobody."""
    crm = shop.retailcrm
    known = crm.add_customer(firstName="Анна", phones=["8 (900) 000-00-01"])
    assert create(retail, phone="+79000000001")["customer"]["id"] == known
    fresh = create(retail, firstName="Борис", phone="+79000000002")["customer"]
    assert (fresh["firstName"], fresh["phones"]) == ("Борис", [{"number": "+79000000002"}])
    assert "customer" not in create(retail, items=[KETTLE])
    assert len(crm.customers) == 2


def test_payments_are_keyed_by_id_and_settle_the_order(retail: Any) -> None:
    """A payment is made, paid and taken off; the order shows it by id and when it is paid in full."""
    row = create(retail, items=[KETTLE])
    made = retail.post(
        "orders/payments/create", payment={"order": {"id": row["id"]}, "type": "bank-card", "amount": 1990}
    )
    payment = made.json()["id"]
    shown = retail.get(f"orders/{row['id']}", by="id").json()["order"]
    assert (made.status_code, shown["payments"], "fullPaidAt" in shown) == (
        201,
        {str(payment): {"id": payment, "status": "not-paid", "amount": 1990, "type": "bank-card"}},
        False,
    )
    paid = retail.post(f"orders/payments/{payment}/edit", by="id", payment={"status": "paid"})
    shown = retail.get(f"orders/{row['id']}", by="id").json()["order"]
    assert (paid.json(), shown["fullPaidAt"], shown["prepaySum"]) == ({"success": True, "id": payment}, NOW, 1990)
    assert retail.post(f"orders/payments/{payment}/delete").json() == {"success": True}
    assert retail.get(f"orders/{row['id']}", by="id").json()["order"]["payments"] == []
    lost = retail.post(f"orders/payments/{payment}/delete")
    assert (lost.status_code, lost.json()["errorMsg"]) == (404, "Payment not found")
    wrong = retail.post("orders/payments/create", payment={"order": {"id": row["id"]}, "type": "barter"})
    assert wrong.json()["errorMsg"] == "Payment is not loaded"


@pytest.mark.parametrize(
    ("technique", "left"),
    [
        ("ours", [("Чайник", 1)]),
        ("theirs", [("Чайник", 2), ("Весы", 1)]),
        ("summ", [("Чайник", 3), ("Весы", 1)]),
        ("merge", [("Чайник", 1), ("Чайник", 2), ("Весы", 1)]),
    ],
)
def test_orders_merge_at_once(shop: Sandbox, retail: Any, technique: str, left: list[tuple[str, int]]) -> None:
    """The technique says whose items stay; other fields are the survivor's; the other order is 404 with it."""
    kettle = {"offer": {"externalId": "k"}, "productName": "Чайник", "initialPrice": 10}
    one = create(retail, managerComment="a", items=[{**kettle, "quantity": 1}])["id"]
    two = create(
        retail, managerComment="b", items=[{**kettle, "quantity": 2}, {"productName": "Весы", "initialPrice": 5}]
    )["id"]
    answer = retail.post("orders/combine", technique=technique, order={"id": two}, resultOrder={"id": one})
    assert answer.json() == {"success": True, "errors": []}
    row = shop.retailcrm.orders[one]
    assert [(item["offer"]["name"], item["quantity"]) for item in row["items"]] == left
    assert row["managerComment"] == "a"
    assert retail.get(f"orders/{two}", by="id").json()["combinedTo"] == {"id": one, "site": "main"}


def test_orders_are_chosen_by_filters(shop: Sandbox, retail: Any) -> None:
    """Statuses, times, managers, fields, tasks, customers and sums choose orders; an unknown status is refused."""
    crm = shop.retailcrm
    anna = crm.add_customer(firstName="Анна", externalId="c-1", phones=["+79000000001"])
    old = crm.add_order(customer=anna, items=[("Чайник", 100, 1)], customFields={"next_step": "2025-10-10"})
    shop.clock.advance(86_400)
    new = crm.add_order(firstName="Борис", status="complete", managerId=20, customFields={"urgent": True})
    crm.add_task("x", order=new)

    def found(name: str, value: Any) -> list[int]:
        answer = retail.get("orders", **{f"filter{name}": value})
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json()["orders"]]

    assert (found("[extendedStatus][]", "new"), found("[extendedStatus][]", ["new", "complete"])) == ([old], [new, old])
    assert (found("[createdAtTo]", "2025-10-09"), found("[statusUpdatedAtFrom]", "2025-10-10 00:00:00")) == (
        [old],
        [new],
    )
    assert (found("[managers][]", 20), found("[ids][]", [old, 5])) == ([new], [old])
    assert (found("[customer]", "анна"), found("[customerExternalId]", "c-1"), found("[customerId]", anna)) == (
        [old],
        [old],
        [old],
    )
    assert (found("[tasksCounts]", 1), found("[tasksCounts]", 2)) == ([old], [new])
    assert found("[customFields][next_step][max]", "2025-10-10") == [old]
    assert found("[customFields][urgent]", 1) == [new]
    assert (found("[minPrice]", 50), found("[product]", "чай")) == ([old], [old])
    assert retail.get("orders", **{"filter[extendedStatus][]": "x"}).status_code == 400


def test_uploads_and_links(retail: Any) -> None:
    """Orders are uploaded in one call, two of them are linked both ways."""
    orders = [{"externalId": "o-1"}, {"externalId": "o-2"}, {"externalId": "o-1"}]
    answer = retail.post("orders/upload", site="main", orders=orders)
    assert (answer.status_code, answer.json()["errors"], answer.json()["failedOrders"]) == (
        460,
        {"2": "Order with externalId=o-1 already exists."},
        [{"externalId": "o-1"}],
    )
    one, two = (row["id"] for row in answer.json()["uploadedOrders"])
    linked = retail.post("orders/links/create", link={"comment": "пара", "orders": [{"id": one}, {"id": two}]})
    assert linked.status_code == 201
    shown = retail.get(f"orders/{two}", by="id").json()["order"]["links"]
    about = {"id": one, "number": f"{one}A", "externalId": "o-1"}
    assert shown == [{"comment": "пара", "order": about, "createdAt": NOW}]


def test_thousands_of_orders_are_walked_quickly(shop: Sandbox, retail: Any) -> None:
    """A page out of 20,000 orders is right at both ends, also under an upper bound in time."""
    people = shop.retailcrm.bulk_customers(20_000)
    ids = shop.retailcrm.bulk_orders(20_000)
    first = retail.get("orders", limit=100).json()
    last = retail.get("orders", limit=100, page=200, **{"filter[createdAtTo]": NOW}).json()
    assert (first["orders"][0]["id"], last["orders"][-1]["id"]) == (ids[-1], ids[0])
    assert last["pagination"] == {"limit": 100, "totalCount": 20_000, "currentPage": 200, "totalPageCount": 200}
    assert last["orders"][-1]["customer"]["id"] == people[ids[0] % 20_000]
