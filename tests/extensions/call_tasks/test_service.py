"""call-tasks in a real service, beside every CRM that has an emulator."""

from __future__ import annotations

import pytest

from crmkit.models import Direction
from crmkit_call_tasks import call_tasks
from crmkit_testing.bench import bench

CLIENT = "+79031112233"


@pytest.mark.parametrize("vendor", ["amocrm", "bitrix24", "memory", "retailcrm"])
def test_missed_calls_and_the_talk_that_settles_them(vendor: str) -> None:
    """Told three times, missed twice, talked once: one task, two counted, done; the stranger's is open."""
    with bench(call_tasks, vendor) as desk:
        contact = desk.person.add_contact("Мария Петрова", phone=CLIENT)
        desk.missed_call(CLIENT, id_="1", times=3)
        desk.missed_call(CLIENT, id_="2")
        desk.missed_call("+79161230009", id_="3")
        desk.call_comes("+79161230010", talk_s=3, id_="4")
        desk.call_comes(CLIENT, talk_s=40, id_="5", direction=Direction.OUT)
        stranger = next(one.ref for one in desk.contacts if one.ref != contact)
        assert [(one.about, one.is_done, "Пропущенных звонков: 2" in one.text) for one in desk.tasks] == [
            (contact, True, True),
            (stranger, False, False),
        ]
        assert [(run.state, run.decisions[0].split(":")[0]) for run in desk.runs] == [
            ("done", "пропущенный звонок"),
            ("done", "пропущенный звонок от того же номера"),
            ("done", "пропущенный звонок"),
            ("skipped", "случайный звонок, 3 с"),
            ("done", "звонок принят, открытой сделки нет"),
        ]
