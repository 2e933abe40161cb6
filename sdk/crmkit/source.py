"""Senders that are no CRM: a telephony, a payment provider; each turns deliveries into facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pydantic import BaseModel, ConfigDict, SecretStr

from crmkit.settings import Country
from crmkit.webhook import Fact, WebhookReply, WebhookRequest


class SourceSettings(BaseModel):
    """What every source needs; sources subclass it.

    Args:
        account: key of the CRM account whose calls or payments these are.
        country: ISO code, the default country of phones.
        timezone: IANA zone of the times the sender writes.
        secret: what the sender must show, when it can; `CRMKIT_<ACCOUNT>_<SOURCE>_SECRET` in the environment.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: str
    country: Country = "RU"
    timezone: str = "Europe/Moscow"
    secret: SecretStr | None = None


class Source(Protocol):
    """One provider. Pure but for `fetch`."""

    @property
    def name(self) -> str:
        """Key of the provider, as in hook addresses and crmkit.toml."""

    @property
    def settings_type(self) -> type[SourceSettings]:
        """What an operator may set."""

    def verify(self, request: WebhookRequest, settings: SourceSettings) -> None:
        """Raise WebhookRejected when the delivery is not authentic."""

    def parse(self, request: WebhookRequest, settings: SourceSettings) -> Sequence[Fact]:
        """The facts in a delivery; none for phases nobody acts on. Raises BadPayload."""

    def reply(self, request: WebhookRequest, settings: SourceSettings) -> WebhookReply:
        """What the sender wants to hear once the facts are stored."""

    def fetch(self, settings: SourceSettings, since: datetime) -> Sequence[Fact]:
        """Facts of the provider's own list, for lost deliveries. Raises Unsupported where there is none."""
