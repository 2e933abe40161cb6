"""Witnesses, which do nothing but tell what they were called with, and an extension that has one effect a call."""

from __future__ import annotations

from crmkit.events import CallFinished, DealCreated, DealStageChanged, DealUpdated, Event, record_of
from crmkit.extension import Context, Extension
from crmkit.models import Contact, Deal, Record, StageRef, Task
from crmkit.settings import NoSettings


def witness(*events: type[Event], name: str = "witness") -> Extension[NoSettings]:
    """An extension that tells of these events, one line each."""
    extension = Extension(name)
    for event in events:
        extension.on(event)(tell)
    return extension


def call_back() -> Extension[NoSettings]:
    """A task for each call, on the card of whoever has the number, without a name of its own."""
    extension = Extension("call-back")

    @extension.on(CallFinished)
    def make_task(event: CallFinished, ctx: Context[NoSettings]) -> None:
        assert event.call.phone is not None
        person = ctx.crm.contacts.find_one(phone=event.call.phone.raw)
        ctx.crm.tasks.create(Task(text="Перезвонить", about=person.ref if person else None, due=ctx.now))

    return extension


def tell(event: Event, ctx: Context[NoSettings]) -> None:
    """Say what happened."""
    ctx.explain(line(event))


def line(event: Event) -> str:
    """The event in one line: what, of which record, what became of it, and by whom when it was one of us."""
    by = f" by {event.cause.extension}" if event.cause else ""
    return f"{type(event).__name__} {event.ref.id}: {_what(event)}{by}"


def _what(event: Event) -> str:
    match event:
        case DealStageChanged():
            marks = ("" if event.is_current else " (passed)") + (" (inferred)" if event.is_inferred else "")
            return f"{_id(event.before)} -> {_id(event.after)}{marks}"
        case DealUpdated(before=None):
            return f"unseen before, {_shown(event.deal)}"
        case DealUpdated():
            return f"{' '.join(sorted(event.changed))}: {_shown(event.before)} -> {_shown(event.deal)}"
        case DealCreated():
            return _shown(event.deal)
        case _:
            record = record_of(event)
            return _shown(record) if record else ""


def _shown(record: Record | None) -> str:
    match record:
        case Deal():
            return f"{record.title}/{record.amount.amount if record.amount else 0:.0f}"
        case Task():
            return record.text
        case Contact():
            return record.name
        case _:
            return str(record.ref) if record else "nothing"


def _id(stage: StageRef | None) -> str:
    return stage.stage_id if stage else "nowhere"
