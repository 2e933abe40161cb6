"""Open intents: writes of ours that are under way, or whose outcome is not known."""

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
class Intent:
    """A write that was begun at `at` and has no result yet."""

    write: Write
    at: datetime

    def concerns(self, ref: Ref) -> bool:
        """The write is about this record."""
        return ref == self.write.ref or ref in self.write.others


def open_intents(connection: Connection, account: str) -> Sequence[Intent]:
    """The account's writes under way: a handful, one a running handler at most."""
    query = select(table.c.write, table.c.at).where(table.c.account == account, table.c.state == "intent")
    return [Intent(Write.from_json(json.loads(row.write)), from_us(row.at)) for row in connection.execute(query)]


def creates(intent: Intent) -> bool:
    """The write makes a record whose address is not known yet."""
    return intent.write.verb is Verb.CREATE
