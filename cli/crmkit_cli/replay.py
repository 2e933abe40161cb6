"""`crmkit replay`: what was decided and why, and having it done once more."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from crmkit.errors import ConfigError, NotFound
from crmkit.values import Ref
from crmkit_cli.language import tr
from crmkit_cli.moment import Address, Moment
from crmkit_cli.opening import config_option, open_migrated, open_service
from crmkit_cli.screen import console, print_json, print_table
from crmkit_runtime import dispatch, report
from crmkit_runtime.database import Database
from crmkit_runtime.redelivery import deliver_again
from crmkit_runtime.report import Choice, RunReport

FAILED = ("dead", "stopped")
FINISHED = ("dead", "stopped", "done", "skipped")
CHUNK = 500
LOOK_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class _Request:
    """What a person asked for."""

    choice: Choice
    limit: int
    dry_run: bool
    wait: bool
    as_json: bool


@click.command(
    help=tr(
        "Показать запуски обработчиков с решениями и причинами (--list) или поставить их в очередь ещё раз: по номеру, "
        "по записи, за время, по расширению, все упавшие.\n\n"
        "Почему не появилась задача: crmkit replay --list --ref acme/contact:42\n\n"
        "Повторить упавшие за день: crmkit replay --failed --since 1d\n\n"
        "Сделанное второй раз не делается: повторяется только то, чего не хватает.",
        "Show the handlers' runs with their decisions and reasons (--list), or queue them once more: by number, by "
        "record, by time, by extension, all that failed.\n\n"
        "Why was no task made: crmkit replay --list --ref acme/contact:42\n\n"
        "Do again what failed today: crmkit replay --failed --since 1d\n\n"
        "What was written is not written twice: only what is missing is done.",
    )
)
@config_option
@click.argument("run_ids", nargs=-1, type=int, metavar="[RUN_ID]...")
@click.option("--list", "is_list", is_flag=True, help=tr("Показать запуски, ничего не повторять", "Only show the runs"))
@click.option("--failed", is_flag=True, help=tr("Только упавшие и остановленные", "Only dead and stopped ones"))
@click.option("--ref", type=Address(), help=tr("О записи: аккаунт/вид:id", "About a record: account/kind:id"))
@click.option("--since", type=Moment(), help=tr("Не раньше: 2h, 1d или время", "Not before: 2h, 1d, or a moment"))
@click.option("--extension", help=tr("Одного расширения", "Of one extension"))
@click.option("--account", help=tr("Одного аккаунта", "Of one account"))
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(report.RUN_STATES),
    help=tr("В этом состоянии (можно несколько)", "In this state (may be repeated)"),
)
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1), help=tr("Сколько строк", "How many lines")
)
@click.option("--dry-run", is_flag=True, help=tr("Показать, что было бы повторено", "Show what would be run again"))
@click.option("--wait", is_flag=True, help=tr("Дождаться, пока всё выполнится", "Wait until all is done"))
@click.option("--deliveries", is_flag=True, help=tr("Показать принятые вебхуки", "Show the deliveries that came in"))
@click.option(
    "--delivery",
    "delivery_ids",
    multiple=True,
    type=int,
    metavar="ID",
    help=tr("Разобрать принятый вебхук заново", "Read a stored delivery once more"),
)
@click.option("--json", "as_json", is_flag=True, help=tr("Строки JSON", "JSON lines"))
def command(
    config_path: Path,
    run_ids: tuple[int, ...],
    is_list: bool,
    failed: bool,
    ref: Ref | None,
    since: datetime | None,
    extension: str | None,
    account: str | None,
    states: tuple[str, ...],
    limit: int,
    dry_run: bool,
    wait: bool,
    deliveries: bool,
    delivery_ids: tuple[int, ...],
    as_json: bool,
) -> None:
    """Exit 1 with --wait when something failed again."""
    if delivery_ids:
        _deliver_again(config_path, delivery_ids, as_json=as_json)
        return
    wanted = tuple(dict.fromkeys((*states, *(FAILED if failed else ()))))
    choice = Choice(run_ids, account, extension, wanted, ref, None, since)
    with open_migrated(config_path) as database:
        if deliveries:
            _show_deliveries(database, choice, limit, as_json=as_json)
        elif is_list:
            _show_runs(report.chosen(database, choice, limit=limit), as_json=as_json)
        else:
            _replay(database, _Request(choice, limit, dry_run, wait, as_json))


def _replay(database: Database, asked: _Request) -> None:
    choice = asked.choice
    if choice == Choice():
        raise click.UsageError(
            tr(
                "Скажите, что повторить: номера запусков, --failed, --ref, --since или --extension; --list покажет.",
                "Say what to run again: run numbers, --failed, --ref, --since or --extension; --list shows them.",
            )
        )
    if unfit := [state for state in choice.states if state not in FINISHED]:
        raise click.UsageError(tr(f"{unfit[0]}: ещё не выполнен", f"{unfit[0]}: not finished yet"))
    finished = replace(choice, states=choice.states or FINISHED)
    found = [
        one
        for one in report.chosen(database, finished, limit=1_000_000)
        if not one.handler.startswith(dispatch.BY_HAND)
    ]
    if missing := sorted(set(choice.ids) - {one.id for one in found}):
        numbers = ", ".join(map(str, missing))
        raise NotFound(
            tr(f"нет законченных запусков с номерами {numbers}", f"there are no finished runs {numbers}"),
            remedy=tr("Их показывает crmkit replay --list.", "crmkit replay --list shows them."),
        )
    if asked.dry_run:
        _show_runs(found[: asked.limit], as_json=asked.as_json)
        _say(asked, len(found), tr(f"Было бы повторено: {len(found)}", f"Would be run again: {len(found)}"))
        return
    ids = sorted(one.id for one in found)
    queued = sum(
        dispatch.replay(database, ids=ids[start : start + CHUNK], failed=False) for start in range(0, len(ids), CHUNK)
    )
    _say(asked, queued, tr(f"Поставлено в очередь: {queued}", f"Queued again: {queued}"))
    is_worked_on = report.is_worked_on(database, datetime.now(UTC))
    if asked.wait and queued:
        if not is_worked_on:
            raise ConfigError(
                tr("обработчики не запущены, ждать нечего", "no worker is running, so nothing would come of waiting"),
                remedy=tr("Запустите crmkit run: очередь сохранена.", "Start crmkit run: the queue is kept."),
            )
        _await(database, ids, asked)
    elif queued and not is_worked_on and not asked.as_json:
        click.echo(tr("Выполнятся, когда заработает crmkit run.", "They are done once crmkit run works."))


def _await(database: Database, ids: Sequence[int], asked: _Request) -> None:
    """Show how many are done, until all are; exit 1 when some failed."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=asked.as_json or not console.is_terminal) as bar:
        task = bar.add_task(tr("Выполняются", "Running"), total=len(ids))
        while (states := _states(database, ids)).get("queued", 0):
            bar.update(task, completed=len(ids) - states["queued"])
            time.sleep(LOOK_EVERY_S)
        bar.update(task, completed=len(ids))
    if asked.as_json:
        print_json({"type": "result", **states})
    else:
        click.echo(", ".join(f"{state}: {count}" for state, count in sorted(states.items())))
    if any(states.get(state) for state in FAILED):
        raise click.exceptions.Exit(1)


def _states(database: Database, ids: Sequence[int]) -> dict[str, int]:
    total: dict[str, int] = {}
    for start in range(0, len(ids), CHUNK):
        part = report.count_by_state(database, Choice(ids=tuple(ids[start : start + CHUNK])))
        total = {state: total.get(state, 0) + part.get(state, 0) for state in {*total, *part}}
    return total


def _deliver_again(config_path: Path, ids: Sequence[int], *, as_json: bool) -> None:
    with open_service(config_path) as service:
        for delivery_id in ids:
            done = deliver_again(service, delivery_id)
            if as_json:
                print_json(done)
                continue
            click.echo(
                tr(
                    f"{done.id}: записей посмотреть {done.hints}, новых событий {done.events}, известных {done.known}",
                    f"{done.id}: {done.hints} records to look at, {done.events} new events, {done.known} known ones",
                )
            )
            for reason in done.refusals:
                click.echo(tr(f"  не понято: {reason}", f"  refused: {reason}"))


def _say(asked: _Request, count: int, text: str) -> None:
    if asked.as_json:
        print_json({"type": "dry_run" if asked.dry_run else "queued", "count": count})
    else:
        click.echo(text)


def _show_runs(runs: Sequence[RunReport], *, as_json: bool) -> None:
    if as_json:
        for one in runs:
            print_json(one)
        return
    print_table(
        [
            "№",
            tr("когда", "when"),
            tr("событие", "event"),
            tr("обработчик", "handler"),
            tr("состояние", "state"),
            tr("решения и причины", "decisions and reasons"),
        ],
        [
            (
                one.id,
                one.finished_at or one.occurred_at,
                f"{one.event} {one.ref}".strip(),
                f"{one.extension} {one.handler}",
                f"{one.state} ×{one.attempts}" if one.attempts > 1 else one.state,
                (*one.decisions, _last_line(one.error)) if one.error else one.decisions,
            )
            for one in runs
        ],
    )


def _last_line(error: str) -> str:
    """The message of a fault, without the calls that led to it; --json has them."""
    return error.strip().splitlines()[-1]


def _show_deliveries(database: Database, choice: Choice, limit: int, *, as_json: bool) -> None:
    found = report.deliveries(database, account=choice.account, since=choice.since, limit=limit)
    if as_json:
        for one in found:
            print_json(one)
        return
    print_table(
        [
            "№",
            tr("пришло", "came"),
            tr("аккаунт", "account"),
            tr("отправитель", "sender"),
            tr("байт", "bytes"),
            tr("что понято", "understood as"),
        ],
        [(one.id, one.received_at, one.account, one.sender, one.size, one.outcome) for one in found],
    )
