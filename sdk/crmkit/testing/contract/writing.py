"""Contract: writes touch only what they name, batches tell item by item, nothing happens twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal

import pytest

from crmkit.adapter import Capability, EffectClass, Level
from crmkit.crm import Crm
from crmkit.errors import NotFound, RateLimited, Rejected, Unsupported, VendorDown
from crmkit.models import RECORDS, Company, Contact, ContactChanges, Deal, FieldType, File, Note, Phone, Record, Task
from crmkit.testing.contract.bed import Bed, ContractPart, Fault, need, need_kind
from crmkit.values import Kind, Money, Ref
from crmkit.write import Verb, Write

DRAFTS: Mapping[Kind, Callable[[Bed, Ref], Record]] = {
    Kind.CONTACT: lambda _, __: Contact(name="Иван Петров", phones=(Phone(raw="+79123456789"),)),
    Kind.COMPANY: lambda _, __: Company(name="ООО «Окна»"),
    Kind.DEAL: lambda bed, _: Deal(title="Окна в офис", stage=bed.stages[0]),
    Kind.TASK: lambda bed, card: Task(text="Перезвонить", about=card, due=bed.now() + timedelta(hours=2)),
    Kind.NOTE: lambda _, card: Note(about=card, text="Клиент просит скидку"),
    Kind.FILE: lambda _, card: File(name="Смета.txt", content="Окна, 2 шт.".encode(), cards=(card,)),
}
"""What is created of each kind; `card` is a deal to put it on."""


class WritingContract(ContractPart):
    """create, update, delete, merge, batches, and what is left after a lost answer."""

    def test_an_update_touches_only_what_it_names(self, bed: Bed, crm: Crm) -> None:
        """What a person changed in the meantime stays changed."""
        ref = crm.deals.create(Deal(title="Окна", owner_id=bed.owner_id))
        amount = Money(Decimal(700), crm.account.currency)
        bed.change(ref, {"amount": amount})
        crm.deals.update(ref, {"title": "Двери"})
        deal = crm.deals.get(ref)
        assert (deal.title, deal.amount, deal.owner_id) == ("Двери", amount, bed.owner_id)

    def test_phones_are_replaced_as_a_whole(self, crm: Crm) -> None:
        """The new list stands in its order; the name is untouched."""
        ref = crm.contacts.create(Contact(name="Иван", phones=(Phone(raw="+79123456789"),)))
        changes: ContactChanges = {"phones": (Phone(raw="+79123456780"), Phone(raw="+79123456789"))}
        crm.contacts.update(ref, changes)
        contact = crm.contacts.get(ref)
        assert [phone.e164 for phone in contact.phones] == ["+79123456780", "+79123456789"]
        assert contact.name == "Иван"

    def test_an_unknown_owner_is_rejected_by_field(self, bed: Bed, crm: Crm) -> None:
        """The refusal names one field and the account, and nothing is created."""
        with pytest.raises(Rejected) as refused:
            crm.deals.create(Deal(title="Окна", owner_id=bed.stranger_id))
        assert len(refused.value.fields) == 1
        assert (refused.value.account, refused.value.retryable) == (bed.settings.key, False)
        assert list(crm.deals.iterate()) == []

    def test_an_unknown_label_is_rejected_by_field(self, bed: Bed, crm: Crm) -> None:
        """A label that the field does not have never reaches a record."""
        need(crm, Capability.CUSTOM_FIELDS)
        token = bed.custom.get(FieldType.ENUM)
        if token is None:
            pytest.skip(f"{crm.vendor} has no list of a deal that a program may write")
        with pytest.raises(Rejected) as refused:
            crm.deals.create(Deal(title="Окна", custom=(token.to("Такого нет"),)))
        assert len(refused.value.fields) == 1
        assert list(crm.deals.iterate()) == []

    def test_a_write_to_a_missing_record_is_not_found(self, bed: Bed, crm: Crm) -> None:
        """NotFound, or Rejected where the vendor does not tell the two apart."""
        gone = Ref(bed.settings.key, Kind.DEAL, "999999999")
        with pytest.raises((NotFound, Rejected)):
            crm.deals.update(gone, {"title": "Двери"})

    def test_one_bad_item_does_not_stop_a_batch(self, bed: Bed, crm: Crm) -> None:
        """The good ones are created, each at its place; the bad one brings its error."""
        drafts = [Deal(title="Раз"), Deal(title="Два", owner_id=bed.stranger_id), Deal(title="Три")]
        result = crm.deals.create_many(drafts)
        titles = {place: crm.deals.get(ref).title for place, ref in result.done.items()}
        assert titles == {0: "Раз", 2: "Три"}
        assert [(failure.index, type(failure.error)) for failure in result.failed] == [(1, Rejected)]
        assert sorted(deal.title for deal in crm.deals.iterate()) == ["Раз", "Три"]

    def test_many_updates_are_told_item_by_item(self, bed: Bed, crm: Crm) -> None:
        """Every record gets its own change."""
        refs = [crm.deals.create(Deal(title=f"Сделка {number}")) for number in range(5)]
        result = crm.deals.update_many({ref: {"title": f"Новая {number}"} for number, ref in enumerate(refs)})
        assert result.done == dict(enumerate(refs))
        assert result.failed == ()
        assert [crm.deals.get(ref).title for ref in refs] == [f"Новая {number}" for number in range(5)]

    def test_deleting_works_or_is_unsupported(self, crm: Crm) -> None:
        """Never silence: the record is gone, or Unsupported says what to do."""
        ref = crm.deals.create(Deal(title="Окна"))
        if crm.supports(Capability.DELETE) is Level.ABSENT:
            with pytest.raises(Unsupported):
                crm.deals.delete(ref)
            assert crm.deals.get(ref).title == "Окна"
            return
        crm.deals.delete(ref)
        assert list(crm.deals.iterate()) == []

    def test_merging_works_or_is_unsupported(self, crm: Crm) -> None:
        """Never silence: the loser is gone, or marked, and its phone lives on; or Unsupported says what to do."""
        kept, lost = (
            crm.contacts.create(Contact(name=name, phones=(Phone(raw=phone),)))
            for name, phone in (("Иван", "+79123456789"), ("Иван П.", "+79123456780"))
        )
        if crm.supports(Capability.MERGE) is Level.ABSENT:
            with pytest.raises(Unsupported):
                crm.contacts.merge(kept, [lost])
            return
        crm.contacts.merge(kept, [lost])
        crm.contacts.merge(kept, [lost])
        left = {contact.ref: contact.tags for contact in crm.contacts.iterate()}
        assert left in ({kept: ()}, {kept: (), lost: left.get(lost)})
        assert left.get(lost) != ()
        assert {phone.e164 for phone in crm.contacts.get(kept).phones} == {"+79123456789", "+79123456780"}

    @pytest.mark.parametrize("kind", list(DRAFTS))
    def test_a_lost_answer_is_one_write_and_is_recovered(self, bed: Bed, crm: Crm, kind: Kind) -> None:
        """The connection does not repeat the write, says that it may be done, and finds what it made.

        A twin made by an equal write of somebody else is not taken for it.
        """
        need_kind(crm, kind)
        card = self._card(bed)
        draft = DRAFTS[kind](bed, card)
        write = Write(Verb.CREATE, kind, record=draft, marker="run-1")
        if bed.adapter.effect_class(write) is EffectClass.NONE:
            pytest.skip(f"{crm.vendor} cannot tell a lost {kind.value}; the adapter says so")
        twin = bed.connection.write(Write(Verb.CREATE, kind, record=draft, marker="run-0"))
        before = self._refs(bed, kind, card)
        since = bed.now()
        bed.fail(Fault.LOST, on="writes")
        with pytest.raises(VendorDown) as lost:
            bed.connection.write(write)
        made = self._refs(bed, kind, card) - before
        assert twin is not None
        assert lost.value.maybe_applied
        assert len(made) == 1
        found = bed.connection.recover(write, since=since - timedelta(seconds=2), known={twin})
        assert {found} == made
        assert bed.connection.recover(write, since=since - timedelta(seconds=2), known={twin, *made}) is None

    @pytest.mark.parametrize("kind", list(DRAFTS))
    def test_a_refused_write_leaves_nothing_to_recover(self, bed: Bed, crm: Crm, kind: Kind) -> None:
        """After a server error before the work nothing is there, and nothing is found."""
        need_kind(crm, kind)
        card = self._card(bed)
        write = Write(Verb.CREATE, kind, record=DRAFTS[kind](bed, card), marker="run-1")
        since = bed.now()
        self._warm(bed, kind)
        before = self._refs(bed, kind, card)
        bed.fail(Fault.BROKEN, on="writes")
        with pytest.raises(VendorDown):
            bed.connection.write(write)
        bed.heal()
        assert self._refs(bed, kind, card) == before
        assert bed.connection.recover(write, since=since - timedelta(seconds=2), known=before) is None

    @pytest.mark.parametrize("kind", list(DRAFTS))
    def test_a_native_key_makes_a_repeat_the_same_record(self, bed: Bed, crm: Crm, kind: Kind) -> None:
        """Where the adapter promises a native key, the same marker gives the same address."""
        need_kind(crm, kind)
        card = self._card(bed)
        write = Write(Verb.CREATE, kind, record=DRAFTS[kind](bed, card), marker="run-1")
        if bed.adapter.effect_class(write) is not EffectClass.NATIVE_KEY:
            pytest.skip(f"{crm.vendor} keeps no key with a {kind.value}; the adapter says so")
        assert bed.connection.write(write) == bed.connection.write(write)

    def test_an_idempotent_write_done_twice_is_the_same(self, bed: Bed, crm: Crm) -> None:
        """Updates and links that the adapter calls idempotent leave the record as one of them does."""
        person, deal = crm.contacts.create(Contact(name="Иван")), crm.deals.create(Deal(title="Окна"))
        writes = (
            Write(Verb.UPDATE, Kind.DEAL, ref=deal, changes={"title": "Двери", "stage": bed.stages[1]}),
            Write(Verb.LINK, Kind.DEAL, ref=deal, others=(person,)),
        )
        for write in writes:
            assert bed.adapter.effect_class(write) is EffectClass.IDEMPOTENT
            bed.connection.write(write)
            bed.connection.write(write)
        found = crm.deals.get(deal)
        assert (found.title, found.stage, found.contacts) == ("Двери", bed.stages[1], (person,))

    def test_a_write_held_back_by_the_limit_is_done_once(self, bed: Bed, crm: Crm) -> None:
        """One refusal by the rate limit: waited for, or told; never two records."""
        crm.deals.create(Deal(title="Первая"))
        bed.fail(Fault.LIMITED, on="writes")
        try:
            crm.deals.create(Deal(title="Вторая"))
        except RateLimited:
            crm.deals.create(Deal(title="Вторая"))
        assert sorted(deal.title for deal in crm.deals.iterate()) == ["Вторая", "Первая"]

    def _card(self, bed: Bed) -> Ref:
        card = bed.connection.write(Write(Verb.CREATE, Kind.DEAL, record=Deal(title="Карточка")))
        assert card is not None
        return card

    def _refs(self, bed: Bed, kind: Kind, card: Ref) -> set[Ref]:
        if kind is Kind.NOTE:
            return {note.ref for note in Crm(bed.connection).notes.find(about=card)}
        return {record.ref for page in bed.connection.pages(RECORDS[kind].kind) for record in page.records}

    def _warm(self, bed: Bed, kind: Kind) -> None:
        """Let the connection read what it remembers, so that a fault meets the write itself."""
        bed.connection.account()
        bed.connection.fields(kind)
