"""Triggers of the emulated retailCRM and its calls to modules: what is sent, lost, doubled."""

import json
from typing import Any

import pytest
import requests

from crmkit_sandbox import Sandbox

MODULE = {
    "integrationCode": "ext",
    "active": True,
    "name": "Extension",
    "clientId": "client-1",
    "actions": {"activity": "activity"},
}


def test_a_trigger_sends_the_usual_parameters(shop: Sandbox, receiver: Any) -> None:
    """A status change posts a form with the record's values as text; what is missing is empty."""
    crm = shop.retailcrm
    crm.add_trigger("order.change", receiver.url, fields=["status"])
    order = crm.add_order(externalId="o-1")
    crm.update_order(order, managerComment="x")
    crm.set_status(order, "client-confirmed")
    assert shop.settle()
    assert receiver.forms() == [
        {
            "event": "order.change",
            "entity": "order",
            "id": str(order),
            "externalId": "o-1",
            "site": "main",
            "status": "client-confirmed",
            "manager_id": "",
        }
    ]


def test_parameters_are_what_the_administrator_typed(shop: Sandbox, receiver: Any) -> None:
    """Names, constants and templates are free; a mistyped template is an empty string; GET sends a query."""
    crm = shop.retailcrm
    person = crm.add_customer(firstName="Анна & Ко")
    parameters = {
        "token": "s3cret",
        "who": "{{ order.getCustomer().getFirstName() }}",
        "line": "№{{ order.getId() }} / {{order.getManager().getId()}}",
        "typo": "{{ order.getNothing().getAtAll() }}",
        "other": "{{ customer.getId() }}",
    }
    crm.add_trigger("order.create", receiver.url, method="GET", parameters=parameters)
    order = crm.add_order(customer=person, managerId=19)
    assert shop.settle()
    assert receiver.forms() == [
        {"token": "s3cret", "who": "Анна & Ко", "line": f"№{order} / 19", "typo": "", "other": ""}
    ]
    (sent,) = crm.deliveries
    assert (sent["method"], sent["url"], sent["status"], sent["event"]) == ("GET", receiver.url, 200, "order.create")


@pytest.mark.parametrize("event", ["customer.create", "customer_corporate.create", "task.create", "customer.delete"])
def test_every_kind_has_triggers(shop: Sandbox, receiver: Any, event: str) -> None:
    """People, firms and tasks fire too."""
    crm = shop.retailcrm
    crm.add_trigger(event, receiver.url)
    person = crm.add_customer(firstName="a")
    firm, task = crm.add_corporate(nickName="a"), crm.add_task("x")
    crm.delete_customer(person)
    assert shop.settle()
    ids = {"customer": person, "customer_corporate": firm, "task": task}
    (form,) = receiver.forms()
    assert (form["event"], form["id"]) == (event, str(ids[event.partition(".")[0]]))


def test_the_api_fires_triggers_too(shop: Sandbox, retail: Any, receiver: Any) -> None:
    """A write of a program is told like an act of a person; a write that changes nothing is not."""
    crm = shop.retailcrm
    order = crm.add_order()
    crm.add_trigger("order.change", receiver.url)
    for _ in range(2):
        retail.post(f"orders/{order}/edit", by="id", order={"managerComment": "x"})
    assert shop.settle()
    assert [form["id"] for form in receiver.forms()] == [str(order)]


def test_nothing_is_repeated(shop: Sandbox, receiver: Any) -> None:
    """A refused request is sent once and never again."""
    receiver.status = 500
    shop.retailcrm.add_trigger("order.create", receiver.url)
    shop.retailcrm.add_order()
    assert shop.settle()
    shop.clock.advance(86_400)
    assert shop.settle()
    assert [(row["attempt"], row["status"]) for row in shop.retailcrm.deliveries_rows()] == [(1, 500)]


def test_requests_are_lost_and_doubled_on_demand(shop: Sandbox, receiver: Any) -> None:
    """Hooks can be dropped, doubled, switched off, and left out of one act."""
    crm = shop.retailcrm
    trigger = crm.add_trigger("order.create", receiver.url)
    crm.drop_next_hooks(1)
    crm.add_order()
    crm.repeat_next_hook()
    doubled = crm.add_order()
    crm.add_order(hooks=False)
    crm.deliver_hooks = False
    crm.add_order()
    crm.deliver_hooks = True
    crm.remove_trigger(trigger)
    crm.add_order()
    assert shop.settle()
    assert [form["id"] for form in receiver.forms()] == [str(doubled)] * 2


def test_a_trigger_is_checked(shop: Sandbox) -> None:
    """An unknown event and a strange method are refused."""
    with pytest.raises(ValueError, match=r"no trigger on 'order.fly'"):
        shop.retailcrm.add_trigger("order.fly", "http://127.0.0.1:9/")
    with pytest.raises(ValueError, match="GET or POST"):
        shop.retailcrm.add_trigger("order.create", "http://127.0.0.1:9/", method="PUT")


def test_modules_are_called(shop: Sandbox, retail: Any, receiver: Any) -> None:
    """Dialling is a GET, a user's status and the module's activity are posts, all with the client id."""
    crm = shop.retailcrm
    telephony = {
        "makeCallUrl": "call",
        "changeUserStatusUrl": "status",
        "additionalCodes": [{"userId": 20, "code": "102"}],
    }
    module = {**MODULE, "baseUrl": f"{receiver.url}/", "integrations": {"telephony": telephony}}
    assert retail.post("integration-modules/ext/edit", integrationModule=module).status_code == 200
    crm.make_call(20, "+79000000001")
    assert shop.settle()
    crm.set_user_status(20, "dinner")
    assert shop.settle()
    crm.switch_module("ext", active=True, freeze=True)
    assert shop.settle()
    head = {"clientId": "client-1", "code": "102", "userId": "20"}
    assert receiver.forms() == [
        {**head, "phone": "+79000000001"},
        {**head, "status": "dinner"},
        {
            "clientId": "client-1",
            "activity": json.dumps({"active": True, "freeze": True}, separators=(",", ":")),
            "systemUrl": "https://romashka.retailcrm.ru",
        },
    ]
    assert [(row["method"], row["url"]) for row in crm.deliveries] == [
        ("GET", f"{receiver.url}/call"),
        ("POST", f"{receiver.url}/status"),
        ("POST", f"{receiver.url}/activity"),
    ]


def test_people_act_as_the_face_says(shop: Sandbox) -> None:
    """Acts refuse with the vendor's words, know their records, and are offered to other processes by name."""
    crm = shop.retailcrm
    with pytest.raises(ValueError, match="Order is not loaded"):
        crm.add_order(status="nowhere")
    with pytest.raises(KeyError, match="no orders 5 in account romashka"):
        crm.set_status(5, "complete")
    call = crm.call("+79000000001", duration=0, external_id="c-1")
    assert (crm.calls[call]["result"], crm.calls[call]["type"]) == ("no answer", "in")
    with pytest.raises(ValueError, match="stored already"):
        crm.call("+79000000001", external_id="c-1")
    wanted = {"add_customer", "set_status", "combine_customers", "add_corporate", "call", "bulk_orders", "add_trigger"}
    assert wanted <= set(crm.actions())
    assert "account" not in crm.actions()


def test_a_person_merges_people(shop: Sandbox) -> None:
    """The merge of a person is made after the delay as well, in the name of the person."""
    crm = shop.retailcrm
    winner, loser = crm.add_customer(firstName="a", phones=["1"]), crm.add_customer(firstName="b", phones=["2"])
    crm.switches.joins_phones_on_combine = True
    crm.combine_customers(winner, [loser], by=21)
    assert list(crm.customers) == [winner, loser]
    shop.clock.advance(1)
    assert (list(crm.customers), crm.customers[winner]["phones"]) == ([winner], [{"number": "1"}, {"number": "2"}])
    assert [row["user"] for row in crm.history("customers")[2:]] == [{"id": 21}, {"id": 21}]


def test_two_vendors_stand_side_by_side() -> None:
    """One sandbox holds both, each under its prefix."""
    with Sandbox(vendors=("amocrm", "retailcrm")) as sandbox:
        sandbox.amocrm.add_lead(name="a")
        sandbox.retailcrm.seed()
        assert (len(sandbox.amocrm.leads), len(sandbox.retailcrm.orders)) == (1, 15)
        assert sandbox.retailcrm.base_url == f"{sandbox.url}/retailcrm"


def test_other_processes_act_by_name(shop: Sandbox) -> None:
    """The control API does what people do, tells the state, and answers a refusal with its words."""
    control = f"{shop.url}/_sandbox"
    order = requests.post(
        f"{control}/retailcrm/do/add_order", json={"firstName": "Анна", "items": [["Чайник", 1990, 2]]}, timeout=5
    ).json()["result"]
    moved = requests.post(f"{control}/retailcrm/do/set_status", json={"id": order, "status": "complete"}, timeout=5)
    state = requests.get(f"{control}/state", timeout=5).json()
    assert (moved.status_code, [(row["id"], row["status"], row["totalSumm"]) for row in state["orders"]]) == (
        200,
        [(order, "complete", 3980)],
    )
    refused = requests.post(f"{control}/retailcrm/do/set_status", json={"id": order, "status": "x"}, timeout=5)
    assert (refused.status_code, "Order is not loaded" in refused.json()["error"]) == (400, True)
    requests.post(f"{control}/limits", json={"enabled": True, "per_second": 1}, timeout=5)
    headers = {"X-API-KEY": shop.retailcrm.api_key}
    url = f"{shop.retailcrm.base_url}/api/v5/orders"
    assert [requests.get(url, headers=headers, timeout=5).status_code for _ in range(2)] == [200, 503]
