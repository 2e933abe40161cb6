"""Random histories of people, hooks, feed and our own writes end in the CRM's state, with each move told once."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from crmkit.models import Deal, StageRef
from crmkit.settings import ServiceConfig
from crmkit.testing.memory import MemoryAdapter, MemoryCrm
from crmkit.testing.world import MemoryWorld
from crmkit.values import Kind, Ref
from crmkit_runtime.database import Database
from crmkit_runtime.migrations import migrate
from crmkit_runtime.service import Service

STAGES = ("new", "talks", "offer", "contract", "won", "lost")
DEALS = 2


class Histories(RuleBasedStateMachine):
    """Two deals of one account; everything that can happen around them, in any order."""

    House: Callable[..., Any]
    listener: Callable[..., Any]
    empty: Path

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        path = str(Path(self._folder.name) / "crmkit.sqlite3")
        shutil.copy(type(self).empty, path)
        shutil.copy(f"{type(self).empty}.key", f"{path}.key")
        self.world = MemoryWorld()
        crm = MemoryCrm(world=self.world)
        self.refs = crm.seed(
            *(Deal(title="сделка", stage=StageRef(pipeline_id="1", stage_id="new")) for _ in range(DEALS))
        )
        tables = {"acme": {"vendor": "memory", "base_url": "memory://localhost"}}
        service = Service.open(
            ServiceConfig.model_validate({"database": path, "accounts": tables}),
            environment={},
            clock=self.world.clock,
            extensions=[type(self).listener(Kind.DEAL)],
            adapters={"memory": MemoryAdapter(self.world)},
        )
        self.house = type(self).House(service, crm)
        self.under_way: list[Any] = []
        self.writes = 0

    @initialize(seen_first=st.booleans())
    def begin(self, seen_first: bool) -> None:
        """The account is connected; its records are loaded, or not yet."""
        if seen_first:
            self.house.start()
        else:
            self.house.observer.step()
            self.house.advance(1)

    @rule(deal=st.integers(0, DEALS - 1), name=st.sampled_from(STAGES), hooks=st.booleans())
    def a_person_moves(self, deal: int, name: str, hooks: bool) -> None:
        """Somebody moves a deal."""
        self.house.person.move_deal(self.refs[deal], name, hooks=hooks)

    @rule(deal=st.integers(0, DEALS - 1), number=st.integers(0, 3), hooks=st.booleans())
    def a_person_renames(self, deal: int, number: int, hooks: bool) -> None:
        """Somebody changes something else."""
        self.house.person.change(self.refs[deal], {"title": f"название {number}"}, hooks=hooks)

    @rule(deal=st.integers(0, DEALS - 1), name=st.sampled_from(STAGES))
    def we_move(self, deal: int, name: str) -> None:
        """A handler moves a deal."""
        stage = StageRef(pipeline_id="1", stage_id=name)
        self.under_way.append(self.house.update(self.refs[deal], {"stage": stage}).begin().send())
        self.writes += 1

    @rule(deal=st.integers(0, DEALS - 1), number=st.integers(0, 3))
    def we_rename(self, deal: int, number: int) -> None:
        """A handler changes something else."""
        changes = {"title": f"название {number}"}
        self.under_way.append(self.house.update(self.refs[deal], changes).begin().send())
        self.writes += 1

    @precondition(lambda self: self.under_way)
    @rule()
    def our_result_is_stored(self) -> None:
        """The oldest write of ours that is under way ends."""
        self.under_way.pop(0).record()

    @rule()
    def hooks_come(self) -> None:
        """Hooks that were not lost arrive."""
        self.house.deliver()

    @rule()
    def hooks_are_lost(self) -> None:
        """Hooks that wait are lost."""
        self.world.drop_hooks()

    @rule()
    def the_feed_is_read(self) -> None:
        """The sweep runs."""
        self.house.sweep.step()

    @rule()
    def somebody_looks(self) -> None:
        """The observer works off what is due."""
        self.house.look()

    @rule()
    def a_page_is_loaded(self) -> None:
        """The first load goes on."""
        self.house.baseline.step()

    @rule(seconds=st.sampled_from((0.4, 1, 3)))
    def time_passes(self, seconds: float) -> None:
        """The clock moves."""
        self.house.advance(seconds)

    @rule(seconds=st.sampled_from((0, 2)))
    def the_feed_lags(self, seconds: float) -> None:
        """Reports of moves come late, but within what is waited for."""
        self.world.lag_feed(seconds)

    @invariant()
    def nothing_was_told_that_did_not_happen(self) -> None:
        """No move is told more often than it was made."""
        for ref in self.refs:
            assert not Counter(self._told(ref)) - Counter(self._made(ref))

    def teardown(self) -> None:
        """In the end everything is told, once, and the copies are those of the CRM."""
        try:
            self._finish()
        finally:
            self.house.service.close()
            self._folder.cleanup()

    def _finish(self) -> None:
        if not hasattr(self, "house") or (self.house.observer.next_at() is None and not self.world.asked):
            return
        while self.under_way:
            self.under_way.pop(0).record()
        self.world.lag_feed(0)
        for _ in range(3):
            self.house.settle()
            self.house.advance(4)
        while not self.house.baseline.step():
            pass
        self.house.settle()
        for ref in self.refs:
            assert self.house.seen(ref) == self.house.truth(ref)
            assert Counter(self._told(ref)) == Counter(self._made(ref))
            assert not any(inferred for *_, inferred, _ in self.house.moves(ref))
        told = self.house.events()
        assert sum(one.cause is not None for one in told if type(one).__name__ == "DealUpdated") <= self.writes
        assert timedelta(0) <= self.house.clock.now() - told[-1].occurred_at if told else True

    def _told(self, ref: Ref) -> list[tuple[str, str]]:
        return [(before, after) for before, after, *_ in self.house.moves(ref)]

    def _made(self, ref: Ref) -> list[tuple[str, str]]:
        rows = [row.hint.move for row in self.world.account("acme").feed if row.hint.ref == ref and row.hint.move]
        return [(move.from_stage[1] if move.from_stage else "?", move.to_stage[1]) for move in rows]


def test_random_histories(house_class: Any, listener_of: Any, tmp_path: Any) -> None:
    """Whatever happens in whatever order: the mirror ends as the CRM is, and each move was told once."""
    empty = tmp_path / "empty.sqlite3"
    database = Database(str(empty))
    migrate(database)
    database.close()
    given = {"House": house_class, "listener": staticmethod(listener_of), "empty": empty}
    machine: Any = type("Bound", (Histories,), given)
    case = machine.TestCase
    case.settings = settings(
        max_examples=25,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),
    )
    case("runTest").runTest()
