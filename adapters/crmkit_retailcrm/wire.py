"""Shapes and words of retailCRM's API v5, as the vendor documents them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypedDict

from crmkit.values import Kind

API = "/api/v5/"

FILE_TYPE = "application/octet-stream"
"""How the bytes of a file go to the CRM. Source: retailCRM API v5, method `files/upload`."""

PAGE = 100
"""Most entities on one page; only 20, 50 and 100 are taken. Source: retailCRM API v5, page "API rules"."""

BATCH = 50
"""Most entities of one upload, one merge, one list of calls. Source: retailCRM API v5, methods `*/upload`."""

Item = Mapping[str, Any]
"""One entity as it came; unknown keys are kept."""

OURS = "crmkit"
"""The key of an entity under which its readers put what stands elsewhere in the account: see `Known`."""

NEW_PIPELINE = "default"
"""The pipeline of an account without order types."""


class Known(TypedDict, total=False):
    """What an entity alone does not tell, put beside it when it is read, so that it can be translated again later.

    `fields` has, by code of a filled custom field, its title, type and the labels of its codes.
    """

    outcome: str
    pipeline: str
    company: int
    fields: dict[str, list[Any]]


class Shelf(NamedTuple):
    """Where the entities of a kind stand: path, key of the list, key of one, and the history's key of one."""

    path: str
    many: str
    one: str
    told_as: str


SHELVES: Mapping[Kind, Shelf] = {
    Kind.CONTACT: Shelf("customers", "customers", "customer", "customer"),
    Kind.COMPANY: Shelf("customers-corporate", "customersCorporate", "customerCorporate", "customer"),
    Kind.DEAL: Shelf("orders", "orders", "order", "order"),
    Kind.TASK: Shelf("tasks", "tasks", "task", "task"),
    Kind.FILE: Shelf("files", "files", "file", "file"),
    Kind.USER: Shelf("users", "users", "user", "user"),
}
"""Source: retailCRM API v5, methods of the same names."""

CORPORATE = "customer_corporate"
"""`type` of a customer that is a company."""

CARDS: Mapping[str, Kind] = {"customers": Kind.CONTACT, "customers-corporate": Kind.COMPANY, "orders": Kind.DEAL}
"""What a note may stand on, by the list it stands in."""

FIELD_ENTITIES: Mapping[Kind, str] = {
    Kind.CONTACT: "customer",
    Kind.COMPANY: CORPORATE,
    Kind.DEAL: "order",
}
"""What the custom fields of a kind belong to."""


_NOTHING: Mapping[str, Any] = {}


def as_map(value: object) -> Mapping[str, Any]:
    """An object of an answer; PHP writes an empty one as `[]`."""
    # The plain tests come first: asking an abstract class costs more than all else that is done with a small object.
    return value if type(value) is dict or (value and isinstance(value, Mapping)) else _NOTHING


def as_list(value: object) -> Sequence[Any]:
    """A list of an answer, and the values of one that came as an object by key."""
    if type(value) is list or isinstance(value, tuple):
        return value
    return list(value.values()) if isinstance(value, Mapping) else []


def listed(body: object, name: str) -> list[dict[str, Any]]:
    """The entities under `name`; empty for what is absent."""
    return [item for item in as_list(as_map(body).get(name)) if isinstance(item, dict)]


def page_count(body: object) -> int:
    """How many pages the list has; 0 where the answer has no pages."""
    return int(as_map(as_map(body).get("pagination")).get("totalPageCount") or 0)
