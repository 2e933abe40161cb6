"""Intents: what is about to be written, stored before the call; and what came of it, stored after."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from crmkit.values import Kind, Ref
from crmkit.write import Write
from crmkit_runtime.database import from_us, to_us
from crmkit_runtime.liveness import owner_name
from crmkit_runtime.tables import effect
from crmkit_runtime.work import Work

UNSURE = "unsure"
"""Holder of an intent whose call ended without an answer: `unsure:<moment from which it may be looked up>`."""

NEIGHBOURS = timedelta(minutes=10)
"""How much earlier than the lost call other writes may have begun whose records are not to be taken for its own."""


@dataclass(frozen=True, slots=True)
class Intent:
    """One effect as stored; `ref` is what it wrote, once it is done."""

    key: str
    is_done: bool
    run_id: int | None
    owner: str
    ref: Ref | None
    write: Write
    at: datetime

    @property
    def unsure_until(self) -> datetime | None:
        """From when on a call that ended without an answer may be looked up; None when it did not end so."""
        holder, _, moment = self.owner.partition(":")
        return from_us(int(moment)) if holder == UNSURE else None


def find(connection: Connection, work: Work, key: str) -> Intent | None:
    """The effect of that name; None when it was not begun."""
    row = connection.execute(select(effect).where(_at(work, key))).first()
    if row is None:
        return None
    ref = Ref(row.account, Kind(row.kind), row.record_id) if row.record_id else None
    write = Write.from_json(json.loads(row.write))
    return Intent(row.key, row.state == "done", row.run_id, row.owner, ref, write, from_us(row.at))


def begin(tx: Connection, work: Work, key: str, write: Write) -> None:
    """Store that `write` is about to be sent."""
    tx.execute(
        insert(effect).values(
            account=work.account.key,
            extension=work.extension,
            key=key,
            state="intent",
            run_id=work.run_id,
            owner=owner_name(),
            kind=write.kind.value,
            record_id=write.ref.id if write.ref else None,
            write=_text(write),
            at=to_us(work.service.clock.now()),
        )
    )


def take_over(tx: Connection, work: Work, intent: Intent, write: Write) -> bool:
    """Make an open intent ours, to send `write` for it; False when somebody else was faster."""
    mine = _at(work, intent.key) & (effect.c.state == "intent") & (effect.c.owner == intent.owner)
    values = {"owner": owner_name(), "run_id": work.run_id, "write": _text(write)}
    return tx.execute(update(effect).where(mine).values(values)).rowcount == 1


def leave_unsure(tx: Connection, work: Work, key: str, holder: str, until: datetime) -> None:
    """Nobody knows whether the call of `holder` was done: from `until` on it may be looked up."""
    held = _at(work, key) & (effect.c.state == "intent") & (effect.c.owner == holder)
    tx.execute(update(effect).where(held).values(owner=f"{UNSURE}:{to_us(until)}"))


def finish(tx: Connection, work: Work, key: str, ref: Ref | None) -> bool:
    """Store what the call gave; False when the intent is not ours any more."""
    done = {"state": "done", "record_id": ref.id if ref else None}
    return tx.execute(update(effect).where(_ours(work, key)).values(done)).rowcount == 1


def drop(tx: Connection, work: Work, key: str) -> None:
    """The call was refused and did nothing: it may be tried afresh."""
    tx.execute(delete(effect).where(_ours(work, key)))


def known(connection: Connection, work: Work, intent: Intent) -> Collection[Ref]:
    """Records that other effects made around that time: none of them is what a lost call made."""
    kind = intent.write.kind
    others = select(effect.c.record_id).where(
        effect.c.account == work.account.key,
        effect.c.kind == kind.value,
        effect.c.state == "done",
        effect.c.record_id.is_not(None),
        effect.c.at >= to_us(intent.at - NEIGHBOURS),
    )
    ids = connection.execute(others).scalars()
    return frozenset(Ref(work.account.key, kind, record_id) for record_id in ids if record_id)


def _at(work: Work, key: str) -> ColumnElement[bool]:
    return and_(effect.c.account == work.account.key, effect.c.extension == work.extension, effect.c.key == key)


def _ours(work: Work, key: str) -> ColumnElement[bool]:
    return _at(work, key) & (effect.c.state == "intent") & (effect.c.owner == owner_name())


def _text(write: Write) -> str:
    return json.dumps(write.to_json(), ensure_ascii=False)
