"""`crmkit plan`: what plan mode would write, and writing it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from rich.progress import track

from crmkit.errors import NotFound
from crmkit.write import Verb, Write
from crmkit_cli.language import tr
from crmkit_cli.opening import config_option, open_migrated, open_service
from crmkit_cli.screen import console, print_json, print_table
from crmkit_runtime import report
from crmkit_runtime.database import Database
from crmkit_runtime.plan import Applied, apply_plan, drop_plan
from crmkit_runtime.planned import PlanItem
from crmkit_runtime.service import Service

WIDEST_VALUE = 60


@click.command(
    help=tr(
        "Показать, что записали бы расширения в режиме plan; --apply записывает выбранное, --drop убирает.\n\n"
        "Пример: crmkit plan, затем crmkit plan --apply 3 --apply 4, или --all\n\n"
        "Запись, изменившаяся с тех пор, не перезаписывается. Код выхода 1, если что-то не применилось.",
        "Show what extensions in plan mode would write; --apply writes what is chosen, --drop removes it.\n\n"
        "Example: crmkit plan, then crmkit plan --apply 3 --apply 4, or --all\n\n"
        "A record that has changed since is not overwritten. Exit 1 when something was not applied.",
    )
)
@config_option
@click.option("--apply", "apply_ids", multiple=True, type=int, metavar="ID", help=tr("Записать пункт", "Write an item"))
@click.option("--all", "apply_all", is_flag=True, help=tr("Записать всё запланированное", "Write all that is planned"))
@click.option("--drop", "drop_ids", multiple=True, type=int, metavar="ID", help=tr("Убрать пункт", "Remove an item"))
@click.option("--account", help=tr("Одного аккаунта", "Of one account"))
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(["planned", "applied", "refused", "dropped"]),
    default=["planned"],
    show_default=True,
    help=tr("В этом состоянии (можно несколько)", "In this state (may be repeated)"),
)
@click.option("--json", "as_json", is_flag=True, help=tr("Строки JSON", "JSON lines"))
def command(
    config_path: Path,
    apply_ids: tuple[int, ...],
    apply_all: bool,
    drop_ids: tuple[int, ...],
    account: str | None,
    states: tuple[str, ...],
    as_json: bool,
) -> None:
    """Exit 1 when an item was not applied."""
    if apply_all and apply_ids:
        raise click.UsageError(tr("--all и --apply исключают друг друга", "choose one of --all and --apply"))
    if not (apply_ids or apply_all or drop_ids):
        with open_migrated(config_path) as database:
            _show(report.plan(database, states=states, account=account), as_json=as_json)
        return
    with open_service(config_path) as service:
        if drop_ids:
            _drop(service, drop_ids, as_json=as_json)
        if apply_ids or apply_all:
            _apply(service, _chosen(service.database, apply_ids, account), as_json=as_json)


def _chosen(database: Database, ids: Sequence[int], account: str | None) -> Sequence[int]:
    planned = [item.id for item in report.plan(database, account=account, limit=1_000_000)]
    if not ids:
        return planned
    _check(ids, planned)
    return sorted(set(ids))


def _check(ids: Sequence[int], known: Sequence[int]) -> None:
    if missing := sorted(set(ids) - set(known)):
        numbers = ", ".join(map(str, missing))
        raise NotFound(
            tr(f"в плане нет пунктов {numbers}", f"the plan has no items {numbers}"),
            remedy=tr("Их показывает crmkit plan.", "crmkit plan shows them."),
        )


def _drop(service: Service, ids: Sequence[int], *, as_json: bool) -> None:
    _check(ids, [item.id for item in report.plan(service.database, states=("planned", "refused"), limit=1_000_000)])
    drop_plan(service, ids)
    for item_id in ids:
        print_json({"id": item_id, "state": "dropped"}) if as_json else click.echo(
            tr(f"{item_id}: убран", f"{item_id}: dropped")
        )


def _apply(service: Service, ids: Sequence[int], *, as_json: bool) -> None:
    # One by one, in their order, which is that of dependence: so a long plan can be watched, and broken off.
    shown = track(
        ids,
        description=tr("Записываю", "Writing"),
        console=console,
        disable=as_json or not console.is_terminal,
    )
    results = [result for item_id in shown for result in apply_plan(service, [item_id])]
    for result in results:
        print_json(result) if as_json else click.echo(_sentence(result))
    if not as_json:
        done = sum(result.state == "applied" for result in results)
        click.echo(tr(f"Записано: {done} из {len(results)}", f"Applied {done} of {len(results)}"))
    if any(result.state != "applied" for result in results):
        raise click.exceptions.Exit(1)


def _sentence(result: Applied) -> str:
    words = {
        "applied": tr("записан", "applied"),
        "refused": tr("не записан", "refused"),
        "waiting": tr("ждёт другого", "waits for another"),
        "failed": tr("CRM отказала", "failed"),
    }
    about = result.reason or (str(result.ref) if result.ref else "")
    return f"{result.id}: {words[result.state]}" + (f"  {about}" if about else "")


def _show(items: Sequence[PlanItem], *, as_json: bool) -> None:
    if as_json:
        for item in items:
            print_json(
                {
                    "id": item.id,
                    "account": item.account,
                    "extension": item.extension,
                    "state": item.state,
                    "write": item.write.to_json(),
                    "reasons": item.reasons,
                    "needs": item.needs,
                    "result": item.result,
                }
            )
        return
    if not items:
        click.echo(tr("План пуст.", "The plan is empty."))
        return
    print_table(
        [
            "№",
            tr("аккаунт", "account"),
            tr("расширение", "extension"),
            tr("что", "what"),
            tr("поля", "fields"),
            tr("почему", "why"),
            tr("нужны", "needs"),
            tr("состояние", "state"),
        ],
        [
            (
                item.id,
                item.account,
                item.extension,
                _what(item.write),
                _fields(item.write),
                item.reasons,
                ", ".join(map(str, item.needs)),
                item.state if item.result is None else f"{item.state}: {item.result}",
            )
            for item in items
        ],
    )


def _what(write: Write) -> str:
    others = ", ".join(map(str, write.others))
    target = write.kind.value if write.verb is Verb.CREATE else str(write.ref)
    return f"{write.verb.value} {target}" + (f" ← {others}" if others else "")


def _fields(write: Write) -> tuple[str, ...]:
    return tuple(f"{name} = {_short(value)}" for name, value in write.values().items())


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= WIDEST_VALUE else f"{text[: WIDEST_VALUE - 1]}…"
