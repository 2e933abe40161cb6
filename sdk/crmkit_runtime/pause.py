"""Accounts whose CRM refuses everything or is away: their work waits, and counts no attempt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from crmkit.errors import CrmKitError, RateLimited
from crmkit_runtime.database import from_us, to_us, upsert
from crmkit_runtime.tables import pause as table

SHORTEST_S = 1.0
LONGEST_S = 300.0


@dataclass(frozen=True, slots=True)
class Pause:
    """Until when an account waits, how often in a row it had to, and why."""

    account: str
    until: datetime
    strikes: int
    reason: str


def paused(connection: Connection, account: str, now: datetime) -> Pause | None:
    """The pause that holds the account now; None when its work may go on."""
    found = last_pause(connection, account)
    return found if found and found.until > now else None


def last_pause(connection: Connection, account: str) -> Pause | None:
    """The account's pause, also one that is over but after which nothing has succeeded yet."""
    row = connection.execute(select(table).where(table.c.account == account)).first()
    return Pause(row.account, from_us(row.until), row.strikes, row.reason) if row else None


def pause(tx: Connection, account: str, error: CrmKitError, now: datetime) -> Pause:
    """The pause that an error brings: as long as the CRM asks for, else 1 s, doubled each time in a row, 300 s at most.

    Errors that come while the account waits already are those of calls that were under way: they add nothing.
    """
    last = last_pause(tx, account)
    if last and last.until > now:
        return last
    strikes = last.strikes + 1 if last else 1
    seconds = min(SHORTEST_S * 2.0 ** min(strikes - 1, 30), LONGEST_S)
    if isinstance(error, RateLimited) and error.retry_after_s is not None:
        seconds = error.retry_after_s
    until = to_us(now) + int(seconds * 1_000_000)
    values = {"account": account, "until": until, "strikes": strikes, "reason": str(error)}
    upsert(tx, table, values, conflict=["account"], update=["until", "strikes", "reason"])
    return Pause(account, from_us(until), strikes, str(error))


def clear(tx: Connection, account: str, now: datetime) -> None:
    """Forget the account's pause after a call succeeded, unless another call has just begun a new one."""
    tx.execute(delete(table).where(table.c.account == account, table.c.until <= to_us(now)))
