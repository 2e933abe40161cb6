"""Tokens, rights and routes of the emulated amoCRM."""

import base64
import json
from typing import Any

import requests

from crmkit_sandbox import Sandbox


def exchange(sandbox: Sandbox, **body: str) -> requests.Response:
    crm = sandbox.amocrm
    whole = {"client_id": crm.client_id, "client_secret": crm.client_secret, "redirect_uri": crm.redirect_uri, **body}
    return requests.post(f"{crm.base_url}/oauth2/access_token", json=whole, timeout=5)


def status_with(sandbox: Sandbox, token: str, path: str = "account") -> int:
    url = f"{sandbox.amocrm.base_url}/api/v4/{path}"
    return requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=5).status_code


def test_a_code_works_once(sandbox: Sandbox) -> None:
    """An authorisation code gives a pair of tokens once and lives 20 minutes."""
    code = sandbox.amocrm.auth_code()
    answer = exchange(sandbox, grant_type="authorization_code", code=code)
    assert (answer.status_code, set(answer.json())) == (
        200,
        {"token_type", "expires_in", "access_token", "refresh_token"},
    )
    assert exchange(sandbox, grant_type="authorization_code", code=code).status_code == 400
    late = sandbox.amocrm.auth_code()
    sandbox.clock.advance(1201)
    assert exchange(sandbox, grant_type="authorization_code", code=late).status_code == 400


def test_a_refresh_token_works_once(sandbox: Sandbox) -> None:
    """Each refresh gives a new pair; the spent token is refused in the vendor's words."""
    old = sandbox.amocrm.issue_tokens()["refresh_token"]
    new = exchange(sandbox, grant_type="refresh_token", refresh_token=old)
    assert (new.status_code, new.json()["refresh_token"] != old) == (200, True)
    spent = exchange(sandbox, grant_type="refresh_token", refresh_token=old)
    assert (spent.status_code, spent.json()) == (
        401,
        {
            "hint": "Token has been revoked",
            "title": "Некорректный запрос",
            "type": "https://developers.amocrm.ru/v3/errors/OAuthProblemJson",
            "status": 401,
            "detail": "В запросе отсутствует ряд параметров или параметры невалидны",
        },
    )
    again = exchange(sandbox, grant_type="refresh_token", refresh_token=new.json()["refresh_token"])
    assert (again.status_code, sandbox.amocrm.oauth.refreshes) == (200, 2)


def test_a_wrong_secret_or_address_is_refused(sandbox: Sandbox) -> None:
    """A wrong secret is a wrong client, a wrong redirect_uri a bad request; a form body works as well."""
    wrong = exchange(sandbox, grant_type="authorization_code", code="x", client_secret="no")
    assert (wrong.status_code, wrong.json()["title"]) == (401, "Некорректный клиент")
    moved = exchange(sandbox, grant_type="authorization_code", code=sandbox.amocrm.auth_code(), redirect_uri="http://x")
    assert moved.status_code == 400
    crm = sandbox.amocrm
    form = {
        "client_id": crm.client_id,
        "client_secret": crm.client_secret,
        "redirect_uri": crm.redirect_uri,
        "grant_type": "authorization_code",
        "code": crm.auth_code(),
    }
    assert requests.post(f"{crm.base_url}/oauth2/access_token", data=form, timeout=5).status_code == 200


def test_an_access_token_expires_by_the_sandbox_clock(sandbox: Sandbox) -> None:
    """An access token is a JWT whose `exp` the sandbox keeps; the long-lived one outlives it."""
    token = sandbox.amocrm.issue_tokens(expires_in=60)["access_token"]
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert (claims["exp"] - claims["iat"], claims["account_id"]) == (60, sandbox.amocrm.account_id)
    assert status_with(sandbox, token) == 200
    sandbox.clock.advance(61)
    assert (status_with(sandbox, token), status_with(sandbox, sandbox.amocrm.token)) == (401, 200)


def test_the_refusal_of_a_token(sandbox: Sandbox) -> None:
    """A call without a good token answers the vendor's 401."""
    answer = requests.get(f"{sandbox.amocrm.base_url}/api/v4/leads", timeout=5)
    assert (answer.status_code, answer.json()) == (
        401,
        {
            "title": "Unauthorized",
            "type": "https://httpstatus.es/401",
            "status": 401,
            "detail": "Неверный логин или пароль",
        },
    )


def test_some_rooms_are_for_administrators(sandbox: Sandbox) -> None:
    """Users and webhooks answer 403 to a user without administrator rights."""
    manager = sandbox.amocrm.users[1]["id"]
    token = sandbox.amocrm.issue_tokens(user_id=manager)["access_token"]
    found = [status_with(sandbox, token, path) for path in ("leads/pipelines", "users", "webhooks")]
    assert found == [200, 403, 403]


def test_an_unknown_route_is_501_with_near_matches(client: Any) -> None:
    """A path that the sandbox does not know is never answered with success."""
    answer = client.get("leeds/5")
    body = answer.json()
    assert (answer.status_code, body["title"]) == (501, "Not Implemented")
    assert body["near"][0] == "/api/v4/leads/{id}"
    assert [client.get(path).status_code for path in ("talks/1", "customers", "widgets")] == [501, 501, 501]


def test_methods_that_the_vendor_lacks_are_405(sandbox: Sandbox, client: Any) -> None:
    """There is no DELETE of leads, contacts, companies or tasks."""
    lead = sandbox.amocrm.add_lead(name="a")
    answer = client("DELETE", f"leads/{lead}")
    assert (answer.status_code, answer.json()["detail"]) == (405, "Method Not Allowed")
    assert [client("DELETE", f"{kind}/1").status_code for kind in ("contacts", "companies", "tasks")] == [405] * 3


def test_clients_that_know_only_a_host_work_too(sandbox: Sandbox) -> None:
    """The API and the token endpoint also answer at the bare host."""
    headers = {"Authorization": f"Bearer {sandbox.amocrm.token}"}
    answer = requests.get(f"{sandbox.url}/api/v4/account", headers=headers, timeout=5)
    assert (answer.status_code, answer.json()["id"]) == (200, sandbox.amocrm.account_id)


def test_the_consent_page_sends_the_owner_back(sandbox: Sandbox) -> None:
    """Allowing gives a code and the account's host, refusing gives an error, both with the caller's state."""
    url = f"{sandbox.amocrm.base_url}/oauth"
    asked = requests.get(url, params={"client_id": sandbox.amocrm.client_id, "state": 'a"<b'}, timeout=5)
    assert ("&#34;&lt;b" in asked.text, requests.get(url, params={"client_id": "x"}, timeout=5).status_code) == (
        True,
        400,
    )
    allowed = requests.post(url, data={"state": "s", "answer": "allow"}, allow_redirects=False, timeout=5)
    assert "referer=romashka.amocrm.ru" in allowed.headers["Location"]
    refused = requests.post(url, data={"state": "s", "answer": "deny"}, allow_redirects=False, timeout=5)
    assert refused.headers["Location"].endswith("state=s&error=access_denied")


def test_settings_of_the_account(sandbox: Sandbox, client: Any) -> None:
    """The account, users, pipelines and fields are listed in the vendor's shapes."""
    account = client.get("account", **{"with": "task_types,datetime_settings"}).json()
    assert [kind["id"] for kind in account["_embedded"]["task_types"]] == [1, 2, 3]
    assert account["_embedded"]["datetime_settings"]["timezone"] == "Europe/Moscow"
    assert account["current_user_id"] == sandbox.amocrm.users[0]["id"]
    users = client.get("users", **{"with": "role,group"}).json()
    assert (users["_total_items"], users["_page_count"]) == (4, 1)
    statuses = client.get("leads/pipelines").json()["_embedded"]["pipelines"][0]["_embedded"]["statuses"]
    assert [(row["id"], row["type"]) for row in statuses][-2:] == [(142, 0), (143, 0)]
    phone = client.get("contacts/custom_fields").json()["_embedded"]["custom_fields"][0]
    assert (phone["code"], phone["type"], [enum["value"] for enum in phone["enums"]][:3]) == (
        "PHONE",
        "multitext",
        ["WORK", "WORKDD", "MOB"],
    )


def test_fields_and_stages_can_be_made(client: Any) -> None:
    """A new field and a new stage are usable at once; a stage that holds leads cannot be removed."""
    field = client.post("leads/custom_fields", [{"name": "Цвет", "type": "select", "enums": [{"value": "red"}]}])
    field_id = field.json()["_embedded"]["custom_fields"][0]["id"]
    pipeline = client.post("leads/pipelines", [{"name": "Сервис"}]).json()["_embedded"]["pipelines"][0]["id"]
    stage = client.post(f"leads/pipelines/{pipeline}/statuses", [{"name": "Приём"}]).json()["_embedded"]["statuses"][0]
    values = [{"field_id": field_id, "values": [{"value": "red"}]}]
    lead = {"name": "a", "pipeline_id": pipeline, "status_id": stage["id"], "custom_fields_values": values}
    assert (field.status_code, client.post("leads", [lead]).status_code) == (201, 200)
    assert client("DELETE", f"leads/pipelines/{pipeline}/statuses/{stage['id']}").status_code == 400
    refused = client.post("leads/custom_fields", [{"name": "x", "type": "colour"}]).json()["validation-errors"]
    assert refused[0]["errors"][0]["path"] == "type"


def test_catalogs_and_sources(client: Any) -> None:
    """Elements belong to their catalog; sources are unique by external_id and 204 when there is none."""
    catalog = client.post("catalogs", [{"name": "Товары", "type": "products"}]).json()["_embedded"]["catalogs"][0]["id"]
    element = client.post(f"catalogs/{catalog}/elements", [{"name": "Стол"}]).json()["_embedded"]["elements"][0]
    listed = client.get(f"catalogs/{catalog}/elements", query="стол").json()["_embedded"]["elements"]
    assert [(row["id"], row["catalog_id"]) for row in listed] == [(element["id"], catalog)]
    assert (client.get("sources").status_code, client.get("catalogs/1").status_code) == (204, 404)
    source = [{"name": "Виджет", "external_id": "w-1"}]
    assert [client.post("sources", source).status_code for _ in range(2)] == [200, 400]


def test_a_call_in_the_name_of_another_user(sandbox: Sandbox, client: Any) -> None:
    """X-Context-User-ID makes another user the author; every answer has a request id."""
    manager = sandbox.amocrm.users[2]["id"]
    client.session.headers["X-Context-User-ID"] = str(manager)
    answer = client.post("leads", [{"name": "a"}])
    (lead,) = sandbox.amocrm.leads.values()
    assert (lead["created_by"], len(answer.headers["X-Request-Id"])) == (manager, 32)
