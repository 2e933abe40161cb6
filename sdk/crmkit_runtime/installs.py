"""Installations of our application that a CRM tells of: tokens are kept, and hooks are checked with their secret."""

from __future__ import annotations

import logging

from crmkit.errors import CrmKitError, WebhookRejected
from crmkit.webhook import Delivery, Installation, WebhookRequest
from crmkit_runtime.service import OpenAccount

log = logging.getLogger(__name__)


def parse(account: OpenAccount, request: WebhookRequest) -> Delivery:
    """What a CRM's delivery says, checked with the secret of its last installation.

    A refused one is tried again when another process has kept a newer installation meanwhile. Raises what the adapter
    raises.
    """
    live = account.installable
    if live is None:
        return account.adapter.parse(request, account.settings)
    settings = live.hook_settings()
    try:
        return account.adapter.parse(request, settings)
    except WebhookRejected:
        renewed = live.hook_settings(afresh=True)
        if renewed == settings:
            raise
        return account.adapter.parse(request, renewed)


def keep(account: OpenAccount, installation: Installation) -> None:
    """Keep an installation that the CRM confirms; what goes wrong is logged, because nobody tells it a second time."""
    live = account.installable
    if live is None:
        return
    try:
        live.install(installation)
    except CrmKitError as error:
        log.error("account %s: an installation of the application was not kept: %s", account.key, error)
    else:
        live.hook_settings(afresh=True)
        log.info("account %s: the application was installed; its tokens are kept", account.key)
