"""What this service does: a missed call becomes a task to call back."""

from __future__ import annotations

from datetime import timedelta

from crmkit import CallFinished, Capability, Context, Extension, Settings, Task


class CallBackSettings(Settings):
    """What an operator may set in crmkit.toml, under [extensions."{{ cookiecutter.package }}.extension:call_back"]."""

    due_in: timedelta = timedelta(hours=2)


call_back = Extension("call-back", settings=CallBackSettings, requires={Capability.TASKS, Capability.CALLS})


@call_back.on(CallFinished)
def missed_call(event: CallFinished, ctx: Context[CallBackSettings]) -> None:
    """Make one task for a missed call, on the card of the deal or the contact."""
    call = event.call
    if not call.missed:
        return ctx.skip({% if cookiecutter.language == "ru" %}"на звонок ответили"{% else %}"the call was answered"{% endif %})
    about = call.deal or call.contact
    if about is None:
        return ctx.skip({% if cookiecutter.language == "ru" %}"номер неизвестен CRM"{% else %}"the CRM does not know the number"{% endif %})
    number = call.phone.raw if call.phone else {% if cookiecutter.language == "ru" %}"номер скрыт"{% else %}"number withheld"{% endif %}
    ctx.explain({% if cookiecutter.language == "ru" %}"пропущенный звонок: нужно перезвонить"{% else %}"a missed call: somebody should call back"{% endif %})
    ctx.crm.tasks.create(
        Task(about=about, text=f"{% if cookiecutter.language == "ru" %}Перезвонить{% else %}Call back{% endif %} {number}", due=ctx.now + ctx.settings.due_in),
        once=f"missed-call:{call.ref.id}",
    )
