"""The check of an import: a dump beside what the CRM holds, each loss on a line."""

from __future__ import annotations

import csv
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import click

from crmkit.errors import ConfigError
from crmkit.models import Contact
from crmkit_cli.bar import Bar
from crmkit_cli.dedup_report import as_read, figure, print_columns, print_problems
from crmkit_cli.dedup_scan import check_places, in_our_language, watching, written
from crmkit_cli.language import tr
from crmkit_cli.opening import open_migrated, read_config
from crmkit_cli.screen import print_json, print_table
from crmkit_dedup.files.reading import Reading, read_people
from crmkit_dedup.files.writing import guarded
from crmkit_dedup.imported import Arrival, Fate, arrivals
from crmkit_dedup.rows import PersonRow, person_row
from crmkit_runtime.desk import DeskMirror

COLUMNS = ("record_id", "fate", "crm_ids", "is_sure", "lost_phones", "lost_emails", "lost_names")


@dataclass(frozen=True)
class Asked:
    """What a person asked for: a dump, and an export or an account to compare it with."""

    dump: Path
    export: Path | None
    account: str | None
    config_path: Path
    out: Path | None
    country: str
    fields: Mapping[str, Sequence[str]]
    crm_fields: Mapping[str, Sequence[str]]
    as_json: bool


@in_our_language()
def run(asked: Asked) -> bool:
    """Compare, write and report; gives whether anything is missing or lost."""
    begun = time.monotonic()
    check_places(data=_files(asked), answers=(asked.out,))
    readings = [read_people(asked.dump, fields=asked.fields)]
    if asked.export is not None:
        readings.append(read_people(asked.export, fields=asked.crm_fields))
    if not asked.as_json:
        for path, one in zip(_files(asked), readings, strict=True):
            print_columns(path, one.table.form, one.columns)
    with Bar(is_silent=asked.as_json) as bar:
        dump = list(readings[0].rows())
        crm = list(readings[1].rows()) if asked.export is not None else _mirrored(asked)
        found = list(arrivals(dump, crm, country=asked.country, progress=watching(bar)))
    losses = [arrival for arrival in found if arrival.fate is not Fate.KEPT]
    if asked.out is not None:
        with written(asked.out) as file:
            _write(file, losses)
    _report(asked, readings, found, len(crm), time.monotonic() - begun)
    return bool(losses)


def _files(asked: Asked) -> list[Path]:
    return [path for path in (asked.dump, asked.export) if path is not None]


def _mirrored(asked: Asked) -> list[PersonRow]:
    """The contacts of an account as they were last seen; no CRM is called."""
    account = asked.account or ""
    known = read_config(asked.config_path).accounts
    if account not in known:
        raise ConfigError(
            tr(f"нет аккаунта {account!r}", f"there is no account {account!r}"),
            remedy=tr(f"Есть: {', '.join(known)}.", f"There is: {', '.join(known)}."),
        )
    with open_migrated(asked.config_path) as database:
        rows = [person_row(contact) for contact in DeskMirror(database, account).scan(Contact)]
    if not rows:
        raise ConfigError(
            tr(f"в зеркале аккаунта {account} нет контактов", f"the mirror of {account} holds no contacts"),
            remedy=tr(
                "Зеркало ведётся для тех, кому нужны контакты: включите [extensions.dedup] и дождитесь загрузки "
                "(crmkit accounts --watch), или дайте выгрузку CRM.",
                "Contacts are mirrored for extensions that need them: add [extensions.dedup] and wait for the first "
                "load (crmkit accounts --watch), or give the CRM's export.",
            ),
        )
    return rows


def _write(file: TextIO, losses: Iterable[Arrival]) -> None:
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow(COLUMNS)
    for loss in losses:
        lists = (loss.records, loss.lost_phones, loss.lost_emails, loss.lost_names)
        records, phones, emails, names = (guarded("; ".join(items)) for items in lists)
        lines.writerow((guarded(loss.id), loss.fate.value, records, loss.is_sure, phones, emails, names))


def _report(
    asked: Asked, readings: Sequence[Reading[PersonRow]], found: Sequence[Arrival], held: int, seconds: float
) -> None:
    files = _files(asked)
    figures = _figures(found)
    if asked.as_json:
        read = [
            as_read(path, one.table.form, one.columns, one.problems) for path, one in zip(files, readings, strict=True)
        ]
        print_json({"files": read, "crm_records": held, **figures, "seconds": round(seconds, 2)})
        return
    for path, one in zip(files, readings, strict=True):
        print_problems(path, one.problems)
    texts = {
        "rows": tr("строк в дампе", "rows of the dump"),
        "kept": tr("дошли целиком", "arrived whole"),
        "missing": tr("нет в CRM", "missing in the CRM"),
        "lost": tr("дошли с потерями", "arrived with losses"),
        "lost_phone": tr("потеряли телефон", "lost a phone"),
        "lost_email": tr("потеряли почту", "lost an e-mail"),
        "lost_name": tr("потеряли имя или его часть", "lost the name or a part of it"),
        "repeated": tr("в CRM больше одного раза", "in the CRM more than once"),
        "unsure": tr("найдены неуверенно, проверьте", "found with doubt: check them"),
    }
    print_table(
        [tr("импорт", "import"), tr("сколько", "how many")],
        [(texts[name], figure(count)) for name, count in figures.items()],
    )
    click.echo(tr(f"записей в CRM: {figure(held)}", f"records in the CRM: {figure(held)}"))
    if asked.out is not None:
        click.echo(f"{tr('потери', 'losses')}: {asked.out}")


def _figures(found: Sequence[Arrival]) -> dict[str, int]:
    fates = Counter(arrival.fate for arrival in found)
    return {
        "rows": len(found),
        "kept": fates[Fate.KEPT],
        "missing": fates[Fate.MISSING],
        "lost": fates[Fate.LOST],
        "lost_phone": sum(bool(arrival.lost_phones) for arrival in found),
        "lost_email": sum(bool(arrival.lost_emails) for arrival in found),
        "lost_name": sum(bool(arrival.lost_names) for arrival in found),
        "repeated": sum(len(arrival.records) > 1 for arrival in found),
        "unsure": sum(not arrival.is_sure for arrival in found),
    }
