"""Writes of ours that are under way, or whose outcome is not known yet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from crmkit.values import Ref
from crmkit.write import Verb, Write
from crmkit_runtime.database import from_us
from crmkit_runtime.tables import effect as table


@dataclass(frozen=True, slots=True)
class Underway:
    """A write that was begun at `at` and has no result yet."""

    write: Write
    at: datetime

    def concerns(self, ref: Ref) -> bool:
        """The write is about this record."""
        return ref == self.write.ref or ref in self.write.others

    @property
    def creates(self) -> bool:
        """The write makes a record whose address is not known yet."""
        return self.write.verb is Verb.CREATE


def underway(connection: Connection, account: str) -> Sequence[Underway]:
    """The account's writes under way: a handful, one for a running handler."""
    query = select(table.c.write, table.c.at).where(table.c.account == account, table.c.state == "intent")
    return [Underway(Write.from_json(json.loads(row.write)), from_us(row.at)) for row in connection.execute(query)]
