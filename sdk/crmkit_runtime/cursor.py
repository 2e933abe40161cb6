"""Where reading goes on: small values of an account that outlive a process."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from crmkit.values import Kind
from crmkit_runtime.database import from_us, to_us, upsert
from crmkit_runtime.tables import cursor as table

FEED = "feed"
"""The cursor of the CRM's own feed."""

FEED_ONLY = "feed_only"
"""How many changes only the feed told of: what the webhooks lost."""


def value(connection: Connection, account: str, name: str) -> str | None:
    """The value; None when there is none yet."""
    query = select(table.c.value).where(table.c.account == account, table.c.name == name)
    return connection.execute(query).scalar_one_or_none()


def put(tx: Connection, account: str, name: str, text: str) -> None:
    """Keep the value, replacing an older one."""
    row = {"account": account, "name": name, "value": text}
    upsert(tx, table, row, conflict=["account", "name"], update=["value"])


def put_first(tx: Connection, account: str, name: str, text: str) -> None:
    """Keep the value unless there is one."""
    upsert(tx, table, {"account": account, "name": name, "value": text}, conflict=["account", "name"])


def replace(tx: Connection, account: str, name: str, old: str, new: str) -> bool:
    """Move the value from `old` to `new`; False when somebody else has moved it meanwhile."""
    changed = update(table).where(table.c.account == account, table.c.name == name, table.c.value == old)
    return tx.execute(changed.values(value=new)).rowcount == 1


def count_feed_only(tx: Connection, account: str, by: int) -> None:
    """Add to the number of changes that only the feed told of."""
    put(tx, account, FEED_ONLY, str(max(0, feed_only(tx, account) + by)))


def feed_only(connection: Connection, account: str) -> int:
    """How many changes only the feed told of since the account was connected."""
    return int(value(connection, account, FEED_ONLY) or 0)


def connected_at(connection: Connection, account: str, kind: Kind) -> datetime | None:
    """Since when changes of a kind are watched; None when they are not yet."""
    text = value(connection, account, f"connected:{kind.value}")
    return from_us(int(text)) if text else None


def set_connected(tx: Connection, account: str, kind: Kind, at: datetime) -> None:
    """Watch a kind from now on; an earlier moment stays."""
    put_first(tx, account, f"connected:{kind.value}", str(to_us(at)))
