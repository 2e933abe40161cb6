"""A source of facts for benches: events as JSON, as a telephony or a payment provider would tell of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from crmkit.errors import BadPayload, Unsupported
from crmkit.events import CallFinished, PaymentReceived
from crmkit.models import Call
from crmkit.source import SourceSettings
from crmkit.webhook import Fact, WebhookReply, WebhookRequest

NAME = "bench"

Told = CallFinished | PaymentReceived
"""What a source may tell of."""


class BenchSource:
    """Takes what `to_body` writes."""

    name = NAME
    settings_type = SourceSettings

    def verify(self, request: WebhookRequest, settings: SourceSettings) -> None:
        """The bench believes itself."""

    def parse(self, request: WebhookRequest, settings: SourceSettings) -> Sequence[Fact]:
        """The one fact of a delivery. Raises BadPayload."""
        try:
            body = json.loads(request.body)
            return [Fact(body["key"], body["event"], body["body"], body["lane"], datetime.fromisoformat(body["at"]))]
        except (ValueError, KeyError, TypeError) as error:
            raise BadPayload("the body is not what a bench sends", account=settings.account) from error

    def reply(self, request: WebhookRequest, settings: SourceSettings) -> WebhookReply:
        """Nothing but 200."""
        return WebhookReply()

    def fetch(self, settings: SourceSettings, since: datetime) -> Sequence[Fact]:
        """A bench keeps no list. Raises Unsupported."""
        raise Unsupported("the bench keeps no list of facts", account=settings.account)


def to_body(event: Told) -> bytes:
    """The delivery that tells of the event; the same event told twice is one fact."""
    body = event.model_dump(mode="json", exclude={"raw"})
    fact = {
        "key": f"{NAME}:{type(event).__name__}:{event.ref.id}",
        "event": type(event).__name__,
        "body": body,
        "lane": _lane(event),
        "at": event.occurred_at.isoformat(),
    }
    return json.dumps(fact).encode()


def _lane(event: Told) -> str:
    call: Call | None = event.call if isinstance(event, CallFinished) else None
    if call is not None and call.phone is not None:
        return f"phone:{call.phone.e164 or call.phone.raw}"
    return str(event.ref)
