"""The page of the emulated Bitrix24 and its side of the control API."""

import requests
from tests.sandbox.board import SCRIPT, act, assert_escaped, page

from crmkit_sandbox import Sandbox


def control(portal: Sandbox, path: str, **body: object) -> requests.Response:
    return requests.post(f"{portal.url}/_sandbox/{path}", json=body, timeout=5)


def test_everything_shown_is_escaped(portal: Sandbox) -> None:
    """Names, comments, to-dos, phones and bodies of events never become markup; tokens are masked."""
    crm = portal.bitrix24
    contact = crm.add_contact(name=SCRIPT, phones=[SCRIPT])
    deal = crm.add_deal(title=SCRIPT, contacts=[contact], custom_fields={"Город": SCRIPT})
    crm.add_comment("deal", deal, SCRIPT)
    crm.add_todo("deal", deal, SCRIPT)
    crm.call(SCRIPT)
    crm.subscribe("http://127.0.0.1:9/<b>", ["ONCRMDEALUPDATE"])
    crm.update_deal(deal, amount=5)
    portal.settle()
    assert_escaped(crm, "/contacts", "/tasks", "/calls", "/deliveries", f"/deals/{deal}", "/?lang=en&pipeline=1")
    assert crm.application_token not in page(crm, "/deliveries").text
    assert page(crm, "/static/page.css").status_code == 200


def test_a_deal_is_clicked_through_its_stages(portal: Sandbox) -> None:
    """Adding and moving a deal on the page changes the portal; a stage that is not there is refused."""
    crm = portal.bitrix24
    act(crm, "add_deal", name="Шкаф", price="500", pipeline_id=0)
    (deal,) = crm.deals
    assert "Шкаф" in page(crm).text
    act(crm, "move", lead_id=deal, status_id="WON", pipeline_id=0)
    assert (crm.deals[deal]["STAGE_ID"], crm.deals[deal]["OPPORTUNITY"]) == ("WON", "500.00")
    refused = act(crm, "move", lead_id=deal, status_id="NOPE", pipeline_id=0)
    assert (refused.status_code, "Битрикс24 отказал" in refused.text) == (200, True)
    assert act(crm, "move", origin="http://evil.example", lead_id=deal, status_id="NEW").status_code == 403
    assert page(crm, "/deals/99").status_code == 404


def test_calls_comments_and_todos_on_the_page(portal: Sandbox) -> None:
    """A call finds its person or says that nobody has the number; a to-do is completed; a comment is added."""
    crm = portal.bitrix24
    contact = crm.add_contact(name="a", phones=["+79991112233"])
    deal = crm.add_deal(title="x")
    todo = crm.add_todo("deal", deal)
    act(crm, "finish_task", task_id=todo)
    act(crm, "add_note", lead_id=deal, text="Перезвонил сам")
    act(crm, "make_call", phone="89991112233", direction="in", outcome="missed")
    unknown = act(crm, "make_call", phone="+70000000000", direction="out", outcome="answered", duration=5, lang="en")
    assert (crm.activities[todo]["COMPLETED"], [row["COMMENT"] for row in crm.comments.values()]) == (
        "Y",
        ["Перезвонил сам"],
    )
    calls = [(row["CRM_ENTITY_ID"], row["CALL_FAILED_CODE"], row["CALL_TYPE"]) for row in crm.calls.values()]
    assert calls == [(str(contact), "304", "2"), (None, "200", "1")]
    assert "Nobody has this number" in unknown.text
    act(crm, "fill")
    assert len(crm.deals) == 16


def test_the_control_api_does_what_people_do(portal: Sandbox) -> None:
    """Acts of people, limits, state and requests are there for other processes."""
    crm = portal.bitrix24
    made = control(portal, "bitrix24/do/add_deal", title="x").json()["result"]
    control(portal, "bitrix24/do/move_deal", id=made, stage_id="WON")
    assert crm.deals[made]["STAGE_ID"] == "WON"
    assert control(portal, "bitrix24/do/move_deal", id=made, stage_id="NO").status_code == 400
    control(portal, "limits", vendor="bitrix24", burst=250, per_second=5, enabled=True)
    assert (crm.bucket.burst, crm.limits.per_second, crm.limits.enabled) == (250, 5, True)
    state = requests.get(f"{portal.url}/_sandbox/state", params={"vendor": "bitrix24"}, timeout=5).json()
    assert [row["ID"] for row in state["deals"]] == [str(made)]
    requests.get(f"{crm.webhook_url}profile", timeout=5)
    log = requests.get(f"{portal.url}/_sandbox/requests", params={"vendor": "bitrix24"}, timeout=5).json()
    assert [row["status"] for row in log["requests"]] == [200]
