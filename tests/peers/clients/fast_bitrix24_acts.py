"""fast-bitrix24 lists, gets, creates and updates deals; asked and answered in JSON."""
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from fast_bitrix24 import BitrixAsync


async def act(given: dict[str, Any]) -> dict[str, Any]:
    """What the client saw and did."""
    bitrix = BitrixAsync(given["webhook"], verbose=False)
    listed = [int(row["ID"]) for row in await bitrix.get_all("crm.deal.list", {"select": ["ID"]})]
    got = await bitrix.get_by_ID("crm.deal.get", sorted(listed)[:2])
    created = await bitrix.call("crm.deal.add", [{"fields": {"TITLE": "Created", "OPPORTUNITY": 1500}}])
    changed = await bitrix.call("crm.deal.update", {"ID": given["id"], "fields": {"TITLE": "Updated"}})
    titles = {key: row["TITLE"] for key, row in got.items()}
    return {"listed": listed, "got": titles, "created": created, "changed": changed}


print(json.dumps(asyncio.run(act(json.load(sys.stdin)))))
