"""The first schema: every table, as it was before any release."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
)

revision = "0001"
down_revision = None

# SQLite counts up only for a column declared exactly INTEGER PRIMARY KEY.
COUNTER = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    """Make every table."""
    _door()
    _records()
    _own_writes()
    _events()
    _work()
    _secrets_and_budgets()
    _extensions()
    _more()


def _door() -> None:
    op.create_table(
        "delivery",
        Column("id", COUNTER, nullable=False),
        Column("account", String(190), nullable=False),
        Column("sender", String(190), nullable=False),
        Column("received_at", BigInteger, nullable=False),
        Column("method", String(8), nullable=False),
        Column("query", Text, nullable=False),
        Column("content_type", Text, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("outcome", Text, nullable=False),
        PrimaryKeyConstraint("id", name="pk_delivery"),
    )
    op.create_index("ix_delivery_account_received_at", "delivery", ["account", "received_at"])
    op.create_table(
        "hint",
        Column("id", COUNTER, nullable=False),
        Column("account", String(190), nullable=False),
        Column("kind", String(20), nullable=False),
        Column("record_id", String(190), nullable=False),
        Column("action", String(20), nullable=False),
        Column("origin", String(20), nullable=False),
        Column("at", BigInteger),
        Column("created_at", BigInteger),
        Column("actor_id", String(190)),
        Column("delivery_id", String(190), nullable=False),
        Column("stored_at", BigInteger, nullable=False),
        Column("not_before", BigInteger, nullable=False),
        Column("tries", Integer, nullable=False),
        Column("waits_for", String(20)),
        Column("merged_into", String(190)),
        PrimaryKeyConstraint("id", name="pk_hint"),
    )
    op.create_index("ix_hint_account_kind_record_id", "hint", ["account", "kind", "record_id"])
    op.create_index("ix_hint_account_not_before_id", "hint", ["account", "not_before", "id"])


def _records() -> None:
    op.create_table(
        "mirror",
        Column("account", String(190), nullable=False),
        Column("kind", String(20), nullable=False),
        Column("record_id", String(190), nullable=False),
        Column("version", Integer, nullable=False),
        Column("translator", Integer, nullable=False),
        Column("data", Text, nullable=False),
        Column("raw", Text, nullable=False),
        Column("updated_at", BigInteger),
        Column("seen_at", BigInteger, nullable=False),
        Column("is_partial", Integer, nullable=False),
        Column("is_gone", Integer, nullable=False),
        PrimaryKeyConstraint("account", "kind", "record_id", name="pk_mirror"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "alias",
        Column("account", String(190), nullable=False),
        Column("kind", String(20), nullable=False),
        Column("loser_id", String(190), nullable=False),
        Column("survivor_id", String(190), nullable=False),
        Column("at", BigInteger, nullable=False),
        PrimaryKeyConstraint("account", "kind", "loser_id", name="pk_alias"),
    )
    op.create_table(
        "move",
        Column("id", COUNTER, nullable=False),
        Column("account", String(190), nullable=False),
        Column("record_id", String(190), nullable=False),
        Column("key", String(190)),
        Column("from_stage", Text),
        Column("to_stage", Text, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("origin", String(20), nullable=False),
        Column("run_id", BigInteger),
        Column("extension", String(190)),
        Column("depth", Integer),
        Column("state", String(20), nullable=False),
        PrimaryKeyConstraint("id", name="pk_move"),
        UniqueConstraint("account", "key", name="uq_move_account_key"),
    )
    op.create_index("ix_move_account_record_id_state", "move", ["account", "record_id", "state"])


def _own_writes() -> None:
    op.create_table(
        "ledger",
        Column("id", COUNTER, nullable=False),
        Column("account", String(190), nullable=False),
        Column("kind", String(20), nullable=False),
        Column("record_id", String(190), nullable=False),
        Column("field", String(190), nullable=False),
        Column("value", Text, nullable=False),
        Column("run_id", BigInteger),
        Column("extension", String(190), nullable=False),
        Column("depth", Integer, nullable=False),
        Column("at", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name="pk_ledger"),
    )
    op.create_index("ix_ledger_account_kind_record_id", "ledger", ["account", "kind", "record_id"])
    op.create_table(
        "effect",
        Column("account", String(190), nullable=False),
        Column("extension", String(190), nullable=False),
        Column("key", String(400), nullable=False),
        Column("state", String(20), nullable=False),
        Column("run_id", BigInteger),
        Column("owner", String(190), nullable=False),
        Column("kind", String(20), nullable=False),
        Column("record_id", String(190)),
        Column("write", Text, nullable=False),
        Column("at", BigInteger, nullable=False),
        PrimaryKeyConstraint("account", "extension", "key", name="pk_effect"),
    )
    op.create_index("ix_effect_account_kind_record_id", "effect", ["account", "kind", "record_id"])
    op.create_index("ix_effect_account_state", "effect", ["account", "state"])


def _events() -> None:
    op.create_table(
        "event",
        Column("id", COUNTER, nullable=False),
        Column("account", String(190), nullable=False),
        Column("kind", String(20), nullable=False),
        Column("record_id", String(190), nullable=False),
        Column("name", String(190), nullable=False),
        Column("key", String(190), nullable=False),
        Column("body", Text, nullable=False),
        Column("occurred_at", BigInteger, nullable=False),
        Column("stored_at", BigInteger, nullable=False),
        Column("origin", String(20), nullable=False),
        Column("depth", Integer, nullable=False),
        PrimaryKeyConstraint("id", name="pk_event"),
        UniqueConstraint("account", "key", name="uq_event_account_key"),
    )
    op.create_index("ix_event_account_kind_record_id", "event", ["account", "kind", "record_id"])
    op.create_index("ix_event_stored_at", "event", ["stored_at"])
    op.create_table(
        "run",
        Column("id", COUNTER, nullable=False),
        Column("event_id", COUNTER),
        Column("account", String(190), nullable=False),
        Column("extension", String(190), nullable=False),
        Column("handler", String(190), nullable=False),
        Column("lane", String(400), nullable=False),
        Column("state", String(20), nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("not_before", BigInteger, nullable=False),
        Column("first_failed_at", BigInteger),
        Column("error", Text),
        Column("decisions", Text),
        Column("stored_at", BigInteger, nullable=False),
        Column("started_at", BigInteger),
        Column("finished_at", BigInteger),
        Column("argument", Text),
        ForeignKeyConstraint(["event_id"], ["event.id"], name="fk_run_event_id"),
        PrimaryKeyConstraint("id", name="pk_run"),
    )
    op.create_index("ix_run_event_id", "run", ["event_id"])
    op.create_index("ix_run_lane_state_id", "run", ["lane", "state", "id"])
    op.create_index("ix_run_state_not_before", "run", ["state", "not_before"])


def _work() -> None:
    op.create_table(
        "lane",
        Column("lane", String(400), nullable=False),
        Column("account", String(190), nullable=False),
        Column("due_at", BigInteger, nullable=False),
        Column("owner", String(190)),
        Column("lease_until", BigInteger, nullable=False),
        Column("fence", Integer, nullable=False),
        PrimaryKeyConstraint("lane", name="pk_lane"),
    )
    op.create_index("ix_lane_due_at", "lane", ["due_at"])
    op.create_table(
        "timer",
        Column("id", COUNTER, nullable=False),
        Column("account", String(190), nullable=False),
        Column("extension", String(190), nullable=False),
        Column("ref", String(400), nullable=False),
        Column("lane", String(400), nullable=False),
        Column("key", String(190), nullable=False),
        Column("at", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name="pk_timer"),
        UniqueConstraint("account", "extension", "ref", "key", name="uq_timer_account_extension_ref_key"),
    )
    op.create_index("ix_timer_at", "timer", ["at"])
    op.create_table(
        "lease",
        Column("name", String(190), nullable=False),
        Column("owner", String(190), nullable=False),
        Column("until", BigInteger, nullable=False),
        PrimaryKeyConstraint("name", name="pk_lease"),
    )
    op.create_table(
        "pause",
        Column("account", String(190), nullable=False),
        Column("until", BigInteger, nullable=False),
        Column("strikes", Integer, nullable=False),
        Column("reason", Text, nullable=False),
        PrimaryKeyConstraint("account", name="pk_pause"),
    )
    op.create_table(
        "cursor",
        Column("account", String(190), nullable=False),
        Column("name", String(190), nullable=False),
        Column("value", Text, nullable=False),
        PrimaryKeyConstraint("account", "name", name="pk_cursor"),
    )


def _secrets_and_budgets() -> None:
    op.create_table(
        "token",
        Column("account", String(190), nullable=False),
        Column("sealed", LargeBinary),
        Column("refreshing_since", BigInteger),
        Column("refreshing_by", String(190)),
        PrimaryKeyConstraint("account", name="pk_token"),
    )
    op.create_table(
        "budget",
        Column("key", String(190), nullable=False),
        Column("state", Text, nullable=False),
        PrimaryKeyConstraint("key", name="pk_budget"),
    )


def _extensions() -> None:
    op.create_table(
        "document",
        Column("account", String(190), nullable=False),
        Column("extension", String(190), nullable=False),
        Column("collection", String(190), nullable=False),
        Column("key", String(190), nullable=False),
        Column("body", Text, nullable=False),
        PrimaryKeyConstraint("account", "extension", "collection", "key", name="pk_document"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "index_key",
        Column("account", String(190), nullable=False),
        Column("extension", String(190), nullable=False),
        Column("key", String(190), nullable=False),
        Column("kind", String(20), nullable=False),
        Column("record_id", String(190), nullable=False),
        PrimaryKeyConstraint("account", "extension", "key", "kind", "record_id", name="pk_index_key"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_index_key_account_extension_kind_record_id", "index_key", ["account", "extension", "kind", "record_id"]
    )
    op.create_table(
        "plan_item",
        Column("id", COUNTER, nullable=False),
        Column("account", String(190), nullable=False),
        Column("extension", String(190), nullable=False),
        Column("key", String(400), nullable=False),
        Column("write", Text, nullable=False),
        Column("seen_version", Integer),
        Column("state", String(20), nullable=False),
        Column("result", Text),
        Column("reasons", Text, nullable=False),
        Column("run_id", BigInteger),
        Column("planned_at", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name="pk_plan_item"),
        UniqueConstraint("account", "extension", "key", name="uq_plan_item_account_extension_key"),
    )


def _more() -> None:
    op.create_table(
        "told_call",
        Column("id", COUNTER, nullable=False),
        Column("account", String(190), nullable=False),
        Column("phone", String(190), nullable=False),
        Column("key", String(190), nullable=False),
        Column("teller", String(190), nullable=False),
        Column("direction", String(20), nullable=False),
        Column("started_at", BigInteger, nullable=False),
        Column("is_matched", Integer, nullable=False),
        Column("is_news", Integer, nullable=False),
        PrimaryKeyConstraint("id", name="pk_told_call"),
        UniqueConstraint("account", "key", name="uq_told_call_account_key"),
    )
    op.create_index("ix_told_call_account_phone_started_at", "told_call", ["account", "phone", "started_at"])
