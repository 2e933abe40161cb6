"""Walks over whole lists by rising id: nothing slides when others add and delete."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from typing import Any, NamedTuple

from crmkit.errors import BadPayload
from crmkit_bitrix24.client.forecast import Forecast, Range
from crmkit_bitrix24.client.line import Line
from crmkit_bitrix24.errors.refusals import VENDOR
from crmkit_bitrix24.wire import DEAL_TYPE, PAGE, Command, rows

Items = list[dict[str, Any]]


class Listing(NamedTuple):
    """One list method in the words of its family.

    Args:
        method: the method.
        select: the fields to read.
        filter: conditions besides the id.
        is_universal: rows stand under `items` and names are camelCase.
        entity_type_id: for `crm.item.list`.
    """

    method: str
    select: tuple[str, ...]
    filter: Mapping[str, Any]
    is_universal: bool = False
    entity_type_id: int | None = None

    @property
    def id_name(self) -> str:
        """The id's field."""
        return "id" if self.is_universal and self.entity_type_id else "ID"

    def command(self, after: str, *, upto: int | None = None, order: str = "ASC") -> Command:
        """The page behind an id, up to another, without counting what there is."""
        name = self.id_name
        filter_ = {**self.filter, f">{name}": after} if after else dict(self.filter)
        if upto is not None:
            filter_[f"<={name}"] = upto
        params: dict[str, Any] = {
            "select": list(self.select),
            "filter": filter_,
            "order": {name: order},
            "start": -1,
        }
        if self.entity_type_id is not None:
            # User fields keep their own names, so that both families give the same.
            params |= {"entityTypeId": self.entity_type_id, "useOriginalUfNames": "Y"}
        return Command(self.method, params)

    def matching(self, extra: Mapping[str, Any]) -> Listing:
        """The same list with more conditions."""
        return self._replace(filter={**self.filter, **extra})

    def newest(self) -> Command:
        """The rows of the highest ids, with nothing but these."""
        return self._replace(select=(self.id_name,)).command("", order="DESC")

    def last_of(self, key: str) -> str:
        """A reference to the last id of an earlier full page in the same batch."""
        path = "[items]" if self.is_universal else ""
        return f"$result[{key}]{path}[{PAGE - 1}][{self.id_name}]"


DEALS = Listing("crm.item.list", ("*",), {}, is_universal=True, entity_type_id=DEAL_TYPE)


class Read(NamedTuple):
    """What a range gave: its pages, and whether there are no more rows in it."""

    pages: list[Items]
    is_whole: bool


class Walker:
    """Walks over the lists of one account.

    Args:
        line: the way to the portal.
    """

    def __init__(self, line: Line) -> None:
        self._line = line

    def every(self, listing: Listing, first: Items | None = None) -> Iterator[dict[str, Any]]:
        """All rows of a list: the first fifty with one call, then 2,500 with each batch.

        `first` is that first page, where somebody has read it already.
        """
        page = rows(self._line.call(*listing.command("0"))) if first is None else first
        yield from page
        is_whole = len(page) < PAGE
        while not is_whole:
            found, is_whole = self._read(listing, Range(int(page[-1][listing.id_name]), None))
            for page in found:
                yield from page

    def whole(
        self, listing: Listing, first: Items, edge: int | None, gather: Callable[[Items], Items]
    ) -> Iterator[Items]:
        """All pages of a long list behind its first one, in order; several ranges of ids are read at a time.

        `gather` asks for what belongs to bodies; it is called in the threads that read. Nothing is missed or doubled
        while others add and delete: each id lies in one range, and the last range has no end.
        """
        name = listing.id_name
        if len(first) < PAGE:
            return
        ids = [int(row[name]) for row in first]
        forecast, low = Forecast(ids, edge, len(first[0])), ids[-1]
        flying: deque[tuple[Range, Future[Read]]] = deque()

        def begin(range_: Range) -> tuple[Range, Future[Read]]:
            return range_, self._line.crew.begin(lambda: self._gathered(listing, range_, gather))

        def fill(low: int) -> int:
            while len(flying) < min(forecast.trust, self._line.room(listing.method)):
                if flying and flying[-1][0].high is None:
                    break
                flying.append(begin(forecast.behind(low)))
                low = flying[-1][0].high or low
            return low

        is_over, low = False, fill(low)
        try:
            while not is_over:
                range_, future = flying.popleft()
                pages, is_whole = future.result()
                last = int(pages[-1][-1][name]) if pages else range_.low
                forecast.learn(range_, last, sum(map(len, pages)), is_whole=is_whole)
                if range_.high is None:
                    is_over, low = is_whole, last
                elif not is_whole:
                    flying.appendleft(begin(forecast.rest(range_, last)))
                if not is_over:
                    # The next ones leave before these rows are taken.
                    low = fill(low)
                del future
                pages.reverse()
                while pages:
                    # What was taken need not stay in memory while the rest waits.
                    yield pages.pop()
        finally:
            for _, waiting in flying:
                waiting.cancel()

    def _gathered(self, listing: Listing, range_: Range, gather: Callable[[Items], Items]) -> Read:
        found = self._read(listing, range_)
        gather([row for page in found.pages for row in page])
        return found

    def _read(self, listing: Listing, range_: Range) -> Read:
        """The rows of a range as far as one batch goes.

        Source: Bitrix24 REST, page "Huge data": each command takes the last id of the one before. Behind a short page
        the reference is empty and the list begins anew; what follows is thrown away.
        """
        name, position, pages = listing.id_name, range_.low, list[Items]()
        commands = [listing.command(str(position), upto=range_.high)]
        commands += [
            listing.command(listing.last_of(f"c{place}"), upto=range_.high) for place in range(range_.pages - 1)
        ]
        for result in self._line.every(commands):
            page = rows(result)
            if page and int(page[0][name]) <= position:
                # The list began anew though the page before was full: asked again from what is certain.
                break
            if page and range_.high is not None and int(page[-1][name]) > range_.high:
                # Where the upper end is not heard, what lies behind it belongs to the next range.
                pages.append([row for row in page if int(row[name]) <= range_.high])
                return Read([page for page in pages if page], True)
            if page:
                pages.append(page)
                position = int(page[-1][name])
            if len(page) < PAGE:
                return Read(pages, True)
        if not pages:
            raise BadPayload(
                f"{listing.method} gives ids that were not asked for",
                vendor=VENDOR,
                remedy="Check that base_url is the portal's own address.",
            )
        return Read(pages, range_.high is not None and position >= range_.high)
