"""Tasks, users, reference books, fields, files, costs, telephony and modules of the emulated retailCRM."""

from typing import Any

import pytest
import requests

from crmkit_sandbox import Sandbox

NOW = "2025-10-09 11:53:20"
MODULE = {
    "integrationCode": "ext",
    "active": True,
    "name": "Extension",
    "clientId": "client-1",
    "baseUrl": "https://ext.example/crm/",
    "actions": {"activity": "activity"},
}


def refused(answer: requests.Response) -> tuple[int, str, Any]:
    told = answer.json()
    assert told["success"] is False
    return answer.status_code, told["errorMsg"], told.get("errors")


def test_a_task_needs_a_text_and_a_performer(shop: Sandbox, retail: Any) -> None:
    """Without them it is refused; with them it is stored with what it is about, and completed with its time."""
    crm = shop.retailcrm
    blank = "This value should not be blank."
    assert refused(retail.post("tasks/create", task={"text": "a"})) == (
        400,
        "Task is not loaded",
        {"performerId": blank},
    )
    assert refused(retail.post("tasks/create", task={"text": "a", "performerId": 5}))[2] == {
        "performerId": "Performer with id=5 does not exist."
    }
    person = crm.add_customer(firstName="a", externalId="c-1")
    order = crm.add_order(externalId="o-1", customer=person)
    task = {
        "text": "Перезвонить",
        "performerId": 19,
        "datetime": "2025-10-09 14:35",
        "customer": {"externalId": "c-1"},
        "order": {"id": order},
    }
    made = retail.post("tasks/create", site="main", task=task)
    row_id = made.json()["id"]
    stored = {
        "id": row_id,
        "text": "Перезвонить",
        "commentary": "",
        "datetime": "2025-10-09 14:35",
        "createdAt": NOW,
        "complete": False,
        "performer": 19,
        "performerType": "user",
        "customer": {"type": "customer", "id": person, "externalId": "c-1", "site": "main"},
        "order": {"id": order, "number": f"{order}C", "externalId": "o-1", "site": "main"},
    }
    assert (made.status_code, retail.get(f"tasks/{row_id}").json()["task"]) == (201, stored)
    shop.clock.advance(60)
    assert retail.post(f"tasks/{row_id}/edit", task={"complete": True}).json() == {"success": True, "id": row_id}
    done = retail.get(f"tasks/{row_id}").json()["task"]
    assert done == {**stored, "complete": True, "completedAt": "2025-10-09 11:54:20"}
    reopened = retail.post(f"tasks/{row_id}/edit", task={"complete": False})
    assert ("completedAt" in retail.get(f"tasks/{row_id}").json()["task"], reopened.status_code) == (False, 200)


def test_tasks_are_chosen_by_filters(shop: Sandbox, retail: Any) -> None:
    """State, performer, text, time and order choose tasks."""
    crm = shop.retailcrm
    order = crm.add_order()
    one = crm.add_task("Перезвонить", performer=19, order=order, datetime="2025-10-09 10:00")
    two = crm.add_task("Отправить счёт", performer=20, datetime="2025-10-11 10:00")
    crm.complete_task(two)

    def found(name: str, value: Any) -> list[int]:
        return [row["id"] for row in retail.get("tasks", **{f"filter{name}": value}).json()["tasks"]]

    assert (found("[status]", "performing"), found("[status]", "completed")) == ([one], [two])
    assert (found("[performers][]", 20), found("[text]", "звонить")) == ([two], [one])
    assert (found("[dateTo]", "2025-10-09"), found("[orderNumber]", f"{order}C")) == ([one], [one])
    assert found("[completedAtFrom]", "2025-10-09") == [two]
    assert retail.get("tasks", **{"filter[status]": "x"}).status_code == 400


def test_comments_of_a_task_are_listed(shop: Sandbox, retail: Any) -> None:
    """Comments come newest first under their task."""
    crm = shop.retailcrm
    task = crm.add_task("x")
    ids = [crm.comment_task(task, text, by=20) for text in ("a", "b")]
    rows = retail.get(f"tasks/{task}/comments").json()["comments"]
    assert rows == [
        {"id": row_id, "creator": 20, "text": text, "createdAt": NOW, "updatedAt": NOW}
        for row_id, text in zip(ids[::-1], "ba", strict=True)
    ]
    assert retail.get("tasks/1/comments").status_code == 404


def test_users_have_groups_and_a_status(shop: Sandbox, retail: Any) -> None:
    """Users are listed, chosen and switched; a status outside the four is refused."""
    users = retail.get("users").json()["users"]
    assert [user["id"] for user in users] == [22, 21, 20, 19]
    assert users[-1]["groups"] == [{"id": 26, "name": "Руководители", "code": "director"}]
    assert [group["code"] for group in retail.get("user-groups").json()["groups"]] == ["director", "manager"]
    assert retail.post("users/20/status", status="dinner").json() == {"success": True}
    chosen = retail.get("users", **{"filter[status]": "dinner", "filter[active]": 1}).json()["users"]
    assert [user["id"] for user in chosen] == [20]
    assert retail.get("users/20").json()["user"]["status"] == "dinner"
    shop.retailcrm.switch_user(21, active=False)
    gone = retail.get("users", **{"filter[active]": 0}).json()["users"]
    assert [user["id"] for user in gone] == [21]
    assert (retail.post("users/20/status", status="asleep").status_code, retail.get("users/5").status_code) == (
        400,
        404,
    )


def test_books_are_maps_or_lists(retail: Any) -> None:
    """Statuses, groups, sites and types come by code, stores and items as lists, an empty map as a list."""
    statuses = retail.get("reference/statuses").json()["statuses"]
    groups = retail.get("reference/status-groups").json()["statusGroups"]
    assert (statuses["prepayed"]["group"], statuses["delyvery-did-not-suit"]["group"]) == ("approval", "cancel")
    assert [code for code, group in groups.items() if group["process"]] == ["approval", "assembling", "delivery"]
    assert groups["delivery"]["statuses"] == ["send-to-delivery", "delivering", "redirect"]
    assert retail.get("reference/units").json()["units"]["pc"]["sym"] == "шт."
    assert len(retail.get("reference/order-methods").json()["orderMethods"]) == 11
    assert retail.get("reference/delivery-services").json() == {"success": True, "deliveryServices": []}
    assert [row["code"] for row in retail.get("reference/stores").json()["stores"]] == ["warehouse", "showroom"]
    assert retail.get("reference/countries").json()["countriesIso"] == ["BY", "KZ", "RU"]
    assert list(retail.get("reference/sites").json()["sites"]) == ["main", "outlet"]
    assert refused(retail.get("reference/shoes")) == (404, "API method not found", None)


def test_a_book_is_written_by_code(retail: Any) -> None:
    """An edit changes an entry, and makes one whose code is new; a status needs a group."""
    made = retail.post("reference/statuses/on-hold/edit", status={"name": "Отложен", "group": "approval"})
    assert made.status_code == 201
    renamed = retail.post("reference/statuses/on-hold/edit", status={"name": "Ждёт"})
    assert renamed.json() == {"success": True}
    entry = retail.get("reference/statuses").json()["statuses"]["on-hold"]
    assert entry == {"code": "on-hold", "active": True, "ordering": 990, "name": "Ждёт", "group": "approval"}
    assert refused(retail.post("reference/statuses/x/edit", status={"name": "x"}))[:2] == (400, "Validation error")
    assert retail.post("reference/couriers/create", courier={"firstName": "Артур"}).json() == {"success": True, "id": 3}
    assert retail.get("reference/couriers").json()["couriers"] == [{"id": 3, "active": True, "firstName": "Артур"}]


def test_fields_and_dictionaries_are_defined(shop: Sandbox, retail: Any) -> None:
    """A dictionary and a field that uses it are made, and a value of it can be written then."""
    colours = {"name": "Цвета", "code": "colours", "elements": [{"name": "Красный", "code": "red"}]}
    assert retail.post("custom-fields/dictionaries/create", customDictionary=colours).json()["code"] == "colours"
    field = {"name": "Цвет", "code": "colour", "type": "dictionary", "dictionary": "colours"}
    made = retail.post("custom-fields/order/create", customField=field)
    assert (made.status_code, made.json()) == (201, {"success": True, "code": "colour"})
    shown = retail.get("custom-fields/order/colour").json()["customField"]
    assert {name: shown[name] for name in ("code", "type", "entity", "dictionary")} == {
        "code": "colour",
        "type": "dictionary",
        "entity": "order",
        "dictionary": "colours",
    }
    order = shop.retailcrm.add_order(customFields={"colour": "red"})
    assert shop.retailcrm.orders[order]["customFields"] == {"colour": "red"}
    listed = retail.get("custom-fields", **{"filter[entity]": "customer", "filter[code]": "nps"}).json()
    assert [row["code"] for row in listed["customFields"]] == ["nps"]
    more = {"elements": [{"name": "Синий", "code": "blue"}]}
    assert retail.post("custom-fields/dictionaries/colours/edit", customDictionary=more).status_code == 200
    book = retail.get("custom-fields/dictionaries/colours").json()["customDictionary"]
    assert [one["code"] for one in book["elements"]] == ["blue"]
    assert refused(retail.post("custom-fields/order/create", customField=field))[0] == 400
    assert retail.post("custom-fields/order/colour/edit", customField={"name": "Тон"}).json()["code"] == "colour"


def test_a_file_is_uploaded_raw_then_named_and_attached(shop: Sandbox, retail: Any) -> None:
    """The body is the file; its name is a date until it is edited; its bytes come back; then it is gone."""
    person = shop.retailcrm.add_customer(firstName="a")
    url = f"{retail.base}/api/v5/files/upload"
    sent = requests.post(url, data=b"%PDF-1.4 x", headers=retail.session.headers, timeout=5)
    file_id = sent.json()["file"]["id"]
    shown = {
        "id": file_id,
        "filename": "API upload 09-10-2025 11:53:20",
        "type": "application/pdf",
        "createdAt": NOW,
        "size": 10,
        "attachment": [],
    }
    assert retail.get(f"files/{file_id}").json()["file"] == shown
    named = {"filename": "счёт.pdf", "attachment": [{"customer": {"id": person}}]}
    assert retail.post(f"files/{file_id}/edit", file=named).json() == {"success": True, "file": {"id": file_id}}
    listed = retail.get("files", **{"filter[customerIds][]": person}).json()["files"]
    attached = [{"customer": {"id": person, "site": "main"}}]
    assert listed == [{**shown, "filename": "счёт.pdf", "attachment": attached}]
    bytes_ = retail.get(f"files/{file_id}/download")
    assert (bytes_.content, bytes_.headers["Content-Type"]) == (b"%PDF-1.4 x", "application/pdf")
    assert retail.post(f"files/{file_id}/delete").json() == {"success": True}
    assert retail.get(f"files/{file_id}/download").status_code == 404


def test_costs_are_kept_and_removed(shop: Sandbox, retail: Any) -> None:
    """Costs are made one by one and together, changed, listed and removed; unknown ids are told."""
    order = shop.retailcrm.add_order()
    cost = {"dateFrom": "2025-10-01", "dateTo": "2025-10-02", "summ": 20, "costItem": "ads"}
    one = retail.post("costs/create", cost={**cost, "order": {"id": order}}).json()["id"]
    two, three = retail.post("costs/upload", costs=[cost, cost]).json()["uploadedCosts"]
    assert retail.get(f"costs/{one}").json()["cost"] == {
        "id": one,
        "createdAt": NOW,
        "sites": [],
        **cost,
        "order": {"id": order, "number": f"{order}C"},
    }
    assert retail.post(f"costs/{two}/edit", cost={"summ": 30}).json() == {"success": True, "id": two}
    listed = retail.get("costs", **{"filter[minSumm]": 25}).json()["costs"]
    assert [row["id"] for row in listed] == [two]
    assert retail.post("costs/delete", ids=[one, two, 13]).json() == {
        "success": True,
        "count": 2,
        "notRemovedIds": [13],
    }
    assert [row["id"] for row in retail.get("costs").json()["costs"]] == [three]
    assert refused(retail.post("costs/create", cost={**cost, "costItem": "x"}))[1] == "Cost is not loaded"


def test_calls_are_stored_once(shop: Sandbox, retail: Any) -> None:
    """A call is put to the person with its phone; a known external id is told and not stored again."""
    person = shop.retailcrm.add_customer(firstName="a", phones=["8 (900) 000-00-01"])
    call = {"date": NOW, "type": "in", "phone": "+79000000001", "result": "answered", "duration": 92}
    first = retail.post("telephony/calls/upload", calls=[{**call, "externalId": "c-1"}])
    assert first.json() == {"success": True, "processedCallsCount": 1}
    again = retail.post("telephony/calls/upload", calls=[{**call, "externalId": "c-1"}, {**call, "externalId": "c-2"}])
    assert again.json() == {"success": True, "processedCallsCount": 1, "duplicateCalls": ["c-1"]}
    stored = list(shop.retailcrm.calls.values())
    assert stored == [{"id": number, **call, "externalId": f"c-{number}", "customer": person} for number in (1, 2)]
    assert refused(retail.post("telephony/calls/upload", calls=[{"date": NOW}]))[1] == "Errors in the entity format"


def test_ringing_is_told_with_what_is_unknown(shop: Sandbox, retail: Any) -> None:
    """Extensions are those of an active module; unknown ones and unknown users are told."""
    telephony = {"additionalCodes": [{"userId": 19, "code": "101"}], "makeCallUrl": "call"}
    module = {**MODULE, "integrations": {"telephony": telephony}}
    assert retail.post("integration-modules/ext/edit", integrationModule=module).json() == {"success": True, "info": []}
    event = {"phone": "+79000000001", "type": "in", "codes": ["101", "999"], "userIds": [19, 77]}
    told = retail.post("telephony/call/event", event=event)
    assert told.json() == {"success": True, "notExistCodes": ["999"], "notExistUsers": [77]}
    assert [row["phone"] for row in shop.retailcrm.call_events] == ["+79000000001"]
    assert retail.post("telephony/call/event", event={"phone": "1", "type": "x"}).status_code == 400


def test_the_caller_is_looked_up(shop: Sandbox, retail: Any) -> None:
    """A phone gives its responsible user when free, and with details the person and links."""
    crm = shop.retailcrm
    module = {**MODULE, "integrations": {"telephony": {"additionalCodes": [{"userId": 20, "code": "102"}]}}}
    retail.post("integration-modules/ext/edit", integrationModule=module)
    person = crm.add_customer(firstName="Анна", phones=["8 (900) 000-00-01"], managerId=20)
    manager = {"id": 20, "firstName": "Илья", "lastName": "Смирнов", "email": "i.smirnov@romashka.example"}
    found = retail.get("telephony/manager", phone="79000000001", details=1).json()
    assert found == {
        "success": True,
        "manager": {**manager, "code": "102"},
        "customer": {"id": person, "firstName": "Анна", "phones": [{"number": "8 (900) 000-00-01"}]},
        "links": {
            "newOrderLink": f"{crm.base_url}/orders/add?phone=79000000001",
            "newCustomerLink": f"{crm.base_url}/customers/add?phone=79000000001",
            "customerLink": f"{crm.base_url}/customers/{person}",
        },
    }
    crm.set_user_status(20, "dinner")
    assert retail.get("telephony/manager", phone="79000000001").json() == {"success": True}
    assert retail.get("telephony/manager", phone="79000000001", ignoreStatus=1).json()["manager"]["id"] == 20
    assert "customer" not in retail.get("telephony/manager", phone="5550000", details=1).json()


def test_a_module_is_registered_and_read(shop: Sandbox, retail: Any) -> None:
    """Registering is an upsert that tells unknown users and sites; wrong actions are refused."""
    telephony = {
        "additionalCodes": [{"userId": 77, "code": "1"}],
        "externalPhones": [{"siteCode": "no-such", "externalPhone": "1"}],
    }
    module = {**MODULE, "integrations": {"telephony": telephony}}
    answer = retail.post("integration-modules/ext/edit", integrationModule=module)
    assert answer.json() == {
        "success": True,
        "info": {"notExistUsersIds": [77], "notExistSiteCodes": ["no-such"]},
    }
    retail.post("integration-modules/ext/edit", integrationModule={"active": False})
    shown = retail.get("integration-modules/ext").json()["integrationModule"]
    assert (shown["active"], shown["freeze"], shown["clientId"]) == (False, False, "client-1")
    retail.post("integration-modules/ext/edit", integrationModule={"actions": {}})
    assert retail.get("integration-modules/ext").json()["integrationModule"]["actions"] == []
    wrong = {**MODULE, "actions": {"fly": "fly"}}
    assert refused(retail.post("integration-modules/ext/edit", integrationModule=wrong)) == (
        400,
        "Failed to activate module",
        ["actions: This value is not valid."],
    )


def test_other_scopes_bring_another_key(shop: Sandbox, retail: Any) -> None:
    """The new key works with the new scopes, the asking one no longer."""
    retail.post("integration-modules/ext/edit", integrationModule=MODULE)
    fresh = retail.post("integration-modules/ext/update-scopes", requires={"scopes": ["order_read"]}).json()["apiKey"]
    assert refused(retail.get("orders"))[:2] == (403, 'Wrong "apiKey" value.')
    answer = requests.get(f"{retail.base}/api/v5/orders", headers={"X-API-KEY": fresh}, timeout=5)
    assert answer.status_code == 200


def test_the_account_tells_its_zone(shop: Sandbox, retail: Any) -> None:
    """Settings hold the zone and the currency, the system its addresses; in another zone dates are others."""
    settings = retail.get("settings").json()["settings"]
    assert (settings["timezone"]["value"], settings["default_currency"]["value"]) == ("Europe/Moscow", "RUB")
    system = retail.session.get(f"{retail.base}/api/system-info", timeout=5).json()
    assert system == {
        "success": True,
        "systemVersion": "8.51.3",
        "publicUrl": retail.base,
        "technicalUrl": retail.base,
    }
    shop.retailcrm.timezone = "Asia/Yekaterinburg"
    person = shop.retailcrm.add_customer(firstName="a")
    assert retail.get("settings").json()["settings"]["timezone"]["value"] == "Asia/Yekaterinburg"
    assert shop.retailcrm.customers[person]["createdAt"] == "2025-10-09 13:53:20"
    assert retail.get("statistic/update").json() == {"success": True}


@pytest.mark.parametrize(("kind", "status"), [("api.info", 200), ("shout", 400)])
def test_messages_are_sent_to_users(retail: Any, kind: str, status: int) -> None:
    """A message of a known type is taken, another is refused."""
    answer = retail.post("notifications/send", notification={"type": kind, "message": "x", "userIds": [19]})
    assert answer.status_code == status
