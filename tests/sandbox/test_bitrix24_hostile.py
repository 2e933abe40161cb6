"""Calls that no client should make of the emulated Bitrix24: refused in the vendor's shape, never a broken portal."""

import json
import random
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from werkzeug.test import Client

from crmkit_sandbox import Sandbox

NAMES = (
    *("ID", "id", "fields", "filter", "order", "select", "start", "params", "items", "rows", "type", "values", "cmd"),
    *("entityTypeId", "ownerTypeId", "ownerId", "deadline", "title", "taskId", "useOriginalUfNames", "logic", "0", "1"),
    *("TITLE", "STAGE_ID", "CATEGORY_ID", "OPPORTUNITY", "PHONE", "EMAIL", "VALUE", "CONTACT_IDS", "CONTACT_ID"),
    *("UF_CRM_SERVICES", "UF_CRM_LEAD_SOURCE", "UF_CRM_URGENT", "UF_CRM_MEETING", "BIRTHDATE", "ASSIGNED_BY_ID"),
    *("stageId", "categoryId", "fm", "contactIds", "opportunity", "typeId", "value", "valueType", "ENTITY_ID"),
    *("ENTITY_TYPE", "COMMENT", "OWNER_ID", "OWNER_TYPE_ID", "TYPE_ID", "SUBJECT", "RESPONSIBLE_ID", "BINDINGS"),
    *("COMMUNICATIONS", "START_TIME", "UF_CRM_TASK", "DEADLINE", "STATUS", "PHONE_NUMBER", "TYPE", "USER_ID"),
    *("CALL_ID", "DURATION", "FILENAME", "event", "handler", "event_type", "process_id", "limit", "clear", "SORT"),
    *("FILTER", "sort", "LIST", "FIELD_NAME", "USER_TYPE_ID", "MULTIPLE", "entityIds", "PRICE", "QUANTITY", "NAME"),
    *(">ID", "!=TITLE", "@ID", "%TITLE", "><CALL_DURATION", ">DATE_MODIFY", "=%TITLE", "!@STAGE_ID", ">=OPPORTUNITY"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, 2, 3, -5, 3.5, "", "x", "1", "Y", "NEW", "C1:NEW", "WON", [], {}, [None], [[]], 10**30),
    *("2026-01-01", "2026-01-01T00:00:00+03:00", {"ID": 1}, [1, 2], "nan", "inf", "-1", "$result[a][0][ID]", "offline"),
    *("ONCRMDEALUPDATE", "http://127.0.0.1:9/", "deal", "PHONE", "+79260000000", "\u0661", "9" * 40, "0001-01-01"),
)


def junk(dice: random.Random, depth: int = 0) -> Any:
    if depth < 4 and dice.random() < 0.45:
        return {dice.choice(NAMES): junk(dice, depth + 1) for _ in range(dice.randint(0, 4))}
    if depth < 3 and dice.random() < 0.2:
        return [junk(dice, depth + 1) for _ in range(dice.randint(0, 2))]
    return dice.choice(VALUES)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_junk_is_refused_and_breaks_nothing(seed: int) -> None:
    """Every call of every method with junk answers JSON with 2xx or 4xx, and every list can be read afterwards."""
    dice, sandbox = random.Random(seed), Sandbox(vendors=("bitrix24",))
    crm = sandbox.bitrix24
    crm.seed(contacts=3, deals=3, companies=2, leads=2, todos=2)
    client, token = Client(crm.wsgi), crm.issue_tokens()["access_token"]
    methods = client.get(f"/rest/methods?auth={token}").get_json()["result"]
    for _ in range(1200):
        method = dice.choice(methods)
        fields = {dice.choice(NAMES): junk(dice, 1) for _ in range(dice.randint(0, 4))}
        body = {"auth": token, "id": 1, "entityTypeId": 2, "taskId": 1, "fields": fields, "filter": fields}
        body |= {dice.choice(NAMES): junk(dice) for _ in range(dice.randint(0, 5))}
        answer = client.post(f"/rest/{method}", data=json.dumps(body), content_type="application/json")
        assert answer.status_code < 500, (method, body)
        assert set(answer.get_json()) >= {"result"} or set(answer.get_json()) == {"error", "error_description"}
    for method in [name for name in methods if name.endswith((".list", ".get")) and name.startswith("crm.")]:
        answer = client.get(f"/rest/{method}?" + urlencode({"auth": token, "id": 1, "entityTypeId": 2}))
        assert answer.status_code in (200, 400), (method, answer.get_json())
    for path in ("/", "/contacts", "/tasks", "/calls", "/deliveries"):
        assert client.get(path).status_code == 200, path


def test_brackets_go_only_so_deep(portal: Sandbox) -> None:
    """A name with thousands of brackets, a broken one and a huge index are read without harm."""
    crm = portal.bitrix24
    client, path = Client(crm.wsgi), urlsplit(crm.webhook_url).path.removeprefix("/bitrix24")
    bodies = ("a" + "[x]" * 5000 + "=1", "filter[ID=1", "filter[999999999]=1", "[]=1&[x]=2", "filter=1&filter[ID]=1")
    for body in bodies:
        answer = client.post(f"{path}crm.deal.list", data=body, content_type="application/x-www-form-urlencoded")
        assert answer.status_code == 200, body
