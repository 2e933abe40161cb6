"""`crmkit trigger`: what happens on the emulator as a person or a telephone would make it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from crmkit_sandbox import Sandbox


class Receiver(BaseHTTPRequestHandler):
    """Takes every hook."""

    def do_POST(self) -> None:
        """Answer 200."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A started emulator with sample data, and somebody who takes its hooks."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        with Sandbox(vendors=("amocrm",)) as found:
            found.amocrm.seed()
            settings = [
                "note_contact",
                "note_lead",
                "add_lead",
                "add_contact",
                "update_lead",
                "add_task",
                "status_lead",
            ]
            found.amocrm.subscribe(f"http://127.0.0.1:{server.server_address[1]}/", settings)
            yield found
        server.shutdown()


def hooks(sandbox: Sandbox) -> list[str]:
    """The events of the hooks that were sent."""
    assert sandbox.settle()
    return [row["event"] for row in sandbox.amocrm.deliveries]


@pytest.mark.parametrize(("event", "duration"), [("call.missed", 0), ("call.answered", 95), ("call.short", 3)])
def test_a_call_lands_on_a_sample_contact(cli: Any, sandbox: Sandbox, event: str, duration: int) -> None:
    """Nothing has to be named for a first try."""
    said = cli("trigger", event, "--sandbox", sandbox.url, "--json")

    [note] = sandbox.amocrm.notes.values()
    assert said.rows == [{"event": event, "id": note["id"], "times": 1}]
    assert (note["note_type"], note["params"]["duration"]) == ("call_in", duration)
    assert len(hooks(sandbox)) == 1


def test_one_event_can_be_delivered_three_times(cli: Any, sandbox: Sandbox) -> None:
    """One call, three deliveries of one hook."""
    cli("trigger", "call.missed", "--times", "3", "--sandbox", sandbox.url)

    assert len(sandbox.amocrm.notes) == 1
    assert len(hooks(sandbox)) == 3


def test_an_event_can_be_lost_on_its_way(cli: Any, sandbox: Sandbox) -> None:
    """It happened, and nobody tells."""
    cli("trigger", "call.missed", "--lose", "--sandbox", sandbox.url)

    assert len(sandbox.amocrm.notes) == 1
    assert hooks(sandbox) == []


def test_a_number_that_nobody_has_is_told(cli: Any, sandbox: Sandbox) -> None:
    """With what to do first."""
    said = cli("trigger", "call.missed", "--set", "phone=+79990001122", "--sandbox", sandbox.url)

    assert said.code == 0
    assert said.out.startswith("call.missed: nobody has +79990001122")
    assert "crmkit trigger contact.created --set phones=+79990001122" in said.out
    assert cli("trigger", "contact.created", "--set", "phones=+79990001122", "--sandbox", sandbox.url).code == 0
    assert cli("trigger", "call.missed", "--set", "phone=+79990001122", "--sandbox", sandbox.url).code == 0
    assert len(sandbox.amocrm.notes) == 1


def test_records_are_made_and_changed(cli: Any, sandbox: Sandbox) -> None:
    """By their events, with fields that are set."""
    made = cli("trigger", "deal.created", "--set", "name=Пробная", "--sandbox", sandbox.url, "--json").rows[0]["id"]
    stage = sandbox.amocrm.pipelines[0]["statuses"][2]["id"]
    words = ["--set", f"id={made}", "--sandbox", sandbox.url]
    assert cli("trigger", "deal.updated", *words, "--set", "price=700").code == 0
    assert cli("trigger", "deal.moved", *words, "--set", f"status_id={stage}").code == 0
    assert cli("trigger", "task.created", "--sandbox", sandbox.url).code == 0

    lead = sandbox.amocrm.leads[made]
    assert (lead["name"], lead["price"], lead["status_id"]) == ("Пробная", 700, stage)


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["call.mised"], "There is no event 'call.mised'. Did you mean call.missed?"),
        (["deal.moved"], "deal.moved needs --set id=…, --set status_id=…"),
        (["deal.created", "--set", "name"], "--set name: expected NAME=VALUE"),
    ],
)
def test_wrong_words_are_explained(cli: Any, words: list[str], fault: str) -> None:
    """Exit 2, before anything is asked of an emulator."""
    said = cli("trigger", *words)

    assert said.code == 2
    assert fault in said.err


def test_what_the_emulator_refuses_is_told(cli: Any, sandbox: Sandbox) -> None:
    """Exit 1 with its words."""
    said = cli("trigger", "deal.updated", "--set", "id=1", "--sandbox", sandbox.url)

    assert said.code == 1
    assert said.err.startswith("Error: update_lead: ")


def test_an_emulator_that_is_not_there_is_named(cli: Any) -> None:
    """With what to start."""
    said = cli("trigger", "call.missed", "--sandbox", "http://127.0.0.1:9")

    assert (said.code, said.err) == (
        2,
        "Error: there is no emulator at http://127.0.0.1:9\n  → Run `crmkit sandbox`, or give --sandbox.\n",
    )
