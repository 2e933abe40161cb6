"""What a scan of a whole base costs and how good it is: `python -m benchmarks.dedup_scan --size 100000`.

The base is drawn with its truth, written to a file and scanned by the command itself, in a process of its own, so that
reading, writing and every process it starts are counted. Equality of phones and mailboxes stands beside it.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.dedup_data import files
from benchmarks.dedup_data.equality import by_equality
from benchmarks.dedup_data.evaluate import evaluate, found_in_file, report
from benchmarks.dedup_data.hardness import LEVELS
from benchmarks.dedup_data.people import people

BETWEEN_LOOKS_S = 0.1
KILO = 1024


class Cost(NamedTuple):
    """Seconds on the clock and of the processors, and megabytes of all processes together at their most."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def main() -> None:
    """Print cost and score of each level asked."""
    asked = _asked()
    for level in [asked.hardness] if asked.hardness != "all" else list(LEVELS):
        data = people(asked.size, seed=asked.seed, level=LEVELS[level])
        truth = data.truth()
        started = time.process_time()
        plain = evaluate(by_equality(data.rows), truth, traps=data.traps)
        plain_s = time.process_time() - started
        with tempfile.TemporaryDirectory() as folder:
            source, out = Path(folder, "contacts.csv"), Path(folder, "clusters.csv")
            files.write_people(data.rows, source, files.STYLES[asked.style])
            cost = _measured(
                [str(Path(sys.executable).with_name("crmkit")), "dedup", "scan", str(source), "--out", str(out)]
            )
            score = evaluate(found_in_file(out), truth, traps=data.traps)
        print(f"{asked.size:,} contacts, seed {asked.seed}, {level}")
        print(f"  scan: {cost.wall_s:.1f} s, processors {cost.cpu_s:.1f} s, {cost.peak_mb:.0f} MB at its most")
        print(report(score, title="  "))
        print(f"  equality of phones and mailboxes: F1 {plain.f1:.4f} in {plain_s:.1f} s")
        print(f"  ratio of F1 {score.f1 / plain.f1:.2f}, of processor time {cost.cpu_s / plain_s:.1f}")


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--hardness", choices=(*LEVELS, "all"), default="medium")
    parser.add_argument("--style", choices=tuple(files.STYLES), default="ru3")
    return parser.parse_args()


def _measured(command: list[str]) -> Cost:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        peak = 0
        while process.poll() is None:
            peak = max(peak, sum(map(_kilobytes, _family(process.pid))))
            time.sleep(BETWEEN_LOOKS_S)
    wall = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"the scan ended with {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, peak / KILO)


def _family(pid: int) -> list[int]:
    """The process and all that it has started."""
    found = [pid]
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text(encoding="ascii").split():
                found += _family(int(child))
    except OSError:
        return found
    return found


def _kilobytes(pid: int) -> int:
    """Memory of a process; what it shares with others is divided among them."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


if __name__ == "__main__":
    main()
