"""How fast all deals of an amoCRM account are read: requests, wall against the limit's own floor, CPU an entity.

    python benchmarks/amocrm_read.py [DEALS] [--unlimited] [--latency SECONDS]

Stands on the emulator in a process of its own, so that only the reading is measured here. The CPU bar is 35 us an
entity more than `json.loads` of the same pages; the wall bar is 1.10 of the floor ceil(N / 250) / 7.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import resource
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

import requests

PAGE, PER_S = 250, 7


def serve(deals: int, unlimited: bool, latency_s: float, pipe: Connection) -> None:
    """Run the emulator until told to stop."""
    from crmkit_sandbox import Sandbox

    with Sandbox(vendors=("amocrm",)) as sandbox:
        sandbox.amocrm.seed()
        sandbox.amocrm.bulk_leads(deals - len(sandbox.amocrm.leads))
        sandbox.amocrm.limits.enabled = not unlimited
        sandbox.latency_s = latency_s
        pipe.send((sandbox.amocrm.base_url, sandbox.amocrm.token))
        pipe.recv()
        log = [entry for entry in sandbox.amocrm.requests if "/leads" in entry.path or "/events" in entry.path]
        pipe.send((len(log), sum(entry.status == 429 for entry in log)))


def read_all(base_url: str, token: str) -> int:
    """Read every deal as a record."""
    from crmkit import connect

    crm = connect("amocrm", base_url=base_url, token=token)
    _ = crm.account
    return sum(1 for _ in crm.deals.iterate())


def read_plain(base_url: str, token: str) -> int:
    """Read every deal as JSON, one page after the other: the leanest a client can be."""
    session, page, found = requests.Session(), 1, 0
    session.headers["Authorization"] = f"Bearer {token}"
    while True:
        params = {
            "limit": f"{PAGE}",
            "page": f"{page}",
            "order[id]": "asc",
            "with": "contacts,loss_reason,catalog_elements",
        }
        body = json.loads(session.get(f"{base_url}/api/v4/leads", params=params, timeout=30).content)
        found += len(body["_embedded"]["leads"])
        if "next" not in body["_links"]:
            return found
        page += 1


def measured(read: Callable[[str, str], int], base_url: str, token: str) -> tuple[int, float, float]:
    """How many were read, the wall time and the CPU time of this process, in seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = read(base_url, token)
    return found, time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("deals", type=int, nargs="?", default=20_000)
    parser.add_argument("--unlimited", action="store_true", help="let the emulator answer without its limit")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    given = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    server = context.Process(daemon=True, target=serve, args=(given.deals, given.unlimited, given.latency, theirs))
    server.start()
    base_url, token = ours.recv()
    found, wall, cpu = measured(read_all, base_url, token)
    ours.send("stop")
    asked, refused = ours.recv()
    server.join()
    floor = math.ceil(given.deals / PAGE) / PER_S
    print(f"crmkit: {found} deals, {asked} requests ({refused} refused), wall {wall:.2f} s, CPU {cpu:.2f} s")
    print(f"        {cpu / found * 1e6:.1f} us an entity; {wall / floor:.3f} of the limit's floor {floor:.2f} s")
    if given.unlimited:
        plain(given)
    print(f"        peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


def plain(given: argparse.Namespace) -> None:
    """Print what a plain loop costs on the same records."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(
        daemon=True, target=serve, args=(given.deals, True, given.latency, theirs)
    )
    server.start()
    base_url, token = ours.recv()
    found, wall, cpu = measured(read_plain, base_url, token)
    ours.send("stop")
    ours.recv()
    server.join()
    print(f"json.loads alone: {found} deals, wall {wall:.2f} s, CPU {cpu:.2f} s, {cpu / found * 1e6:.1f} us an entity")


if __name__ == "__main__":
    main()
