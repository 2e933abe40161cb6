"""Customers and elements of lists on a card: links to what is no record of ours, kept and given back like fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crmkit.models import Record
from crmkit.values import Json, Kind
from crmkit.write import Native

CUSTOMERS, ELEMENTS = "_embedded.customers", "_embedded.catalog_elements"
_TITLES: Mapping[str, str] = {CUSTOMERS: "Покупатели", ELEMENTS: "Элементы списков"}

TIES = "ties"
"""Part of `extra=` that is no field: what is to be linked and unlinked once the card is written."""


def ties(record: Record) -> list[Native]:
    """The links of a contact or a company, as far as its body tells them; elements of a deal are its goods."""
    if record.kind not in (Kind.CONTACT, Kind.COMPANY):
        return []
    found = {name: _tied(record, name) for name in _TITLES}
    return [
        Native(
            name=name, title=title, value=list(found[name]), text=", ".join(map(_text, found[name])), is_many=True
        )
        for name, title in _TITLES.items()
        if found[name]
    ]  # fmt: skip


def ties_extra(values: Mapping[str, Json], on: Record | None) -> dict[str, Json]:
    """What to link and unlink so that the card has exactly these; without the card all of them are linked.

    Source: amoCRM API v4, page "Entity links".
    """
    changed: dict[str, Json] = {}
    for name in values.keys() & _TITLES.keys():
        value, present = values[name], _tied(on, name) if on is not None else []
        wanted: Sequence[Any] = value if isinstance(value, list | tuple) else ()
        kept = {one["id"] for one in wanted}
        path = name.removeprefix("_embedded.")
        for verb, items in (
            ("link", [one for one in wanted if one not in present]),
            ("unlink", [one for one in present if one["id"] not in kept]),
        ):
            if items:
                changed[verb] = [*_list(changed.get(verb)), *(_item(path, one) for one in items)]
    return {TIES: changed} if changed else {}


def parted(extra: Mapping[str, Json]) -> tuple[Mapping[str, Json], Mapping[str, Sequence[dict[str, Any]]]]:
    """The body without its ties, and these: verb -> items of the links' own request."""
    found: Any = extra.get(TIES) or {}
    return {name: value for name, value in extra.items() if name != TIES}, found


def _tied(record: Record, name: str) -> list[dict[str, Json]]:
    embedded: Mapping[str, Any] = record.raw.get("_embedded") or {}
    found = embedded.get(name.removeprefix("_embedded.")) or ()
    if name == CUSTOMERS:
        return [{"id": item["id"]} for item in found]
    return [{"id": item["id"], **_metadata(item.get("metadata") or {})} for item in found]


def _metadata(given: Mapping[str, Json]) -> dict[str, Json]:
    return {name: given[name] for name in ("catalog_id", "quantity") if given.get(name) is not None}


def _item(path: str, tied: Mapping[str, Json]) -> dict[str, Json]:
    item: dict[str, Json] = {"to_entity_id": tied["id"], "to_entity_type": path}
    metadata = _metadata(tied)
    return {**item, "metadata": metadata} if metadata else item


def _list(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list) else ()


def _text(tied: Mapping[str, Json]) -> str:
    quantity = tied.get("quantity", 1)
    return f"#{tied['id']}" if quantity in (None, 1) else f"#{tied['id']} × {quantity}"
