"""The matcher beside splink and beside equality of phones and addresses: one base, each in a process of its own."""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.dedup_data.dataset import Dataset
from benchmarks.dedup_data.equality import by_equality
from benchmarks.dedup_data.evaluate import Found, Score, evaluate, found_in, report
from benchmarks.dedup_data.files import STYLES, write_people
from benchmarks.dedup_data.hardness import LEVELS
from benchmarks.dedup_data.people import people

from crmkit.identity import email_key, parse_name, parse_phones
from crmkit_dedup.files.reading import read_people
from crmkit_dedup.rows import PersonRow
from crmkit_dedup.scan import scan_people

THRESHOLDS = (0.5, 0.9, 0.99, 0.999, 0.9999)
"""Probabilities at which splink's clusters are cut; the best by F1 is shown, which nobody knows beforehand."""


class Answer(NamedTuple):
    """Clusters by the name of the setting that gave them, the wall time in seconds, the peak of memory in MB."""

    found: Mapping[str, dict[str, Found]]
    seconds: float
    peak: float


def ours(path: Path) -> dict[str, dict[str, Found]]:
    """The matcher as it is delivered."""
    return {"": found_in(scan_people(read_people(path).rows()).clusters)}


def equality(path: Path) -> dict[str, dict[str, Found]]:
    """Equal phones and equal addresses, after the same normalising as ours."""
    return {"": by_equality(read_people(path).rows())}


def splink(path: Path) -> dict[str, dict[str, Found]]:
    """splink with the comparisons that its tutorial advises for people, on columns made by our own normalizers."""
    import pyarrow as pa  # it has no types
    import splink.comparison_library as library
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    for row in read_people(path).rows():
        for name, value in zip(_COLUMNS, _plain(row), strict=True):
            columns[name].append(value or None)
    rules = (("phone",), ("email",), ("last", "first"), ("last", "birthday"), ("first", "middle", "birthday"))
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            library.NameComparison("first").configure(term_frequency_adjustments=True),
            library.NameComparison("last").configure(term_frequency_adjustments=True),
            library.JaroWinklerAtThresholds("middle", [0.9]),
            library.ExactMatch("phone").configure(term_frequency_adjustments=True),
            library.ExactMatch("email").configure(term_frequency_adjustments=True),
            library.DamerauLevenshteinAtThresholds("birthday", 1),
            library.ExactMatch("city").configure(term_frequency_adjustments=True),
        ],
        blocking_rules_to_generate_predictions=[block_on(*rule) for rule in rules],
        retain_matching_columns=False,
    )
    linker = Linker(DuckDBAPI().register(pa.table(columns)), settings, log_level=40)
    training = linker.training
    training.estimate_probability_two_random_records_match([block_on("phone"), block_on("email")], recall=0.7)
    training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
    training.estimate_parameters_using_expectation_maximisation(block_on("phone"))
    training.estimate_parameters_using_expectation_maximisation(block_on("last", "first"))
    predicted = linker.inference.predict(threshold_match_probability=min(THRESHOLDS))
    found = {}
    for threshold in THRESHOLDS:
        clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
            predicted, threshold_match_probability=threshold
        )
        found[f"{threshold}"] = {
            record["unique_id"]: Found(str(record["cluster_id"]), "auto") for record in clusters.as_record_list()
        }
    return found


_COLUMNS = ("unique_id", "last", "first", "middle", "phone", "email", "birthday", "city")


def _plain(row: PersonRow) -> tuple[str, ...]:
    name = parse_name(" ".join(filter(None, (row.last, row.first, row.middle, row.name))))
    phones, email = parse_phones(row.phones), email_key(row.emails.partition(";")[0])
    parts = (part.casefold().replace("ё", "е") if part else "" for part in (name.last, name.first, name.middle))
    birthday = row.birthday.isoformat() if row.birthday else ""
    return (row.id, *parts, phones[0].e164 if phones else "", email or "", birthday, row.city.casefold())


CONTENDERS: Mapping[str, Callable[[Path], dict[str, dict[str, Found]]]] = {
    "crmkit": ours,
    "equality": equality,
    "splink": splink,
}


def main() -> None:
    """Print each contender's figures, and the ratios of ours to theirs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--hardness", choices=tuple(LEVELS), default="medium")
    asked = parser.parse_args()
    data = people(asked.size, seed=asked.seed, level=LEVELS[asked.hardness])
    print(f"{asked.size:,} people, {asked.hardness}, seed {asked.seed}")
    contenders = [name for name in CONTENDERS if name != "splink" or importlib.util.find_spec("splink")]
    if "splink" not in contenders:
        print("splink is not installed: pip install 'crmkit[bench]'")
    best: dict[str, tuple[Score, Answer]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        write_people(data.rows, path, STYLES["ru3"])
        for name in contenders:
            best[name] = _best(name, _apart(name, path), data)
    mine, own = best.pop("crmkit")
    for name, (score, answer) in best.items():
        print(
            f"crmkit / {name}: F1 {mine.f1 / score.f1:.2f}, time {own.seconds / answer.seconds:.2f}, "
            f"memory {own.peak / answer.peak:.2f}"
        )


def _best(name: str, answer: Answer, data: Dataset[PersonRow]) -> tuple[Score, Answer]:
    scores = {setting: evaluate(found, data.truth(), traps=data.traps) for setting, found in answer.found.items()}
    setting = max(scores, key=lambda one: scores[one].f1)
    at = f" at {setting}" if setting else ""
    print(f"{name}{at}: {answer.seconds:.1f} s, {answer.peak:,.0f} MB")
    print(report(scores[setting], title="  "))
    return scores[setting], answer


def _apart(name: str, path: Path) -> Answer:
    """The answer of a contender in a fresh process, so that its peak of memory is its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_answer, name, path).result()


def _answer(name: str, path: Path) -> Answer:
    started = time.perf_counter()
    found = CONTENDERS[name](path)
    seconds = time.perf_counter() - started
    # What a process of its own and its helper hold in common is counted twice: rather too much than too little.
    peaks = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return Answer(found, seconds, sum(peaks) / 1024)


if __name__ == "__main__":
    main()
