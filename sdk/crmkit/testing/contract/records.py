"""Contract: what is written comes back, in our words, under one address."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

import pytest

from crmkit.adapter import Capability
from crmkit.crm import Crm
from crmkit.models import (
    Call,
    CallStatus,
    Company,
    Contact,
    Deal,
    Direction,
    Email,
    FieldType,
    Lead,
    Note,
    Outcome,
    Phone,
    Record,
    Task,
)
from crmkit.testing.contract.bed import Bed, ContractPart, need, samples
from crmkit.values import Kind, Money, Ref


class RecordContract(ContractPart):
    """Round trips of every kind of record."""

    def test_a_contact_comes_back_as_it_was_written(self, bed: Bed, crm: Crm) -> None:
        """Name, phones in their order with E.164, e-mails, owner and times are there."""
        ref = crm.contacts.create(
            Contact(
                name="Иван Петров",
                phones=(Phone(raw="8 (912) 345-67-89"), Phone(raw="+79123456780")),
                emails=(Email(value="ivan@example.com"),),
                owner_id=bed.owner_id,
            )
        )
        found = crm.contacts.get(ref)
        assert (found.ref, found.name, found.owner_id) == (ref, "Иван Петров", bed.owner_id)
        assert [phone.e164 for phone in found.phones] == ["+79123456789", "+79123456780"]
        assert [email.value for email in found.emails] == ["ivan@example.com"]

    def test_times_are_utc_and_the_accounts_own(self, bed: Bed, crm: Crm) -> None:
        """A record made now was created and changed now, to two seconds, in aware UTC."""
        found = crm.contacts.get(crm.contacts.create(Contact(name="Иван")))
        assert found.created_at is not None
        assert found.updated_at is not None
        assert found.created_at.utcoffset() == timedelta(0)
        assert abs(found.created_at - bed.now()) <= timedelta(seconds=2)
        assert abs(found.updated_at - bed.now()) <= timedelta(seconds=2)

    def test_a_company_comes_back_as_it_was_written(self, crm: Crm) -> None:
        """Name, phone and e-mail of an organisation are there."""
        need(crm, Capability.COMPANIES)
        draft = Company(
            name="ООО «Окна»", phones=(Phone(raw="+74951234567"),), emails=(Email(value="office@example.com"),)
        )
        found = crm.companies.get(crm.companies.create(draft))
        assert found.name == "ООО «Окна»"
        assert [phone.e164 for phone in found.phones] == ["+74951234567"]
        assert [email.value for email in found.emails] == ["office@example.com"]

    def test_a_deal_comes_back_as_it_was_written(self, bed: Bed, crm: Crm) -> None:
        """Title, amount with its currency, stage, owner and people are there; the main person is first."""
        need(crm, Capability.DEALS)
        people = [crm.contacts.create(Contact(name=name)) for name in ("Иван", "Пётр")]
        amount = Money(Decimal(15000), crm.account.currency)
        draft = Deal(
            title="Окна", amount=amount, stage=bed.stages[1], owner_id=bed.owner_id, contacts=(people[1], people[0])
        )
        found = crm.deals.get(crm.deals.create(draft))
        assert (found.title, found.amount, found.stage) == ("Окна", amount, bed.stages[1])
        assert (found.owner_id, found.outcome, found.closed_at) == (bed.owner_id, Outcome.OPEN, None)
        assert (found.contact, set(found.contacts)) == (people[1], set(people))

    def test_a_stage_decides_the_outcome(self, bed: Bed, crm: Crm) -> None:
        """Won and lost close the deal now; an open stage opens it again."""
        ref = crm.deals.create(Deal(title="Окна", stage=bed.stages[0]))
        seen = []
        for stage in (bed.won, bed.stages[1], bed.lost):
            crm.deals.update(ref, {"stage": stage})
            deal = crm.deals.get(ref)
            seen.append((deal.stage, deal.outcome, deal.closed_at is not None))
        assert seen == [
            (bed.won, Outcome.WON, True),
            (bed.stages[1], Outcome.OPEN, False),
            (bed.lost, Outcome.LOST, True),
        ]

    @pytest.mark.parametrize("type_", list(FieldType))
    def test_a_custom_field_comes_back_in_its_own_type(self, bed: Bed, crm: Crm, type_: FieldType) -> None:
        """Written on create, read by the token, cleared by None."""
        need(crm, Capability.CUSTOM_FIELDS)
        if type_ not in bed.custom:
            pytest.skip(f"{crm.vendor} has no writable field of type {type_.value}")
        token, value = bed.custom[type_], samples(bed)[type_]
        ref = crm.deals.create(Deal(title="Окна", custom=(token.to(value),)))
        written = crm.deals.get(ref)[token]
        crm.deals.update(ref, {"custom": [token.to(None)]})
        # A switch that is off and a switch that was never set look alike to some vendors.
        empty = crm.deals.get(ref)[token] or None
        assert (written, type(written)) == (value, type(value))
        assert empty is None

    def test_every_writable_field_of_the_account_has_a_type(self, bed: Bed, crm: Crm) -> None:
        """The account's own list names each field that the test writes, with its type."""
        need(crm, Capability.CUSTOM_FIELDS)
        known = {field.title: field.type for field in crm.fields(Kind.DEAL)}
        assert {token.title: known.get(token.title) for token in bed.custom.values()} == {
            token.title: type_ for type_, token in bed.custom.items()
        }

    def test_a_task_is_made_and_done(self, bed: Bed, crm: Crm) -> None:
        """Text, deadline to the minute, card and owner are there; done with its result."""
        need(crm, Capability.TASKS)
        about = crm.deals.create(Deal(title="Окна"))
        due = (bed.now() + timedelta(days=1)).replace(second=0, microsecond=0)
        ref = crm.tasks.create(Task(text="Перезвонить", due=due, about=about, owner_id=bed.owner_id))
        made = crm.tasks.get(ref)
        crm.tasks.complete(ref, "Договорились")
        done = crm.tasks.get(ref)
        assert (made.text, made.due, made.about, made.owner_id) == ("Перезвонить", due, about, bed.owner_id)
        assert (made.is_done, done.is_done, done.result) == (False, True, "Договорились")

    def test_a_note_stands_on_its_card(self, crm: Crm) -> None:
        """Text and card are there, and the card's notes hold it."""
        need(crm, Capability.NOTES)
        about = crm.deals.create(Deal(title="Окна"))
        ref = crm.notes.create(Note(about=about, text="Клиент просит скидку"))
        assert (crm.notes.get(ref).text, crm.notes.get(ref).about) == ("Клиент просит скидку", about)
        assert [(note.ref, note.text) for note in crm.notes.find(about=about)] == [(ref, "Клиент просит скидку")]

    def test_a_lead_waits_until_somebody_accepts_it(self, crm: Crm) -> None:
        """A request that came in is there with its title."""
        need(crm, Capability.LEADS)
        ref = crm.leads.create(Lead(title="Заявка с сайта", phones=(Phone(raw="+79123456789"),)))
        assert crm.leads.get(ref).title == "Заявка с сайта"

    def test_tags_are_added_and_taken_away(self, crm: Crm) -> None:
        """Adding keeps the others; taking away one that is not there changes nothing."""
        need(crm, Capability.TAGS)
        ref = crm.contacts.create(Contact(name="Иван", tags=("важный",)))
        crm.contacts.update(ref, {"add_tags": ["опт", "важный"]})
        both = set(crm.contacts.get(ref).tags)
        crm.contacts.update(ref, {"remove_tags": ["важный", "чужой"]})
        assert (both, crm.contacts.get(ref).tags) == ({"важный", "опт"}, ("опт",))

    def test_a_call_names_its_client_and_whether_it_was_missed(self, bed: Bed, crm: Crm) -> None:
        """A missed call of the CRM's own telephony stands on the contact, with its E.164 number."""
        need(crm, Capability.CALLS)
        person = bed.add(Contact(name="Иван", phones=(Phone(raw="+79123456789"),)))
        bed.call_comes("+79123456789", person, missed=True)
        calls = crm.calls.find(about=person)
        assert [(call.contact, call.missed, call.talk_s) for call in calls] == [(person, True, 0)]
        assert [call.phone.e164 for call in calls if call.phone] == ["+79123456789"]
        assert crm.calls.get(calls[0].ref) == calls[0]

    def test_a_logged_call_stands_on_its_client(self, bed: Bed, crm: Crm) -> None:
        """A call that a program enters is found on the contact with that number; a stranger's gives no address."""
        need(crm, Capability.LOG_CALLS)
        person = crm.contacts.create(Contact(name="Иван", phones=(Phone(raw="+79123456789"),)))
        draft = Call(
            provider="telephony",
            direction=Direction.OUT,
            status=CallStatus.ANSWERED,
            phone=Phone(raw="8 912 345-67-89", e164="+79123456789"),
            started_at=bed.now(),
            talk_s=42,
        )
        logged = crm.calls.log(draft)
        strange = crm.calls.log(draft.model_copy(update={"phone": Phone(raw="+79990000001", e164="+79990000001")}))
        found = crm.calls.find(about=person)
        assert strange is None
        assert [(call.ref, call.direction, call.answered, call.talk_s) for call in found] == [
            (logged, Direction.OUT, True, 42)
        ]

    def test_a_stored_body_translates_into_the_same_record(self, bed: Bed, crm: Crm) -> None:
        """What `load` gave is what `translate` makes of `raw` after a way through JSON: upgrades rest on it."""
        company = crm.companies.create(Company(name="ООО «Окна»"))
        person = crm.contacts.create(Contact(name="Иван", phones=(Phone(raw="+79123456789"),), company=company))
        values = samples(bed)
        custom = tuple(token.to(values[type_]) for type_, token in bed.custom.items())
        deal = crm.deals.create(Deal(title="Окна", contacts=(person,), company=company, custom=custom))
        task = crm.tasks.create(Task(text="Перезвонить", due=bed.now(), about=deal))
        note = crm.notes.create(Note(about=deal, text="Скидка"))
        records = list(crm.deals.get_many([deal]).values())
        loaded: list[Record] = [*records, *bed.connection.load([company, person, task, note])]
        again = [
            bed.adapter.translate(record.ref.kind, json.loads(json.dumps(record.raw)), crm.account) for record in loaded
        ]
        assert {record.ref for record in loaded} == {company, person, deal, task, note}
        assert again == loaded

    def test_users_and_pipelines_are_there(self, bed: Bed, crm: Crm) -> None:
        """The owner is an active user; the stages stand in one pipeline in their order, with their ends."""
        users = {user.ref.id: user.is_active for user in crm.users.iterate()}
        stages = {stage.ref: stage for pipeline in crm.pipelines.iterate() for stage in pipeline.stages}
        order = [ref for ref in stages if ref in bed.stages]
        assert users[bed.owner_id] is True
        assert bed.stranger_id not in users
        assert order == list(bed.stages)
        assert (stages[bed.won].outcome, stages[bed.lost].outcome) == (Outcome.WON, Outcome.LOST)
        assert {stages[ref].outcome for ref in bed.stages} == {Outcome.OPEN}

    def test_records_of_a_user_who_has_left_can_be_read(self, bed: Bed, crm: Crm) -> None:
        """The owner's id stays on the record; whoever looks the user up finds nobody, or somebody inactive."""
        ref = crm.deals.create(Deal(title="Окна", owner_id=bed.owner_id))
        bed.dismiss(bed.owner_id)
        fresh = Crm(bed.reopen())
        active = {user.ref.id for user in fresh.users.iterate() if user.is_active}
        assert fresh.deals.get(ref).owner_id == bed.owner_id
        assert [deal.owner_id for deal in fresh.deals.iterate()] == [bed.owner_id]
        assert bed.owner_id not in active

    def test_addresses_are_the_accounts_own(self, bed: Bed, crm: Crm) -> None:
        """Create, load, iterate and find give one and the same address, under the account's key."""
        ref = crm.contacts.create(Contact(name="Иван", phones=(Phone(raw="+79123456789"),)))
        assert ref == Ref(bed.settings.key, Kind.CONTACT, ref.id)
        assert crm.contacts.get(ref).ref == ref
        assert [contact.ref for contact in crm.contacts.iterate()] == [ref]
        assert [contact.ref for contact in crm.contacts.find(phone="+79123456789")] == [ref]
