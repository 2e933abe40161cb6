"""In how few requests things are read and written, and that several at a time change nothing else."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.adapters.bitrix24.access import application, connected, webhook

from crmkit import Crm, Kind, Ref
from crmkit.adapter import Doors
from crmkit.errors import NotFound
from crmkit.http import LocalLimiter, RateLimit, Urgency
from crmkit.models import Note, Task
from crmkit.tokens import FileTokenStore
from crmkit.write import Verb, Write
from crmkit_bitrix24 import Bitrix24Adapter
from crmkit_bitrix24.adapter import Bitrix24Connection
from crmkit_sandbox.bitrix24.bucket import LeakyBucket
from crmkit_testing.bitrix24 import Bitrix24Side
from crmkit_testing.side import ACCOUNT

DUE = datetime(2026, 3, 3, 9, tzinfo=UTC)


class Meeting(LocalLimiter):
    """A limiter that lets the first calls pass only once so many of them stand before it."""

    def __init__(self, together: int) -> None:
        super().__init__()
        self._left = together
        self._meet = threading.Barrier(together, timeout=10)
        self._lock = threading.Lock()

    def wait(self, limits: Sequence[RateLimit], urgency: Urgency) -> None:
        with self._lock:
            self._left -= 1
            waits = self._left >= 0
        if waits:
            self._meet.wait()
        super().wait(limits, urgency)


def unhurried(side: Bitrix24Side, folder: Path, limiter: LocalLimiter | None = None) -> Bitrix24Connection:
    """A new connection to the portal by its webhook."""
    return Bitrix24Adapter().open(
        webhook(side), Doors(tokens=FileTokenStore(folder), limiter=limiter or LocalLimiter())
    )


def opened(side: Bitrix24Side, folder: Path, limiter: LocalLimiter | None = None) -> Crm:
    """The portal by a new connection."""
    return Crm(unhurried(side, folder, limiter))


def test_people_by_id_come_in_the_batches_of_their_lists(side: Bitrix24Side, tmp_path: Path) -> None:
    """5,000 contacts are a hundred lists; what their translation needs is asked along with them."""
    ids = side.portal.bulk_contacts(5000)
    crm = opened(side, tmp_path)
    found = crm.contacts.get_many([crm.ref(Kind.CONTACT, one) for one in ids])
    assert [ref.id for ref in found] == [str(one) for one in ids]
    assert side.requests() == 3


def test_one_record_by_a_new_connection_takes_one_request(side: Bitrix24Side, tmp_path: Path) -> None:
    """Its body, the account and the fields in one batch; the second record is a plain call."""
    first, second = side.portal.bulk_contacts(2)
    crm = opened(side, tmp_path)
    assert crm.contacts.get(crm.ref(Kind.CONTACT, first)).last_name == "0"
    assert side.requests() == 1
    assert crm.contacts.get(crm.ref(Kind.CONTACT, second)).last_name == "1"
    assert side.requests() == 2


def test_companies_bring_their_cards_in_few_requests(side: Bitrix24Side, tmp_path: Path) -> None:
    """Requisites and people of 120 companies come by lists of fifty owners, in batches; only full lists go on."""
    crm = opened(side, tmp_path)
    made = [side.portal.add_company(TITLE=f"Окна {number}", hooks=False) for number in range(120)]
    people = [
        side.portal.add_contact(NAME=f"Лицо {number}", COMPANY_ID=company, hooks=False)
        for number, company in enumerate(made)
    ]
    side.portal.reset_requests()
    found = {company.ref.id: company.contacts for company in crm.companies.iterate()}
    expected = {str(company): (crm.ref(Kind.CONTACT, person),) for company, person in zip(made, people, strict=True)}
    assert {key: found[key] for key in expected} == expected
    assert side.requests() == 6


def test_new_deals_and_lost_ones_leave_the_walk_whole(side: Bitrix24Side, tmp_path: Path) -> None:
    """While 9,000 deals are walked over, others delete and create."""
    ids = list(side.portal.bulk_deals(9000))
    gone = ids[::7]
    crm = opened(side, tmp_path)
    seen: list[str] = []
    made: list[int] = []
    for deal in crm.deals.iterate():
        seen.append(deal.ref.id)
        if len(seen) % 100 == 0 and gone:
            side.portal.delete_deal(gone.pop(), hooks=False)
            made.append(side.portal.add_deal(TITLE="Новая", hooks=False))
    assert len(seen) == len(set(seen))
    assert seen == sorted(seen, key=int)
    staying = {str(one) for one in ids} - {str(one) for one in ids[::7]}
    assert staying - set(seen) == set()


def test_batches_of_writes_leave_together(side: Bitrix24Side, tmp_path: Path) -> None:
    """Five of them are under way before any is answered; each to-do has its own result, in its place."""
    deals = side.portal.bulk_deals(2)
    crm = opened(side, tmp_path, Meeting(5))
    new = [Task(text=f"Дело {n}", about=crm.ref(Kind.DEAL, deals[n % 2]), due=DUE) for n in range(249)]
    new.insert(120, Task(text="Мимо", about=crm.ref(Kind.DEAL, 999_999), due=DUE))
    result = crm.tasks.create_many(new)
    assert [(one.index, type(one.error)) for one in result.failed] == [(120, NotFound)]
    assert sorted(result.done) == [place for place in range(250) if place != 120]
    texts = {task.ref: task.text for deal in deals for task in crm.tasks.find(about=crm.ref(Kind.DEAL, deal))}
    assert {place: texts[ref] for place, ref in result.done.items()} == {
        place: new[place].text for place in result.done
    }


def test_writes_of_one_record_stay_in_their_order(side: Bitrix24Side, tmp_path: Path) -> None:
    """The last of 130 changes of a deal is what it is called, though they take three batches."""
    connection = unhurried(side, tmp_path)
    deal = Ref(ACCOUNT, Kind.DEAL, str(side.portal.bulk_deals(1)[0]))
    changes = [Write(Verb.UPDATE, Kind.DEAL, ref=deal, changes={"title": f"Имя {n}"}) for n in range(130)]
    assert connection.write_many(changes) == [deal] * 130
    assert Crm(connection).deals.get(deal).title == "Имя 129"


def test_remarks_stand_in_the_order_of_their_writing(side: Bitrix24Side, tmp_path: Path) -> None:
    """120 remarks on a card, in three batches one behind the other."""
    crm = opened(side, tmp_path)
    deal = crm.ref(Kind.DEAL, side.portal.bulk_deals(1)[0])
    result = crm.notes.create_many([Note(text=f"{n}", about=deal) for n in range(120)])
    assert list(result.done) == list(range(120))
    assert [note.text for note in crm.notes.find(about=deal)] == [f"{n}" for n in range(120)]


def test_after_a_refusal_batches_go_one_by_one(side: Bitrix24Side, tmp_path: Path) -> None:
    """Nothing is lost, done twice or out of its place when the portal refuses some of many batches."""
    connection = connected(side, webhook(side), tmp_path)
    crm = Crm(connection)
    deal = crm.ref(Kind.DEAL, side.portal.bulk_deals(1)[0])
    bucket = side.portal.limits
    assert isinstance(bucket, LeakyBucket)
    bucket.burst = 5
    result = crm.tasks.create_many([Task(text=f"Дело {n}", about=deal, due=DUE) for n in range(600)])
    assert (sorted(result.done), result.failed) == (list(range(600)), ())
    assert bucket.refused > 0
    assert connection._line.crew.width == 1
    assert sorted(task.text for task in crm.tasks.find(about=deal)) == sorted(f"Дело {n}" for n in range(600))


def test_one_batch_lost_of_many_leaves_its_own_in_doubt(side: Bitrix24Side, tmp_path: Path) -> None:
    """The others are done."""
    crm = opened(side, tmp_path)
    deal = crm.ref(Kind.DEAL, side.portal.bulk_deals(1)[0])
    side.fail_next(502, 1, "POST", None)
    result = crm.tasks.create_many([Task(text=f"Дело {n}", about=deal, due=DUE) for n in range(200)])
    assert (len(result.done), len(result.failed)) == (150, 50)
    assert {getattr(one.error, "maybe_applied", None) for one in result.failed} == {True}
    places = [one.index for one in result.failed]
    assert places == list(range(places[0], places[0] + 50))


def test_a_token_that_expires_under_many_batches_is_renewed_once(side: Bitrix24Side, tmp_path: Path) -> None:
    """Ten batches leave together with the old token; one of them has it renewed, all of them are done."""
    crm = Crm(Bitrix24Adapter().open(application(side), Doors(tokens=FileTokenStore(tmp_path), limiter=LocalLimiter())))
    deal = crm.ref(Kind.DEAL, side.portal.bulk_deals(1)[0])
    crm.deals.get(deal)
    side.turn(4000)
    side.portal.reset_requests()
    result = crm.tasks.create_many([Task(text=f"Дело {n}", about=deal, due=DUE) for n in range(500)])
    assert (len(result.done), result.failed) == (500, ())
    assert sum("oauth/token" in call.path for call in side.portal.requests) == 1
    assert len(crm.tasks.find(about=deal)) == 500
