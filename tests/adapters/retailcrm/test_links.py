"""Who belongs to whom in retailCRM: what can be taken apart, what follows a merge, what a company's order says."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest
from pydantic import SecretStr

from crmkit import Company, Contact, Crm, Deal, File, Kind, Note, NotFound, Ref, Rejected, Task, Unsupported
from crmkit.adapter import Doors
from crmkit.clock import SystemClock
from crmkit.http import RateLimit, Urgency
from crmkit.tokens import StaticTokens
from crmkit_retailcrm import RetailCrmAdapter, RetailCrmSettings
from crmkit_retailcrm.client import firms
from crmkit_sandbox import Sandbox


class Free:
    """A limiter that holds nobody back."""

    def wait(self, limits: Sequence[RateLimit], urgency: Urgency) -> None:
        """Go on."""

    def push(self, limit: RateLimit, seconds: float) -> None:
        """Forget it."""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(("retailcrm",)) as found:
        found.retailcrm.limits.enabled = False
        yield found


@pytest.fixture
def crm(sandbox: Sandbox) -> Crm:
    retail = sandbox.retailcrm

    class Turning(SystemClock):
        """Who waits turns the emulator's clock on."""

        def wait(self, seconds: float, wake: threading.Event | None = None) -> None:
            sandbox.clock.advance(seconds)

    own = RetailCrmSettings(
        key="okna", vendor="retailcrm", base_url=retail.base_url, api_key=SecretStr(retail.api_key), site="main"
    )
    return Crm(RetailCrmAdapter().open(own, Doors(tokens=StaticTokens(""), limiter=Free(), clock=Turning())))


def test_an_order_keeps_its_only_customer(crm: Crm) -> None:
    """A person, or a company, that nobody can take the place of stays; the error says what to do."""
    person, firm = crm.contacts.create(Contact(name="Иван")), crm.companies.create(Company(name="ООО"))
    own, corporate = (crm.deals.create(Deal(title="Окна", contacts=(person,))), crm.deals.create(Deal(company=firm)))
    for deal, party in ((own, person), (corporate, firm)):
        with pytest.raises(Unsupported, match="in its place"):
            crm.deals.unlink(deal, party)
    assert (crm.deals.get(own).contacts, crm.deals.get(corporate).company) == ((person,), firm)


def test_a_corporate_order_says_who_pays(crm: Crm) -> None:
    """Its payer is of the legal entity's type; the person who stays when the company goes is a private one."""
    person = crm.contacts.create(Contact(name="Иван"))
    firm = crm.companies.create(Company(name="ООО", inn="0770123456"))
    plain = crm.companies.create(Company(name="ИП без реквизитов"))
    deals = [crm.deals.create(Deal(company=company, contacts=(person,))) for company in (firm, plain)]
    types = [crm.deals.get(deal).raw["contragent"]["contragentType"] for deal in deals]
    crm.deals.unlink(deals[0], firm)
    private = crm.deals.get(deals[0])
    assert types == ["legal-entity", "legal-entity"]
    assert (private.company, private.contacts) == (None, (person,))
    assert private.raw["contragent"]["contragentType"] == "individual"
    assert "company" not in private.raw


def test_the_payer_of_an_entrepreneurs_order_is_one(crm: Crm, sandbox: Sandbox) -> None:
    """The type is the legal entity's own; what `extra` says wins over it."""
    entity = {"name": "ИП Иванов", "contragent": {"contragentType": "enterpreneur"}}
    firm = crm.ref(Kind.COMPANY, sandbox.retailcrm.add_corporate(nickName="ИП Иванов", companies=[entity]))
    chosen = {"contragent": {"contragentType": "legal-entity"}}
    deals = [crm.deals.create(Deal(company=firm)), crm.deals.create(Deal(company=firm), extra=chosen)]
    types = [crm.deals.get(deal).raw["contragent"]["contragentType"] for deal in deals]
    assert types == ["enterpreneur", "legal-entity"]


def test_a_contact_leaves_a_corporate_order(crm: Crm) -> None:
    """The company stays; who is not on the order is not taken off it."""
    firm = crm.companies.create(Company(name="ООО"))
    person, other = (crm.contacts.create(Contact(name=name)) for name in ("Иван", "Пётр"))
    deal = crm.deals.create(Deal(company=firm, contacts=(person,)))
    crm.deals.unlink(deal, other)
    before = crm.deals.get(deal)
    crm.deals.unlink(deal, person)
    after = crm.deals.get(deal)
    assert [(one.company, one.contacts) for one in (before, after)] == [(firm, (person,)), (firm, ())]


def test_a_person_who_cannot_leave_a_company_is_told_so(crm: Crm, sandbox: Sandbox) -> None:
    """Where the CRM keeps its list of contacts whatever is written, silence would be a lie."""
    firm, person = crm.companies.create(Company(name="ООО")), crm.contacts.create(Contact(name="Иван"))
    crm.contacts.link(person, firm)
    sandbox.retailcrm.switches.replaces_contacts = False
    with pytest.raises(Unsupported, match="disconnect a contact and a company"):
        crm.contacts.unlink(person, firm)
    assert crm.companies.get(firm).contacts == (person,)


def test_a_link_to_a_merged_company_reaches_the_survivor(crm: Crm) -> None:
    """The CRM names who took the record in; nobody who knows the old address has to."""
    kept, lost = (crm.companies.create(Company(name=name)) for name in ("ООО «Окна»", "Окна"))
    person = crm.contacts.create(Contact(name="Иван"))
    crm.companies.merge(kept, [lost])
    crm.contacts.link(person, lost)
    crm.companies.update(lost, {"inn": "0770123456"})
    found = crm.companies.get(kept)
    assert (found.contacts, found.inn) == ((person,), "0770123456")


def test_a_company_that_never_was_is_not_found(crm: Crm) -> None:
    """The error names the address."""
    person, nobody = crm.contacts.create(Contact(name="Иван")), Ref("okna", Kind.COMPANY, "999999")
    for act in (crm.contacts.link, crm.contacts.unlink):
        with pytest.raises(NotFound) as missing:
            act(person, nobody)
        assert missing.value.ref == str(nobody)


@pytest.mark.parametrize("most_pages", [50, 0])
def test_a_walk_over_people_reads_the_companies_once(
    crm: Crm, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, most_pages: int
) -> None:
    """Main contacts cost one list for the whole walk, unless there are too many companies to read beforehand."""
    monkeypatch.setattr(firms, "MOST_PAGES", most_pages)
    retail = sandbox.retailcrm
    retail.bulk_customers(250)
    people = [retail.add_customer(firstName=f"Иван {number}") for number in range(6)]
    companies = [retail.add_corporate(nickName=f"ООО {number}", contacts=[people[number]]) for number in range(5)]
    retail.add_corporate_contact(companies[0], people[5])
    crm.account  # noqa: B018 -- read beforehand: it is remembered
    retail.reset_requests()
    found = {person.ref.id: person.company for person in crm.contacts.iterate() if person.company is not None}
    paths = [call.path.removeprefix("/api/v5/") for call in retail.requests]
    assert found == {str(person): crm.ref(Kind.COMPANY, companies[place % 5]) for place, person in enumerate(people)}
    assert (paths.count("customers-corporate"), paths.count("customers")) == (2, 3)
    assert [path for path in paths if path.endswith("/contacts")] == [f"customers-corporate/{companies[0]}/contacts"]


def test_of_several_companies_the_one_whose_main_contact_a_person_is_counts(crm: Crm, sandbox: Sandbox) -> None:
    """By its address and on a walk alike."""
    retail = sandbox.retailcrm
    person, other = (retail.add_customer(firstName=name) for name in ("Иван", "Пётр"))
    own = retail.add_corporate(nickName="Своя", contacts=[person])
    retail.add_corporate(nickName="Чужая", contacts=[other, person])
    loaded = crm.contacts.get(crm.ref(Kind.CONTACT, person)).company
    [walked] = [one.company for one in crm.contacts.iterate() if one.ref.id == str(person)]
    assert (loaded, walked) == (crm.ref(Kind.COMPANY, own),) * 2


def test_a_company_is_found_without_reading_the_parts_of_all(sandbox: Sandbox) -> None:
    """Those whose phone or e-mail field cannot match are ruled out before their parts are asked for."""
    retail = sandbox.retailcrm
    own = RetailCrmSettings(
        key="okna",
        vendor="retailcrm",
        base_url=retail.base_url,
        api_key=SecretStr(retail.api_key),
        company_phone_field="tel",
        company_email_field="mail",
    )
    book = retail.account.fields["customer_corporate"]
    for code in ("tel", "mail"):
        book[code] = {**book["branch"], "code": code, "name": code}
    crm = Crm(RetailCrmAdapter().open(own, Doors(tokens=StaticTokens(""), limiter=Free())))
    phones = ["8 (912) 345-67-89", "+7 912 345-67-8О", "", "12345"]
    firms_ = [
        retail.add_corporate(nickName=f"ООО {place}", customFields={"tel": phone, "mail": f"Office{place}@пример.рф"})
        for place, phone in enumerate(phones)
    ]
    retail.reset_requests()
    found = [[int(one.ref.id) for one in crm.companies.find(phone=phone)] for phone in ("+79123456789", "89123456780")]
    by_email = [int(one.ref.id) for one in crm.companies.find(email="office2@xn--e1afmkfd.xn--p1ai")]
    assert (found, by_email) == ([[firms_[0]], [firms_[1]]], [firms_[2]])
    paths = [call.path.removeprefix("/api/v5/") for call in retail.requests]
    assert [path for path in paths if path.endswith(("/contacts", "/companies"))] == []


def test_what_is_meant_for_a_merged_person_reaches_the_survivor(crm: Crm) -> None:
    """Notes, tasks, orders, links and files that name the old address; one look at it after the CRM's refusal."""
    kept, lost = (crm.contacts.create(Contact(name=name)) for name in ("Иван", "Ваня"))
    crm.contacts.merge(kept, [lost])
    linked = crm.deals.create(Deal(title="Двери"))
    note = crm.notes.create(Note(about=lost, text="Скидка"))
    task = crm.tasks.create(Task(about=lost, text="Позвонить"))
    deal = crm.deals.create(Deal(title="Окна", contacts=(lost,)))
    file = crm.files.create(File(name="a.txt", content=b"1", cards=(lost, deal)))
    crm.deals.link(linked, lost)
    crm.files.update(file, {"cards": [lost]})
    assert (crm.notes.get(note).about, crm.tasks.get(task).about) == (kept, kept)
    assert [crm.deals.get(one).contacts for one in (deal, linked)] == [(kept,), (kept,)]
    assert crm.files.get(file).cards == (kept,)


def test_a_person_who_never_was_is_still_refused(crm: Crm) -> None:
    """The refusal is the CRM's own, and nothing is sent a second time."""
    nobody = Ref("okna", Kind.CONTACT, "999999")
    with pytest.raises(Rejected, match="not found"):
        crm.notes.create(Note(about=nobody, text="Скидка"))
