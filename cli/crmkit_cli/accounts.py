"""`crmkit accounts`: who is connected, and how they are."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import click
from rich.live import Live
from rich.table import Table

from crmkit.models import RECORDS
from crmkit_cli.language import tr
from crmkit_cli.opening import config_option, open_service
from crmkit_cli.screen import console, make_table, print_json
from crmkit_runtime import report
from crmkit_runtime.baseline import NOT_LOADED
from crmkit_runtime.report import AccountReport
from crmkit_runtime.service import Service

LOOK_EVERY_S = 1.0


@click.command(
    help=tr(
        "Показать аккаунты: с какого момента подключены, что загружено, что ждёт обработки, что отложено и почему.\n\n"
        "--watch следит за первой загрузкой, пока она не закончится. --hooks печатает адреса, которые вписывают в "
        "телефонию. К CRM не обращается.",
        "Show the accounts: since when they are connected, what is loaded, what waits, what is paused and why.\n\n"
        "--watch follows the first load until it is over. --hooks prints the addresses that are typed into a "
        "telephony. No request is made to any CRM.",
    )
)
@config_option
@click.option("--hooks", is_flag=True, help=tr("Показать адреса вебхуков (секрет!)", "Show hook addresses (secret!)"))
@click.option("--watch", is_flag=True, help=tr("Следить, пока всё не загружено", "Follow until all is loaded"))
@click.option("--json", "as_json", is_flag=True, help=tr("Строки JSON", "JSON lines"))
def command(config_path: Path, hooks: bool, watch: bool, as_json: bool) -> None:
    """No request is made to any CRM."""
    with open_service(config_path) as service:
        if hooks:
            _print_hooks(service, as_json=as_json)
        elif as_json:
            _print_states(service, watch=watch)
        else:
            _show(service, watch=watch)


def _print_hooks(service: Service, *, as_json: bool) -> None:
    for key, account in service.accounts.items():
        for sender in (account.settings.vendor, *account.sources):
            address = service.hook_url(key, sender)
            if as_json:
                print_json({"account": key, "sender": sender, "url": address})
            else:
                click.echo(f"{key}  {sender}  {address}")


def _print_states(service: Service, *, watch: bool) -> None:
    while True:
        states = _states(service)
        for state in states.values():
            print_json(state)
        if not watch or _are_loaded(service, states):
            return
        time.sleep(LOOK_EVERY_S)


def _show(service: Service, *, watch: bool) -> None:
    states = _states(service)
    if not watch:
        console.print(_table(service, states))
        return
    with Live(_table(service, states), console=console, auto_refresh=False) as live:
        while not _are_loaded(service, states):
            time.sleep(LOOK_EVERY_S)
            states = _states(service)
            live.update(_table(service, states), refresh=True)
    click.echo(tr("Всё загружено.", "All is loaded."))


def _states(service: Service) -> Mapping[str, AccountReport]:
    return {key: report.account(service.database, key) for key in service.accounts}


def _are_loaded(service: Service, states: Mapping[str, AccountReport]) -> bool:
    """Every account was connected, and every kind that an extension wants is in its mirror."""
    return all(
        state.connected_at is not None and (service.kinds(key) & RECORDS.keys()) - NOT_LOADED <= set(state.loaded)
        for key, state in states.items()
    )


def _table(service: Service, states: Mapping[str, AccountReport]) -> Table:
    return make_table(
        [
            tr("аккаунт", "account"),
            "CRM",
            tr("подключён", "connected"),
            tr("в зеркале", "mirrored"),
            tr("загружается", "loading"),
            tr("ждёт", "waiting"),
            tr("запуски", "runs"),
            tr("пауза", "paused"),
        ],
        [
            (
                key,
                f"{service.accounts[key].settings.vendor} {service.accounts[key].settings.base_url}",
                state.connected_at,
                state.mirrored,
                ", ".join(state.loading),
                state.hints_waiting,
                state.runs,
                state.pause_reason,
            )
            for key, state in states.items()
        ],
    )
