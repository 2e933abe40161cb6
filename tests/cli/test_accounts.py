"""`crmkit accounts` and `crmkit migrate`: how the service stands, without a request to any CRM."""

from __future__ import annotations

from typing import Any

import pytest


def test_accounts_are_shown_as_they_are(shop: Any) -> None:
    """Connected since the first look, nothing waiting; nothing is asked of the CRM."""
    shop.sandbox.amocrm.reset_requests()

    [state] = shop.say("accounts", "--json").rows

    assert (state["key"], state["hints_waiting"], state["runs"], state["pause_reason"]) == ("acme", 0, {}, None)
    assert state["connected_at"] is not None
    assert shop.sandbox.amocrm.requests.rows() == []
    assert "acme" in shop.say("accounts").out


def test_watching_ends_when_all_is_loaded(shop: Any) -> None:
    """Calls need no first load, so there is nothing to wait for."""
    said = shop.say("accounts", "--watch")

    assert said.code == 0
    assert said.out.endswith("All is loaded.\n")


def test_hook_addresses_are_given(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One for each sender, and the same each time."""
    monkeypatch.setenv("CRMKIT_PUBLIC_URL", "https://hooks.example.com")

    first, second = (shop.say("accounts", "--hooks", "--json").rows for _ in range(2))

    assert first == second
    assert [(row["account"], row["sender"]) for row in first] == [("acme", "amocrm")]
    assert first[0]["url"].startswith("https://hooks.example.com/hooks/amocrm/acme/")


def test_hook_addresses_need_a_public_url(shop: Any) -> None:
    """The remedy names the key."""
    said = shop.say("accounts", "--hooks")

    assert said.code == 2
    assert "Set public_url under [service]" in said.err


def test_migrate_says_what_it_did(shop: Any) -> None:
    """A database that is current stays as it is."""
    database = shop.folder / "shop.sqlite3"

    assert shop.say("migrate", "--check").out == f"{database}: current\n"
    assert shop.say("migrate").out == f"{database}: current -> current\n"
    assert shop.say("migrate", "--check").code == 0
