"""retailCRM keeps the contract that every adapter keeps: over real HTTP, against the emulated account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import pytest
from pydantic import SecretStr
from tests.adapters.bed import EmulatedBed, deal_refs, opened

from crmkit import CallStatus, CustomField, Deal, Direction, FieldType, Kind, Money, Outcome, Ref
from crmkit.adapter import Query
from crmkit.crm import Crm
from crmkit.errors import Rejected, Unsupported
from crmkit.models import Call, Company, Contact, LineItem, Note, Phone
from crmkit.testing.contract import AdapterContract, Fault
from crmkit.testing.contract.bed import Bed
from crmkit.testing.listener import HookListener
from crmkit.tokens import StaticTokens
from crmkit_retailcrm import RetailCrmAdapter, RetailCrmSettings
from crmkit_testing.retailcrm import EMAIL_FIELD, PHONE_FIELD, TITLE_FIELD, RetailCrmSide
from crmkit_testing.side import ACCOUNT


class RetailCrmBed(EmulatedBed):
    """An emulated account without records; its clock stands still until somebody waits."""

    def __init__(self, side: RetailCrmSide, listener: HookListener) -> None:
        self.retail = side.retail
        self._rights = side.retail.account.keys[side.retail.api_key]
        super().__init__(
            side,
            listener,
            adapter=RetailCrmAdapter(),
            settings=RetailCrmSettings(
                key=ACCOUNT,
                vendor="retailcrm",
                base_url=side.retail.base_url,
                api_key=SecretStr(side.retail.api_key),
                title_field=TITLE_FIELD,
                company_phone_field=PHONE_FIELD,
                company_email_field=EMAIL_FIELD,
            ),
            tokens=StaticTokens(""),
            limited={"status": 503, "retry_after": 1},
        )
        self.custom: Mapping[FieldType, CustomField[Deal, Any]] = {
            FieldType.TEXT: CustomField(Deal, str, "Пометка"),
            FieldType.LONGTEXT: CustomField(Deal, str, "История"),
            FieldType.INT: CustomField(Deal, int, "Коробок"),
            FieldType.DECIMAL: CustomField(Deal, Decimal, "Аванс"),
            FieldType.BOOL: CustomField(Deal, bool, "Срочно"),
            FieldType.DATE: CustomField(Deal, date, "Дата следующего шага"),
            FieldType.DATETIME: CustomField(Deal, datetime, "Встреча"),
            FieldType.ENUM: CustomField(Deal, str, "Канал"),
            FieldType.MULTIENUM: CustomField(Deal, tuple, "Услуги"),
        }

    def seed_deals(self, count: int) -> Sequence[Ref]:
        # In the order of the vendor's own lists: newest first.
        return deal_refs(self.retail.bulk_orders(count)[::-1])

    def merge(self, survivor: Ref, loser: Ref) -> None:
        if survivor.kind is Kind.DEAL:
            self.retail.combine_orders(int(survivor.id), int(loser.id))
        else:
            self.retail.combine_customers(int(survivor.id), [int(loser.id)])

    def dismiss(self, user_id: str) -> None:
        self.retail.account.shelves["users"][int(user_id)]["active"] = False

    def fail(self, fault: Fault, *, on: Literal["reads", "writes"], times: int | None = 1) -> None:
        if fault is Fault.DENIED:
            self.retail.revoke_key(self.retail.api_key)
            return
        method = "GET" if on == "reads" else "POST"
        self._spoil(fault, times, method=method)

    def heal(self) -> None:
        super().heal()
        self.retail.account.keys[self.retail.api_key] = self._rights

    def subscriptions(self) -> Sequence[str]:
        return [str(trigger["url"]) for trigger in self.retail.triggers]


class TestRetailCrm(AdapterContract):
    """The contract over the emulated retailCRM."""

    @pytest.fixture
    def bed(self) -> Iterator[RetailCrmBed]:
        with opened(RetailCrmSide(), RetailCrmBed) as bed:
            yield bed

    def test_a_deal_comes_back_as_it_was_written(self, bed: Bed, crm: Crm) -> None:
        """Title, sum, stage, owner and the person are there. An order has one person: a second is refused by name."""
        people = [crm.contacts.create(Contact(name=name)) for name in ("Иван", "Пётр")]
        amount = Money(Decimal(15000), crm.account.currency)
        draft = Deal(title="Окна", amount=amount, stage=bed.stages[1], owner_id=bed.owner_id, contacts=(people[1],))
        found = crm.deals.get(crm.deals.create(draft))
        assert (found.title, found.amount, found.stage) == ("Окна", amount, bed.stages[1])
        assert (found.owner_id, found.outcome, found.closed_at) == (bed.owner_id, Outcome.OPEN, None)
        assert found.contacts == (people[1],)
        with pytest.raises(Rejected) as refused:
            crm.deals.create(draft.model_copy(update={"contacts": tuple(people)}))
        assert list(refused.value.fields) == ["contacts"]
        assert [deal.ref for deal in crm.deals.iterate()] == [found.ref]

    def test_a_logged_call_stands_on_its_client(self, bed: Bed, crm: Crm) -> None:
        """A call that a program enters is kept once under its own key. The log cannot be read back, and says so."""
        call = Call(
            direction=Direction.OUT,
            status=CallStatus.ANSWERED,
            phone=Phone(raw="8 912 345-67-89", e164="+79123456789"),
            started_at=bed.now(),
            talk_s=42,
        )
        logged, again = (crm.calls.log(call, once="call-1") for _ in range(2))
        stored = crm.call("POST", "/api/v5/telephony/calls/upload", body={"calls": [self._call(bed, "crmkit-call-1")]})
        assert logged == again == Ref(ACCOUNT, Kind.CALL, "crmkit-call-1")
        assert isinstance(stored, Mapping)
        assert (stored["processedCallsCount"], stored["duplicateCalls"]) == (0, ["crmkit-call-1"])
        with pytest.raises(Unsupported):
            crm.calls.find(about=Ref(ACCOUNT, Kind.CONTACT, "1"))

    def test_a_corporate_order_comes_back_with_company_person_and_legal_entity(self, bed: Bed, crm: Crm) -> None:
        """The company is the customer, the person the contact, and the order names the company's legal entity."""
        company = crm.companies.create(Company(name="ООО «Окна»", inn="0770123456", kpp="077001001"))
        person = crm.contacts.create(Contact(name="Иван", company=company))
        items = (LineItem(name="Окно", quantity=Decimal(2), price=Money(Decimal(1990), "RUB")),)
        deal = crm.deals.get(crm.deals.create(Deal(title="Окна", company=company, contacts=(person,), items=items)))
        firm = crm.companies.get(company)
        assert (deal.company, deal.contacts) == (company, (person,))
        assert [(item.name, item.quantity, item.price) for item in deal.items] == [
            (item.name, item.quantity, item.price) for item in items
        ]
        assert deal.amount == Money(Decimal(3980), "RUB")
        assert (firm.inn, firm.kpp, firm.contacts) == ("0770123456", "077001001", (person,))
        assert deal.raw["company"]["contragent"]["INN"] == "0770123456"
        assert [one.ref for one in crm.companies.find(inn="0770123456")] == [company]
        assert [one.ref for one in crm.deals.find(company=company)] == [deal.ref]
        assert [one.ref for one in crm.deals.find(contact=person)] == [deal.ref]

    def test_an_amount_is_given_to_an_order_without_goods_only(self, bed: Bed, crm: Crm) -> None:
        """The sum is one item that changes its price; the sum of several goods is theirs."""
        plain = crm.deals.create(Deal(title="Окна", amount=Money(Decimal(700), "RUB")))
        crm.deals.update(plain, {"amount": Money(Decimal("900.5"), "RUB")})
        goods = tuple(LineItem(name=name, price=Money(Decimal(100), "RUB")) for name in ("Раз", "Два"))
        full = crm.deals.create(Deal(title="Двери", items=goods))
        with pytest.raises(Rejected) as refused:
            crm.deals.update(full, {"amount": Money(Decimal(1), "RUB")})
        assert crm.deals.get(plain).amount == Money(Decimal("900.5"), "RUB")
        assert list(refused.value.fields) == ["amount"]
        assert crm.deals.get(full).amount == Money(Decimal(200), "RUB")

    def test_a_merge_waits_for_the_crm_and_keeps_what_the_loser_had(self, bed: Bed, crm: Crm) -> None:
        """The CRM merges when it likes; afterwards an edit of the loser reaches the survivor."""
        kept = crm.contacts.create(Contact(name="Иван", tags=("опт",)))
        lost = crm.contacts.create(Contact(name="Иван П.", phones=(Phone(raw="8 912 345-67-89"),), tags=("vip",)))
        deal = crm.deals.create(Deal(title="Окна", contacts=(lost,)))
        before = bed.now()
        crm.contacts.merge(kept, [lost])
        crm.contacts.update(lost, {"last_name": "Петров"})
        found = crm.contacts.get(kept)
        assert bed.now() > before
        assert (found.name, set(found.tags)) == ("Иван Петров", {"опт", "vip"})
        assert [phone.e164 for phone in found.phones] == ["+79123456789"]
        assert crm.deals.get(deal).contacts == (kept,)
        crm.contacts.merge(kept, [lost])

    def test_orders_are_merged_at_once(self, bed: Bed, crm: Crm) -> None:
        """The survivor has the items of both."""
        one, two = (crm.deals.create(Deal(title=title, amount=Money(Decimal(100), "RUB"))) for title in ("Раз", "Два"))
        crm.deals.merge(one, [two])
        assert [deal.ref for deal in crm.deals.iterate()] == [one]
        assert crm.deals.get(one).amount == Money(Decimal(200), "RUB")

    def test_notes_of_people_and_companies_are_their_own(self, bed: Bed, crm: Crm) -> None:
        """Written, found, walked over and deleted, on either card."""
        person = crm.contacts.create(Contact(name="Иван"))
        firm = crm.companies.create(Company(name="ООО «Окна»"))
        made = [crm.notes.create(Note(about=card, text="Любит чай")) for card in (person, firm)]
        found = [[note.ref for note in crm.notes.find(about=card)] for card in (person, firm)]
        walked = {note.ref for note in crm.notes.iterate()}
        crm.notes.delete(made[0])
        assert found == [[made[0]], [made[1]]]
        assert walked == set(made)
        assert [note.ref for note in crm.notes.iterate()] == [made[1]]

    def test_a_trigger_wakes_and_names_the_order(self, bed: RetailCrmBed, crm: Crm) -> None:
        """What an administrator typed comes to the address, and names the order as `load` does."""
        bed.retail.add_trigger("order.change", bed.hook_url)
        deal = crm.deals.create(Deal(title="Окна"))
        bed.change(deal, {"stage": bed.stages[1]})
        hints = [hint for one in bed.deliveries() for hint in bed.adapter.parse(one, bed.settings).hints]
        assert {hint.ref for hint in hints} == {deal}

    def test_hooks_that_the_api_cannot_subscribe_are_told_in_words(self, bed: Bed, crm: Crm) -> None:
        """The refusal holds what an administrator types, and where the address is found: it holds a secret itself."""
        with pytest.raises(Unsupported) as refused:
            bed.connection.ensure_hooks("https://service.example/hooks/retailcrm/acme/s3cret")
        text = str(refused.value)
        assert "s3cret" not in text
        assert "crmkit accounts --hooks" in text
        assert "event = order.change, entity = order, id = {{ order.getId() }}" in text

    def test_open_deals_of_everybody_are_found(self, bed: Bed, crm: Crm) -> None:
        """Deals by state and owner alone."""
        mine = crm.deals.create(Deal(title="Окна", owner_id=bed.owner_id))
        crm.deals.create(Deal(title="Двери", stage=bed.lost, owner_id=bed.owner_id))
        found = bed.connection.find(Kind.DEAL, Query(owner_id=bed.owner_id, is_open=True))
        assert [record.ref for record in found] == [mine]

    def _call(self, bed: Bed, key: str) -> Mapping[str, Any]:
        body = {"date": "2026-03-02 12:00:00", "type": "out", "phone": "+79123456789", "externalId": key}
        return {**body, "result": "answered"}
