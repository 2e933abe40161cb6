"""`crmkit ext`: the verbs of extensions, run by a person and kept like any other work."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.console import Console

from crmkit.extension import Progress
from crmkit_cli.bar import Bar


def test_extensions_and_their_commands_are_listed(shop: Any) -> None:
    """With accounts, mode and summaries."""
    place = {"extension": "shop", "accounts": "acme", "mode": "apply"}
    listed = [
        {**place, "command": "greet", "summary": "Make a task on a contact."},
        {**place, "command": "fail", "summary": "Break off."},
        {**place, "command": "long", "summary": "Take its time."},
    ]
    assert shop.say("ext", "--json").rows == listed
    assert shop.say("ext", "shop", "--json").rows == listed
    assert "Make a task on a contact." in shop.say("ext").out


def test_a_command_prints_what_it_yields_and_its_run_is_kept(shop: Any) -> None:
    """It works on the only account without being told; words, even those with dashes, go to the extension."""
    said = shop.say("ext", "shop", "greet", "call", "--soon")

    assert said.code == 0
    assert said.out.startswith("task acme/task:")
    assert shop.tasks == ["call --soon"]
    [run] = shop.say("replay", "--list", "--json").rows
    assert (run["handler"], run["state"], run["decisions"]) == ("command:greet", "done", ["asked by a person"])


def test_in_plan_mode_a_command_plans(shop: Any) -> None:
    """Nothing is written until the plan is applied."""
    shop.set_mode("plan")

    assert shop.say("ext", "shop", "greet", "hello").code == 0

    assert shop.tasks == []
    [item] = shop.say("plan", "--json").rows
    assert (item["write"]["values"]["text"], item["reasons"]) == ("hello", ["asked by a person"])
    assert shop.say("plan", "--all").code == 0
    assert shop.tasks == ["hello"]


def test_a_command_that_breaks_off_is_kept_and_not_replayed(shop: Any) -> None:
    """What it printed stands, its fault is one line, and a replay leaves it to the person."""
    said = shop.say("ext", "shop", "fail")

    assert (said.code, said.out) == (1, "begun\n")
    assert said.err.startswith("Error: RuntimeError: broken\n")
    [run] = shop.say("replay", "--list", "--json").rows
    assert (run["state"], run["error"]) == ("stopped", "RuntimeError: broken")
    assert shop.say("replay", "--failed", "--json").rows == [{"type": "queued", "count": 0}]


def test_progress_is_drawn_for_people_only(shop: Any) -> None:
    """In a file or a script only the lines stand."""
    assert shop.say("ext", "shop", "long").out == "half\n"
    assert shop.say("ext", "shop", "long", "--json").rows == [{"line": "half"}]


def test_a_bar_is_drawn_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step with its count, and the lines above it."""
    screen = Console(file=io.StringIO(), force_terminal=True, width=80)
    monkeypatch.setattr("crmkit_cli.bar.console", screen)
    with Bar() as bar:
        bar.show(Progress("reading", 1, 2))
        bar.line("found [one]")
        bar.show(Progress("reading", 2, 2))
    drawn = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.file.getvalue())  # type: ignore[attr-defined]

    assert "found [one]" in drawn
    assert re.search(r"reading .*2/2", drawn)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sop"], "Error: there is no extension 'sop'\n  → There is: shop. Did you mean shop?\n"),
        (
            ["shop", "gret"],
            "Error: there is no shop command 'gret'\n  → There is: greet, fail, long. Did you mean greet?\n",
        ),
        (
            ["shop", "greet", "--account", "acne"],
            "Error: there is no account 'acne'\n  → There is: acme. Did you mean acme?\n",
        ),
    ],
)
def test_wrong_names_are_answered_with_the_nearest(shop: Any, words: list[str], message: str) -> None:
    """Exit 2."""
    said = shop.say("ext", *words)

    assert (said.code, said.err) == (2, message)
