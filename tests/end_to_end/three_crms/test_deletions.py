"""What people throw away is told on three CRMs, once, whether its hook comes, comes many times or is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.end_to_end.situations.witness import witness

from crmkit import ContactDeleted, DealDeleted
from crmkit_testing.plugin import OpenBench


@pytest.mark.parametrize("copies", [0, 1, 4])
def test_a_deletion_is_one_event_whatever_becomes_of_its_hook(crm_bench: OpenBench, copies: int) -> None:
    """A deal and a person are gone: one event each, with what they were; time adds nothing."""
    b = crm_bench(witness(DealDeleted, ContactDeleted))
    deal = b.person.add_deal("Окна")
    person = b.person.add_contact("Иван Петров")
    b.settle()
    b.side.turn(5)
    for ref in (deal, person):
        if copies > 1:
            b.repeat_next_hook(copies)
        b.person.delete(ref, hooks=copies > 0)
    for _ in range(3):
        b.advance(timedelta(minutes=10))
    # One feed tells kind by kind, another in the order of what happened.
    assert sorted((run.event, run.ref, run.state) for run in b.runs) == [
        ("ContactDeleted", str(person), "done"),
        ("DealDeleted", str(deal), "done"),
    ]
