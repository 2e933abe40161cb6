"""aioamocrm lists, gets, creates and updates leads; asked and answered in JSON."""
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from aioamocrm import AmoCRMClient, LongLivedToken


async def act(given: dict[str, Any]) -> dict[str, Any]:
    """What the client saw and did."""
    async with AmoCRMClient(base_url=given["base_url"], auth=LongLivedToken(given["token"])) as amo:
        listed = [lead.id async for lead in amo.leads.iterate(limit=10)]
        got = await amo.leads.get(given["id"])
        created = await amo.leads.create([{"name": "Created", "price": 1500}])
        await amo.leads.update([{"id": given["id"], "name": "Updated"}])
        return {"listed": listed, "got": got.name, "created": created[0].id}


print(json.dumps(asyncio.run(act(json.load(sys.stdin)))))
