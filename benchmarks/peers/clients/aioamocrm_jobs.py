"""The jobs by aioamocrm."""
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import asyncio
import json
import sys

from aioamocrm import AmoCRMClient, LongLivedToken
from stopwatch import report

given = json.load(sys.stdin)


async def leads() -> int:
    """Every lead, with its client's limiter unless the limits are off."""
    rate = None if given["is_unlimited"] else 7.0
    auth, found = LongLivedToken(given["secrets"]["token"]), 0
    async with AmoCRMClient(base_url=given["base_url"], auth=auth, rate_limit=rate) as amo:
        async for _ in amo.leads.iterate(limit=250, with_=["contacts", "loss_reason", "catalog_elements"]):
            found += 1
    return found


report(lambda: asyncio.run(leads()))
