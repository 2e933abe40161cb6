"""A deal that moves twice within two seconds is told of as two moves, whatever is lost and whoever moved it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Literal

import pytest
from tests.end_to_end.situations.premises import Open, Premises
from tests.end_to_end.situations.witness import witness

from crmkit.events import DealStageChanged, TaskCreated
from crmkit.extension import Context, Extension
from crmkit.models import StageRef
from crmkit.settings import NoSettings
from crmkit_sandbox.amocrm import AmoCrm

MINUTES = timedelta(minutes=2)

Act = Callable[[], None]
OpenPremises = Callable[..., Premises]


class Board:
    """One deal on the board, and the stages it passes."""

    def __init__(self, premises: Premises, desk: Open, lead: int) -> None:
        self.amo: AmoCrm = premises.amo()
        self.time = premises.time
        self.desk = desk
        self.lead = lead
        self.stages = ordinary_stages(self.amo)

    def stage(self, place: int) -> StageRef:
        """The n-th stage."""
        return StageRef(pipeline_id=str(self.amo.account.main_pipeline["id"]), stage_id=self.stages[place])

    def move(self, to: int, *, hooks: bool) -> None:
        """A person drags the deal to its n-th stage."""
        self.amo.move_lead(self.lead, int(self.stages[to]), hooks=hooks)

    def told(self) -> list[str]:
        """The moves that were told of, by the places of their stages."""
        names = {stage: str(place) for place, stage in enumerate(self.stages)}
        prefix = f"DealStageChanged {self.lead}: "
        lines = [line.removeprefix(prefix) for line in self.desk.told("witness")]
        return [" ".join(names.get(word, word) for word in line.split()) for line in lines]


def ordinary_stages(amo: AmoCrm) -> list[str]:
    """Ids of the main pipeline's stages that a person drags deals through."""
    return [str(status["id"]) for status in amo.account.main_pipeline["statuses"] if status["type"] == 0]


@contextmanager
def board(premises: Premises, *extensions: Extension[NoSettings]) -> Iterator[Board]:
    """A connected service, and a deal in its first stage."""
    lead = premises.amo().add_lead(name="Окна", status_id=int(ordinary_stages(premises.amo())[0]), hooks=False)
    with premises.open(witness(DealStageChanged), *extensions) as desk:
        desk.connect()
        yield Board(premises, desk, lead)


@pytest.mark.parametrize("hooks", [(True, True), (False, True), (True, False), (False, False)])
@pytest.mark.parametrize("looks_between", [True, False])
@pytest.mark.parametrize("apart_s", [0.0, 1.0])
def test_two_moves_of_a_person_are_two_events(
    premises: OpenPremises, hooks: tuple[bool, bool], looks_between: bool, apart_s: float
) -> None:
    """A -> B -> C with any hook lost, or all: two moves in order, once each, none inferred; time adds no third."""
    with board(premises()) as there:
        there.move(1, hooks=hooks[0])
        if looks_between:
            there.desk.settle()
        there.time.advance(apart_s)
        there.move(2, hooks=hooks[1])
        there.desk.pass_time(MINUTES)
        there.desk.pass_time(MINUTES)
        first = "0 -> 1" if hooks[0] and looks_between else "0 -> 1 (passed)"
        assert there.told() == [first, "1 -> 2"]


class Robot:
    """An extension that drags the deal of a new task; what a person does around its write, `before` and `after` say."""

    def __init__(self) -> None:
        self.extension = Extension("robot")
        self.stage = StageRef(pipeline_id="", stage_id="")
        self.before: Act = lambda: None
        self.after: Act = lambda: None

        @self.extension.on(TaskCreated)
        def move_on(event: TaskCreated, ctx: Context[NoSettings]) -> None:
            assert event.task.about is not None
            self.before()
            ctx.crm.deals.update(event.task.about, {"stage": self.stage})
            self.after()


@pytest.mark.parametrize("hooks", [True, False])
@pytest.mark.parametrize("apart_s", [0.0, 1.0])
@pytest.mark.parametrize("first", ["person", "robot"])
def test_our_own_move_beside_a_persons_keeps_its_place(
    premises: OpenPremises, hooks: bool, apart_s: float, first: Literal["person", "robot"]
) -> None:
    """Person then own, and own then person: each move once, in order, ours in our name and the person's in nobody's."""
    robot = Robot()
    with board(premises(), robot.extension) as there:

        def person_first() -> None:
            there.move(1, hooks=hooks)
            there.time.advance(apart_s)

        def person_second() -> None:
            there.time.advance(apart_s)
            there.move(2, hooks=hooks)

        if first == "person":
            robot.stage, robot.before = there.stage(2), person_first
        else:
            robot.stage, robot.after = there.stage(1), person_second
        there.amo.add_task("Пора", entity_type="leads", entity_id=there.lead)
        there.desk.pass_time(MINUTES)
        there.desk.pass_time(MINUTES)
        by_person_first = ["0 -> 1 (passed)", "1 -> 2 by robot"]
        by_robot_first = ["0 -> 1 (passed) by robot", "1 -> 2"]
        assert there.told() == (by_person_first if first == "person" else by_robot_first)


@pytest.mark.parametrize("hooks", [True, False])
def test_our_own_move_between_two_of_a_person_keeps_its_place(premises: OpenPremises, hooks: bool) -> None:
    """Three moves within one second, ours in the middle: three events in order."""
    robot = Robot()
    with board(premises(), robot.extension) as there:
        robot.stage = there.stage(2)
        robot.before = lambda: there.move(1, hooks=hooks)
        robot.after = lambda: there.move(3, hooks=hooks)
        there.amo.add_task("Пора", entity_type="leads", entity_id=there.lead)
        there.desk.pass_time(MINUTES)
        there.desk.pass_time(MINUTES)
        assert there.told() == ["0 -> 1 (passed)", "1 -> 2 (passed) by robot", "2 -> 3"]


def test_moves_while_the_service_is_away_are_told_when_it_is_back(premises: OpenPremises) -> None:
    """A service that was stopped while a deal moved three times, there and back again, tells of each afterwards."""
    place = premises()
    with board(place) as there:
        there.desk.settle()
    place.time.advance(600)
    stages, lead = there.stages, there.lead
    for to in (1, 2, 1):
        place.amo().move_lead(lead, int(stages[to]))
        place.time.advance(1)
    with place.open(witness(DealStageChanged)) as desk:
        desk.pass_time(MINUTES)
        told = [line.split(": ")[1] for line in desk.told("witness")]
        path = [(0, 1), (1, 2), (2, 1)]
        wanted = [f"{stages[one]} -> {stages[two]}" for one, two in path]
        assert told == [f"{wanted[0]} (passed)", f"{wanted[1]} (passed)", wanted[2]]
