"""The account's own changes since a cursor: the event list, and readings by time for what it does not tell."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from crmkit.clock import Clock
from crmkit.errors import BadPayload, Rejected
from crmkit.values import Kind, Ref
from crmkit.webhook import Action, FeedPage, Hint, Move
from crmkit_amocrm.client.line import Line
from crmkit_amocrm.wire import CALL_NOTES, EVENTS_PAGE, PARENTS, PATHS, SINGULAR, Item, embedded, has_next

OVERLAP_S = 30
"""Seconds that each reading goes back, for events that appear late; what was seen is not told twice."""

SWEEP_S = 300
"""Deals, contacts and companies are read by their time of change this seldom: events tell nearly all of theirs."""

CLOSED_S = 3600
"""An account whose event list is closed to us is asked again after this long."""

_MOST_PAGES = 10
_EVERY_TIME = (Kind.TASK, Kind.LEAD)
_SELDOM = (Kind.DEAL, Kind.CONTACT, Kind.COMPANY)
_KINDS = {"lead": Kind.DEAL, "contact": Kind.CONTACT, "company": Kind.COMPANY, "task": Kind.TASK}
_CALLS = {"incoming_call", "outgoing_call"}


@dataclass(slots=True)
class _Cursor:
    """Where the reading stands (Unix seconds), and what of the overlap was told already."""

    at: int
    read_at: int
    swept_at: int
    closed_until: int = 0
    seen: dict[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> _Cursor:
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise BadPayload(
                f"{text[:60]!r} is no feed cursor of amoCRM", remedy="Start the feed anew with no cursor."
            ) from error

    def forget(self) -> None:
        """Let go of what lies before every overlap."""
        swept = tuple(f"{kind.value}:" for kind in _SELDOM)
        self.seen = {
            mark: at
            for mark, at in self.seen.items()
            if at >= (self.swept_at if mark.startswith(swept) else min(self.at, self.read_at)) - OVERLAP_S
        }

    def text(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))


class Feed:
    """Reads the changes of one account.

    Args:
        line: the way to the account.
        clock: the time.
        key: the account's key.
    """

    def __init__(self, line: Line, clock: Clock, key: str) -> None:
        self._line = line
        self._clock = clock
        self._key = key
        self.is_closed = False

    def page(self, cursor: str | None) -> FeedPage:
        """The hints behind `cursor`, oldest first; None starts at now.

        One request for the events (more after an outage), one for tasks, one for incoming leads; every five minutes
        three more. Where the event list is closed to us, everything is read by its time of change instead.
        """
        now = int(self._clock.now().timestamp())
        if cursor is None:
            return FeedPage((), _Cursor(now, now, now).text(), is_last=True)
        state = _Cursor.read(cursor)
        until = now
        hints: list[Hint] = []
        if now >= state.closed_until:
            try:
                events, until = self._events(state.at - OVERLAP_S, now)
                hints += [hint for event in self._unseen(events, state) for hint in self._of_event(event)]
                state.closed_until, self.is_closed = 0, False
            except Rejected:
                state.closed_until, self.is_closed = now + CLOSED_S, True
        state.at = until
        if until == now:
            hints += self._by_time(state, now, {hint.ref for hint in hints})
        state.forget()
        return FeedPage(tuple(hints), state.text(), is_last=until == now)

    def _by_time(self, state: _Cursor, now: int, told: set[Ref]) -> list[Hint]:
        """What events do not tell, once they are read up to now."""
        hints: list[Hint] = []
        for kind in _EVERY_TIME:
            hints += self._changed(kind, state, state.read_at - OVERLAP_S, told)
        if self.is_closed or now - state.swept_at >= SWEEP_S:
            for kind in _SELDOM:
                hints += self._changed(kind, state, state.swept_at - OVERLAP_S, told)
            state.swept_at = now
        if self.is_closed:
            hints += self._without_events(state, state.read_at - OVERLAP_S)
        state.read_at = now
        return hints

    def _events(self, begin: int, now: int) -> tuple[list[Item], int]:
        """The events since a moment, oldest first, and the moment up to which they are whole.

        The list is newest first and paged by offset: a span too long for a few pages is halved, so that its older half
        comes first and memory stays bounded.
        """
        until = now
        while True:
            found: list[dict[str, Any]] = []
            page = 1
            is_whole = False
            while page <= _MOST_PAGES and not is_whole:
                body = self._line.get("events", _span(begin, until if until != now else None, page))
                found += embedded(body, "events")
                is_whole = not has_next(body)
                page += 1
            if is_whole or until - begin <= 1:
                if not is_whole:
                    found += self._rest(begin, until, page)
                return _oldest_first(found), until
            until = begin + (until - begin) // 2

    def _rest(self, begin: int, until: int, page: int) -> Iterator[dict[str, Any]]:
        # One second with more events than the pages hold: there is nothing left to halve.
        while True:
            body = self._line.get("events", _span(begin, until, page))
            yield from embedded(body, "events")
            if not has_next(body):
                return
            page += 1

    def _unseen(self, events: Sequence[Item], state: _Cursor) -> Iterator[Item]:
        for event in events:
            if event["id"] not in state.seen:
                state.seen[event["id"]] = event["created_at"]
                yield event

    def _of_event(self, event: Item) -> Iterator[Hint]:
        kind = _KINDS.get(str(event.get("entity_type")))
        if kind is None:
            return
        type_, at = str(event["type"]), _moment(event.get("created_at"))
        actor = str(event["created_by"]) if event.get("created_by") else None
        ref = Ref(self._key, kind, str(event["entity_id"]))
        note = _inner(event.get("value_after"), "note")
        if note is not None and not type_.startswith(("lead_", "contact_", "company_", "task_")):
            note_kind = Kind.CALL if type_ in _CALLS else Kind.NOTE
            parent = SINGULAR[str(event["entity_type"])]
            yield Hint(Ref(self._key, note_kind, f"{parent}.{note['id']}"), Action.ADDED, at, actor, None, at)
            return
        if type_.endswith("_note_deleted"):
            gone = _inner(event.get("value_before"), "note")
            if gone is not None:
                parent = SINGULAR[str(event["entity_type"])]
                yield Hint(Ref(self._key, Kind.NOTE, f"{parent}.{gone['id']}"), Action.DELETED, at, actor)
            return
        action = _ACTIONS.get(type_.removeprefix(f"{event['entity_type']}_"), Action.CHANGED)
        created_at = at if action is Action.ADDED else None
        yield Hint(ref, action, at, actor, _move(event, at), created_at)
        yield from self._other_side(event, at, actor)

    def _other_side(self, event: Item, at: datetime | None, actor: str | None) -> Iterator[Hint]:
        for side in ("value_after", "value_before"):
            for name in ("link", "unlink"):
                other = (_inner(event.get(side), name) or {}).get("entity") or {}
                kind = _KINDS.get(str(other.get("type")))
                if kind is not None and other.get("id"):
                    yield Hint(Ref(self._key, kind, str(other["id"])), Action.CHANGED, at, actor)

    def _changed(self, kind: Kind, state: _Cursor, begin: int, told: set[Ref]) -> list[Hint]:
        """Records that changed since a moment and were not told by events."""
        hints: list[Hint] = []
        for item in self._recent(kind, begin):
            record_id = str(item.get("uid") or item.get("id"))
            at = int(item.get("updated_at") or item.get("created_at") or begin)
            mark = f"{kind.value}:{record_id}@{at}"
            ref = Ref(self._key, kind, record_id)
            if mark in state.seen:
                continue
            state.seen[mark] = at
            if ref in told:
                continue
            actor = str(item["updated_by"]) if item.get("updated_by") else None
            made = item.get("created_at")
            action = Action.ADDED if made and made >= begin else Action.CHANGED
            hints.append(Hint(ref, action, _moment(at), actor, None, _moment(made)))
        return hints

    def _recent(self, kind: Kind, begin: int) -> Iterator[dict[str, Any]]:
        if kind is Kind.LEAD:
            # Incoming leads have no filter by time, and newest come first.
            for item in self._line.items(
                "leads/unsorted", "unsorted", [("order[created_at]", "desc"), ("limit", "50")]
            ):
                if (item.get("created_at") or 0) >= begin:
                    yield item
            return
        path = PATHS[kind]
        params = [("filter[updated_at][from]", str(begin))]
        if kind is not Kind.TASK:
            params.append(("order[updated_at]", "asc"))
        yield from self._line.every(path, path, params)

    def _without_events(self, state: _Cursor, begin: int) -> list[Hint]:
        """Notes, calls and deletions by the lists that remain when the event list is closed."""
        hints: list[Hint] = []
        for parent, kind in PARENTS.items():
            since = ("filter[updated_at][from]", str(begin))
            for note in self._line.every(f"{parent}/notes", "notes", [since]):
                note_kind = Kind.CALL if note.get("note_type") in CALL_NOTES else Kind.NOTE
                ref, at = Ref(self._key, note_kind, f"{parent}.{note['id']}"), note.get("updated_at") or begin
                hints += self._once(state, ref, Action.CHANGED, at, note.get("created_at"))
            for gone in self._line.every(parent, parent, [("with", "only_deleted"), since]):
                ref, at = Ref(self._key, kind, str(gone["id"])), gone.get("updated_at") or begin
                if gone.get("is_deleted", True):
                    hints += self._once(state, ref, Action.DELETED, at, None)
        return hints

    def _once(self, state: _Cursor, ref: Ref, action: Action, at: int, made: int | None) -> list[Hint]:
        mark = f"{ref.kind.value}:{ref.id}:{action.value}@{at}"
        if mark in state.seen:
            return []
        state.seen[mark] = at
        return [Hint(ref, action, _moment(at), None, None, _moment(made))]


_ACTIONS: Mapping[str, Action] = {
    "added": Action.ADDED,
    "deleted": Action.DELETED,
    "restored": Action.CHANGED,
}


def _oldest_first(found: Sequence[Item]) -> list[Item]:
    """Events in the order in which they happened: within a second, which is all that they tell, as the list has them.

    Source: amoCRM API v4, page "Events": nothing says that ids grow with time.
    """
    is_newest_first = not found or found[0]["created_at"] >= found[-1]["created_at"]
    return sorted(reversed(found) if is_newest_first else found, key=lambda event: int(event["created_at"]))


def _span(begin: int, until: int | None, page: int) -> list[tuple[str, str]]:
    bounds = [("filter[created_at][from]", str(begin))]
    if until is not None:
        bounds.append(("filter[created_at][to]", str(until)))
    return [*bounds, ("page", str(page)), ("limit", str(EVENTS_PAGE))]


def _moment(seconds: Any) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _inner(values: Any, name: str) -> Mapping[str, Any] | None:
    """What an event's value holds under a name; values are lists of one item, in some copies objects."""
    items = values if isinstance(values, list) else [values]
    for item in items:
        if isinstance(item, Mapping) and isinstance(item.get(name), Mapping):
            found: Mapping[str, Any] = item[name]
            return found
    return None


def _move(event: Item, at: datetime | None) -> Move | None:
    if event["type"] != "lead_status_changed" or at is None:
        return None
    before, after = _inner(event.get("value_before"), "lead_status"), _inner(event.get("value_after"), "lead_status")
    if after is None:
        return None
    came_from = (str(before.get("pipeline_id", "")), str(before["id"])) if before else None
    return Move(str(event["id"]), came_from, (str(after.get("pipeline_id", "")), str(after["id"])), at)
