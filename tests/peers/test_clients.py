"""Public clients of the three CRMs work with the emulators: they list, get, create and update."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crmkit_sandbox import Sandbox

ROOT = Path(__file__).parents[2]
CLIENTS = Path(__file__).parent / "clients"
PYTHON = ROOT / ".venv-peers" / "bin" / "python"

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="no .venv-peers with the public clients; run `make peers`")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """All three CRMs with a small sales base each."""
    with Sandbox(("amocrm", "bitrix24", "retailcrm")) as started:
        started.amocrm.seed()
        started.bitrix24.seed()
        started.retailcrm.seed()
        yield started


def act(script: str, **given: Any) -> Any:
    """What a script says it saw and did, by the public clients' own interpreter."""
    done = subprocess.run(
        [PYTHON, CLIENTS / script], input=json.dumps(given), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("script", ["aioamocrm_acts.py", "amocrm_api_acts.py"])
def test_amocrm(sandbox: Sandbox, script: str) -> None:
    """Clients of amoCRM see every lead, read one, make another and rename the first."""
    amo = sandbox.amocrm
    before = sorted(amo.leads)
    name = amo.leads[before[0]]["name"]
    said = act(script, base_url=amo.base_url, token=amo.issue_tokens()["access_token"], id=before[0])
    (made,) = set(amo.leads) - set(before)
    assert {**said, "listed": sorted(said["listed"])} == {"listed": before, "got": name, "created": made}
    assert (amo.leads[made]["name"], amo.leads[made]["price"]) == ("Created", 1500)
    assert amo.leads[before[0]]["name"] == "Updated"


@pytest.mark.parametrize("script", ["b24pysdk_acts.py", "fast_bitrix24_acts.py"])
def test_bitrix24(sandbox: Sandbox, script: str) -> None:
    """Clients of Bitrix24 see every deal of several pages, read one, make another and rename the first."""
    portal = sandbox.bitrix24
    portal.bulk_deals(120)
    before = sorted(portal.deals)
    titles = {str(row_id): portal.deals[row_id]["TITLE"] for row_id in before[:2]}
    said = act(script, webhook=portal.webhook_url, id=before[0])
    (made,) = set(portal.deals) - set(before)
    for name in said.keys() & {"listed", "listed_fast"}:
        assert sorted(said.pop(name)) == before
    got = {"b24pysdk_acts.py": titles[str(before[0])], "fast_bitrix24_acts.py": titles}
    assert said == {"got": got[script], "created": made, "changed": True}
    assert (portal.deals[made]["TITLE"], portal.deals[made]["OPPORTUNITY"]) == ("Created", "1500.00")
    assert portal.deals[before[0]]["TITLE"] == "Updated"


def test_retailcrm(sandbox: Sandbox) -> None:
    """The vendor's own client sees every customer and order, reads one of each, makes and changes one of each."""
    retail = sandbox.retailcrm
    retail.bulk_customers(30)
    customers, orders = sorted(retail.customers), sorted(retail.orders)
    first_name, number = retail.customers[customers[0]]["firstName"], retail.orders[orders[0]]["number"]
    said = act(
        "retailcrm_acts.py",
        base_url=retail.base_url,
        api_key=retail.api_key,
        customer=customers[0],
        order=orders[0],
    )
    (customer,), (order,) = set(retail.customers) - set(customers), set(retail.orders) - set(orders)
    assert {**said, "customers": sorted(said["customers"]), "orders": sorted(said["orders"])} == {
        "customers": customers,
        "orders": orders,
        "customer": first_name,
        "order": number,
        "created_customer": customer,
        "created_order": order,
    }
    assert retail.customers[customer]["firstName"] == retail.orders[order]["firstName"] == "Created"
    assert retail.customers[customers[0]]["firstName"] == "Updated"
    assert retail.orders[orders[0]]["managerComment"] == "Updated"
