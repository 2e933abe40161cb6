"""Service: accounts, extensions and what they share, opened from one crmkit.toml."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from pydantic import SecretStr

from crmkit import registry
from crmkit.adapter import Adapter, Connection, Doors, Installable, Level
from crmkit.clock import Clock, SystemClock
from crmkit.errors import ConfigError
from crmkit.extension import Extension
from crmkit.http import Urgency
from crmkit.settings import (
    AccountSettings,
    ExtensionConfig,
    Rollout,
    ServiceConfig,
    Settings,
    account_settings,
    extension_settings,
    read_settings,
    secret_variable,
)
from crmkit.source import Source, SourceSettings
from crmkit.values import Kind
from crmkit_runtime.database import Database
from crmkit_runtime.keys import Keyring
from crmkit_runtime.limits import DatabaseLimiter
from crmkit_runtime.migrations import schema_state
from crmkit_runtime.tokens import DatabaseTokenStore

log = logging.getLogger(__name__)

QUARANTINE_S = 60.0
"""Longer than a request may take and its record may stay unfindable: then an open intent is looked up."""


class Bell:
    """Wakes the threads of this process that wait for work; a ring between two waits is not lost."""

    def __init__(self) -> None:
        self._rung = threading.Condition()
        self._count = 0
        self._heard = threading.local()

    def ring(self) -> None:
        """Wake everybody who waits, and let everybody else's next wait return at once."""
        with self._rung:
            self._count += 1
            self._rung.notify_all()

    def wait(self, seconds: float) -> None:
        """Return at the next ring, or after `seconds` of real time; at once when it rang since the thread's last."""
        until = time.monotonic() + seconds
        with self._rung:
            heard = getattr(self._heard, "count", 0)
            while self._count == heard and (left := until - time.monotonic()) > 0:
                self._rung.wait(left)
            self._heard.count = self._count


@dataclass(frozen=True)
class OpenAccount:
    """An account with its connections: `live` for handlers, `bulk` for first loads; both share one request budget."""

    key: str
    settings: AccountSettings
    adapter: Adapter
    live: Connection
    bulk: Connection
    sources: Mapping[str, tuple[Source, SourceSettings]]

    @cached_property
    def installable(self) -> Installable | None:
        """`live`, when its CRM tells of installations; looked at once, because every delivery asks."""
        return self.live if isinstance(self.live, Installable) else None


@dataclass(frozen=True)
class Installed:
    """An extension as this service runs it: its settings, and the keys of the accounts in which it works."""

    extension: Extension[Any]
    settings: Settings
    accounts: tuple[str, ...]
    mode: Literal["apply", "plan"]
    rollout: Rollout


@dataclass
class Service:
    """Everything that workers and the web share.

    Args:
        quarantine_s: age at which an intent without a result is looked up at the CRM.
    """

    config: ServiceConfig
    database: Database
    clock: Clock
    accounts: Mapping[str, OpenAccount]
    installed: Sequence[Installed]
    keyring: Keyring
    tokens: DatabaseTokenStore
    bell: Bell = field(default_factory=Bell)
    quarantine_s: float = QUARANTINE_S
    is_reopenable: bool = False
    """Another process that is given the config opens the same service: nothing else was passed in."""
    _kinds: dict[str, frozenset[Kind]] = field(default_factory=dict, repr=False)

    @classmethod
    def open(
        cls,
        config: ServiceConfig,
        *,
        environment: Mapping[str, str] = os.environ,
        clock: Clock | None = None,
        extensions: Sequence[Extension[Any]] | None = None,
        adapters: Mapping[str, Adapter] | None = None,
        sources: Mapping[str, Source] | None = None,
        check_schema: bool = True,
    ) -> Service:
        """The service that `config` describes; no CRM is called.

        What is passed in `extensions`, `adapters` and `sources` comes before what is installed; an extension that is
        passed and not named in the config runs with its defaults in all accounts.

        Raises ConfigError, with a remedy, for every fault: an unknown vendor, source or extension, a wrong or missing
        setting or secret, a capability that an extension requires and an account's CRM lacks, a wrong key, a database
        that cannot be opened or is not migrated.
        """
        given = (clock, extensions, adapters, sources, None if environment is os.environ else environment)
        is_reopenable = all(one is None for one in given)
        clock = clock or SystemClock()
        database = Database(config.database)
        try:
            _check_database(database, check_schema=check_schema)
            keyring = Keyring.load(database, environment)
            tokens = DatabaseTokenStore(database, keyring, clock)
            if check_schema:
                _check_tokens(tokens)
            opener = _Opener(
                environment, clock, tokens, DatabaseLimiter(database, clock), adapters or {}, sources or {}
            )
            accounts = {key: opener.account(key, table) for key, table in config.accounts.items()}
            installed = _install(config, extensions or (), accounts)
        except BaseException:
            database.close()
            raise
        return cls(config, database, clock, accounts, installed, keyring, tokens, is_reopenable=is_reopenable)

    def kinds(self, account: str) -> frozenset[Kind]:
        """The kinds of records that the extensions installed for the account declare; these are mirrored."""
        # Asked for with each delivery, and a service never changes what it has installed.
        if account not in self._kinds:
            kinds = [one.extension.kinds for one in self.installed if account in one.accounts]
            self._kinds[account] = frozenset[Kind]().union(*kinds)
        return self._kinds[account]

    def hook_secret(self, account: str) -> str:
        """The unguessable part of the account's hook addresses; the same over restarts."""
        return self.hook_secrets(account)[0]

    def hook_secrets(self, account: str) -> Sequence[str]:
        """Every secret that opens the account's hook addresses, the current one first.

        `CRMKIT_<ACCOUNT>_HOOK_SECRET`, else one derived from each key of the service: after a rotation the addresses
        that people typed into a CRM keep working as long as the old key is kept.
        """
        own = self.accounts[account].settings.hook_secret
        return [own.get_secret_value()] if own else self.keyring.derive(f"hook:{account}")

    def hook_path(self, account: str, sender: str) -> str:
        """Where a sender (vendor key or name of a source) posts, without scheme and host."""
        return f"/hooks/{sender}/{account}/{self.hook_secret(account)}"

    def hook_url(self, account: str, sender: str) -> str:
        """Where a sender posts. Raises ConfigError when the service does not know its own address."""
        if not self.config.public_url:
            raise ConfigError(
                "public_url is not set, so no hook address can be given",
                account=account,
                remedy="Set public_url under [service] in crmkit.toml to the https address of this service.",
            )
        return self.config.public_url.rstrip("/") + self.hook_path(account, sender)

    def secrets(self) -> frozenset[str]:
        """Every secret in the settings and hook addresses, for masking them in logs."""
        models = [one for account in self.accounts.values() for one in _models(account)]
        found = {value.get_secret_value() for model in models for _, value in model if isinstance(value, SecretStr)} | {
            secret for key in self.accounts for secret in self.hook_secrets(key)
        }
        return frozenset(secret for secret in found if len(secret) >= 6)

    def close(self) -> None:
        """Give back connections of accounts and of the database."""
        for account in self.accounts.values():
            account.live.close()
            account.bulk.close()
        self.database.close()


@dataclass(frozen=True)
class _Opener:
    """What every account is opened with."""

    environment: Mapping[str, str]
    clock: Clock
    tokens: DatabaseTokenStore
    limiter: DatabaseLimiter
    adapters: Mapping[str, Adapter]
    sources: Mapping[str, Source]

    def account(self, key: str, table: Mapping[str, Any]) -> OpenAccount:
        vendor = table.get("vendor")
        if not isinstance(vendor, str):
            raise ConfigError(
                f"account {key} names no vendor",
                account=key,
                remedy=f'Add vendor = "..." under [accounts.{key}]; installed: {", ".join(registry.vendors())}.',
            )
        adapter = self.adapters.get(vendor) or registry.adapter(vendor)
        settings = account_settings(adapter.settings_type, key, table, self.environment)
        if settings.hook_secret is not None and len(settings.hook_secret.get_secret_value()) < 22:
            raise ConfigError(
                f"account {key}: {secret_variable(key, 'hook_secret')} is too short to be unguessable",
                account=key,
                remedy="Use 22 random letters and digits or more, or unset it: then crmkit derives one.",
            )
        live, bulk = (
            adapter.open(settings, Doors(tokens=self.tokens, limiter=self.limiter, urgency=urgency, clock=self.clock))
            for urgency in (Urgency.LIVE, Urgency.BULK)
        )
        sources = {name: self._source(settings, name, values) for name, values in settings.sources.items()}
        return OpenAccount(key, settings, adapter, live, bulk, sources)

    def _source(self, account: AccountSettings, name: str, table: Mapping[str, Any]) -> tuple[Source, SourceSettings]:
        source = self.sources.get(name) or registry.source(name)
        values: dict[str, Any] = {"country": account.country, **table, "account": account.key}
        for field_name, info in source.settings_type.model_fields.items():
            variable = secret_variable(f"{account.key}_{name}", field_name)
            if "SecretStr" not in str(info.annotation):
                continue
            if field_name in table:
                raise ConfigError(
                    f"account {account.key}: the secret {field_name} of {name} stands in the file",
                    account=account.key,
                    remedy=f"Take it out and set the environment variable {variable}.",
                )
            if secret := self.environment.get(variable):
                values[field_name] = SecretStr(secret)
        where = f"account {account.key}, source {name}"
        return source, read_settings(source.settings_type, values, where=where, account=account.key)


def _models(account: OpenAccount) -> Sequence[AccountSettings | SourceSettings]:
    return [account.settings, *(settings for _, settings in account.sources.values())]


def _install(
    config: ServiceConfig, given: Sequence[Extension[Any]], accounts: Mapping[str, OpenAccount]
) -> Sequence[Installed]:
    by_name = {extension.name: extension for extension in given}
    wanted = {**{name: ExtensionConfig() for name in by_name}, **config.extensions}
    found = []
    for name, own in wanted.items():
        extension = by_name.get(name) or registry.extension(name)
        if unknown := [key for key in own.accounts if key not in accounts]:
            raise ConfigError(
                f"extension {name} names the account {unknown[0]}, which does not exist",
                remedy=f"Accounts: {', '.join(accounts) or 'none'}.",
            )
        keys = own.accounts or tuple(accounts)
        for key in keys:
            _check_capabilities(extension, accounts[key])
        settings = extension_settings(extension.settings_type, name, own.settings)
        found.append(Installed(extension, settings, keys, own.mode or config.mode, own.rollout))
    return found


def _check_capabilities(extension: Extension[Any], account: OpenAccount) -> None:
    has = account.adapter.capabilities
    missing = sorted(one.value for one in extension.requires if has.get(one, Level.ABSENT) is Level.ABSENT)
    if missing:
        raise ConfigError(
            f"extension {extension.name} needs {', '.join(missing)}, which {account.adapter.title} does not have",
            account=account.key,
            remedy=f'Name the accounts where it shall run: accounts = ["..."] under [extensions.{extension.name}].',
        )


def _check_database(database: Database, *, check_schema: bool) -> None:
    database.ping()
    if not check_schema:
        return
    state = schema_state(database)
    if state in ("empty", "behind"):
        raise ConfigError(f"the database {database.name} is {state}", remedy="Run `crmkit migrate`.")
    if state == "ahead":
        raise ConfigError(
            f"the database {database.name} was migrated by a newer crmkit", remedy="Install that release again."
        )


def _check_tokens(tokens: DatabaseTokenStore) -> None:
    tokens.check_key()
    for one in tokens.unfinished_refreshes():
        log.warning(
            "account %s: a token refresh begun at %s by %s never ended; "
            "if the CRM now refuses the tokens, authorise the account again",
            one.account,
            one.since.isoformat(timespec="seconds"),
            one.by,
        )
