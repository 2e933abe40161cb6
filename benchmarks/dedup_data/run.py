"""Draw a base, scan it and print how good the answer is: `python -m benchmarks.dedup_data.run --size 100000`."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.dedup_data import companies, deals, files
from benchmarks.dedup_data.dataset import Dataset
from benchmarks.dedup_data.equality import by_equality
from benchmarks.dedup_data.evaluate import Found, evaluate, found_in, found_in_file, report
from benchmarks.dedup_data.hardness import LEVELS
from benchmarks.dedup_data.people import people

DRAWN: Mapping[str, Callable[..., Dataset[Any]]] = {
    "contacts": people,
    "companies": companies.companies,
    "deals": deals.deals,
}


def main() -> None:
    """Print scores for each level asked; with --write the base goes to files and nothing is scanned."""
    asked = _asked()
    for level in [asked.hardness] if asked.hardness != "all" else list(LEVELS):
        started = time.perf_counter()
        data = DRAWN[asked.kind](asked.size, seed=asked.seed, level=LEVELS[level])
        print(
            f"{asked.kind} {asked.size:,}, seed {asked.seed}, {level}: drawn in {time.perf_counter() - started:.1f} s"
        )
        if asked.write:
            _write(data, asked.kind, asked.write, asked.style)
            continue
        started = time.perf_counter()
        found = found_in_file(asked.clusters) if asked.clusters else _scanned(data, asked.kind, asked.matcher)
        print(f"  answered in {time.perf_counter() - started:.1f} s")
        noise = {row.id: kinds for row, kinds in zip(data.rows, data.noise, strict=True)}
        print(report(evaluate(found, data.truth(), traps=data.traps, noise=noise), title="  "))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", choices=tuple(DRAWN), default="contacts")
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--hardness", choices=(*LEVELS, "all"), default="all")
    parser.add_argument("--matcher", choices=("crmkit", "equality"), default="crmkit")
    parser.add_argument(
        "--clusters", type=Path, help="score this clusters.csv, made of the same base, and scan nothing"
    )
    parser.add_argument("--write", type=Path, help="a folder for the base and its truth")
    parser.add_argument("--style", choices=tuple(files.STYLES), default="ru3")
    return parser.parse_args()


def _scanned(data: Dataset[Any], kind: str, matcher: str) -> dict[str, Found]:
    if matcher == "equality":
        return by_equality(data.rows)
    # The plain matcher is asked for where ours is being changed.
    from crmkit_dedup import scan

    if kind == "contacts":
        return found_in(scan.scan_people(data.rows).clusters)
    if kind == "companies":
        return found_in(scan.scan_companies(data.rows).clusters)
    return found_in(scan.scan_deals(data.rows).clusters)


def _write(data: Dataset[Any], kind: str, folder: Path, style: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "contacts":
        files.write_people(data.rows, folder / "contacts.csv", files.STYLES[style])
    else:
        files.write_plain(data.rows, folder / f"{kind}.csv")
    files.write_truth(data, folder)


if __name__ == "__main__":
    main()
