"""Walks over whole lists that stay complete while people add, change and delete."""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from crmkit.clock import Clock
from crmkit.values import Kind
from crmkit_retailcrm.client.history import History, entity_of
from crmkit_retailcrm.client.line import Line, Params
from crmkit_retailcrm.client.sheets import Sheet, Sheets
from crmkit_retailcrm.translate import moment_of
from crmkit_retailcrm.wire import PAGE, SHELVES, listed

log = logging.getLogger(__name__)

SKEW_S = 3
"""Seconds by which the vendor's clock may differ from ours."""

_ROUNDS = 10


class Stretch(NamedTuple):
    """A part of a walk: entities, and the position from which a broken walk goes on behind them."""

    items: list[dict[str, Any]]
    position: str


@dataclass(slots=True)
class _Losses:
    """What happened to a list since a place in its history: when it lost entities, and which it gained when."""

    at: list[float] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    made_at: list[float] = field(default_factory=list)


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
        yield from self._mended(kind, sheets, seen, place)

    def settled(self, kind: Kind) -> Iterator[Stretch]:
        """All entities of a kind without a history, read again until a reading brings nothing new."""
        shelf, known = SHELVES[kind], set[int]()
        for _ in range(_ROUNDS):
            pages, before = 0, len(known)
            for sheet in Sheets(self._line, self.clock, shelf.path, shelf.many).ahead(1):
                fresh = [item for item in sheet.items if item["id"] not in known]
                known.update(item["id"] for item in fresh)
                pages += 1
                yield Stretch(fresh, "")
            if pages <= 1 or len(known) == before:
                return

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
        if not position:
            return 1, self._history.now(kind)
        number, _, place = position.partition("~")
        if self._losses(kind, place).at:
            # Which of the pages read before the break were torn is no longer known.
            return 1, self._history.now(kind)
        return int(number) + 1, place

    def _mended(self, kind: Kind, sheets: Sheets, seen: Sequence[Sheet], place: str) -> Iterator[Stretch]:
        """What was added meanwhile, and what slid over an edge, read to and fro until nothing more can have slid.

        On the way to the end deletions hide entities and additions do not; on the way back it is the other way round.
        """
        position = f"{seen[-1].number if seen else 0}~{place}"
        known: set[str] = set()
        passes, is_back = list(seen), False
        for _ in range(_ROUNDS):
            losses = self._losses(kind, place)
            fresh = [one for one in losses.made if one not in known]
            known.update(fresh)
            if fresh:
                yield Stretch(self.by_ids(kind, fresh), position)
            torn = _torn(passes, losses.made_at if is_back else losses.at, losses)
            if not torn:
                return
            is_back = not is_back
            passes = []
            for number in reversed(torn) if is_back else torn:
                sheet = sheets.read(number)
                passes.append(Sheet(number, [], sheet.pages, sheet.asked_at, sheet.answered_at))
                yield Stretch(sheet.items, position)
        log.warning("%ss are added and deleted all the time: ten readings of the same pages were made", kind.value)

    def _losses(self, kind: Kind, place: str) -> _Losses:
        losses = _Losses()
        for row in self._history.rows(kind, place):
            if row.get("deleted"):
                losses.at.append(self._seconds(str(row.get("createdAt"))))
            elif row.get("created"):
                losses.made.append(str(entity_of(kind, row).get("id")))
                losses.made_at.append(self._seconds(str(row.get("createdAt"))))
        return losses

    def _seconds(self, text: str) -> float:
        at = moment_of(text, self._history.timezone)
        return at.timestamp() if at else self.clock.now().timestamp()


def _torn(seen: Sequence[Sheet], times: Sequence[float], losses: _Losses) -> list[int]:
    """The pages that may now hold what slid over an edge between two readings, at one of these times.

    Since then deletions may have pulled it further towards the beginning, and additions pushed it away from there.
    """
    torn = {
        min(one.number, following.number)
        for one, following in itertools.pairwise(seen)
        if any(one.asked_at <= at + 1 + SKEW_S and following.answered_at >= at - SKEW_S for at in times)
    }
    back, on = math.ceil(len(losses.at) / PAGE), math.ceil(len(losses.made) / PAGE)
    return sorted({page for one in torn for page in range(max(1, one - back), one + 1 + on)})
