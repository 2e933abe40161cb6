"""Walks over whole lists that stay complete while people add, change and delete."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from crmkit.clock import Clock
from crmkit.values import Kind
from crmkit_retailcrm.client.history import TOLD, History, entity_of
from crmkit_retailcrm.client.line import Line, Params
from crmkit_retailcrm.client.sheets import Sheet, Sheets
from crmkit_retailcrm.translate import moment_of
from crmkit_retailcrm.wire import PAGE, SHELVES, listed

SKEW_S = 3
"""Seconds by which the vendor's clock may differ from ours."""

_ROUNDS = 10


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a walk: entities, and the position from which a broken walk goes on behind them."""

    items: list[dict[str, Any]]
    position: str


@dataclass(slots=True)
class _Losses:
    """What happened to a list since a place in its history: deletions by their times, creations by their ids."""

    at: list[float] = field(default_factory=list)
    made: list[str] = field(default_factory=list)


class Walker:
    """Walks the lists of one account.

    Args:
        line: the way to the account.
        history: the account's record of changes.
        clock: the time.
    """

    def __init__(self, line: Line, history: History, clock: Clock) -> None:
        self._line = line
        self._history = history
        self.clock = clock

    def whole(self, kind: Kind, position: str | None = None) -> Iterator[Stretch]:
        """All entities of a kind, read ahead, newest first; two requests more than there are pages.

        Pages are offsets into a living list: what is added shifts entities to later pages, so that they come twice;
        what is deleted pulls one back onto a page that was read already. So the place in the history is fixed first;
        after the walk the edges that a deletion may have torn are read again, and what was added is read by its ids.
        """
        shelf = SHELVES[kind]
        sheets = Sheets(self._line, self.clock, shelf.path, shelf.many)
        first, place = self._start(kind, position)
        seen: list[Sheet] = []
        for sheet in sheets.ahead(first):
            seen.append(Sheet(sheet.number, [], sheet.pages, sheet.asked_at, sheet.answered_at))
            yield Stretch(sheet.items, f"{sheet.number}~{place}")
        if kind in TOLD:
            yield from self._mended(kind, sheets, seen, place)

    def changed(self, kind: Kind, place: str) -> Iterator[Stretch]:
        """What the history names behind a place, as it is now, a hundred entities at a time, oldest change first."""
        while True:
            rows, place, is_last = self._history.page(kind, place)
            ids = dict.fromkeys(str(entity_of(kind, row).get("id", "")) for row in rows)
            yield Stretch(self.by_ids(kind, [one for one in ids if one]), f"~{place}")
            if is_last:
                return

    def by_ids(self, kind: Kind, ids: Sequence[str], params: Params = ()) -> list[dict[str, Any]]:
        """The entities of these ids that exist; one request for a hundred."""
        shelf, found = SHELVES[kind], list[dict[str, Any]]()
        for start in range(0, len(ids), PAGE):
            wanted = [("filter[ids][]", one) for one in ids[start : start + PAGE]]
            body = self._line.get(shelf.path, [*wanted, *params, ("limit", str(PAGE))])
            found += listed(body, shelf.many)
        return found

    def _start(self, kind: Kind, position: str | None) -> tuple[int, str]:
        if kind not in TOLD:
            return 1, ""
        if not position:
            return 1, self._history.now(kind)
        number, _, place = position.partition("~")
        if self._losses(kind, place).at:
            # Which of the pages read before the break were torn is no longer known.
            return 1, self._history.now(kind)
        return int(number) + 1, place

    def _mended(self, kind: Kind, sheets: Sheets, seen: Sequence[Sheet], place: str) -> Iterator[Stretch]:
        position = f"{seen[-1].number if seen else 0}~{place}"
        known: set[str] = set()
        passes, gone = list(seen), 0
        for _ in range(_ROUNDS):
            losses = self._losses(kind, place)
            fresh = [one for one in losses.made if one not in known]
            known.update(fresh)
            if fresh:
                yield Stretch(self.by_ids(kind, fresh), position)
            torn = _torn(passes, losses.at[gone:] if gone else losses.at, len(losses.at), len(losses.made))
            gone = len(losses.at)
            if not torn:
                return
            again: list[Sheet] = []
            for number in torn:
                sheet = sheets.read(number)
                again.append(Sheet(number, [], sheet.pages, sheet.asked_at, sheet.answered_at))
                yield Stretch(sheet.items, position)
            # What is deleted while the torn edges are read may tear them again.
            passes = again

    def _losses(self, kind: Kind, place: str) -> _Losses:
        losses = _Losses()
        for row in self._history.rows(kind, place):
            if row.get("deleted"):
                losses.at.append(self._seconds(str(row.get("createdAt"))))
            elif row.get("created"):
                losses.made.append(str(entity_of(kind, row).get("id")))
        return losses

    def _seconds(self, text: str) -> float:
        at = moment_of(text, self._history.timezone)
        return at.timestamp() if at else self.clock.now().timestamp()


def _torn(seen: Sequence[Sheet], losses: Sequence[float], deleted: int, added: int) -> list[int]:
    """The pages that now hold what a deletion pulled over an edge between two readings.

    Since then deletions may have pulled it further towards the beginning, and additions pushed it away from there.
    """
    torn = [
        one.number
        for one, following in itertools.pairwise(seen)
        if any(one.asked_at <= at + 1 + SKEW_S and following.answered_at >= at - SKEW_S for at in losses)
    ]
    if not torn:
        return []
    back, on = math.ceil(deleted / PAGE), math.ceil(added / PAGE)
    return list(range(max(1, torn[0] - back), torn[-1] + 1 + on))
