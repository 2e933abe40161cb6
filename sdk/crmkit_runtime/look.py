"""One look at one record: what differs from the mirror, in whose name, and what has to wait."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from crmkit.adapter import Account, Capability, Level
from crmkit.events import Cause
from crmkit.models import Call, Deal, Record
from crmkit.values import Kind, Ref
from crmkit.webhook import Action, Hint, Origin
from crmkit_runtime import calls, cursor, diff, hints, ledger, mirror, moves
from crmkit_runtime.announce import Herald, Told
from crmkit_runtime.database import to_us
from crmkit_runtime.hints import Waiting
from crmkit_runtime.ledger import EVERYTHING, Own
from crmkit_runtime.mirror import Copy
from crmkit_runtime.news import is_after, is_new, is_touched
from crmkit_runtime.service import OpenAccount, Service
from crmkit_runtime.underway import Underway, underway
from crmkit_runtime.upgrade import today

WRITE, MOVES, STALE, MISSING = "write", "moves", "stale", "missing"
"""Why a look is put off: a write of ours is under way, a move is not reported yet, the answer is old, none came."""

WRITE_S = 1.0
AGAIN_S = 1.5
MOVES_TRIES = 2
STALE_TRIES = 2
MISSING_TRIES = 1
UNSEEN_TRIES = 3
"""A record that we have just made and that the CRM does not show yet is waited for a little longer."""

CLOCKS_APART = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Found:
    """What a look starts from.

    Args:
        told: the hints that led to it.
        loaded: the record as the CRM has it; None when it does not exist.
        version: the copy's version before loading.
        started_at: when loading began.
        account: the account as the CRM describes it.
    """

    ref: Ref
    told: Sequence[Waiting]
    loaded: Record | None
    version: int
    started_at: datetime
    account: Account


class Look:
    """Settles one record in one transaction.

    Args:
        tx: the transaction.
        service: whose mirror and extensions.
        account: the account, open.
        found: what the look starts from.
    """

    def __init__(self, tx: Connection, service: Service, account: OpenAccount, found: Found) -> None:
        self.tx = tx
        self._service = service
        self._account = account
        self._found = found
        self._ref = found.ref
        self._told = found.told
        self._now = service.clock.now()
        self._herald = Herald(tx, service)
        self._volatile = account.adapter.volatile.get(found.ref.kind, frozenset())
        self._writes = [write for write in underway(tx, account.key) if write.write.kind is found.ref.kind]

    @property
    def found_news(self) -> bool:
        """The look made an event of a change that was not ours."""
        return self._herald.news > 0

    def settle(self) -> None:
        """Advance the mirror, publish what changed, and forget the hints or put them off."""
        if mirror.version(self.tx, self._ref) != self._found.version:
            return  # somebody else has changed the copy since the load began: the hints stay, and it is loaded anew
        survivor = next((one.merged_into for one in reversed(self._told) if one.merged_into), None)
        connected = cursor.connected_at(self.tx, self._account.key, self._ref.kind)
        if connected is None or mirror.survivor_of(self.tx, self._ref):
            hints.drop(self.tx, self._told)
            return
        copy = mirror.copy_of(self.tx, self._ref)
        loaded = None if self._found.loaded is None or self._found.loaded.is_deleted else self._found.loaded
        if survivor is not None and survivor != self._ref:
            self._settle_merged(survivor, copy, connected)
        elif loaded is None:
            self._settle_missing(copy, connected)
        elif self._ref.kind in (Kind.NOTE, Kind.CALL):
            self._settle_entry(loaded, copy, connected)
        elif copy is None:
            self._settle_unseen(loaded, connected)
        else:
            self._settle_seen(loaded, copy, connected)

    def _settle_merged(self, survivor: Ref, copy: Copy | None, connected: datetime) -> None:
        if self._own_write_of_all():
            return
        is_live = copy is not None and not copy.is_gone
        version = mirror.bury(self.tx, self._ref, seen=copy.version) if copy and is_live else 0
        mirror.merged(self.tx, self._ref, survivor, to_us(self._now))
        if is_live or any(is_after(one.at, connected) or one.at is None for one in self._told):
            self._herald.merged(survivor, self._ref, copy.record if copy else None, version, self._told_now())
        hint = [Hint(survivor)]
        hints.store(self.tx, self._service, self._account.key, hint, origin=Origin.FEED, delivery_id=self._by())
        hints.drop(self.tx, self._told)

    def _settle_missing(self, copy: Copy | None, connected: datetime) -> None:
        if copy is None or copy.is_gone:
            hints.drop(self.tx, self._told)
            return
        is_said = any(one.action is Action.DELETED for one in self._told)
        patience = UNSEEN_TRIES if copy.is_partial else 0 if is_said else MISSING_TRIES
        if self._own_write_of_all() or self._wait(MISSING, AGAIN_S, patience):
            return
        if isinstance(copy.record, Deal):
            self._tell_moves(copy.record, self._plan_moves(copy.record, None, copy, connected))
        version = mirror.bury(self.tx, self._ref, seen=copy.version)
        ledger.confirm(self.tx, ledger.own_fields(self.tx, self._ref))
        self._herald.deleted(copy.record, version, self._told_now())
        hints.drop(self.tx, self._told)

    def _settle_entry(self, loaded: Record, copy: Copy | None, connected: datetime) -> None:
        """Notes and calls are told of once; what is changed of them later is no event."""
        if copy is None and self._is_maybe_ours(loaded) and self._wait(WRITE, WRITE_S, None):
            return
        mirror.put(self.tx, self._service, loaded, seen=copy.version if copy else 0)
        if copy is None and is_new(loaded, self._told, connected):
            key, by = str(self._ref), calls.CRM
            is_news = not isinstance(loaded, Call) or calls.is_news(
                self.tx, self._account.key, loaded, key=key, teller=by
            )
            if is_news:
                self._herald.created(loaded, self._told_at_birth(loaded))
        hints.drop(self.tx, self._told)

    def _settle_unseen(self, loaded: Record, connected: datetime) -> None:
        is_written = self._is_maybe_ours(loaded) or any(write.concerns(self._ref) for write in self._writes)
        if is_written and self._wait(WRITE, WRITE_S, None):
            return
        plan = self._plan_moves(loaded, loaded, None, connected) if isinstance(loaded, Deal) else None
        if plan is not None and plan.is_open and self._wait(MOVES, AGAIN_S, MOVES_TRIES):
            return
        mirror.put(self.tx, self._service, loaded, seen=0)
        own = ledger.own_fields(self.tx, self._ref)
        if is_new(loaded, self._told, connected):
            self._herald.created(loaded, self._told_at_birth(loaded))
        elif is_touched(loaded, self._told, connected) and (not own or self._is_by_others(loaded)):
            changed = diff.filled_fields(loaded, self._volatile) - {row.field for row in own}
            self._herald.updated(None, loaded, changed, 1, self._told_now(loaded))
        for cause, fields in _by_cause(own).items():
            told = self._told_now(loaded, cause)
            written = diff.filled_fields(loaded, self._volatile) if EVERYTHING in fields else fields
            self._herald.updated(None, loaded, written, 1, told)
        if isinstance(loaded, Deal) and plan is not None:
            self._tell_moves(loaded, plan)
        self._confirm(own)
        hints.drop(self.tx, self._told)

    def _settle_seen(self, loaded: Record, copy: Copy, connected: datetime) -> None:
        own = ledger.own_fields(self.tx, self._ref)
        copy = today(self._account.adapter, self._found.account, copy, own)
        if self._is_stale(loaded, copy, own) and self._wait(STALE, AGAIN_S, STALE_TRIES):
            return
        held = self._held_fields()
        plan: moves.Plan | None = None
        if isinstance(loaded, Deal) and "stage" not in held:
            plan = self._plan_moves(loaded, loaded, copy, connected)
            if plan.is_open and hints.tries(self._told, MOVES) < MOVES_TRIES:
                plan, held = None, held | {"stage"} | diff.consequences(Kind.DEAL, {"stage"})
        target = loaded.model_copy(update={name: getattr(copy.record, name) for name in held})
        if "stage" in held:
            # Reports of moves are told from old ones by the time of the copy that holds the stage.
            target = target.model_copy(update={"updated_at": copy.record.updated_at})
        changes = self._changes(target, copy, own, plan)
        self._advance(target, copy, changes)
        if isinstance(target, Deal) and plan is not None:
            self._tell_moves(target, plan)
        self._confirm([row for row in own if row.field not in held])
        self._done_or_later(held)

    def _advance(self, target: Record, copy: Copy, changes: dict[Cause | None, set[str]]) -> None:
        """Keep the record; a copy whose content is the same keeps its version, so that no plan is refused for it."""
        news = {cause: fields for cause, fields in changes.items() if fields}
        if not news and not copy.is_gone:
            mirror.refresh(self.tx, self._service, target, seen=copy.version)
            return
        mirror.put(self.tx, self._service, target, seen=copy.version)
        before = copy.record
        if copy.is_gone:
            before = before.model_copy(update={"is_deleted": True})
            news[None] = news.get(None, set()) | {"is_deleted"}
        for cause, fields in news.items():
            self._herald.updated(before, target, fields, copy.version + 1, self._told_now(target, cause))

    def _changes(
        self, target: Record, copy: Copy, own: Sequence[Own], plan: moves.Plan | None
    ) -> dict[Cause | None, set[str]]:
        """What differs, by who did it; None is anybody but us."""
        before, after = copy.record, target
        rows = {row.field: row for row in own}
        changes = [change for row in own if row.field == "custom" for change in row.value]
        if tokens := [one.field for one in changes if diff.same_field("custom", [one], after)]:
            before, after = diff.without_custom(before, tokens), diff.without_custom(after, tokens)
        known = diff.filled_fields(copy.record, frozenset()) | rows.keys() if copy.is_partial else None
        found: dict[Cause | None, set[str]] = defaultdict(set)
        changed = diff.changed_fields(before, after, self._volatile)
        for name in changed:
            if known is not None and name not in known and not self._is_by_others(target):
                continue  # what we did not send, the CRM has filled in when it made the record
            cause, is_news = self._author(name, rows, changed, before, after, plan)
            if is_news:
                found[cause].add(name)
        return found

    def _author(
        self,
        name: str,
        rows: dict[str, Own],
        changed: frozenset[str],
        before: Record,
        after: Record,
        plan: moves.Plan | None,
    ) -> tuple[Cause | None, bool]:
        """Who changed the field, and whether that is news."""
        is_of_move = name == "stage" or name in diff.consequences(Kind.DEAL, {"stage"})
        if plan is not None and "stage" in changed and is_of_move:
            return plan.steps[-1].cause if plan.steps else None, True
        row = rows.get(name)
        if row is not None and diff.same_field(name, row.value, after):
            # The copy may hold what we sent in our own spelling: the CRM's spelling of it is no change.
            return row.cause, not diff.same_field(name, row.value, before)
        for source, written in rows.items():
            # Whoever has written the source anew since, has made what follows from it as well.
            stands = source not in changed or diff.same_field(source, written.value, after)
            if stands and name in diff.consequences(self._ref.kind, {source}):
                return written.cause, True
        everything = rows.get(EVERYTHING)
        if everything is not None and not self._is_by_others(after):
            return everything.cause, True
        return None, True

    def _plan_moves(self, deal: Deal, loaded: Deal | None, copy: Copy | None, connected: datetime) -> moves.Plan:
        held = copy.record if copy is not None else None
        has_history = self._account.live.supports(Capability.STAGE_HISTORY) is not Level.ABSENT
        until = held.updated_at if held is not None else None
        if copy is not None and until is None and not copy.is_partial:
            until = copy.seen_at - CLOCKS_APART
        scene = moves.Scene(
            seen=held.stage if isinstance(held, Deal) else None,
            loaded=loaded.stage if loaded is not None else None,
            until=to_us(until) if until else None,
            since=to_us(connected),
            created=to_us(deal.created_at) if deal.created_at else None,
            now=to_us(deal.updated_at or self._now),
            has_history=has_history and loaded is not None,
        )
        return moves.plan(scene, moves.of(self.tx, self._ref))

    def _tell_moves(self, deal: Deal, plan: moves.Plan) -> None:
        numbers = moves.apply(self.tx, self._ref, plan)
        last = {step.after: index for index, step in enumerate(plan.steps)}
        for index, (step, number) in enumerate(zip(plan.steps, numbers, strict=True)):
            told = Told(moves.moment(step), Origin.FEED, self._by(), None, step.cause)
            is_current = step.after == deal.stage and last[step.after] == index
            self._herald.moved(
                deal, step.before, step.after, number, told, is_current=is_current, is_inferred=step.is_inferred
            )

    def _is_maybe_ours(self, loaded: Record) -> bool:
        """The record may be what a write under way has just made: then its event is that of the write."""
        made_at = loaded.created_at
        return any(
            write.creates and (made_at is None or made_at >= write.at.replace(microsecond=0) - CLOCKS_APART)
            for write in self._writes
        )

    def _held_fields(self) -> frozenset[str]:
        """Fields that a write under way sets: they stay as they were until its result is known."""
        if not (about := [write for write in self._writes if write.concerns(self._ref)]) or self._is_out_of_patience():
            return frozenset()
        fields = frozenset[str]().union(*(diff.field_names(write.write) for write in about))
        if any(_sets_anything(write) for write in about):
            fields |= self._all_fields()
        return fields | diff.consequences(self._ref.kind, fields)

    def _all_fields(self) -> frozenset[str]:
        record = self._found.loaded
        return frozenset(type(record).model_fields) - diff.NEVER_NEWS if record else frozenset()

    def _own_write_of_all(self) -> bool:
        """A deletion or merge of ours is under way: whose it was will be known soon."""
        is_ours = any(write.concerns(self._ref) and _sets_anything(write) for write in self._writes)
        return is_ours and self._wait(WRITE, WRITE_S, None)

    def _is_stale(self, loaded: Record, copy: Copy, own: Sequence[Own]) -> bool:
        """The CRM answered from a copy of its own that lags behind."""
        was, is_ = copy.record.updated_at, loaded.updated_at
        if was is None or is_ is None or copy.is_partial:
            return False
        rows = [row for row in own if row.field in type(loaded).model_fields and row.field != "stage"]
        unseen = [row for row in rows if not diff.same_field(row.field, row.value, loaded)]
        return is_ < was or (is_ == was and bool(unseen))

    def _is_by_others(self, loaded: Record) -> bool:
        """Somebody else than us has changed the record; where the CRM does not tell, nobody has."""
        us = self._found.account.user_id
        if us is None:
            return False
        actors = {one.actor_id for one in self._told if one.actor_id} | {loaded.updated_by} - {None}
        return bool(actors - {us})

    def _is_out_of_patience(self) -> bool:
        return hints.tries(self._told, WRITE) * WRITE_S > self._service.quarantine_s

    def _wait(self, reason: str, seconds: float, most: int | None) -> bool:
        """Look again later, unless it was put off `most` times for this reason (None: longer than a write may take)."""
        is_over = self._is_out_of_patience() if most is None else hints.tries(self._told, reason) >= most
        if not is_over:
            hints.put_off(self.tx, self._told, self._now, seconds, reason)
        return not is_over

    def _done_or_later(self, held: frozenset[str]) -> None:
        about_writes = any(write.concerns(self._ref) for write in self._writes) and not self._is_out_of_patience()
        if about_writes:
            self._wait(WRITE, WRITE_S, None)
        elif held:
            self._wait(MOVES, AGAIN_S, MOVES_TRIES)
        else:
            hints.drop(self.tx, self._told)

    def _confirm(self, own: Sequence[Own]) -> None:
        """What was written before the load began is in the copy now; later writes wait for the next."""
        ledger.confirm(self.tx, [row for row in own if row.at <= self._found.started_at])

    def _told_now(self, record: Record | None = None, cause: Cause | None = None) -> Told:
        actor = next((one.actor_id for one in reversed(self._told) if one.actor_id), None)
        at = next((one.at for one in reversed(self._told) if one.at), self._now)
        if record is not None:
            actor, at = record.updated_by or actor, record.updated_at or at
        return Told(at, self._origin(), self._by(), None if cause else actor, cause)

    def _told_at_birth(self, record: Record) -> Told:
        told = self._told_now(record)
        return replace(told, at=record.created_at or told.at, actor_id=record.created_by or told.actor_id)

    def _by(self) -> str:
        return self._told[0].delivery_id

    def _origin(self) -> Origin:
        return self._told[0].origin


def _sets_anything(write: Underway) -> bool:
    return bool(write.write.extra or write.write.others) or not write.write.values()


def _by_cause(own: Sequence[Own]) -> dict[Cause, frozenset[str]]:
    found: dict[Cause, set[str]] = defaultdict(set)
    for row in own:
        found[row.cause].add(row.field)
    return {cause: frozenset(fields) for cause, fields in found.items()}
