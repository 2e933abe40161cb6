"""Forms and queries that no client should send: refused, never half applied, never a broken emulator."""

import json
import random
from typing import Any

import pytest
from werkzeug.test import Client

from crmkit_sandbox import Sandbox

WRITES = (
    *(("customers/create", "customer"), ("customers/4771/edit", "customer"), ("customers/upload", "customers")),
    *(("customers/combine", "customers"), ("customers/fix-external-ids", "customers"), ("orders/create", "order")),
    *(
        ("orders/6722/edit", "order"),
        ("orders/upload", "orders"),
        ("orders/combine", "order"),
        ("costs/create", "cost"),
    ),
    *(("orders/links/create", "link"), ("orders/payments/create", "payment"), ("tasks/create", "task")),
    *(
        ("tasks/301/edit", "task"),
        ("customers/notes/create", "note"),
        ("costs/delete", "ids"),
        ("files/25/edit", "file"),
    ),
    *(("customers-corporate/create", "customerCorporate"), ("customers-corporate/4774/edit", "customerCorporate")),
    *(
        ("customers-corporate/4774/companies/create", "company"),
        ("customers-corporate/4774/addresses/create", "address"),
    ),
    *(("customers-corporate/4774/contacts/create", "contact"), ("customers/4771/subscriptions", "subscriptions")),
    *(("custom-fields/order/create", "customField"), ("custom-fields/order/boxes/edit", "customField")),
    *(("custom-fields/dictionaries/create", "customDictionary"), ("telephony/call/event", "event")),
    *(("telephony/calls/upload", "calls"), ("integration-modules/x/edit", "integrationModule")),
    *(("integration-modules/x/update-scopes", "requires"), ("reference/statuses/x/edit", "status")),
    *(
        ("reference/sites/x/edit", "site"),
        ("reference/couriers/create", "courier"),
        ("notifications/send", "notification"),
    ),
)
READS = (
    *("customers", "customers-corporate", "orders", "tasks", "customers/notes", "customers-corporate/notes", "users"),
    *("user-groups", "segments", "files", "costs", "custom-fields", "custom-fields/dictionaries", "settings"),
    *("customers/history", "orders/history", "tasks/history", "customers-corporate/history", "reference/sites"),
    *(
        "reference/statuses",
        "reference/couriers",
        "customers-corporate/4774/contacts?by=id",
        "telephony/manager?phone=x&details=1",
    ),
    "customers-corporate/4774/companies?by=id",
)
NAMES = (
    *("id", "externalId", "firstName", "phones", "email", "customFields", "managerId", "site", "status", "items"),
    *("customer", "order", "payments", "delivery", "address", "contragent", "company", "companies", "addTags", "type"),
    *("performerId", "text", "datetime", "number", "createdAt", "amount", "initialPrice", "quantity", "offer", "phone"),
    *("nickName", "customerContacts", "addresses", "contact", "orders", "code", "name", "elements", "dictionary"),
    *("scopes", "actions", "integrations", "telephony", "additionalCodes", "attachment", "source", "complete", "group"),
)
VALUES: tuple[Any, ...] = (None, True, 0, -5, 3.5, "", "x", [], {}, [None], [[]], {"id": 4771}, 10**30, "main", 6722)
GOOD = {
    "text": "x",
    "performerId": 19,
    "nickName": "x",
    "name": "x",
    "code": "x",
    "type": "in",
    "phone": "+79021234567",
    "date": "2026-01-12 10:00:00",
    "result": "answered",
    "summ": 5,
    "costItem": "ads",
    "dateFrom": "2026-01-12",
    "dateTo": "2026-01-12",
    "customer": {"id": 4771},
    "order": {"id": 6722},
    "id": 4771,
}


def junk(dice: random.Random, depth: int = 0) -> Any:
    if depth < 3 and dice.random() < 0.4:
        return {dice.choice(NAMES): junk(dice, depth + 1) for _ in range(dice.randint(0, 3))}
    if depth < 3 and dice.random() < 0.3:
        return [junk(dice, depth + 1) for _ in range(dice.randint(0, 2))]
    return dice.choice(VALUES)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_junk_is_refused_and_breaks_nothing(seed: int) -> None:
    """Every write of junk answers 2xx, 4xx or the partial 460, and every list and page can be read afterwards."""
    dice, sandbox = random.Random(seed), Sandbox(vendors=("retailcrm",))
    crm = sandbox.retailcrm
    crm.limits.enabled = False
    crm.seed(customers=3, orders=3, corporate=1, tasks=2)
    sandbox.clock.freeze(1_760_000_000)
    client = Client(crm.wsgi)
    headers = {"X-API-KEY": crm.api_key}
    for _ in range(500):
        path, name = dice.choice(WRITES)
        item = {**GOOD, **{dice.choice(NAMES): junk(dice) for _ in range(dice.randint(0, 5))}}
        body = dice.choice([[item], item, item, junk(dice)])
        form = {"site": "main", "by": "id", name: json.dumps(body), "resultCustomer": '{"id": 4772}'}
        if name != "order" or path == "orders/combine":
            form["resultOrder"] = '{"id": 6723}'
        answer = client.post(f"/api/v5/{path}", headers=headers, data=form)
        assert 200 <= answer.status_code < 500, (path, body, answer.status_code)
    sandbox.clock.advance(5)
    for path in READS:
        answer = client.get(f"/api/v5/{path}", headers=headers)
        assert answer.status_code == 200, (path, answer.text)
    for path in ("/", "/customers", "/tasks", "/calls", "/deliveries"):
        assert client.get(path).status_code == 200, path


@pytest.mark.parametrize("seed", [1, 2])
def test_junk_in_queries_is_refused(seed: int) -> None:
    """Filters, pages and limits of junk answer 200, 400, or 501 for a documented filter that is not emulated."""
    dice, sandbox = random.Random(seed), Sandbox(vendors=("retailcrm",))
    crm = sandbox.retailcrm
    crm.limits.enabled = False
    crm.seed(customers=3, orders=3, corporate=1, tasks=2)
    client = Client(crm.wsgi)
    names = (
        *(
            "ids",
            "externalIds",
            "name",
            "createdAtFrom",
            "createdAtTo",
            "dateFrom",
            "tasksCounts",
            "customFields",
            "tags",
        ),
        *(
            "minTotalSumm",
            "managers",
            "managerGroups",
            "extendedStatus",
            "vip",
            "sinceId",
            "startDate",
            "status",
            "text",
        ),
        *("contactIds", "sites", "segment", "isContact", "customerId", "attachments", "groups", "sizeFrom", "summ"),
    )
    values = ("", "1", "x", "-1", "2026-01-01", "99999999999999999999999", "\x00", "free", "new", "²")
    for _ in range(400):
        path, name = dice.choice(READS).partition("?")[0], dice.choice(names)
        tail = dice.choice(["", "[]", "[a][b]", "[nps][min]", "[nps]"])
        query = {f"filter[{name}]{tail}": dice.choice(values)}
        if dice.random() < 0.2:
            query[dice.choice(["limit", "page", "by", "site", "filter"])] = dice.choice(values)
        answer = client.get(f"/api/v5/{path}", headers={"X-API-KEY": crm.api_key}, query_string=query)
        assert answer.status_code in (200, 400, 501), (path, query, answer.status_code)


def test_deep_brackets_and_odd_bytes_are_harmless() -> None:
    """Brackets without end, names without a value and bytes that are no text are read without a fault."""
    sandbox = Sandbox(vendors=("retailcrm",))
    client, headers = Client(sandbox.retailcrm.wsgi), {"X-API-KEY": sandbox.retailcrm.api_key}
    for query in ("filter" + "[a]" * 2000 + "=1", "filter[", "[]=1", "&&&=", "filter=1&filter[ids][]=1", "%ff=%fe"):
        assert client.get(f"/api/v5/customers?{query}", headers=headers).status_code in (200, 400), query
    answer = client.post("/api/v5/customers/create", headers=headers, data=b"customer=%FF%00&site=main")
    assert answer.status_code == 400
