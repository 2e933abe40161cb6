"""`crmkit dev`: the service and an emulated CRM in one process, for writing extensions without an account."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import click

from crmkit.settings import ServiceConfig, secret_variable
from crmkit_cli.language import tr
from crmkit_cli.opening import config_option, read_config
from crmkit_cli.sandbox import start_sandbox
from crmkit_cli.serving import serve
from crmkit_runtime.database import Database
from crmkit_runtime.logs import configure_logs
from crmkit_runtime.migrations import migrate
from crmkit_runtime.service import Service
from crmkit_sandbox import Sandbox


@click.command(
    help=tr(
        "Запустить сервис из crmkit.toml рядом с эмулятором CRM: аккаунты указывают на эмулятор, база — отдельная "
        "(.crmkit-dev.sqlite3). Позвоните: crmkit trigger call.missed",
        "Run the service of crmkit.toml beside an emulated CRM: its accounts point at the emulator, its database is "
        "one of its own (.crmkit-dev.sqlite3). Make a call: crmkit trigger call.missed",
    )
)
@config_option
@click.option("--port", default=8800, show_default=True, help=tr("Порт сервиса", "The service's port"))
@click.option("--sandbox-port", default=8801, show_default=True, help=tr("Порт эмулятора", "The emulator's port"))
def command(config_path: Path, port: int, sandbox_port: int) -> None:
    """Serve until Ctrl+C."""
    configure_logs("console")
    config = read_config(config_path)
    sandbox = start_sandbox(sandbox_port, seed=True)
    try:
        own = _pointed_at(sandbox, config, port, config_path.resolve().parent)
        database = Database(own.database)
        migrate(database)
        database.close()
        click.echo(f"{tr('Эмулятор', 'Emulator')}: {sandbox.url}/amocrm/")
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        service = Service.open(own)
        try:
            serve(service, "127.0.0.1", port, stopped)
        finally:
            service.close()
    finally:
        sandbox.stop()


def _pointed_at(sandbox: Sandbox, config: ServiceConfig, port: int, folder: Path) -> ServiceConfig:
    """The same service with its accounts at the emulator; the emulator's token stands in for theirs."""
    accounts: dict[str, dict[str, Any]] = {}
    for key, table in config.accounts.items():
        accounts[key] = {**table, "base_url": sandbox.amocrm.base_url}
        os.environ[secret_variable(key, "token")] = sandbox.amocrm.token
    return config.model_copy(
        update={
            "accounts": accounts,
            "database": str(folder / ".crmkit-dev.sqlite3"),
            "public_url": f"http://127.0.0.1:{port}",
        }
    )
