"""Our own writes are told once, in our name, and never swallow what others did."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from crmkit.models import Call, CallStatus, Contact, CustomField, Deal, Direction, Note, Phone, StageRef, Task
from crmkit.values import Kind, Money, Ref
from crmkit.write import Verb, Write
from crmkit_runtime.dispatch import follow

DEAL = Ref("acme", Kind.DEAL, "1")
CHANNEL = CustomField(Deal, str, "Канал")


def test_an_own_change_is_told_once_in_our_name(house: Any) -> None:
    """The write makes its event when its result is stored; hook and feed about it tell nothing more."""
    house.update(DEAL, {"title": "наша"}).begin().send().record()
    assert house.told() == [("DealUpdated", "1", "title", "by robot")]
    house.settle()
    assert house.told() == [("DealUpdated", "1", "title", "by robot")]
    assert house.seen(DEAL) == house.truth(DEAL)
    assert house.events()[0].cause.model_dump() == {"extension": "robot", "run_id": 1, "depth": 1}


def test_an_own_owner_change_brings_its_own_event(house: Any) -> None:
    """What follows from single fields follows from our writes as well."""
    house.update(DEAL, {"owner_id": "2"}).begin().send().record()
    house.settle()
    assert house.told() == [("DealUpdated", "1", "owner_id", "by robot"), ("DealOwnerChanged", "1", "by robot")]


def test_a_write_that_changes_nothing_is_no_event(house: Any) -> None:
    """Writing what is already there tells nobody."""
    house.update(DEAL, {"title": "старая"}).begin().send().record()
    house.settle()
    assert house.told() == []


@pytest.mark.parametrize("person_first", [True, False])
def test_a_person_who_changes_another_field_in_the_same_second_is_heard(house: Any, person_first: Any) -> None:
    """Our write says nothing of the rest of the record: somebody else's field is told without a cause."""
    amount = Money(Decimal(100), "RUB")
    if person_first:
        house.person.change(DEAL, {"amount": amount})
    house.update(DEAL, {"title": "наша"}).begin().send().record()
    if not person_first:
        house.person.change(DEAL, {"amount": amount})
    house.settle()
    assert house.told() == [("DealUpdated", "1", "title", "by robot"), ("DealUpdated", "1", "amount")]
    assert house.seen(DEAL) == house.truth(DEAL)


def test_a_person_who_changes_the_same_field_in_the_same_second_is_heard(house: Any) -> None:
    """Whoever overwrites our value within the second is told of, from our value to theirs."""
    house.update(DEAL, {"title": "наша"}).begin().send().record()
    house.person.change(DEAL, {"title": "их"})
    house.settle()
    assert house.told() == [("DealUpdated", "1", "title", "by robot"), ("DealUpdated", "1", "title")]
    theirs = house.events()[1]
    assert (theirs.before.title, theirs.deal.title, theirs.actor_id) == ("наша", "их", "1")


def test_a_hook_that_comes_before_the_result_is_stored_tells_nothing_of_our_field(house: Any) -> None:
    """While our write is under way its field stays as it was; others' fields are told at once."""
    write = house.update(DEAL, {"title": "наша"}).begin().send()
    house.person.change(DEAL, {"amount": Money(Decimal(5), "RUB")})
    house.deliver()
    house.look()
    assert house.told() == [("DealUpdated", "1", "amount")]
    write.record()
    house.settle()
    assert house.told() == [("DealUpdated", "1", "amount"), ("DealUpdated", "1", "title", "by robot")]
    assert house.seen(DEAL) == house.truth(DEAL)
    assert house.hints() == 0


def test_the_same_field_changed_while_our_write_is_under_way_is_told_once(house: Any) -> None:
    """A person overwrites our value before its result is stored: ours is told first, then theirs, each once."""
    write = house.update(DEAL, {"title": "наша"}).begin().send()
    house.person.change(DEAL, {"title": "их"})
    house.deliver()
    house.look()
    write.record()
    house.settle()
    assert house.told() == [("DealUpdated", "1", "title", "by robot"), ("DealUpdated", "1", "title")]
    assert house.seen(DEAL).title == "их"


def test_a_refused_write_hides_nothing(house: Any) -> None:
    """When the CRM refuses ours, a person's equal value that we held back is told as theirs."""
    write = house.update(DEAL, {"title": "одно"}).begin()
    house.person.change(DEAL, {"title": "одно"})
    house.deliver()
    house.look()
    assert house.told() == []
    write.refuse()
    house.settle()
    assert house.told() == [("DealUpdated", "1", "title")]


def test_a_write_that_never_ends_holds_a_field_no_longer_than_the_quarantine(house: Any) -> None:
    """An intent without a result stops hiding its field in the end."""
    house.update(DEAL, {"title": "забыта"}).begin().send()
    house.settle()
    assert house.told() == [("DealUpdated", "1", "title")]
    assert (house.clock.now() - house.events()[0].occurred_at).total_seconds() >= house.service.quarantine_s


def test_a_spelling_of_the_crm_is_no_change(house: Any) -> None:
    """The CRM trims, rounds and gives phones a kind: what it made of our values is no event."""
    ref = house.do(Write(Verb.CREATE, Kind.CONTACT, record=Contact(name="Пётр")))
    house.settle()
    house.update(ref, {"phones": [Phone(raw="8 (916) 123-45-67")], "name": "  Пётр  Первый "}).begin().send().record()
    state = house.world.account("acme")
    kept = state.records[ref]
    spelt = {"name": "Пётр Первый", "phones": (Phone(raw="+79161234567", e164="+79161234567", kind="work"),)}
    state.put(kept.model_copy(update=spelt))
    house.settle()
    assert house.told() == [
        ("ContactCreated", ref.id, "by robot"),
        ("ContactUpdated", ref.id, "name,phones", "by robot"),
    ]
    assert house.seen(ref).phones == spelt["phones"]


def test_an_own_custom_field_is_not_echoed(house: Any) -> None:
    """A custom field that we set is told once, though the CRM knows it by an id of its own."""
    house.update(DEAL, {"custom": [CHANNEL.to("сайт")]}).begin().send().record()
    house.settle()
    assert house.told() == [("DealUpdated", "1", "custom", "by robot")]
    assert house.events()[0].deal[CHANNEL] == "сайт"
    assert house.seen(DEAL) == house.truth(DEAL)


def test_somebodys_custom_field_beside_ours_is_heard(house: Any) -> None:
    """Two custom fields at once: only ours is ours."""
    visitors = CustomField(Deal, int, "Число мест")
    house.update(DEAL, {"custom": [CHANNEL.to("сайт")]}).begin().send().record()
    house.person.change(DEAL, {"custom": [visitors.to(5)]})
    house.settle()
    assert house.told() == [("DealUpdated", "1", "custom", "by robot"), ("DealUpdated", "1", "custom")]


def test_own_tags_and_anothers_tags_are_told_apart(house: Any) -> None:
    """A tag that we add and one that a person adds in the same second are two changes."""
    house.update(DEAL, {"add_tags": ["наш"]}).begin().send().record()
    house.person.change(DEAL, {"add_tags": ["их"]})
    house.settle()
    assert house.told() == [("DealUpdated", "1", "tags", "by robot"), ("DealUpdated", "1", "tags")]
    assert set(house.events()[1].deal.tags) == {"наш", "их"}


def test_an_own_creation_is_told_once(house: Any) -> None:
    """The event comes with the result; the hook, the feed and the full copy tell nothing more."""
    task = house.do(Write(Verb.CREATE, Kind.TASK, record=Task(text="Позвонить", about=DEAL)))
    house.settle()
    assert house.told() == [("TaskCreated", task.id, "by robot")]
    assert house.seen(task) == house.truth(task)


def test_an_own_creation_seen_by_a_hook_first_waits_for_its_result(house: Any) -> None:
    """A record that our write under way has just made is not told as somebody's; its event is that of the write."""
    write = house.own(Write(Verb.CREATE, Kind.TASK, record=Task(text="Позвонить", about=DEAL))).begin().send()
    house.deliver()
    house.look()
    assert house.told() == []
    task = write.record()
    house.settle()
    assert house.told() == [("TaskCreated", task.id, "by robot")]


def test_a_creation_of_somebody_else_is_only_late_while_ours_is_under_way(house: Any) -> None:
    """A person's task made beside ours is told as theirs."""
    write = house.own(Write(Verb.CREATE, Kind.TASK, record=Task(text="наша"))).begin()
    theirs = house.person.add_task("их")
    house.deliver()
    house.look()
    ours = write.send().record()
    house.settle()
    assert sorted(house.told()) == sorted([("TaskCreated", ours.id, "by robot"), ("TaskCreated", theirs.id)])


def test_a_result_that_is_stored_long_after_its_record_was_seen_is_told_once(house: Any) -> None:
    """A process died between the answer and the result, and the record was seen meanwhile: one event, not two."""
    write = house.own(Write(Verb.CREATE, Kind.TASK, record=Task(text="Позвонить"))).begin().send()
    house.settle()
    assert [one[0] for one in house.told()] == ["TaskCreated"]
    write.record()
    house.settle()
    assert [one[0] for one in house.told()] == ["TaskCreated"]


def test_somebody_who_touches_our_new_record_at_once_is_heard(house: Any) -> None:
    """What a person adds to a record that we have just made is told, though we had not loaded it yet."""
    contact = house.do(Write(Verb.CREATE, Kind.CONTACT, record=Contact(name="Пётр")))
    house.person.change(contact, {"phones": [Phone(raw="+79161234567")]})
    house.settle()
    assert house.told()[0] == ("ContactCreated", contact.id, "by robot")
    assert [(one[0], "phones" in one[2]) for one in house.told()[1:]] == [("ContactUpdated", True)]


def test_an_own_write_to_a_record_that_was_never_seen_is_told_in_our_name(build: Any) -> None:
    """Before the first load has come to a record, our change of it is told once and as ours."""
    house = build()
    house.crm.seed(Deal(title="старая"))
    house.observer.step()
    house.advance(1)
    house.update(DEAL, {"title": "наша"}).begin().send().record()
    house.settle()
    while not house.baseline.step():
        pass
    house.settle()
    assert house.told() == [("DealUpdated", "1", "title", "by robot")]
    assert house.events()[0].before is None


def test_a_person_beside_us_on_a_record_that_was_never_seen_is_heard_too(build: Any) -> None:
    """Both changed an unseen record: our field is told as ours, the rest as somebody's."""
    house = build()
    house.crm.seed(Deal(title="старая"))
    house.observer.step()
    house.advance(1)
    house.update(DEAL, {"title": "наша"}).begin().send().record()
    house.person.change(DEAL, {"amount": Money(Decimal(5), "RUB")})
    house.settle()
    named = [one for one in house.told() if one[-1] == "by robot"]
    others = [one for one in house.told() if one[-1] != "by robot"]
    assert named == [("DealUpdated", "1", "title", "by robot")]
    assert [(one[0], "amount" in one[2], "title" in one[2]) for one in others] == [("DealUpdated", True, False)]


def test_an_own_deletion_is_told_once(house: Any) -> None:
    """We delete a record: told as ours, and never again."""
    write = house.own(Write(Verb.DELETE, Kind.DEAL, ref=DEAL)).begin().send()
    house.deliver()
    house.look()
    assert house.told() == []
    write.record()
    house.settle()
    assert house.told() == [("DealDeleted", "1", "by robot")]


def test_an_own_merge_is_told_once_with_what_it_changed(house: Any) -> None:
    """Merging is told as ours, and so is what the CRM made of the survivor."""
    first = house.person.add_contact("Анна")
    second = house.person.add_contact("Аня", phone="+79160000001")
    house.settle()
    house.advance(1)
    house.do(Write(Verb.MERGE, Kind.CONTACT, ref=first, others=(second,)))
    house.settle()
    assert house.told()[2:] == [
        ("ContactMerged", first.id, "by robot"),
        ("ContactUpdated", first.id, "phones", "by robot"),
    ]


def test_a_merge_taken_back_is_told_once_and_the_record_has_its_own_events_again(house: Any) -> None:
    """The loser came back under its own address: what people do to it is about it, not about the survivor."""
    first = house.person.add_contact("Анна")
    second = house.person.add_contact("Аня")
    house.settle()
    house.advance(1)
    house.do(Write(Verb.MERGE, Kind.CONTACT, ref=first, others=(second,)))
    house.settle()
    house.do(Write(Verb.MERGE, Kind.CONTACT, ref=first, others=(second,)))
    house.person.restore(second)
    house.settle()
    assert house.told()[3:] == []
    house.do(Write(Verb.READDRESS, Kind.CONTACT, ref=second, others=(second,)))
    house.settle()
    house.advance(1)
    house.person.change(second, {"name": "Анна Орлова"})
    house.settle()
    assert house.told()[3:] == [
        ("ContactUpdated", second.id, "is_deleted", "by robot"),
        ("ContactUpdated", second.id, "name"),
    ]


def test_a_record_made_anew_takes_over_what_is_told_of_the_old_one(house: Any) -> None:
    """The old address means the new record from then on."""
    first, second = (house.person.add_contact(name) for name in ("Анна", "Аня"))
    house.settle()
    house.do(Write(Verb.MERGE, Kind.CONTACT, ref=first, others=(second,)))
    third = house.person.add_contact("Аня")
    house.settle()
    house.do(Write(Verb.READDRESS, Kind.CONTACT, ref=second, others=(third,)))
    with house.service.database.read() as connection:
        assert follow(connection, second) == third


def test_an_own_link_is_not_echoed(house: Any) -> None:
    """A contact that we link to a deal is told once, from the deal's side."""
    contact = house.person.add_contact("Пётр")
    house.settle()
    house.advance(1)
    house.do(Write(Verb.LINK, Kind.CONTACT, ref=contact, others=(DEAL,)))
    house.settle()
    assert house.told()[1:] == [("DealUpdated", "1", "contacts", "by robot")]
    assert house.seen(DEAL).contacts == (contact,)


def test_an_own_link_reaches_the_side_that_is_mirrored(build: Any) -> None:
    """Only deals are mirrored: linking a contact with one is told as our change of the deal, and not as somebody's."""
    house = build(kinds=(Kind.DEAL,))
    contact, _ = house.crm.seed(Contact(name="Пётр"), Deal(title="старая"))
    house.start()
    house.do(Write(Verb.LINK, Kind.CONTACT, ref=contact, others=(DEAL,)))
    house.settle()
    assert house.told() == [("DealUpdated", "1", "contacts", "by robot")]


def test_an_own_note_is_told_once(house: Any) -> None:
    """A note of ours is told in our name, and not again by hook or feed."""
    note = house.do(Write(Verb.CREATE, Kind.NOTE, record=Note(text="заметка", about=DEAL)))
    house.settle()
    assert house.told() == [("NoteCreated", note.id, "by robot")]


def test_a_call_that_we_log_in_the_crm_is_not_told_again(house: Any) -> None:
    """A call keeps its identity: neither its own address nor a second note of it makes an event."""
    contact = house.person.add_contact("Пётр", phone="+79161234567")
    house.settle()
    call = Call(
        phone=Phone(raw="+79161234567", e164="+79161234567"),
        direction=Direction.IN,
        status=CallStatus.MISSED,
        started_at=house.clock.now(),
        contact=contact,
    )
    house.do(Write(Verb.CREATE, Kind.CALL, record=call))
    house.settle()
    house.advance(5)
    house.person.missed_call("+79161234567")
    house.settle()
    assert [one for one in house.told() if one[0] == "CallFinished"] == []


def test_what_a_vendors_extra_changed_is_ours(house: Any) -> None:
    """Fields that `extra` set in the vendor's own words are told in our name."""
    write = house.own(Write(Verb.UPDATE, Kind.DEAL, ref=DEAL, changes={}, extra={"name": "x"})).begin().send()
    state = house.world.account("acme")
    state.put(state.records[DEAL].model_copy(update={"title": "x"}))
    write.record()
    house.settle()
    assert house.told() == [("DealUpdated", "1", "title", "by robot")]


def test_what_the_crm_does_because_of_our_write_is_ours(house: Any) -> None:
    """A stage that we set closes the deal: outcome and closing time are told with it, in our name."""
    won = StageRef(pipeline_id="1", stage_id="won")
    house.update(DEAL, {"stage": won}).begin().send().record()
    house.settle()
    assert house.told() == [
        ("DealUpdated", "1", "closed_at,outcome,stage", "by robot"),
        ("DealStageChanged", "1", "new>won", "by robot"),
    ]


def test_answers_that_lag_behind_our_write_are_not_believed(house: Any) -> None:
    """The CRM still shows the old value after our write: nobody has changed it back."""
    state = house.world.account("acme")
    old = state.records[DEAL]
    write = house.update(DEAL, {"title": "наша"}).begin().send()
    write.record()
    fresh = state.records[DEAL]
    state.records[DEAL] = old
    house.deliver()
    house.look()
    state.records[DEAL] = fresh
    house.settle()
    assert house.told() == [("DealUpdated", "1", "title", "by robot")]
