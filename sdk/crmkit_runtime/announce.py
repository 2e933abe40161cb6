"""Changes become typed events: which ones, with which key, in whose name."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from crmkit.events import (
    CREATED,
    DELETED,
    MERGED,
    UPDATED,
    Cause,
    DealOwnerChanged,
    DealStageChanged,
    Event,
    TaskCompleted,
)
from crmkit.models import Deal, Record, StageRef, Task
from crmkit.values import Ref
from crmkit.webhook import Origin
from crmkit_runtime.dispatch import publish
from crmkit_runtime.service import Service


@dataclass(frozen=True, slots=True)
class Told:
    """How we learned of a change: when it happened, by which delivery, who did it, and whether it was us."""

    at: datetime
    origin: Origin
    delivery_id: str = ""
    actor_id: str | None = None
    cause: Cause | None = None


class Herald:
    """Publishes changes in one transaction; `news` counts those that were not ours.

    Args:
        tx: the transaction in which the mirror advances.
        service: whose extensions hear of it.
    """

    def __init__(self, tx: Connection, service: Service) -> None:
        self._tx = tx
        self._service = service
        self.news = 0

    def created(self, record: Record, told: Told) -> None:
        """A record appeared: once ever, however many tell of it."""
        if made := CREATED.get(record.kind):
            event, slot = made
            self._publish(event, record.ref, f"{record.ref}:created", told, {slot: bare(record)})

    def updated(
        self, before: Record | None, after: Record, changed: AbstractSet[str], version: int, told: Told
    ) -> None:
        """A record changed, `version` being that of its new copy; with what follows from single fields."""
        key = f"{after.ref}:{version}" + (f":{told.cause.run_id}" if told.cause else "")
        if made := UPDATED.get(after.kind):
            event, slot = made
            values = {"before": bare(before) if before else None, slot: bare(after), "changed": frozenset(changed)}
            self._publish(event, after.ref, f"{key}:{event.__name__}", told, values)
        if before is None:
            return
        if isinstance(after, Deal) and "owner_id" in changed:
            values = {"before": before.owner_id, "after": after.owner_id, "deal": bare(after)}
            self._publish(DealOwnerChanged, after.ref, f"{key}:owner", told, values)
        if isinstance(after, Task) and "is_done" in changed and after.is_done:
            self._publish(TaskCompleted, after.ref, f"{key}:completed", told, {"task": bare(after)})

    def deleted(self, before: Record, version: int, told: Told) -> None:
        """A record is gone; `version` is that of its last copy."""
        if event := DELETED.get(before.kind):
            self._publish(event, before.ref, f"{before.ref}:{version}:deleted", told, {"before": bare(before)})

    def merged(self, survivor: Ref, loser: Ref, before: Record | None, version: int, told: Told) -> None:
        """Two records became one; of kinds without an event for that, the loser is gone."""
        if event := MERGED.get(survivor.kind):
            held = bare(before) if before is not None else None
            self._publish(event, survivor, f"{loser}:merged:{version}", told, {"loser": loser, "before": held})
        elif before is not None:
            self.deleted(before, version, told)

    def moved(
        self,
        deal: Deal,
        before: StageRef | None,
        after: StageRef,
        row_id: int,
        told: Told,
        *,
        is_current: bool,
        is_inferred: bool,
    ) -> None:
        """A deal moved; `row_id` is the move's own number."""
        values = {"before": before, "after": after, "deal": bare(deal)}
        flags = {"is_current": is_current, "is_inferred": is_inferred}
        self._publish(DealStageChanged, deal.ref, f"{deal.ref}:move:{row_id}", told, {**values, **flags})

    def _publish(self, event: type[Event], ref: Ref, key: str, told: Told, values: dict[str, Any]) -> None:
        made = event(
            ref=ref,
            occurred_at=told.at,
            delivery_id=told.delivery_id,
            actor_id=told.actor_id,
            cause=told.cause,
            **values,
        )
        if publish(self._tx, self._service, made, key=key, origin=told.origin) is not None and told.cause is None:
            self.news += 1


def bare(record: Record) -> Any:
    """The record without the vendor's body, as events hold it."""
    return record.model_copy(update={"raw": {}}) if record.raw else record
