"""Everything that one emulated portal remembers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from crmkit_sandbox.grouping import Grouping
from crmkit_sandbox.memory import Memory
from crmkit_sandbox.search import Search
from crmkit_sandbox.store import Table
from crmkit_sandbox.wire import Row
from crmkit_sandbox.world import World

from .emails import Emails
from .kinds import BY_TYPE, KINDS, Kind, smart

# The server's zone; users may live in others, the API does not care.
ZONE = timezone(timedelta(hours=3))
TABLES = ("activities", "tasks", "comments", "calls", "requisites", "bank_details", "history")
SHELVES = (
    *("users", "departments", "categories", "statuses", "handlers", "offline", "product_rows", "userfields"),
    "presets",
    "types",
)


@dataclass(frozen=True)
class Actor:
    """Who acts now, whether that sends events, and whether a person stands behind it."""

    user_id: int
    sends_events: bool = True
    is_robot: bool = False


class Portal(Memory[Actor]):
    """The records and settings of the portal; all access is under `world.lock`."""

    def __init__(self, world: World) -> None:
        super().__init__(
            world,
            tables=(*(kind.table for kind in KINDS.values()), *TABLES),
            shelves=SHELVES,
            actor=Actor(0),
        )
        self.is_simple = False
        # Whether the plan lets an app confirm what it has taken from the offline queue.
        self.confirms_offline = True
        self.search = {
            kind.key: Search(self.tables[kind.table], _texts) for kind in KINDS.values() if kind.has_multifields
        }
        self.emails = {kind.key: Emails(self.tables[kind.table]) for kind in KINDS.values() if kind.has_multifields}
        self.comments_of = Grouping(self.tables["comments"], lambda row: (row["ENTITY_TYPE"], row["ENTITY_ID"]))
        # By the primary contact.
        self.deals_of = Grouping(self.tables["deals"], lambda row: row["CONTACT_ID"])
        # How many acts there were: all events of one act have the same number.
        self.acts = 0

    def clear(self) -> None:
        """Drop everything but the portal itself."""
        super().clear()
        self.is_simple, self.confirms_offline = False, True

    def now(self) -> int:
        """Whole unix seconds of the sandbox clock."""
        return int(self.world.clock.now())

    def stamp(self) -> str:
        """The present moment as the API writes it."""
        return iso(self.now())

    def take_id(self, series: str, start: int = 1) -> int:
        """A fresh id of a series."""
        return self.ids.take(series, start=start)

    @contextmanager
    def acting(self, actor: Actor) -> Iterator[None]:
        """Hold the lock and act as `actor`; that is one act."""
        with super().acting(actor):
            self.acts += 1
            yield

    def table(self, kind: Kind) -> Table:
        """The records of `kind`; a smart process has none before the first."""
        return self.tables.setdefault(kind.table, Table())

    def live(self, type_id: int, row_id: int) -> Row | None:
        """A record by the vendor's number of its kind."""
        kind = self.kind(type_id)
        return self.table(kind).live(row_id) if kind else None

    def kind(self, type_id: int) -> Kind | None:
        """The kind with the vendor's number, smart processes among them."""
        if type_id in self.shelves["types"]:
            return smart(type_id, self.shelves["types"][type_id]["id"])
        return BY_TYPE.get(type_id)

    def smart_type(self, type_id: int) -> Row:
        """A smart process with its pipelines. Raises KeyError for none."""
        return self.shelves["types"][type_id]

    def is_admin(self, user_id: int) -> bool:
        """True for administrators."""
        user = self.shelves["users"].get(user_id)
        return bool(user and user["is_admin"])

    @property
    def admin_id(self) -> int:
        """The first administrator."""
        return next((user["id"] for user in self.shelves["users"].values() if user["is_admin"]), 0)

    def user_name(self, user_id: int | str | None) -> str:
        """The user's name, the id when the user is gone."""
        user = self.shelves["users"].get(int(user_id or 0))
        return f"{user['NAME']} {user['LAST_NAME']}" if user else str(user_id or "")

    def stages(self, entity_id: str) -> list[Row]:
        """The statuses of a dictionary, by their order."""
        found = [row for row in self.shelves["statuses"].values() if row["ENTITY_ID"] == entity_id]
        return sorted(found, key=lambda row: int(row["SORT"]))

    def user_fields(self, kind: Kind) -> dict[str, Row]:
        """User fields of `kind` by name."""
        rows = self.shelves["userfields"].values()
        return {row["FIELD_NAME"]: row for row in rows if row["ENTITY_ID"] == kind.field_entity}

    def user_fields_of(self, key: str) -> dict[str, Row]:
        """User fields of a kind by the kind's name."""
        return self.user_fields(KINDS[key])

    def dump(self) -> dict[str, Any]:
        """A copy for a snapshot."""
        return super().dump() | {"is_simple": self.is_simple, "confirms_offline": self.confirms_offline}

    def load(self, dumped: dict[str, Any]) -> None:
        """Put a snapshot back."""
        super().load(dumped)
        self.is_simple = dumped["is_simple"]
        self.confirms_offline = dumped["confirms_offline"]


def iso(moment: float) -> str:
    """Unix seconds with the server's offset."""
    return datetime.fromtimestamp(int(moment), ZONE).isoformat()


def stage_entity(kind: Kind, category_id: int) -> str:
    """The dictionary that holds the stages of a pipeline."""
    if kind.key == "lead":
        return "STATUS"
    if kind.smart_id:
        return f"DYNAMIC_{kind.type_id}_STAGE_{category_id}"
    return f"DEAL_STAGE_{category_id}" if category_id else "DEAL_STAGE"


def _texts(row: Row) -> tuple[list[str], list[str]]:
    names = [row.get("TITLE"), row.get("NAME"), row.get("LAST_NAME")]
    return [name for name in names if name], [value["VALUE"] for value in row.get("PHONE", ())]
