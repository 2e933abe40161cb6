{% import "words.j2" as words with context -%}
{% if cookiecutter.vendor == "retailcrm" -%}
"""The whole service beside an emulated CRM, over HTTP: calls are told twice, the CRM refuses for a moment."""

from crmkit_testing.bench import bench

from {{ cookiecutter.package }}.extension import call_back

PHONE = "+79161234567"


def test_a_call_that_is_told_three_times_makes_one_task() -> None:
    """The telephony repeats its delivery; the call was missed once."""
    with bench(call_back, "retailcrm") as b:
        contact = b.person.add_contact("{{ words.person }}", phone=PHONE)
        b.missed_call(PHONE, times=3)

        assert [(task.about, task.text) for task in b.tasks] == [(contact, f"{{ words.call_back }} {PHONE}")]
        assert b.decisions == ["{{ words.missed }}"]


def test_a_limit_costs_a_moment_and_no_task() -> None:
    """The CRM refuses three requests; the service waits and asks again."""
    with bench(call_back, "retailcrm") as b:
        contact = b.person.add_contact("{{ words.person }}", phone=PHONE)
        b.fail_next(503, times=3)
        b.missed_call(PHONE)

        assert [task.about for task in b.tasks] == [contact]
{%- else -%}
"""The whole service beside an emulated CRM, over HTTP: hooks come twice, or not at all."""

from datetime import timedelta

from crmkit_testing.bench import bench

from {{ cookiecutter.package }}.extension import call_back

PHONE = "+79161234567"


def test_a_hook_that_comes_three_times_makes_one_task() -> None:
    """The CRM repeats its delivery; the call was missed once."""
    with bench(call_back{% if cookiecutter.vendor != "amocrm" %}, "{{ cookiecutter.vendor }}"{% endif %}) as b:
        contact = b.person.add_contact("{{ words.person }}", phone=PHONE)
        b.repeat_next_hook(3)
        b.person.missed_call(contact, PHONE)

        assert [(task.about, task.text) for task in b.tasks] == [(contact, f"{{ words.call_back }} {PHONE}")]
        assert b.decisions == ["{{ words.missed }}"]


def test_a_lost_hook_costs_a_minute_and_no_task() -> None:
    """The CRM tells nothing; the service finds the call in the CRM's own feed."""
    with bench(call_back{% if cookiecutter.vendor != "amocrm" %}, "{{ cookiecutter.vendor }}"{% endif %}) as b:
        contact = b.person.add_contact("{{ words.person }}", phone=PHONE)
        b.person.missed_call(contact, PHONE, hooks=False)
        b.advance(timedelta(minutes=5))

        assert [task.about for task in b.tasks] == [contact]
{%- endif %}
