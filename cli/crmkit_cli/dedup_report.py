"""Reports of `crmkit dedup`: how a file was read, what was found in it; as tables, or as one JSON line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from crmkit_cli.language import language, tr
from crmkit_cli.screen import print_json, print_table
from crmkit_dedup.files.columns import Columns
from crmkit_dedup.files.problems import TEXTS, Problems
from crmkit_dedup.match import Counts, Reason
from crmkit_dedup.reasons import reason_text

_SHOWN = 5
"""Lines of one kind of problem, reasons and shared phones that a person is shown."""

_LISTED = 20
"""Columns that are not read which a person is shown; nobody reads hundreds."""


@dataclass(frozen=True)
class ScanReport:
    """A scan of a file, for printing."""

    file: Path
    kind: str
    form: str
    columns: Columns
    problems: Problems
    counts: Counts
    out: Path | None
    pairs: Path | None
    seconds: float


def print_scan(report: ScanReport, *, as_json: bool) -> None:
    """Print what a scan has found; how the file was read stands above, printed before the work began."""
    if as_json:
        counts = report.counts._asdict() | {
            "shared_phones": dict(report.counts.shared_phones),
            "reasons": dict(report.counts.reasons),
        }
        read = as_read(report.file, report.form, report.columns, report.problems)
        print_json(read | {"kind": report.kind, **counts, "seconds": round(report.seconds, 2)})
        return
    print_problems(report.file, report.problems)
    _print_counts(report.counts)
    for path, what in ((report.out, tr("кластеры", "clusters")), (report.pairs, tr("пары", "pairs"))):
        if path is not None:
            click.echo(f"{what}: {path}")
    click.echo(tr(f"за {report.seconds:.1f} с", f"in {report.seconds:.1f} s"))


def as_read(file: Path, form: str, columns: Columns, problems: Problems) -> dict[str, object]:
    """How a file was read, as plain values."""
    return {
        "file": str(file),
        "form": form,
        "columns": [{"field": field, "column": heading} for field, heading in columns.shown()],
        "is_guessed": columns.is_guessed,
        "unread": list(columns.unknown),
        "problems": dict(problems.counts),
        "problem_lines": [problem._asdict() for problem in problems.kept],
    }


def print_columns(file: Path, form: str, columns: Columns) -> None:
    """Print how a file is read: which column is what."""
    click.echo(f"{file}: {form}")
    if columns.is_guessed:
        click.echo(
            tr(
                "Заголовков нет: столбцы определены по содержимому, проверьте их.",
                "There are no headings: columns were told from what they hold; check them.",
            )
        )
    print_table([tr("столбец", "column"), tr("поле", "field")], [(name, field) for field, name in columns.shown()])
    if columns.unknown:
        listed = ", ".join(columns.unknown[:_LISTED]) + (" …" if len(columns.unknown) > _LISTED else "")
        click.echo(tr(f"не прочитаны столбцы: {listed}", f"columns not read: {listed}"))
    click.echo()


def print_problems(file: Path, problems: Problems) -> None:
    """Print what was wrong in a file, and in which lines; beside the report, so that a redirected one stays clean."""
    for code, count in problems.counts.most_common():
        kept = [problem for problem in problems.kept if problem.code == code]
        lines = ", ".join(str(problem.line) for problem in kept[:_SHOWN]) + (" …" if count > _SHOWN else "")
        text = tr(*TEXTS[code])
        told = tr(f"{text}: {figure(count)} (строки {lines})", f"{text}: {figure(count)} (lines {lines})")
        click.echo(f"{file.name}: {told}", err=True)


def figure(count: int) -> str:
    """The number as the reader's language groups its digits."""
    return f"{count:,}" if language() == "en" else f"{count:,}".replace(",", "\u00a0")


def _print_counts(counts: Counts) -> None:
    print_table(
        [tr("найдено", "found"), tr("сколько", "how many")],
        [
            (tr("записей", "records"), figure(counts.records)),
            (tr("кластеров дублей", "clusters of duplicates"), figure(counts.clusters)),
            (tr("записей в них", "records in them"), figure(counts.in_clusters)),
            (tr("объединить без вопросов (auto)", "to merge unasked (auto)"), figure(counts.auto_records)),
            (tr("посмотреть человеку (review)", "for a person to look at (review)"), figure(counts.review_records)),
            (
                tr("пар auto / review", "pairs auto / review"),
                f"{figure(counts.auto_pairs)} / {figure(counts.review_pairs)}",
            ),
            (tr("мусор", "junk"), figure(counts.junk)),
        ],
    )
    if counts.reasons:
        click.echo(tr("чаще всего помогло:", "what helped most:"))
        for code, count in counts.reasons[:_SHOWN]:
            click.echo(f"  {figure(count)}  {reason_text(Reason(code, 0.0), language())}")
    if counts.shared_phones:
        click.echo(tr("общие для разных владельцев:", "shared by different owners:"))
        for phone, count in counts.shared_phones[:_SHOWN]:
            click.echo(f"  {phone}  {figure(count)}")
