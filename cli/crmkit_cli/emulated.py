"""Emulated accounts: what a service, and a client of any other kind, needs to work with each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from crmkit_sandbox import Sandbox

VENDORS = ("amocrm", "bitrix24", "retailcrm")
"""The CRMs that have an emulator."""

SAMPLE_AGE_S = 86_400.0
"""How old the sample records are."""

_TRIGGERS = tuple(
    f"{entity}.{action}"
    for entity in ("order", "customer", "customer_corporate", "task")
    for action in ("create", "change")
)


@dataclass(frozen=True, slots=True)
class Entrance:
    """How a service enters an emulated account.

    Args:
        table: what stands under the account in crmkit.toml.
        secrets: what stands in the environment, by the setting's name.
        unused: settings of other ways in, which would win over this one.
    """

    table: Mapping[str, str]
    secrets: Mapping[str, str]
    unused: Sequence[str] = ()


def entrance(sandbox: Sandbox, vendor: str) -> Entrance:
    """How a service enters; a Bitrix24 application gets tokens of its own at each call."""
    if vendor == "amocrm":
        return Entrance({"vendor": vendor, "base_url": sandbox.amocrm.base_url}, {"token": sandbox.amocrm.token})
    if vendor == "retailcrm":
        shop = sandbox.retailcrm
        return Entrance({"vendor": vendor, "base_url": shop.base_url}, {"api_key": shop.api_key})
    portal = sandbox.bitrix24
    table = {
        "vendor": vendor,
        "base_url": portal.base_url,
        "auth_url": portal.base_url,
        "client_id": portal.client_id,
        "member_id": portal.member_id,
    }
    secrets = {
        "client_secret": portal.client_secret,
        "refresh_token": portal.issue_tokens()["refresh_token"],
        "application_token": portal.application_token,
    }
    return Entrance(table, secrets, ("webhook", "code"))


def credentials(sandbox: Sandbox, vendor: str) -> Mapping[str, str]:
    """What any client needs to enter: the key or token first, then what OAuth asks for."""
    if vendor == "retailcrm":
        return {"api_key": sandbox.retailcrm.api_key}
    if vendor == "bitrix24":
        portal = sandbox.bitrix24
        tokens = portal.issue_tokens()
        return {
            "webhook": portal.webhook_url,
            "client_id": portal.client_id,
            "client_secret": portal.client_secret,
            "access_token": str(tokens["access_token"]),
            "refresh_token": str(tokens["refresh_token"]),
            "oauth_url": portal.oauth_url,
            "member_id": portal.member_id,
            "application_token": portal.application_token,
        }
    amocrm = sandbox.amocrm
    # The emulator's own integration: nothing here opens any other door.
    return {
        "token": amocrm.token,
        "client_id": amocrm.client_id,
        "client_secret": amocrm.client_secret,
        "redirect_uri": amocrm.redirect_uri,
        "code": amocrm.auth_code(),
    }


def page(sandbox: Sandbox, vendor: str) -> str:
    """The address of the page for people."""
    return f"{sandbox.url}/{vendor}/"


def seed(sandbox: Sandbox, *more: Callable[[], None]) -> None:
    """Sample records in every account, and what `more` adds, all of it a day old.

    A base is older than the service that looks at it; made in the same second, its records would be news.
    """
    sandbox.clock.freeze(time.time() - SAMPLE_AGE_S)
    for vendor in sandbox.vendors.values():
        vendor.seed()
    for add in more:
        add()
    sandbox.clock.release()


def type_triggers(sandbox: Sandbox, url: str) -> None:
    """Do what the administrator of a retailCRM account does: triggers that send changes to `url`."""
    for event in _TRIGGERS:
        sandbox.retailcrm.add_trigger(event, url)
