"""The schema's steps: bringing a database up to date, and saying how far it is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import inspect, text

from crmkit.errors import ConfigError
from crmkit_runtime.database import Database
from crmkit_runtime.keys import make_key_file

REVISIONS = ("0001", "0002", "0003")
"""Every step in order, so that a start need not load the migration tool to see that nothing is to be done."""

SchemaState = Literal["empty", "current", "behind", "ahead"]


def schema_state(database: Database) -> SchemaState:
    """How the database stands to this release; `ahead` means that a newer crmkit has migrated it."""
    with database.read() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return "empty"
        found = connection.execute(text("select version_num from alembic_version")).scalar()
    if found is None:
        return "empty"
    if found == REVISIONS[-1]:
        return "current"
    return "behind" if found in REVISIONS else "ahead"


def migrate(database: Database, environment: Mapping[str, str] = os.environ) -> None:
    """Bring the schema up to this release in one transaction, and make the key file where a service needs one.

    Raises ConfigError when a newer crmkit has migrated the database, or when it cannot be opened.
    """
    database.ping()
    if schema_state(database) == "ahead":
        raise ConfigError(
            "the database was migrated by a newer crmkit",
            remedy="Install that release again, or restore the backup made before it.",
        )
    make_key_file(database, environment)
    _upgrade(database)


def _upgrade(database: Database) -> None:
    # Loading the migration tool takes a fifth of a second, which only this command should pay.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with database.alone() as connection:
        raw: Any = connection.connection.driver_connection
        if database.is_sqlite:
            # A table that is rebuilt while keys are checked takes its child rows with it.
            raw.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
                if database.is_sqlite and (orphans := raw.execute("PRAGMA foreign_key_check").fetchall()):
                    raise ConfigError(
                        f"the migration would leave {len(orphans)} rows without their parent: {orphans[:3]}"
                    )
        finally:
            if database.is_sqlite:
                raw.execute("PRAGMA foreign_keys=ON")
