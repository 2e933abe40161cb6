"""`crmkit sandbox` tells a client everything it needs to begin, whatever the CRM."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

Told = dict[str, Any]


@contextmanager
def told(*words: str) -> Iterator[Told]:
    """What a running `crmkit sandbox --json` says; SIGTERM ends it with 0."""
    command = [sys.executable, "-m", "crmkit_cli", "sandbox", "--port", "0", "--json", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "CRMKIT_LANG": "en"})
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


@pytest.fixture(scope="module")
def accounts() -> Iterator[dict[str, Told]]:
    """What it says of each CRM, when nothing is asked for."""
    with told() as everything:
        yield everything["accounts"]


def test_it_starts_every_crm_with_its_page(accounts: dict[str, Told]) -> None:
    """Three, when none is chosen."""
    pages = [requests.get(account["page"], timeout=5) for account in accounts.values()]

    assert list(accounts) == ["amocrm", "bitrix24", "retailcrm"]
    assert [(page.status_code, page.headers["Content-Type"].partition(";")[0]) for page in pages] == [
        (200, "text/html")
    ] * 3


def test_the_doors_of_amocrm_open(accounts: dict[str, Told]) -> None:
    """The long-lived token reads; the one-time code brings a pair, once."""
    amocrm = accounts["amocrm"]
    headers = {"Authorization": f"Bearer {amocrm['token']}"}
    account = requests.get(f"{amocrm['base_url']}/api/v4/account", headers=headers, timeout=5)
    grant = {name: amocrm[name] for name in ("client_id", "client_secret", "redirect_uri", "code")}
    grant["grant_type"] = "authorization_code"
    answers = [requests.post(f"{amocrm['base_url']}/oauth2/access_token", json=grant, timeout=5) for _ in range(2)]

    assert (account.status_code, [answer.status_code for answer in answers]) == (200, [200, 400])
    assert sorted(answers[0].json()) == ["access_token", "expires_in", "refresh_token", "token_type"]


def test_the_doors_of_bitrix24_open(accounts: dict[str, Told]) -> None:
    """The webhook reads, and so does the application's token; the refresh token brings another pair."""
    portal = accounts["bitrix24"]
    by_webhook = requests.get(f"{portal['webhook']}profile.json", timeout=5)
    by_token = requests.get(f"{portal['base_url']}/rest/profile", params={"auth": portal["access_token"]}, timeout=5)
    grant = {name: portal[name] for name in ("client_id", "client_secret", "refresh_token")}
    refreshed = requests.get(portal["oauth_url"], params={**grant, "grant_type": "refresh_token"}, timeout=5)

    assert [answer.status_code for answer in (by_webhook, by_token, refreshed)] == [200, 200, 200]
    assert refreshed.json()["member_id"] == portal["member_id"]


def test_the_door_of_retailcrm_opens(accounts: dict[str, Told]) -> None:
    """The key reads."""
    shop = accounts["retailcrm"]
    answer = requests.get(f"{shop['base_url']}/api/v5/orders", headers={"X-API-KEY": shop["api_key"]}, timeout=5)

    assert (answer.status_code, answer.json()["success"]) == (200, True)


def test_one_crm_may_be_chosen() -> None:
    """The others are not there; without sample data there are no records."""
    with told("--vendor", "retailcrm", "--empty") as everything:
        shop = everything["accounts"]["retailcrm"]
        answer = requests.get(f"{shop['base_url']}/api/v5/orders", headers={"X-API-KEY": shop["api_key"]}, timeout=5)

        assert list(everything["accounts"]) == ["retailcrm"]
        assert (answer.json()["orders"], requests.get(f"{everything['url']}/amocrm/", timeout=5).status_code) == (
            [],
            404,
        )
