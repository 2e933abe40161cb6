"""Settings of a retailCRM account; its API key is all that a call needs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from crmkit.errors import ConfigError
from crmkit.http import RateLimit
from crmkit.models import Outcome
from crmkit.settings import AccountSettings, secret_variable
from crmkit_retailcrm.errors.refusals import VENDOR

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class RetailCrmSettings(AccountSettings):
    """A retailCRM (Simla.com) account.

    Args:
        api_key: the key of Settings, Integration, API access keys.
        site: code of the shop in which records are created; needed where the key sees several.
        outcomes: what a group of order statuses means, or one status by its own code, which wins over its group;
            what is not named leaves the deal open.
        trigger_token: the parameter `token` that triggers send; without one the secret address alone is trusted.
        title_field: code of an order's text field that holds the deal's title; without one it is the order's number.
        company_phone_field, company_email_field: codes of text fields of a corporate customer, which has neither.
        default_owner_id: whose tasks are that name nobody; else the first active manager.
        module_code: code of the integration module that `ensure_hooks` keeps registered.
    """

    api_key: SecretStr | None = None
    site: str | None = None
    outcomes: Mapping[str, Outcome] = Field(default_factory=lambda: {"complete": Outcome.WON, "cancel": Outcome.LOST})
    trigger_token: SecretStr | None = None
    title_field: str | None = None
    company_phone_field: str | None = None
    company_email_field: str | None = None
    default_owner_id: str | None = Field(default=None, coerce_numbers_to_str=True, pattern=r"^[0-9]+$")
    module_code: str | None = None


def check(settings: AccountSettings) -> RetailCrmSettings:
    """The settings, known to be enough to make calls with.

    Raises ConfigError naming what to set.
    """
    if not isinstance(settings, RetailCrmSettings):
        raise ConfigError(f"account {settings.key} has settings of another vendor", account=settings.key)
    parts = urlsplit(settings.base_url)
    is_secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not is_secure or not parts.hostname or "@" in parts.netloc:
        raise ConfigError(
            f"account {settings.key}: {parts.hostname or 'base_url'} is no https address",
            account=settings.key,
            vendor=VENDOR,
            remedy="Set base_url to the account's own address, such as https://acme.retailcrm.ru.",
        )
    if not key_of(settings).strip():
        raise ConfigError(
            f"account {settings.key} has no API key",
            account=settings.key,
            vendor=VENDOR,
            remedy="Set `api_key`. In a service it comes from the environment or the file .env: "
            f"{secret_variable(settings.key, 'api_key')}.",
        )
    return settings


def key_of(settings: RetailCrmSettings) -> str:
    """The API key; empty where none is set."""
    return settings.api_key.get_secret_value() if settings.api_key else ""


def limits(settings: RetailCrmSettings) -> tuple[RateLimit, ...]:
    """10 requests a second of the key. Source: retailCRM API v5, page "API rules", which knows no burst."""
    return (RateLimit(f"{VENDOR}:{_fingerprint(settings)}", 10, 1.0, is_even=True),)


def telephony_limits(settings: RetailCrmSettings) -> tuple[RateLimit, ...]:
    """40 requests a second of the key for methods under `telephony/`."""
    return (RateLimit(f"{VENDOR}-telephony:{_fingerprint(settings)}", 40, 1.0),)


def _fingerprint(settings: RetailCrmSettings) -> str:
    return hashlib.sha256(key_of(settings).encode()).hexdigest()[:16]
