"""The account's own changes since a cursor: four histories, read by the last row seen."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from crmkit.errors import BadPayload, Rejected
from crmkit.values import Kind, Ref
from crmkit.webhook import Action, FeedPage, Hint, Move
from crmkit_retailcrm.client.directory import Directory
from crmkit_retailcrm.client.history import TOLD, History, entity_of
from crmkit_retailcrm.client.walk import Walker
from crmkit_retailcrm.translate import moment_of
from crmkit_retailcrm.wire import Item, as_map

log = logging.getLogger(__name__)


class Feed:
    """Reads the changes of one account.

    Args:
        history: the account's record of changes.
        walker: reads entities by their ids.
        directory: what the account has by name.
        key: the account's key.
    """

    def __init__(self, history: History, walker: Walker, directory: Directory, key: str) -> None:
        self._history = history
        self._walker = walker
        self._directory = directory
        self._key = key

    def page(self, cursor: str | None) -> FeedPage:
        """The hints behind `cursor`, oldest first in each kind; None starts at now.

        One request for each of four histories, and one for the order types of orders that were moved. A history that
        the key may not read is left out.
        """
        places = {kind.value: "" for kind in TOLD} if cursor is None else _read(cursor)
        if cursor is None:
            for kind in TOLD:
                places[kind.value] = self._start(kind)
            return FeedPage((), json.dumps(places), is_last=True)
        hints: list[Hint] = []
        is_last = True
        for kind in TOLD:
            try:
                place = places.get(kind.value) or self._history.now(kind)
                rows, places[kind.value], is_end = self._history.page(kind, place)
            except Rejected as error:
                if error.code != "access_denied":
                    raise
                log.warning("account %s: the history of %ss is closed to us: %s", self._key, kind.value, error)
                continue
            hints += self._hints(kind, rows)
            is_last = is_last and is_end
        return FeedPage(tuple(hints), json.dumps(places), is_last)

    def _start(self, kind: Kind) -> str:
        try:
            return self._history.now(kind)
        except Rejected as error:
            if error.code != "access_denied":
                raise
            return ""

    def _hints(self, kind: Kind, rows: Sequence[dict[str, Any]]) -> list[Hint]:
        """One hint for a record's changes, and one more for each move, deletion and creation."""
        pipelines = self._pipelines(kind, rows)
        hints: list[Hint] = []
        places: dict[Ref, int] = {}
        for row in rows:
            for hint in self._of_row(kind, row, pipelines):
                is_plain = hint.action is Action.CHANGED and hint.move is None
                if is_plain and hint.ref in places:
                    hints[places[hint.ref]] = hint
                    continue
                if is_plain:
                    places[hint.ref] = len(hints)
                hints.append(hint)
        return hints

    def _of_row(self, kind: Kind, row: Item, pipelines: Mapping[str, str]) -> Iterator[Hint]:
        record_id = entity_of(kind, row).get("id")
        if record_id is None:
            return
        ref = Ref(self._key, kind, str(record_id))
        at = moment_of(str(row.get("createdAt")), self._history.timezone)
        user = as_map(row.get("user")).get("id")
        actor = str(user) if user is not None else None
        if row.get("deleted"):
            survivor = as_map(row.get("combinedTo")).get("id")
            into = Ref(self._key, kind, str(survivor)) if survivor else None
            yield Hint(ref, Action.DELETED, at, actor, merged_into=into)
            if into is not None:
                yield Hint(into, Action.CHANGED, at, actor)
        elif row.get("created"):
            yield Hint(ref, Action.ADDED, at, actor, created_at=at)
        else:
            move = self._move(kind, row, pipelines.get(str(record_id)), at)
            yield Hint(ref, Action.CHANGED, at, actor, move)
        person = as_map(as_map(row.get("customerContact")).get("customer")).get("id")
        if person is not None:
            yield Hint(Ref(self._key, Kind.CONTACT, str(person)), Action.CHANGED, at, actor)

    def _move(self, kind: Kind, row: Item, pipeline: str | None, at: datetime | None) -> Move | None:
        if kind is not Kind.DEAL or row.get("field") != "status" or at is None:
            return None
        before, after = (as_map(row.get(name)).get("code") for name in ("oldValue", "newValue"))
        if after is None:
            return None
        where = pipeline or self._directory.main_pipeline()
        from_stage = (where, str(before)) if before is not None else None
        return Move(f"order:{row['id']}", from_stage, (where, str(after)), at)

    def _pipelines(self, kind: Kind, rows: Sequence[Item]) -> dict[str, str]:
        """The order types of the orders that were moved: the history tells the statuses only."""
        if kind is not Kind.DEAL:
            return {}
        moved = [row for row in rows if row.get("field") == "status" and not row.get("created")]
        ids = list(dict.fromkeys(str(entity_of(kind, row).get("id")) for row in moved))
        found = self._walker.by_ids(kind, ids) if ids else []
        return {str(order["id"]): str(order["orderType"]) for order in found if order.get("orderType")}


def _read(cursor: str) -> dict[str, str]:
    try:
        found = json.loads(cursor)
        return {str(kind): str(place) for kind, place in found.items()}
    except (ValueError, AttributeError) as error:
        raise BadPayload(
            f"{cursor[:60]!r} is no feed cursor of retailCRM", remedy="Start the feed anew with no cursor."
        ) from error
