"""Service.open: every fault of a config is said with its remedy, before anything runs."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from crmkit.adapter import Capability, Doors, Level
from crmkit.errors import ConfigError
from crmkit.events import DealUpdated
from crmkit.extension import Context, Extension
from crmkit.http import Urgency
from crmkit.settings import AccountSettings, NoSettings, ServiceConfig, Settings
from crmkit.testing.connection import MemoryConnection
from crmkit.testing.memory import MemoryAdapter
from crmkit.values import Kind
from crmkit_runtime.database import Database, to_us, upsert
from crmkit_runtime.service import Bell, Service
from crmkit_runtime.tables import token

KEY = "A" * 43 + "="


class LockedSettings(AccountSettings):
    """An account with a secret that has no default."""

    client_secret: SecretStr


class QueueAdapter(MemoryAdapter):
    """The memory CRM, which remembers in which queues it was opened."""

    def __init__(self) -> None:
        super().__init__()
        self.queues: list[Urgency] = []

    def open(self, settings: AccountSettings, doors: Doors) -> MemoryConnection:
        """A connection as ever."""
        self.queues.append(doors.urgency)
        return super().open(settings, doors)


class LockedAdapter(MemoryAdapter):
    """A CRM that wants a secret and cannot keep files or tasks."""

    vendor = "locked"
    title = "Locked CRM"
    settings_type = LockedSettings  # type: ignore[assignment]

    @property
    def capabilities(self) -> Mapping[Capability, Level]:
        """Everything of the memory CRM but tasks."""
        return {**super().capabilities, Capability.TASKS: Level.ABSENT}


class OwnSettings(Settings):
    """Settings with a field that must be given."""

    limit: int


Open = Callable[..., Service]
LOCKED = {"vendor": "locked", "base_url": "memory://locked"}
ACME = {"acme": {"vendor": "memory"}}


@pytest.fixture
def open_service(database: Database) -> Iterator[Open]:
    opened: list[Service] = []

    def make(
        environment: dict[str, str] | None = None, given: tuple[Extension[Any], ...] = (), **config: Any
    ) -> Service:
        wanted = ServiceConfig.model_validate({"database": str(database.path), "accounts": ACME, **config})
        adapters = {"memory": QueueAdapter(), "locked": LockedAdapter()}
        opened.append(Service.open(wanted, environment=environment or {}, extensions=given, adapters=adapters))
        return opened[-1]

    yield make
    for service in opened:
        service.close()


def test_accounts_are_open_in_two_queues(open_service: Open) -> None:
    """Each account has a connection for handlers and one for first loads, each with its key."""
    account = open_service(accounts={**ACME, "second": {"vendor": "memory"}}).accounts["second"]
    assert (account.key, account.adapter.vendor) == ("second", "memory")
    assert (account.live.key, account.bulk.key) == ("second", "second")
    assert account.adapter.queues[-2:] == [Urgency.LIVE, Urgency.BULK]  # type: ignore[attr-defined]


def test_hook_addresses(open_service: Open) -> None:
    """They are the same over restarts, and each account has its own secret."""
    first = open_service(public_url="https://crm.example.ru/", accounts={**ACME, "second": {"vendor": "memory"}})
    again = open_service(public_url="https://crm.example.ru")
    secret = first.hook_secret("acme")
    assert first.hook_url("acme", "memory") == f"https://crm.example.ru/hooks/memory/acme/{secret}"
    assert again.hook_url("acme", "memory") == first.hook_url("acme", "memory")
    assert first.hook_secret("second") != secret


def test_without_a_public_address_no_hook_address(open_service: Open) -> None:
    """The remedy names the setting."""
    with pytest.raises(ConfigError, match=r"public_url is not set.*Set public_url under \[service\]"):
        open_service().hook_url("acme", "memory")


def test_kinds_are_those_of_the_installed_extensions(open_service: Open) -> None:
    """What an extension handles or reads is mirrored, in the accounts where it runs."""
    deals, notes = Extension("deals"), Extension("notes", reads={Kind.NOTE})

    @deals.on(DealUpdated)
    def moved(event: DealUpdated, ctx: Context[NoSettings]) -> None:
        ctx.skip("only listening")

    service = open_service(
        given=(deals, notes),
        accounts={**ACME, "second": {"vendor": "memory"}},
        extensions={"notes": {"accounts": ["acme"]}},
    )
    assert [service.kinds(key) for key in ("acme", "second")] == [{Kind.DEAL, Kind.NOTE}, {Kind.DEAL}]


def test_secrets_for_masking(open_service: Open) -> None:
    """All secrets of settings and hook addresses are known to whoever masks."""
    service = open_service(
        {"CRMKIT_ACME_CLIENT_SECRET": "very-secret", "CRMKIT_KEY": KEY},
        accounts={"acme": LOCKED},
    )
    assert service.secrets() == {"very-secret", service.hook_secret("acme")}


@pytest.mark.parametrize(
    ("config", "environment", "message"),
    [
        ({"accounts": {"acme": {}}}, {}, "account acme names no vendor"),
        ({"accounts": {"acme": {"vendor": "amocm"}}}, {}, r"there is no CRM adapter 'amocm'.*Did you mean amocrm\?"),
        ({"accounts": {"acme": {"vendor": "memory", "pasword": "x"}}}, {}, "unknown key .*pasword"),
        (
            {"accounts": {"acme": LOCKED}},
            {},
            "secret client_secret is missing from the environment",
        ),
        (
            {"accounts": {"acme": {**LOCKED, "client_secret": "s3"}}},
            {},
            "secret client_secret stands in the file.*set the environment variable CRMKIT_ACME_CLIENT_SECRET",
        ),
        ({}, {"CRMKIT_ACME_HOOK_SECRET": "short"}, "CRMKIT_ACME_HOOK_SECRET is too short to be unguessable"),
        ({"accounts": {"acme": {"vendor": "memory", "sources": {"ringo": {}}}}}, {}, "there is no source 'ringo'"),
        (
            {"accounts": {"acme": {"vendor": "memory", "sources": {"ringostat": {"api_key": "k"}}}}},
            {},
            "the secret api_key of ringostat stands in the file.*CRMKIT_ACME_RINGOSTAT_API_KEY",
        ),
        (
            {"accounts": {"acme": {"vendor": "memory", "sources": {"ringostat": {"kountry": "RU"}}}}},
            {},
            "account acme, source ringostat: unknown key .*kountry.*country",
        ),
        ({"extensions": {"nothing-such": {}}}, {}, "there is no extension 'nothing-such'"),
        ({"extensions": {"own": {"settings": {}}}}, {}, "extension own: limit is missing"),
        (
            {"extensions": {"own": {"accounts": ["beta"], "settings": {"limit": 1}}}},
            {},
            "account beta, which does not exist.*Accounts: acme",
        ),
        (
            {"accounts": {**ACME, "bad": LOCKED}, "extensions": {"own": {"settings": {"limit": 1}}}},
            {"CRMKIT_BAD_CLIENT_SECRET": "s"},
            r"extension own needs tasks, which Locked CRM does not have.*accounts = \[",
        ),
        ({}, {"CRMKIT_KEY": "nonsense"}, "CRMKIT_KEY is not a key"),
    ],
)  # fmt: skip
def test_faults(open_service: Open, config: dict[str, Any], environment: dict[str, str], message: str) -> None:
    """Each is one sentence with the object, and a remedy."""
    own = Extension("own", settings=OwnSettings, requires={Capability.TASKS})
    given = (own,) if "own" in config.get("extensions", {}) else ()
    with pytest.raises(ConfigError, match=message) as error:
        open_service(environment, given, **config)
    assert error.value.remedy
    assert "s3" not in str(error.value)


def test_an_extension_runs_where_it_is_told(open_service: Open) -> None:
    """Named accounts only, with its own mode; one that is passed and not named runs everywhere with its defaults."""
    own = Extension("own", settings=OwnSettings, requires={Capability.TASKS})
    service = open_service(
        {"CRMKIT_BAD_CLIENT_SECRET": "s"},
        (own, Extension("plain")),
        accounts={**ACME, "bad": LOCKED},
        extensions={"own": {"accounts": ["acme"], "mode": "plan", "settings": {"limit": 3}}},
    )
    found = [(one.extension.name, one.settings, one.accounts, one.mode) for one in service.installed]
    assert sorted(found, key=lambda one: one[0]) == [
        ("own", OwnSettings(limit=3), ("acme",), "plan"),
        ("plain", NoSettings(), ("acme", "bad"), "apply"),
    ]


def test_a_database_that_is_not_migrated(path: Path) -> None:
    """The remedy is the command."""
    with pytest.raises(ConfigError, match=r"service\.sqlite3 is empty.*Run `crmkit migrate`"):
        Service.open(ServiceConfig(database=str(path)), environment={})


def test_a_key_that_is_not_the_databases(open_service: Open) -> None:
    """Once a service has run, another key is refused at start, not when the first token is needed."""
    open_service({"CRMKIT_KEY": KEY})
    with pytest.raises(ConfigError, match="sealed with another key"):
        open_service({"CRMKIT_KEY": "B" * 43 + "="})


def test_an_unfinished_refresh_is_logged_at_start(
    open_service: Open, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """A process that died between the CRM's answer and the commit is named, with what to do."""
    now = to_us(open_service().clock.now())
    row = {"account": "acme", "refreshing_since": now, "refreshing_by": f"{socket.gethostname()}:4194300:1"}
    with database.write() as tx:
        upsert(tx, token, row, conflict=["account"], update=["refreshing_since", "refreshing_by"])
    open_service()
    (said,) = [record.getMessage() for record in caplog.records if "token refresh" in record.message]
    assert said.startswith("account acme: a token refresh begun at ")
    assert said.endswith("authorise the account again")


def test_the_bell_wakes_everybody_and_forgets_nothing() -> None:
    """A ring ends the wait of each thread, a ring between two waits the next one; else the time is waited."""
    bell = Bell()
    bell.ring()
    began = time.monotonic()
    bell.wait(10)
    waiting = [threading.Thread(target=bell.wait, args=(10,)) for _ in range(3)]
    for thread in waiting:
        thread.start()
    bell.ring()
    for thread in waiting:
        thread.join(5)
    assert time.monotonic() - began < 5
    before = time.monotonic()
    bell.wait(0)
    bell.wait(0.02)
    assert 0.02 <= time.monotonic() - before < 5


def test_a_service_shows_no_key(open_service: Open) -> None:
    """Nothing of the key stands in `repr`."""
    assert KEY not in repr(open_service({"CRMKIT_KEY": KEY}))
