"""Which engine a service's database is worked with."""

from __future__ import annotations

from crmkit.errors import ConfigError
from crmkit_runtime.engines import Engine
from crmkit_runtime.engines.sqlite import SqliteEngine
from crmkit_runtime.service import Service


def engine_for(service: Service) -> Engine:
    """The engine for the service's database. Raises ConfigError for a database that has none."""
    if service.database.is_sqlite:
        return SqliteEngine(service)
    raise ConfigError(
        f"the database {service.database.url.partition(':')[0]} has no engine for runs",
        remedy="Name an SQLite file as `database` in crmkit.toml.",
    )
