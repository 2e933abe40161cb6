"""Opening the service that a crmkit.toml describes; every command that works on one begins here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from dotenv import load_dotenv

from crmkit.errors import ConfigError
from crmkit.settings import ServiceConfig, load_config
from crmkit_cli import stand
from crmkit_cli.language import tr
from crmkit_runtime.database import Database
from crmkit_runtime.migrations import schema_state
from crmkit_runtime.service import Service

config_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--config",
    "config_path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("crmkit.toml"),
    show_default=True,
    envvar="CRMKIT_CONFIG",
    help=tr("Описание сервиса", "The service's description"),
)


def read_config(config_path: Path) -> ServiceConfig:
    """The service's description, with the `.env` file and the modules beside it within reach.

    What the environment says already wins over `.env`. With `CRMKIT_DEV=1` it is the `crmkit dev` that runs there.
    """
    folder = config_path.resolve().parent
    load_dotenv(folder / ".env", override=False)
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return stand.found(folder) if stand.is_wanted() else load_config(config_path)


@contextmanager
def open_service(config_path: Path) -> Iterator[Service]:
    """The service, closed at the end. Raises ConfigError for whatever stands in its way."""
    service = Service.open(read_config(config_path))
    try:
        yield service
    finally:
        service.close()


@contextmanager
def open_database(config_path: Path) -> Iterator[Database]:
    """The service's database alone: no account is needed for it."""
    database = Database(read_config(config_path).database)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def open_migrated(config_path: Path) -> Iterator[Database]:
    """The service's database alone. Raises ConfigError when it is not what this release needs."""
    with open_database(config_path) as database:
        is_new = database.is_sqlite and not database.path.exists()
        if not is_new:
            database.ping()
        state = "empty" if is_new else schema_state(database)
        if state == "ahead":
            raise ConfigError(
                tr(
                    f"база {database.name} обновлена более новым crmkit", f"a newer crmkit has migrated {database.name}"
                ),
                remedy=tr("Установите ту версию crmkit.", "Install that release of crmkit again."),
            )
        if state != "current":
            raise ConfigError(
                tr(f"база {database.name} не готова ({state})", f"the database {database.name} is not ready ({state})"),
                remedy=tr("Выполните crmkit migrate.", "Run crmkit migrate."),
            )
        yield database
