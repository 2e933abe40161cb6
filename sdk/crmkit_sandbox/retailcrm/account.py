"""Everything that one emulated retailCRM account remembers."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from crmkit_sandbox.grouping import Grouping
from crmkit_sandbox.memory import Memory, copied
from crmkit_sandbox.search import Search
from crmkit_sandbox.wire import Row
from crmkit_sandbox.world import World

Kind = Literal["customers", "corporate", "orders", "tasks"]
KINDS: tuple[Kind, ...] = ("customers", "corporate", "orders", "tasks")
# People and corporate customers share one series of ids, as they share one table at the vendor.
FIRST_IDS = {
    "customers": 4_771,
    "orders": 6_722,
    "tasks": 301,
    "notes": 41,
    "files": 25,
    "costs": 739,
    "calls": 1,
    "items": 10_101,
    "payments": 4_301,
    "addresses": 3_501,
    "companies": 771,
    "contacts": 941,
    "offers": 20_201,
    "comments": 1_150,
    "users": 19,
    "groups": 25,
    "segments": 4,
    "triggers": 1,
    "links": 1,
    "references": 3,
}
FIRST_HISTORY_ID = 9_001
ZONE = "Europe/Moscow"
# Of the two sites a key sees both unless it was issued for fewer.
SITES = ("main", "outlet")
AREAS = ("order", "customer", "user", "reference", "task", "custom_fields", "file", "cost", "payments", "telephony")
SCOPES = (
    *(f"{area}_{right}" for area in (*AREAS, "integration", "store", "loyalty") for right in ("read", "write")),
    "segment_read",
    "analytics_write",
    "notification_write",
)
TAG_COLOR = "#3e89b6"


@dataclass(frozen=True)
class Actor:
    """Who acts now, and whether that fires triggers."""

    source: Literal["user", "api", "code", "rule"] = "code"
    user_id: int | None = None
    key: str | None = None
    sends_hooks: bool = True


@dataclass(frozen=True)
class Key:
    """What an API key may do and which sites it sees."""

    scopes: frozenset[str]
    sites: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """One change of a record; `fields` are named as the history names them."""

    kind: Kind
    action: Literal["create", "change", "delete"]
    row: Row
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Combine:
    """Customers that wait for their merge."""

    kind: Kind
    winner: int
    losers: tuple[int, ...]
    due: float
    actor: Actor


@dataclass
class Switches:
    """What no primary source settles; each may be turned the other way."""

    removes_left_out_items: bool = True
    replaces_contacts: bool = True
    refuses_unknown_fields: bool = False
    joins_phones_on_combine: bool = False
    refuses_first_page_since_id: bool = True
    is_busy_html: bool = False
    combine_delay_s: float = 1.0


class Account(Memory[Actor]):
    """The records and settings of the account; all access is under `world.lock`."""

    def __init__(self, world: World) -> None:
        names = ("users", "groups", "segments", "triggers", "modules", "dictionaries", "tags", "offers", "comments")
        super().__init__(
            world,
            tables=(*KINDS, "notes", "files", "costs", "calls"),
            shelves=(*names, "events", "notifications"),
            actor=Actor(),
        )
        self.name = "romashka"
        self.exists = True
        self.zone = ZoneInfo(ZONE)
        self.switches = Switches()
        self.keys: dict[str, Key] = {}
        self.listeners: list[Callable[[Change], None]] = []
        self.people = Search(self.tables["customers"], _person_texts)
        self.orders_of = Grouping(self.tables["orders"], lambda row: row.get("customer"))
        self.tasks_of = {
            name: Grouping(self.tables["tasks"], lambda row, name=name: row.get(name))  # type: ignore[misc]  # bound now
            for name in ("customer", "order")
        }
        self.by_external = {
            name: Grouping(self.tables[name], _external) for name in ("customers", "corporate", "orders", "calls")
        }
        self.history: dict[str, list[Row]] = {kind: [] for kind in KINDS}
        self.references: dict[str, dict[str, Row]] = {}
        self.fields: dict[str, dict[str, Row]] = {}
        self.contents: dict[int, bytes] = {}
        self.combines: list[Combine] = []

    def clear(self) -> None:
        """Drop everything but the account itself and its keys."""
        super().clear()
        self.history = {kind: [] for kind in KINDS}
        self.references = {}
        self.fields = {}
        self.contents = {}
        self.combines = []

    def issue_key(self, scopes: Sequence[str] = SCOPES, sites: Sequence[str] = SITES) -> str:
        """A fresh API key."""
        key = secrets.token_hex(16)
        self.keys[key] = Key(frozenset(scopes), tuple(sites))
        return key

    def now(self) -> float:
        """Unix seconds of the sandbox clock."""
        return self.world.clock.now()

    def moment(self, at: float | None = None) -> str:
        """A moment as the vendor writes it: `Y-m-d H:i:s` in the account's zone."""
        return datetime.fromtimestamp(self.now() if at is None else at, self.zone).strftime("%Y-%m-%d %H:%M:%S")

    def take_id(self, series: str) -> int:
        """A fresh id of a series."""
        return self.ids.take(series, start=FIRST_IDS[series])

    def tell(self, change: Change) -> None:
        """Let the listeners know of a change."""
        for listener in self.listeners:
            listener(change)

    def find(self, kind: Kind, external_id: str, site: str | None) -> Row | None:
        """The live record with this external id; a site of None means any."""
        for row_id in self.by_external[kind].ids(external_id):
            row = self.tables[kind].live(row_id)
            if row is not None and site in (None, row["site"]):
                return row
        return None

    def dump(self) -> dict[str, Any]:
        """A copy for a snapshot."""
        return super().dump() | {
            "history": {kind: list(rows) for kind, rows in self.history.items()},
            "references": copied(self.references),
            "fields": copied(self.fields),
            "contents": dict(self.contents),
            "combines": list(self.combines),
        }

    def load(self, dumped: dict[str, Any]) -> None:
        """Put a snapshot back."""
        super().load(dumped)
        self.history = {kind: list(rows) for kind, rows in dumped["history"].items()}
        self.references = copied(dumped["references"])
        self.fields = copied(dumped["fields"])
        self.contents = dict(dumped["contents"])
        self.combines = list(dumped["combines"])


def full_name(row: Row) -> str:
    """Last, first and middle name, as far as they are filled."""
    return " ".join(row[name] for name in ("lastName", "firstName", "patronymic") if row.get(name))


def _external(row: Row) -> str | None:
    return row.get("externalId")


def _person_texts(row: Row) -> tuple[list[str], list[str]]:
    phones = [phone["number"] for phone in row.get("phones", ())]
    return [full_name(row), *phones], phones
