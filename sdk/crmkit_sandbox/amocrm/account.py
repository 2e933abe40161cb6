"""Everything that one emulated amoCRM account remembers."""

import secrets
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

from crmkit_sandbox.grouping import Grouping
from crmkit_sandbox.memory import Memory, copied
from crmkit_sandbox.search import Search
from crmkit_sandbox.wire import Row
from crmkit_sandbox.world import World

from .links import Links

Kind = Literal["leads", "contacts", "companies"]
KINDS: tuple[Kind, ...] = ("leads", "contacts", "companies")
SINGULAR: dict[str, str] = {
    "leads": "lead",
    "contacts": "contact",
    "companies": "company",
    "tasks": "task",
    "customers": "customer",
}
# The vendor's numbers for kinds, still used in hooks.
ELEMENT_TYPES = {"contacts": 1, "leads": 2, "companies": 3, "customers": 12}
# Contacts and companies share one series of ids, as they share one table at the vendor.
FIRST_IDS = {
    "leads": 20_000_001,
    "people": 30_000_001,
    "tasks": 5_000_001,
    "notes": 60_000_001,
    "tags": 2_001,
    "fields": 700_001,
    "enums": 900_001,
    "pipelines": 7_000_001,
    "statuses": 50_000_001,
    "users": 9_040_001,
    "roles": 3_001,
    "groups": 260_001,
    "catalogs": 4_501,
    "elements": 520_001,
    "customers": 700_001,
    "sources": 36_501,
    "loss_reasons": 4_200_001,
    "webhooks": 830_001,
}
WON, LOST = 142, 143
ZONE = ZoneInfo("Europe/Moscow")


@dataclass(frozen=True)
class Actor:
    """Who acts now, and whether that sends hooks."""

    user_id: int
    sends_hooks: bool = True


class Account(Memory[Actor]):
    """The records and settings of the account; all access is under `world.lock`."""

    def __init__(self, world: World) -> None:
        names = (
            "pipelines",
            "users",
            "roles",
            "groups",
            "catalogs",
            "sources",
            "loss_reasons",
            "webhooks",
            "unsorted",
            "customers",
        )
        super().__init__(
            world,
            tables=(*KINDS, "tasks", "notes", "elements"),
            shelves=(*names, *(f"tags_{kind}" for kind in KINDS), "field_groups"),
            actor=Actor(0),
        )
        self.id = 31_000_001
        self.subdomain = "romashka"
        self.has_duplicate_control = False
        self.is_api_filter_enabled = True
        self.search = {kind: Search(self.tables[kind], _texts) for kind in KINDS}
        self.tasks_of = Grouping(self.tables["tasks"], _parent)
        self.notes_of = Grouping(self.tables["notes"], _parent)
        self.links = Links()
        self.events: list[Row] = []
        self.fields: dict[str, dict[int, Row]] = {}

    def clear(self) -> None:
        """Drop everything but the account itself."""
        super().clear()
        self.links.clear()
        self.events = []
        self.fields = {}

    def now(self) -> int:
        """Whole unix seconds of the sandbox clock."""
        return int(self.world.clock.now())

    def take_id(self, series: str) -> int:
        """A fresh id of a series."""
        return self.ids.take(series, start=FIRST_IDS[series])

    @property
    def owner_id(self) -> int:
        """The administrator who installed the integration."""
        return next((user["id"] for user in self.shelves["users"].values() if user["rights"]["is_admin"]), 0)

    @property
    def main_pipeline(self) -> Row:
        """The pipeline that new leads fall into."""
        pipelines = list(self.shelves["pipelines"].values())
        return next((pipeline for pipeline in pipelines if pipeline["is_main"]), pipelines[0])

    def status(self, pipeline_id: int, status_id: int) -> Row | None:
        """The status of a pipeline; the same id may stand for another status elsewhere."""
        pipeline = self.shelves["pipelines"].get(pipeline_id)
        if pipeline is None:
            return None
        return next((status for status in pipeline["statuses"] if status["id"] == status_id), None)

    def dump(self) -> dict[str, Any]:
        """A copy for a snapshot."""
        more = {"links": self.links.dump(), "events": list(self.events), "fields": copied(self.fields)}
        return super().dump() | more

    def load(self, dumped: dict[str, Any]) -> None:
        """Put a snapshot back."""
        super().load(dumped)
        self.links.load(dumped["links"])
        self.events = list(dumped["events"])
        self.fields = copied(dumped["fields"])


def _parent(row: Row) -> tuple[str, int]:
    return row["entity_type"], row["entity_id"]


def _texts(row: Row) -> tuple[list[str], list[str]]:
    texts, phones = [str(row["id"]), row["name"]], []
    for field in row["custom_fields_values"] or ():
        for value in field["values"]:
            text = value.get("value")
            if isinstance(text, str):
                texts.append(text)
                if field["field_code"] == "PHONE":
                    phones.append(text)
    return texts, phones


def fresh_uid() -> str:
    """A hexadecimal uid as the vendor gives to unsorted items."""
    return secrets.token_hex(30)
