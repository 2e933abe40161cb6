"""The ledger: what our own writes set, so that nobody takes it for somebody else's change."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from crmkit.events import Cause
from crmkit.models import RECORDS, Call, Record
from crmkit.values import Json, Kind, Ref
from crmkit.webhook import Action, Hint, Origin
from crmkit.write import Verb, Write
from crmkit_runtime import calls, diff, hints, mirror, moves
from crmkit_runtime.announce import Herald, Told
from crmkit_runtime.database import from_us, to_us
from crmkit_runtime.service import Service
from crmkit_runtime.tables import ledger as table

EVERYTHING = "*"
"""In place of a field: the CRM decided by itself what our write changed (a merge, a vendor's own `extra`)."""


@dataclass(frozen=True, slots=True)
class Own:
    """A field that one of our runs set. `value` is what we sent; None in place of `EVERYTHING`."""

    id: int
    field: str
    value: Any
    cause: Cause
    at: datetime


def record(
    tx: Connection,
    service: Service,
    account: str,
    write: Write,
    ref: Ref,
    *,
    extension: str,
    run_id: int,
    depth: int,
) -> None:
    """Store that the CRM did `write`: ledger, mirror and the typed event, in the transaction that keeps its result.

    The copy takes only the fields that were sent; stage moves of deals wait for their place among those that others
    made. Kinds that no extension of the account declares leave no trace.

    Args:
        ref: the record that was written, or created.
        depth: how many of our own writes led to the run.
    """
    kinds = service.kinds(account) & RECORDS.keys()
    if write.kind not in kinds and write.verb not in (Verb.LINK, Verb.UNLINK):
        return
    entry = _Entry(tx, service, account, write, ref, Cause(extension=extension, run_id=run_id, depth=depth + 1))
    match write.verb:
        case Verb.CREATE:
            entry.create()
        case Verb.UPDATE:
            entry.update(ref, dict(write.values()))
        case Verb.DELETE:
            entry.delete(ref)
        case Verb.LINK | Verb.UNLINK:
            for other in write.others:
                entry.link(ref, other)
                entry.link(other, ref)
        case Verb.MERGE:
            entry.merge()
        case Verb.READDRESS:
            entry.readdress()


def own_fields(connection: Connection, ref: Ref) -> Sequence[Own]:
    """What our writes set and no load has confirmed yet, oldest first."""
    query = select(table).where(
        table.c.account == ref.account, table.c.kind == ref.kind.value, table.c.record_id == ref.id
    )
    return [
        Own(
            row.id,
            row.field,
            _read(ref.kind, row.field, row.value),
            Cause(extension=row.extension, run_id=row.run_id, depth=row.depth),
            from_us(row.at),
        )
        for row in connection.execute(query.order_by(table.c.id))
    ]


def confirm(tx: Connection, rows: Sequence[Own]) -> None:
    """Forget these: the copy has been loaded since."""
    if rows:
        tx.execute(delete(table).where(table.c.id.in_([row.id for row in rows])))


def relay(record: Record, rows: Sequence[Own]) -> Record:
    """The record with our unconfirmed fields laid over it, as after each write."""
    values = {row.field: row.value for row in rows if row.field != EVERYTHING and row.field != "stage"}
    return diff.patched(record, values)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One write that is being entered."""

    tx: Connection
    service: Service
    account: str
    write: Write
    ref: Ref
    cause: Cause

    def create(self) -> None:
        draft = diff.draft_of(self.write, self.ref)
        is_first = mirror.put(self.tx, self.service, draft, seen=0, is_partial=True)
        if isinstance(draft, Call):
            calls.is_news(self.tx, self.account, draft, key=str(self.ref), teller=calls.OWN_LOG)
            return
        # Whoever observed it first, for instance after our process died, has told of it already: by the same key.
        found = draft if is_first else mirror.get(self.tx, RECORDS[self.write.kind], self.ref)
        Herald(self.tx, self.service).created(found or draft, self._told())
        if self.write.kind is Kind.NOTE:
            return
        sent, names = self.write.values(), diff.field_names(self.write)
        self._keep(self.ref, {name: sent[name] if name == "custom" else getattr(draft, name) for name in names})
        self._look(self.ref, Action.ADDED)

    def update(self, ref: Ref, values: dict[str, Any]) -> None:
        stage = values.pop("stage", None) if ref.kind is Kind.DEAL else None
        copy = mirror.copy_of(self.tx, ref)
        after = diff.patched(copy.record, values) if copy else None
        sent = {
            name: getattr(after, name) if after else values.get(name) for name in self._plain_names(ref.kind, values)
        }
        if "custom" in values:
            sent["custom"] = values["custom"]
        self._keep(ref, {**sent, **({"stage": stage} if stage else {})})
        if stage is not None:
            moves.own(self.tx, ref, stage, self.service.clock.now(), self.cause)
        if copy is None or after is None or copy.is_gone:
            self._look(ref)
            return
        version = mirror.patch(self.tx, after, seen=copy.version)
        volatile = self.service.accounts[self.account].adapter.volatile.get(ref.kind, frozenset())
        if changed := diff.changed_fields(copy.record, after, volatile):
            Herald(self.tx, self.service).updated(copy.record, after, changed, version, self._told())
        if stage is not None or self.write.extra:
            self._look(ref)

    def link(self, ref: Ref, other: Ref) -> None:
        copy = mirror.copy_of(self.tx, ref)
        if copy and not copy.is_gone and (values := diff.link_values(copy.record, other, self.write.verb)):
            self.update(ref, dict(values))

    def delete(self, ref: Ref) -> None:
        copy = mirror.copy_of(self.tx, ref)
        if copy is not None and not copy.is_gone:
            version = mirror.bury(self.tx, ref, seen=copy.version)
            Herald(self.tx, self.service).deleted(copy.record, version, self._told())

    def merge(self) -> None:
        now = self.service.clock.now()
        for loser in self.write.others:
            if mirror.survivor_of(self.tx, loser) == self.ref:
                continue  # told already: a merge may be done twice
            copy = mirror.copy_of(self.tx, loser)
            version = mirror.bury(self.tx, loser, seen=copy.version) if copy and not copy.is_gone else 0
            mirror.merged(self.tx, loser, self.ref, to_us(now))
            before = copy.record if copy else None
            Herald(self.tx, self.service).merged(self.ref, loser, before, version, self._told())
        self._keep(self.ref, {EVERYTHING: None})
        self._look(self.ref)

    def readdress(self) -> None:
        """A merge is taken back: the old address means its own record again, or the one that was made anew for it."""
        now = self.service.clock.now()
        for other in self.write.others:
            if other != self.ref:
                mirror.merged(self.tx, self.ref, other, to_us(now))
            else:
                mirror.separate(self.tx, self.ref)
                self._revive()
            self._look(other)

    def _revive(self) -> None:
        copy = mirror.copy_of(self.tx, self.ref)
        if copy is not None and copy.is_gone:
            version = mirror.revive(self.tx, self.ref, seen=copy.version)
            before = copy.record.model_copy(update={"is_deleted": True})
            Herald(self.tx, self.service).updated(before, copy.record, {"is_deleted"}, version, self._told())

    def _plain_names(self, kind: Kind, values: Mapping[str, Any]) -> set[str]:
        names = {"tags" if name in ("add_tags", "remove_tags") else name for name in values} - {"custom"}
        return names & RECORDS[kind].model_fields.keys()

    def _keep(self, ref: Ref, sent: Mapping[str, Any]) -> None:
        fields = {**sent, **({EVERYTHING: None} if self.write.extra else {})}
        now = to_us(self.service.clock.now())
        rows = [
            {
                "account": ref.account,
                "kind": ref.kind.value,
                "record_id": ref.id,
                "field": name,
                "value": json.dumps(_plain(ref, name, value), ensure_ascii=False),
                "run_id": self.cause.run_id,
                "extension": self.cause.extension,
                "depth": self.cause.depth,
                "at": now,
            }
            for name, value in fields.items()
        ]
        if rows:
            self.tx.execute(insert(table), rows)

    def _told(self) -> Told:
        return Told(self.service.clock.now(), Origin.WRITE, cause=self.cause)

    def _look(self, ref: Ref, action: Action = Action.CHANGED) -> None:
        run = f"run:{self.cause.run_id}"
        hints.store(self.tx, self.service, self.account, [Hint(ref, action)], origin=Origin.WRITE, delivery_id=run)


def _plain(ref: Ref, name: str, value: Any) -> Json:
    if name == EVERYTHING:
        return None
    values: Any = Write(Verb.UPDATE, ref.kind, ref=ref, changes={name: value}).to_json()["values"]
    plain: Json = values[name]
    return plain


def _read(kind: Kind, name: str, text: str) -> Any:
    if name == EVERYTHING:
        return None
    data: dict[str, Any] = {
        "verb": "create",
        "kind": kind.value,
        "ref": None,
        "others": [],
        "extra": {},
        "marker": None,
    }
    return Write.from_json({**data, "values": {name: json.loads(text)}}).values().get(name)
