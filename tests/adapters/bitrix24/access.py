"""The ways into an emulated portal: an application that a user has authorised, and an incoming webhook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import SecretStr

from crmkit.adapter import Doors
from crmkit.http import LocalLimiter
from crmkit.testing.clock import JumpingClock
from crmkit.tokens import FileTokenStore
from crmkit_bitrix24 import Bitrix24Adapter, Bitrix24Settings
from crmkit_bitrix24.adapter import Bitrix24Connection
from crmkit_testing.bitrix24 import Bitrix24Side
from crmkit_testing.side import ACCOUNT


def application(side: Bitrix24Side, *, user_id: int | None = None, **more: Any) -> Bitrix24Settings:
    """The settings of an application with a fresh refresh token."""
    return Bitrix24Settings(
        key=ACCOUNT,
        vendor="bitrix24",
        base_url=side.portal.base_url,
        auth_url=side.portal.base_url,
        client_id=side.portal.client_id,
        client_secret=SecretStr(side.portal.client_secret),
        refresh_token=SecretStr(side.portal.issue_tokens(user_id=user_id)["refresh_token"]),
        **more,
    )


def webhook(side: Bitrix24Side) -> Bitrix24Settings:
    """The settings of the administrator's webhook."""
    return Bitrix24Settings(
        key=ACCOUNT,
        vendor="bitrix24",
        base_url=side.portal.base_url,
        webhook=SecretStr(side.portal.webhook_url),
    )


def doors(side: Bitrix24Side, folder: Path) -> Doors:
    """What a connection is opened with; it waits by turning the portal's clock."""
    clock = JumpingClock(side.now, side.turn)
    return Doors(tokens=FileTokenStore(folder), limiter=LocalLimiter(clock), clock=clock)


def connected(side: Bitrix24Side, settings: Bitrix24Settings, folder: Path) -> Bitrix24Connection:
    """A connection that remembers nothing."""
    return Bitrix24Adapter().open(settings, doors(side, folder))
