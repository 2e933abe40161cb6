"""An installation of our application: its tokens are tried at the portal before they are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from crmkit.clock import Clock
from crmkit.errors import AuthError, Unsupported, VendorDown, WebhookRejected
from crmkit.http import Request, Transport
from crmkit.tokens import Tokens
from crmkit.webhook import Installation
from crmkit_bitrix24.auth import Authority, Bitrix24Settings, OAuth, portal_of, trusted_move
from crmkit_bitrix24.errors.refusals import VENDOR


def install(
    authority: Authority,
    dial: Callable[[str], Transport],
    settings: Bitrix24Settings,
    installation: Installation,
    clock: Clock,
) -> None:
    """Keep the pair and the application_token that came with an installation.

    The portal is asked `app.info` in their name: anybody may post an installation, but only the account's own portal
    answers to its token. Another address is believed only of the portal that `member_id` names, in the vendor's cloud.
    Source: Bitrix24 REST, page "App installation".

    Raises WebhookRejected when the portal does not know the token, VendorDown when it is not there.
    """
    if not isinstance(authority, OAuth):
        raise _refused(settings, "the account goes by a webhook")
    known = authority.base_url.removesuffix("/rest")
    told = portal_of(installation.url)
    has_moved = told is not None and told != known and settings.member_id is not None and trusted_move(known, told)
    portal = told if told is not None and has_moved else known
    _confirm(dial(f"{portal}/rest"), settings, installation.access)
    lives_s = installation.expires_in_s or 3600.0
    authority.adopt(
        Tokens(
            installation.access,
            installation.refresh,
            clock.now().timestamp() + lives_s,
            portal if portal != settings.base_url.rstrip("/") else None,
            installation.hook_secret,
        )
    )


def _confirm(line: Transport, settings: Bitrix24Settings, access: str) -> None:
    try:
        answer = line.send(Request("POST", "/app.info", body={"auth": access}, is_safe=True)).json()
    except (AuthError, Unsupported) as error:
        raise _refused(settings, "the portal does not know its token") from error
    finally:
        line.close()
    if not isinstance(answer, Mapping) or "result" not in answer:
        raise VendorDown(
            "app.info was answered with something else than an application",
            account=settings.key,
            vendor=VENDOR,
            remedy="Check that base_url is the portal's own address, and install again.",
        )


def _refused(settings: Bitrix24Settings, what: str) -> WebhookRejected:
    return WebhookRejected(
        f"the installation is refused: {what}",
        account=settings.key,
        vendor=VENDOR,
        remedy="Install the application in the portal that base_url names, with the client_id of this account.",
    )
