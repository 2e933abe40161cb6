"""The first load: everything enters silently, what changes meanwhile is told, and a restart goes on."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from crmkit.errors import RateLimited, Rejected, VendorDown
from crmkit.http import Urgency
from crmkit.models import Contact, Deal, StageRef, Task
from crmkit.testing.faults import Reading
from crmkit.testing.memory import MemoryAdapter
from crmkit.values import Kind, Ref
from crmkit_runtime import cursor, mirror
from crmkit_runtime.baseline import Baseline

DEAL = Ref("acme", Kind.DEAL, "1")
NEW = StageRef(pipeline_id="1", stage_id="new")


def load(house: Any) -> None:
    """Load whatever is left."""
    while not house.baseline.step():
        pass


def count(house: Any, kind: Kind) -> int:
    """How many copies of a kind there are."""
    with house.service.database.read() as connection:
        return mirror.count(connection, house.key, kind)


def test_what_was_there_before_us_enters_silently(build: Any) -> None:
    """Old records make no event, and can be read without asking the CRM."""
    house = build()
    refs = house.crm.seed(Contact(name="Пётр"), Deal(title="старая"), Task(text="дело"))
    house.start()
    house.settle()
    assert house.told() == []
    assert [house.seen(ref) for ref in refs] == [house.truth(ref) for ref in refs]


def test_the_first_load_stands_in_the_bulk_queue(build: Any) -> None:
    """Pages are asked for in the class that yields to handlers; notes and calls are not loaded at all."""
    house = build()
    house.crm.seed(Deal(title="старая"))
    house.start()
    pages = [asked for asked in house.world.asked if asked.verb is Reading.PAGES]
    assert {asked.urgency for asked in pages} == {Urgency.BULK}
    assert {asked.kind for asked in pages} == {Kind.CONTACT, Kind.COMPANY, Kind.DEAL, Kind.LEAD, Kind.TASK}


def test_every_change_since_connecting_is_told_once_while_20_000_deals_load(build: Any) -> None:
    """Hooks pour in during the first load: touched deals are told once each, the rest never; a restart goes on."""
    house = build(kinds=(Kind.DEAL,))
    house.world.page_size = 250
    refs = house.crm.seed(*(Deal(title=f"Сделка {number}", stage=NEW) for number in range(20_000)))
    house.observer.step()
    house.advance(1)
    chance = random.Random(7)
    touched: dict[Ref, int] = {}
    made: list[Ref] = []
    for step in range(40):
        house.baseline.step()
        for ref in chance.sample(refs, 5):
            house.person.change(ref, {"title": f"{ref.id} на шаге {step}"}, hooks=chance.random() < 0.7)
            touched[ref] = touched.get(ref, 0) + 1
        made.append(house.person.add_deal(f"новая {step}", hooks=chance.random() < 0.7))
        house.deliver(times=2)
        house.look()
        house.advance(1)
    assert 0 < count(house, Kind.DEAL) < 20_000
    house.service.close()

    again = build(kinds=(Kind.DEAL,))
    asked = again.world.count(Reading.PAGES)
    load(again)
    again.settle()
    assert again.world.count(Reading.PAGES) - asked <= 43
    told = again.told()
    assert sorted(ref.id for ref in made) == sorted(one[1] for one in told if one[0] == "DealCreated")
    changed = [one for one in told if one[0] == "DealUpdated"]
    assert {one[1] for one in changed} == {ref.id for ref in touched}
    assert all(sum(one[1] == ref.id for one in changed) <= times for ref, times in touched.items())
    assert len(told) == len(made) + len(changed)
    assert all(again.seen(ref) == again.truth(ref) for ref in (*touched, *made))
    assert count(again, Kind.DEAL) == 20_040


def test_a_hook_before_the_first_load_reaches_the_record_tells_the_change_once(build: Any) -> None:
    """Seen through its hook, the record is left alone by the load that comes to it later."""
    house = build()
    house.crm.seed(Deal(title="старая"))
    house.observer.step()
    house.advance(1)
    house.person.change(DEAL, {"title": "новая"})
    house.deliver()
    house.look()
    load(house)
    house.settle()
    updated = house.events()
    assert [(type(one).__name__, one.before, one.deal) for one in updated] == [("DealUpdated", None, house.truth(DEAL))]


def test_a_hook_after_the_first_load_reached_the_record_tells_the_difference(build: Any) -> None:
    """Loaded silently first, the change is told with what it was before."""
    house = build()
    house.crm.seed(Deal(title="старая"))
    house.observer.step()
    house.advance(1)
    load(house)
    house.person.change(DEAL, {"title": "новая"})
    house.settle()
    assert house.told() == [("DealUpdated", "1", "title")]
    assert house.events()[0].before.title == "старая"


def test_a_change_that_only_the_first_load_found_is_told(build: Any) -> None:
    """Neither hook nor feed told of it: the page shows that it changed since we connected."""
    house = build()
    house.crm.seed(Deal(title="старая"))
    house.observer.step()
    house.advance(1)
    house.person.change(DEAL, {"title": "новая"}, hooks=False)
    house.world.account("acme").feed.clear()
    load(house)
    house.look()
    assert [one[:2] for one in house.told()] == [("DealUpdated", "1")]


def test_a_record_made_while_the_first_load_runs_is_created(build: Any) -> None:
    """Whatever shows it first, the load or its hook, a new record is told as created once."""
    house = build()
    house.crm.seed(Deal(title="старая"))
    house.observer.step()
    house.advance(1)
    first = house.person.add_deal("по хуку")
    house.deliver()
    house.look()
    second = house.person.add_deal("по странице", hooks=False)
    load(house)
    house.look()
    house.settle()
    assert house.told() == [("DealCreated", first.id), ("DealCreated", second.id)]


def test_a_page_that_fails_is_asked_for_again(build: Any) -> None:
    """An error of the CRM reaches whoever runs the load; the next step goes on at the same page."""
    house = build(kinds=(Kind.DEAL,))
    house.world.page_size = 10
    house.crm.seed(*(Deal(title=f"{number}") for number in range(35)))
    house.baseline.step()
    house.world.fail_next(VendorDown("away"), 1, Reading.PAGES)
    house.world.fail_next(RateLimited("slower"), 1, Reading.PAGES)
    for error in (VendorDown, RateLimited):
        with pytest.raises(error):
            house.baseline.step()
    load(house)
    house.settle()
    assert (count(house, Kind.DEAL), house.told()) == (35, [])


def test_a_kind_that_the_account_may_not_read_does_not_stop_the_others(build: Any, caplog: Any) -> None:
    """The CRM refuses one kind: it is named in the log, the rest is loaded, and the next start tries it again."""
    house = build()
    house.crm.seed(Contact(name="Пётр"), Deal(title="старая"))
    house.world.fail_next(Rejected("no rights", status=403), 1, Reading.PAGES, Kind.DEAL)
    house.start()
    assert [count(house, kind) for kind in (Kind.CONTACT, Kind.DEAL)] == [1, 0]
    assert "account acme: deal is not loaded: no rights" in caplog.text
    load(build())
    assert count(house, Kind.DEAL) == 1


def test_a_kind_that_is_added_later_is_loaded_later_and_silently(build: Any) -> None:
    """A new extension asks for contacts: what happened to them before that is nobody's news."""
    house = build(kinds=(Kind.DEAL,))
    house.crm.seed(Contact(name="Пётр"), Deal(title="старая"))
    house.start()
    contact = Ref("acme", Kind.CONTACT, "1")
    house.person.change(contact, {"name": "Павел"})
    house.settle()
    house.advance(3600)
    house.service.close()
    later = build(kinds=(Kind.DEAL, Kind.CONTACT))
    later.start()
    later.settle()
    assert (later.told(), later.seen(contact)) == ([], later.truth(contact))
    later.person.change(contact, {"name": "Прохор"})
    later.settle()
    assert later.told() == [("ContactUpdated", "1", "name")]


def test_the_moment_of_connecting_outlives_a_restart(build: Any) -> None:
    """What changed while we were away is found by the feed and told once."""
    house = build()
    house.crm.seed(Deal(title="старая", stage=NEW))
    house.start()
    house.service.close()
    house.person.change(DEAL, {"title": "новая"}, hooks=False)
    house.person.move_deal(DEAL, "talks", hooks=False)
    again = build()
    again.advance(3600)
    load(again)
    again.settle()
    assert again.told() == [("DealUpdated", "1", "stage,title"), ("DealStageChanged", "1", "new>talks")]


class Renamed(MemoryAdapter):
    """The next release of an adapter: it reads titles in another way."""

    def translate(self, kind: Any, raw: Any, account: Any) -> Any:
        """Titles are capitals now."""
        record = super().translate(kind, raw, account)
        return record.model_copy(update={"title": record.title.upper()}) if isinstance(record, Deal) else record

    def open(self, settings: Any, doors: Any) -> Any:
        """Loaded records are read the same way as stored ones."""
        connection = super().open(settings, doors)
        plain = connection.load

        def load(refs: Any) -> Any:
            return [
                self.translate(one.ref.kind, one.raw, connection.account()).model_copy(update={"raw": one.raw})
                for one in plain(refs)
            ]

        vars(connection)["load"] = load
        return connection


@pytest.mark.parametrize("loads_first", [True, False])
def test_an_upgrade_of_the_adapter_fires_nothing(build: Any, loads_first: Any) -> None:
    """New rules of translation change every copy: nobody is told, whether a hook or the background comes first."""
    house = build()
    house.crm.seed(Deal(title="первая", stage=NEW), Deal(title="вторая", stage=NEW))
    house.start()
    house.update(DEAL, {"owner_id": "2"}).begin().send().record()
    events = house.told()
    house.service.close()
    adapter = Renamed(house.world, translator_version=2)
    later = build(adapter=adapter)
    if loads_first:
        load(later)
        assert later.seen(Ref("acme", Kind.DEAL, "2")).title == "ВТОРАЯ"
    later.person.touch(Ref("acme", Kind.DEAL, "1"))
    later.person.touch(Ref("acme", Kind.DEAL, "2"))
    later.settle()
    load(later)
    assert later.told() == events
    assert [later.seen(Ref("acme", Kind.DEAL, id_)).title for id_ in ("1", "2")] == ["ПЕРВАЯ", "ВТОРАЯ"]
    later.advance(1)
    later.person.change(Ref("acme", Kind.DEAL, "2"), {"title": "третья"})
    later.settle()
    assert later.events()[-1].before.title == "ВТОРАЯ"


def test_hooks_are_asked_for_after_the_moment_of_connecting_and_looked_after(build: Any) -> None:
    """The subscription is made once, kept, revived; an account without rights for it lives by its feed."""
    house = build(public_url="https://crm.example.com")
    house.sweep.step()
    asked = [one.verb for one in house.world.asked]
    assert asked.index(Reading.FEED) < asked.index(Reading.HOOKS)
    state: Any = house.world.account("acme")
    assert state.subscription == house.service.hook_url("acme", "memory")
    state.is_subscription_enabled = False
    house.sweep.step()
    assert not state.is_subscription_enabled
    house.advance(601)
    house.sweep.step()
    assert state.is_subscription_enabled
    house.world.fail_next(Rejected("no rights", status=403), 1, Reading.HOOKS)
    house.advance(601)
    house.person.add_contact("Пётр", hooks=False)
    assert house.sweep.step() == 1


def test_a_long_absence_is_read_page_by_page(build: Any) -> None:
    """Pages of the feed are stored with their cursor: a break in the middle loses and repeats nothing."""
    house = build()
    house.start()
    house.world.page_size = 5
    refs = [house.person.add_contact(f"Контакт {number}", hooks=False) for number in range(23)]
    house.advance(timedelta(days=2).total_seconds())
    house.world.fail_next(VendorDown("away"), 1, Reading.FEED)
    with pytest.raises(VendorDown):
        house.sweep.step()
    house.settle()
    assert house.told() == [("ContactCreated", ref.id) for ref in refs]
    with house.service.database.read() as connection:
        assert cursor.feed_only(connection, "acme") == 23


def test_two_loads_at_once_do_no_harm(build: Any) -> None:
    """Two processes that load the same account keep each record once."""
    house = build(kinds=(Kind.DEAL,))
    house.world.page_size = 10
    house.crm.seed(*(Deal(title=f"{number}") for number in range(30)))
    other = Baseline(house.service, "acme")
    while not (house.baseline.step() & other.step()):
        pass
    house.settle()
    assert (count(house, Kind.DEAL), house.told()) == (30, [])
