"""Contract: reading is complete, finds every spelling, and says plainly what is not there."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crmkit.adapter import Capability, Level
from crmkit.crm import Crm
from crmkit.errors import NotFound, Unsupported
from crmkit.models import Company, Contact, Deal, Email, Phone, Task
from crmkit.testing.contract.bed import Bed, ContractPart, need
from crmkit.values import Kind, Ref

MANY = 620
"""Deals for a walk over several pages of every vendor."""


class ReadingContract(ContractPart):
    """get, find, iterate."""

    def test_a_walk_gives_every_record_once(self, bed: Bed, crm: Crm) -> None:
        """Over several pages nothing is missing and nothing comes twice."""
        seeded = bed.seed_deals(MANY)
        seen = [deal.ref for deal in crm.deals.iterate()]
        assert sorted(seen) == sorted(seeded)

    def test_a_walk_is_complete_while_others_change_the_records(self, bed: Bed, crm: Crm) -> None:
        """Records that were there all the time are seen once, though others are deleted, changed and made meanwhile."""
        seeded = list(bed.seed_deals(MANY))
        walk = crm.deals.iterate()
        seen = [next(walk).ref for _ in range(10)]
        doomed = [ref for ref in seeded if ref not in seen][:1] + seen[:3]
        for ref in doomed:
            bed.delete(ref)
        bed.change(seen[5], {"title": "Изменена"})
        bed.change(seeded[-1], {"title": "Изменена"})
        bed.add(Deal(title="Новая"))
        seen += [deal.ref for deal in walk]
        assert len(seen) == len(set(seen))
        assert set(seeded) - set(doomed) - set(seen) == set()

    def test_a_broken_walk_goes_on_behind_its_cursor(self, bed: Bed, crm: Crm) -> None:
        """The pages behind a cursor, read by a new connection, complete the walk."""
        seeded = bed.seed_deals(MANY)
        first = next(iter(bed.connection.pages(Kind.DEAL)))
        rest = [record.ref for page in bed.reopen().pages(Kind.DEAL, cursor=first.cursor) for record in page.records]
        assert sorted({*(record.ref for record in first.records), *rest}) == sorted(seeded)

    def test_only_what_changed_since_is_given(self, bed: Bed, crm: Crm) -> None:
        """With `updated_since` the untouched are left out and the touched are in."""
        before = [crm.deals.create(Deal(title=f"Старая {number}")) for number in range(3)]
        bed.advance(3600)
        since = bed.now()
        bed.advance(10)
        bed.change(before[1], {"title": "Изменена"})
        made = crm.deals.create(Deal(title="Новая"))
        seen = {deal.ref for deal in crm.deals.iterate(updated_since=since)}
        assert seen == {before[1], made}

    def test_nothing_is_an_empty_answer(self, crm: Crm) -> None:
        """No records, no matches: empty sequences, no error."""
        assert list(crm.deals.iterate()) == []
        assert list(crm.contacts.find(phone="+79990000000")) == []
        assert crm.contacts.find_one(email="nobody@example.com") is None
        assert list(crm.tasks.iterate()) == []

    def test_a_missing_record_is_not_found(self, bed: Bed, crm: Crm) -> None:
        """`get` raises NotFound naming the address; `get_many` leaves it out."""
        there = crm.deals.create(Deal(title="Окна"))
        gone = Ref(bed.settings.key, Kind.DEAL, "999999999")
        with pytest.raises(NotFound) as missing:
            crm.deals.get(gone)
        assert (missing.value.ref, missing.value.account) == (str(gone), bed.settings.key)
        assert list(crm.deals.get_many([gone, there])) == [there]

    def test_a_deleted_record_is_not_found(self, bed: Bed, crm: Crm) -> None:
        """What a person threw away is neither got nor walked over."""
        ref = crm.deals.create(Deal(title="Окна"))
        bed.delete(ref)
        assert list(crm.deals.get_many([ref])) == []
        assert list(crm.deals.iterate()) == []

    @pytest.mark.parametrize("spelling", ["+7 912 345-67-89", "8(912)3456789", "9123456789", "79123456789"])
    def test_a_phone_is_found_by_any_spelling(self, bed: Bed, crm: Crm, spelling: str) -> None:
        """However it is asked, the contact whose number it is comes, and nobody whose number merely ends alike."""
        need(crm, Capability.FIND_BY_PHONE)
        ref = bed.add(Contact(name="Иван", phones=(Phone(raw="8 (912) 345-67-89"),)))
        bed.add(Contact(name="Пётр", phones=(Phone(raw="+7 812 345-67-89"),)))
        assert [contact.ref for contact in crm.contacts.find(phone=spelling)] == [ref]

    def test_a_contact_is_found_by_email_and_by_name(self, bed: Bed, crm: Crm) -> None:
        """The address in any case, the whole name; both together must both match."""
        ivan = bed.add(Contact(name="Иван Петров", emails=(Email(value="Ivan@Example.com"),)))
        bed.add(Contact(name="Пётр Иванов", emails=(Email(value="petr@example.com"),)))
        assert [one.ref for one in crm.contacts.find(email="ivan@example.com")] == [ivan]
        assert [one.ref for one in crm.contacts.find(name="Иван Петров")] == [ivan]
        assert list(crm.contacts.find(name="Иван Петров", email="petr@example.com")) == []

    def test_a_company_is_found_by_phone_and_name(self, bed: Bed, crm: Crm) -> None:
        """As with people."""
        need(crm, Capability.COMPANIES)
        ref = bed.add(Company(name="ООО «Окна»", phones=(Phone(raw="+7 495 123-45-67"),)))
        assert [one.ref for one in crm.companies.find(phone="84951234567")] == [ref]
        assert [one.ref for one in crm.companies.find(name="ООО «Окна»")] == [ref]

    def test_deals_are_found_by_person_owner_and_state(self, bed: Bed, crm: Crm) -> None:
        """A person's open deals are those that are open and theirs."""
        ivan, petr = (crm.contacts.create(Contact(name=name)) for name in ("Иван", "Пётр"))
        mine = crm.deals.create(Deal(title="Окна", contacts=(ivan,), owner_id=bed.owner_id))
        done = crm.deals.create(Deal(title="Двери", contacts=(ivan,), stage=bed.won))
        crm.deals.create(Deal(title="Полы", contacts=(petr,)))
        assert {deal.ref for deal in crm.deals.find(contact=ivan)} == {mine, done}
        assert [deal.ref for deal in crm.deals.find(contact=ivan, is_open=True)] == [mine]
        assert [deal.ref for deal in crm.deals.find(contact=ivan, is_open=False)] == [done]
        assert [deal.ref for deal in crm.deals.find(contact=ivan, owner_id=bed.owner_id, is_open=True)] == [mine]

    def test_tasks_are_found_by_card_and_state(self, bed: Bed, crm: Crm) -> None:
        """A card's open tasks are those that are not done."""
        need(crm, Capability.TASKS)
        deal, other = (crm.deals.create(Deal(title=title)) for title in ("Окна", "Двери"))
        due = bed.now() + timedelta(days=1)
        open_, done, _ = (
            crm.tasks.create(Task(text=text, about=about, due=due))
            for text, about in (("Раз", deal), ("Два", deal), ("Три", other))
        )
        crm.tasks.complete(done, "сделано")
        assert {task.ref for task in crm.tasks.find(about=deal)} == {open_, done}
        assert [task.ref for task in crm.tasks.find(about=deal, is_open=True)] == [open_]

    def test_links_hold_from_both_sides(self, bed: Bed, crm: Crm) -> None:
        """Person to deal or deal to person is one link; cut from either side it is gone; twice is once.

        Where links are emulated, the only person of a deal may have to stay.
        """
        need(crm, Capability.LINKS)
        person, deal = crm.contacts.create(Contact(name="Иван")), crm.deals.create(Deal(title="Окна"))
        linked: tuple[tuple[Ref, ...], list[Ref]] = ((person,), [deal])
        cut: tuple[tuple[Ref, ...], list[Ref]] = ((), [])
        seen = []
        for one, other in ((crm.deals.link, (deal, person)), (crm.contacts.link, (person, deal))):
            one(*other)
            one(*other)
            seen.append((crm.deals.get(deal).contacts, [found.ref for found in crm.deals.find(contact=person)]))
            try:
                crm.deals.unlink(deal, person)
            except Unsupported:
                assert crm.supports(Capability.LINKS) is Level.EMULATED
                cut = linked
            seen.append((crm.deals.get(deal).contacts, [found.ref for found in crm.deals.find(contact=person)]))
        assert seen == [linked, cut] * 2

    def test_a_company_is_let_go(self, crm: Crm) -> None:
        """A deal that has a person loses its company, a company its person, and nothing else; twice is once."""
        need(crm, Capability.LINKS)
        company, person = crm.companies.create(Company(name="ООО «Окна»")), crm.contacts.create(Contact(name="Иван"))
        colleague, deal = crm.contacts.create(Contact(name="Анна")), crm.deals.create(Deal(title="Окна"))
        for one in (person, colleague):
            crm.contacts.link(one, company)
        crm.deals.link(deal, person)
        crm.deals.link(deal, company)
        for _ in range(2):
            crm.deals.unlink(deal, company)
            crm.contacts.unlink(person, company)
        kept = crm.deals.get(deal)
        assert (kept.company, kept.contacts) == (None, (person,))
        assert crm.contacts.get(person).company is None
        assert crm.companies.get(company).contacts == (colleague,)

    def test_a_person_belongs_to_a_company(self, bed: Bed, crm: Crm) -> None:
        """The person names the company and the company lists the person."""
        need(crm, Capability.COMPANIES)
        company = crm.companies.create(Company(name="ООО «Окна»"))
        person = crm.contacts.create(Contact(name="Иван"))
        crm.contacts.link(person, company)
        assert crm.contacts.get(person).company == company
        assert crm.companies.get(company).contacts == (person,)
