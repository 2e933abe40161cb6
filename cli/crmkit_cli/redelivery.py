"""Redelivery: what an emulator has just sent, sent again."""

from __future__ import annotations

from typing import Any

import requests

FORM = "application/x-www-form-urlencoded"


def repeat_last(sandbox_url: str, vendor: str, event: str, times: int) -> int:
    """How many receivers got the last delivery of `event` `times` times more.

    For an act of which a CRM tells by several events, where the emulator's own repeating takes the first of them.
    """
    requests.post(f"{sandbox_url}/_sandbox/settle", json={}, timeout=30)
    answer = requests.get(f"{sandbox_url}/_sandbox/deliveries", params={"vendor": vendor}, timeout=10)
    rows: list[dict[str, Any]] = [row for row in answer.json()["deliveries"] if row["event"] == event]
    last = {row["url"]: row["body"] for row in rows}
    for url, body in last.items():
        for _ in range(times):
            requests.post(url, data=body.encode(), headers={"Content-Type": FORM}, timeout=10)
    return len(last)
