"""The history feeds of the emulated retailCRM: order, cursors, sources, fields."""

from typing import Any

import pytest
import requests

from crmkit_sandbox import Sandbox

NOW = "2025-10-09 11:53:20"


def feed(retail: Any, kind: str = "orders", **filters: Any) -> list[Any]:
    answer = retail.get(f"{kind}/history", **{f"filter[{name}]": value for name, value in filters.items()})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["history"])


def test_a_new_order_is_told_whole(shop: Sandbox, retail: Any) -> None:
    """A creation is a status from nothing with the full order; a person's is an id."""
    crm = shop.retailcrm
    person = crm.add_customer(firstName="Анна", by=20)
    made = retail.post("orders/create", site="main", order={"customer": {"id": person}}).json()["order"]
    assert feed(retail) == [
        {
            "id": 9001,
            "createdAt": NOW,
            "created": True,
            "source": "api",
            "apiKey": {"current": True},
            "field": "status",
            "oldValue": None,
            "newValue": {"code": "new"},
            "order": made,
        }
    ]
    (told,) = feed(retail, "customers")
    assert told == {
        "id": 9001,
        "createdAt": NOW,
        "created": True,
        "source": "user",
        "user": {"id": 20},
        "field": "id",
        "oldValue": None,
        "newValue": person,
        "customer": {**crm.customers[person], **told["customer"]},
    }


def test_each_changed_field_is_a_record(shop: Sandbox, retail: Any) -> None:
    """Names are the feed's own, codes and ids come as objects, the order is a stub as it was then."""
    crm = shop.retailcrm
    order = crm.add_order(externalId="o-1", items=[("Чайник", 100, 1)])
    item = crm.orders[order]["items"][0]["id"]
    crm.update_order(
        order,
        by=21,
        status="client-confirmed",
        managerId=19,
        managerComment="x",
        customFields={"next_step": "2025-10-10"},
        delivery={"code": "courier", "cost": 300, "address": {"city": "Казань"}},
        items=[{"id": item, "quantity": 3}],
    )
    told = feed(retail, sinceId=9001)
    stub = {"id": order, "externalId": "o-1", "managerId": 19, "site": "main", "status": "client-confirmed"}
    assert {(row["source"], row["user"]["id"], str(row["order"])) for row in told} == {("user", 21, str(stub))}
    assert {row["field"]: (row["oldValue"], row["newValue"]) for row in told} == {
        "status": ({"code": "new"}, {"code": "client-confirmed"}),
        "manager": (None, {"id": 19}),
        "manager_comment": (None, "x"),
        "custom_next_step": (None, "2025-10-10"),
        "delivery_type": (None, {"code": "courier"}),
        "delivery_cost": (None, 300),
        "delivery_address.city": (None, "Казань"),
        "order_product.quantity": (1, 3),
        "order_product.summ": (100, 300),
    }
    offer = {"id": crm.orders[order]["items"][0]["offer"]["id"]}
    assert [row["item"] for row in told if "item" in row] == [{"id": item, "offer": offer}] * 2


def test_nothing_is_told_when_nothing_changes(shop: Sandbox, retail: Any) -> None:
    """Writing the values that are there leaves no record."""
    order = shop.retailcrm.add_order(managerComment="x")
    retail.post(f"orders/{order}/edit", by="id", order={"managerComment": "x", "status": "new"})
    assert len(feed(retail)) == 1


def test_an_own_key_is_known_from_a_foreign_one(shop: Sandbox, retail: Any) -> None:
    """`apiKey.current` holds for the key that asks, and for no other."""
    order = shop.retailcrm.add_order()
    retail.post(f"orders/{order}/edit", by="id", order={"managerComment": "x"})
    headers = {"X-API-KEY": shop.retailcrm.issue_key()}
    other = requests.get(f"{retail.base}/api/v5/orders/history", headers=headers, timeout=5).json()["history"]
    assert (feed(retail)[-1]["apiKey"], other[-1]["apiKey"]) == ({"current": True}, {"current": False})


def test_the_cursor_is_an_id_without_pages(shop: Sandbox, retail: Any) -> None:
    """After `sinceId` the feed goes on by `limit`, counts what is left, and refuses any `page`."""
    order = shop.retailcrm.add_order()
    for number in range(30):
        shop.retailcrm.update_order(order, managerComment=str(number))
    answer = retail.get("orders/history", limit=20, **{"filter[sinceId]": 9001}).json()
    assert [row["id"] for row in answer["history"]] == list(range(9002, 9022))
    assert answer["pagination"] == {"limit": 20, "totalCount": 30, "currentPage": 1, "totalPageCount": 2}
    assert answer["generatedAt"] == NOW
    assert [row["id"] for row in feed(retail, sinceId=9021)] == list(range(9022, 9032))
    assert feed(retail, sinceId=9031) == []
    refused = retail.get("orders/history", page=1, **{"filter[sinceId]": 9001})
    assert (refused.status_code, refused.json()) == (
        400,
        {"success": False, "errorMsg": "Use the shift of the `filter[sinceId]` instead of `page` parameter"},
    )
    shop.retailcrm.switches.refuses_first_page_since_id = False
    pages = [retail.get("orders/history", page=page, **{"filter[sinceId]": 9001}) for page in (1, 2)]
    assert [answer.status_code for answer in pages] == [200, 400]
    assert retail.get("orders/history", page=2).json()["pagination"]["currentPage"] == 2


def test_the_feed_starts_at_a_moment(shop: Sandbox, retail: Any) -> None:
    """`startDate` and `endDate` are in the account's zone; no date is refused in the vendor's words."""
    crm = shop.retailcrm
    crm.add_order()
    shop.clock.advance(3600)
    late = crm.add_order(externalId="o-2")
    assert [row["order"]["id"] for row in feed(retail, startDate="2025-10-09 12:00:00")] == [late]
    assert len(feed(retail, endDate="2025-10-09")) == 2
    assert [row["order"]["id"] for row in feed(retail, orderId=late)] == [late]
    assert [row["order"]["id"] for row in feed(retail, orderExternalId="o-2")] == [late]
    refused = retail.get("orders/history", **{"filter[startDate]": "вчера"})
    assert (refused.status_code, refused.json()) == (
        400,
        {
            "success": False,
            "errorMsg": "Errors in the input parameters",
            "errors": {"children[startDate]": "Значение недопустимо."},
        },
    )


@pytest.mark.parametrize("kind", ["orders", "customers"])
def test_deletions_are_told(shop: Sandbox, retail: Any, kind: str) -> None:
    """A deletion is an id to nothing."""
    crm = shop.retailcrm
    row_id = crm.add_order() if kind == "orders" else crm.add_customer(firstName="a")
    (crm.delete_order if kind == "orders" else crm.delete_customer)(row_id)
    told = feed(retail, kind)[-1]
    assert (told["deleted"], told["field"], told["oldValue"], told["newValue"]) == (True, "id", row_id, None)
    assert retail.get(f"{kind}/{row_id}", by="id").json() == {"success": False, "errorMsg": "Not found"}


def test_people_and_payments_have_fields_of_their_own(shop: Sandbox, retail: Any) -> None:
    """Each phone is a record; a payment is added, and then its status and time change."""
    crm = shop.retailcrm
    person = crm.add_customer(firstName="a", phones=["1", "2"])
    crm.update_customer(person, phones=["2", "3"], email="a@mail.example", tags=["vip"])
    assert [(row["field"], row["oldValue"], row["newValue"]) for row in feed(retail, "customers")[1:]] == [
        ("tags", None, "vip"),
        ("phones", "1", None),
        ("phones", None, "3"),
        ("email", None, "a@mail.example"),
    ]
    crm.update_customer(person, address={"city": "Казань"})
    (moved,) = feed(retail, "customers", sinceId=9005)
    assert (moved["field"], moved["newValue"], moved["address"]["isMain"]) == ("address.city", "Казань", True)
    order = crm.add_order(items=[("Чайник", 100, 1)])
    payment = crm.add_payment(order, 100, status="not-paid")
    retail.post(f"orders/payments/{payment}/edit", by="id", payment={"status": "paid"})
    about = {"id": payment, "type": "bank-card"}
    told = [(row["field"], row["oldValue"], row["newValue"], row.get("payment")) for row in feed(retail)[1:]]
    assert told == [
        ("payments", None, about, {**about, "status": "not-paid", "amount": 100}),
        ("payments.status", {"code": "not-paid"}, {"code": "paid"}, about),
        ("payments.paid_at", None, NOW, about),
        ("full_paid_at", None, NOW, None),
    ]


def test_tasks_have_a_feed(shop: Sandbox, retail: Any) -> None:
    """A task is told whole when it is made, then by its fields."""
    task = shop.retailcrm.add_task("Перезвонить")
    retail.post(f"tasks/{task}/edit", task={"complete": True})
    first, second = feed(retail, "tasks")
    assert (first["created"], first["newValue"], first["task"]["text"]) == (True, task, "Перезвонить")
    assert (second["field"], second["oldValue"], second["newValue"], second["task"]) == (
        "complete",
        False,
        True,
        {"id": task},
    )
