"""The account's own changes: stage history row by row, calls, what lists say was changed, the portal's own queue."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from crmkit.clock import Clock
from crmkit.errors import (
    AccountBlocked,
    AuthError,
    BadPayload,
    CrmKitError,
    RateLimited,
    VendorDown,
)
from crmkit.values import Json, Kind, Ref
from crmkit.webhook import Action, FeedPage, Hint, Move
from crmkit_bitrix24.client.line import Line
from crmkit_bitrix24.client.queue import OfflineQueue
from crmkit_bitrix24.client.reads import CHANGED_AT
from crmkit_bitrix24.client.walk import Listing
from crmkit_bitrix24.errors.refusals import VENDOR
from crmkit_bitrix24.translate import happened_at
from crmkit_bitrix24.wire import DEAL_TYPE, PAGE, TODO, Command, rows

log = logging.getLogger(__name__)

OVERLAP_S = 5
"""Seconds that a window goes back, for changes that were written late and for clocks that differ."""

_HISTORY, _CALLS = "crm.stagehistory.list", "voximplant.statistic.get"
_TIME = Command("server.time", {})
_CREATED = 1
_MANY = ("ID", "DATE_CREATE", "DATE_MODIFY", "MODIFY_BY_ID")
_LISTS: Mapping[Kind, Listing] = {
    Kind.DEAL: Listing("crm.deal.list", _MANY, {}),
    Kind.CONTACT: Listing("crm.contact.list", _MANY, {}),
    Kind.COMPANY: Listing("crm.company.list", _MANY, {}),
    Kind.LEAD: Listing("crm.lead.list", _MANY, {}),
    Kind.TASK: Listing("crm.activity.list", ("ID", "CREATED", "LAST_UPDATED", "EDITOR_ID"), {"PROVIDER_ID": TODO}),
}


@dataclass(slots=True)
class _Cursor:
    """Where a reading stands: the window, the last rows seen, the lists not yet read to the window's end.

    `open` holds the last id of each; None once the window is done with, nothing while only rows are left to read.
    `queue` names what the portal's queue waits to be told: that its rows have arrived.
    """

    since: float
    until: float
    open: dict[str, str] | None = None
    history: int = 0
    calls: int = 0
    queue: list[str] = field(default_factory=list)

    @classmethod
    def parse(cls, text: str) -> _Cursor:
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError):
            raise BadPayload("the feed's cursor is none of ours", vendor=VENDOR, remedy="Start without one.") from None

    def __str__(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))


class Feed:
    """Reads the changes of one account.

    Args:
        line: the way to the portal.
        clock: the time.
        key: the account's key.
    """

    def __init__(self, line: Line, clock: Clock, key: str) -> None:
        self._line = line
        self._clock = clock
        self._key = key
        self._closed: set[str] = set()
        self._queue = OfflineQueue(line, clock, key)

    @property
    def has_calls(self) -> bool:
        """The account lets us see its calls, as far as is known."""
        return _CALLS not in self._closed

    @property
    def has_history(self) -> bool:
        """The account lets us see its stage history, as far as is known."""
        return _HISTORY not in self._closed

    @property
    def has_deletions(self) -> bool:
        """The account may use the portal's queue, which alone tells of deletions."""
        return self._queue.is_given

    def page(self, cursor: str | None) -> FeedPage:
        """One request for a part of every list; another where stage moves need the stage before them."""
        is_queued = self._queue.open()
        if cursor is None:
            return self._beginning()
        at = _Cursor.parse(cursor)
        is_new = at.open is None
        if is_new:
            at.since = at.until
        at.open = at.open or ({kind.value: "0" for kind in _LISTS} if is_new else {})
        kinds = [Kind(name) for name in at.open]
        commands = [_TIME, *(self._changed(kind, at.since, at.open[kind.value]) for kind in kinds)]
        queue = self._queue.commands(at.queue) if is_queued else []
        answers = self._line.batch([*queue, *commands, _history(at.history), _calls(at.calls)])
        queued, (time, *lists, moved, called) = answers[: len(queue)], answers[len(queue) :]
        if is_new:
            at.until = self._portal_time(time)
        hints, after = self._listed(dict(zip(kinds, lists, strict=True)), at.since)
        history, calls = self._rows(_HISTORY, moved), self._rows(_CALLS, called)
        hints += [*self._moves(history), *(self._call(row) for row in calls)]
        at.history = max([at.history, *(int(row["ID"]) for row in history)])
        at.calls = max([at.calls, *(int(row["ID"]) for row in calls)])
        is_last = not after and len(history) < PAGE and len(calls) < PAGE
        if is_queued:
            told = self._queue.take(queued)
            hints, at.queue, is_last = hints + told.hints, told.processes, is_last and told.is_last
        at.open = None if is_last else after
        return FeedPage(tuple(hints), str(at), is_last)

    def _listed(self, lists: Mapping[Kind, object], since: float) -> tuple[list[Hint], dict[str, str]]:
        """What each list says was changed, and the last id of those that go on."""
        hints: list[Hint] = []
        after: dict[str, str] = {}
        for kind, found in lists.items():
            page = self._rows(_LISTS[kind].method, found)
            hints += self._hints(kind, page, since)
            if len(page) == PAGE:
                after[kind.value] = str(page[-1]["ID"])
        return hints, after

    def _beginning(self) -> FeedPage:
        time, history, calls = self._line.batch(
            [
                _TIME,
                Command(_HISTORY, {"entityTypeId": DEAL_TYPE, "order": {"ID": "DESC"}, "start": -1}),
                Command(_CALLS, {"SORT": "ID", "ORDER": "DESC"}),
            ]
        )
        now = self._portal_time(time)
        cursor = _Cursor(
            now, now, history=_newest(self._rows(_HISTORY, history)), calls=_newest(self._rows(_CALLS, calls))
        )
        return FeedPage((), str(cursor), is_last=True)

    def _rows(self, method: str, found: object) -> list[dict[str, Any]]:
        """The rows of one list; none where the account does not let us see it, so that the others go on."""
        if isinstance(found, VendorDown | RateLimited | AuthError | AccountBlocked):
            raise found
        if isinstance(found, CrmKitError):
            if method not in self._closed:
                log.warning("account %s: %s is closed to us: %s", self._key, method, found)
            self._closed.add(method)
            return []
        self._closed.discard(method)
        return rows(cast("Json", found))

    def _changed(self, kind: Kind, since: float, after: str) -> Command:
        moment = datetime.fromtimestamp(since - OVERLAP_S, UTC).isoformat(timespec="seconds")
        name = "DATE_MODIFY" if kind is Kind.DEAL else CHANGED_AT[kind]
        return _LISTS[kind].matching({f">={name}": moment}).command(after)

    def _hints(self, kind: Kind, page: Sequence[Mapping[str, Any]], since: float) -> Iterator[Hint]:
        made_name, changed_name, actor_name = (
            ("CREATED", "LAST_UPDATED", "EDITOR_ID")
            if kind is Kind.TASK
            else ("DATE_CREATE", "DATE_MODIFY", "MODIFY_BY_ID")
        )
        for row in page:
            made, changed = happened_at(row.get(made_name)), happened_at(row.get(changed_name))
            is_new = made is not None and made.timestamp() >= since - OVERLAP_S
            actor = str(row.get(actor_name) or "") or None
            ref = Ref(self._key, kind, str(row["ID"]))
            yield Hint(ref, Action.ADDED if is_new else Action.CHANGED, changed, actor, None, made)

    def _moves(self, history: Sequence[Mapping[str, Any]]) -> list[Hint]:
        """Rows of the stage history; where a deal was before its first row here is asked for."""
        before = self._before(history)
        hints = []
        for row in history:
            owner, at = str(row["OWNER_ID"]), happened_at(row.get("CREATED_TIME"))
            here = _stage(row)
            previous = before.get(owner)
            before[owner] = here
            ref = Ref(self._key, Kind.DEAL, owner)
            if at is None:
                continue
            if int(row.get("TYPE_ID") or 0) == _CREATED:
                hints.append(Hint(ref, Action.ADDED, at, None, None, at))
            elif previous != here:
                move = Move(f"history:{row['ID']}", previous, here, at)
                hints.append(Hint(ref, Action.CHANGED, at, None, move))
        return hints

    def _before(self, history: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, str]]:
        first: dict[str, Mapping[str, Any]] = {}
        for row in history:
            first.setdefault(str(row["OWNER_ID"]), row)
        asked = {owner: row for owner, row in first.items() if int(row.get("TYPE_ID") or 0) != _CREATED}
        commands = [
            Command(
                _HISTORY,
                {
                    "entityTypeId": DEAL_TYPE,
                    "filter": {"OWNER_ID": owner, "<ID": row["ID"]},
                    "order": {"ID": "DESC"},
                    "start": -1,
                },
            )
            for owner, row in asked.items()
        ]
        found: dict[str, tuple[str, str]] = {}
        for (owner, row), result in zip(asked.items(), self._line.every(commands), strict=True):
            earlier = [one for one in rows(result) if int(one["ID"]) < int(row["ID"]) and str(one["OWNER_ID"]) == owner]
            if earlier:
                found[owner] = _stage(max(earlier, key=lambda one: int(one["ID"])))
        return found

    def _call(self, row: Mapping[str, Any]) -> Hint:
        at = happened_at(row.get("CALL_START_DATE"))
        return Hint(Ref(self._key, Kind.CALL, str(row["CALL_ID"])), Action.ADDED, at, None, None, at)

    def _portal_time(self, found: object) -> float:
        """The portal's own time, by which it stamps changes; ours where it does not tell."""
        moment = happened_at(found) or self._clock.now()
        return moment.timestamp()


def _history(after: int) -> Command:
    params = {"entityTypeId": DEAL_TYPE, "filter": {">ID": after}, "order": {"ID": "ASC"}, "start": -1}
    return Command(_HISTORY, params)


def _calls(after: int) -> Command:
    return Command(_CALLS, {"FILTER": {">ID": after}, "SORT": "ID", "ORDER": "ASC"})


def _newest(found: Sequence[Mapping[str, Any]]) -> int:
    return max((int(row["ID"]) for row in found), default=0)


def _stage(row: Mapping[str, Any]) -> tuple[str, str]:
    return str(row.get("CATEGORY_ID") or 0), str(row.get("STAGE_ID") or "")
