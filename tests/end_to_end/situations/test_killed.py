"""A handler that names no effect, killed and tried again, makes one task."""

from __future__ import annotations

from pathlib import Path

from tests.end_to_end.situations.premises import until
from tests.end_to_end.situations.processes import KILLED, PATIENCE_S, Processes

from crmkit_sandbox import Sandbox

STRANGER = '''\
"""A stranger's extension: a task for each deal that is made, and a remark on the deal."""

from crmkit import Context, DealCreated, Extension, Note, Settings, Task

robot = Extension("robot")


@robot.on(DealCreated)
def welcome(event: DealCreated, ctx: Context[Settings]) -> None:
    """Two writes, neither with a name."""
    ctx.crm.tasks.create(Task(text="Позвонить", about=event.ref, due=ctx.now))
    ctx.crm.notes.create(Note(text="Задача поставлена", about=event.ref))
'''


def test_a_handler_that_is_killed_again_and_again_makes_one_task(tmp_path: Path) -> None:
    """Before the request, after it, and between the two writes: the last process ends with one task and one remark."""
    (tmp_path / "stranger.py").write_text(STRANGER, encoding="utf-8")
    with Sandbox(("amocrm",)) as sandbox, Processes(tmp_path, sandbox, "stranger:robot", sweep_every_s=0.5) as shop:
        amo = sandbox.amocrm
        doomed = shop.start(crash_at="after_intent")
        until(lambda: "deal" in shop.account().loaded, within_s=PATIENCE_S, otherwise=shop.said)
        # A deal of the very second of connecting is no news: the CRM tells whole seconds.
        until(lambda: amo.account.now() > _connected(shop), within_s=PATIENCE_S, otherwise=shop.said)
        lead = amo.add_lead(name="Окна")
        assert doomed.popen.wait(PATIENCE_S) == KILLED
        for point in ("after_call", "after_record:2"):
            assert shop.start(crash_at=point).popen.wait(PATIENCE_S) == KILLED
        shop.start()
        until(lambda: shop.account().runs == {"done": 1}, within_s=PATIENCE_S, otherwise=shop.said)

        assert [(task["text"], task["entity_id"]) for task in amo.tasks.values()] == [("Позвонить", lead)]
        notes = [note for note in amo.notes.values() if note["note_type"] == "common"]
        assert [(note["params"]["text"], note["entity_id"]) for note in notes] == [("Задача поставлена", lead)]


def _connected(shop: Processes) -> int:
    connected = shop.account().connected_at
    assert connected is not None
    return int(connected.timestamp())
