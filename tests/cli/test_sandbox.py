"""`crmkit sandbox` tells a client everything it needs to begin."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import requests


def test_its_addresses_open_both_doors() -> None:
    """The long-lived token reads; the one-time code brings a pair, once; SIGTERM ends it with 0."""
    command = [sys.executable, "-m", "crmkit_cli", "sandbox", "--port", "0", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "CRMKIT_LANG": "en"})
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        account = requests.get(
            f"{told['amocrm']}/api/v4/account", headers={"Authorization": f"Bearer {told['token']}"}, timeout=5
        )
        grant = {**told["oauth"], "grant_type": "authorization_code"}
        answers = [requests.post(f"{told['amocrm']}/oauth2/access_token", json=grant, timeout=5) for _ in range(2)]
    finally:
        process.send_signal(signal.SIGTERM)
    assert (account.status_code, [answer.status_code for answer in answers]) == (200, [200, 400])
    assert sorted(answers[0].json()) == ["access_token", "expires_in", "refresh_token", "token_type"]
    assert process.wait(timeout=10) == 0
