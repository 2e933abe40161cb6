"""Ingest: what a delivery leaves, and what its sender is told."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crmkit.errors import NotFound, WebhookRejected
from crmkit.webhook import Delivery, WebhookReply
from crmkit_runtime.ingest import NOT_STORED, Ingest, _Letter
from crmkit_runtime.tables import delivery, event, hint, run

Door = Any


def test_a_hint_is_stored_with_its_delivery(door: Door) -> None:
    """The delivery is kept as it came, the hint waits under its id."""
    body = door.hook(7)
    assert door.receive(body, **{"content-type": "application/json"}) == WebhookReply(200)
    columns = (delivery.c.account, delivery.c.sender, delivery.c.content_type, delivery.c.body, delivery.c.outcome)
    assert door.rows(*columns) == [("acme", "memory", "application/json", body, "deal:7 changed")]
    assert door.rows(hint.c.kind, hint.c.record_id, hint.c.origin, hint.c.delivery_id) == [("deal", "7", "hook", "1")]


def test_a_fact_becomes_an_event_and_a_run_at_once(door: Door) -> None:
    """A call's event is stored and queued in the delivery's own transaction, and names the delivery."""
    assert door.receive(b"call=31", "exchange") == WebhookReply(200)
    assert door.rows(delivery.c.outcome) == [("CallFinished exchange:31",)]
    assert door.rows(event.c.name, event.c.key) == [("CallFinished", "exchange:31")]
    assert '"delivery_id":"1"' in door.rows(event.c.body)[0][0].replace(" ", "")
    assert door.rows(run.c.extension, run.c.state) == [("listener", "queued")]


def test_a_fact_told_again_is_no_second_event(door: Door) -> None:
    """A hundred equal deliveries from eight threads leave a hundred deliveries, one event and one run."""
    replies: list[WebhookReply] = []

    def send() -> None:
        replies.extend(door.receive(b"call=31", "exchange") for _ in range(25))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies == [WebhookReply(200)] * 100
    assert door.stored == {"delivery": 100, "hint": 0, "event": 1, "run": 1}


def test_many_hints_of_one_delivery(door: Door) -> None:
    """All are stored; the outcome names the first."""
    door.receive(door.hook(*range(3000)))
    assert door.stored == {"delivery": 1, "hint": 3000, "event": 0, "run": 0}
    told = ", ".join(f"deal:{number} changed" for number in range(5))
    assert door.rows(delivery.c.outcome) == [(f"{told}, 2995 more",)]


def test_kinds_that_nobody_reads_leave_no_hint(door: Door) -> None:
    """A delivery about a kind that no extension declares is kept, and nobody looks at the record."""
    door.receive(door.hook(7).replace(b"deal", b"task"))
    assert door.stored == {"delivery": 1, "hint": 0, "event": 0, "run": 0}


@pytest.mark.parametrize(
    ("sender", "body", "outcome"),
    [
        ("memory", b"<html>not ours", "refused: the body is not what the memory CRM sends"),
        ("exchange", b"ping", "refused: there is no call in it"),
        ("exchange", b"", "nothing to do"),
    ],
)
def test_a_body_that_cannot_be_read_is_kept(door: Door, sender: str, body: bytes, outcome: str) -> None:
    """The reason is stored with it, and the sender hears 200, so that the CRM does not switch the hook off."""
    assert door.receive(body, sender) == WebhookReply(200)
    ((kept, said),) = door.rows(delivery.c.body, delivery.c.outcome)
    assert (kept, said.startswith(outcome)) == (body, True)


def test_a_fault_of_an_adapter_costs_nothing(
    door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A body on which the adapter fails is kept and answered 200; the traceback is logged."""

    def fail(*_: object) -> Delivery:
        raise ZeroDivisionError

    monkeypatch.setattr(door.service.accounts["acme"].adapter, "parse", fail)
    assert door.receive(b"{}") == WebhookReply(200)
    assert door.rows(delivery.c.outcome) == [("refused: the adapter failed on it (ZeroDivisionError)",)]
    assert [record.levelno for record in caplog.records if record.exc_info] == [logging.ERROR]


def test_a_body_of_another_account_is_refused(door: Door) -> None:
    """The account of the body must be the address's own; nothing is stored."""
    with pytest.raises(WebhookRejected):
        door.receive(door.hook(7, account="other"))
    assert door.stored == {"delivery": 0, "hint": 0, "event": 0, "run": 0}


def test_a_source_that_shows_a_wrong_key_is_refused(open_door: Callable[..., Door]) -> None:
    """A source with a secret in the environment is believed only when it shows it."""
    door = open_door({"CRMKIT_ACME_EXCHANGE_SECRET": "knock-knock"})
    with pytest.raises(WebhookRejected):
        door.receive(b"call=1", "exchange", **{"x-key": "open"})
    door.receive(b"call=2", "exchange", **{"x-key": "knock-knock"})
    assert door.rows(event.c.key) == [("exchange:2",)]


def test_an_unknown_sender_is_not_found(door: Door) -> None:
    """A sender that the account has not configured is no sender."""
    with pytest.raises(NotFound):
        door.receive(b"call=1", "mango")


def test_tokens_in_a_body_are_not_stored(door: Door) -> None:
    """What the CRM puts into bodies to let us call back is cut out before the disk."""
    canary = b"canary-7f3a"
    body = b"event=ONCRMDEALUPDATE&auth%5Baccess_token%5D=" + canary + b"&auth[refresh_token]=" + canary + b"&a=1"
    door.receive(body)
    assert door.rows(delivery.c.body) == [(body.replace(canary, b"***"),)]
    assert canary not in b"".join(
        file.read_bytes() for file in door.path.parent.glob("service.sqlite3*") if file.is_file()
    )


def test_a_locked_database_is_503_and_nothing_is_lost(
    open_door: Callable[..., Door], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While another program holds the database the sender is told to come again; afterwards it is stored."""
    monkeypatch.setattr("crmkit_runtime.database.BUSY_TIMEOUT_MS", 50)
    door = open_door()
    script = Path(__file__).with_name("hold_database.py")
    words = [sys.executable, str(script), str(door.path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        refused = door.receive(door.hook(7))
        other.communicate()
    assert (refused, door.receive(door.hook(7)), door.stored["delivery"]) == (NOT_STORED, WebhookReply(200), 1)
    assert any("could not be stored" in record.message for record in caplog.records)


def test_a_full_disk_is_503(door: Door) -> None:
    """When the file may not grow the sender is told to come again, and the door stays open."""
    with door.service.database.write() as tx:
        pages = tx.exec_driver_sql("pragma page_count").scalar()
        tx.exec_driver_sql(f"pragma max_page_count = {pages}")
    replies = {door.receive(door.hook(*range(500))).status for _ in range(3)}
    assert (replies, door.ingest.is_alive) == ({503}, True)


def test_one_that_cannot_be_stored_turns_no_neighbour_away(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a batch with a poisoned delivery the others are stored and only its sender hears 503."""
    publish = "crmkit_runtime.facts.publish"

    def poisoned(*args: object, **kwargs: object) -> None:
        if kwargs["key"] == "exchange:13":
            raise ValueError("no database takes this")

    monkeypatch.setattr(publish, poisoned)
    replies: dict[int, int] = {}
    gate = threading.Barrier(8)

    def send(number: int) -> None:
        gate.wait()
        replies[number] = door.receive(f"call={number}".encode(), "exchange").status

    threads = [threading.Thread(target=send, args=(number,)) for number in range(10, 18)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {number: status for number, status in replies.items() if status != 200} == {13: 503}
    assert door.stored["delivery"] == 7


def test_a_sender_does_not_wait_for_ever(door: Door) -> None:
    """While somebody holds the gate a sender is told to come again after the door's patience."""
    impatient = Ingest(door.service, patience_s=0.05)
    door.ingest.close()
    door.ingest = impatient
    with door.service.database.write():
        assert door.receive(door.hook(7)) == NOT_STORED


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_writer_that_dies_fails_its_senders(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for a dead writer, and who comes later, hears 503 at once instead of hanging."""

    def die(*_: object, **__: object) -> None:
        raise SystemExit

    monkeypatch.setattr("crmkit_runtime.ingest.insert_rows", die)
    replies = [door.receive(door.hook(number)) for number in range(3)]
    assert (replies, door.ingest.is_alive) == ([NOT_STORED] * 3, False)


def test_closing_stores_what_waits(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deliveries that were handed in before the door closes are stored; later ones are refused."""
    is_read = threading.Event()
    read = _Letter.read

    def reading(letter: _Letter) -> None:
        read(letter)
        is_read.set()

    monkeypatch.setattr(_Letter, "read", reading)
    replies: list[WebhookReply] = []
    threads = [
        threading.Thread(target=lambda number=number: replies.append(door.receive(door.hook(number))))
        for number in range(5)
    ]
    waiting = door.ingest._writer._waiting
    with door.service.database.write():
        # The writer has taken the first and stands before the database; the others queue up behind it.
        threads[0].start()
        assert is_read.wait(5)
        for thread in threads[1:]:
            thread.start()
        while waiting.qsize() != len(threads) - 1:
            threading.Event().wait(0.001)
        closing = threading.Thread(target=door.ingest.close)
        closing.start()
    closing.join()
    for thread in threads:
        thread.join()
    assert replies == [WebhookReply(200)] * 5
    assert door.receive(door.hook(9)) == NOT_STORED
    assert door.stored["delivery"] == 5


def test_the_bell_rings_after_the_commit(door: Door) -> None:
    """Whoever waits for work wakes when a delivery is on the disk."""
    door.service.bell.wait(0)
    woken = threading.Thread(target=door.service.bell.wait, args=(10,))
    woken.start()
    door.receive(door.hook(7))
    woken.join(5)
    assert not woken.is_alive()
