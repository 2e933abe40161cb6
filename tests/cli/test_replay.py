"""`crmkit replay`: why nothing was done, and doing it once more without doing it twice."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from crmkit.webhook import WebhookRequest
from crmkit_cli.opening import read_config
from crmkit_runtime.database import Database
from crmkit_runtime.ingest import Ingest
from crmkit_runtime.service import Service
from crmkit_runtime.tables import run
from crmkit_runtime.worker import Worker

PHONE = "+79161234567"


@pytest.fixture
def called(shop: Any) -> Any:
    """The shop after a missed and an answered call, of which the CRM's feed told."""
    shop.sandbox.amocrm.call(PHONE, duration=0, hooks=False)
    shop.sandbox.amocrm.call(PHONE, duration=60, hooks=False)
    shop.sandbox.clock.advance(120)
    shop.work()
    assert shop.tasks == ["Call back"]
    return shop


def bury(shop: Any, number: int) -> None:
    """Let a run have ended as a dead letter."""
    database = Database(str(shop.folder / "shop.sqlite3"))
    with database.write() as tx:
        tx.execute(update(run).where(run.c.id == number).values(state="dead", error="Traceback\n  ...\nBoom: no luck"))
    database.close()


def test_the_list_says_what_was_decided_and_why(called: Any) -> None:
    """Newest first, with the record, the handler and its reasons."""
    said = called.say("replay", "--list", "--json")

    shown = [(row["id"], row["event"], row["extension"], row["handler"], row["state"]) for row in said.rows]
    assert shown == [
        (2, "CallFinished", "shop", "missed", "skipped"),
        (1, "CallFinished", "shop", "missed", "done"),
    ]
    assert [row["decisions"] for row in said.rows] == [["answered"], ["missed"]]


def test_the_list_is_narrowed(called: Any) -> None:
    """By state, time, extension, account, number and record."""
    ref = called.say("replay", "--list", "--json", "2").rows[0]["ref"]
    expected = {
        "--state skipped": [2],
        "--state skipped --state done": [2, 1],
        "--failed": [],
        "--since 2020-01-01": [2, 1],
        "--since 2099-01-01": [],
        "--extension shop": [2, 1],
        "--extension other": [],
        "--account acme": [2, 1],
        "--limit 1": [2],
        "1": [1],
        f"--ref {ref}": [2],
        "--ref acme/deal:1": [],
    }

    found = {
        words: [row["id"] for row in called.say("replay", "--list", "--json", *words.split()).rows]
        for words in expected
    }

    assert found == expected


def test_people_get_a_table(called: Any) -> None:
    """Numbers, events, states and reasons; of a fault its last line."""
    bury(called, 1)

    out = called.say("replay", "--list").out

    assert "answered" in out
    assert "Boom: no luck" in out
    assert "Traceback" not in out


def test_a_run_is_done_again_and_writes_nothing_twice(called: Any) -> None:
    """The run is queued, the worker does it, and the task is still one."""
    said = called.say("replay", "1", "--json")
    called.work()

    assert said.rows == [{"type": "queued", "count": 1}]
    assert [row["state"] for row in called.say("replay", "--list", "--json", "1").rows] == ["done"]
    assert called.tasks == ["Call back"]


def test_what_failed_is_done_again(called: Any) -> None:
    """Dead letters come back to life."""
    bury(called, 2)

    said = called.say("replay", "--failed", "--json")
    called.work()

    assert said.rows == [{"type": "queued", "count": 1}]
    assert [row["state"] for row in called.say("replay", "--list", "--json", "2").rows] == ["skipped"]


def test_a_dry_run_queues_nothing(called: Any) -> None:
    """It shows what would be done again."""
    said = called.say("replay", "--since", "1d", "--dry-run", "--json")

    assert [row.get("id") for row in said.rows] == [2, 1, None]
    assert said.rows[-1] == {"type": "dry_run", "count": 2}
    assert called.say("replay", "--list", "--json", "--state", "queued").rows == []


def test_waiting_without_a_worker_is_refused(called: Any) -> None:
    """Nothing would ever come of it; the runs are queued all the same."""
    said = called.say("replay", "1", "--wait")

    assert said.code == 2
    assert said.err == (
        "Error: no worker is running, so nothing would come of waiting\n  → Start crmkit run: the queue is kept.\n"
    )
    assert [row["id"] for row in called.say("replay", "--list", "--json", "--state", "queued").rows] == [1]


def test_waiting_ends_when_all_is_done(called: Any) -> None:
    """The command returns with how the runs ended, and exit 0 when none failed."""
    service = Service.open(read_config(called.config))
    worker = Worker(service)
    worker.start()
    try:
        said = called.say("replay", "1", "2", "--wait", "--json")
    finally:
        worker.stop()
        service.close()

    assert said.rows == [{"type": "queued", "count": 2}, {"type": "result", "done": 1, "skipped": 1}]
    assert said.code == 0


def test_a_number_that_is_not_there_is_named(called: Any) -> None:
    """Nothing is queued then."""
    said = called.say("replay", "1", "99")

    assert (said.code, said.err) == (1, "Error: there are no finished runs 99\n  → crmkit replay --list shows them.\n")
    assert called.say("replay", "--list", "--json", "--state", "queued").rows == []


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ([], "Say what to run again"),
        (["--state", "queued"], "queued: not finished yet"),
        (["--ref", "42"], "'42' is no record's address: write account/kind:id"),
        (["--since", "yesterday"], "'yesterday': write 2h, 30m, 1d, or 2026-01-31T09:00"),
        (["--since", "99999999999d"], "'99999999999d': write 2h"),
    ],
)
def test_wrong_words_are_explained(shop: Any, words: list[str], fault: str) -> None:
    """Exit 2, and what to write instead."""
    said = shop.say("replay", *words)

    assert said.code == 2
    assert fault in said.err


def test_a_delivery_is_read_once_more(shop: Any) -> None:
    """What came in at the door is listed, and read again: the record is looked at, and nothing is done twice."""

    note = shop.sandbox.amocrm.call(PHONE, duration=0, hooks=False)
    contact = next(iter(shop.sandbox.amocrm.contacts))
    account = f"account[id]={shop.sandbox.amocrm.account_id}&account[subdomain]=romashka"
    body = f"contacts[note][0][note][id]={note}&contacts[note][0][note][note_type]=10"
    body += f"&contacts[note][0][note][element_id]={contact}&contacts[note][0][note][element_type]=1&{account}"
    service = Service.open(read_config(shop.config))
    ingest = Ingest(service)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    request = WebhookRequest("POST", "/", "", headers, body.encode(), service.clock.now())
    assert ingest.receive("amocrm", "acme", request).status == 200
    ingest.close()
    service.close()
    shop.work()
    assert shop.tasks == ["Call back"]

    [listed] = shop.say("replay", "--deliveries", "--json").rows
    again = shop.say("replay", "--delivery", str(listed["id"]), "--json")
    shop.work()

    assert (listed["account"], listed["sender"], listed["size"]) == ("acme", "amocrm", len(body))
    assert again.rows == [{"id": listed["id"], "hints": 1, "events": 0, "known": 0, "refusals": []}]
    assert shop.tasks == ["Call back"]


def test_a_delivery_that_is_not_there_is_named(shop: Any) -> None:
    """The remedy is where to look."""
    said = shop.say("replay", "--delivery", "7")

    assert said.code == 1
    assert said.err.startswith("Error: there is no delivery 7\n")
