"""Tokens of a running service: one refresh however many processes ask; a spent pair pauses the account, no more."""

from __future__ import annotations

import multiprocessing
import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, Protocol

import pytest
import requests
from tests.end_to_end.three_crms.branches import Access, Branches

from crmkit import Contact, ContactUpdated, Context, Extension, Kind, NoSettings, Task
from crmkit.settings import ServiceConfig
from crmkit.tokens import Tokens
from crmkit_runtime.service import Service
from crmkit_testing.side import ACCOUNT

A_DAY = timedelta(hours=25)
PROCESSES, THREADS = 3, 8


class Office(Protocol):
    """What a vendor's OAuth looks like from outside."""

    def access(self, side: Any) -> Access:
        """An account's table and secrets with the OAuth set."""

    def expired(self, side: Any) -> Tokens:
        """A pair whose access token is dead and whose refresh token is good."""

    def refreshes(self, side: Any) -> int:
        """How many token requests there were."""

    def spend(self, side: Any, refresh: str | None) -> int:
        """Refresh a pair elsewhere, keep the new one; the status of the answer."""


class AmoCrmOffice:
    """An integration opened with a one-time code."""

    def access(self, side: Any) -> Access:
        amo = side.amo
        table = {**side.account_table(), "client_id": amo.client_id, "redirect_uri": amo.redirect_uri}
        return table, {"CRMKIT_ACME_CLIENT_SECRET": amo.client_secret, "CRMKIT_ACME_CODE": amo.auth_code()}

    def expired(self, side: Any) -> Tokens:
        answer = side.amo.issue_tokens()
        return Tokens(answer["access_token"], answer["refresh_token"], side.now().timestamp() - 10.0)

    def refreshes(self, side: Any) -> int:
        found: int = side.amo.requests.count(method="POST", path="/oauth2/access_token")
        return found

    def spend(self, side: Any, refresh: str | None) -> int:
        amo = side.amo
        own = {"client_id": amo.client_id, "client_secret": amo.client_secret, "redirect_uri": amo.redirect_uri}
        body = {**own, "grant_type": "refresh_token", "refresh_token": refresh}
        return requests.post(f"{amo.base_url}/oauth2/access_token", json=body, timeout=5).status_code


class Bitrix24Office:
    """An application opened with the refresh token of its installation: a code lives half a minute here."""

    def access(self, side: Any) -> Access:
        return side.account_table(), side.environment()

    def expired(self, side: Any) -> Tokens:
        answer = side.portal.issue_tokens(-1)
        return Tokens(answer["access_token"], answer["refresh_token"], side.now().timestamp() - 1.0)

    def refreshes(self, side: Any) -> int:
        found: int = side.portal.requests.count(method="GET", path="/oauth/token/")
        return found

    def spend(self, side: Any, refresh: str | None) -> int:
        portal = side.portal
        own = {"client_id": portal.client_id, "client_secret": portal.client_secret}
        query = {**own, "grant_type": "refresh_token", "refresh_token": refresh}
        return requests.get(portal.oauth_url, params=query, timeout=5).status_code


WITH_A_KEY = pytest.mark.skip(reason="retailCRM is opened with an API key: there are no tokens to refresh")
OFFICES: Mapping[str, Office] = {"amocrm": AmoCrmOffice(), "bitrix24": Bitrix24Office()}
VENDORS = (*OFFICES, pytest.param("retailcrm", marks=WITH_A_KEY))


def read_at_once(config: Mapping[str, Any], environment: Mapping[str, str], begin: Barrier, told: Queue[str]) -> None:
    """One process: as many readers as threads, who all begin when those of the other processes do."""
    service = Service.open(ServiceConfig.model_validate(config), environment=environment)
    ready = threading.Barrier(THREADS, action=lambda: _wait(begin))

    def read(number: int) -> str:
        account = service.accounts[ACCOUNT]
        ready.wait(60)
        try:
            connection = account.live if number % 2 else account.bulk
            return f"{len(next(iter(connection.pages(Kind.CONTACT))).records)} contacts"
        except Exception as error:  # noqa: BLE001 -- whatever it is, the test shall say so
            return repr(error)

    with ThreadPoolExecutor(THREADS) as pool:
        for outcome in pool.map(read, range(THREADS)):
            told.put(outcome)
    service.close()


def _wait(begin: Barrier) -> None:
    begin.wait(60)


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_expired_token_is_refreshed_once_over_threads_and_processes(tmp_path: Path, vendor: str) -> None:
    """Three processes with eight threads each meet a dead token at once: one token request, and nobody fails."""
    office = OFFICES[vendor]
    with Branches(tmp_path, vendor, is_turned=False, access=office.access) as place:
        side = place.sides[ACCOUNT]
        getattr(side.sandbox, vendor).limits.enabled = False
        side.add(Contact(name="Анна"), hooks=False)
        with place.open() as desk:
            desk.service.tokens.save(ACCOUNT, office.expired(side))
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
        refreshes = office.refreshes(side)
    assert outcomes == {"1 contacts": PROCESSES * THREADS}
    assert refreshes == 1


def clerk() -> Extension[NoSettings]:
    """A task for each change of a person."""
    extension = Extension("clerk")

    @extension.on(ContactUpdated)
    def make_task(event: ContactUpdated, ctx: Context[NoSettings]) -> None:
        ctx.crm.tasks.create(Task(text=f"Позвонить: {event.contact.name}", about=event.ref, due=ctx.now))

    return extension


@pytest.mark.parametrize("way", ["settings", "store"])
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_refresh_token_spent_elsewhere_pauses_the_account_until_a_person_authorises(
    tmp_path: Path, vendor: str, way: str
) -> None:
    """What is done meanwhile waits, nothing is dead; a new grant, or new tokens, and each change has its one task."""
    office = OFFICES[vendor]
    with Branches(tmp_path, vendor, access=office.access) as place:
        side = place.sides[ACCOUNT]
        people = [side.add(Contact(name=name), hooks=False) for name in ("Анна", "Иван")]
        with place.open(clerk()) as desk:
            desk.connect()
            stored = desk.service.tokens.load(ACCOUNT)
            assert stored is not None
            assert office.spend(side, stored.refresh) == 200
            place.turn(A_DAY.total_seconds())
            for person in people:
                side.change(person, {"name": f"Новое имя {person.id}"}, hooks=True)
                desk.pass_time(timedelta(hours=2))
            during = desk.account()
            if way == "store":
                desk.service.tokens.save(ACCOUNT, office.expired(side))
        # The environment of a service that is started anew holds a fresh grant.
        with place.open(clerk()) as desk:
            desk.pass_time(timedelta(minutes=10))
            desk.pass_time(timedelta(minutes=10))
            after = desk.account()
        tasks = [(task.text, task.about) for task in place.tasks(ACCOUNT)]
    assert during.pause_reason is not None
    assert "refresh token" in during.pause_reason
    assert during.runs.get("dead", 0) == 0
    assert (after.runs, after.pause_reason) == ({"done": 2}, None)
    assert sorted(tasks, key=str) == sorted(
        ((f"Позвонить: Новое имя {person.id}", person) for person in people), key=str
    )
