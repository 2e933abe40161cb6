"""Lists and batches of the emulated Bitrix24."""

from typing import Any
from urllib.parse import urlencode

import requests

from crmkit_sandbox import Sandbox


def ids(answer: Any) -> list[int]:
    return [int(row["ID"]) for row in answer]


def command(method: str, **params: Any) -> str:
    return f"{method}?{urlencode(params)}"


def test_pages_have_fifty_rows_and_next_only_when_there_is_more(portal: Sandbox, rest: Any) -> None:
    """Offsets count in fifties; the last page, even a full one, has no `next`; start=-1 counts nothing."""
    portal.bitrix24.bulk_deals(100)
    pages = [rest("crm.deal.list", start=start).json() for start in (0, 50, 100)]
    assert [(len(page["result"]), page["total"], page.get("next")) for page in pages] == [
        (50, 100, 50),
        (50, 100, None),
        (0, 100, None),
    ]
    fast = rest("crm.deal.list", start=-1, filter={">ID": 50}, order={"ID": "ASC"}).json()
    assert (ids(fast["result"]), fast["total"], "next" in fast) == (list(range(51, 101)), 0, False)


def test_filters_of_a_classic_list(portal: Sandbox, rest: Any) -> None:
    """Each prefix filters; an unknown field and an empty comparison let everything through."""
    crm = portal.bitrix24
    for index, (title, amount, stage) in enumerate((("Дом", 100, "NEW"), ("Дача", 200, "WON"), ("Сад", 300, "NEW"))):
        crm.add_deal(title=title, amount=amount, stage=stage, owner=index + 1)
        portal.clock.advance(3600)
    for filter_, found in (
        ({"STAGE_ID": "NEW"}, [1, 3]),
        ({"!STAGE_ID": "NEW"}, [2]),
        ({"@ID": [1, 3]}, [1, 3]),
        ({"ID": [3, 2]}, [2, 3]),
        ({"!@STAGE_ID": ["WON"]}, [1, 3]),
        ({">OPPORTUNITY": "100"}, [2, 3]),
        ({"<=OPPORTUNITY": 200}, [1, 2]),
        ({"%TITLE": "да"}, [2]),
        ({"=%TITLE": "Д%"}, [1, 2]),
        ({">=DATE_MODIFY": "2025-10-09T12:53:20+03:00"}, [2, 3]),
        ({">DATE_MODIFY": "2025-10-09T12:53:20+03:00"}, [3]),
        ({"<DATE_CREATE": "2025-10-09T12:00:00+03:00"}, [1]),
        ({"ASSIGNED_BY_ID": 2, "CLOSED": "Y"}, [2]),
        ({"NO_SUCH": 5}, [1, 2, 3]),
        ({">ID": ""}, [1, 2, 3]),
        ({"%STAGE_ID": "NE"}, []),
    ):
        assert (filter_, ids(rest.result("crm.deal.list", filter=filter_))) == (filter_, found)
    assert crm.requests[-4].ignored == ()
    assert [call.ignored for call in crm.requests if call.ignored] == [("NO_SUCH",)]


def test_order_and_select(portal: Sandbox, rest: Any) -> None:
    """Rows come in the asked order; ID is always there; multifields only when they are named."""
    crm = portal.bitrix24
    for name, phone in (("б", "2"), ("а", "1"), ("б", "3")):
        crm.add_contact(name=name, phones=[phone])
    rows = rest.result("crm.contact.list", order={"NAME": "ASC", "ID": "DESC"}, select=["NAME", "PHONE"])
    assert [(row["ID"], row["NAME"], row["PHONE"][0]["VALUE"]) for row in rows] == [
        ("2", "а", "1"),
        ("3", "б", "3"),
        ("1", "б", "2"),
    ]
    assert [set(row) for row in rows] == [{"ID", "NAME", "PHONE"}] * 3
    whole = rest.result("crm.contact.list")[0]
    assert ("PHONE" in whole, "UF_CRM_CITY" in whole) == (False, True)
    assert ids(rest.result("crm.contact.list", filter={"PHONE": "3"})) == [3]


def test_filters_of_a_universal_list(portal: Sandbox, rest: Any) -> None:
    """Logic may be nested and `or`; an unknown field is refused by name; `*` brings everything."""
    crm = portal.bitrix24
    for title, amount in (("a", 1), ("b", 2), ("c", 3)):
        crm.add_deal(title=title, amount=amount)

    def found(**filter_: Any) -> list[int]:
        items = rest.result("crm.item.list", entityTypeId=2, filter=filter_, select=["id"])["items"]
        assert all(set(item) == {"id"} for item in items)
        return [item["id"] for item in items]

    assert found(**{">=opportunity": 2}) == [2, 3]
    assert found(**{"0": {"title": "a"}, "1": {"title": "c"}, "logic": "OR"}) == [1, 3]
    assert found(**{">id": 1, "0": {"logic": "OR", "title": "a", "opportunity": 3}}) == [3]
    assert found(**{">ID": 1, "<ID": 3}) == [2]
    assert rest.refusal("crm.item.list", entityTypeId=2, filter={"FIELD": 1}) == (
        400,
        "INVALID_ARG_VALUE",
        "Invalid filter: field 'FIELD' is not allowed in filter",
    )
    whole = rest("crm.item.list", entityTypeId=2, select=["*"], start=0).json()
    assert (whole["total"], whole["result"]["items"][0]["ufCrmServices"]) == (3, [])


def test_forms_and_queries_carry_brackets(portal: Sandbox) -> None:
    """The same call works as a query, as a form and as JSON, with `.json` and in any case of the method."""
    crm = portal.bitrix24
    crm.bulk_deals(3)
    pairs = {"filter[>ID]": "1", "select[]": "TITLE", "order[ID]": "DESC"}
    body = {"filter": {">ID": 1}, "select": ["TITLE"], "order": {"ID": "DESC"}}
    answers = [
        requests.get(f"{crm.webhook_url}crm.deal.list.json", params=pairs, timeout=5),
        requests.post(f"{crm.webhook_url}CRM.Deal.List", data=pairs, timeout=5),
        requests.post(f"{crm.webhook_url}crm.deal.list/", json=body, timeout=5),
    ]
    expected = [{"ID": "3", "TITLE": "Сделка 3"}, {"ID": "2", "TITLE": "Сделка 2"}]
    assert [answer.json()["result"] for answer in answers] == [expected] * 3


def test_a_batch_runs_in_order_and_refers_back(portal: Sandbox, rest: Any) -> None:
    """Later commands see earlier results; parts without keys are lists; a failed key is only among errors."""
    portal.bitrix24.bulk_deals(120)
    first = command("crm.deal.list", **{"filter[>ID]": 0, "order[ID]": "ASC", "start": -1, "select[]": "ID"})
    then = first.replace("filter%5B%3EID%5D=0", "filter[>ID]=$result[c0][49][ID]")
    items = command("crm.item.list", **{"entityTypeId": 2, "filter[>id]": "$result[c1][49][ID]", "select[]": "id"})
    commands = {"c0": first, "c1": then, "c2": items, "c3": "crm.deal.get?id=999", "c4": "crm.settings.mode.get"}
    commands["c5"] = command("crm.deal.get", id="$result[c4]")
    answer = rest.result("batch", halt=0, cmd=commands)
    assert list(answer) == ["result", "result_error", "result_total", "result_next", "result_time"]
    assert ids(answer["result"]["c1"]) == list(range(51, 101))
    assert [item["id"] for item in answer["result"]["c2"]["items"]] == list(range(101, 121))
    assert (answer["result"]["c5"]["ID"], list(answer["result"])) == ("1", ["c0", "c1", "c2", "c4", "c5"])
    assert answer["result_error"] == {"c3": {"error": "", "error_description": "Not found"}}
    assert (answer["result_total"]["c2"], answer["result_next"]) == (20, [])
    # A reference that leads nowhere makes an empty condition, which is passed over: the first rows come again.
    again = rest.result("batch", cmd={"a": then.replace("c0", "zz")})
    assert ids(again["result"]["a"])[:2] == [1, 2]


def test_a_batch_stops_counts_and_refuses(portal: Sandbox, rest: Any) -> None:
    """halt=1 stops at the first error; the 51st command and a nested batch are refused; numeric keys are lost."""
    bad, good = "crm.deal.get?id=9", "crm.settings.mode.get"
    stopped = rest.result("batch", halt=1, cmd={"a": good, "b": bad, "c": good})
    assert (stopped["result"], list(stopped["result_error"])) == ({"a": 1}, ["b"])
    long = rest.result("batch", cmd={f"c{index}": good for index in range(51)})
    assert (len(long["result"]), long["result_error"]) == (
        50,
        {"c50": {"error": "ERROR_BATCH_LENGTH_EXCEEDED", "error_description": "Max batch length exceeded"}},
    )
    nested = rest.result("batch", cmd={"c0": "batch?cmd[a]=profile"})
    assert nested["result_error"]["c0"]["error"] == "ERROR_BATCH_METHOD_NOT_ALLOWED"
    numeric = rest.result("batch", cmd=[bad, "nope"])
    assert (numeric["result"], [row["error"] for row in numeric["result_error"]]) == (
        [],
        ["", "ERROR_METHOD_NOT_FOUND"],
    )
    form = requests.post(f"{portal.bitrix24.webhook_url}batch", data={"cmd[x]": good, "halt": "0"}, timeout=5)
    assert form.json()["result"]["result"] == {"x": 1}


def test_fifty_thousand_deals_are_read_in_twenty_batches(portal: Sandbox, rest: Any) -> None:
    """Windows of ids, fifty to a batch, bring every bulk deal once; a changed one shows its change."""
    crm = portal.bitrix24
    made = crm.bulk_deals(50_000)
    crm.update_deal(made[7], title="другая")
    found: list[dict[str, str]] = []
    for start in range(0, 50_000, 2500):
        windows = [(start + step, start + step + 50) for step in range(0, 2500, 50)]
        commands = {
            f"c{low}": command(
                "crm.deal.list", **{"filter[>ID]": low, "filter[<=ID]": high, "start": -1, "select[]": "TITLE"}
            )
            for low, high in windows
        }
        for rows in rest.result("batch", cmd=commands)["result"].values():
            found += rows
    assert ids(found) == list(made)
    assert found[7]["TITLE"] == "другая"
