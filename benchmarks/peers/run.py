"""crmkit and the public clients of the three CRMs do the same jobs on the same emulators, in one run.

    python -m benchmarks.peers.run [--quick]

Each client is a process of its own, each emulator another. `docs/benchmarks.md` is written anew, unless `--quick`:
that takes a tenth of the records, and only prints.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.peers.emulator import Emulator, emulator
from benchmarks.peers.page import Job, Mode, Run, behind, page, table

ROOT = Path(__file__).parents[2]
CLIENTS = Path(__file__).parent / "clients"
PEERS = ROOT / ".venv-peers" / "bin" / "python"
PAGE = ROOT / "docs" / "benchmarks.md"
MODES = (Mode("the vendor's limits, latency 100 ms", True, 0.1), Mode("no limits, no latency", False, 0.0))
JOBS: Sequence[Job] = (
    Job("amocrm", "leads", 20_000, "leads of amoCRM", 250, 7.0),
    Job("bitrix24", "deals", 50_000, "deals of Bitrix24, all fields", 2500, 2.0, 50),
    Job("bitrix24", "contacts by id", 5_000, "contacts of Bitrix24 by id", 2500, 2.0, 50),
    Job("bitrix24", "tasks", 2_000, "new to-dos in Bitrix24", 50, 2.0, 50),
    Job("bitrix24", "many tasks", 5_000, "new to-dos in Bitrix24", 50, 2.0, 50),
    Job("retailcrm", "customers", 20_000, "customers of retailCRM", 100, 10.0),
    Job("retailcrm", "orders", 20_000, "orders of retailCRM", 100, 10.0),
)
# The name of a client, its script, and how the script calls the job where that differs.
CLIENTS_OF: Mapping[str, Sequence[tuple[str, str, str]]] = {
    "leads": (("aioamocrm", "aioamocrm", ""), ("amocrm-api", "amocrm_api", "")),
    "deals": (
        ("b24pysdk, list", "b24pysdk", ""),
        ("b24pysdk, fast list", "b24pysdk", "fast "),
        ("fast-bitrix24", "fast_bitrix24", ""),
    ),
    "contacts by id": (("b24pysdk", "b24pysdk", ""), ("fast-bitrix24", "fast_bitrix24", "")),
    "tasks": (("b24pysdk", "b24pysdk", ""), ("fast-bitrix24", "fast_bitrix24", "")),
    "many tasks": (("b24pysdk", "b24pysdk", ""), ("fast-bitrix24", "fast_bitrix24", "")),
    "customers": (("retailcrm", "retailcrm", ""),),
    "orders": (("retailcrm", "retailcrm", ""),),
}


def main() -> None:
    """Run everything, print the tables, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the records, and no page is written")
    parser.add_argument("--only", choices=[job.name for job in JOBS], help="one job alone, and no page is written")
    given = parser.parse_args()
    if not PEERS.exists():
        sys.exit("The public clients are not installed; run `make peers` first.")
    jobs = [replace(job, size=job.size // 10) for job in JOBS] if given.quick else JOBS
    runs: list[Run] = []
    for job, mode in ((job, mode) for job in jobs if given.only in (None, job.name) for mode in MODES):
        with emulator(job.vendor, {one.name: one.size for one in jobs}) as account:
            mine = list(_runs(account, job, mode))
        print(f"\n{job.title}; {mode.title}\n\n{table(mine)}", flush=True)
        runs += mine
    print("\n".join(behind(runs)) or "crmkit is behind nobody")
    if not given.quick and not given.only:
        PAGE.write_text(page(runs, datetime.now(UTC).date()), encoding="utf-8")


def _runs(account: Emulator, job: Job, mode: Mode) -> Iterator[Run]:
    ours = ("crmkit", "crmkit", "")
    for client, script, prefix in (ours, *CLIENTS_OF[job.name]):
        account.begin(is_limited=mode.is_limited, latency_s=mode.latency_s)
        interpreter = sys.executable if client == "crmkit" else str(PEERS)
        command = [interpreter, str(CLIENTS / f"{script}_jobs.py"), prefix + job.name]
        told = json.dumps(_given(account, job, mode))
        done = subprocess.run(command, input=told, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode:
            raise SystemExit(f"{client} did not start with {job.title}:\n{done.stderr}")
        spent = json.loads(done.stdout.splitlines()[-1])
        requests, refused = account.count()
        floor_s = max(0.0, math.ceil(job.size / job.per_request) - job.burst) / job.per_second * mode.is_limited
        yield Run(job, mode, client, requests, refused, floor_s, **spent)


def _given(account: Emulator, job: Job, mode: Mode) -> dict[str, Any]:
    ids = account.given.get("ids", {}).get(job.name, [])
    due = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
    todo = {"ownerTypeId": 2, "deadline": due, "title": "Call back"}
    own = {"base_url": account.given["base_url"], "secrets": account.given["secrets"]}
    todos = [{**todo, "ownerId": one} for one in ids] if job.name.endswith("tasks") else []
    return {"vendor": job.vendor, "is_unlimited": not mode.is_limited, "ids": ids, "todos": todos, **own}


if __name__ == "__main__":
    main()
