"""`crmkit trigger`: what happens on the emulator as a person or a telephone would make it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl

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
    assert said.rows == [{"event": event, "vendor": "amocrm", "id": note["id"], "times": 1}]
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
        (["deal.moved", "--vendor", "amocrm"], "deal.moved needs --set id=…, --set status_id=…"),
        (["deal.moved", "--vendor", "bitrix24"], "deal.moved needs --set id=…, --set stage_id=…"),
        (["deal.moved", "--vendor", "retailcrm"], "deal.moved needs --set id=…, --set status=…"),
        (["call.missed", "--vendor", "retailcrm"], "retailCRM has no list of calls"),
        (["deal.created", "--vendor", "bitrix"], "Invalid value for '--vendor'"),
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


class Remembering(Receiver):
    """Takes every hook and remembers it."""

    came: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        """Answer 200."""
        self.came.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(200)
        self.end_headers()


@pytest.fixture
def receiver() -> Iterator[str]:
    """The address of somebody who remembers what came."""
    Remembering.came.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Remembering) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.fixture
def three() -> Iterator[Sandbox]:
    """All three emulators with sample data."""
    with Sandbox(vendors=("amocrm", "bitrix24", "retailcrm")) as found:
        for vendor in found.vendors.values():
            vendor.seed()
        yield found


def test_the_end_of_a_call_in_bitrix24_comes_three_times(cli: Any, three: Sandbox, receiver: str) -> None:
    """One call on a sample contact; of its events the last one is repeated."""
    three.bitrix24.subscribe(receiver, ("ONVOXIMPLANTCALLEND",))

    said = cli("trigger", "call.missed", "--vendor", "bitrix24", "--times", "3", "--sandbox", three.url, "--json")

    [call] = three.bitrix24.calls.values()
    assert said.rows == [{"event": "call.missed", "vendor": "bitrix24", "id": call["CALL_ID"], "times": 3}]
    assert (call["CALL_DURATION"], call["CRM_ENTITY_TYPE"]) == ("0", "CONTACT")
    assert [call["CALL_ID"] in body for body in Remembering.came] == [True, True, True]
    assert len(set(Remembering.came)) == 1


def test_a_call_of_retailcrm_is_told_by_ringostat(cli: Any, three: Sandbox, receiver: str) -> None:
    """At the address that is given, three times; the phone is that of a sample customer."""
    words = ["--vendor", "retailcrm", "--hook", receiver, "--times", "3", "--sandbox", three.url]

    assert cli("trigger", "call.missed", *words).code == 0

    told = [dict(parse_qsl(body)) for body in Remembering.came]
    phones = [phone["number"] for row in three.retailcrm.customers.values() for phone in row["phones"]]
    assert told == [told[0]] * 3
    assert (told[0]["disposition"], told[0]["caller"] in phones) == ("NO ANSWER", True)


def test_a_lost_hook_of_ringostat_is_not_sent(cli: Any, three: Sandbox, receiver: str) -> None:
    """The call was, and nobody tells."""
    words = ["--vendor", "retailcrm", "--hook", receiver, "--lose", "--sandbox", three.url]

    assert cli("trigger", "call.missed", *words).code == 0
    assert Remembering.came == []


@pytest.mark.parametrize(
    ("vendor", "kind", "moved"),
    [
        ("amocrm", "leads", ("status_id", 0)),
        ("bitrix24", "deals", ("stage_id", "WON")),
        ("retailcrm", "orders", ("status", "complete")),
    ],
)
def test_deals_are_made_and_moved_in_every_crm(
    cli: Any, three: Sandbox, vendor: str, kind: str, moved: tuple[str, str | int]
) -> None:
    """With the words of the vendor."""
    words = ["--vendor", vendor, "--sandbox", three.url, "--json"]
    name, stage = moved
    if not stage:
        stage = three.amocrm.pipelines[0]["statuses"][2]["id"]
    made = cli("trigger", "deal.created", *words).rows[0]["id"]

    assert cli("trigger", "deal.moved", "--set", f"id={made}", "--set", f"{name}={stage}", *words).code == 0
    assert cli("trigger", "contact.created", *words).code == 0

    [deal] = [row for row in three.vendors[vendor].records()[kind] if int(row.get("id") or row["ID"]) == made]
    assert stage in (deal.get("status_id"), deal.get("STAGE_ID"), deal.get("status"))


@pytest.mark.parametrize(
    ("vendor", "kind"), [("amocrm", "contacts"), ("bitrix24", "contacts"), ("retailcrm", "customers")]
)
def test_a_card_takes_one_phone_under_the_name_that_a_call_has(
    cli: Any, three: Sandbox, vendor: str, kind: str
) -> None:
    """`phone` of a contact is its phones: said in the words of a call it is not lost."""
    words = ["--set", "phone=+79990001122", "--vendor", vendor, "--sandbox", three.url, "--json"]

    made = cli("trigger", "contact.created", *words).rows[0]["id"]

    [card] = [row for row in three.vendors[vendor].records()[kind] if int(row.get("id") or row["ID"]) == made]
    assert "79990001122" in str(card)
    assert "79031112233" not in str(card)


def test_the_first_crm_is_meant_when_none_is_named(cli: Any) -> None:
    """The emulator is asked which run."""
    with Sandbox(vendors=("bitrix24",)) as sandbox:
        sandbox.bitrix24.seed()
        said = cli("trigger", "deal.created", "--sandbox", sandbox.url, "--json")

    assert said.rows[0]["vendor"] == "bitrix24"


def test_a_crm_that_does_not_run_is_named(cli: Any, sandbox: Sandbox) -> None:
    """The emulator is there, and knows another CRM."""
    said = cli("trigger", "deal.created", "--vendor", "retailcrm", "--sandbox", sandbox.url)

    assert (said.code, said.err) == (
        2,
        f"Error: there is no emulator of retailcrm at {sandbox.url}\n  → Run `crmkit sandbox`, or give --sandbox.\n",
    )
