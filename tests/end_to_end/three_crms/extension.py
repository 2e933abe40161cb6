"""One extension that knows no CRM by name: tells what it is called with, reads, writes, answers missed calls."""

from __future__ import annotations

from datetime import date, timedelta

from crmkit import (
    CallFinished,
    Capability,
    Contact,
    ContactCreated,
    ContactUpdated,
    Context,
    CustomField,
    Deal,
    DealCreated,
    DealOwnerChanged,
    DealStageChanged,
    DealUpdated,
    Extension,
    Settings,
    StageRef,
    Task,
    TaskCreated,
)

next_step = CustomField(Deal, date, "Дата следующего шага")
urgent = CustomField(Deal, bool, "Срочно")


class FrontDeskSettings(Settings):
    """What an operator may set.

    Args:
        due_in: in what time a client is called, or called back.
        first_step_in: when the next step of a new deal is due.
    """

    due_in: timedelta = timedelta(hours=1)
    first_step_in: timedelta = timedelta(days=3)


Ctx = Context[FrontDeskSettings]

front_desk = Extension(
    "front-desk",
    settings=FrontDeskSettings,
    requires={Capability.DEALS, Capability.CONTACTS, Capability.TASKS, Capability.CUSTOM_FIELDS},
)


@front_desk.on(DealCreated)
def welcome(event: DealCreated, ctx: Ctx) -> None:
    """Plan the first step of a new deal: a task, and the date on the card."""
    due = ctx.now + ctx.settings.due_in
    ctx.crm.tasks.create(Task(text=f"Связаться: {event.deal.title}", about=event.ref, due=due), once=f"hi:{event.ref}")
    step = (ctx.now + ctx.settings.first_step_in).date()
    ctx.crm.deals.update(event.ref, {"custom": [next_step.to(step)]})
    ctx.explain(f"created: {event.deal.title}, {_person(event.deal, ctx)}")


@front_desk.on(DealStageChanged)
def moved(event: DealStageChanged, ctx: Ctx) -> None:
    """Tell the move by the names of the stages."""
    ctx.explain(f"moved: {_stage(event.before, ctx)} -> {_stage(event.after, ctx)}")


@front_desk.on(DealOwnerChanged)
def handed_over(event: DealOwnerChanged, ctx: Ctx) -> None:
    """Tell both owners."""
    ctx.explain(f"owner: {event.before} -> {event.after}")


@front_desk.on(DealUpdated)
def changed(event: DealUpdated, ctx: Ctx) -> None:
    """Tell what was and what is; an urgent deal is called today, and has its step today."""
    before = event.before
    if before is None:
        return ctx.explain("changed: not seen before")
    if event.deal[urgent] and not before[urgent]:
        planned, today = before[next_step], ctx.now.date()
        ctx.crm.deals.update(event.ref, {"custom": [next_step.to(today)]})
        return ctx.explain(f"urgent: step {planned} -> {today}")
    if "amount" in event.changed:
        return ctx.explain(f"amount: {_rubles(before)} -> {_rubles(event.deal)}")
    return ctx.skip("nothing to do")


@front_desk.on(ContactCreated)
def met(event: ContactCreated, ctx: Ctx) -> None:
    """Tell the name and the number."""
    ctx.explain(f"met: {event.contact.name}, {_numbers(event.contact)}")


@front_desk.on(ContactUpdated)
def renamed(event: ContactUpdated, ctx: Ctx) -> None:
    """Tell the old name and the new one."""
    ctx.explain(f"renamed: {event.before.name if event.before else None} -> {event.contact.name}")


@front_desk.on(TaskCreated)
def given(event: TaskCreated, ctx: Ctx) -> None:
    """Tell the text, and on whose card it stands."""
    ctx.explain(f"task: {event.task.text} on {event.task.about.kind.value if event.task.about else None}")


@front_desk.on(CallFinished)
def call_back(event: CallFinished, ctx: Ctx) -> None:
    """Give one task for each missed call."""
    if not event.call.missed or event.call.phone is None:
        return ctx.skip("answered")
    person = ctx.crm.contacts.find_one(phone=event.call.phone.raw)
    due = ctx.now + ctx.settings.due_in
    task = Task(text=f"Перезвонить: {event.call.phone.e164}", about=person.ref if person else None, due=due)
    ctx.crm.tasks.create(task, once=f"call:{event.call.ref.id}")
    return ctx.explain("missed")


def _person(deal: Deal, ctx: Ctx) -> str | None:
    return ctx.crm.contacts.get(deal.contact).name if deal.contact else None


def _stage(ref: StageRef | None, ctx: Ctx) -> str | None:
    stages = [stage for pipeline in ctx.crm.pipelines.iterate() for stage in pipeline.stages]
    return next((stage.name for stage in stages if stage.ref == ref), None)


def _rubles(deal: Deal) -> str | None:
    return f"{deal.amount.amount:.0f}" if deal.amount else None


def _numbers(contact: Contact) -> str:
    return " ".join(phone.e164 or phone.raw for phone in contact.phones)
