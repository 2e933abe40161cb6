"""What people change in a CRM becomes events: each change once, no noise, no echo of the past."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from crmkit.errors import NotFound, Rejected, VendorDown
from crmkit.events import CallFinished
from crmkit.models import Call, CallStatus, Contact, Deal, Direction, Note, Phone, Task
from crmkit.testing.faults import Reading
from crmkit.values import Kind, Ref
from crmkit.webhook import Action, Hint, Origin
from crmkit_runtime import calls, cursor, mirror
from crmkit_runtime.hints import store as store_hints

DEAL = Ref("acme", Kind.DEAL, "1")


def test_a_change_is_told_with_before_and_after(house: Any) -> None:
    """A changed deal is told once, with what it was, what it is and what differs."""
    before = house.seen(DEAL)
    house.person.change(DEAL, {"title": "новая", "owner_id": "2"})
    house.settle()
    assert house.told() == [("DealUpdated", "1", "owner_id,title"), ("DealOwnerChanged", "1")]
    updated, owner = house.events()
    assert (updated.before, updated.deal) == (before, house.truth(DEAL))
    assert (owner.before, owner.after) == ("1", "2")
    assert house.seen(DEAL) == house.truth(DEAL)
    assert house.hints() == 0


def test_noise_makes_no_event(house: Any) -> None:
    """A hook for a record whose content is the same tells nobody, and leaves the copy's version."""
    house.person.touch(DEAL)
    house.settle()
    with house.service.database.read() as connection:
        assert (house.told(), mirror.version(connection, DEAL)) == ([], 1)


def test_the_same_delivery_a_hundred_times_is_one_event(house: Any) -> None:
    """Repeated hooks, before and after the look, make one event and one request for the record each round."""
    house.person.change(DEAL, {"title": "новая"})
    house.deliver(times=100)
    loads = house.world.count(Reading.LOAD)
    house.look()
    assert house.world.count(Reading.LOAD) == loads + 1
    with house.service.database.write() as tx:
        store_hints(tx, house.service, "acme", [Hint(DEAL)] * 3, origin=Origin.HOOK, delivery_id="again")
    house.settle()
    assert house.told() == [("DealUpdated", "1", "title")]


def test_what_is_made_after_connecting_is_created_once(house: Any) -> None:
    """A new contact and a new task are told as created, by hook and feed together once each."""
    contact = house.person.add_contact("Пётр", phone="+79161234567")
    task = house.person.add_task("Позвонить", about=contact)
    house.settle()
    house.settle()
    assert house.told() == [("ContactCreated", contact.id), ("TaskCreated", task.id)]
    assert house.events()[0].contact == house.truth(contact)


def test_a_done_task_is_told_as_done(house: Any) -> None:
    """A task that a person completes is told as changed and as completed."""
    task = house.person.add_task("Позвонить")
    house.settle()
    house.advance(1)
    house.person.complete(task, "дозвонился")
    house.settle()
    assert house.told()[1:] == [("TaskUpdated", task.id, "is_done,result"), ("TaskCompleted", task.id)]


def test_lost_hooks_are_found_by_the_feed_and_counted(house: Any) -> None:
    """A change whose hook was lost comes from the feed; the number of such changes is kept."""
    house.person.change(DEAL, {"title": "молча"}, hooks=False)
    house.settle()
    house.advance(1)
    house.person.change(DEAL, {"title": "громко"})
    house.settle()
    assert house.told() == [("DealUpdated", "1", "title"), ("DealUpdated", "1", "title")]
    with house.service.database.read() as connection:
        assert cursor.feed_only(connection, "acme") == 1


def test_a_hook_that_was_only_late_is_not_counted_as_lost(house: Any) -> None:
    """When the hook comes after the feed has told of the change, it was late: the count goes back."""
    house.person.change(DEAL, {"title": "поздно"})
    house.sweep.step()
    house.look()
    house.deliver()
    house.look()
    assert house.told() == [("DealUpdated", "1", "title")]
    with house.service.database.read() as connection:
        assert cursor.feed_only(connection, "acme") == 0


def test_feed_rows_read_twice_are_one_change(house: Any) -> None:
    """An overlap of the feed repeats rows: changes and moves are told once."""
    house.world.feed_overlap = 10
    house.person.move_deal(DEAL, "talks", hooks=False)
    house.person.change(DEAL, {"title": "новая"}, hooks=False)
    house.settle()
    house.advance(1)
    house.settle()
    assert house.told() == [("DealUpdated", "1", "stage,title"), ("DealStageChanged", "1", "new>talks")]


def test_a_deleted_record_is_told_with_what_it_was(house: Any) -> None:
    """A deletion is told once, with the last copy; a later hint about it tells nothing."""
    before = house.seen(DEAL)
    house.person.delete(DEAL)
    house.settle()
    with house.service.database.write() as tx:
        store_hints(tx, house.service, "acme", [Hint(DEAL)], origin=Origin.HOOK, delivery_id="late")
    house.settle()
    assert house.told() == [("DealDeleted", "1")]
    assert house.events()[0].before == before
    assert house.seen(DEAL) is None


def test_a_record_that_was_never_seen_goes_silently(house: Any) -> None:
    """A record that came and went between two looks makes no event."""
    contact = house.person.add_contact("Мимо")
    house.person.delete(contact)
    house.settle()
    assert house.told() == []


def test_a_restored_record_is_told_as_changed(house: Any) -> None:
    """What comes back from the trash is no new record: `is_deleted` is among what changed."""
    house.person.delete(DEAL)
    house.settle()
    house.advance(1)
    house.person.restore(DEAL)
    house.settle()
    house.advance(1)
    house.person.delete(DEAL)
    house.settle()
    assert house.told() == [("DealDeleted", "1"), ("DealUpdated", "1", "is_deleted"), ("DealDeleted", "1")]


def test_a_merge_is_told_as_one(house: Any) -> None:
    """The loser's deletion is a merge: its copy comes along, its address means the survivor from now on."""
    survivor, loser = house.person.add_contact("Анна"), house.person.add_contact("Аня", phone="+79160000001")
    house.settle()
    house.advance(1)
    before = house.seen(loser)
    house.person.merge(survivor, loser)
    house.settle()
    assert house.told()[2:] == [("ContactMerged", survivor.id), ("ContactUpdated", survivor.id, "phones")]
    merged = house.events()[2]
    assert (merged.ref, merged.loser, merged.before) == (survivor, loser, before)
    with house.service.database.read() as connection:
        assert mirror.survivor_of(connection, loser) == survivor


def test_the_loser_of_two_merges_means_the_last_survivor(house: Any) -> None:
    """A chain of merges leads to whoever is left."""
    first, second, third = (house.person.add_contact(name) for name in ("А", "Б", "В"))
    house.settle()
    house.person.merge(second, first)
    house.settle()
    house.person.merge(third, second)
    house.settle()
    with house.service.database.read() as connection:
        assert [mirror.survivor_of(connection, ref) for ref in (first, second, third)] == [third, third, None]


def test_a_note_is_told_once(house: Any) -> None:
    """A note is told when it is written; what is changed of it later is no event."""
    note = house.person.add(Note(text="важно", about=DEAL))
    house.settle()
    house.advance(1)
    house.person.change(note, {"text": "очень важно"})
    house.settle()
    assert house.told() == [("NoteCreated", note.id)]


def test_a_call_in_the_crm_is_told_once(house: Any) -> None:
    """The CRM's own call makes one event, however often hooks and feed name it."""
    house.person.add_contact("Пётр", phone="+79161234567")
    call = house.person.missed_call("+79161234567")
    house.deliver(times=3)
    house.settle()
    assert ("CallFinished", call.id) in house.told()
    assert [one for one in house.told() if one[0] == "CallFinished"] == [("CallFinished", call.id)]


def test_a_call_of_a_telephony_and_of_the_crm_is_one(house: Any) -> None:
    """The CRM's note of a call that a telephony told of is no second event; a second call of the client is."""
    phone = Phone(raw="8 916 123-45-67")
    started = house.clock.now()
    fact = Call(phone=phone, direction=Direction.IN, status=CallStatus.MISSED, started_at=started)
    with house.service.database.write() as tx:
        assert calls.is_news(tx, "acme", fact, key="ringostat:1:end", teller="ringostat")
        assert calls.is_news(tx, "acme", fact, key="ringostat:1:end", teller="ringostat")
    house.advance(50)
    house.person.add_contact("Пётр", phone="+79161234567")
    house.person.missed_call("+79161234567")
    house.advance(10)
    second = house.person.missed_call("+79161234567")
    house.settle()
    assert [one for one in house.told() if one[0] == "CallFinished"] == [("CallFinished", second.id)]


def test_a_telephony_that_tells_later_than_the_crm_is_no_news(house: Any) -> None:
    """The order does not matter: who tells second is not news."""
    call = Call(phone=Phone(raw="+79161234567"), direction=Direction.OUT, started_at=house.clock.now())
    later = call.model_copy(update={"started_at": house.clock.now() + timedelta(seconds=119)})
    other = call.model_copy(update={"direction": Direction.IN})
    with house.service.database.write() as tx:
        told = [
            calls.is_news(tx, "acme", one, key=key, teller=teller)
            for one, key, teller in (
                (call, "acme/call:1", calls.CRM),
                (later, "mango:1", "mango"),
                (later, "mango:2", "mango"),
                (other, "mango:3", "mango"),
            )
        ]
    assert told == [True, False, True, True]


def test_a_call_that_we_log_hides_no_second_call(house: Any) -> None:
    """Two calls of one client within two minutes are two events, though an extension logs each in between."""
    call = Call(phone=Phone(raw="+79161234567"), direction=Direction.IN, started_at=house.clock.now())
    again = call.model_copy(update={"started_at": house.clock.now() + timedelta(seconds=40)})
    with house.service.database.write() as tx:
        told = [
            calls.is_news(tx, "acme", one, key=key, teller=teller)
            for one, key, teller in (
                (call, "mango:1", "mango"),
                (call, "acme/call:1", calls.OWN_LOG),
                (again, "mango:2", "mango"),
                (again, "acme/call:2", calls.OWN_LOG),
                (call, "acme/call:1", calls.CRM),
                (again, "acme/call:2", calls.CRM),
                (again, "acme/call:3", calls.CRM),
            )
        ]
    assert told == [True, False, True, False, False, False, False]


def test_a_call_that_only_we_logged_is_no_news_of_a_late_telephony(house: Any) -> None:
    """Logged from somewhere else, the call is known when the telephony's own delivery comes."""
    call = Call(phone=Phone(raw="+79161234567"), direction=Direction.IN, started_at=house.clock.now())
    with house.service.database.write() as tx:
        told = [
            calls.is_news(tx, "acme", call, key=key, teller=teller)
            for key, teller in (("acme/call:1", calls.OWN_LOG), ("mango:1", "mango"), ("mango:2", "mango"))
        ]
    assert told == [False, False, True]


def test_a_fact_of_a_call_that_the_crm_told_first_is_held_back(house: Any) -> None:
    """What ingest asks before it publishes: the CRM's note was first, so the telephony's fact is no event."""
    house.person.add_contact("Пётр", phone="+79161234567")
    house.person.missed_call("+79161234567")
    house.settle()
    noted = next(one for one in house.events() if isinstance(one, CallFinished))
    call = noted.call.model_copy(update={"ref": Ref("acme", Kind.CALL, "ringostat:7"), "provider": "ringostat"})
    fact = CallFinished(ref=call.ref, occurred_at=house.clock.now(), call=call)
    with house.service.database.write() as tx:
        assert calls.is_told(tx, fact, key="ringostat:7:end")
        assert not calls.is_told(tx, fact, key="ringostat:8:end")


def test_an_anonymous_call_is_always_news(house: Any) -> None:
    """Without a number nothing can be matched: every telling counts."""
    call = Call(direction=Direction.IN, started_at=house.clock.now())
    with house.service.database.write() as tx:
        assert [calls.is_news(tx, "acme", call, key=key, teller=key) for key in ("a", "b")] == [True, True]


def test_kinds_that_nobody_asked_for_are_dropped_at_the_door(build: Any) -> None:
    """Hints of kinds that no extension declares are not stored."""
    house = build(kinds=(Kind.DEAL,))
    house.start()
    house.person.add_contact("Пётр")
    house.deliver()
    assert house.hints() == 0


def test_two_accounts_with_equal_ids_never_mix(build: Any) -> None:
    """The same id in two accounts is two records: a change of one is told of that one only."""
    first, second = build("acme", accounts=("acme", "beta")), build("beta", accounts=("acme", "beta"))
    for one in (first, second):
        one.crm.seed(Contact(name="Пётр"))
        one.start()
    ref = Ref("acme", Kind.CONTACT, "1")
    first.person.change(ref, {"name": "Павел"})
    for one in (first, second):
        one.settle()
    assert (first.told(), second.told()) == ([("ContactUpdated", "1", "name")], [])
    assert second.seen(Ref("beta", Kind.CONTACT, "1")).name == "Пётр"


def test_an_account_that_is_down_keeps_its_hints(house: Any) -> None:
    """While the CRM gives no answer the hints stay; afterwards each change is told."""
    house.person.change(DEAL, {"title": "новая"})
    house.deliver()
    house.world.down()
    try:
        house.observer.step()
    except VendorDown:
        pass
    else:
        raise AssertionError("the observer swallowed that the CRM is away")
    house.world.heal()
    house.settle()
    assert house.told() == [("DealUpdated", "1", "title")]


def test_one_record_that_the_crm_refuses_does_not_stop_the_others(house: Any) -> None:
    """When the CRM refuses a batch because of one record, the others are seen at once and that one later."""
    good = [house.person.add_contact(f"Контакт {number}") for number in range(5)]
    bad = good[2]
    refusal = Rejected("no rights", account="acme", ref=str(bad))

    def refuse(asked: Any) -> None:
        if asked.verb is Reading.LOAD and bad in asked.refs:
            raise refusal

    house.world.on_request = refuse
    house.deliver()
    house.look()
    assert house.told() == [("ContactCreated", ref.id) for ref in good if ref != bad]
    house.world.on_request = None
    house.settle()
    assert house.told()[4:] == [("ContactCreated", bad.id)]


def test_a_record_that_is_suddenly_missing_is_looked_for_twice(house: Any) -> None:
    """Without a word of a deletion, a record that is not in one answer is asked for again before it counts as gone."""
    contact = house.person.add_contact("Пётр")
    house.settle()
    state = house.world.account("acme")
    hidden = state.records.pop(contact)
    house.advance(1)
    with house.service.database.write() as tx:
        store_hints(tx, house.service, "acme", [Hint(contact)], origin=Origin.HOOK, delivery_id="x")
    house.look()
    state.records[contact] = hidden
    house.settle()
    assert house.told() == [("ContactCreated", contact.id)]


def test_an_answer_older_than_the_copy_is_not_believed(house: Any) -> None:
    """A CRM that answers from a copy of its own that lags behind does not turn time back."""
    state = house.world.account("acme")
    old = state.records[DEAL]
    house.person.change(DEAL, {"title": "новая"})
    house.settle()
    fresh = state.records[DEAL]
    state.records[DEAL] = old
    with house.service.database.write() as tx:
        store_hints(tx, house.service, "acme", [Hint(DEAL, Action.CHANGED)], origin=Origin.HOOK, delivery_id="x")
    house.look()
    state.records[DEAL] = fresh
    house.settle()
    assert house.told() == [("DealUpdated", "1", "title")]


def test_events_hold_no_vendor_bodies(house: Any) -> None:
    """The vendor's body stays in the mirror; events carry records without it."""
    house.person.change(DEAL, {"title": "новая"})
    house.settle()
    event = house.events()[0]
    assert (event.before.raw, event.deal.raw) == ({}, {})


def test_a_task_about_a_gone_deal_is_still_told(house: Any) -> None:
    """Records stand on their own: a task whose deal is gone is a task."""
    task = house.person.add(Task(text="Позвонить", about=DEAL))
    house.person.delete(DEAL)
    house.settle()
    assert sorted(house.told()) == [("DealDeleted", "1"), ("TaskCreated", task.id)]


def test_a_deal_that_was_not_found_by_name_is_no_error(house: Any) -> None:
    """NotFound for one record of a batch is that record's matter."""
    deal = house.person.add(Deal(title="вторая"))
    house.world.fail_next(NotFound("gone", account="acme"), 1, Reading.LOAD)
    house.deliver()
    house.look()
    house.settle()
    assert house.told() == [("DealCreated", deal.id)]
