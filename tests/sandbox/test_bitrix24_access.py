"""Who may call the emulated Bitrix24: webhooks, tokens, scopes, limits, faults."""

from typing import Any

import requests

from crmkit_sandbox import Sandbox


def exchange(portal: Sandbox, **query: str) -> requests.Response:
    crm = portal.bitrix24
    whole = {"client_id": crm.client_id, "client_secret": crm.client_secret, **query}
    return requests.get(crm.oauth_url, params=whole, timeout=5)


def body(status: int, code: str, text: str) -> tuple[int, dict[str, str]]:
    return status, {"error": code, "error_description": text}


def told(answer: requests.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()


def test_the_envelope_tells_the_time(portal: Sandbox, rest: Any) -> None:
    """A result comes with `time`, whose `operating` is the method's sum and names when its oldest basket drops."""
    portal.bitrix24.operating.costs["crm.settings.mode.get"] = 2.5
    times = [rest("crm.settings.mode.get").json()["time"] for _ in range(2)]
    assert [time["operating"] for time in times] == [2.5, 5.0]
    assert set(times[0]) == {
        *("start", "finish", "duration", "processing", "date_start", "date_finish"),
        *("operating_reset_at", "operating"),
    }
    assert (times[0]["date_start"], times[0]["operating_reset_at"]) == ("2025-10-09T11:53:20+03:00", 1_760_000_580)


def test_a_webhook_acts_as_its_user(portal: Sandbox, rest: Any) -> None:
    """The secret is the user's own; a wrong one is refused; some methods are for apps only."""
    crm = portal.bitrix24
    second = crm.users[1]["id"]
    url = crm.webhook_url_of(second)
    profile = requests.post(f"{url}profile", timeout=5).json()["result"]
    assert (profile["ID"], profile["ADMIN"]) == (str(second), False)
    wrong = requests.get(f"{crm.base_url}/rest/1/nope/profile", timeout=5)
    assert told(wrong) == body(401, "INVALID_CREDENTIALS", "Invalid request credentials")
    foreign = requests.get(url.replace(f"/{second}/", "/1/") + "profile", timeout=5)
    assert foreign.status_code == 401
    for method in ("event.bind", "event.offline.get", "telephony.externalCall.register", "app.info"):
        assert rest.refusal(method)[:2] == (403, "WRONG_AUTH_TYPE")
    assert rest.refusal("no.such") == (404, "ERROR_METHOD_NOT_FOUND", "Method not found!")


def test_scopes_are_kept(portal: Sandbox, rest: Any) -> None:
    """A method outside the granted scopes is refused in the words of its credential."""
    portal.bitrix24.oauth.webhook_scopes = ("crm",)
    assert rest.result("scope") == ["crm"]
    text = "The request requires higher privileges than provided by the webhook token"
    assert rest.refusal("user.get") == (403, "insufficient_scope", text)
    assert rest.result("method.get", name="user.get") == {"isExisting": True, "isAvailable": False}
    assert rest.result("method.get", name="no.such") == {"isExisting": False, "isAvailable": False}


def test_an_access_token_lives_an_hour(portal: Sandbox) -> None:
    """A token works in any place of the call; after its hour it is expired, an unknown one is invalid."""
    crm = portal.bitrix24
    token = crm.issue_tokens()["access_token"]
    url = f"{crm.base_url}/rest/profile"
    ways = [
        requests.get(url, params={"auth": token}, timeout=5),
        requests.post(url, data={"auth": token}, timeout=5),
        requests.post(url, json={"auth": token}, timeout=5),
    ]
    assert [answer.json()["result"]["ID"] for answer in ways] == ["1"] * 3
    portal.clock.advance(3600)
    expired = requests.get(url, params={"auth": token}, timeout=5)
    assert told(expired) == body(401, "expired_token", "The access token provided has expired.")
    unknown = requests.get(url, params={"auth": "x"}, timeout=5)
    assert told(unknown) == body(401, "invalid_token", "Unable to get application by token")
    assert told(requests.get(url, timeout=5)) == body(401, "NO_AUTH_FOUND", "Wrong authorization data")


def test_codes_and_refresh_tokens_work_once(portal: Sandbox) -> None:
    """A code gives tokens once within 30 s; each refresh gives a new pair and spends the old token."""
    crm = portal.bitrix24
    code = crm.auth_code()
    first = exchange(portal, grant_type="authorization_code", code=code)
    assert (first.status_code, set(first.json())) == (
        200,
        {
            *("access_token", "refresh_token", "expires", "expires_in", "client_endpoint", "server_endpoint"),
            *("domain", "member_id", "scope", "status", "user_id"),
        },
    )
    assert (first.json()["expires_in"], first.json()["member_id"]) == (3600, crm.member_id)
    assert first.json()["client_endpoint"] == f"{crm.base_url}/rest/"
    gone = body(400, "invalid_grant", "Invalid grant")
    assert told(exchange(portal, grant_type="authorization_code", code=code)) == gone
    late = crm.auth_code()
    portal.clock.advance(31)
    assert told(exchange(portal, grant_type="authorization_code", code=late)) == gone
    refresh = first.json()["refresh_token"]
    second = exchange(portal, grant_type="refresh_token", refresh_token=refresh)
    assert (second.status_code, second.json()["refresh_token"] != refresh, crm.oauth.refreshes) == (200, True, 1)
    assert told(exchange(portal, grant_type="refresh_token", refresh_token=refresh)) == gone
    wrong = exchange(portal, grant_type="refresh_token", refresh_token="x", client_secret="y")
    assert told(wrong) == body(401, "invalid_client", "Invalid client")
    assert told(exchange(portal, grant_type="password"))[1]["error"] == "invalid_request"


def test_authorization_comes_back_with_a_code(portal: Sandbox) -> None:
    """The consent address sends a person to the app's own address, with state, member_id and a code that works."""
    crm = portal.bitrix24
    query = {"client_id": crm.client_id, "state": "s 1"}
    answer = requests.get(f"{crm.base_url}/oauth/authorize/", params=query, allow_redirects=False, timeout=5)
    parts = requests.models.PreparedRequest()
    parts.prepare_url(answer.headers["Location"], None)
    assert (answer.status_code, str(parts.url).split("?")[0]) == (302, crm.oauth.redirect_uri)
    pairs = dict(pair.split("=") for pair in str(parts.url).split("?")[1].split("&"))
    assert (pairs["state"], pairs["member_id"]) == ("s+1", crm.member_id)
    assert exchange(portal, grant_type="authorization_code", code=pairs["code"]).status_code == 200


def test_the_bucket_holds_fifty_and_leaks_two_a_second(portal: Sandbox, rest: Any) -> None:
    """Fifty calls pass at once, the next is refused with 503; each second lets two more in; a batch counts as one."""
    crm = portal.bitrix24
    crm.limits.enabled = True
    crm.bucket.counts_refused = False
    # The bucket leaks at whole seconds of real time, so a refusal within the first calls would be a slow machine's.
    statuses = [rest("server.time").status_code for _ in range(70)]
    passed = statuses.count(200)
    assert (50 <= passed <= 60, statuses[:50], set(statuses)) == (True, [200] * 50, {200, 503})
    portal.clock.advance(2)
    assert rest("batch", cmd={"a": "profile"}).status_code == 200
    crm.bucket.burst = 0
    refused = rest("server.time")
    assert told(refused) == body(503, "QUERY_LIMIT_EXCEEDED", "Too many requests")
    assert "Retry-After" not in refused.headers


def test_a_method_is_blocked_when_its_time_is_spent(portal: Sandbox, rest: Any) -> None:
    """Above the budget the method, and only it, answers 429 until its baskets drop; in a batch only its keys fail."""
    crm = portal.bitrix24
    crm.add_deal(title="x")
    crm.operating.costs["crm.deal.get"] = 300.0
    blocked = (429, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.")
    assert [rest("crm.deal.get", id=1).status_code for _ in range(2)] == [200, 200]
    assert rest.refusal("crm.deal.get", id=1) == blocked
    answer = rest.result("batch", cmd={"a": "crm.deal.get?id=1", "b": "crm.deal.list"})
    assert (list(answer["result"]), answer["result_error"]["a"]["error"]) == (["b"], "OPERATION_TIME_LIMIT")
    rest.as_app()
    assert rest("crm.deal.get", id=1).status_code == 200
    rest.token = None
    portal.clock.advance(600)
    assert rest("crm.deal.get", id=1).status_code == 200


def test_vendors_share_the_bare_host() -> None:
    """Paths at the bare host go to the vendor with the longest root: tokens of Bitrix24 beside those of amoCRM."""
    with Sandbox(vendors=("amocrm", "bitrix24")) as both:
        crm, query = both.bitrix24, {"client_id": both.bitrix24.client_id, "client_secret": both.bitrix24.client_secret}
        query |= {"grant_type": "refresh_token", "refresh_token": crm.issue_tokens()["refresh_token"]}
        token = requests.get(f"{both.url}/oauth/token/", params=query, timeout=5).json()["access_token"]
        profile = requests.get(f"{both.url}/rest/profile", params={"auth": token}, timeout=5)
        consent = requests.get(f"{both.url}/oauth", params={"client_id": both.amocrm.client_id}, timeout=5)
        assert (profile.json()["result"]["ID"], consent.status_code) == ("1", 200)


def test_a_renamed_portal_redirects(portal: Sandbox, rest: Any) -> None:
    """The old host answers with a redirect, which costs a POST its body; the new one works, member_id stays."""
    crm = portal.bitrix24
    old, member = crm.webhook_url, crm.member_id
    crm.rename_portal(old.split("/")[2].replace("127.0.0.1", "localhost"))
    answer = requests.post(f"{old}profile", json={}, allow_redirects=False, timeout=5)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{crm.webhook_url}profile")
    assert (rest.result("profile")["ID"], crm.member_id) == ("1", member)


def test_planned_faults_speak_the_vendor_language(portal: Sandbox, rest: Any) -> None:
    """A bare status answers the vendor's body; an applied call that fails has taken effect."""
    crm = portal.bitrix24
    for status, code in ((500, "INTERNAL_SERVER_ERROR"), (401, "expired_token"), (503, "QUERY_LIMIT_EXCEEDED")):
        portal.faults.add(vendor="bitrix24", status=status)
        assert rest.refusal("profile")[:2] == (status, code)
    portal.faults.add(vendor="bitrix24", body="applied_then_502")
    assert rest("crm.deal.add", fields={"TITLE": "x"}).status_code == 502
    assert len(crm.deals) == 1
