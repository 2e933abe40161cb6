"""The door of the emulated retailCRM: keys, scopes, sites, addressing, encoding, limits, lost accounts."""

from typing import Any

import pytest
import requests

from crmkit_sandbox import Sandbox


def body(answer: requests.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()


def refused(status: int, message: str, errors: Any = None) -> tuple[int, Any]:
    return status, {"success": False, "errorMsg": message, **({"errors": errors} if errors else {})}


def test_a_key_is_asked_for(shop: Sandbox) -> None:
    """No key and a wrong key are 403 in the vendor's words; a key is good in the header, the query and the form."""
    url, key = f"{shop.retailcrm.base_url}/api/v5/customers", shop.retailcrm.api_key
    assert body(requests.get(url, timeout=5)) == refused(403, '"apiKey" is missing.')
    assert body(requests.get(url, headers={"X-API-KEY": "x"}, timeout=5)) == refused(403, 'Wrong "apiKey" value.')
    assert requests.get(url, headers={"X-API-KEY": key}, timeout=5).status_code == 200
    assert requests.get(url, params={"apiKey": key}, timeout=5).status_code == 200
    created = requests.post(f"{url}/create", data={"apiKey": key, "site": "main", "customer": "{}"}, timeout=5)
    assert created.status_code == 201


def test_a_key_does_what_its_scopes_say(shop: Sandbox) -> None:
    """A key without a scope is refused with 403; the credentials tell scopes, sites and their access."""
    key = shop.retailcrm.issue_key(["customer_read"], ["main"])
    headers = {"X-API-KEY": key}
    url = f"{shop.retailcrm.base_url}/api"
    assert body(requests.get(f"{url}/v5/orders", headers=headers, timeout=5)) == refused(403, "Access denied.")
    told = requests.get(f"{url}/credentials", headers=headers, timeout=5).json()
    assert (told["scopes"], told["siteAccess"], told["sitesAvailable"]) == (
        ["customer_read"],
        "access_selective",
        ["main"],
    )
    assert "/api/integration-modules/{code}" not in told["credentials"]
    assert "/api/v5/orders/{address}/edit" in told["credentials"]


def test_a_key_sees_its_sites_only(shop: Sandbox) -> None:
    """Records of other sites are neither listed nor found, and with one site `site` may be left out."""
    crm = shop.retailcrm
    here, there = crm.add_customer(firstName="a"), crm.add_customer(firstName="b", site="outlet")
    headers = {"X-API-KEY": crm.issue_key(sites=["main"])}
    url = f"{crm.base_url}/api/v5/customers"
    listed = requests.get(url, headers=headers, timeout=5).json()
    assert [row["id"] for row in listed["customers"]] == [here]
    lost = requests.get(f"{url}/{there}", params={"by": "id"}, headers=headers, timeout=5)
    assert body(lost) == refused(404, "Not found")
    made = requests.post(f"{url}/create", data={"customer": '{"externalId":"5"}'}, headers=headers, timeout=5)
    assert made.status_code == 201
    assert requests.get(f"{url}/5", headers=headers, timeout=5).json()["customer"]["site"] == "main"
    other = requests.get(f"{url}/5", params={"site": "outlet"}, headers=headers, timeout=5)
    assert body(other) == refused(403, "Access denied.")


def test_records_are_addressed_by_external_id_unless_told(shop: Sandbox, retail: Any) -> None:
    """`by` is externalId by default and then needs a site; an id must be a number; another `by` is refused."""
    crm = shop.retailcrm
    row_id = crm.add_customer(firstName="a", externalId="c-1")
    assert retail.get(f"customers/{row_id}", by="id").json()["customer"]["externalId"] == "c-1"
    assert retail.get("customers/c-1", site="main").json()["customer"]["id"] == row_id
    assert body(retail.get(f"customers/{row_id}", site="main")) == refused(404, "Not found")
    assert body(retail.get("customers/c-1")) == refused(400, "Parameter 'site' is missing")
    message = "Errors in the input parameters"
    assert body(retail.get("customers/c-1", by="id")) == refused(400, message, {"id": "ID must be an integer"})
    assert body(retail.get("customers/1", by="x"))[1]["errors"] == {
        "by": "The value you selected is not a valid choice."
    }
    assert body(retail.get("customers/c-1", site="nowhere")) == refused(
        400, message, {"site": "Site with code=nowhere does not exist."}
    )


def test_arguments_are_json_in_form_fields(shop: Sandbox, retail: Any) -> None:
    """A JSON body is not seen at all; a field that holds no JSON, or no object, is refused."""
    url, headers = f"{retail.base}/api/v5/customers/create", retail.session.headers
    sent = requests.post(url, json={"site": "main", "customer": {"firstName": "a"}}, headers=headers, timeout=5)
    assert body(sent) == refused(400, "Parameter 'customer' is missing")
    assert body(retail.post("customers/create", customer="not-json")) == refused(400, "Errors in the entity format")
    assert body(retail.post("customers/create", customer="[1]")) == refused(400, "Errors in the entity format")
    assert body(retail.post("customers/create", site="main", customer={"phones": "x"})) == refused(
        400, "Errors in the entity format", {"customer.phones": "This value is not valid."}
    )
    assert len(shop.retailcrm.customers) == 0


@pytest.mark.parametrize("query", [{"limit": 10}, {"limit": 250}, {"limit": "x"}, {"page": 0}, {"page": "x"}])
def test_pages_are_20_50_or_100(retail: Any, query: dict[str, object]) -> None:
    """Any other page size and a page before the first are refused."""
    assert body(retail.get("customers", **query)) == refused(400, "Errors in the pagination parameters")


def test_lists_go_from_the_newest(shop: Sandbox, retail: Any) -> None:
    """Ids descend over the pages, the pagination tells the whole, and past the end the list is empty."""
    ids = shop.retailcrm.bulk_customers(45)
    pages = [retail.get("customers", limit=20, page=page).json() for page in (1, 2, 3, 4)]
    assert [row["id"] for page in pages for row in page["customers"]] == list(reversed(ids))
    assert pages[1]["pagination"] == {"limit": 20, "totalCount": 45, "currentPage": 2, "totalPageCount": 3}
    assert pages[3]["customers"] == []
    assert retail.get("customers").json()["pagination"]["limit"] == 20


def test_unknown_methods_and_verbs(retail: Any) -> None:
    """A path that is not emulated is an unknown method, a wrong verb is 405."""
    assert body(retail.get("orders/packs")) == refused(404, "API method not found")
    assert body(retail.get("loyalty/accounts")) == refused(404, "API method not found")
    assert body(retail.post("customers")) == refused(405, "Method Not Allowed")


def test_the_key_has_ten_calls_a_second(shop: Sandbox, retail: Any) -> None:
    """The eleventh call within a second is 503, telephony has a limit of its own, and another key is not concerned."""
    crm = shop.retailcrm
    crm.limits.enabled = True
    statuses = [retail.get("customers").status_code for _ in range(11)]
    assert statuses == [200] * 10 + [503]
    assert body(retail.get("customers")) == refused(503, "Rate limit exceeded")
    assert (crm.limits.refused, crm.limits.highest) == (2, 10)
    calls = [retail.get("telephony/manager", phone="1").status_code for _ in range(41)]
    assert calls == [200] * 40 + [503]
    other = requests.get(f"{crm.base_url}/api/v5/customers", headers={"X-API-KEY": crm.issue_key()}, timeout=5)
    assert other.status_code == 200
    shop.clock.advance(1)
    assert retail.get("customers").status_code == 200
    crm.switches.is_busy_html = True
    pages = [retail.get("customers") for _ in range(11)]
    assert (pages[-1].status_code, pages[-1].text[:15]) == (503, "<!DOCTYPE html>")


def test_a_lost_account_answers_html(shop: Sandbox, retail: Any) -> None:
    """An account that is gone, or another account's host, answers a page: 404 to reads, 405 to writes."""
    other = requests.get(f"{retail.base}/api/v5/customers", headers={"Host": "tulip.retailcrm.ru"}, timeout=5)
    assert (other.status_code, other.text[:15]) == (404, "<!DOCTYPE html>")
    own = requests.get(f"{retail.base}/api/api-versions", headers={"Host": "romashka.simla.com"}, timeout=5)
    assert body(own) == refused(403, '"apiKey" is missing.')
    shop.retailcrm.exists = False
    answers = [retail.get("customers"), retail.post("customers/create"), retail.get("nothing")]
    assert [(answer.status_code, answer.text[:15]) for answer in answers] == [
        (404, "<!DOCTYPE html>"),
        (405, "<!DOCTYPE html>"),
        (404, "<!DOCTYPE html>"),
    ]


def test_faults_speak_the_vendors_way(shop: Sandbox, retail: Any) -> None:
    """Planned statuses answer in the vendor's shape, 200 too; a lost answer leaves its write; an outage is a page."""
    for status in (200, 429, 500, 503):
        shop.faults.add(status=status)
        answer = retail.get("customers")
        assert (answer.status_code, answer.json()["success"]) == (status, False)
    shop.faults.add(status=502)
    assert retail.get("customers").text.startswith("<!DOCTYPE html>")
    shop.faults.add(body="applied_then_reset", method="POST")
    with pytest.raises(requests.ConnectionError):
        retail.post("customers/create", site="main", customer={"externalId": "7"})
    assert retail.get("customers/7", site="main").json()["customer"]["externalId"] == "7"
    shop.faults.down("retailcrm")
    assert retail.get("customers").status_code == 502


def test_the_bare_host_serves_too(shop: Sandbox) -> None:
    """A client that knows only a host finds the API there."""
    answer = requests.get(f"{shop.url}/api/api-versions", headers={"X-API-KEY": shop.retailcrm.api_key}, timeout=5)
    assert answer.json() == {"success": True, "versions": ["3.0", "4.0", "5.0"]}


def test_snapshots_bring_records_back(shop: Sandbox) -> None:
    """A snapshot holds records, history and settings, and a reset leaves settings and keys alone."""
    crm = shop.retailcrm
    crm.seed(customers=2, orders=2, corporate=1, tasks=1)
    before, history = crm.records(), crm.history("orders")
    shop.world.snapshot()
    crm.delete_order(next(iter(crm.orders)))
    crm.add_customer(firstName="x")
    shop.world.restore()
    assert (crm.records(), crm.history("orders")) == (before, history)
    key = crm.api_key
    shop.reset()
    assert (len(crm.customers), len(crm.users), crm.api_key == key) == (0, 4, True)
