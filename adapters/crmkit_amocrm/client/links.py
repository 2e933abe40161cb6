"""Links between records: which side amoCRM lets a link be made from, and the request for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crmkit.errors import Rejected
from crmkit.values import Json, Kind, Ref
from crmkit.write import Write
from crmkit_amocrm.client.line import API, Line
from crmkit_amocrm.errors.refusals import VENDOR
from crmkit_amocrm.wire import PATHS

_SIDES: Sequence[Kind] = (Kind.DEAL, Kind.CONTACT, Kind.COMPANY)
"""Links are made from the first of these. Source: amoCRM API v4, page "Entity links"."""

_PAIRS = {(Kind.DEAL, Kind.CONTACT), (Kind.DEAL, Kind.COMPANY), (Kind.CONTACT, Kind.COMPANY)}


class Linker:
    """Connects and disconnects records of one account."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def write(self, write: Write) -> None:
        """Carry out a link or an unlink; doing it twice is the same.

        Raises Rejected for a pair that amoCRM does not connect.
        """
        if write.ref is None:
            raise _no_pair(write, None)
        for other in write.others:
            side, item = self._item(write, write.ref, other)
            self.post(PATHS[side.kind], side.id, write.verb.value, [item])

    def post(self, path: str, record_id: str, verb: str, items: Sequence[dict[str, Any]]) -> None:
        """Send links of one record."""
        body: list[Json] = list(items)
        self._line.send("POST", f"{API}{path}/{record_id}/{verb}", body=body, is_repeatable=True)

    def _item(self, write: Write, ref: Ref, other: Ref) -> tuple[Ref, dict[str, Any]]:
        if other.kind is Kind.PRODUCT and ref.kind in _SIDES:
            catalog, _, element = other.id.partition(".")
            if catalog.isdigit() and element.isdigit():
                data = {"quantity": 1, **write.extra, "catalog_id": int(catalog)}
                return ref, {"to_entity_id": int(element), "to_entity_type": "catalog_elements", "metadata": data}
        for side, end in ((ref, other), (other, ref)):
            if (side.kind, end.kind) in _PAIRS:
                item: dict[str, Any] = {"to_entity_id": int(end.id), "to_entity_type": PATHS[end.kind]}
                if write.extra:
                    item["metadata"] = dict(write.extra)
                return side, item
        raise _no_pair(write, other)


def _no_pair(write: Write, other: Ref | None) -> Rejected:
    return Rejected(
        f"amoCRM does not connect {write.ref} and {other}",
        account=write.ref.account if write.ref else None,
        vendor=VENDOR,
        ref=str(write.ref),
        remedy="Deals are connected with contacts, companies and list elements, contacts with companies.",
    )
