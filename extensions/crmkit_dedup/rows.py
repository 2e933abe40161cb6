"""What is compared, as people typed it: one light row a person, a company or a deal, from any file or CRM record."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from crmkit.models import Company, Contact, Deal

DAYS = frozenset({"birthday", "created", "closed"})
"""Fields that hold a day, in rows of every kind."""


class PersonRow(NamedTuple):
    """A person as typed. Text fields are never None; a field that the source does not have is empty.

    `name` is the whole name in one field and any order, beside or instead of the parts. `phones`, `emails` and
    `messengers` are raw text, several allowed in one field.
    """

    id: str
    last: str = ""
    first: str = ""
    middle: str = ""
    name: str = ""
    phones: str = ""
    emails: str = ""
    messengers: str = ""
    birthday: date | None = None
    gender: str = ""
    city: str = ""
    company: str = ""
    inn: str = ""
    created: date | None = None
    external_id: str = ""


class CompanyRow(NamedTuple):
    """An organisation as typed; `phones` and `emails` are raw text, several allowed in one field."""

    id: str
    name: str = ""
    inn: str = ""
    kpp: str = ""
    ogrn: str = ""
    phones: str = ""
    emails: str = ""
    site: str = ""
    city: str = ""
    address: str = ""
    created: date | None = None


class DealRow(NamedTuple):
    """A deal; `contact` and `company` are the ids of the client's CLUSTERS where they are known, else of the records.

    `created` and `closed` may be moments (`datetime` is a `date`): the day alone is compared.
    """

    id: str
    contact: str = ""
    company: str = ""
    pipeline: str = ""
    stage: str = ""
    is_closed: bool = False
    title: str = ""
    product: str = ""
    amount: str = ""
    created: date | None = None
    closed: date | None = None


def person_row(contact: Contact) -> PersonRow:
    """The row of a CRM's contact; its company is known by id alone."""
    return PersonRow(
        id=contact.ref.id,
        last=contact.last_name or "",
        first=contact.first_name or "",
        middle=contact.middle_name or "",
        name=contact.name,
        phones="; ".join(phone.raw or phone.e164 or "" for phone in contact.phones),
        emails="; ".join(email.value for email in contact.emails),
        birthday=contact.birthday,
        company=contact.company.id if contact.company else "",
        created=contact.created_at.date() if contact.created_at else None,
    )


def company_row(company: Company) -> CompanyRow:
    """The row of a CRM's company."""
    return CompanyRow(
        id=company.ref.id,
        name=company.name,
        inn=company.inn or "",
        kpp=company.kpp or "",
        phones="; ".join(phone.raw or phone.e164 or "" for phone in company.phones),
        emails="; ".join(email.value for email in company.emails),
        site=company.site or "",
        created=company.created_at.date() if company.created_at else None,
    )


def deal_row(deal: Deal, *, contact: str = "", company: str = "") -> DealRow:
    """The row of a CRM's deal; `contact` and `company` are the clusters of its client, where a scan has found them."""
    return DealRow(
        id=deal.ref.id,
        contact=contact or (deal.contact.id if deal.contact else ""),
        company=company or (deal.company.id if deal.company else ""),
        pipeline=deal.stage.pipeline_id if deal.stage else "",
        stage=deal.stage.stage_id if deal.stage else "",
        is_closed=deal.is_closed,
        title=deal.title,
        product="; ".join(item.name for item in deal.items),
        amount=str(deal.amount.amount) if deal.amount else "",
        created=deal.created_at.date() if deal.created_at else None,
        closed=deal.closed_at.date() if deal.closed_at else None,
    )
