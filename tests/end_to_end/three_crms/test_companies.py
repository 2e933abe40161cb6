"""An organisation's deal makes the round trip on three CRMs: the company with its tax number, the person, the deal."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crmkit import Company, ContactCreated, Context, Deal, DealCreated, Extension, NoSettings
from crmkit_testing.plugin import OpenBench

PHONE = "+79123456789"
INN = "7707083893"
MINUTES = timedelta(minutes=10)


def wholesale() -> Extension[NoSettings]:
    """An extension that opens a deal of a new person's organisation, and tells of the deals that others open."""
    extension = Extension("wholesale")

    @extension.on(ContactCreated)
    def open_deal(event: ContactCreated, ctx: Context[NoSettings]) -> None:
        firm = Company(name="ООО «Вектор»", inn=INN, contacts=(event.ref,))
        company = ctx.crm.companies.create(firm, once=f"firm:{event.ref.id}")
        deal = Deal(title="Опт", company=company, contacts=(event.ref,))
        ctx.crm.deals.create(deal, once=f"deal:{event.ref.id}")

    @extension.on(DealCreated)
    def tell(event: DealCreated, ctx: Context[NoSettings]) -> None:
        deal = event.deal
        firm = ctx.crm.companies.get(deal.company) if deal.company else None
        person = ctx.crm.contacts.get(deal.contact) if deal.contact else None
        ctx.explain(f"{deal.title}: {firm.name if firm else None}, {person.name if person else None}")

    return extension


def test_what_we_write_of_an_organisation_is_read_back(crm_bench: OpenBench) -> None:
    """The company has its tax number and its person, the deal has both; none of it comes back as an event."""
    b = crm_bench(wholesale())
    person = b.person.add_contact("Анна Орлова", phone=PHONE)
    b.advance(MINUTES)
    [company] = b.crm.companies.iterate()
    [deal] = b.deals
    assert (company.name, company.inn, company.contacts) == ("ООО «Вектор»", INN, (person,))
    assert (deal.title, deal.company, deal.contacts) == ("Опт", company.ref, (person,))
    assert [contact.company for contact in b.contacts] == [company.ref]
    assert [(run.event, run.state) for run in b.runs] == [("ContactCreated", "done")]


def test_an_organisations_deal_of_others_is_told_with_both_parties(crm_bench: OpenBench) -> None:
    """A script opens the next deal of the same company: one event, that names the company and the person."""
    b = crm_bench(wholesale())
    person = b.person.add_contact("Анна Орлова", phone=PHONE)
    b.settle()
    [company] = b.crm.companies.iterate()
    b.crm.deals.create(Deal(title="Розница", company=company.ref, contacts=(person,)))
    b.advance(MINUTES)
    assert b.decisions == ["Розница: ООО «Вектор», Анна Орлова"]
    assert [(deal.title, deal.company) for deal in b.deals] == [("Опт", company.ref), ("Розница", company.ref)]


@pytest.mark.crms("retailcrm")
def test_a_corporate_order_has_its_legal_entity(crm_bench: OpenBench) -> None:
    """The order that we make names company, legal entity and person; a manager's order of the three is told as well."""
    b = crm_bench(wholesale())
    person = b.person.add_contact("Анна Орлова", phone=PHONE)
    b.settle()
    [firm] = b.crm.companies.iterate()
    [ours] = b.deals
    legal = ours.raw["company"]
    b.side.sandbox.retailcrm.add_order(  # type: ignore[attr-defined]  # only this vendor's emulator has such an order
        customer={"id": int(firm.ref.id), "type": "customer_corporate"},
        contact={"id": int(person.id)},
        company={"id": legal["id"]},
    )
    b.advance(MINUTES)
    theirs = b.deals[-1]
    assert (legal["name"], legal["contragent"]["INN"]) == ("ООО «Вектор»", INN)
    assert (theirs.company, theirs.contacts, theirs.raw["company"]["id"]) == (firm.ref, (person,), legal["id"])
    assert b.decisions == [f"{theirs.title}: ООО «Вектор», Анна Орлова"]
