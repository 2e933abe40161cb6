"""A handler that names no effect, killed and tried again, makes one task, whichever the CRM."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.end_to_end.situations.others import VENDORS, in_real_time, script
from tests.end_to_end.situations.premises import until
from tests.end_to_end.situations.processes import KILLED, PATIENCE_S, Processes

from crmkit import Deal

STRANGER = '''\
"""A stranger's extension: two tasks for each deal that is made."""

from crmkit import Context, DealCreated, Extension, Settings, Task

robot = Extension("robot")


@robot.on(DealCreated)
def welcome(event: DealCreated, ctx: Context[Settings]) -> None:
    """Two writes, neither with a name."""
    ctx.crm.tasks.create(Task(text="Позвонить", about=event.ref, due=ctx.now))
    ctx.crm.tasks.create(Task(text="Написать", about=event.ref, due=ctx.now))
'''


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_handler_that_is_killed_again_and_again_makes_each_task_once(tmp_path: Path, vendor: str) -> None:
    """Before the request, after it, and between the two writes: the last process ends with one task of each."""
    (tmp_path / "stranger.py").write_text(STRANGER, encoding="utf-8")
    with (
        in_real_time(vendor) as side,
        Processes(tmp_path, side, "stranger:robot", sweep_every_s=1.0) as shop,
    ):
        doomed = shop.start(crash_at="after_intent")
        until(lambda: "deal" in shop.account().loaded, within_s=PATIENCE_S, otherwise=shop.said)
        # A deal of the very second of connecting is no news: the CRM tells whole seconds.
        until(lambda: int(side.now().timestamp()) > _connected(shop), within_s=PATIENCE_S, otherwise=shop.said)
        deal = side.add(Deal(title="Окна"), hooks=False)
        assert doomed.popen.wait(PATIENCE_S) == KILLED
        for point in ("after_call", "after_record:2"):
            assert shop.start(crash_at=point).popen.wait(PATIENCE_S) == KILLED
        shop.start()
        until(lambda: shop.account().runs == {"done": 1}, within_s=PATIENCE_S, otherwise=shop.said)
        crm = script(side, tmp_path)
        tasks = [(task.text, task.about) for task in crm.tasks.iterate()]
        crm.close()
    assert sorted(tasks) == [("Написать", deal), ("Позвонить", deal)]


def _connected(shop: Processes) -> int:
    connected = shop.account().connected_at
    assert connected is not None
    return int(connected.timestamp())
