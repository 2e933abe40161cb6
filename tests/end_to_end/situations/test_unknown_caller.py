"""Two calls from a number nobody knows, received by two processes at once, are one contact and one task."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.end_to_end.situations.others import VENDORS, in_real_time, script
from tests.end_to_end.situations.premises import until
from tests.end_to_end.situations.processes import PATIENCE_S, Process, Processes

NUMBERS = [f"+7926555{n:04d}" for n in range(4)]


def missed(phone: str, number: int) -> dict[str, str]:
    """A missed call as Ringostat tells of it."""
    return {
        "uniqueid": f"{phone}.{number}",
        "call_type": "in",
        "calldate": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "caller": phone,
        "dst": "+74951234567",
        "disposition": "NO ANSWER",
        "billsec": "0",
        "duration": "24",
        "waittime": "24",
    }


@pytest.mark.parametrize("vendor", VENDORS)
def test_two_calls_of_a_stranger_at_two_processes_are_one_contact_and_one_task(tmp_path: Path, vendor: str) -> None:
    """Both processes receive and both work; for each number two different calls come at the same moment."""
    with in_real_time(vendor) as side, Processes(tmp_path, side, "call-tasks") as shop:
        both = [shop.start(is_web=True), shop.start(is_web=True)]
        for process in both:
            process.wait_for_work()
        start = threading.Barrier(len(both) * len(NUMBERS))

        def ring(process: Process, phone: str, number: int) -> int:
            start.wait()
            return process.post("ringostat", missed(phone, number))

        with ThreadPoolExecutor(start.parties) as pool:
            calls = [
                pool.submit(ring, process, phone, number) for number, process in enumerate(both) for phone in NUMBERS
            ]
            assert {call.result() for call in calls} == {200}
        until(lambda: shop.account().runs == {"done": len(calls)}, within_s=PATIENCE_S, otherwise=shop.said)
        crm = script(side, tmp_path)
        people, tasks = list(crm.contacts.iterate()), list(crm.tasks.iterate())
        crm.close()
    assert Counter(phone.e164 for person in people for phone in person.phones) == Counter(NUMBERS)
    assert Counter(task.about for task in tasks) == Counter(person.ref for person in people)
    assert all("Пропущенных звонков: 2" in task.text for task in tasks)
