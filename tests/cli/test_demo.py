"""`crmkit demo`: the same day in every CRM, and what must come of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from crmkit_cli.day import ACTS
from crmkit_cli.demo import Outcome
from crmkit_cli.shops import AmoCrmShop
from crmkit_sandbox import Sandbox

EXPECTED = [
    ("answered", 1),
    ("missed", 1),
    ("tripled", 1),
    ("accidental", 0),
    ("lost", 1),
    ("limited", 1),
    ("killed", 1),
    ("stranger", 1),
]
CRMS = ("amocrm", "bitrix24", "retailcrm")


@pytest.mark.slow
def test_the_day_ends_as_it_must_in_every_crm() -> None:
    """Three hooks are one task, a lost one is found, a kill writes nothing twice; a line an act and a CRM."""
    done = subprocess.run(
        [sys.executable, "-m", "crmkit_cli", "demo", "--json"],
        env={**os.environ, "CRMKIT_LANG": "en"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    *rows, last = map(json.loads, done.stdout.splitlines())

    assert (done.returncode, done.stderr) == (0, "")
    assert [(row["act"], row["vendor"], len(row["tasks"])) for row in rows] == [
        (act, vendor, tasks) for act, tasks in EXPECTED for vendor in CRMS
    ]
    assert all(row["decisions"] and row["ok"] for row in rows)
    assert (last["summary"]["ok"], last["summary"]["tasks"]) == (True, 21)


@pytest.mark.parametrize(("tasks", "is_right"), [([], False), (["one"], True), (["one", "two"], False)])
def test_an_act_is_right_with_as_many_tasks_as_it_deserves(tasks: list[str], is_right: bool) -> None:
    """None too few, and none too many."""
    missed = next(act for act in ACTS if act.key == "missed")

    assert Outcome(missed, AmoCrmShop(Sandbox()), tasks=tasks).is_right is is_right


def test_a_crm_that_there_is_not_is_refused(cli: Any) -> None:
    """Before anything is started."""
    said = cli("demo", "--vendor", "bitrix")

    assert said.code == 2
    assert "'amocrm', 'bitrix24', 'retailcrm'" in said.err
