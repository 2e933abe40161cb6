"""Which record is linked with which; each link is seen from both sides."""

from typing import Any

from crmkit_sandbox.wire import Row

Place = tuple[str, int]


class Links:
    """Links by place (kind, id). An element of a catalog is a place with kind "catalog_elements"."""

    def __init__(self) -> None:
        self._links: dict[Place, dict[Place, Row]] = {}

    def of(self, kind: str, row_id: int, to_kind: str) -> list[tuple[int, Row]]:
        """(id, metadata) of what is linked, in the order of linking."""
        around = self._links.get((kind, row_id))
        if not around:
            return []
        return [(place[1], metadata) for place, metadata in around.items() if place[0] == to_kind]

    def ids(self, kind: str, row_id: int, to_kind: str) -> list[int]:
        """Ids of what is linked."""
        return [linked for linked, _ in self.of(kind, row_id, to_kind)]

    def all_of(self, kind: str, row_id: int) -> list[tuple[Place, Row]]:
        """(place, metadata) of everything linked."""
        return list(self._links.get((kind, row_id), {}).items())

    def has(self, one: Place, other: Place) -> bool:
        """True when the two are linked."""
        return other in self._links.get(one, {})

    def join(self, one: Place, other: Place, metadata: Row | None = None) -> None:
        """Link two records, or renew the metadata of their link."""
        kept = dict(metadata or {})
        self._links.setdefault(one, {})[other] = kept
        self._links.setdefault(other, {})[one] = kept

    def part(self, one: Place, other: Place) -> bool:
        """Unlink two records; False when they were not linked."""
        self._links.get(other, {}).pop(one, None)
        return self._links.get(one, {}).pop(other, None) is not None

    def clear(self) -> None:
        """Drop all links."""
        self._links.clear()

    def dump(self) -> Any:
        """A copy for a snapshot."""
        return {place: dict(around) for place, around in self._links.items()}

    def load(self, dumped: Any) -> None:
        """Put a snapshot back."""
        self._links = {place: dict(around) for place, around in dumped.items()}
