"""Walks over whole lists that stay complete while people add, change and delete."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from crmkit.clock import Clock
from crmkit.errors import Rejected
from crmkit_amocrm.client.line import Line, Params
from crmkit_amocrm.client.sheets import Sheet, Sheets
from crmkit_amocrm.wire import EVENTS_PAGE, PAGE, SINGULAR, embedded, has_next

OVERLAP_S = 5
"""Seconds that a reading by time goes back, for changes that were written late."""

_SKEW_S = 3
"""Seconds by which the vendor's clock may differ from ours."""

_ROUNDS = 10
_SINGULAR_OF = {plural: singular for singular, plural in SINGULAR.items()}


class Stretch(NamedTuple):
    """A part of a walk: entities, and the position from which a broken walk goes on behind them."""

    items: list[dict[str, Any]]
    position: str


@dataclass(slots=True)
class _Losses:
    """What left a list while it was walked: when, and what came back into it."""

    at: list[int] = field(default_factory=list)
    restored: list[int] = field(default_factory=list)


class Walker:
    """Walks the lists of one account.

    Args:
        line: the way to the account.
        clock: the time.
    """

    def __init__(self, line: Line, clock: Clock) -> None:
        self._line = line
        self._clock = clock

    def by_id(self, path: str, params: Params, position: str | None = None) -> Iterator[Stretch]:
        """All entities by id, read ahead; what slid over a page's edge because of deletions is read again.

        Pages are offsets: a deletion before the edge pulls the next page's first entity back onto a page that was
        already read. New entities come last and move nothing.
        """
        sheets = Sheets(self._line, self._clock, path, path, [*params, ("order[id]", "asc")])
        first, started = self._start(path, position)
        seen: list[Sheet] = []
        for sheet in sheets.ahead(first):
            seen.append(Sheet(sheet.number, [], sheet.is_last, sheet.asked_at, sheet.answered_at))
            yield Stretch(sheet.items, f"{sheet.number}:{started}")
        yield from self._mended(path, params, sheets, seen, started)

    def by_change(
        self, path: str, name: str, params: Params, since: int, position: str | None = None
    ) -> Iterator[Stretch]:
        """All entities changed at or after `since`, oldest change first; each page starts at the last one's end.

        Nothing can slide past a time: what changes meanwhile moves to the end of the walk.
        """
        begin = int(position) if position else since
        while True:
            body = self._line.get(path, _changed(params, begin, None, 1))
            items = embedded(body, name)
            end = int(items[-1].get("updated_at") or begin) if items else begin
            yield Stretch(items, str(end))
            if not has_next(body):
                return
            if end == begin:
                # More entities of one second than a page holds, as after an import.
                yield from self._of_second(path, name, params, begin)
                end = begin + 1
            begin = end

    def small(self, path: str, name: str, params: Params) -> Iterator[Stretch]:
        """A list that fits a few pages, read again until a pass brings nothing new."""
        known: set[str] = set()
        for _ in range(_ROUNDS):
            pages, fresh = 0, 0
            for sheet in Sheets(self._line, self._clock, path, name, params).ahead(1):
                pages += 1
                items = [item for item in sheet.items if str(item.get("uid", item.get("id"))) not in known]
                known.update(str(item.get("uid", item.get("id"))) for item in items)
                fresh += len(items)
                yield Stretch(items, "")
            if pages <= 1 or not fresh:
                return

    def _of_second(self, path: str, name: str, params: Params, second: int) -> Iterator[Stretch]:
        known: set[int] = set()
        for _ in range(_ROUNDS):
            page, fresh = 1, 0
            while True:
                body = self._line.get(path, _changed(params, second, second, page))
                items = [item for item in embedded(body, name) if item["id"] not in known]
                known.update(item["id"] for item in items)
                fresh += len(items)
                if items:
                    yield Stretch(items, str(second))
                if not has_next(body):
                    break
                page += 1
            if not fresh:
                return

    def _start(self, path: str, position: str | None) -> tuple[int, int]:
        now = int(self._clock.now().timestamp())
        if not position:
            return 1, now
        number, started = (int(part) for part in position.split(":"))
        losses = self._losses(path, started)
        # Which of the pages read before the break had moved is no longer known.
        return (1, now) if losses.at or losses.restored else (number + 1, started)

    def _mended(
        self, path: str, params: Params, sheets: Sheets, seen: Sequence[Sheet], started: int
    ) -> Iterator[Stretch]:
        """What slid over an edge, read from the end: on the way back entities only slide to pages still to come."""
        position = f"{seen[-1].number if seen else 0}:{started}"
        checked_from = int(self._clock.now().timestamp())
        losses = self._losses(path, started)
        first, page = _torn(seen, losses.at)
        gone, back = 0, set[int]()
        while True:
            fresh = [one for one in losses.restored if one not in back]
            back.update(fresh)
            yield from (Stretch(items, position) for items in self._by_ids(path, params, fresh))
            while page >= first:
                yield Stretch(sheets.read(page).items, position)
                page -= 1
            if page < 1:
                return
            # What left the list during the way back may have pulled the next entity below the last page read.
            losses = self._losses(path, checked_from)
            if len(losses.at) == gone and back.issuperset(losses.restored):
                return
            gone = len(losses.at)
            first = max(1, first - math.ceil(gone / PAGE))

    def _losses(self, path: str, since: int) -> _Losses:
        """Deletions, merges and returns since a moment, from the event list; from the bin where that is closed."""
        entity = _SINGULAR_OF.get(path)
        if entity is None:
            return _Losses()
        types = f"{entity}_deleted" if path == "tasks" else f"{entity}_deleted,{entity}_restored,entity_merged"
        params = [
            ("filter[type]", types),
            ("filter[entity]", entity),
            ("filter[created_at][from]", str(since - _SKEW_S)),
        ]
        try:
            events = list(self._line.every("events", "events", params, EVENTS_PAGE))
        except Rejected:
            return self._binned(path, since)
        losses = _Losses()
        for event in events:
            if event["type"].endswith("_restored"):
                losses.restored.append(event["entity_id"])
            else:
                losses.at.append(event["created_at"])
        return losses

    def _binned(self, path: str, since: int) -> _Losses:
        if path == "tasks":
            return _Losses()
        params = [("with", "only_deleted"), ("filter[updated_at][from]", str(since - _SKEW_S))]
        return _Losses(at=[item.get("updated_at") or since for item in self._line.every(path, path, params)])

    def _by_ids(self, path: str, params: Params, ids: Sequence[int]) -> Iterator[list[dict[str, Any]]]:
        for start in range(0, len(ids), PAGE):
            wanted = [("filter[id][]", str(one)) for one in ids[start : start + PAGE]]
            yield self._line.items(path, path, [*params, *wanted, ("limit", str(PAGE))])


def _changed(params: Params, begin: int, end: int | None, page: int) -> list[tuple[str, str]]:
    until = [] if end is None else [("filter[updated_at][to]", str(end))]
    order = ("order[updated_at]", "asc") if end is None else ("order[id]", "asc")
    span = [("filter[updated_at][from]", str(begin)), *until]
    return [*params, *span, order, ("page", str(page)), ("limit", str(PAGE))]


def _torn(seen: Sequence[Sheet], losses: Sequence[int]) -> tuple[int, int]:
    """First and last page that may now hold what slid back over an edge; (1, 0) when nothing did."""
    torn: list[int] = []
    for sheet, following in itertools.pairwise(seen):
        is_torn = any(sheet.asked_at <= at + 1 + _SKEW_S and following.answered_at >= at - _SKEW_S for at in losses)
        if is_torn:
            torn.append(sheet.number)
    if not torn:
        return 1, 0
    # All deletions of the walk together may have pulled it further back than the page before the edge.
    return max(1, torn[0] - math.ceil(len(losses) / PAGE)), torn[-1]
