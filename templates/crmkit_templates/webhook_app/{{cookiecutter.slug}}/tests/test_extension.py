{% import "words.j2" as words with context -%}
"""The handler, on a CRM in memory: no service, no network."""

from datetime import timedelta

from crmkit import CallFinished, Ref
from crmkit.testing import MemoryCrm, run

from {{ cookiecutter.package }}.extension import CallBackSettings, call_back

PHONE = "+79161234567"


def finished(memory: MemoryCrm, ref: Ref) -> CallFinished:
    """The event of a call."""
    return CallFinished(ref=ref, occurred_at=memory.world.clock.now(), call=memory.crm.calls.get(ref))


def test_a_missed_call_becomes_one_task() -> None:
    """However often the event comes, there is one task on the contact, due by the settings."""
    memory = MemoryCrm()
    contact = memory.person.add_contact("{{ words.person }}", phone=PHONE)
    event = finished(memory, memory.person.missed_call(PHONE))

    for _ in range(3):
        outcome = run(call_back, event, memory, settings=CallBackSettings(due_in=timedelta(hours=1)))

    due = memory.world.clock.now() + timedelta(hours=1)
    tasks = list(memory.crm.tasks.iterate())
    assert [(task.about, task.text, task.due) for task in tasks] == [(contact, f"{{ words.call_back }} {PHONE}", due)]
    assert outcome.reasons == ("{{ words.missed }}",)


def test_an_answered_call_makes_no_task() -> None:
    """The run says why."""
    memory = MemoryCrm()
    memory.person.add_contact("{{ words.person }}", phone=PHONE)

    outcome = run(call_back, finished(memory, memory.person.called(PHONE)), memory)

    assert (outcome.skipped, outcome.reasons) == (True, ("{{ words.answered }}",))
    assert list(memory.crm.tasks.iterate()) == []
