"""The jobs by the vendor's own retailcrm, which has no limiter and repeats nothing."""
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import json
import sys
from typing import Any

import retailcrm
from stopwatch import report

given = json.load(sys.stdin)
client = retailcrm.v5(given["base_url"], given["secrets"]["api_key"])


def pages(call: Any, name: str) -> int:
    """Every record of every page of a hundred."""
    found, page, last = 0, 1, 1
    while page <= last:
        answer = call({}, limit=100, page=page)
        if not answer.is_successful():
            raise RuntimeError(f"page {page} was answered {answer.get_status_code()}")
        body = answer.get_response()
        found, page, last = found + len(body[name]), page + 1, body["pagination"]["totalPageCount"]
    return found


report(lambda: pages(getattr(client, sys.argv[1]), sys.argv[1]))
