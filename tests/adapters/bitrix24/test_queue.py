"""The portal's queue of offline events: what no list tells is told at least once, whoever dies in between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.bitrix24.access import application, doors

from crmkit import Capability, Kind, Level, Ref
from crmkit.adapter import Connection
from crmkit.testing.contract.bed import read_feed
from crmkit.webhook import Action, Hint
from crmkit_bitrix24 import Bitrix24Adapter
from crmkit_testing.bitrix24 import Bitrix24Side
from crmkit_testing.side import ACCOUNT


class Premises:
    """A running portal, and connections of an application in it."""

    def __init__(self, side: Bitrix24Side, folder: Path) -> None:
        self.side = side
        self.portal = side.portal
        self._doors = doors(side, folder)

    def open(self, user_id: int | None = None) -> Connection:
        """A connection that remembers nothing, of an application that a user has authorised."""
        return Bitrix24Adapter().open(application(self.side, user_id=user_id), self._doors)

    def begin(self, connection: Connection) -> str:
        """Where the feed stands before anything happens."""
        cursor = connection.feed(None).cursor
        self.side.turn(10)
        return cursor

    def offline(self) -> list[dict[str, Any]]:
        """The application's offline bindings."""
        return [handler for handler in self.portal.handlers if handler["offline"]]


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Premises]:
    side = Bitrix24Side()
    side.open()
    yield Premises(side, tmp_path)
    side.close()


def gone(kind: Kind, number: int | str) -> tuple[Ref, Action]:
    return Ref(ACCOUNT, kind, str(number)), Action.DELETED


def deletions(hints: list[Hint]) -> list[tuple[Ref, Action]]:
    return [(hint.ref, hint.action) for hint in hints if hint.action is Action.DELETED]


def test_what_was_thrown_away_is_told_once_and_cleared(there: Premises) -> None:
    """Deal, person, company, lead and to-do, though every event was lost; the queue is empty afterwards."""
    portal, connection = there.portal, there.open()
    deal, person, company = portal.add_deal(title="x"), portal.add_contact(name="И"), portal.add_company(title="О")
    lead, todo = portal.add_lead(title="Л"), portal.add_todo("deal", deal, "Позвонить")
    cursor = there.begin(connection)
    portal.delete_todo(todo, hooks=False)
    portal.delete_deal(deal, hooks=False)
    portal.delete_contact(person, hooks=False)
    portal.delete_company(company, hooks=False)
    portal.delete_lead(lead, hooks=False)
    hints, cursor = read_feed(connection, cursor)
    there.side.turn(10)
    again, _ = read_feed(connection, cursor)
    assert deletions(hints) == [
        gone(Kind.TASK, todo),
        gone(Kind.DEAL, deal),
        gone(Kind.CONTACT, person),
        gone(Kind.COMPANY, company),
        gone(Kind.LEAD, lead),
    ]
    assert (deletions(again), portal.offline_events) == ([], [])
    assert connection.supports(Capability.DELETION_FEED) is Level.NATIVE


def test_what_one_reader_took_and_never_stored_the_next_one_tells(there: Premises) -> None:
    """The first dies before its page is stored: the rows wait under its process, and are told from the old cursor."""
    portal, first = there.portal, there.open()
    deal = portal.add_deal(title="x")
    cursor = there.begin(first)
    portal.delete_deal(deal, hooks=False)
    lost = first.feed(cursor)
    found, after = read_feed(there.open(), cursor)
    read_feed(there.open(), after)
    assert (deletions(list(lost.hints)), deletions(found)) == ([gone(Kind.DEAL, deal)], [gone(Kind.DEAL, deal)])
    assert portal.offline_events == []


def test_what_happens_while_a_page_is_stored_is_told_by_the_next(there: Premises) -> None:
    """Clearing takes only the rows that were told."""
    portal, connection = there.portal, there.open()
    one, two = portal.add_deal(title="x"), portal.add_deal(title="y")
    cursor = there.begin(connection)
    portal.delete_deal(one)
    page = connection.feed(cursor)
    portal.delete_deal(two)
    hints, _ = read_feed(connection, page.cursor)
    assert deletions(list(page.hints)) == [gone(Kind.DEAL, one)]
    assert deletions(hints) == [gone(Kind.DEAL, two)]


def test_more_deletions_than_a_page_are_all_told(there: Premises) -> None:
    """A hundred and twenty, of which one reader took fifty and died."""
    portal, connection = there.portal, there.open()
    deals = list(portal.bulk_deals(120))
    cursor = there.begin(connection)
    for deal in deals:
        portal.delete_deal(deal, hooks=False)
    there.open().feed(cursor)
    hints, _ = read_feed(connection, cursor)
    assert sorted(set(deletions(hints))) == sorted(gone(Kind.DEAL, deal) for deal in deals)


def test_remarks_and_tasks_of_the_tasks_module_are_told(there: Premises) -> None:
    """No list holds their changes."""
    portal, connection = there.portal, there.open()
    deal, task = portal.add_deal(title="x"), portal.add_task("Старая", owner=1)
    cursor = there.begin(connection)
    comment = portal.add_comment("deal", deal, "Звонил", hooks=False)
    portal.delete_task(task, hooks=False)
    hints, _ = read_feed(connection, cursor)
    told = [(hint.ref, hint.action) for hint in hints]
    assert (Ref(ACCOUNT, Kind.NOTE, str(comment)), Action.ADDED) in told
    assert gone(Kind.TASK, f"task.{task}") in told


def test_a_plan_without_confirmation_goes_without_the_queue(there: Premises) -> None:
    """Nothing is bound, deletions are said to be untold, and the feed tells the rest."""
    portal, connection = there.portal, there.open()
    portal.confirms_offline = False
    cursor = there.begin(connection)
    deal = portal.add_deal(title="x")
    hints, _ = read_feed(connection, cursor)
    assert (connection.supports(Capability.DELETION_FEED), there.offline()) == (Level.ABSENT, [])
    assert Ref(ACCOUNT, Kind.DEAL, str(deal)) in {hint.ref for hint in hints}


def test_an_application_of_no_administrator_goes_without_the_queue(there: Premises) -> None:
    """The portal lets administrators alone bind offline events."""
    clerk = next(user["id"] for user in there.portal.users if not user["is_admin"])
    connection = there.open(clerk)
    there.begin(connection)
    assert (connection.supports(Capability.DELETION_FEED), there.offline()) == (Level.ABSENT, [])


def test_bindings_that_an_update_took_away_are_made_again(there: Premises) -> None:
    """Looked at every ten minutes, bound once each."""
    connection = there.open()
    cursor = there.begin(connection)
    events = sorted(handler["event"] for handler in there.offline())
    there.portal.portal.shelves["handlers"].clear()
    _, cursor = read_feed(connection, cursor)
    soon = there.offline()
    there.side.turn(600)
    read_feed(connection, cursor)
    assert (len(events), len(set(events)), soon) == (12, 12, [])
    assert sorted(handler["event"] for handler in there.offline()) == events


def test_two_who_bind_at_once_both_have_the_queue(there: Premises) -> None:
    """The second finds everything bound already, which closes nothing to it."""
    first, second = there.open(), there.open()
    before = first.supports(Capability.DELETION_FEED)
    there.begin(second)
    cursor = there.begin(first)
    deal = there.portal.add_deal(title="x")
    there.portal.delete_deal(deal)
    hints, _ = read_feed(first, cursor)

    assert (before, first.supports(Capability.DELETION_FEED)) == (Level.NATIVE, Level.NATIVE)
    assert deletions(hints) == [gone(Kind.DEAL, deal)]
    assert len(there.offline()) == 12


def test_a_row_that_names_no_record_is_set_aside(there: Premises) -> None:
    """It is marked as an error, where the portal's people see it, and does not come again; the others are told."""
    portal, connection = there.portal, there.open()
    deal = portal.add_deal(title="x")
    cursor = there.begin(connection)
    portal.event_sender.emit("ONCRMDEALDELETE", {}, "nothing")
    portal.delete_deal(deal)
    hints, cursor = read_feed(connection, cursor)
    read_feed(connection, cursor)
    assert deletions(hints) == [gone(Kind.DEAL, deal)]
    assert [(row["EVENT_DATA"], row["error"]) for row in portal.offline_events] == [(False, 1)]


def test_a_queue_that_closes_leaves_the_feed_open(there: Premises) -> None:
    """The plan ends between two readings: the lists are read on, and deletions are said to be untold."""
    portal, connection = there.portal, there.open()
    cursor = there.begin(connection)
    portal.confirms_offline = False
    deal = portal.add_deal(title="x")
    hints, _ = read_feed(connection, cursor)
    assert Ref(ACCOUNT, Kind.DEAL, str(deal)) in {hint.ref for hint in hints}
    assert connection.supports(Capability.DELETION_FEED) is Level.ABSENT
