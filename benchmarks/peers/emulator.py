"""One emulated CRM in a process of its own, filled, and told between the runs which limits to keep."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from crmkit_sandbox import Sandbox

TASKS = ("tasks", "many tasks")


class Emulator:
    """The other side of the pipe: sets the limits anew, and counts what came since."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self.given: Mapping[str, Any] = pipe.recv()

    def begin(self, *, is_limited: bool, latency_s: float) -> None:
        """Forget all calls; keep these limits from now on."""
        self._pipe.send((is_limited, latency_s))
        self._pipe.recv()

    def count(self) -> tuple[int, int]:
        """Calls since `begin`, and how many of them the limit refused."""
        self._pipe.send("count")
        calls, refused = self._pipe.recv()
        return calls, refused


@contextmanager
def emulator(vendor: str, sizes: Mapping[str, int]) -> Iterator[Emulator]:
    """A filled account that answers until the end of the block."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(daemon=True, target=_serve, args=(vendor, sizes, theirs))
    process.start()
    try:
        yield Emulator(ours)
    finally:
        ours.send("stop")
        process.join()


def _serve(vendor: str, sizes: Mapping[str, int], pipe: Connection) -> None:
    with Sandbox((vendor,)) as sandbox:
        pipe.send(_filled(sandbox, vendor, sizes))
        crm = sandbox.vendors[vendor]
        while (told := pipe.recv()) != "stop":
            if told == "count":
                statuses = [call.status for call in crm.requests]
                pipe.send((len(statuses), sum(status in (429, 503) for status in statuses)))
                continue
            crm.limits.enabled, sandbox.latency_s = told
            crm.limits.reset()
            crm.requests.reset()
            pipe.send(None)


def _filled(sandbox: Sandbox, vendor: str, sizes: Mapping[str, int]) -> dict[str, Any]:
    """The address and secrets of the account, and ids of its records."""
    if vendor == "amocrm":
        amo = sandbox.amocrm
        amo.bulk_leads(sizes["leads"])
        return {"base_url": amo.base_url, "secrets": {"token": amo.issue_tokens()["access_token"]}}
    if vendor == "retailcrm":
        retail = sandbox.retailcrm
        retail.bulk_customers(sizes["customers"])
        retail.bulk_orders(sizes["orders"])
        return {"base_url": retail.base_url, "secrets": {"api_key": retail.api_key}}
    portal = sandbox.bitrix24
    deals, contacts = portal.bulk_deals(sizes["deals"]), portal.bulk_contacts(sizes["contacts by id"])
    ids = {"contacts by id": list(contacts), **{name: list(deals[: sizes[name]]) for name in TASKS}}
    return {"base_url": portal.base_url, "secrets": {"webhook": portal.webhook_url}, "ids": ids}
