{% import "words.j2" as words with context -%}
"""The whole service beside an emulated CRM, over HTTP: hooks come twice, or not at all."""

from datetime import timedelta

from crmkit_testing.bench import bench

from {{ cookiecutter.package }}.extension import call_back

PHONE = "+79161234567"


def test_a_hook_that_comes_three_times_makes_one_task() -> None:
    """The CRM repeats its delivery; the call was missed once."""
    with bench(call_back) as b:
        contact = b.person.add_contact("{{ words.person }}", phone=PHONE)
        b.repeat_next_hook(3)
        b.person.missed_call(contact, PHONE)

        assert [(task.about, task.text) for task in b.tasks] == [(contact, f"{{ words.call_back }} {PHONE}")]
        assert b.decisions == ["{{ words.missed }}"]


def test_a_lost_hook_costs_a_minute_and_no_task() -> None:
    """The CRM tells nothing; the service finds the call in the CRM's own feed."""
    with bench(call_back) as b:
        contact = b.person.add_contact("{{ words.person }}", phone=PHONE)
        b.person.missed_call(contact, PHONE, hooks=False)
        b.advance(timedelta(minutes=5))

        assert [task.about for task in b.tasks] == [contact]
