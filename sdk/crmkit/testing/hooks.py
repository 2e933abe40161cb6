"""The memory CRM's webhooks: JSON that names what may have changed, as untrustworthy as a real one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from crmkit.errors import BadPayload, WebhookRejected
from crmkit.settings import AccountSettings
from crmkit.values import Kind, Ref
from crmkit.webhook import Action, Delivery, Hint, WebhookRequest

VENDOR = "memory"


@dataclass(frozen=True, slots=True)
class Hook:
    """One delivery that the CRM would make now: a test delivers it, repeats it or drops it."""

    account: str
    hints: tuple[Hint, ...]
    request: WebhookRequest


def to_hook(account: str, hints: Sequence[Hint], at: datetime) -> Hook:
    """The delivery that tells of `hints`; stage moves and survivors of merges stay untold, as with most vendors."""
    told = tuple(Hint(hint.ref, hint.action, hint.at, hint.actor_id, created_at=hint.created_at) for hint in hints)
    body = {
        "account": account,
        "items": [
            {
                "kind": hint.ref.kind.value,
                "id": hint.ref.id,
                "action": hint.action.value,
                "at": _seconds(hint.at),
                "created_at": _seconds(hint.created_at),
                "actor": hint.actor_id,
            }
            for hint in told
        ],
    }
    headers = {"content-type": "application/json"}
    request = WebhookRequest("POST", f"/hooks/{VENDOR}/{account}", "", headers, json.dumps(body).encode(), at)
    return Hook(account, told, request)


def parse(request: WebhookRequest, settings: AccountSettings) -> Delivery:
    """The hints of a delivery. Raises BadPayload for what is no such JSON, WebhookRejected for a foreign account."""
    try:
        body: dict[str, Any] = json.loads(request.body)
        owner = body["account"]
        hints = tuple(_hint(settings.key, item) for item in body["items"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadPayload(
            "the body is not what the memory CRM sends",
            account=settings.key,
            vendor=VENDOR,
            remedy="Send the body of one of world.hooks as it is.",
        ) from error
    if owner != settings.key:
        raise WebhookRejected(
            f"the delivery belongs to account {owner}",
            account=settings.key,
            vendor=VENDOR,
            remedy="Send each account's hooks to its own address.",
        )
    return Delivery(hints=hints, account_id=owner)


def _hint(account: str, item: dict[str, Any]) -> Hint:
    return Hint(
        Ref(account, Kind(item["kind"]), str(item["id"])),
        Action(item["action"]),
        _moment(item["at"]),
        item["actor"],
        created_at=_moment(item["created_at"]),
    )


def _seconds(at: datetime | None) -> int | None:
    return int(at.timestamp()) if at else None


def _moment(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
