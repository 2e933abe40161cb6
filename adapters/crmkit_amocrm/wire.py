"""Shapes and words of amoCRM's API v4, as the vendor documents them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict, cast

from crmkit.values import Kind

Item = Mapping[str, Any]
"""One entity as it came; unknown keys are kept."""

PAGE = 250
"""Most entities on one page."""

EVENTS_PAGE = 100
"""Most events on one page. Source: amoCRM API v4, page "Events"."""

BATCH = 50
"""Entities written at once, as the vendor recommends; 250 are allowed."""

WON, LOST = 142, 143
"""Statuses that close a lead: the same ids in every pipeline. Source: amoCRM API v4, page "Pipelines and stages"."""

PATHS: Mapping[Kind, str] = {
    Kind.DEAL: "leads",
    Kind.CONTACT: "contacts",
    Kind.COMPANY: "companies",
    Kind.TASK: "tasks",
    Kind.LEAD: "leads/unsorted",
    Kind.USER: "users",
    Kind.PIPELINE: "leads/pipelines",
}
"""Where the entities of a kind are listed."""

PARENTS: Mapping[str, Kind] = {"leads": Kind.DEAL, "contacts": Kind.CONTACT, "companies": Kind.COMPANY}
"""What has a card with a timeline and tasks; customers are no kind of ours."""

SINGULAR: Mapping[str, str] = {
    "lead": "leads",
    "contact": "contacts",
    "company": "companies",
    "task": "tasks",
}
"""Events and calls name entities in the singular, the rest of the API in the plural."""

ELEMENT_TYPES: Mapping[str, str] = {"1": "contacts", "2": "leads", "3": "companies", "12": "customers"}
"""Hooks name entities by number. Source: amoCRM, page "Webhooks format"."""

CALL_NOTES = ("call_in", "call_out")

WITH: Mapping[str, str] = {
    "leads": "contacts,loss_reason,catalog_elements,source,source_id",
    "contacts": "",
    "companies": "contacts",
    "users": "group,phone_number",
}
"""What a list is asked to embed: only what the records hold."""

WITH_ALONE: Mapping[str, str] = {
    "contacts": "customers,catalog_elements",
    "companies": "contacts,customers,catalog_elements",
}
"""What is asked of records that are read by their ids: also what only a merge touches."""


class Embedded(TypedDict, total=False):
    """What lies under `_embedded` of a lead, a contact or a company."""

    tags: list[dict[str, Any]]
    contacts: list[dict[str, Any]]
    companies: list[dict[str, Any]]
    leads: list[dict[str, Any]]
    catalog_elements: list[dict[str, Any]]
    loss_reason: list[dict[str, Any]] | dict[str, Any]
    source: dict[str, Any]


class FieldValue(TypedDict, total=False):
    """One filled custom field. The list is null, not empty, when an entity has none."""

    field_id: int
    field_name: str
    field_code: str | None
    field_type: str
    values: list[dict[str, Any]] | None


class Definition(TypedDict, total=False):
    """A custom field as the account defines it."""

    id: int
    name: str
    type: str
    code: str | None
    enums: list[dict[str, Any]] | None
    is_predefined: bool
    required_statuses: list[dict[str, Any]] | None
    entity_type: str


def embedded(body: object, name: str) -> list[dict[str, Any]]:
    """The list `_embedded[name]` of an answer; empty for 204 and for what is absent."""
    if not isinstance(body, dict):
        return []
    inner = body.get("_embedded")
    found = inner.get(name) if isinstance(inner, dict) else None
    return cast("list[dict[str, Any]]", found) if isinstance(found, list) else []


def has_next(body: object) -> bool:
    """The list goes on. Source: amoCRM API v4, page "Lists": `_links.next` is the only sign."""
    links = body.get("_links") if isinstance(body, dict) else None
    return isinstance(links, dict) and bool(links.get("next"))
