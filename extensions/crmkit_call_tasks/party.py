"""Who is on the line, as the CRM knows them: the person, their open deal, and who looks after them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from crmkit.adapter import Capability, Level
from crmkit.crm import Crm
from crmkit.models import Call, Company, Contact, Deal, Record
from crmkit.values import Ref
from crmkit_call_tasks.settings import CallTaskSettings

R = TypeVar("R", bound=Record)

MOST_NAMESAKES = 5
"""So many contacts of one number are looked at for a deal; more are a switchboard."""

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Party:
    """The other side of a call. `namesakes` is how many contacts have the number."""

    contact: Contact | None = None
    company: Company | None = None
    deal: Deal | None = None
    namesakes: int = 0

    @property
    def is_known(self) -> bool:
        """The CRM has somebody for the number."""
        return self.contact is not None or self.company is not None or self.deal is not None

    @property
    def card(self) -> Ref | None:
        """The record on whose card people work: the deal, else the person, else the company."""
        found = self.deal or self.contact or self.company
        return found.ref if found is not None else None

    @property
    def owner_id(self) -> str | None:
        """Who looks after them: the deal's owner, else the contact's, else the company's."""
        owners = (record.owner_id for record in (self.deal, self.contact, self.company) if record is not None)
        return next((owner for owner in owners if owner), None)

    @property
    def name(self) -> str:
        """What people call them."""
        found = self.contact or self.company
        return found.name if found is not None else ""


def find_party(call: Call, last_contact: Ref | None, crm: Crm, settings: CallTaskSettings) -> Party:
    """The person behind a call, with the open deal that was touched last.

    What the CRM itself hung the call on wins; else the number is looked up, at contacts, then at companies.
    `last_contact` is who it was the last time: a fresh contact may not be found by its number yet.
    """
    named = _get(crm.deals.get_many, call.deal)
    if named is not None and not named.is_closed:
        return Party(_get(crm.contacts.get_many, call.contact or named.contact), None, named, 1)
    contacts = _contacts(call, named, last_contact, crm)
    if not contacts:
        company = _company(call, crm)
        deals = crm.deals.find(company=company.ref, is_open=True) if company else ()
        return Party(None, company, _newest(_counting(deals, settings)), 0)
    held = [(contact, _counting(crm.deals.find(contact=contact.ref, is_open=True), settings)) for contact in contacts]
    deal = _newest([deal for _, deals in held for deal in deals])
    owners = [contact for contact, deals in held if deal in deals] if deal else contacts
    return Party(_newest(owners), None, deal, len(contacts))


def _contacts(call: Call, deal: Deal | None, last_contact: Ref | None, crm: Crm) -> Sequence[Contact]:
    named = _get(crm.contacts.get_many, call.contact or (deal.contact if deal else None))
    if named is not None:
        return [named]
    number = call.phone.e164 if call.phone else None
    if number is not None and (found := crm.contacts.find(phone=number)):
        return sorted(found, key=_touched, reverse=True)[:MOST_NAMESAKES]
    last = _get(crm.contacts.get_many, last_contact)
    return [last] if last is not None else []


def _company(call: Call, crm: Crm) -> Company | None:
    if crm.supports(Capability.COMPANIES) is Level.ABSENT:
        return None
    named = _get(crm.companies.get_many, call.company)
    if named is not None or call.phone is None or call.phone.e164 is None:
        return named
    return _newest(crm.companies.find(phone=call.phone.e164))


def _counting(deals: Iterable[Deal], settings: CallTaskSettings) -> list[Deal]:
    return [
        deal
        for deal in deals
        if not settings.pipelines or (deal.stage is not None and deal.stage.pipeline_id in settings.pipelines)
    ]


def _newest(records: Sequence[R]) -> R | None:
    return max(records, key=_touched, default=None)


def _touched(record: Record) -> tuple[datetime, datetime]:
    activity = record.last_activity_at if isinstance(record, Deal) else None
    return activity or record.updated_at or _NEVER, record.created_at or _NEVER


def _get(load: Callable[[Sequence[Ref]], Mapping[Ref, R]], ref: Ref | None) -> R | None:
    return load([ref]).get(ref) if ref is not None else None
