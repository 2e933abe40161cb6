"""`crmkit plan`: what would be written is shown, written when asked for, and never over somebody's change."""

from __future__ import annotations

from typing import Any

import pytest

PHONE = "+79161234567"


@pytest.fixture
def planned(shop: Any) -> Any:
    """The shop in plan mode after a missed call."""
    shop.set_mode("plan")
    shop.sandbox.amocrm.call(PHONE, duration=0, hooks=False)
    shop.sandbox.clock.advance(120)
    shop.work()
    assert shop.tasks == []
    return shop


def test_the_plan_says_what_and_why(planned: Any) -> None:
    """Each item with its write, its reasons and its state."""
    [item] = planned.say("plan", "--json").rows

    assert (item["id"], item["extension"], item["state"], item["reasons"]) == (1, "shop", "planned", ["missed"])
    assert (item["write"]["verb"], item["write"]["kind"]) == ("create", "task")
    assert item["write"]["values"]["text"] == "Call back"
    assert "create task" in planned.say("plan").out


def test_an_item_is_written_once(planned: Any) -> None:
    """Applied, it leaves the plan and stands in the CRM."""
    said = planned.say("plan", "--apply", "1", "--json")

    assert [(row["id"], row["state"]) for row in said.rows] == [(1, "applied")]
    assert said.code == 0
    assert planned.tasks == ["Call back"]
    assert planned.say("plan", "--json").rows == []
    assert [row["id"] for row in planned.say("plan", "--state", "applied", "--json").rows] == [1]


def test_everything_is_written_at_once(planned: Any) -> None:
    """`--all`, with a sentence for each and a sum."""
    said = planned.say("plan", "--all")

    assert said.code == 0
    assert said.out.splitlines()[0].startswith("1: applied  acme/task:")
    assert said.out.splitlines()[-1] == "Applied 1 of 1"


def test_what_the_crm_refuses_stays_planned(planned: Any) -> None:
    """Exit 1, and it can be applied again."""
    planned.sandbox.faults.add(vendor="amocrm", method="POST", path="/api/v4/tasks", status=402, times=9)

    said = planned.say("plan", "--all", "--json")

    assert [(row["id"], row["state"]) for row in said.rows] == [(1, "failed")]
    assert said.code == 1
    assert [row["id"] for row in planned.say("plan", "--json").rows] == [1]


def test_an_item_is_dropped(planned: Any) -> None:
    """It is not planned again."""
    said = planned.say("plan", "--drop", "1")

    assert (said.code, said.out) == (0, "1: dropped\n")
    assert planned.say("plan").out == "The plan is empty.\n"


@pytest.mark.parametrize("word", ["--apply", "--drop"])
def test_a_number_that_is_not_there_is_named(planned: Any, word: str) -> None:
    """Nothing is written or dropped then."""
    said = planned.say("plan", word, "1", word, "9")

    assert (said.code, said.err) == (1, "Error: the plan has no items 9\n  → crmkit plan shows them.\n")
    assert [row["id"] for row in planned.say("plan", "--json").rows] == [1]


def test_all_and_some_exclude_each_other(planned: Any) -> None:
    """Exit 2."""
    assert planned.say("plan", "--all", "--apply", "1").code == 2
