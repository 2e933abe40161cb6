"""`crmkit decode`: what a raw body says, without a service and without a secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ACCOUNT = {"account[id]": "31000001", "account[subdomain]": "romashka"}


def body(folder: Path, fields: dict[str, str], name: str = "hook.form") -> str:
    """The name of a file with a form body."""
    path = folder / name
    path.write_text(urlencode({**fields, **ACCOUNT}))
    return str(path)


def test_a_hook_gives_hints(cli: Any, tmp_path: Path) -> None:
    """Each record it names, with what the sender says happened."""
    file = body(
        tmp_path,
        {"leads[status][0][id]": "42", "leads[status][0][status_id]": "142", "leads[delete][0][id]": "43"},
    )

    said = cli("decode", "amocrm", file, "--json")

    assert said.code == 0
    assert sorted((row["type"], row["kind"], row["id"], row["action"]) for row in said.rows) == [
        ("hint", "deal", "42", "changed"),
        ("hint", "deal", "43", "deleted"),
    ]


def test_people_get_sentences(cli: Any, tmp_path: Path) -> None:
    """A line for each hint."""
    said = cli("decode", "amocrm", body(tmp_path, {"contacts[add][0][id]": "7", "contacts[add][0][type]": "contact"}))

    assert (said.code, said.out) == (0, "hint   contact 7  added\n")


def test_a_call_of_a_telephony_is_a_fact(cli: Any, tmp_path: Path) -> None:
    """It carries its own body."""
    path = tmp_path / "call.form"
    path.write_text(
        urlencode(
            {
                "uniqueid": "c-1",
                "call_type": "in",
                "caller": "79161234567",
                "dst": "74951112233",
                "disposition": "NO ANSWER",
                "calldate": "2026-01-31 12:00:00",
                "billsec": "0",
                "phase": "after_call",
            }
        )
    )

    said = cli("decode", "ringostat", str(path), "--json")

    assert [(row["type"], row.get("event"), row.get("reason")) for row in said.rows] == [("fact", "CallFinished", None)]


def test_a_body_that_says_nothing_is_explained(cli: Any, tmp_path: Path) -> None:
    """Exit 1, and why."""
    path = tmp_path / "hostile.form"
    path.write_bytes(b"leads[add][0][id]=%zz&" + b"a=1&" * 30_000)

    said = cli("decode", "amocrm", str(path))

    assert said.code == 1
    assert said.out.startswith("refused  The form body has 30,002 pairs, 20,000 are read at most.")


def test_an_unknown_sender_is_named(cli: Any, tmp_path: Path) -> None:
    """With those that are installed."""
    said = cli("decode", "amocr", body(tmp_path, {}))

    assert said.code == 2
    assert said.err.startswith("Error: there is no sender 'amocr'\n  → Installed: amocrm")


def test_a_file_that_is_not_there_is_named(cli: Any, tmp_path: Path) -> None:
    """Exit 2."""
    said = cli("decode", "amocrm", str(tmp_path / "hook.form"))

    assert said.code == 2
    assert f"{tmp_path}/hook.form" in said.err
