"""The control API and the sandbox's own life."""

from typing import Any

import pytest
import requests

from crmkit_sandbox import Sandbox


def order(sandbox: Sandbox, path: str, /, **body: Any) -> requests.Response:
    return requests.post(f"{sandbox.url}/_sandbox/{path}", json=body, timeout=5)


def view(sandbox: Sandbox, path: str) -> Any:
    return requests.get(f"{sandbox.url}/_sandbox/{path}", timeout=5).json()


def test_people_can_be_driven_from_another_process(sandbox: Sandbox) -> None:
    """`do` calls the acts of people with JSON, and `state` shows the records."""
    made = order(sandbox, "amocrm/do/add_lead", name="a", price=5).json()["result"]
    assert order(sandbox, "amocrm/do/move_lead", id=made, status_id=142).status_code == 200
    state = view(sandbox, "state?vendor=amocrm")
    assert [(lead["id"], lead["status_id"]) for lead in state["leads"]] == [(made, 142)]
    assert [event["type"] for event in state["events"]] == ["lead_added", "lead_status_changed"]
    refused = order(sandbox, "amocrm/do/move_lead", id=made, status_id=1)
    assert (refused.status_code, refused.json()["error"]) == (400, "ValueError: status_id: NotSupportedChoice")
    assert [order(sandbox, path).status_code for path in ("amocrm/do/fly", "fly", "bitrix24/do/x")] == [404] * 3


def test_the_clock_is_turned_by_orders(sandbox: Sandbox) -> None:
    """The clock freezes, advances and is released by orders."""
    assert order(sandbox, "clock", freeze=1000).json() == {"now": 1000.0, "is_frozen": True}
    assert order(sandbox, "clock", advance=60).json()["now"] == 1060.0
    assert order(sandbox, "clock", release=True).json()["is_frozen"] is False


def test_faults_limits_and_latency_by_orders(sandbox: Sandbox, client: Any) -> None:
    """Faults are planned and cleared, limits and latency set, by orders."""
    order(sandbox, "faults", vendor="amocrm", path="/api/v4/account", status=500)
    assert client.get("account").status_code == 500
    order(sandbox, "faults", vendor="amocrm", down=True)
    assert client.get("account").status_code == 502
    order(sandbox, "faults", clear=True)
    order(sandbox, "limits", enabled=True, per_second=2)
    assert [client.get("account").status_code for _ in range(3)] == [200, 200, 429]
    seen = view(sandbox, "requests")
    assert ([row["status"] for row in seen["requests"]], seen["refused"]) == ([500, 502, 200, 200, 429], 1)
    order(sandbox, "latency", seconds=0.01)
    assert sandbox.latency_s == 0.01
    assert order(sandbox, "faults", body="nonsense").status_code == 400


def test_snapshots_bring_everything_back(sandbox: Sandbox, client: Any) -> None:
    """After `restore` records, links, search and new ids are as at the snapshot."""
    sandbox.amocrm.seed()
    before = view(sandbox, "state")
    order(sandbox, "snapshot", name="x")
    lead = next(iter(sandbox.amocrm.leads))
    sandbox.amocrm.delete_lead(lead)
    made = sandbox.amocrm.add_contact(name="Новый", phones=["+79995554433"])
    order(sandbox, "restore", name="x")
    after = view(sandbox, "state")
    assert {**after, "now": 0} == {**before, "now": 0}
    assert client.get("contacts", query="9995554433").status_code == 204
    assert sandbox.amocrm.add_contact(name="Другой") == made
    assert order(sandbox, "restore", name="y").status_code == 400


def test_reset_empties_and_seed_fills(sandbox: Sandbox) -> None:
    """`seed` makes the same base each time, `reset` leaves the settings only."""
    order(sandbox, "seed", contacts=3, leads=4, companies=2, tasks=1)
    state = view(sandbox, "state")
    assert [len(state[kind]) for kind in ("contacts", "leads", "companies", "tasks")] == [3, 4, 2, 1]
    order(sandbox, "reset")
    emptied = view(sandbox, "state")
    assert [len(emptied[kind]) for kind in ("contacts", "leads", "companies", "tasks", "events")] == [0] * 5
    assert (len(sandbox.amocrm.users), len(sandbox.amocrm.pipelines)) == (4, 2)


def test_hooks_are_listed_with_their_fate(frozen: Sandbox, receiver: Any) -> None:
    """`deliveries` shows every attempt, `settle` waits for them."""
    order(frozen, "amocrm/do/subscribe", destination=receiver.url, settings=["add_lead"])
    order(frozen, "amocrm/do/add_lead", name="a")
    assert order(frozen, "settle").json() == {"is_settled": True}
    (row,) = view(frozen, "deliveries")["deliveries"]
    assert (row["event"], row["status"], row["attempt"], row["at"]) == ("add_lead", 200, 1, 1_760_000_000)


def test_a_sandbox_starts_stops_and_starts_again() -> None:
    """Records outlive a stop; a stopped sandbox has no address; a taken port is an OSError."""
    sandbox = Sandbox()
    with pytest.raises(RuntimeError, match="not started"):
        _ = sandbox.url
    sandbox.start()
    with pytest.raises(RuntimeError, match="started already"):
        sandbox.start()
    port = int(sandbox.url.rpartition(":")[2])
    sandbox.amocrm.add_lead(name="a")
    other = Sandbox()
    with pytest.raises(OSError, match="taken"):
        other.start(port)
    sandbox.stop()
    sandbox.start(port)
    assert (sandbox.url.endswith(f":{port}"), len(sandbox.amocrm.leads)) == (True, 1)
    sandbox.stop()


def test_only_known_vendors() -> None:
    """An unknown vendor is refused at once, with the list of known ones."""
    with pytest.raises(ValueError, match="no emulator of sap; there are amocrm"):
        Sandbox(vendors=("sap",))


def test_waiting_for_a_change(sandbox: Sandbox) -> None:
    """`world.wait_for` sees a claim that holds and gives up on one that does not."""
    sandbox.amocrm.add_lead(name="a")
    assert sandbox.world.wait_for(lambda: len(sandbox.amocrm.leads) == 1, 1) is True
    assert sandbox.world.wait_for(lambda: len(sandbox.amocrm.leads) == 2, 0.01) is False
