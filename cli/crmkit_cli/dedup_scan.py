"""A scan of a file: rows in, clusters and pairs out, the report of it shown."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

from crmkit.errors import ConfigError
from crmkit.extension import Progress
from crmkit_cli.bar import Bar
from crmkit_cli.dedup_report import ScanReport, print_columns, print_scan
from crmkit_cli.language import language, tr
from crmkit_dedup import scan
from crmkit_dedup.files.clusterfile import read_clusters
from crmkit_dedup.files.reading import Reading, read_companies, read_deals, read_people
from crmkit_dedup.files.refusals import FileRefused
from crmkit_dedup.files.writing import write_clusters, write_pairs
from crmkit_dedup.found import Scan
from crmkit_dedup.rows import DealRow

Watch = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class Asked:
    """What a person asked for; `fields` are field -> headings of its columns."""

    file: Path
    kind: Literal["contacts", "companies", "deals"]
    out: Path | None
    pairs: Path | None
    contacts: Path | None
    country: str
    sheet: str | None
    fields: Mapping[str, Sequence[str]]
    own_phones: tuple[str, ...]
    as_json: bool


@contextmanager
def in_our_language() -> Iterator[None]:
    """Refuse files in the reader's language."""
    try:
        yield
    except FileRefused as refusal:
        raise refusal.spoken(language()) from refusal


@in_our_language()
def run(asked: Asked) -> None:
    """Scan, write and report. Raises ConfigError for what cannot be read or written."""
    begun = time.monotonic()
    check_places(data=(asked.file, asked.contacts), answers=(asked.out, asked.pairs))
    reading = _reading(asked)
    if not asked.as_json:
        # Before minutes of work: a column read as another one makes them worthless.
        print_columns(asked.file, reading.table.form, reading.columns)
    with Bar(is_silent=asked.as_json) as bar, scan.without_collector():
        watch = watching(bar)
        found = _scanned(asked, reading, watch)
        watch("write", 0, len(found))
        if asked.out is not None:
            with written(asked.out) as file:
                write_clusters(file, found.clusters, language())
        if asked.pairs is not None:
            with written(asked.pairs) as file:
                write_pairs(file, found.pairs(), language())
        watch("write", len(found), len(found))
        # The base stays until the end: no later search need walk it either.
        gc.freeze()
    print_scan(
        ScanReport(
            asked.file, asked.kind, reading.table.form, reading.columns, reading.problems, found.counts, asked.out,
            asked.pairs, time.monotonic() - begun,
        ),
        as_json=asked.as_json,
    )  # fmt: skip


def watching(bar: Bar) -> Watch:
    """Give what draws the steps of a scan; a step is whole when the next one begins."""
    last: Progress | None = None

    def watch(step: str, done: int, total: int | None) -> None:
        nonlocal last
        label = _step(step)
        if last is not None and last.label != label and last.total is not None:
            bar.show(Progress(last.label, last.total, last.total))
        last = Progress(label, done, total)
        bar.show(last)

    return watch


def _step(name: str) -> str:
    steps = {
        "file": tr("чтение файла", "reading the file"),
        "read": tr("разбор записей", "reading the records"),
        "keys": tr("ключи", "keys"),
        "compare": tr("сравнение", "comparing"),
        "write": tr("запись ответа", "writing the answer"),
    }
    return steps.get(name, name)


def _reading(asked: Asked) -> Reading[Any]:
    if asked.kind == "contacts":
        return read_people(asked.file, fields=asked.fields, sheet=asked.sheet)
    if asked.kind == "companies":
        return read_companies(asked.file, fields=asked.fields, sheet=asked.sheet)
    return read_deals(asked.file, fields=asked.fields, sheet=asked.sheet)


def _scanned(asked: Asked, reading: Reading[Any], watch: Watch) -> Scan[Any]:
    rows = reading.rows(lambda done, total: watch("file", done, total))

    def told(step: str, done: int, total: int | None) -> None:
        # The file tells how far it is read by itself, and how much there is.
        if step != "read":
            watch(step, done, total)

    if asked.kind == "contacts":
        return scan.scan_people(rows, country=asked.country, own_phones=asked.own_phones, progress=told)
    if asked.kind == "companies":
        return scan.scan_companies(rows, country=asked.country, progress=told)
    return scan.scan_deals(_of_clients(rows, asked.contacts), progress=told)


def _of_clients(rows: Iterator[DealRow], contacts: Path | None) -> Iterator[DealRow]:
    """Deals whose client is the cluster that an earlier scan has found."""
    clusters = read_clusters(contacts) if contacts is not None else {}
    for row in rows:
        yield row._replace(contact=clusters.get(row.contact, row.contact)) if row.contact in clusters else row


def check_places(*, data: Iterable[Path | None], answers: Iterable[Path | None]) -> None:
    """Refuse before hours of work what cannot be written after them, or would be written over the data."""
    taken = {path.resolve() for path in data if path is not None}
    for path in answers:
        if path is None:
            continue
        if path.resolve() in taken:
            raise ConfigError(
                tr(f"{path} названо дважды", f"{path} is named twice"),
                remedy=tr("Ответ не пишется поверх данных.", "An answer is not written over the data."),
            )
        taken.add(path.resolve())
        if path.is_dir() or not path.parent.is_dir():
            raise ConfigError(
                tr(f"в {path} нельзя записать файл", f"no file can be written to {path}"),
                remedy=tr("Назовите файл в папке, которая есть.", "Name a file in a folder that exists."),
            )


@contextmanager
def written(path: Path) -> Iterator[TextIO]:
    """A file that stands under its name only when all of it is written; what is no plain file is written into."""
    if path.exists() and not path.is_file():
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
        return
    draft = path.with_name(f".{path.name}.part")
    try:
        with draft.open("w", encoding="utf-8", newline="") as file:
            yield file
        draft.replace(path)
    except OSError as error:
        raise ConfigError(
            tr(f"{path} не записан: {error.strerror}", f"{path} was not written: {error.strerror}"),
            remedy=tr("Проверьте место на диске и права.", "See that the disk has room and who may write there."),
        ) from error
    finally:
        draft.unlink(missing_ok=True)
