"""Whether a service works: its database, its schema, its workers, its accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select

from crmkit.errors import ConfigError
from crmkit_runtime.database import to_us
from crmkit_runtime.migrations import schema_state
from crmkit_runtime.pause import paused
from crmkit_runtime.service import Service
from crmkit_runtime.tables import lease

WORKER = "worker:"
"""How the name of a worker's heartbeat begins: a lease that it renews while it lives."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What works and what does not; `paused` names the accounts whose CRM refuses us, with the moment until which."""

    faults: tuple[str, ...]
    paused: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_ready(self) -> bool:
        """Deliveries are stored and handled; a paused account is its CRM's fault and changes nothing here."""
        return not self.faults


def readiness(service: Service, *, ingest_is_alive: bool) -> Readiness:
    """How the service is now; two reads of the database, no call to a CRM."""
    faults = [] if ingest_is_alive else ["deliveries are not stored: restart this process"]
    try:
        service.database.ping()
        state = schema_state(service.database)
    except ConfigError as error:
        return Readiness((*faults, error.message))
    if state != "current":
        return Readiness((*faults, f"the schema is {state}"))
    now = service.clock.now()
    with service.database.read() as connection:
        beat = select(lease.c.name).where(lease.c.name.startswith(WORKER), lease.c.until > to_us(now)).limit(1)
        if connection.execute(beat).first() is None:
            faults.append("no worker is running")
        pauses = [held for key in service.accounts if (held := paused(connection, key, now))]
    return Readiness(tuple(faults), {held.account: held.until.isoformat(timespec="seconds") for held in pauses})
