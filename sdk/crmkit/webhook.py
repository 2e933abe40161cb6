"""What comes in at the door and what goes back: plain data, before anybody believes it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from crmkit.values import Json, Ref


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """One delivery as received. `headers` has lower-case names; `body` is the exact bytes."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class WebhookReply:
    """What the sender is answered."""

    status: int = 200
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"


class Action(enum.StrEnum):
    """What the sender says happened. Only a reason to look, never believed."""

    ADDED = "added"
    CHANGED = "changed"
    DELETED = "deleted"


class Origin(enum.StrEnum):
    """Who told us: the vendor's hook, the vendor's feed, the first load, or our own write."""

    HOOK = "hook"
    FEED = "feed"
    BASELINE = "baseline"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Move:
    """One stage move as the vendor's feed reports it; stages are (pipeline id, stage id).

    `key` is the feed row's own id: the same row read twice is one move.
    """

    key: str
    from_stage: tuple[str, str] | None
    to_stage: tuple[str, str]
    at: datetime


@dataclass(frozen=True, slots=True)
class Hint:
    """Record `ref` may have changed. `actor_id` is the user who did it, `None` when unknown.

    `created_at` is when the record was made, where the sender tells: it decides whether an unseen record is new.
    `merged_into` is the survivor, where the sender tells that the record became a part of another one.
    """

    ref: Ref
    action: Action = Action.CHANGED
    at: datetime | None = None
    actor_id: str | None = None
    move: Move | None = None
    created_at: datetime | None = None
    merged_into: Ref | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened and carries its own body: a call, a payment.

    Args:
        key: identity of the fact over repeated deliveries (provider, call id, phase).
        event: name of the event class (`CallFinished`).
        body: the event's fields, as JSON.
        lane: what it must stay in order with, for instance `phone:+79991112233`.
        at: when it happened.
    """

    key: str
    event: str
    body: Mapping[str, Json]
    lane: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Installation:
    """What came with an installation of our application in an account; believed only once the CRM confirms it.

    Args:
        access, refresh: the first pair of tokens.
        expires_in_s: how long `access` lives.
        url: where the account's API is, as the sender says.
        hook_secret: what hooks of this installation will carry.
    """

    access: str = field(repr=False)
    refresh: str | None = field(default=None, repr=False)
    expires_in_s: float | None = None
    url: str | None = None
    hook_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one delivery was understood to say. `refusals` explain the parts that were not."""

    hints: tuple[Hint, ...] = ()
    facts: tuple[Fact, ...] = ()
    refusals: tuple[str, ...] = ()
    account_id: str | None = field(default=None)
    installation: Installation | None = None


@dataclass(frozen=True, slots=True)
class FeedPage:
    """One page of a CRM's own feed. `cursor` is where to go on; `is_last` says that there is no more now."""

    hints: tuple[Hint, ...]
    cursor: str
    is_last: bool
