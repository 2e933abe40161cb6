"""`crmkit dev`: the service and its emulated CRMs in one process, for writing extensions without an account."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from crmkit.errors import ConfigError
from crmkit.settings import ServiceConfig, secret_variable
from crmkit_cli import stand
from crmkit_cli.emulated import VENDORS, entrance, page, type_triggers
from crmkit_cli.language import tr
from crmkit_cli.opening import config_option, read_config
from crmkit_cli.sandbox import start_sandbox
from crmkit_cli.serving import serve
from crmkit_cli.stopping import stopping_signal
from crmkit_runtime.console.session import VARIABLE as CONSOLE_PASSWORD
from crmkit_runtime.database import Database
from crmkit_runtime.migrations import migrate
from crmkit_runtime.service import Service
from crmkit_sandbox import Sandbox

DATABASE = ".crmkit-dev.sqlite3"


@click.command(
    help=tr(
        "Запустить сервис из crmkit.toml рядом с эмулятором CRM: аккаунты указывают на эмулятор, база — отдельная "
        f"({DATABASE}) и каждый раз новая, как и записи эмулятора; --keep её оставляет.\n\n"
        "Позвоните: crmkit trigger call.missed --times 3",
        "Run the service of crmkit.toml beside an emulated CRM: its accounts point at the emulator, its database is "
        f"one of its own ({DATABASE}), new each time as the emulator's records are; --keep leaves it.\n\n"
        "Make a call: crmkit trigger call.missed --times 3",
    )
)
@config_option
@click.option(
    "--port",
    default=8800,
    show_default=True,
    type=click.IntRange(1, 65535),
    help=tr("Порт сервиса", "The service's port"),
)
@click.option(
    "--sandbox-port",
    default=8801,
    show_default=True,
    type=click.IntRange(0, 65535),
    help=tr("Порт эмулятора", "The emulator's port"),
)
@click.option("--keep", is_flag=True, help=tr("Оставить базу прошлого запуска", "Keep the last run's database"))
def command(config_path: Path, port: int, sandbox_port: int, keep: bool) -> None:
    """Serve until Ctrl+C."""
    os.environ.pop(stand.VARIABLE, None)  # it would mean the service that is about to be started
    config = read_config(config_path)
    folder = config_path.resolve().parent
    database = folder / DATABASE
    stopped = stopping_signal()
    sandbox = start_sandbox(sandbox_port, seed=True, vendors=_vendors(config))
    try:
        if not keep:
            # The emulator begins anew, so what an old database knows of its records would be wrong. One that cannot
            # begin leaves the database to whoever runs here already.
            for path in database.parent.glob(f"{DATABASE}*"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        own, keys = _pointed_at(sandbox, config, port, database)
        os.environ.update(keys)
        os.environ.setdefault(CONSOLE_PASSWORD, secrets.token_urlsafe(12))
        _migrate(own.database)
        service = Service.open(own)
        try:
            with stand.shown(folder, own, keys):
                serve(service, "127.0.0.1", port, stopped, ready=lambda: _be_ready(sandbox, service, port))
        finally:
            service.close()
    finally:
        sandbox.stop()


def _be_ready(sandbox: Sandbox, service: Service, port: int) -> None:
    """Do what an administrator would, and say what to do next."""
    for key, account in service.accounts.items():
        if account.settings.vendor == "retailcrm":
            type_triggers(sandbox, service.hook_url(key, "retailcrm"))
    for vendor in sandbox.vendors:
        click.echo(f"{tr('Эмулятор', 'Emulator')}: {page(sandbox, vendor)}")
    for key in service.accounts:
        click.echo(f"{tr('Позвоните', 'Make a call')}: crmkit trigger call.missed{_words(sandbox, service, key)}")
    # The password of a console on this machine, before emulated records, made for this one run.
    password = os.environ[CONSOLE_PASSWORD]
    click.echo(f"{tr('Консоль', 'Console')}: http://127.0.0.1:{port}/console/ ({tr('пароль', 'password')} {password})")
    click.echo(f"{tr('Решения', 'Decisions')}: {stand.VARIABLE}=1 crmkit replay --list")


def _words(sandbox: Sandbox, service: Service, key: str) -> str:
    """The options with which `crmkit trigger` calls a client of the account."""
    words = " --times 3"
    account = service.accounts[key]
    if len(sandbox.vendors) > 1:
        words += f" --vendor {account.settings.vendor}"
    # Calls of retailCRM are told by a telephony; the address, with its secret, leads to this machine alone.
    if account.settings.vendor == "retailcrm" and "ringostat" in account.sources:
        words += f" --hook {service.hook_url(key, 'ringostat')}"
    return words if sandbox.url.endswith(":8801") else f"{words} --sandbox {sandbox.url}"


def _migrate(path: str) -> None:
    database = Database(path)
    try:
        migrate(database)
    finally:
        database.close()


def _vendors(config: ServiceConfig) -> Sequence[str]:
    """The CRMs of the accounts. Raises ConfigError for one that has no emulator."""
    for key, table in config.accounts.items():
        if table.get("vendor") not in VENDORS:
            raise ConfigError(
                tr(f"эмулятора {table.get('vendor')} нет", f"there is no emulator of {table.get('vendor')}"),
                account=key,
                remedy=tr(f"Есть: {', '.join(VENDORS)}.", f"There is: {', '.join(VENDORS)}."),
            )
    return [str(table["vendor"]) for table in config.accounts.values()]


def _pointed_at(
    sandbox: Sandbox, config: ServiceConfig, port: int, database: Path
) -> tuple[ServiceConfig, Mapping[str, str]]:
    """The same service with its accounts at the emulators, and the variables with their secrets."""
    accounts: dict[str, dict[str, Any]] = {}
    keys: dict[str, str] = {}
    for key, table in config.accounts.items():
        way = entrance(sandbox, str(table["vendor"]))
        accounts[key] = {name: value for name, value in table.items() if name not in way.unused} | dict(way.table)
        for name in way.unused:
            os.environ.pop(secret_variable(key, name), None)
        keys |= {secret_variable(key, name): value for name, value in way.secrets.items()}
    own = {"accounts": accounts, "database": str(database), "public_url": f"http://127.0.0.1:{port}"}
    return config.model_copy(update=own), keys
