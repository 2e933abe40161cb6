"""Plan items: writes that would have been made, each known by its effect's name."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, insert, select, update

from crmkit.models import Record
from crmkit.values import Json, Ref
from crmkit.write import Verb, Write
from crmkit_runtime import mirror
from crmkit_runtime.database import to_us
from crmkit_runtime.tables import plan_item as table
from crmkit_runtime.work import Work

UNNAMED = "planned:"
"""How the names of effects begin that a nightly job wants without naming them."""

_PLACEHOLDER = re.compile(r"plan-(\d+)")


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One planned write.

    Args:
        seen_version: of the mirrored record when it was planned; 0 for one that was never seen.
        state: planned, applied, refused or dropped.
        result: the address that applying gave, or why it was refused.
        reasons: what the run said when it wanted the write.
        needs: items that create records which this one refers to.
    """

    id: int
    account: str
    extension: str
    key: str
    write: Write
    seen_version: int
    state: str
    result: str | None
    reasons: tuple[str, ...]
    run_id: int | None
    needs: tuple[int, ...]


def is_placeholder(ref: Ref) -> bool:
    """The address stands for a record that a plan item would create."""
    return _PLACEHOLDER.fullmatch(ref.id) is not None


def add(work: Work, key: str, write: Write) -> Ref | None:
    """Note the write instead of sending it; for create the address that stands for the record.

    An item of that name is brought up to date; one that was applied or dropped stays as it is, but for what a nightly
    job asks for again without a name: the record has fallen back, so it is planned anew.
    """
    with work.service.database.write() as tx:
        work.check(tx)
        old = tx.execute(select(table).where(_named(work, key))).first()
        if old is not None and old.state == "applied" and key.startswith(UNNAMED):
            tx.execute(update(table).where(table.c.id == old.id).values(key=f"{key}#{old.id}"))
            old = None
        values = {
            "write": json.dumps(write.to_json(), ensure_ascii=False),
            "seen_version": mirror.version(tx, write.ref) if write.ref else None,
            "state": "planned",
            "result": None,
            "reasons": json.dumps(work.decisions.reasons, ensure_ascii=False),
            "run_id": work.run_id,
            "planned_at": to_us(work.service.clock.now()),
        }
        if old is None:
            new = {"account": work.account.key, "extension": work.extension, "key": key, **values}
            item_id = tx.execute(insert(table).values(new).returning(table.c.id)).scalar_one()
        else:
            item_id = old.id
            if old.state in ("planned", "refused"):
                tx.execute(update(table).where(table.c.id == item_id).values(values))
    if write.verb is not Verb.CREATE:
        return write.ref
    if old is not None and old.state == "applied":
        return Ref.parse(old.result) if old.result else None
    return Ref(work.account.key, write.kind, f"plan-{item_id}")


def drafts(work: Work, refs: Sequence[Ref]) -> Sequence[Record]:
    """The drafts of records that plan items would create, under the addresses that stand for them."""
    wanted = [ref for ref in refs if is_placeholder(ref)]
    with work.service.database.read() as connection:
        found = {item.id: item for item in items(connection, [_number(ref) for ref in wanted])}
    return [
        record.model_copy(update={"ref": ref})
        for ref in wanted
        if (item := found.get(_number(ref))) and item.account == ref.account and (record := item.write.record)
    ]


def explain(tx: Connection, work: Work) -> None:
    """Keep everything the run said with the items that it planned."""
    reasons = json.dumps(work.decisions.reasons, ensure_ascii=False)
    mine = (table.c.run_id == work.run_id) & (table.c.state == "planned")
    tx.execute(update(table).where(mine).values(reasons=reasons))


def items(connection: Connection, ids: Sequence[int]) -> Sequence[PlanItem]:
    """The items of these numbers, in their order; numbers that stand for nothing are left out."""
    rows = connection.execute(select(table).where(table.c.id.in_(ids)).order_by(table.c.id))
    return [
        PlanItem(
            id=row.id,
            account=row.account,
            extension=row.extension,
            key=row.key,
            write=Write.from_json(json.loads(row.write)),
            seen_version=row.seen_version or 0,
            state=row.state,
            result=row.result,
            reasons=tuple(json.loads(row.reasons)),
            run_id=row.run_id,
            needs=_needs(json.loads(row.write)),
        )
        for row in rows
    ]


def put_state(tx: Connection, item_id: int, state: str, result: str | None) -> None:
    """Keep what became of an item."""
    tx.execute(update(table).where(table.c.id == item_id).values(state=state, result=result))


def see_again(tx: Connection, ref: Ref, old: int, new: int) -> None:
    """Our own write changed the record: what else is planned for it was planned with that in mind."""
    about = table.c.write.contains(f'"ref": "{ref}"', autoescape=True)
    mine = (table.c.account == ref.account) & (table.c.state == "planned") & (table.c.seen_version == old) & about
    tx.execute(update(table).where(mine).values(seen_version=new))


def filled_in(write: Write, made: dict[str, str]) -> Write:
    """The write with the addresses of created records in place of those that stood for them."""
    return Write.from_json(_replace(write.to_json(), made))


def _replace(value: Json, made: dict[str, str]) -> dict[str, Json]:
    text = json.dumps(value, ensure_ascii=False)
    for placeholder, ref in made.items():
        text = text.replace(json.dumps(placeholder, ensure_ascii=False), json.dumps(ref, ensure_ascii=False))
    found: dict[str, Json] = json.loads(text)
    return found


def _needs(value: Json) -> tuple[int, ...]:
    """Numbers of the items whose placeholders the write holds."""
    addresses = re.findall(r'"[^"/]+/[a-z]+:plan-(\d+)"', json.dumps(value, ensure_ascii=False))
    return tuple(sorted({int(number) for number in addresses}))


def _number(ref: Ref) -> int:
    found = _PLACEHOLDER.fullmatch(ref.id)
    return int(found[1]) if found else 0


def _named(work: Work, key: str) -> ColumnElement[bool]:
    mine = (table.c.account == work.account.key) & (table.c.extension == work.extension)
    return mine & (table.c.key == key)
