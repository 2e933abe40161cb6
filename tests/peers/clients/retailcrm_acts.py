"""The vendor's own retailcrm lists, gets, creates and updates customers and orders; asked and answered in JSON."""
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import json
import sys
from typing import Any

import retailcrm

given = json.load(sys.stdin)
client = retailcrm.v5(given["base_url"], given["api_key"])


def listed(call: Any, name: str) -> list[int]:
    """Ids of all pages; without a filter of its own the client sends the word None, which is refused."""
    ids: list[int] = []
    page = last = 1
    while page <= last:
        found = call({}, limit=20, page=page).get_response()
        ids += [row["id"] for row in found[name]]
        page, last = page + 1, found["pagination"]["totalPageCount"]
    return ids


customer, order = given["customer"], given["order"]
answer: dict[str, Any] = {
    "customers": listed(client.customers, "customers"),
    "orders": listed(client.orders, "orders"),
    "customer": client.customer(customer, uid_type="id").get_response()["customer"]["firstName"],
    "order": client.order(order, uid_type="id").get_response()["order"]["number"],
    "created_customer": client.customer_create({"firstName": "Created"}, site="main").get_response()["id"],
}
new_order = {"firstName": "Created", "customer": {"id": answer["created_customer"]}}
answer["created_order"] = client.order_create(new_order, site="main").get_response()["id"]
client.customer_edit({"id": customer, "firstName": "Updated"}, uid_type="id", site="main")
client.order_edit({"id": order, "managerComment": "Updated"}, uid_type="id", site="main")
print(json.dumps(answer))
