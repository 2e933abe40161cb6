"""The page of the emulated retailCRM: board, acts, languages, escaping."""

import requests
from tests.sandbox.board import SCRIPT, act, assert_escaped, page

from crmkit_sandbox import Sandbox


def test_everything_shown_is_escaped(shop: Sandbox) -> None:
    """Names, products, phones, tasks, comments and trigger values never become markup."""
    crm = shop.retailcrm
    crm.add_trigger("order.change", "http://127.0.0.1:9/<b>", parameters={SCRIPT: "{{ order.getManagerComment() }}"})
    person = crm.add_customer(firstName=SCRIPT, phones=[SCRIPT])
    crm.add_corporate(nickName=SCRIPT)
    order = crm.add_order(customer=person, items=[(SCRIPT, 1, 1)], customFields={"remark": SCRIPT})
    crm.update_order(order, managerComment=SCRIPT)
    crm.call(SCRIPT)
    crm.add_task(SCRIPT, order=order)
    shop.settle()
    assert_escaped(crm, "/customers", "/tasks", "/calls", "/deliveries", f"/orders/{order}")


def test_an_order_is_clicked_through_its_statuses(shop: Sandbox) -> None:
    """Adding, moving and commenting on the page changes the account as a person would."""
    crm = shop.retailcrm
    act(crm, "add_order", client="Анна", phone="+79000000001", product="Чайник", price="1990")
    (order,) = crm.orders
    assert (crm.orders[order]["customer"]["firstName"], "Чайник" in page(crm).text) == ("Анна", True)
    act(crm, "move", lead_id=order, status_id="complete")
    assert crm.orders[order]["status"] == "complete"
    assert crm.history("orders")[-1]["source"] == "user"
    commented = act(crm, "comment", order_id=order, text="перезвонить")
    assert (f"/orders/{order}" in commented.url, crm.orders[order]["managerComment"]) == (True, "перезвонить")
    refused = act(crm, "move", lead_id=order, status_id="nowhere")
    assert (refused.status_code, "retailCRM отказала" in refused.text) == (200, True)


def test_calls_tasks_and_triggers_on_the_page(shop: Sandbox) -> None:
    """A call is stored, a task completed, a trigger added and removed; its address is masked."""
    crm = shop.retailcrm
    task = crm.add_task("x")
    act(crm, "make_call", phone="+79000000001", direction="in", outcome="missed", duration="9")
    act(crm, "finish_task", task_id=task)
    shown = act(crm, "add_trigger", event="order.create", method="POST", url="http://127.0.0.1:9/hooks/verysecretpart")
    assert (crm.calls[1]["result"], crm.tasks[task]["complete"]) == ("no answer", True)
    assert ("order.create" in shown.text, "verysecretpart" in shown.text) == (True, False)
    (trigger,) = crm.triggers
    act(crm, "add_trigger", event="order.create", method="POST", url="file:///etc/passwd")
    act(crm, "remove_trigger", trigger_id=trigger["id"])
    assert crm.triggers == []


def test_the_card_of_an_order_names_what_is_in_it(shop: Sandbox) -> None:
    """The card heads the items with their word and lists each with its count and price."""
    order = shop.retailcrm.add_order(items=[("Чайник", 1990, 2)])
    shown = page(shop.retailcrm, f"/orders/{order}").text
    assert ("<h2>Состав</h2>" in shown, "<p>Чайник · 2 × 1990 ₽</p>" in shown) == (True, True)


def test_the_page_speaks_english_too(shop: Sandbox) -> None:
    """`?lang=en` switches the words and the links keep it."""
    assert ("Заказы" in page(shop.retailcrm).text, "Orders" in page(shop.retailcrm, "/?lang=en").text) == (True, True)
    assert "/customers?lang=en" in page(shop.retailcrm, "/?lang=en").text
    filled = act(shop.retailcrm, "fill", lang="en")
    assert ("lang=en" in filled.url, len(shop.retailcrm.orders)) == (True, 15)
    for path in ("/", "/customers", "/tasks", "/calls", "/deliveries"):
        assert page(shop.retailcrm, f"{path}?lang=en").status_code == 200


def test_a_form_of_another_site_is_refused(shop: Sandbox) -> None:
    """A POST that another site's page sends is 403 and does nothing; an unknown act and a lost page are 404."""
    crm = shop.retailcrm
    foreign = act(crm, "fill", origin="https://evil.example")
    assert (foreign.status_code, len(crm.orders)) == (403, 0)
    assert (
        act(crm, "fly").status_code,
        page(crm, "/orders/5").status_code,
        page(crm, "/no").status_code,
    ) == (
        404,
        404,
        404,
    )


def test_the_page_brings_its_style_and_stands_in_the_list(shop: Sandbox) -> None:
    """Style and script are served under its own address, and the root lists the vendor."""
    assert [page(shop.retailcrm, f"/static/{name}").status_code for name in ("page.css", "page.js")] == [200, 200]
    assert "retailCRM" in requests.get(f"{shop.url}/", timeout=5).text
