"""Typed events: what a handler is called with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from crmkit.models import Call, Company, Contact, Deal, Lead, Note, Record, StageRef, Task
from crmkit.values import Kind, Money, Ref


class Cause(BaseModel):
    """Which of our own runs made a change: the extension, the run, and how long the chain is."""

    model_config = ConfigDict(frozen=True)

    extension: str
    run_id: int
    depth: int


class Event(BaseModel):
    """Something happened to `ref`.

    `occurred_at` is aware UTC. `delivery_id` names the delivery or feed row by which we learned of it.
    `cause` is set when our own write made the change; such an event does not reach its author.
    `actor_id` is the CRM user who did it, where the CRM tells.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    about: ClassVar[Kind | None] = None
    """The kind of record this event is about; such records are mirrored for whoever handles it."""

    ref: Ref
    occurred_at: AwareDatetime
    delivery_id: str = ""
    actor_id: str | None = None
    cause: Cause | None = None
    raw: Mapping[str, Any] = Field(default_factory=dict, repr=False)


class ContactCreated(Event):
    """A contact appeared."""

    about = Kind.CONTACT
    contact: Contact


class ContactUpdated(Event):
    """A contact changed; `changed` names the fields. `before` is None when it was not seen before it changed."""

    about = Kind.CONTACT
    before: Contact | None
    contact: Contact
    changed: frozenset[str]


class ContactDeleted(Event):
    """A contact is gone; `before` is what it last was, when we had seen it."""

    about = Kind.CONTACT
    before: Contact | None = None


class ContactMerged(Event):
    """Two contacts became one: `ref` lives on, `loser` is its other address from now on."""

    about = Kind.CONTACT
    loser: Ref
    before: Contact | None = None


class CompanyCreated(Event):
    """A company appeared."""

    about = Kind.COMPANY
    company: Company


class CompanyUpdated(Event):
    """A company changed; `changed` names the fields. `before` is None when it was not seen before it changed."""

    about = Kind.COMPANY
    before: Company | None
    company: Company
    changed: frozenset[str]


class CompanyDeleted(Event):
    """A company is gone."""

    about = Kind.COMPANY
    before: Company | None = None


class CompanyMerged(Event):
    """Two companies became one: `ref` lives on, `loser` is its other address from now on."""

    about = Kind.COMPANY
    loser: Ref
    before: Company | None = None


class DealCreated(Event):
    """A deal appeared."""

    about = Kind.DEAL
    deal: Deal


class DealUpdated(Event):
    """A deal changed in any way; `changed` names the fields. `before` is None when it was not seen before."""

    about = Kind.DEAL
    before: Deal | None
    deal: Deal
    changed: frozenset[str]


class DealStageChanged(Event):
    """A deal moved, one event a move, in order.

    `before` and `after` are the stages of this move; `deal` is the deal as it is now. `is_current` says that `after`
    is still its stage. `is_inferred` marks a hop that no feed row reported but that must have happened.
    """

    about = Kind.DEAL
    before: StageRef | None
    after: StageRef
    deal: Deal
    is_current: bool = True
    is_inferred: bool = False


class DealOwnerChanged(Event):
    """A deal has another owner (user ids)."""

    about = Kind.DEAL
    before: str | None
    after: str | None
    deal: Deal


class DealDeleted(Event):
    """A deal is gone."""

    about = Kind.DEAL
    before: Deal | None = None


class DealMerged(Event):
    """Two deals became one: `ref` lives on, `loser` is its other address from now on."""

    about = Kind.DEAL
    loser: Ref
    before: Deal | None = None


class LeadCreated(Event):
    """A request came in that nobody has accepted yet."""

    about = Kind.LEAD
    lead: Lead


class LeadUpdated(Event):
    """A lead changed; `changed` names the fields. `before` is None when it was not seen before it changed."""

    about = Kind.LEAD
    before: Lead | None
    lead: Lead
    changed: frozenset[str]


class LeadDeleted(Event):
    """A lead is gone: declined, or accepted and now a deal."""

    about = Kind.LEAD
    before: Lead | None = None


class TaskCreated(Event):
    """A task appeared."""

    about = Kind.TASK
    task: Task


class TaskUpdated(Event):
    """A task changed; `changed` names the fields. `before` is None when it was not seen before it changed."""

    about = Kind.TASK
    before: Task | None
    task: Task
    changed: frozenset[str]


class TaskCompleted(Event):
    """A task was done."""

    about = Kind.TASK
    task: Task


class TaskDeleted(Event):
    """A task is gone."""

    about = Kind.TASK
    before: Task | None = None


class NoteCreated(Event):
    """A remark was written."""

    about = Kind.NOTE
    note: Note


class CallFinished(Event):
    """A call ended, answered or not. It comes from a telephony source or from the CRM's own call log."""

    about = Kind.CALL
    call: Call


class PaymentReceived(Event):
    """Money arrived, as the payment provider confirmed it; `deal` is the record that it pays for."""

    about = Kind.PAYMENT
    amount: Money
    deal: Ref | None = None
    provider: str
    payment_id: str


class TimerFired(Event):
    """The time set with `ctx.later(at, key)` has come."""

    key: str


class UnknownEvent(Event):
    """A vendor told of something that crmkit has no type for; `name` is the vendor's word."""

    name: str


EVENTS: Mapping[str, type[Event]] = {
    event.__name__: event
    for event in (
        ContactCreated, ContactUpdated, ContactDeleted, ContactMerged,
        CompanyCreated, CompanyUpdated, CompanyDeleted, CompanyMerged,
        DealCreated, DealUpdated, DealStageChanged, DealOwnerChanged, DealDeleted, DealMerged,
        LeadCreated, LeadUpdated, LeadDeleted,
        TaskCreated, TaskUpdated, TaskCompleted, TaskDeleted,
        NoteCreated, CallFinished, PaymentReceived, TimerFired, UnknownEvent,
    )
}  # fmt: skip
"""Every event class by its name, as stored."""

CREATED: Mapping[Kind, tuple[type[Event], str]] = {
    Kind.CONTACT: (ContactCreated, "contact"),
    Kind.COMPANY: (CompanyCreated, "company"),
    Kind.DEAL: (DealCreated, "deal"),
    Kind.LEAD: (LeadCreated, "lead"),
    Kind.TASK: (TaskCreated, "task"),
    Kind.NOTE: (NoteCreated, "note"),
    Kind.CALL: (CallFinished, "call"),
}
"""What an unseen record of each kind makes, and the name under which the event holds the record."""

UPDATED: Mapping[Kind, tuple[type[Event], str]] = {
    Kind.CONTACT: (ContactUpdated, "contact"),
    Kind.COMPANY: (CompanyUpdated, "company"),
    Kind.DEAL: (DealUpdated, "deal"),
    Kind.LEAD: (LeadUpdated, "lead"),
    Kind.TASK: (TaskUpdated, "task"),
}
"""What a changed record of each kind makes; notes and calls do not change."""

DELETED: Mapping[Kind, type[Event]] = {
    Kind.CONTACT: ContactDeleted,
    Kind.COMPANY: CompanyDeleted,
    Kind.DEAL: DealDeleted,
    Kind.LEAD: LeadDeleted,
    Kind.TASK: TaskDeleted,
}
"""What a record that is gone makes."""


MERGED: Mapping[Kind, type[ContactMerged | CompanyMerged | DealMerged]] = {
    Kind.CONTACT: ContactMerged,
    Kind.COMPANY: CompanyMerged,
    Kind.DEAL: DealMerged,
}
"""What records that became one make."""


def read_event(name: str, body: Mapping[str, Any]) -> Event:
    """The event that was stored as `name` with the JSON `body`.

    Raises KeyError for an unknown name and pydantic.ValidationError for a body that does not fit.
    """
    return EVENTS[name].model_validate(body)


def record_of(event: Event) -> Record | None:
    """The record an event brings, when it brings one."""
    found = getattr(event, event.about.value, None) if event.about else None
    return found if isinstance(found, Record) else None
