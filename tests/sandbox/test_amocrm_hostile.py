"""Bodies and queries that no client should send: refused, never half applied, never a broken emulator."""

import json
import random
from typing import Any

import pytest
from werkzeug.test import Client

from crmkit_sandbox import Sandbox

WRITES = (
    *(("POST", path) for path in ("leads", "contacts", "companies", "tasks", "leads/notes", "calls", "leads/complex")),
    *(("POST", path) for path in ("leads/unsorted/forms", "leads/unsorted/sip", "leads/link", "contacts/unlink")),
    *(("POST", path) for path in ("leads/custom_fields", "leads/pipelines", "leads/tags", "catalogs", "sources")),
    *(("POST", path) for path in ("webhooks", "leads/loss_reasons")),
    *(("PATCH", path) for path in ("leads", "contacts", "tasks", "leads/notes", "leads/custom_fields")),
)
READS = (
    *("leads?with=contacts", "contacts?with=leads", "companies", "tasks", "leads/notes", "leads/unsorted", "events"),
    *("leads/custom_fields", "leads/pipelines", "leads/tags", "sources", "catalogs", "webhooks", "leads?query=x"),
)
NAMES = (
    *("id", "name", "price", "status_id", "pipeline_id", "responsible_user_id", "created_at", "custom_fields_values"),
    *("_embedded", "tags", "tags_to_add", "contacts", "metadata", "text", "complete_till", "entity_id", "entity_type"),
    *("result", "note_type", "params", "phone", "direction", "to_entity_id", "to_entity_type", "destination", "sort"),
    *("settings", "type", "enums", "values", "source_uid", "source_name", "category", "external_id", "statuses"),
)
VALUES: tuple[Any, ...] = (None, True, 0, -5, 3.5, "", "x", [], {}, [None], [[]], {"name": "x"}, 10**30, "leads", 142)


def junk(dice: random.Random, depth: int = 0) -> Any:
    if depth < 3 and dice.random() < 0.4:
        return {dice.choice(NAMES): junk(dice, depth + 1) for _ in range(dice.randint(0, 3))}
    if depth < 3 and dice.random() < 0.3:
        return [junk(dice, depth + 1) for _ in range(dice.randint(0, 2))]
    return dice.choice(VALUES)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_junk_is_refused_and_breaks_nothing(seed: int) -> None:
    """Every write of junk answers 2xx or 4xx, and every list can be read afterwards."""
    dice, sandbox = random.Random(seed), Sandbox()
    sandbox.amocrm.seed(contacts=3, leads=3, companies=1, tasks=2)
    sandbox.amocrm.account.world.clock.freeze(1_760_000_000)
    client = Client(sandbox.amocrm.wsgi)
    headers = {"Authorization": f"Bearer {sandbox.amocrm.token}"}
    good = {"name": "x", "text": "x", "complete_till": 5, "source_uid": "s", "source_name": "n"}
    for _ in range(300):
        method, path = dice.choice(WRITES)
        item = {**good, **{dice.choice(NAMES): junk(dice) for _ in range(dice.randint(0, 5))}}
        body = dice.choice([[item], [item], item, junk(dice)])
        answer = client.open(f"/api/v4/{path}", method=method, headers=headers, data=json.dumps(body))
        assert 200 <= answer.status_code < 500, (method, path, body)
    for path in READS:
        assert client.get(f"/api/v4/{path}", headers=headers).status_code in (200, 204), path
    for path in ("/", "/contacts", "/tasks", "/calls", "/deliveries"):
        assert client.get(path).status_code == 200, path


@pytest.mark.parametrize(
    "query",
    [
        "page=-1&limit=0",
        "page=99999999999999999999",
        "limit=x&page=1.5",
        "filter=1&filter[id]=2&filter[id][]=3&filter[id][a][b]=4",
        "filter[[]]]]=1&filter[=2&[id]=3&=4&&",
        "filter[updated_at][from]=x&filter[updated_at][to]=1e400",
        "filter[statuses]=1&filter[statuses][0]=2&filter[custom_fields_values]=3",
        "filter[custom_fields_values][1][from][to]=3&filter[price][from]=nan",
        "order[updated_at]=up&order=1&with[]=contacts",
        "query=%FF%FE%00&filter[name]=%F0%28%8C%28",
    ],
)
def test_hostile_queries(query: str) -> None:
    """No query string breaks a list."""
    sandbox = Sandbox()
    sandbox.amocrm.seed(contacts=3, leads=3, companies=1, tasks=2)
    client = Client(sandbox.amocrm.wsgi)
    headers = {"Authorization": f"Bearer {sandbox.amocrm.token}"}
    for path in ("leads", "contacts", "tasks", "leads/notes", "events", "leads/unsorted", "leads/tags", "users"):
        answer = client.get(f"/api/v4/{path}?{query}", headers=headers)
        assert answer.status_code in (200, 204, 400), (path, answer.status_code)


def test_a_body_that_is_no_json(client: Any) -> None:
    """A body that is no JSON is refused with 400."""
    answer = client.session.post(f"{client.base}/api/v4/leads", data=b"{", timeout=5)
    assert (answer.status_code, answer.json()["detail"]) == (400, "Request body is not valid JSON")
