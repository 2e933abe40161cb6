"""`crmkit accounts`: who is connected, and how they are."""

from __future__ import annotations

from pathlib import Path

import click

from crmkit_cli.language import tr
from crmkit_cli.opening import config_option, open_service
from crmkit_cli.screen import print_json, print_table
from crmkit_runtime import report


@click.command(
    help=tr(
        "Показать аккаунты: с какого момента подключены, что ждёт обработки, что отложено и почему.",
        "Show the accounts: since when they are connected, what waits, what is paused and why.",
    )
)
@config_option
@click.option("--hooks", is_flag=True, help=tr("Показать адреса вебхуков (секрет!)", "Show hook addresses (secret!)"))
@click.option("--json", "as_json", is_flag=True, help=tr("Строки JSON", "JSON lines"))
def command(config_path: Path, hooks: bool, as_json: bool) -> None:
    """No request is made to any CRM."""
    with open_service(config_path) as service:
        if hooks:
            for key, account in service.accounts.items():
                for sender in (account.settings.vendor, *account.sources):
                    address = service.hook_url(key, sender)
                    if as_json:
                        print_json({"account": key, "sender": sender, "url": address})
                    else:
                        click.echo(f"{key}  {sender}  {address}")
            return
        states = {key: report.account(service.database, key) for key in service.accounts}
        if as_json:
            for state in states.values():
                print_json(state)
            return
        print_table(
            [
                tr("аккаунт", "account"),
                "CRM",
                tr("адрес", "address"),
                tr("подключён", "connected"),
                tr("ждёт", "waiting"),
                tr("запуски", "runs"),
                tr("в зеркале", "mirrored"),
                tr("пауза", "paused"),
            ],
            [
                (
                    key,
                    service.accounts[key].settings.vendor,
                    service.accounts[key].settings.base_url,
                    state.connected_at,
                    state.hints_waiting,
                    dict(state.runs),
                    dict(state.mirrored),
                    f"{state.pause_reason}" if state.pause_reason else None,
                )
                for key, state in states.items()
            ],
        )
