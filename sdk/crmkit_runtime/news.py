"""What is news of a record that was not seen before: its making, its change, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from crmkit.models import Record
from crmkit.webhook import Action
from crmkit_runtime.hints import Waiting


def is_after(at: datetime | None, connected: datetime) -> bool:
    """The moment is a later second than that of connecting; CRMs tell whole seconds only."""
    return at is not None and at.replace(microsecond=0) > connected.replace(microsecond=0)


def is_new(record: Record, told: Sequence[Waiting], connected: datetime) -> bool:
    """The record was made since we watch.

    Its own time decides, else the sender's. In the second of connecting, and where nobody tells a time, whoever says
    "added" is believed.
    """
    made_at = record.created_at or next((one.created_at for one in told if one.created_at), None)
    if made_at is not None and made_at.replace(microsecond=0) != connected.replace(microsecond=0):
        return made_at > connected
    return any(one.action is Action.ADDED for one in told)


def is_touched(record: Record, told: Sequence[Waiting], connected: datetime) -> bool:
    """The record was changed since we watch, by its own time or by the sender's: not every CRM keeps the former."""
    return is_after(record.updated_at, connected) or any(is_after(one.at, connected) for one in told)
