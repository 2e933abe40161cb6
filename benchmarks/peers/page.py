"""The runs of a comparison, their ratios, and the page that shows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

HEAD = """# Benchmarks

crmkit beside the public Python clients of the same CRMs: one run, the same emulated account, each client in a process
of its own. Written by `make bench` on {day}; `python -m benchmarks.peers.run --quick` takes a tenth of the records.

- **requests** are those that the emulator counted, **refused** the ones that broke the vendor's limit.
- **x floor** is the time against the least that the limit allows for the fewest requests: 7 a second with amoCRM, 10
  with retailCRM, 2 with Bitrix24 after the first 50, which pass at once: a job within those has no floor.
- **x fastest** and **x leanest** are time and CPU of the client's process against the best client of the table that
  finished. Seconds belong to one machine on one day; the ratios are what to compare.
- **peak MB** is the most memory that the process held, its interpreter and libraries included.
- crmkit, aioamocrm and amocrm-api give records, the others dictionaries; fast-bitrix24 and the plain list of b24pysdk
  hold all of them at once.
"""


@dataclass(frozen=True)
class Job:
    """What is done: `per_request` records fit in a request, `per_second` are allowed after the first `burst`."""

    vendor: str
    name: str
    size: int
    what: str
    per_request: int
    per_second: float
    burst: int = 0

    @property
    def title(self) -> str:
        """The job in words."""
        return f"{self.size:,} {self.what}"


@dataclass(frozen=True)
class Mode:
    """How the emulator answers."""

    title: str
    is_limited: bool
    latency_s: float


@dataclass(frozen=True)
class Run:
    """One client at one job; `fault` is what stopped it."""

    job: Job
    mode: Mode
    client: str
    requests: int
    refused: int
    floor_s: float
    done: int
    wall_s: float
    cpu_s: float
    peak_mb: float
    fault: str | None

    @property
    def is_whole(self) -> bool:
        """True when every record was handled."""
        return self.fault is None and self.done == self.job.size

    @property
    def outcome(self) -> str:
        """What came of it, in words."""
        if self.is_whole:
            return "all"
        return "stopped: " + self.fault.replace("|", "/") if self.fault else f"{self.done:,} of {self.job.size:,}"


def table(runs: Sequence[Run]) -> str:
    """The runs of one job in one mode as rows."""
    whole = [run for run in runs if run.is_whole]
    fastest = min((run.wall_s for run in whole), default=1.0)
    leanest = min((run.cpu_s for run in whole), default=1.0)
    lines = [
        "| client | requests | refused | seconds | x floor | x fastest | CPU s | x leanest | peak MB | records |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for run in runs:
        floor = f"{run.wall_s / run.floor_s:.2f}" if run.floor_s and run.is_whole else "-"
        ratios = (f"{run.wall_s / fastest:.2f}", f"{run.cpu_s / leanest:.2f}") if run.is_whole else ("-", "-")
        cells = (run.client, run.requests, run.refused, f"{run.wall_s:.2f}", floor, ratios[0], f"{run.cpu_s:.2f}")
        lines.append(f"| {' | '.join(map(str, (*cells, ratios[1], f'{run.peak_mb:.0f}', run.outcome)))} |")
    return "\n".join(lines)


def behind(runs: Sequence[Run]) -> Iterator[str]:
    """Where crmkit is not the fastest within the limits, or takes over twice the CPU of the leanest."""
    for (job, mode), group in groupby(runs, lambda run: (run.job, run.mode)):
        rows = list(group)
        ours, whole = rows[0], [run for run in rows[1:] if run.is_whole]
        where = f"{job.title}, {mode.title}: crmkit"
        if not ours.is_whole:
            yield f"- {where} {ours.outcome}"
        fastest = min(whole, key=lambda run: run.wall_s, default=ours)
        if mode.is_limited and ours.wall_s > fastest.wall_s:
            yield f"- {where} takes {ours.wall_s / fastest.wall_s:.2f} of the time of {fastest.client}"
        leanest = min(whole, key=lambda run: run.cpu_s, default=ours)
        if ours.cpu_s > 2 * leanest.cpu_s:
            yield f"- {where} takes {ours.cpu_s / leanest.cpu_s:.2f} of the CPU of {leanest.client}"


def page(runs: Sequence[Run], day: date) -> str:
    """The whole page."""
    parts = [HEAD.format(day=day.isoformat())]
    for job, of_job in groupby(runs, lambda run: run.job):
        parts.append(f"## {job.title}\n")
        for mode, group in groupby(of_job, lambda run: run.mode):
            parts.append(f"With {mode.title}:\n\n{table(list(group))}\n")
    late = list(behind(runs)) or ["Nowhere in this run."]
    parts += [
        "## Where crmkit is behind\n",
        "Slower than another within the limits, or over twice the CPU of the leanest:\n",
    ]
    return "\n".join([*parts, *late]) + "\n"
