"""Walks over whole lists by rising id: nothing slides when others add and delete."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from crmkit_bitrix24.client.line import Line
from crmkit_bitrix24.wire import BATCH, DEAL_TYPE, PAGE, Command, rows


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

    def command(self, after: str, *, order: str = "ASC") -> Command:
        """The page behind an id, without counting what there is."""
        name = self.id_name
        params: dict[str, Any] = {
            "select": list(self.select),
            "filter": {**self.filter, f">{name}": after} if after else dict(self.filter),
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

    def last_of(self, key: str) -> str:
        """A reference to the last id of an earlier full page in the same batch."""
        path = "[items]" if self.is_universal else ""
        return f"$result[{key}]{path}[{PAGE - 1}][{self.id_name}]"


DEALS = Listing("crm.item.list", ("*",), {}, is_universal=True, entity_type_id=DEAL_TYPE)


class Walker:
    """Walks over the lists of one account.

    Args:
        line: the way to the portal.
    """

    def __init__(self, line: Line) -> None:
        self._line = line

    def pages(
        self, listing: Listing, after: str = "0", first: list[dict[str, Any]] | None = None
    ) -> Iterator[list[dict[str, Any]]]:
        """All rows behind an id: the first fifty with one call, then 2,500 with each batch.

        `first` is that first page, where somebody has read it already.
        Source: Bitrix24 REST, page "Huge data": each command takes the last id of the one before. Behind a short page
        the reference is empty and the list begins anew; what follows is thrown away.
        """
        found = rows(self._line.call(*listing.command(after))) if first is None else first
        yield found
        name = listing.id_name
        while len(found) == PAGE:
            position = str(found[-1][name])
            for page in self._chained(listing, position):
                if page and int(page[0][name]) <= int(position):
                    # The list began anew though the page before was full: asked again from what is certain.
                    break
                found = page
                if found:
                    position = str(found[-1][name])
                    yield found
                if len(found) < PAGE:
                    return

    def every(self, listing: Listing) -> Iterator[dict[str, Any]]:
        """All rows of a list."""
        for page in self.pages(listing):
            yield from page

    def _chained(self, listing: Listing, position: str) -> Iterator[list[dict[str, Any]]]:
        commands = [listing.command(position)]
        commands += [listing.command(listing.last_of(f"c{place}")) for place in range(BATCH - 1)]
        for result in self._line.every(commands):
            yield rows(result)
