"""`crmkit migrate`: make the database what this version needs."""

from __future__ import annotations

from pathlib import Path

import click

from crmkit_cli.language import tr
from crmkit_cli.opening import config_option, open_database
from crmkit_runtime.migrations import migrate, schema_state


@click.command(
    help=tr(
        "Создать базу данных или обновить её до этой версии. Сервис сам этого никогда не делает.",
        "Create the database, or upgrade it to this version. A starting service never does that by itself.",
    )
)
@config_option
@click.option("--check", "only_check", is_flag=True, help=tr("Только сказать, нужно ли", "Only say whether it is due"))
def command(config_path: Path, only_check: bool) -> None:
    """Exit 1 with --check when a migration is due."""
    with open_database(config_path) as database:
        database.ping()
        before = schema_state(database)
        if only_check:
            click.echo(f"{database.name}: {before}")
            raise click.exceptions.Exit(0 if before == "current" else 1)
        migrate(database)
        click.echo(f"{database.name}: {before} -> {schema_state(database)}")
