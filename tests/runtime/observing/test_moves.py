"""Stage moves are told one by one, in order, whatever hooks and feed lose."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from crmkit.events import Cause
from crmkit.models import Deal, StageRef
from crmkit.values import Kind, Ref
from crmkit_runtime import moves
from crmkit_runtime.moves import FEED, INFERRED, OWN, Known, Plan, Scene, Step
from crmkit_runtime.tables import move

DEAL = Ref("acme", Kind.DEAL, "1")
SECOND = 1_000_000


def stage(name: str) -> StageRef:
    """A stage of the sales pipeline."""
    return StageRef(pipeline_id="1", stage_id=name)


@pytest.mark.parametrize("heard", [(True, True), (False, True), (True, False), (False, False)])
def test_two_moves_are_two_events_whatever_hooks_are_lost(house: Any, heard: Any) -> None:
    """new → talks → offer is told as two moves in order, also when one or both hooks are lost."""
    for name, comes in zip(("talks", "offer"), heard, strict=True):
        house.person.move_deal(DEAL, name, hooks=comes)
        house.advance(1)
    house.settle()
    assert house.moves(DEAL) == [("new", "talks", False, False, ""), ("talks", "offer", True, False, "")]
    assert house.told()[0] == ("DealUpdated", "1", "stage")
    assert house.seen(DEAL) == house.truth(DEAL)


def test_a_move_there_and_back_is_two_events(house: Any) -> None:
    """A deal that is where it was has moved all the same; nothing else of it is told."""
    house.person.move_deal(DEAL, "talks", hooks=False)
    house.person.move_deal(DEAL, "new")
    house.settle()
    assert house.told() == [("DealStageChanged", "1", "new>talks"), ("DealStageChanged", "1", "talks>new")]
    assert house.moves(DEAL)[1][2] is True


def test_closing_tells_outcome_and_time(house: Any) -> None:
    """A won deal tells what follows from its stage."""
    house.person.move_deal(DEAL, "won")
    house.settle()
    assert house.told() == [("DealUpdated", "1", "closed_at,outcome,stage"), ("DealStageChanged", "1", "new>won")]


def test_an_own_move_after_a_persons_is_told_in_its_place(house: Any) -> None:
    """A person moves, then we do: two moves in order, ours in our name."""
    house.person.move_deal(DEAL, "talks", hooks=False)
    house.advance(1)
    house.update(DEAL, {"stage": stage("offer")}).begin().send().record()
    house.settle()
    assert house.moves(DEAL) == [("new", "talks", False, False, ""), ("talks", "offer", True, False, "robot")]


def test_an_own_move_before_a_persons_is_told_in_its_place(house: Any) -> None:
    """We move, then a person does: two moves in order, ours in our name; the deal's change is the person's."""
    house.update(DEAL, {"stage": stage("talks")}).begin().send().record()
    house.advance(1)
    house.person.move_deal(DEAL, "offer", hooks=False)
    house.settle()
    assert house.moves(DEAL) == [("new", "talks", False, False, "robot"), ("talks", "offer", True, False, "")]
    assert house.told()[0] == ("DealUpdated", "1", "stage")


def test_an_own_move_between_two_of_a_person_keeps_its_place(house: Any) -> None:
    """Three moves within one second are told in their order."""
    house.person.move_deal(DEAL, "talks")
    house.update(DEAL, {"stage": stage("offer")}).begin().send().record()
    house.person.move_deal(DEAL, "contract")
    house.settle()
    assert house.moves(DEAL) == [
        ("new", "talks", False, False, ""),
        ("talks", "offer", False, False, "robot"),
        ("offer", "contract", True, False, ""),
    ]


def test_an_own_move_to_where_the_deal_is_already_is_no_move(house: Any) -> None:
    """Writing the stage that the deal has tells nothing, and claims no later move of a person."""
    house.update(DEAL, {"stage": stage("new")}).begin().send().record()
    house.settle()
    house.advance(60)
    house.person.move_deal(DEAL, "talks")
    house.settle()
    house.advance(60)
    house.person.move_deal(DEAL, "new")
    house.settle()
    assert house.moves(DEAL) == [("new", "talks", True, False, ""), ("talks", "new", True, False, "")]


def test_an_own_move_under_way_holds_the_stage_back(house: Any) -> None:
    """The hook of our move comes before its result: nothing is told until then, and ours is told as ours."""
    write = house.update(DEAL, {"stage": stage("talks")}).begin().send()
    house.deliver()
    house.look()
    assert house.told() == []
    write.record()
    house.settle()
    assert house.moves(DEAL) == [("new", "talks", True, False, "robot")]


def test_a_feed_that_lags_behind_hooks_is_waited_for(house: Any) -> None:
    """The hook is here, the report is not: the move waits a little and is told as reported, in full."""
    house.world.lag_feed(2)
    house.person.move_deal(DEAL, "talks", hooks=False)
    house.person.move_deal(DEAL, "offer")
    house.deliver()
    house.look()
    assert house.moves(DEAL) == []
    house.settle()
    assert house.moves(DEAL) == [("new", "talks", False, False, ""), ("talks", "offer", True, False, "")]


def test_other_changes_do_not_wait_for_a_lagging_feed(house: Any) -> None:
    """While a move waits for its report, the rest of the deal's changes is told at once."""
    house.world.lag_feed(2)
    house.person.change(DEAL, {"title": "новая", "stage": stage("offer")})
    house.deliver()
    house.look()
    assert house.told() == [("DealUpdated", "1", "title")]
    house.settle()
    assert house.told()[1:] == [("DealUpdated", "1", "stage"), ("DealStageChanged", "1", "new>offer")]


def test_a_report_that_never_comes_is_inferred_and_adopted_when_it_comes_after_all(house: Any) -> None:
    """After waiting in vain the hop is told as inferred; its report, minutes later, is not told again."""
    house.world.lag_feed(600)
    house.person.move_deal(DEAL, "talks")
    house.settle()
    assert house.moves(DEAL) == [("new", "talks", True, True, "")]
    house.advance(700)
    house.settle()
    assert house.moves(DEAL) == [("new", "talks", True, True, "")]
    with house.service.database.read() as connection:
        rows = connection.execute(select(move.c.key, move.c.state, move.c.origin)).all()
    assert [tuple(row) for row in rows] == [("acme:1", "emitted", "inferred")]


def test_late_reports_of_an_inferred_hop_tell_only_what_is_new(house: Any) -> None:
    """Of two moves behind one inferred hop, the stage that was passed is told late, where it ended not again."""
    house.world.lag_feed(600)
    house.person.move_deal(DEAL, "talks")
    house.advance(1)
    house.person.move_deal(DEAL, "offer")
    house.settle()
    house.advance(700)
    house.settle()
    assert house.moves(DEAL) == [("new", "offer", True, True, ""), ("new", "talks", False, False, "")]
    house.world.lag_feed(0)
    house.person.move_deal(DEAL, "contract")
    house.settle()
    assert house.moves(DEAL)[2:] == [("offer", "contract", True, False, "")]


def test_an_own_move_is_told_once_when_the_feed_lags(house: Any) -> None:
    """Our move is told in our name without its report, which is adopted later."""
    house.world.lag_feed(600)
    house.update(DEAL, {"stage": stage("talks")}).begin().send().record()
    house.settle()
    assert house.moves(DEAL) == [("new", "talks", True, False, "robot")]
    house.advance(700)
    house.settle()
    assert house.moves(DEAL) == [("new", "talks", True, False, "robot")]


def test_a_new_deal_tells_where_it_went_before_anybody_looked(house: Any) -> None:
    """A deal made and moved twice before the first look: created, then both moves."""
    deal = house.person.add_deal("новая", stage="new", hooks=False)
    house.advance(1)
    house.person.move_deal(deal, "talks", hooks=False)
    house.advance(1)
    house.person.move_deal(deal, "offer")
    house.settle()
    assert house.told() == [
        ("DealCreated", deal.id),
        ("DealStageChanged", deal.id, "new>talks"),
        ("DealStageChanged", deal.id, "talks>offer"),
    ]


def test_moves_of_a_new_deal_whose_reports_lag_are_told_late(house: Any) -> None:
    """The deal is told as created at once; its moves follow when the feed has them, and none is invented."""
    house.world.lag_feed(60)
    deal = house.person.add_deal("новая", stage="new")
    house.advance(1)
    house.person.move_deal(deal, "talks")
    house.settle()
    assert house.told() == [("DealCreated", deal.id)]
    house.advance(61)
    house.settle()
    assert house.moves(deal) == [("new", "talks", True, False, "")]


def test_moves_from_before_connecting_are_nobodys_news(build: Any) -> None:
    """What the feed still tells of the time before we watched is not told."""
    house = build()
    house.crm.seed(Deal(title="старая", stage=stage("new")))
    house.person.move_deal(DEAL, "talks")
    house.start()
    house.settle()
    assert house.told() == []


def test_the_moves_of_a_deal_that_is_gone_are_told_before_it(house: Any) -> None:
    """Moved and then deleted between two looks: the move is told, then the deletion."""
    house.person.move_deal(DEAL, "talks", hooks=False)
    house.person.delete(DEAL)
    house.settle()
    assert house.told() == [("DealStageChanged", "1", "new>talks"), ("DealDeleted", "1")]


def test_the_pipeline_is_a_part_of_the_stage(house: Any) -> None:
    """A move to another pipeline's stage of the same name is a move."""
    house.person.move_deal(DEAL, StageRef(pipeline_id="2", stage_id="new"))
    house.settle()
    event = house.events()[1]
    assert (event.before, event.after) == (stage("new"), StageRef(pipeline_id="2", stage_id="new"))


def test_a_move_is_dated_as_the_feed_says(house: Any) -> None:
    """The event's time is the move's own, not that of looking."""
    at = house.clock.now()
    house.person.move_deal(DEAL, "talks")
    house.advance(300)
    house.settle()
    moved = house.events()[1]
    assert moved.occurred_at == at.replace(microsecond=0)


def row(id_: int, before: str | None, after: str, at: int, **values: object) -> Known:
    """A stored move; times are whole seconds."""
    start = stage(before) if before else None
    fields: dict[str, Any] = {"key": f"k{id_}", "origin": FEED, **values}
    return Known(id=id_, before=start, after=stage(after), at=at * SECOND, **fields)


def scene(seen: str | None, loaded: str | None, **values: object) -> Scene:
    """What is known of a deal; the copy is of second 10, now is 100."""
    fields: dict[str, Any] = {"until": 10 * SECOND, "since": 0, "created": None, "now": 100 * SECOND, **values}
    return Scene(stage(seen) if seen else None, stage(loaded) if loaded else None, **fields)


def steps(plan: Plan) -> list[tuple[int | None, str, str]]:
    """The steps in short."""
    return [(one.row, one.before.stage_id if one.before else "?", one.after.stage_id) for one in plan.steps]


def test_rows_of_one_second_are_put_in_the_order_in_which_they_link() -> None:
    """Within a second the vendor's order means nothing: each move begins where the last one ended."""
    plan = moves.plan(scene("a", "c"), [row(1, "b", "a", 20), row(2, "a", "c", 20), row(3, "a", "b", 20)])
    assert (steps(plan), plan.is_open) == ([(3, "a", "b"), (1, "b", "a"), (2, "a", "c")], False)


def test_a_gap_in_the_middle_is_closed_by_a_hop() -> None:
    """Between two reports that do not meet, what must have happened is inferred and the way stays open."""
    plan = moves.plan(scene("a", "d"), [row(1, "a", "b", 20), row(2, "c", "d", 30)])
    assert (steps(plan), plan.is_open) == ([(1, "a", "b"), (None, "b", "c"), (2, "c", "d")], True)


def test_reports_without_a_beginning_follow_one_another() -> None:
    """A CRM that tells only where to: each begins where the deal was; the first stage of a new deal is no move."""
    rows = [row(1, None, "a", 20), row(2, None, "b", 21), row(3, None, "c", 30)]
    plan = moves.plan(scene(None, "c", until=None, created=20 * SECOND), rows)
    assert (steps(plan), plan.silent, plan.is_open) == ([(2, "a", "b"), (3, "b", "c")], [1], False)


def test_a_move_of_an_unseen_deal_without_a_beginning_is_told_with_none() -> None:
    """Where the deal came from nobody knows: before is None."""
    plan = moves.plan(scene(None, "b", until=None, created=1 * SECOND), [row(1, None, "b", 50)])
    assert steps(plan) == [(1, "?", "b")]


def test_a_crm_without_history_is_not_waited_for() -> None:
    """Where no report can come, hop and own move are told at once."""
    own = row(1, None, "b", 90, key=None, origin=OWN, cause=Cause(extension="robot", run_id=1, depth=1))
    plan = moves.plan(scene("a", "c", has_history=False), [own])
    assert (steps(plan), plan.is_open) == ([(1, "a", "b"), (None, "b", "c")], False)
    assert [one.cause is not None for one in plan.steps] == [True, False]


def test_our_move_takes_the_nearest_report() -> None:
    """A person went to the same stage a minute before us: the later report is ours."""
    own = row(3, None, "b", 80, key=None, origin=OWN, cause=Cause(extension="robot", run_id=1, depth=1))
    rows = [row(1, "a", "b", 20), row(2, "b", "a", 30), own, row(4, "a", "b", 79)]
    plan = moves.plan(scene("a", "b"), rows)
    assert [(one.row, one.cause is not None) for one in plan.steps] == [(1, False), (2, False), (4, True)]


def test_a_report_from_before_the_hop_began_is_not_its_report() -> None:
    """An inferred hop stands for what lies between the move before it and the look: nothing older is adopted."""
    told = [row(1, "a", "b", 50, is_emitted=True), row(2, "b", "c", 60, key=None, origin=INFERRED, is_emitted=True)]
    plan = moves.plan(scene("c", "c", until=60 * SECOND), [row(3, "a", "c", 40), *told])
    assert (plan.adopted, steps(plan)) == ([], [(3, "a", "c")])
    assert plan.steps[0].is_late


def test_an_own_write_that_moved_nothing_is_forgotten_in_the_end() -> None:
    """For ten minutes a report may still say that it moved something."""
    own = row(1, None, "a", 90, key=None, origin=OWN, cause=Cause(extension="robot", run_id=1, depth=1))
    assert moves.plan(scene("a", "a"), [own]).idle == [1]
    idle = replace(own, is_idle=True)
    assert moves.plan(scene("a", "a"), [idle]).dropped == []
    assert moves.plan(scene("a", "a", now=800 * SECOND), [idle]).dropped == [1]


def test_a_step_says_whether_somebody_reported_it() -> None:
    """A hop has no row."""
    assert [Step(None, None, stage("a"), 0).is_inferred, Step(1, None, stage("a"), 0).is_inferred] == [True, False]
