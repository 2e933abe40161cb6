"""`crmkit dedup`: duplicates in files, before an import and after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, cast

import click

from crmkit_cli.language import tr

_FILE = click.Path(path_type=Path)
_DASH = Path("-")
_STDIN = Path("/dev/stdin")
Kind = Literal["contacts", "companies", "deals"]


class _Group(click.Group):
    """Says a subcommand's summary whole: the line is all a person sees of it."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(tr("Команды", "Commands")):
            formatter.write_dl([(name, one.short_help or "") for name, one in self.commands.items()])


def _map_option(flag: str, name: str, of: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(
        flag,
        name,
        multiple=True,
        metavar="FIELD=COLUMN",
        help=tr(
            f"Какой столбец — какое поле{of}: phone=«Тел. жены», name=#3; можно повторять",
            f"Which column is which field{of}: phone='Wife phone', name=#3; may be repeated",
        ),
    )


_country = click.option(
    "--country",
    default="RU",
    show_default=True,
    help=tr("Страна номеров, написанных без +", "The country of numbers written without +"),
)
_json = click.option(
    "--json", "as_json", is_flag=True, help=tr("Отчёт одной строкой JSON", "The report as a JSON line")
)


@click.group(
    cls=_Group,
    help=tr(
        "Дубли контактов, компаний и сделок в файлах: CSV в любой кодировке, XLSX, XLS, JSON, HTML.\n\n"
        "В CRM ничего не пишется. Дубли в самой CRM ищет расширение: crmkit ext dedup scan.",
        "Duplicates of contacts, companies and deals in files: CSV in any encoding, XLSX, XLS, JSON, HTML.\n\n"
        "Nothing is written to a CRM. Duplicates inside the CRM are the extension's work: crmkit ext dedup scan.",
    ),
)
def command() -> None:
    """The group; each verb opens what it needs."""


@command.command(
    "scan",
    short_help=tr("Найти дубли в файле", "Find the duplicates in a file"),
    help=tr(
        "Найти дубли в файле: выгрузке CRM или списке перед импортом.\n\n"
        "Пример: crmkit dedup scan contacts.csv --out clusters.csv\n\n"
        "FILE — файл или «-» для ввода. "
        "Строка ответа — запись: record_id, cluster_id, band, score, reasons. Записи одного кластера с band=auto можно "
        "объединять не глядя, review — показать человеку, ignore — дублей нет.",
        "Find the duplicates in a file: a CRM's export, or a list before its import.\n\n"
        "Example: crmkit dedup scan contacts.csv --out clusters.csv\n\n"
        "FILE is a file, or - for standard input. "
        "A line of the answer is a record: record_id, cluster_id, band, score, reasons. Records of one cluster with "
        "band=auto may be merged unseen, review is for a person to look at, ignore has no duplicate.",
    ),
)
@click.argument("file", type=_FILE)
@click.option(
    "--kind",
    type=click.Choice(["contacts", "companies", "deals"]),
    default="contacts",
    show_default=True,
    help=tr("Что в файле", "What the file holds"),
)
@click.option("--out", type=_FILE, help=tr("Куда записать кластеры (CSV)", "Where the clusters go (CSV)"))
@click.option("--pairs", type=_FILE, help=tr("Куда записать пары (CSV)", "Where the pairs go (CSV)"))
@click.option(
    "--contacts",
    type=_FILE,
    help=tr("Для сделок: кластеры контактов, найденные раньше", "For deals: the contacts' clusters, found before"),
)
@_country
@click.option("--sheet", help=tr("Лист книги; иначе самый полный", "The sheet of a workbook; else the fullest"))
@_map_option("--map", "maps", "")
@click.option(
    "--own-phone",
    "own_phones",
    multiple=True,
    help=tr("Свой номер компании: он никого не определяет", "The company's own number: it identifies nobody"),
)
@_json
def scan(
    file: Path,
    kind: str,
    out: Path | None,
    pairs: Path | None,
    contacts: Path | None,
    country: str,
    sheet: str | None,
    maps: Sequence[str],
    own_phones: Sequence[str],
    as_json: bool,
) -> None:
    """Exit 0 whatever is found, 2 for a file that cannot be read."""
    from crmkit_cli import dedup_scan

    if contacts is not None and kind != "deals":
        raise click.UsageError(tr("--contacts нужен только для --kind deals", "--contacts is for --kind deals alone"))
    asked = dedup_scan.Asked(
        file=_said(file),
        kind=cast("Kind", kind),
        out=out,
        pairs=pairs,
        contacts=contacts,
        country=_checked(country),
        sheet=sheet,
        fields=_fields(maps),
        own_phones=_numbers(own_phones, country),
        as_json=as_json,
    )
    dedup_scan.run(asked)


@command.command(
    "compare",
    short_help=tr("Проверить импорт: что не дошло до CRM", "Check an import: what did not reach the CRM"),
    help=tr(
        "Проверить импорт: каких строк DUMP нет в CRM и какие потеряли по дороге телефон, почту или имя.\n\n"
        "Пример: crmkit dedup compare dump.csv crm-export.csv --out lost.csv\n\n"
        "«-» — ввод. Вместо выгрузки CRM — аккаунт сервиса: crmkit dedup compare dump.csv --account acme",
        "Check an import: which rows of DUMP the CRM lacks, and which lost a phone, an e-mail or a name on the way.\n\n"
        "Example: crmkit dedup compare dump.csv crm-export.csv --out lost.csv\n\n"
        "- is standard input. An account of the service in place of the export: "
        "crmkit dedup compare dump.csv --account acme",
    ),
)
@click.argument("dump", type=_FILE)
@click.argument("export", metavar="[CRM_EXPORT]", type=_FILE, required=False)
@click.option("--account", help=tr("Аккаунт, чьё зеркало сравнить", "The account whose mirror is compared"))
@click.option(
    "--config",
    "config_path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("crmkit.toml"),
    show_default=True,
    envvar="CRMKIT_CONFIG",
    help=tr("Описание сервиса, для --account", "The service's description, for --account"),
)
@click.option("--out", type=_FILE, help=tr("Куда записать потери (CSV)", "Where the losses go (CSV)"))
@_country
@_map_option("--map", "maps", tr(" в DUMP", " in DUMP"))
@_map_option("--map-crm", "crm_maps", tr(" в CRM_EXPORT", " in CRM_EXPORT"))
@_json
def compare(
    dump: Path,
    export: Path | None,
    account: str | None,
    config_path: Path,
    out: Path | None,
    country: str,
    maps: Sequence[str],
    crm_maps: Sequence[str],
    as_json: bool,
) -> None:
    """Exit 1 when anything is missing or lost."""
    from crmkit_cli import dedup_compare

    if (export is None) == (account is None):
        raise click.UsageError(
            tr("Назовите выгрузку CRM или --account", "Name the CRM's export, or --account, and not both")
        )
    if dump == export == _DASH:
        raise click.UsageError(tr("Из ввода читается только один файл", "Only one file is read from standard input"))
    asked = dedup_compare.Asked(
        dump=_said(dump),
        export=None if export is None else _said(export),
        account=account,
        config_path=config_path,
        out=out,
        country=_checked(country),
        fields=_fields(maps),
        crm_fields=_fields(crm_maps),
        as_json=as_json,
    )
    if dedup_compare.run(asked):
        raise click.exceptions.Exit(1)


def _said(path: Path) -> Path:
    return _STDIN if path == _DASH else path


def _fields(maps: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for said in maps:
        field, sign, column = said.partition("=")
        if not sign or not field.strip():
            raise click.UsageError(tr(f"--map {said}: нужно ПОЛЕ=СТОЛБЕЦ", f"--map {said}: write FIELD=COLUMN"))
        found.setdefault(field.strip(), []).append(column.strip())
    return found


def _numbers(phones: Sequence[str], country: str) -> tuple[str, ...]:
    from crmkit.identity import parse_phones

    for phone in phones:
        if not list(parse_phones(phone, country=_checked(country))):
            raise click.UsageError(
                tr(f"--own-phone {phone}: это не номер телефона", f"--own-phone {phone}: this is no phone number")
            )
    return tuple(phones)


def _checked(country: str) -> str:
    # The tables of numbers are loaded for a country that is named, not at every start.
    from crmkit.identity import is_country

    if not is_country(country.upper()):
        raise click.UsageError(
            tr(
                f"--country {country}: нужны две буквы страны, например RU, KZ",
                f"--country {country}: two letters of a country, as RU, KZ",
            )
        )
    return country.upper()
