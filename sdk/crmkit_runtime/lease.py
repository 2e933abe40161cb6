"""Leases: work that only one thread of all processes does at a time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import delete, select, update

from crmkit_runtime.database import to_us, upsert
from crmkit_runtime.liveness import is_gone, owner_name
from crmkit_runtime.service import Service
from crmkit_runtime.tables import lease as table

_numbers = itertools.count(1)


@contextmanager
def held(service: Service, name: str, seconds: float) -> Iterator[bool]:
    """Whether the lease is ours until the end of the block; `seconds` is how long it outlives a host that died.

    The lease of a process of this host that is gone is taken over at once.
    """
    owner = f"{owner_name()}:{next(_numbers)}"
    if not _take(service, name, owner, seconds):
        yield False
        return
    try:
        yield True
    finally:
        with service.database.write() as tx:
            tx.execute(delete(table).where(table.c.name == name, table.c.owner == owner))


def _take(service: Service, name: str, owner: str, seconds: float) -> bool:
    now = to_us(service.clock.now())
    row = {"name": name, "owner": owner, "until": now + int(seconds * 1_000_000)}
    with service.database.write() as tx:
        held_by = tx.execute(select(table).where(table.c.name == name)).first()
        if held_by is None:
            return upsert(tx, table, row, conflict=["name"]) == 1
        if held_by.until > now and not is_gone(held_by.owner):
            return False
        mine = update(table).where(table.c.name == name, table.c.owner == held_by.owner)
        return tx.execute(mine.values(row)).rowcount == 1
