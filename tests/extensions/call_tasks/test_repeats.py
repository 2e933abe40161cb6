"""Runs that are repeated: after a crash at any moment the account ends as if nothing had happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.extensions.call_tasks.conftest import NUMBER, Office

from crmkit.models import Call, CallStatus, Contact, Deal, Direction, Task
from crmkit.testing import Asked, Outcome
from crmkit.testing.desk import MemoryStore
from crmkit_call_tasks import CallTaskSettings, call_tasks
from crmkit_call_tasks.conversation import COLLECTION


class CrashError(BaseException):
    """The process is gone; nothing catches this."""


class Saboteur:
    """Kills the run at its nth step: before a request to the CRM, after a write, before a document is kept.

    Args:
        at: which step; nothing happens when the run has fewer.
    """

    def __init__(self, office: Office, patch: pytest.MonkeyPatch, at: int) -> None:
        self.left = at
        self._office = office
        put = MemoryStore.put

        def sabotaged(store: MemoryStore, collection: str, key: str, document: Any) -> None:
            self.step()
            put(store, collection, key, document)
            self.step()

        patch.setattr(MemoryStore, "put", sabotaged)
        office.memory.world.on_request = self.request

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise CrashError

    def request(self, asked: Asked) -> None:
        """Before a request, which is also after the one before."""
        self.step()

    def stop(self, patch: pytest.MonkeyPatch) -> None:
        self.left = 0
        self._office.memory.world.on_request = None
        patch.undo()


def state(office: Office) -> dict[str, Any]:
    """What people see in the account."""
    return {
        "tasks": [(t.text, t.due, t.owner_id, t.is_done, t.result, t.about) for t in office.all(Task)],
        "contacts": [(c.name, c.owner_id) for c in office.all(Contact)],
        "deals": [(d.title, d.contacts) for d in office.all(Deal)],
        "calls": [(c.status, c.talk_s, c.contact) for c in office.all(Call)],
    }


def first_missed(office: Office) -> Callable[[], Outcome]:
    office.settings = CallTaskSettings(new_deals=True)
    call = office.call()
    return lambda: office.hear(call)


def second_missed(office: Office) -> Callable[[], Outcome]:
    office.client()
    office.missed()
    office.advance(minutes=3)
    call = office.call()
    return lambda: office.hear(call)


def conversation(office: Office) -> Callable[[], Outcome]:
    office.deal(office.client())
    office.missed()
    office.advance(minutes=3)
    call = office.call(CallStatus.ANSWERED, talk_s=70)
    return lambda: office.hear(call)


def attempt(office: Office) -> Callable[[], Outcome]:
    office.client()
    office.missed()
    office.advance(minutes=3)
    call = office.call(direction=Direction.OUT)
    return lambda: office.hear(call)


def broken_off(office: Office) -> Callable[[], Outcome]:
    call = office.call(CallStatus.ANSWERED, talk_s=4)
    return lambda: office.hear(call)


def silence(office: Office) -> Callable[[], Outcome]:
    waiting = office.answered(4)
    return lambda: office.fire(waiting)


SCENES = [first_missed, second_missed, conversation, attempt, broken_off, silence]


@pytest.mark.parametrize("scene", SCENES)
def test_a_run_that_died_anywhere_ends_as_if_it_had_not(
    scene: Callable[[Office], Callable[[], Outcome]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For every step of the run: killed there and repeated later, same tasks, times, owners, counters and reasons."""
    # One owner for all: a run that dies before its plan is written down has lost its turn, and nothing else.
    fixed = {"assign": "fixed", "fixed": "1"}
    calm = Office()
    expected = scene(calm)
    calm.settings = calm.settings.model_copy(update=fixed)
    expected_outcome = expected()
    for at in range(1, 60):
        office = Office()
        run = scene(office)
        office.settings = office.settings.model_copy(update=fixed)
        saboteur = Saboteur(office, monkeypatch, at)
        try:
            run()
        except CrashError:
            saboteur.stop(monkeypatch)
        else:
            saboteur.stop(monkeypatch)
            assert at > 5
            return
        outcome = run()
        assert state(office) == state(calm), f"killed at step {at}"
        assert outcome.reasons == expected_outcome.reasons, f"killed at step {at}"
        assert outcome.timers == expected_outcome.timers, f"killed at step {at}"
    pytest.fail("the run has more steps than expected")


@pytest.mark.parametrize("scene", SCENES)
def test_time_that_passes_before_the_repeat_moves_nothing(
    scene: Callable[[Office], Callable[[], Outcome]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that died after its plan was written down keeps the plan's time and owner an hour later."""
    calm, office = Office(), Office()
    scene(calm)()
    run = scene(office)
    put = MemoryStore.put

    def dies_at_the_end(store: MemoryStore, collection: str, key: str, document: Any) -> None:
        if document.get("plan") is None:
            raise CrashError
        put(store, collection, key, document)

    monkeypatch.setattr(MemoryStore, "put", dies_at_the_end)
    with pytest.raises(CrashError):
        run()
    monkeypatch.undo()
    office.advance(hours=1)
    run()
    assert state(office) == state(calm)


def test_a_repeat_tells_the_same_and_does_nothing(office: Office) -> None:
    """A finished run that is repeated gives its reasons again, without a request."""
    office.client()
    call = office.call()
    first = office.hear(call)
    office.advance(hours=1)
    before = len(office.memory.world.asked)
    again = office.hear(call)
    assert (again.reasons, again.skipped) == (first.reasons, False)
    assert len(office.memory.world.asked) == before


def test_a_call_that_led_to_nothing_is_judged_anew(office: Office) -> None:
    """Replayed after the settings were mended, a call gets the task it deserves; it is counted as dropped once."""
    office.settings = CallTaskSettings(blacklist=(NUMBER,))
    call = office.call()
    for _ in range(2):
        assert office.hear(call).reasons == ("номер в чёрном списке настроек",)
    store = office.memory.desk(call_tasks.name).store
    document = store.get(COLLECTION, NUMBER)
    assert document is not None
    assert document["dropped"] == 1
    office.settings = CallTaskSettings()
    assert not office.hear(call).skipped
    assert len(office.tasks) == 1


def test_a_plan_that_has_lost_its_task_is_made_anew(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task was done by a person between the crash and the repeat: the client is called back with a new one."""
    run = second_missed(office)
    put = MemoryStore.put

    def dies_after_the_plan(store: MemoryStore, collection: str, key: str, document: Any) -> None:
        put(store, collection, key, document)
        raise CrashError

    monkeypatch.setattr(MemoryStore, "put", dies_after_the_plan)
    with pytest.raises(CrashError):
        run()
    monkeypatch.undo()
    office.memory.person.complete(office.tasks[0].ref)
    run()
    assert [task.is_done for task in office.tasks] == [True, False]


@pytest.mark.parametrize(
    ("direction", "talk_s", "texts"),
    [
        (Direction.IN, 0, ["Перезвонить: +79161230001 (Иван Петров). Пропущенный звонок 02.03.2026 12:00, ждали 20 с"]),
        (Direction.OUT, 0, []),
        (Direction.IN, 60, []),
    ],
)
def test_a_task_that_is_deleted_under_our_hands(
    office: Office, direction: Direction, talk_s: int, texts: list[str]
) -> None:
    """Between our look and our write: a missed call gets a new task, an attempt and a closing are let go."""
    office.client()
    office.missed()
    [task] = office.tasks

    def deletes(asked: Asked) -> None:
        if asked.verb == "update":
            office.memory.world.on_request = None
            office.memory.person.delete(task.ref)

    office.memory.world.on_request = deletes
    status = CallStatus.ANSWERED if talk_s else CallStatus.MISSED
    office.hear(office.call(status, direction=direction, talk_s=talk_s))
    assert [one.text for one in office.tasks] == texts
