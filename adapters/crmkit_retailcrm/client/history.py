"""The account's own record of changes, list by list: read by the last id seen, never by page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from crmkit.clock import Clock
from crmkit.values import Json, Kind
from crmkit_retailcrm.client.directory import Directory
from crmkit_retailcrm.client.line import Line
from crmkit_retailcrm.translate import moment_of, to_moment
from crmkit_retailcrm.wire import PAGE, SHELVES, Item, as_map, listed

TOLD = (Kind.CONTACT, Kind.COMPANY, Kind.DEAL, Kind.TASK)
"""The kinds that have a history."""

MARGIN_S = 120
"""A place in a history is looked for among the rows of the last two minutes, so that clocks may differ."""


class History:
    """Reads the histories of one account.

    A place is `id:<last row seen>`, or `from:<moment of the account's zone>` where no row was there to see.

    Args:
        line: the way to the account.
        directory: tells the account's zone.
        clock: the time.
    """

    def __init__(self, line: Line, directory: Directory, clock: Clock) -> None:
        self._line = line
        self._directory = directory
        self._clock = clock

    def now(self, kind: Kind) -> str:
        """The place behind all that has happened; one request, more in an account that changes 100 times a minute.

        Where there is no row to remember, the account's own clock is: ours may be ahead of it.
        """
        place = f"from:{self.local(self._clock.now() - timedelta(seconds=MARGIN_S))}"
        while True:
            body = self._ask(kind, place)
            rows = _rows(body)
            if not rows:
                there = moment_of(str(as_map(body).get("generatedAt")), self.timezone)
                is_first = place.startswith("from:")
                return self.since(kind, there - timedelta(seconds=MARGIN_S)) if there and is_first else place
            place = f"id:{rows[-1]['id']}"
            if len(rows) < PAGE:
                return place

    def since(self, kind: Kind, moment: datetime) -> str:
        """The place before all that has happened at or after a moment."""
        return f"from:{self.local(moment)}"

    def page(self, kind: Kind, place: str) -> tuple[list[dict[str, Any]], str, bool]:
        """Up to 100 rows behind a place, oldest first, the place behind them, and whether there are no more now.

        Source: retailCRM API v5, methods `*/history`; `filter[sinceId]` with `page` is refused since May 2023.
        """
        rows = _rows(self._ask(kind, place))
        behind = f"id:{rows[-1]['id']}" if rows else place
        return rows, behind, len(rows) < PAGE

    def rows(self, kind: Kind, place: str) -> Iterator[dict[str, Any]]:
        """All rows behind a place, oldest first."""
        while True:
            rows, place, is_last = self.page(kind, place)
            yield from rows
            if is_last:
                return

    def _ask(self, kind: Kind, place: str) -> Json:
        how, _, value = place.partition(":")
        name = "filter[sinceId]" if how == "id" else "filter[startDate]"
        return self._line.get(f"{SHELVES[kind].path}/history", [(name, value), ("limit", str(PAGE))])

    @property
    def timezone(self) -> str:
        """The zone of the account's times."""
        return self._directory.account().timezone

    def local(self, moment: datetime) -> str:
        """A moment as the account writes it."""
        return to_moment(moment, self.timezone)


def entity_of(kind: Kind, row: Item) -> Item:
    """The entity that a row tells of, or what is left of it."""
    return as_map(row.get(SHELVES[kind].told_as))


def _rows(body: Json) -> list[dict[str, Any]]:
    return sorted(listed(body, "history"), key=lambda row: int(row["id"]))
