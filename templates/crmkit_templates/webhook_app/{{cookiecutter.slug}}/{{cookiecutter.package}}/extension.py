{% import "words.j2" as words with context -%}
"""What this service does: a missed call becomes a task to call back."""

from __future__ import annotations

from datetime import timedelta

from crmkit import CallFinished, Capability, Context, Extension, Settings, Task


class CallBackSettings(Settings):
    """What an operator may set in crmkit.toml, in the table of this extension."""

    due_in: timedelta = timedelta(hours=2)


{% if cookiecutter.vendor == "retailcrm" -%}
call_back = Extension("call-back", settings=CallBackSettings, requires={Capability.TASKS, Capability.FIND_BY_PHONE})
{%- else -%}
call_back = Extension("call-back", settings=CallBackSettings, requires={Capability.TASKS, Capability.CALLS})
{%- endif %}


@call_back.on(CallFinished)
def missed_call(event: CallFinished, ctx: Context[CallBackSettings]) -> None:
{%- if cookiecutter.vendor == "retailcrm" %}
    """Make one task for a missed call, on the card of whoever has the number."""
{%- else %}
    """Make one task for a missed call, on the card of the deal or the contact."""
{%- endif %}
    call = event.call
    if not call.missed:
        return ctx.skip("{{ words.answered }}")
{%- if cookiecutter.vendor == "retailcrm" %}
    known = ctx.crm.contacts.find(phone=call.phone.raw) if call.phone else ()
    about = next((contact.ref for contact in known), None)
{%- else %}
    about = call.deal or call.contact
{%- endif %}
    if about is None:
        return ctx.skip("{{ words.unknown }}")
    number = call.phone.raw if call.phone else "{{ words.withheld }}"
    ctx.crm.tasks.create(
        Task(about=about, text=f"{{ words.call_back }} {number}", due=ctx.now + ctx.settings.due_in),
        once=f"missed-call:{call.ref.id}",
    )
    return ctx.explain("{{ words.missed }}")
