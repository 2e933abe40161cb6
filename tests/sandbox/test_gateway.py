"""What stands before the emulated CRM: limits, bans, faults, outages, kept connections."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from crmkit_sandbox import Sandbox


def test_the_eighth_call_of_a_second_is_429(sandbox: Sandbox, client: Any) -> None:
    """Seven calls pass in any second, the eighth is refused as the vendor does, and turning the clock lets it pass."""
    sandbox.amocrm.limits.enabled = True
    statuses = [client.get("account").status_code for _ in range(8)]
    refused = client.get("account")
    assert (statuses, refused.status_code) == ([200] * 7 + [429], 429)
    assert refused.json() == {
        "title": "Too Many Requests",
        "type": "https://httpstatus.es/429",
        "status": 429,
        "detail": "You have sent too many requests in a given amount of time. Please try again later.",
        "retry_after": 300,
    }
    assert (sandbox.amocrm.limits.refused, "Retry-After" in refused.headers) == (2, False)
    sandbox.clock.advance(1)
    assert client.get("account").status_code == 200


def test_who_does_not_listen_is_banned(sandbox: Sandbox, client: Any) -> None:
    """After enough refusals every call answers a plain 403 until the ban is over."""
    sandbox.amocrm.limits.enabled = True
    sandbox.amocrm.limits.ban_after = 3
    answers = [client.get("account") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 7 + [429] * 2 + [403] * 2
    assert answers[-1].text == "403 Forbidden"
    sandbox.clock.advance(3601)
    assert client.get("account").status_code == 200


def test_the_limit_holds_under_parallel_calls(sandbox: Sandbox, client: Any) -> None:
    """Calls in parallel never pass more than the limit allows."""
    sandbox.amocrm.limits.enabled = True
    url, headers = f"{client.base}/api/v4/account", dict(client.session.headers)
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: requests.get(url, headers=headers, timeout=5).status_code, range(40)))
    assert sandbox.amocrm.limits.highest == 7
    assert statuses.count(200) + statuses.count(429) == 40


def test_faults_come_as_planned_and_go(sandbox: Sandbox, client: Any) -> None:
    """A fault waits for its method and path, lets `after` calls pass, strikes `times` times."""
    sandbox.faults.add(vendor="amocrm", method="GET", path="/api/v4/account", status=500, after=1, times=2)
    assert client.get("users").status_code == 200
    assert [client.get("account").status_code for _ in range(4)] == [200, 500, 500, 200]


@pytest.mark.parametrize(
    ("status", "kind", "text"),
    [
        (429, "application/problem+json", "retry_after"),
        (500, "application/problem+json", "ErrInternalServer"),
        (502, "text/html", "502 Bad Gateway"),
        (504, "text/html", "504 Gateway Time-out"),
        (403, "text/plain", "403 Forbidden"),
        (401, "application/problem+json", "Неверный логин"),
        (402, "application/problem+json", "Payment required"),
    ],
)
def test_a_status_comes_in_the_vendors_shape(sandbox: Sandbox, client: Any, status: int, kind: str, text: str) -> None:
    """A planned status is answered as the vendor answers it."""
    sandbox.faults.add(status=status)
    answer = client.get("account")
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0], text in answer.text) == (
        status,
        kind,
        True,
    )


def test_a_lost_answer_may_have_been_applied(sandbox: Sandbox, client: Any) -> None:
    """`applied_then_reset` and `applied_then_502` take effect, `reset` and `html` do not."""
    for kind in ("applied_then_reset", "reset"):
        sandbox.faults.add(method="POST", path="/api/v4/leads", body=kind)
        with pytest.raises(requests.ConnectionError):
            client.post("leads", [{"name": kind}])
    sandbox.faults.add(method="POST", path="/api/v4/leads", body="applied_then_502")
    assert client.post("leads", [{"name": "applied_then_502"}]).status_code == 502
    sandbox.faults.add(method="POST", path="/api/v4/leads", status=503, body="html")
    assert client.post("leads", [{"name": "html"}]).status_code == 503
    assert [lead["name"] for lead in sandbox.amocrm.leads.values()] == ["applied_then_reset", "applied_then_502"]


def test_broken_bodies(sandbox: Sandbox, client: Any) -> None:
    """`cut_json` is half of the JSON under 200, `truncated` ends before its Content-Length."""
    sandbox.faults.add(body="cut_json")
    with pytest.raises(requests.exceptions.JSONDecodeError):
        client.get("account").json()
    sandbox.faults.add(body="truncated")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        client.get("account")
    assert client.get("account").status_code == 200


def test_a_timeout_hangs_until_let_go(sandbox: Sandbox, client: Any) -> None:
    """A hanging call ends the client's patience, and `clear` lets go of it."""
    sandbox.faults.add(body="timeout")
    with pytest.raises(requests.Timeout):
        requests.get(f"{client.base}/api/v4/account", timeout=0.1)
    sandbox.faults.clear()
    assert client.get("account").status_code == 200


def test_the_whole_crm_can_be_down(sandbox: Sandbox, client: Any) -> None:
    """While a CRM is down every call answers a 502 page; nothing is applied."""
    sandbox.faults.down("amocrm")
    answer = client.post("leads", [{"name": "a"}])
    assert (answer.status_code, "<h1>502 Bad Gateway</h1>" in answer.text) == (502, True)
    sandbox.faults.down("amocrm", False)
    assert (client.get("leads").status_code, len(sandbox.amocrm.leads)) == (204, 0)


def test_connections_are_kept(sandbox: Sandbox, client: Any) -> None:
    """Many calls of one client use one connection, also after refusals with a body."""
    opened: list[object] = []
    original = requests.packages.urllib3.connection.HTTPConnection.connect  # type: ignore[attr-defined]

    def connect(connection: Any) -> None:
        opened.append(connection)
        original(connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("urllib3.connection.HTTPConnection.connect", connect)
        for _ in range(3):
            client.get("account")
            client.post("leads", [{"price": "x" * 100_000}])
    assert len(opened) == 1
    assert [call.status for call in sandbox.amocrm.requests] == [200, 400] * 3


def test_the_log_of_calls(sandbox: Sandbox, client: Any) -> None:
    """Every call is noted with method, path, query and status, and can be forgotten."""
    client.get("leads", limit=5)
    call = sandbox.amocrm.requests[0]
    assert (call.method, call.target, call.status, call.bytes) == ("GET", "/api/v4/leads?limit=5", 204, 0)
    assert sandbox.amocrm.requests.count(path="/api/v4/leads", status=204) == 1
    sandbox.amocrm.reset_requests()
    assert len(sandbox.amocrm.requests) == 0


def test_latency_is_added(sandbox: Sandbox, client: Any) -> None:
    """With a latency longer than the client's patience the call times out."""
    sandbox.latency_s = 0.3
    with pytest.raises(requests.Timeout):
        requests.get(f"{client.base}/api/v4/account", timeout=0.1)


def test_parallel_writes_lose_nothing(sandbox: Sandbox, client: Any) -> None:
    """Writers in parallel get different ids, and every record is there."""
    headers = dict(client.session.headers)
    barrier = threading.Barrier(4)

    def write(number: int) -> list[int]:
        barrier.wait(5)
        url = f"{client.base}/api/v4/leads"
        answer = requests.post(url, json=[{"name": f"{number}"}] * 50, headers=headers, timeout=10)
        return [row["id"] for row in answer.json()["_embedded"]["leads"]]

    with ThreadPoolExecutor(4) as pool:
        made = [row_id for ids in pool.map(write, range(4)) for row_id in ids]
    assert (len(set(made)), sorted(made)) == (200, list(sandbox.amocrm.leads))
