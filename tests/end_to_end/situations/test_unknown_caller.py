"""Two calls from a number nobody knows, received by two processes at once, are one contact and one task."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from tests.end_to_end.situations.premises import until
from tests.end_to_end.situations.processes import PATIENCE_S, Process, Processes

from crmkit_sandbox import Sandbox
from crmkit_sandbox.amocrm import AmoCrm

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


def owners(amo: AmoCrm) -> Counter[str]:
    """How many contacts each of the numbers has."""
    texts = [str(contact.get("custom_fields_values")) for contact in amo.contacts.values()]
    return Counter(phone for phone in NUMBERS for text in texts if phone in text)


def test_two_calls_of_a_stranger_at_two_processes_are_one_contact_and_one_task(tmp_path: Path) -> None:
    """Both processes receive and both work; for each number two different calls come at the same moment."""
    with Sandbox(("amocrm",)) as sandbox, Processes(tmp_path, sandbox, "call-tasks") as shop:
        amo = sandbox.amocrm
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

        assert owners(amo) == Counter(NUMBERS)
        people = {contact["id"] for contact in amo.contacts.values()}
        assert Counter(task["entity_id"] for task in amo.tasks.values()) == Counter(people)
        assert all("Пропущенных звонков: 2" in task["text"] for task in amo.tasks.values())
