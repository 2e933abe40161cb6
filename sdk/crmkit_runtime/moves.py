"""Stage moves of deals: every one told once and in order, whoever reported it and however late."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import permutations
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from crmkit.events import Cause
from crmkit.models import StageRef
from crmkit.values import Ref
from crmkit.webhook import Move
from crmkit_runtime.database import from_us, to_us, upsert
from crmkit_runtime.tables import move as table

SECOND = 1_000_000
OWN_BEFORE_US = 90 * SECOND
OWN_AFTER_US = 10 * SECOND
"""How far a CRM's time of our own move may lie before and behind its answer: a request takes a while, clocks differ."""

BORN_NEAR_US = 2 * SECOND
"""A first stage that was set this soon after the deal's creation is part of it, and no move."""

OWN_KEPT_US = 600 * SECOND
"""How long an own write that moved nothing waits for a report that says otherwise."""

FEED, OWN, INFERRED = "feed", "own", "inferred"


@dataclass(frozen=True, slots=True)
class Known:
    """A stored move. `at` is microseconds; `key` is the feed row that reported it, None when none did yet.

    An idle one is an own write that moved nothing, as far as we know: only a report can say otherwise.
    """

    id: int
    key: str | None
    before: StageRef | None
    after: StageRef
    at: int
    origin: str
    cause: Cause | None = None
    is_emitted: bool = False
    is_idle: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A move to be told of. `row` is the stored one, None for a hop that nobody reported."""

    row: int | None
    before: StageRef | None
    after: StageRef
    at: int
    cause: Cause | None = None
    is_late: bool = False

    @property
    def is_inferred(self) -> bool:
        """Nobody reported it, but it must have happened."""
        return self.row is None


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known of a deal beside its moves.

    Args:
        seen: the stage of our copy; None when the deal was not seen before, or its stage is unknown.
        loaded: the stage now; None when the deal is gone.
        until: what happened before this moment our copy holds already.
        since: changes up to this moment are nobody's news.
        created: when the deal was made.
        now: the time, as an inferred last hop is dated.
        has_history: the CRM reports moves, so that a missing report may still come.
    """

    seen: StageRef | None
    loaded: StageRef | None
    until: int | None
    since: int
    created: int | None
    now: int
    has_history: bool = True


@dataclass(slots=True)
class Plan:
    """What is to be done with a deal's moves.

    Args:
        steps: to be told of, in order.
        adopted: emitted moves (by id) whose report has come now.
        claimed: reports (by id) that turned out to be own moves (by id).
        silent: reports that are no news.
        idle: own writes (by id) that moved nothing.
        dropped: own writes (by id) of which no report can come any more.
        is_open: something is missing that a report may still bring.
    """

    steps: list[Step] = field(default_factory=list)
    adopted: list[tuple[int, Known]] = field(default_factory=list)
    claimed: list[tuple[Known, Known]] = field(default_factory=list)
    silent: list[int] = field(default_factory=list)
    idle: list[int] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    is_open: bool = False


def plan(scene: Scene, rows: Sequence[Known]) -> Plan:
    """How the way from `scene.seen` to `scene.loaded` is told, given the stored moves of the deal. Pure."""
    made = Plan()
    waiting = [row for row in rows if not row.is_emitted and row.origin != OWN]
    own = [row for row in rows if not row.is_emitted and row.origin == OWN]
    waiting = _without_adopted(made, waiting, [row for row in rows if row.is_emitted])
    way, own = _with_own(made, waiting, own)
    made.dropped = [row.id for row in own if row.is_idle and scene.now - row.at > OWN_KEPT_US]
    own = [row for row in own if not row.is_idle]
    trial = _best(scene, way)
    if own and not (scene.has_history and _closes(scene, trial)):
        trial, own = _best(scene, [*way, *own]), []
    # Those that are left set the stage that the deal had: the reports explain everything without them.
    made.idle = [*trial.plan.idle, *(row.id for row in own)]
    made.steps, made.silent, made.is_open = trial.plan.steps, trial.plan.silent, trial.plan.is_open
    if scene.loaded is not None and trial.end is not None and trial.end != scene.loaded:
        made.is_open = True
        made.steps.append(Step(None, trial.end, scene.loaded, scene.now))
    made.is_open = made.is_open and scene.has_history
    return made


@dataclass(frozen=True, slots=True)
class _Trial:
    """One way of reading the moves, and the stage in which it ends."""

    plan: Plan
    end: StageRef | None


def _closes(scene: Scene, trial: _Trial) -> bool:
    """The moves alone lead from the stage that was seen to the one loaded."""
    return trial.end is not None and trial.end == scene.loaded and not trial.plan.is_open


def _best(scene: Scene, rows: Sequence[Known]) -> _Trial:
    """The first reading that closes: as the vendor orders them or as they link, the second of our copy old or new."""
    told = sorted(rows, key=_place)
    linked = _in_order(scene.seen, told)
    old = replace(scene, until=scene.until + 1) if scene.until is not None else scene
    trials = [_walk(one, order) for one in (scene, old) for order in (told, linked)]
    return next((trial for trial in trials if _closes(scene, trial)), trials[1])


def _without_adopted(made: Plan, waiting: Sequence[Known], emitted: Sequence[Known]) -> list[Known]:
    """The reports that are of no move told already; those that are, give it their key."""
    unreported = [row for row in emitted if row.key is None]
    left: list[Known] = []
    for row in sorted(waiting, key=_place):
        fits = [told for told in unreported if told.after == row.after and _is_of(row, told, emitted)]
        if not fits:
            left.append(row)
            continue
        told = min(fits, key=lambda told: (abs(told.at - row.at), told.id))
        unreported.remove(told)
        made.adopted.append((told.id, row))
    return left


def _is_of(row: Known, told: Known, emitted: Sequence[Known]) -> bool:
    """The report may be of the move that was told without one."""
    if told.origin == OWN:
        return _fits_own(row, told)
    # An inferred hop stands for what happened between the move told before it and the load that showed it.
    start = max((other.at for other in emitted if other.id < told.id), default=None)
    return row.at <= told.at and (start is None or row.at >= start // SECOND * SECOND)


def _with_own(made: Plan, waiting: Sequence[Known], own: Sequence[Known]) -> tuple[list[Known], list[Known]]:
    """The reports, those of our own moves in our name; and our own moves without a report yet."""
    way, left = list(waiting), []
    for write in sorted(own, key=_place):
        fits = [row for row in way if row.cause is None and _fits_own(row, write)]
        if not fits:
            left.append(write)
            continue
        row = min(fits, key=lambda row: (abs(row.at - write.at), row.id))
        way[way.index(row)] = replace(row, cause=write.cause)
        made.claimed.append((row, write))
    return way, left


def _fits_own(row: Known, write: Known) -> bool:
    return row.after == write.after and write.at - OWN_BEFORE_US <= row.at <= write.at + OWN_AFTER_US


def _place(row: Known) -> tuple[int, int]:
    return (row.at // SECOND, row.id)


def _in_order(seen: StageRef | None, rows: Iterable[Known]) -> list[Known]:
    """By time; within a second, which is all that most vendors tell, so that each begins where the last one ended."""
    ordered: list[Known] = []
    left = sorted(rows, key=_place)
    while left:
        second = [row for row in left if row.at // SECOND == left[0].at // SECOND]
        left = left[len(second) :]
        start = ordered[-1].after if ordered else seen
        ways = permutations(second) if 1 < len(second) <= 6 else [second]
        ordered.extend(next((way for way in ways if _links(start, way)), second))
    return ordered


def _links(start: StageRef | None, way: Sequence[Known]) -> bool:
    at = start
    for row in way:
        if row.before is not None and at is not None and row.before != at:
            return False
        at = row.after
    return True


def _walk(scene: Scene, ordered: Sequence[Known]) -> _Trial:
    """Follow the moves from the stage that was seen."""
    made, at = Plan(), scene.seen
    for row in ordered:
        if row.origin == OWN:
            at = _walk_own(made, scene, row, at)
        elif row.at // SECOND <= scene.since // SECOND or (row.before is None and _was_born(scene, row, at)):
            made.silent.append(row.id)
            at = row.after if at is None or row.before == at else at
        elif row.before is None or at is None or row.before == at:
            made.steps.append(Step(row.id, row.before or at, row.after, row.at, row.cause))
            at = row.after
        elif _is_late(scene, row):
            made.steps.append(Step(row.id, row.before, row.after, row.at, row.cause, is_late=True))
        else:
            made.is_open = True
            made.steps.append(Step(None, at, row.before, row.at))
            made.steps.append(Step(row.id, row.before, row.after, row.at, row.cause))
            at = row.after
    return _Trial(made, at)


def _walk_own(made: Plan, scene: Scene, row: Known, at: StageRef | None) -> StageRef | None:
    if row.after == at:
        made.idle.append(row.id)
        return at
    made.is_open = True
    if at is None and scene.has_history:
        # Whether it moved the deal at all, nobody knows who has not seen it before: only a report can tell.
        made.idle.append(row.id)
    else:
        made.steps.append(Step(row.id, at, row.after, row.at, row.cause))
    return row.after


def _was_born(scene: Scene, row: Known, at: StageRef | None) -> bool:
    """A row without a beginning that says where the deal already is, or where it was made."""
    if at is not None:
        return row.after == at
    return scene.created is not None and row.at <= scene.created + BORN_NEAR_US


def _is_late(scene: Scene, row: Known) -> bool:
    """The report is of something that our copy has held for long."""
    return scene.until is not None and row.at < scene.until


def moment(step: Step) -> datetime:
    """When the move happened."""
    return from_us(step.at)


def report(tx: Connection, ref: Ref, move: Move) -> bool:
    """Keep a move that the feed reports; False when it was reported before."""
    row = {
        "account": ref.account,
        "record_id": ref.id,
        "key": move.key,
        "from_stage": json.dumps(list(move.from_stage)) if move.from_stage else None,
        "to_stage": json.dumps(list(move.to_stage)),
        "at": to_us(move.at),
        "origin": FEED,
        "state": "waiting",
    }
    return upsert(tx, table, row, conflict=["account", "key"]) == 1


def own(tx: Connection, ref: Ref, stage: StageRef, at: datetime, cause: Cause) -> None:
    """Keep a move that we made; where from, the chain of moves tells."""
    values = {
        "account": ref.account,
        "record_id": ref.id,
        "to_stage": _text(stage),
        "at": to_us(at),
        "origin": OWN,
        "run_id": cause.run_id,
        "extension": cause.extension,
        "depth": cause.depth,
        "state": "waiting",
    }
    tx.execute(insert(table).values(values))


def of(connection: Connection, ref: Ref) -> Sequence[Known]:
    """The deal's moves that still matter: those that wait, and those told of, the newest fifty."""
    query = select(table).where(table.c.account == ref.account, table.c.record_id == ref.id)
    waiting = connection.execute(query.where(table.c.state.in_(("waiting", "idle"))).order_by(table.c.id))
    told = connection.execute(query.where(table.c.state == "emitted").order_by(table.c.id.desc()).limit(50))
    return [*(_known(row) for row in waiting), *reversed([_known(row) for row in told])]


def apply(tx: Connection, ref: Ref, made: Plan) -> Sequence[int]:
    """Store what the plan decided; the number of each step's row."""
    # Before the keys move: two rows of an account cannot have one.
    gone = [*(row.id for _, row in made.adopted), *(write.id for _, write in made.claimed), *made.dropped]
    if gone:
        tx.execute(delete(table).where(table.c.id.in_(gone)))
    for told, row in made.adopted:
        tx.execute(update(table).where(table.c.id == told).values(key=row.key))
    if made.idle:
        tx.execute(update(table).where(table.c.id.in_(made.idle)).values(state="idle"))
    if made.silent:
        tx.execute(update(table).where(table.c.id.in_(made.silent)).values(state="emitted"))
    return [_store_step(tx, ref, step) for step in made.steps]


def _store_step(tx: Connection, ref: Ref, step: Step) -> int:
    values: dict[str, Any] = {"from_stage": _text(step.before) if step.before else None, "state": "emitted"}
    if step.cause:
        values |= {"run_id": step.cause.run_id, "extension": step.cause.extension, "depth": step.cause.depth}
    if step.row is not None:
        tx.execute(update(table).where(table.c.id == step.row).values(values))
        return step.row
    values |= {"account": ref.account, "record_id": ref.id, "to_stage": _text(step.after), "at": step.at}
    made = insert(table).values(**values, origin=INFERRED).returning(table.c.id)
    return int(tx.execute(made).scalar_one())


def _text(stage: StageRef) -> str:
    return json.dumps([stage.pipeline_id, stage.stage_id])


def _stage(text: str) -> StageRef:
    pipeline_id, stage_id = json.loads(text)
    return StageRef(pipeline_id=pipeline_id, stage_id=stage_id)


def _known(row: Row[Any]) -> Known:
    cause = Cause(extension=row.extension, run_id=row.run_id, depth=row.depth) if row.extension else None
    return Known(
        id=row.id,
        key=row.key,
        before=_stage(row.from_stage) if row.from_stage else None,
        after=_stage(row.to_stage),
        at=row.at,
        origin=row.origin,
        cause=cause,
        is_emitted=row.state == "emitted",
        is_idle=row.state == "idle",
    )
