"""The memory CRM: writes are checked, told of and counted; faults come when they are asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from crmkit import (
    Call,
    Company,
    Contact,
    CustomField,
    Deal,
    Kind,
    NotFound,
    Outcome,
    Phone,
    Ref,
    Rejected,
    StageRef,
    Task,
    VendorDown,
)
from crmkit.adapter import Account
from crmkit.clock import TurnedClock
from crmkit.testing import MemoryCrm, MemoryWorld
from crmkit.webhook import Action
from crmkit.write import Verb, Write


def test_a_created_deal_begins_in_the_first_stage_in_the_name_of_the_program() -> None:
    """A deal made without stage and owner stands in the main pipeline's first stage and belongs to the program."""
    crm = MemoryCrm().crm
    deal = crm.deals.get(crm.deals.create(Deal(title="Окна")))
    assert deal.model_copy(update={"raw": {}}) == Deal(
        ref=Ref("acme", Kind.DEAL, "1"),
        title="Окна",
        stage=StageRef(pipeline_id="1", stage_id="new"),
        owner_id="900",
        created_by="900",
        updated_by="900",
        created_at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
        updated_at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
        closed_at=None,
    )


def test_the_raw_body_translates_back_into_the_record() -> None:
    """What `load` gave and what `translate` makes of the stored body are equal."""
    memory = MemoryCrm()
    ref = memory.person.add_contact("Иван", phone="8 912 345-67-89", email="i@example.com")
    contact = memory.crm.contacts.get(ref)
    account: Account = memory.crm.account
    assert memory.adapter.translate(Kind.CONTACT, contact.raw, account) == contact


def test_a_move_to_an_end_closes_the_deal_and_a_move_back_opens_it() -> None:
    """Outcome and closing time follow from the stage."""
    memory = MemoryCrm()
    ref = memory.person.add_deal("Окна")
    memory.advance(timedelta(minutes=5))
    memory.person.move_deal(ref, "won")
    won = memory.crm.deals.get(ref)
    memory.person.move_deal(ref, "Переговоры")
    back = memory.crm.deals.get(ref)
    assert (won.outcome, won.closed_at) == (Outcome.WON, datetime(2026, 3, 2, 9, 5, tzinfo=UTC))
    assert (back.outcome, back.closed_at) == (Outcome.OPEN, None)


def test_a_person_leaves_a_feed_row_and_a_hook_and_a_lost_hook_leaves_the_row_only() -> None:
    """The feed holds every change in order; hooks are laid down unless the CRM loses them."""
    memory = MemoryCrm()
    start = memory.connection.feed(None).cursor
    ref = memory.person.add_deal("Окна", by="2")
    memory.person.move_deal(ref, "talks", hooks=False)
    page = memory.connection.feed(start)
    hooks = memory.world.take_hooks()
    moves = [hint.move for hint in page.hints]
    assert [(hint.ref, hint.action, hint.actor_id) for hint in page.hints] == [
        (ref, Action.ADDED, "2"),
        (ref, Action.CHANGED, "1"),
    ]
    assert moves[0] is None
    assert moves[1] is not None
    assert (moves[1].from_stage, moves[1].to_stage) == (("1", "new"), ("1", "talks"))
    assert [hook.hints for hook in hooks] == [(page.hints[0],)]
    assert memory.adapter.parse(hooks[0].request, memory.settings).hints == hooks[0].hints
    assert memory.world.hooks == []


def test_a_lagging_feed_shows_a_row_when_its_time_has_come() -> None:
    """With a lag of three seconds a change is unseen at first, and read from the same cursor afterwards."""
    memory = MemoryCrm()
    memory.world.lag_feed(3)
    start = memory.connection.feed(None).cursor
    ref = memory.person.add_deal("Окна")
    early = memory.connection.feed(start)
    memory.advance(timedelta(seconds=3))
    late = memory.connection.feed(early.cursor)
    assert early.hints == ()
    assert [hint.ref for hint in late.hints] == [ref]


def test_a_refused_write_names_its_fields_and_changes_nothing() -> None:
    """Unknown owner, stage, record and option are all named in one refusal."""
    memory = MemoryCrm()
    reason = CustomField(Deal, str, "Причина")
    draft = Deal(
        title="Окна",
        owner_id="77",
        stage=StageRef(pipeline_id="1", stage_id="nowhere"),
        contacts=(Ref("acme", Kind.CONTACT, "5"),),
        custom=(reason.to("Далеко"),),
    )
    with pytest.raises(Rejected) as refused:
        memory.crm.deals.create(draft)
    assert refused.value.fields == {
        "owner_id": "there is no user 77",
        "contacts": "there is no acme/contact:5",
        "stage": "there is no stage nowhere in pipeline 1",
        "custom.Причина": "has no option Далеко; it has Дорого, Долго, Не сейчас",
    }
    assert list(memory.crm.deals.iterate()) == []
    assert memory.world.hooks == []


def test_custom_fields_are_laid_over_and_cleared_by_none() -> None:
    """A change of one field keeps the others; None takes the value away."""
    memory = MemoryCrm()
    channel, step = CustomField(Deal, str, "Канал"), CustomField(Deal, date, "", code="DATE")
    ref = memory.crm.deals.create(Deal(title="Окна", custom=(channel.to("сайт"), step.to(date(2026, 4, 1)))))
    memory.crm.deals.update(ref, {"custom": [channel.to(None)]})
    deal = memory.crm.deals.get(ref)
    assert (deal[channel], deal[step]) == (None, date(2026, 4, 1))


def test_a_wrongly_declared_field_is_refused() -> None:
    """A token whose type is not the field's own is refused by name."""
    memory = MemoryCrm()
    with pytest.raises(Rejected) as refused:
        memory.crm.deals.create(Deal(title="Окна", custom=(CustomField(Deal, int, "Канал").to(1),)))
    assert refused.value.fields == {"custom.Канал": "is a text field, declared as int"}


def test_a_merge_readdresses_deals_and_tasks_and_keeps_every_phone() -> None:
    """The survivor has the losers' phones, deals and tasks; the loser is gone."""
    memory = MemoryCrm()
    kept = memory.person.add_contact("Иван", phone="+79123456789")
    lost = memory.person.add_contact("Иван П.", phone=["+79123456789", "+79123456780"])
    deal = memory.person.add_deal("Окна", contact=lost)
    task = memory.person.add_task("Позвонить", about=lost)
    memory.crm.contacts.merge(kept, [lost])
    assert [phone.e164 for phone in memory.crm.contacts.get(kept).phones] == ["+79123456789", "+79123456780"]
    assert memory.crm.deals.get(deal).contacts == (kept,)
    assert memory.crm.tasks.get(task).about == kept
    assert memory.world.account("acme").merged == {lost: kept}
    with pytest.raises(NotFound):
        memory.crm.contacts.get(lost)


def test_a_company_lists_its_people_both_ways() -> None:
    """Linking a person with a company shows on both sides, and unlinking takes it from both."""
    memory = MemoryCrm()
    person = memory.person.add_contact("Иван")
    company = memory.seed(Company(name="ООО Окна"))[0]
    memory.crm.companies.link(company, person)
    linked = memory.crm.contacts.get(person).company, memory.crm.companies.get(company).contacts
    memory.crm.contacts.unlink(person, company)
    cut = memory.crm.contacts.get(person).company, memory.crm.companies.get(company).contacts
    assert linked == (company, (person,))
    assert cut == (None, ())


def test_a_lost_answer_leaves_a_record_that_recover_finds() -> None:
    """The write was done and not heard of; an equal one is recovered unless somebody else owns the record."""
    memory = MemoryCrm()
    write = Write(Verb.CREATE, Kind.TASK, record=Task(text="Позвонить"))
    since = memory.world.clock.now()
    other = memory.connection.write(write)
    memory.world.lose_answer(Verb.CREATE)
    with pytest.raises(VendorDown) as lost:
        memory.connection.write(write)
    assert other is not None
    assert lost.value.maybe_applied
    assert memory.connection.recover(write, since=since, known=[other]) == Ref("acme", Kind.TASK, "2")
    memory.advance(timedelta(seconds=10))
    assert memory.connection.recover(write, since=memory.world.clock.now(), known=[]) is None


def test_native_keys_make_a_repeat_give_the_first_address() -> None:
    """With native keys the same marker never creates twice."""
    memory = MemoryCrm()
    memory.world.has_native_keys = True
    first = memory.crm.tasks.create(Task(text="Раз"), once="a")
    assert memory.crm.tasks.create(Task(text="Раз"), once="a") == first
    assert len(list(memory.crm.tasks.iterate())) == 1


def test_faults_are_counted_off_and_meet_only_what_they_are_for() -> None:
    """A fault for task creations leaves reading and contacts alone, comes twice, and then is over."""
    memory = MemoryCrm()
    memory.world.fail_next(VendorDown("away"), 2, Verb.CREATE, Kind.TASK)
    memory.crm.contacts.create(Contact(name="Иван"))
    for _ in range(2):
        with pytest.raises(VendorDown):
            memory.crm.tasks.create(Task(text="Позвонить"))
    memory.crm.tasks.create(Task(text="Позвонить"))
    assert memory.world.count(Verb.CREATE, Kind.TASK) == 3
    assert memory.world.count(Verb.CREATE) == 4


def test_two_accounts_have_equal_ids_and_never_mix() -> None:
    """Record 1 of one account is not record 1 of the other."""
    world = MemoryWorld()
    acme, zeta = MemoryCrm("acme", world=world), MemoryCrm("zeta", world=world)
    ours, theirs = acme.person.add_contact("Иван"), zeta.person.add_contact("Пётр")
    assert (ours.id, theirs.id) == ("1", "1")
    assert acme.crm.contacts.get(ours).name == "Иван"
    assert zeta.crm.contacts.get(theirs).name == "Пётр"
    with pytest.raises(NotFound):
        acme.crm.contacts.get(theirs)


def test_a_seed_is_silent_and_older_than_now() -> None:
    """Seeded records make no hooks, no feed rows and no request, and were made a month ago."""
    memory = MemoryCrm(world=MemoryWorld(TurnedClock(datetime(2026, 5, 1, tzinfo=UTC))))
    refs = memory.seed(Contact(name="Иван", phones=(Phone(raw="8 (912) 345-67-89"),)), Deal(title="Окна"))
    assert [str(ref) for ref in refs] == ["acme/contact:1", "acme/deal:1"]
    assert (memory.world.hooks, memory.world.asked, memory.world.account("acme").feed) == ([], [], [])
    assert memory.crm.deals.get(refs[1]).created_at == datetime(2026, 4, 1, tzinfo=UTC)


def test_a_restored_record_is_back_as_it_was() -> None:
    """Delete and restore leave the record with its fields and its time of making."""
    memory = MemoryCrm()
    ref = memory.person.add_deal("Окна")
    before = memory.crm.deals.get(ref)
    memory.person.delete(ref)
    memory.person.restore(ref)
    after = memory.crm.deals.get(ref)
    assert (after.title, after.created_at, after.stage) == (before.title, before.created_at, before.stage)


def test_a_logged_call_finds_its_person_and_a_stranger_gets_none() -> None:
    """A call from a known number stands on that contact; nobody known gives no address."""
    memory = MemoryCrm()
    person = memory.person.add_contact("Иван", phone="+7 912 345-67-89")
    ref = memory.crm.calls.log(Call(phone=Phone(raw="89123456789"), talk_s=5))
    assert ref is not None
    assert memory.crm.calls.get(ref).contact == person
    assert memory.crm.calls.log(Call(phone=Phone(raw="+79990000000"))) is None


def test_hooks_are_taken_by_account() -> None:
    """What is taken is gone; the other account's deliveries stay."""
    world = MemoryWorld()
    acme, zeta = MemoryCrm("acme", world=world), MemoryCrm("zeta", world=world)
    ours, theirs = acme.person.add_deal("Окна"), zeta.person.add_deal("Двери")
    taken = world.take_hooks("acme")
    assert [hook.hints[0].ref for hook in taken] == [ours]
    assert [hook.hints[0].ref for hook in world.hooks] == [theirs]
    assert (world.drop_hooks(), world.hooks) == (1, [])
