"""Shapes as Bitrix24 documents them: names of methods and fields, commands, what an empty value looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote

from crmkit.values import Json, Kind

PAGE = 50
"""Rows of a list answer; fixed. Source: Bitrix24 REST, page "List methods"."""

BATCH = 50
"""Commands of one batch. Source: Bitrix24 REST, page "Batch"."""

DEAL_TYPE, CONTACT_TYPE, COMPANY_TYPE = 2, 3, 4

Item = Mapping[str, Any]
Params = Mapping[str, Any]


class Entity(NamedTuple):
    """One kind of CRM card in the vendor's words. Source: Bitrix24 REST, page "CRM data types"."""

    type_id: int
    name: str
    letter: str


ENTITIES: Mapping[Kind, Entity] = {
    Kind.LEAD: Entity(1, "lead", "L"),
    Kind.DEAL: Entity(DEAL_TYPE, "deal", "D"),
    Kind.CONTACT: Entity(CONTACT_TYPE, "contact", "C"),
    Kind.COMPANY: Entity(COMPANY_TYPE, "company", "CO"),
}
KINDS_BY_TYPE: Mapping[int, Kind] = {entity.type_id: kind for kind, entity in ENTITIES.items()}
KINDS_BY_NAME: Mapping[str, Kind] = {entity.name: kind for kind, entity in ENTITIES.items()}
KINDS_BY_LETTER: Mapping[str, Kind] = {entity.letter: kind for kind, entity in ENTITIES.items()}

TODO = "CRM_TODO"
"""`PROVIDER_ID` of a to-do; other activities are calls, letters, meetings."""

TASK_PREFIX = "task."
"""Before the id of a task of the tasks module, in our addresses: to-dos and tasks are numbered apart."""

ORIGINATOR = "crmkit"
"""`ORIGINATOR_ID` of what we create; `ORIGIN_ID` then holds the effect's key."""

ALSO = "crmkit"
"""The key in a stored body under which lies what the vendor keeps elsewhere: field definitions, rows, requisites."""


class Command(NamedTuple):
    """One call: a method and its parameters."""

    method: str
    params: Params


def bracketed(params: Params) -> str:
    """Parameters as a query with PHP's brackets, every part encoded; an empty list or None is sent as an empty text."""
    parts: list[str] = []
    for name, value in params.items():
        _lay(parts, _quoted(str(name)), value)
    return "&".join(parts)


def _lay(parts: list[str], name: str, value: Any) -> None:
    """Add a value under its encoded name, whatever is in it under longer ones."""
    if isinstance(value, str):
        parts.append(f"{name}={_quoted(value) if len(value) < _SHORT else quote(value, safe='')}")
    elif type(value) is int:
        parts.append(f"{name}={value}")
    elif isinstance(value, Mapping) and value:
        for key, inner in value.items():
            _lay(parts, f"{name}%5B{_quoted(str(key))}%5D", inner)
    elif isinstance(value, Sequence) and value:
        for place, inner in enumerate(value):
            _lay(parts, f"{name}%5B{place}%5D", inner)
    else:
        parts.append(f"{name}={quote(_text(value), safe='')}")


_SHORT = 100


@lru_cache(maxsize=4096)
def _quoted(text: str) -> str:
    # Thousands of commands of a batch repeat their names, and most of their values.
    return quote(text, safe="")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "Y" if value else "N"
    return "" if value is None or value == [] or value == {} else str(value)


def mapping(value: Json) -> Mapping[str, Any]:
    """A map of the vendor, whose empty ones come as lists and whose numbered ones may."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, Sequence) and not isinstance(value, str):
        return {str(place): inner for place, inner in enumerate(value)}
    return {}


def rows(result: Json) -> list[dict[str, Any]]:
    """The rows of a list answer: the result itself, or what stands under its one name."""
    if isinstance(result, Mapping):
        named = (result.get(name) for name in ("items", "tasks", "categories", "types", "productRows"))
        result = next((found for found in named if found is not None), list(result.values()))
    if isinstance(result, Mapping):
        result = list(result.values())
    found = result if isinstance(result, Sequence) and not isinstance(result, str) else []
    return [row for row in found if isinstance(row, dict)]


def is_empty(value: object) -> bool:
    """Null, "", "0", 0, false and [] all say "no value" in a link or an id."""
    return value in (None, "", "0", 0, False) or value == [] or value == {}


def stage_of(pipeline_id: str, stage_id: str) -> str:
    """The stage id as a deal holds it: the pipeline's prefix stands before it, but for the first pipeline."""
    if pipeline_id in ("", "0") or ":" in stage_id:
        return stage_id
    return f"C{pipeline_id}:{stage_id}"


def stage_dictionary(pipeline_id: str) -> str:
    """`ENTITY_ID` of a deal pipeline's stages. Source: Bitrix24 REST, page "crm.status.entity.types"."""
    return "DEAL_STAGE" if pipeline_id == "0" else f"DEAL_STAGE_{pipeline_id}"
