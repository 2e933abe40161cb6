"""Webhooks of the emulated amoCRM: the old format with its vices, retries, losses, doubles."""

import json
from typing import Any

from crmkit_sandbox import Sandbox

EVERYTHING = [
    *(
        f"{action}_{kind}"
        for kind in ("lead", "contact", "company")
        for action in ("add", "update", "delete", "restore")
    ),
    *(f"{action}_{kind}" for kind in ("lead", "contact", "company") for action in ("responsible", "note")),
    *(f"{action}_task" for action in ("add", "update", "delete", "responsible")),
    *("status_lead", "add_unsorted", "delete_unsorted"),
]


def listen(sandbox: Sandbox, receiver: Any, settings: list[str] | None = None) -> None:
    sandbox.amocrm.subscribe(receiver.url, settings or EVERYTHING)


def test_a_stage_move_sends_status_and_update(frozen: Sandbox, receiver: Any) -> None:
    """One move gives two hooks, `status` and `update`, as flat percent-encoded forms with the account at the end."""
    crm = frozen.amocrm
    lead = crm.add_lead(name="Дом & сад", price=100)
    old = crm.leads[lead]["status_id"]
    listen(frozen, receiver)
    frozen.clock.advance(5)
    crm.move_lead(lead, 142)
    assert frozen.settle()
    expected = {
        "id": str(lead),
        "name": "Дом & сад",
        "status_id": "142",
        "old_status_id": str(old),
        "price": "100",
        "responsible_user_id": str(crm.users[0]["id"]),
        "last_modified": "1760000005",
        "modified_user_id": str(crm.users[0]["id"]),
        "created_user_id": str(crm.users[0]["id"]),
        "date_create": "1760000000",
        "pipeline_id": str(crm.pipelines[0]["id"]),
        "account_id": str(crm.account_id),
        "created_at": "1760000000",
        "updated_at": "1760000005",
    }
    account = {
        "account[subdomain]": "romashka",
        "account[id]": str(crm.account_id),
        "account[_links][self]": "https://romashka.amocrm.ru",
    }
    status, update = receiver.forms()
    assert status == {**{f"leads[status][0][{name}]": value for name, value in expected.items()}, **account}
    assert update == {**{f"leads[update][0][{name}]": value for name, value in expected.items()}, **account}
    assert receiver.bodies[0].startswith(
        f"leads%5Bstatus%5D%5B0%5D%5Bid%5D={lead}&leads%5Bstatus%5D%5B0%5D%5Bname%5D=%D0%94"
    )
    assert "+%26+" in receiver.bodies[0]


def test_custom_fields_have_their_own_ways(sandbox: Sandbox, receiver: Any) -> None:
    """Dates come bare, a radiobutton without its index, a checkbox as 1, choices with their enum."""
    crm = sandbox.amocrm
    listen(sandbox, receiver, ["add_lead"])
    given = {"Встреча": 1_760_000_000, "Оплата": "Счёт", "Срочно": True, "Услуги": ["Монтаж", "Доставка"]}
    crm.add_lead(name="a", custom_fields=given)
    assert sandbox.settle()
    prefix = "leads[add][0][custom_fields]"
    form = {key.removeprefix(prefix): value for key, value in receiver.forms()[0].items() if key.startswith(prefix)}
    assert form == {
        "[0][id]": str(crm.field_id("leads", "Встреча")),
        "[0][name]": "Встреча",
        "[0][values][0]": "1760000000",
        "[1][id]": str(crm.field_id("leads", "Оплата")),
        "[1][name]": "Оплата",
        "[1][values][value]": "Счёт",
        "[1][values][enum]": "900008",
        "[2][id]": str(crm.field_id("leads", "Срочно")),
        "[2][name]": "Срочно",
        "[2][values][0][value]": "1",
        "[3][id]": str(crm.field_id("leads", "Услуги")),
        "[3][name]": "Услуги",
        "[3][values][0][value]": "Монтаж",
        "[3][values][0][enum]": "900004",
        "[3][values][1][value]": "Доставка",
        "[3][values][1][enum]": "900005",
    }


def test_companies_come_as_contacts(sandbox: Sandbox, receiver: Any) -> None:
    """Companies come under `contacts` with their type; contacts carry their company and the ids of linked leads."""
    crm = sandbox.amocrm
    company = crm.add_company(name="ООО")
    contact = crm.add_contact(name="a", company=company, phones=["+79991112233"])
    lead = crm.add_lead(name="b", contacts=[contact])
    listen(sandbox, receiver)
    crm.update_company(company, name="АО")
    crm.update_contact(contact, name="c", responsible_user_id=crm.users[1]["id"])
    crm.delete_company(company)
    assert sandbox.settle()
    first, second, third, fourth = receiver.forms()
    assert (first["contacts[update][0][type]"], first["contacts[update][0][name]"]) == ("company", "АО")
    assert (second["contacts[update][0][type]"], "contacts[update][0][old_responsible_user_id]" in second) == (
        "contact",
        False,
    )
    assert second[f"contacts[update][0][linked_leads_id][{lead}][ID]"] == str(lead)
    assert second["contacts[update][0][company_name]"] == "АО"
    assert third["contacts[update][0][old_responsible_user_id]"] == str(crm.users[0]["id"])
    assert {key: value for key, value in fourth.items() if key.startswith("contacts")} == {
        "contacts[delete][0][id]": str(company),
        "contacts[delete][0][type]": "company",
    }


def test_task_times_are_utc_and_note_times_utc_plus_3(frozen: Sandbox, receiver: Any) -> None:
    """Date strings of tasks are in UTC, those of notes three hours ahead; unix numbers stand beside them."""
    crm = frozen.amocrm
    lead = crm.add_lead(name="a")
    listen(frozen, receiver)
    task = crm.add_task("Связаться", 1_760_003_600, entity_type="leads", entity_id=lead)
    crm.update_task(task, text="Позвонить")
    crm.complete_task(task, "Готово")
    crm.add_note("leads", lead, "Текст")
    assert frozen.settle()
    added, edited, closed, note = receiver.forms()
    assert (added["task[add][0][complete_till]"], added["task[add][0][complete_before]"]) == (
        "2025-10-09 09:53:20",
        "1760003600",
    )
    assert (added["task[add][0][element_type]"], "task[add][0][action_close]" in added) == ("2", False)
    assert (edited["task[update][0][old_text]"], edited["task[update][0][action_close]"]) == ("Связаться", "0")
    done = {name: closed.get(f"task[update][0][{name}]") for name in ("status", "action_close", "old_text")}
    assert done == {"status": "1", "action_close": "1", "old_text": None}
    assert closed["task[update][0][result][text]"] == "Готово"
    assert (note["leads[note][0][note][date_create]"], note["leads[note][0][note][created_at]"]) == (
        "2025-10-09 11:53:20",
        "1760000000",
    )
    assert (note["leads[note][0][note][note_type]"], note["leads[note][0][note][attachement]"]) == ("4", "")


def test_calls_are_notes_with_json(sandbox: Sandbox, receiver: Any) -> None:
    """A call comes as a note of type 10 or 11 whose text is JSON."""
    crm = sandbox.amocrm
    contact = crm.add_contact(name="a")
    listen(sandbox, receiver)
    crm.add_call_note("contacts", contact, direction="out", phone="+79991112233", duration=0, uniq="u-1", call_status=6)
    assert sandbox.settle()
    form = receiver.forms()[0]
    assert (form["contacts[note][0][note][note_type]"], form["contacts[note][0][type]"]) == ("11", "contact")
    assert json.loads(form["contacts[note][0][note][text]"]) == {
        "UNIQ": "u-1",
        "LINK": None,
        "PHONE": "+79991112233",
        "DURATION": 0,
        "SRC": "sandbox",
        "call_status": "6",
    }


def test_own_writes_send_hooks_too(sandbox: Sandbox, client: Any, receiver: Any) -> None:
    """What the API writes is told like what a person does, and the answer does not wait for it."""
    listen(sandbox, receiver, ["add_lead"])
    made = client.post("leads", [{"name": "a"}, {"name": "b"}]).json()["_embedded"]["leads"]
    assert sandbox.settle()
    assert [form["leads[add][0][id]"] for form in receiver.forms()] == [str(row["id"]) for row in made]


def test_settings_choose_the_hooks(sandbox: Sandbox, client: Any, receiver: Any) -> None:
    """A subscription gets what it asked for; a known address is replaced, an unknown setting refused."""
    body = {"destination": receiver.url, "settings": ["add_contact"]}
    first, second = (client.post("webhooks", body) for _ in range(2))
    assert (first.status_code, first.json()["id"] == second.json()["id"]) == (201, True)
    refused = client.post("webhooks", {"destination": "file:///x", "settings": ["add_lead", "nonsense"]})
    paths = [fault["path"] for fault in refused.json()["validation-errors"][0]["errors"]]
    assert paths == ["destination", "settings.1"]
    sandbox.amocrm.add_lead(name="a")
    assert client("DELETE", "webhooks", {"destination": receiver.url}).status_code == 204
    assert client("DELETE", "webhooks", {"destination": receiver.url}).status_code == 404
    sandbox.amocrm.add_contact(name="b")
    assert sandbox.settle()
    assert (receiver.bodies, client.get("webhooks").status_code) == ([], 204)


def test_a_hook_is_repeated_by_the_vendors_schedule(frozen: Sandbox, receiver: Any) -> None:
    """A 500 is tried again after 5, 15, 15 and 60 minutes of the sandbox clock, then given up."""
    receiver.status = 500
    listen(frozen, receiver, ["add_lead"])
    frozen.amocrm.add_lead(name="a")
    assert frozen.settle()
    seen = []
    for minutes in (5, 15, 15, 60, 600):
        frozen.clock.advance(minutes * 60 - 1)
        assert frozen.settle()
        early = len(receiver.bodies)
        frozen.clock.advance(1)
        assert frozen.settle()
        seen.append((early, len(receiver.bodies)))
    assert seen == [(1, 2), (2, 3), (3, 4), (4, 5), (5, 5)]
    assert [(row["attempt"], row["status"]) for row in frozen.amocrm.deliveries] == [(n, 500) for n in range(1, 6)]
    assert len(set(receiver.bodies)) == 1


def test_a_404_gets_no_fifth_attempt(frozen: Sandbox, receiver: Any) -> None:
    """The fifth attempt is only for 499 and 5xx."""
    receiver.status = 404
    listen(frozen, receiver, ["add_lead"])
    frozen.amocrm.add_lead(name="a")
    for _ in range(6):
        assert frozen.settle()
        frozen.clock.advance(3600)
    assert [row["attempt"] for row in frozen.amocrm.deliveries] == [1, 2, 3, 4]


def test_a_hook_that_fails_too_often_is_disabled(frozen: Sandbox, receiver: Any) -> None:
    """More than 100 bad answers in two hours disable the subscription; subscribing again enables it."""
    receiver.status = 503
    listen(frozen, receiver, ["add_lead"])
    for _ in range(101):
        frozen.amocrm.add_lead(name="a")
    assert frozen.settle(10)
    assert [hook["disabled"] for hook in frozen.amocrm.webhooks] == [True]
    frozen.amocrm.add_lead(name="b")
    assert frozen.settle()
    assert len(receiver.bodies) == 101
    listen(frozen, receiver, ["add_lead"])
    assert [hook["disabled"] for hook in frozen.amocrm.webhooks] == [False]


def test_an_absent_receiver_counts_as_no_answer(frozen: Sandbox) -> None:
    """Where nobody listens the delivery is noted with status 0 and waits for its next attempt."""
    frozen.amocrm.subscribe("http://127.0.0.1:9/hook", ["add_lead"])
    frozen.amocrm.add_lead(name="a")
    assert frozen.settle()
    rows = frozen.amocrm.deliveries_rows()
    assert [(row["attempt"], row["status"], row["due"]) for row in rows] == [
        (1, 0, 1_760_000_000),
        (2, None, 1_760_000_300),
    ]


def test_hooks_can_be_lost_and_doubled(sandbox: Sandbox, receiver: Any) -> None:
    """Hooks are lost one by one or all, doubled, or left out for one act; the feed tells everything all the same."""
    crm = sandbox.amocrm
    listen(sandbox, receiver, ["add_lead"])
    crm.drop_next_hooks(1)
    lost = crm.add_lead(name="lost")
    crm.repeat_next_hook(1)
    twice = crm.add_lead(name="twice")
    quiet = crm.add_lead(name="quiet", hooks=False)
    crm.deliver_hooks = False
    off = crm.add_lead(name="off")
    assert sandbox.settle()
    assert [form["leads[add][0][id]"] for form in receiver.forms()] == [str(twice)] * 2
    assert [event["entity_id"] for event in crm.events] == [lost, twice, quiet, off]


def test_unsorted_hooks(sandbox: Sandbox, receiver: Any) -> None:
    """A new incoming lead is `unsorted[add]`, its acceptance comes as delete with the action."""
    crm = sandbox.amocrm
    listen(sandbox, receiver, ["add_unsorted", "delete_unsorted"])
    uid = crm.add_form_lead("Заявка", phone="+79991112233")
    crm.accept_unsorted(uid)
    assert sandbox.settle()
    added, settled = receiver.forms()
    lead = added["unsorted[add][0][lead_id]"]
    assert (added["unsorted[add][0][uid]"], added["unsorted[add][0][category]"]) == (uid, "forms")
    assert settled["unsorted[delete][0][action]"] == "accept"
    assert settled["unsorted[delete][0][accept_result][leads][0]"] == lead
