"""Tokens of a running service: one refresh however many processes ask; a spent pair pauses the account, no more."""

from __future__ import annotations

import multiprocessing
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from typing import Any

import pytest
import requests
from tests.end_to_end.situations.premises import ACCOUNT, Open, Premises
from tests.end_to_end.situations.test_outage import call_back

from crmkit.settings import ServiceConfig
from crmkit.tokens import Tokens
from crmkit_runtime.service import Service
from crmkit_sandbox.amocrm import AmoCrm

OpenPremises = Callable[..., Premises]
A_DAY = timedelta(hours=25)
PROCESSES, THREADS = 3, 8
PHONE = "+79161110000"


def read_at_once(config: Mapping[str, Any], environment: Mapping[str, str], begin: Barrier, told: Queue[str]) -> None:
    """One process: as many readers as threads, who all begin when those of the other processes do."""
    service = Service.open(ServiceConfig.model_validate(config), environment=environment)
    ready = threading.Barrier(THREADS, action=lambda: _wait(begin))

    def read(number: int) -> str:
        account = service.accounts[ACCOUNT]
        ready.wait(60)
        try:
            return (account.live if number % 2 else account.bulk).account().id
        except Exception as error:  # noqa: BLE001 -- whatever it is, the test shall say so
            return repr(error)

    with ThreadPoolExecutor(THREADS) as pool:
        for outcome in pool.map(read, range(THREADS)):
            told.put(outcome)
    service.close()


def _wait(begin: Barrier) -> None:
    begin.wait(60)


def test_an_expired_token_is_refreshed_once_over_threads_and_processes(premises: OpenPremises) -> None:
    """Three processes with eight threads each meet a dead token at once: one token request, and nobody fails."""
    place = premises(is_turned=False, is_oauth=True)
    amo = place.amo()
    amo.limits.enabled = False
    with place.open() as desk:
        answer = amo.issue_tokens()
        expired = Tokens(answer["access_token"], answer["refresh_token"], amo.account.now() - 10.0)
        desk.service.tokens.save(ACCOUNT, expired)
        config, environment = desk.service.config.model_dump(), place.environment()
    context = multiprocessing.get_context("spawn")
    begin, told = context.Barrier(PROCESSES), context.Queue()
    crew = [
        context.Process(target=read_at_once, args=(config, environment, begin, told), daemon=True)
        for _ in range(PROCESSES)
    ]
    for one in crew:
        one.start()
    outcomes = Counter(told.get(timeout=60) for _ in range(PROCESSES * THREADS))
    for one in crew:
        one.join(30)

    assert outcomes == {str(amo.account_id): PROCESSES * THREADS}
    assert amo.requests.count(method="POST", path="/oauth2/access_token") == 1
    assert amo.requests.count(status=401) == 0


@pytest.mark.parametrize("way", ["code", "tokens"])
def test_a_refresh_token_spent_elsewhere_pauses_the_account_until_a_person_authorises(
    premises: OpenPremises, way: str
) -> None:
    """Calls of the meantime wait, none is dead; a new code, or new tokens, and each has its one task."""
    place = premises(is_oauth=True)
    amo = place.amo()
    person = amo.add_contact(name="Анна", phones=[PHONE], hooks=False)
    with place.open(call_back()) as desk:
        desk.connect()
        spend_elsewhere(amo, desk)
        place.time.advance(A_DAY.total_seconds())
        for _ in range(2):
            amo.add_call_note("contacts", person, phone=PHONE, duration=0)
            desk.pass_time(timedelta(hours=2))
        state = desk.account()
        assert state.pause_reason is not None
        assert "the refresh token is refused: it is spent, expired or revoked" in state.pause_reason
        assert "Authorise the integration again" in state.pause_reason
        assert (state.runs.get("dead", 0), len(amo.tasks)) == (0, 0)
        if way == "tokens":
            answer = amo.issue_tokens()
            soon = amo.account.now() + float(answer["expires_in"])
            desk.service.tokens.save(ACCOUNT, Tokens(answer["access_token"], answer["refresh_token"], soon))
    # The environment of a service that is started anew holds a fresh code.
    with place.open(call_back()) as desk:
        desk.pass_time(timedelta(minutes=10))
        desk.pass_time(timedelta(minutes=10))
        assert desk.account().runs == {"done": 2}
        assert [task["entity_id"] for task in amo.tasks.values()] == [person] * 2
        assert desk.account().pause_reason is None


def spend_elsewhere(amo: AmoCrm, desk: Open) -> None:
    """A script that has a copy of the tokens refreshes them, and keeps the new ones to itself."""
    stored = desk.service.tokens.load(ACCOUNT)
    assert stored is not None
    body = {
        "client_id": amo.client_id,
        "client_secret": amo.client_secret,
        "redirect_uri": amo.redirect_uri,
        "grant_type": "refresh_token",
        "refresh_token": stored.refresh,
    }
    assert requests.post(f"{amo.base_url}/oauth2/access_token", json=body, timeout=5).status_code == 200
