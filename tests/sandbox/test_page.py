"""The page for people: board, acts, languages, escaping."""

import requests
from tests.sandbox.board import SCRIPT, act, assert_escaped, page

from crmkit_sandbox import Sandbox


def test_everything_shown_is_escaped(sandbox: Sandbox) -> None:
    """Names, notes, tasks, phones and hook bodies never become markup."""
    crm = sandbox.amocrm
    contact = crm.add_contact(name=SCRIPT, phones=[SCRIPT])
    lead = crm.add_lead(name=SCRIPT, contacts=[contact], tags=[SCRIPT], custom_fields={"Город": SCRIPT})
    crm.add_note("leads", lead, SCRIPT)
    crm.add_call_note("leads", lead, phone=SCRIPT)
    crm.add_task(SCRIPT, entity_type="leads", entity_id=lead)
    crm.subscribe("http://127.0.0.1:9/<b>", ["update_lead"])
    crm.update_lead(lead, price=5)
    sandbox.settle()
    assert_escaped(crm, "/contacts", "/tasks", "/calls", "/deliveries", f"/leads/{lead}")


def test_a_deal_is_clicked_through_its_stages(sandbox: Sandbox) -> None:
    """Adding and moving a deal on the page changes the account as a person would."""
    crm = sandbox.amocrm
    pipeline = crm.pipelines[0]
    act(crm, "add_lead", name="Шкаф", price="500", pipeline_id=pipeline["id"])
    (lead,) = crm.leads
    assert "Шкаф" in page(crm).text
    act(crm, "move", lead_id=lead, status_id=142, pipeline_id=pipeline["id"])
    assert crm.leads[lead]["status_id"] == 142
    refused = act(crm, "move", lead_id=lead, status_id=1, pipeline_id=pipeline["id"])
    assert (refused.status_code, "amoCRM отказала" in refused.text) == (200, True)


def test_a_call_and_a_task_on_the_page(sandbox: Sandbox) -> None:
    """A missed call lands at the contact with that phone, an unknown phone is said so, a task is completed."""
    crm = sandbox.amocrm
    contact = crm.add_contact(name="a", phones=["+79991112233"])
    task = crm.add_task("x")
    act(crm, "make_call", phone="8 999 111 22 33", direction="in", outcome="missed", duration="9")
    (note,) = crm.notes.values()
    assert (note["entity_type"], note["entity_id"], note["params"]["duration"]) == ("contacts", contact, 0)
    nobody = act(crm, "make_call", phone="+70000000000", direction="in", outcome="answered", duration="9")
    assert ("Этот номер не записан" in nobody.text, len(crm.notes)) == (True, 1)
    act(crm, "finish_task", task_id=task)
    assert crm.tasks[task]["is_completed"] is True


def test_the_page_speaks_english_too(sandbox: Sandbox) -> None:
    """`?lang=en` switches the words and the links keep it."""
    assert ("Сделки" in page(sandbox.amocrm).text, "Deals" in page(sandbox.amocrm, "/?lang=en").text) == (True, True)
    assert "/contacts?lang=en" in page(sandbox.amocrm, "/?lang=en").text
    moved = act(sandbox.amocrm, "fill", lang="en")
    assert ("lang=en" in moved.url, "Deals" in moved.text, len(sandbox.amocrm.leads)) == (True, True, 15)


def test_a_form_of_another_site_is_refused(sandbox: Sandbox) -> None:
    """A POST that another site's page sends is 403 and does nothing; an unknown act is 404."""
    foreign = act(sandbox.amocrm, "fill", origin="https://evil.example")
    assert (foreign.status_code, len(sandbox.amocrm.leads)) == (403, 0)
    assert act(sandbox.amocrm, "fill", origin=sandbox.url).status_code == 200
    assert act(sandbox.amocrm, "fly").status_code == 404


def test_assets_and_the_list_of_vendors(sandbox: Sandbox) -> None:
    """The page brings its own style and script; the root lists the vendors; a lost page is 404."""
    for name in ("page.css", "page.js"):
        assert page(sandbox.amocrm, f"/static/{name}").status_code == 200
    root = requests.get(f"{sandbox.url}/", timeout=5)
    assert ("amoCRM" in root.text, sandbox.amocrm.base_url in root.text) == (True, True)
    assert (page(sandbox.amocrm, "/leads/5").status_code, page(sandbox.amocrm, "/nowhere").status_code) == (404, 404)
