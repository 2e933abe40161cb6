"""Applying a plan: items are written one by one, in the order in which they depend on each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import Connection

from crmkit.errors import CrmKitError
from crmkit.values import Ref
from crmkit.write import Verb
from crmkit_runtime import mirror, planned
from crmkit_runtime.effects import GuardedConnection
from crmkit_runtime.planned import PlanItem
from crmkit_runtime.service import Installed, Service
from crmkit_runtime.work import Work


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one item: the address it wrote, or why it was not written."""

    id: int
    state: Literal["applied", "refused", "waiting", "failed"]
    ref: Ref | None = None
    reason: str = ""


def apply_plan(service: Service, ids: Sequence[int]) -> Sequence[Applied]:
    """Write the planned items, what they depend on first; one result for each that was named and is still planned.

    `refused`: the record has changed since. `waiting`: it needs a record that another item has yet to create.
    `failed`: the CRM refused; the item stays planned and may be applied again. Applying twice writes once.
    """
    results: list[Applied] = []
    # A record is planned before whatever refers to it, so the order of the numbers is that of dependence.
    for number in sorted(set(ids)):
        with service.database.read() as connection:
            item = next(iter(planned.items(connection, [number])), None)
        if item is None or item.state != "planned":
            continue
        results.append(_apply(service, item))
        with service.database.write() as tx:
            _keep(tx, results[-1])
    return results


def drop_plan(service: Service, ids: Sequence[int]) -> None:
    """Take items from the plan for good: later runs do not plan them again."""
    with service.database.write() as tx:
        for item in planned.items(tx, ids):
            if item.state in ("planned", "refused"):
                planned.put_state(tx, item.id, "dropped", None)


def _apply(service: Service, item: PlanItem) -> Applied:
    installed = _installed(service, item)
    if installed is None:
        return Applied(item.id, "failed", reason=f"{item.extension} is not installed for account {item.account}")
    with service.database.read() as connection:
        made, missing = _made(connection, item)
        seen = mirror.version(connection, item.write.ref) if item.write.ref else 0
    if missing:
        return Applied(item.id, "waiting", reason=f"apply item {missing[0]} first: it creates what this one needs")
    if item.write.ref and not planned.is_placeholder(item.write.ref) and seen != item.seen_version:
        return Applied(item.id, "refused", reason=f"{item.write.ref} has changed since this was planned")
    write = replace(planned.filled_in(item.write, made), marker=f"plan:{item.id}")
    try:
        ref = GuardedConnection(service.accounts[item.account].live, _work(service, item, installed)).write(write)
    except CrmKitError as error:
        return Applied(item.id, "failed", reason=str(error))
    if write.ref is not None:
        with service.database.write() as tx:
            planned.see_again(tx, write.ref, seen, mirror.version(tx, write.ref))
    return Applied(item.id, "applied", ref)


def _made(connection: Connection, item: PlanItem) -> tuple[dict[str, str], list[int]]:
    """The real addresses behind the item's placeholders, and the items that have created nothing yet."""
    made: dict[str, str] = {}
    needed = {one.id: one for one in planned.items(connection, item.needs)}
    for one in needed.values():
        if one.state == "applied" and one.result and one.write.verb is Verb.CREATE:
            made[f"{one.account}/{one.write.kind.value}:plan-{one.id}"] = one.result
    missing = [number for number in item.needs if number not in needed or needed[number].state != "applied"]
    return made, missing


def _installed(service: Service, item: PlanItem) -> Installed | None:
    mine = (one for one in service.installed if one.extension.name == item.extension and item.account in one.accounts)
    return next(mine, None)


def _work(service: Service, item: PlanItem, installed: Installed) -> Work:
    return Work(
        service=service,
        account=service.accounts[item.account],
        installed=replace(installed, mode="apply"),
        identity=f"plan:{item.id}",
        handler="apply",
        lane="",
        now=service.clock.now(),
        run_id=item.run_id,
    )


def _keep(tx: Connection, applied: Applied) -> None:
    if applied.state == "applied":
        planned.put_state(tx, applied.id, "applied", str(applied.ref) if applied.ref else None)
    elif applied.state == "refused":
        planned.put_state(tx, applied.id, "refused", applied.reason)
