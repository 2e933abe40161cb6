"""Everything that one emulated amoCRM account remembers."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

from crmkit_sandbox.grouping import Grouping
from crmkit_sandbox.search import Search
from crmkit_sandbox.store import Table
from crmkit_sandbox.wire import Row
from crmkit_sandbox.world import Ids, World

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


class Account:
    """The records and settings of the account; all access is under `world.lock`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ids = Ids()
        self.id = 31_000_001
        self.subdomain = "romashka"
        self.has_duplicate_control = False
        self.is_api_filter_enabled = True
        self.tables: dict[str, Table] = {
            name: Table() for name in ("leads", "contacts", "companies", "tasks", "notes", "elements")
        }
        self.search = {kind: Search(self.tables[kind], _texts) for kind in KINDS}
        self.tasks_of = Grouping(self.tables["tasks"], _parent)
        self.notes_of = Grouping(self.tables["notes"], _parent)
        self.links = Links()
        self.events: list[Row] = []
        self.fields: dict[str, dict[int, Row]] = {}
        self.shelves: dict[str, dict[Any, Row]] = {}
        self.actor = Actor(0)
        self.clear()

    def clear(self) -> None:
        """Drop everything but the account itself."""
        self.ids.load({})
        for table in self.tables.values():
            table.load(([], [], {}, [], []))
        self.links.clear()
        self.events = []
        self.fields = {}
        names = ("pipelines", "users", "roles", "groups", "catalogs", "sources", "loss_reasons", "webhooks", "unsorted")
        self.shelves = {name: {} for name in (*names, *(f"tags_{kind}" for kind in KINDS), "field_groups")}

    def now(self) -> int:
        """Whole unix seconds of the sandbox clock."""
        return int(self.world.clock.now())

    def take_id(self, series: str) -> int:
        """A fresh id of a series."""
        return self.ids.take(series, start=FIRST_IDS[series])

    @contextmanager
    def acting(self, user_id: int, *, sends_hooks: bool = True) -> Iterator[None]:
        """Hold the lock and act as `user_id`."""
        with self.world.lock:
            before = self.actor
            self.actor = Actor(user_id, sends_hooks)
            try:
                yield
            finally:
                self.actor = before
                self.world.changed.notify_all()

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

    def dump(self) -> Any:
        """A copy for a snapshot."""
        return {
            "ids": self.ids.dump(),
            "tables": {name: table.dump() for name, table in self.tables.items()},
            "links": self.links.dump(),
            "events": list(self.events),
            "fields": {kind: dict(book) for kind, book in self.fields.items()},
            "shelves": {name: dict(shelf) for name, shelf in self.shelves.items()},
        }

    def load(self, dumped: Any) -> None:
        """Put a snapshot back."""
        self.ids.load(dumped["ids"])
        for name, table in dumped["tables"].items():
            self.tables[name].load(table)
        self.links.load(dumped["links"])
        self.events = list(dumped["events"])
        self.fields = {kind: dict(book) for kind, book in dumped["fields"].items()}
        self.shelves = {name: dict(shelf) for name, shelf in dumped["shelves"].items()}


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
