"""The schema: what the runtime stores. Times are microseconds since the epoch, UTC; bodies are JSON text."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts up only for a column declared exactly INTEGER PRIMARY KEY.
_Id = BigInteger().with_variant(Integer, "sqlite")


def _key(length: int = 190) -> String:
    return String(length)


# What came in at the door, as it came; the ground of replay and of "what did they send us?".
delivery = Table(
    "delivery",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("account", _key(), nullable=False),
    Column("sender", _key(), nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("method", String(8), nullable=False),
    Column("query", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("outcome", Text, nullable=False),  # what it was understood to say, in a line
    Index(None, "account", "received_at"),
)

# "This record may have changed": waits until it is observed, then goes.
hint = Table(
    "hint",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("account", _key(), nullable=False),
    Column("kind", _key(20), nullable=False),
    Column("record_id", _key(), nullable=False),
    Column("action", _key(20), nullable=False),
    Column("origin", _key(20), nullable=False),
    Column("at", BigInteger),
    Column("created_at", BigInteger),  # when the record was made, as far as the sender tells
    Column("actor_id", _key()),
    Column("delivery_id", _key(), nullable=False),
    Column("stored_at", BigInteger, nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("waits_for", _key(20)),  # why it was put off; `tries` counts how often for that
    Column("merged_into", _key()),  # the survivor's id, when the sender says that the record was merged
    Index(None, "account", "not_before", "id"),
    Index(None, "account", "kind", "record_id"),
)

# The last seen copy of each record.
mirror = Table(
    "mirror",
    metadata,
    Column("account", _key(), primary_key=True),
    Column("kind", _key(20), primary_key=True),
    Column("record_id", _key(), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("translator", Integer, nullable=False),
    Column("data", Text, nullable=False),  # the record, without raw
    Column("raw", Text, nullable=False),  # the vendor's body; empty for a copy made from our own draft
    Column("updated_at", BigInteger),  # as the vendor says
    Column("seen_at", BigInteger, nullable=False),
    Column("is_partial", Integer, nullable=False, default=0),
    Column("is_gone", Integer, nullable=False, default=0),  # deleted or merged; kept, so that versions never repeat
    sqlite_with_rowid=False,
)

# After a merge: the loser's address means the survivor.
alias = Table(
    "alias",
    metadata,
    Column("account", _key(), primary_key=True),
    Column("kind", _key(20), primary_key=True),
    Column("loser_id", _key(), primary_key=True),
    Column("survivor_id", _key(), nullable=False),
    Column("at", BigInteger, nullable=False),
)

# Stage moves of deals: reported by the feed, made by ourselves, or inferred; emitted in order, each once.
move = Table(
    "move",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("account", _key(), nullable=False),
    Column("record_id", _key(), nullable=False),
    Column("key", _key()),  # the feed row; empty until a row is adopted
    Column("from_stage", Text),  # JSON [pipeline, stage]
    Column("to_stage", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("origin", _key(20), nullable=False),  # feed, own, inferred
    Column("run_id", BigInteger),
    Column("extension", _key()),
    Column("depth", Integer),
    Column("state", _key(20), nullable=False),  # waiting, emitted, idle (an own write that moved nothing)
    UniqueConstraint("account", "key"),
    Index(None, "account", "record_id", "state"),
)

# Fields that our own writes set, and by which run: so that they are told from other people's changes.
ledger = Table(
    "ledger",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("account", _key(), nullable=False),
    Column("kind", _key(20), nullable=False),
    Column("record_id", _key(), nullable=False),
    Column("field", _key(), nullable=False),
    Column("value", Text, nullable=False),
    Column("run_id", BigInteger),
    Column("extension", _key(), nullable=False),
    Column("depth", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index(None, "account", "kind", "record_id"),
)

# Calls that were told of, by whom: a telephony and the CRM's own log tell of the same call.
told_call = Table(
    "told_call",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("account", _key(), nullable=False),
    Column("phone", _key(), nullable=False),
    Column("key", _key(), nullable=False),
    Column("teller", _key(), nullable=False),
    Column("direction", _key(20), nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("is_matched", Integer, nullable=False, default=0),  # the other teller has told of it as well
    Column("is_news", Integer, nullable=False),  # this row made the event
    UniqueConstraint("account", "key"),
    Index(None, "account", "phone", "started_at"),
)

# Typed events, in the order in which they were found.
event = Table(
    "event",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("account", _key(), nullable=False),
    Column("kind", _key(20), nullable=False),
    Column("record_id", _key(), nullable=False),
    Column("name", _key(), nullable=False),
    Column("key", _key(), nullable=False),  # identity: the same fact twice is one event
    Column("body", Text, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("stored_at", BigInteger, nullable=False),
    Column("origin", _key(20), nullable=False),
    Column("depth", Integer, nullable=False),
    UniqueConstraint("account", "key"),
    Index(None, "account", "kind", "record_id"),
    Index(None, "stored_at"),
)

# One handler's work on one event (or one timer, or one tick of a schedule).
run = Table(
    "run",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("event_id", _Id, ForeignKey("event.id")),
    Column("account", _key(), nullable=False),
    Column("extension", _key(), nullable=False),
    Column("handler", _key(), nullable=False),
    Column("lane", _key(400), nullable=False),
    Column("state", _key(20), nullable=False),  # queued, done, skipped, dead, stopped
    Column("attempts", Integer, nullable=False, default=0),
    Column("not_before", BigInteger, nullable=False),
    Column("first_failed_at", BigInteger),
    Column("error", Text),
    Column("decisions", Text),  # JSON list of reasons
    Column("stored_at", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("argument", Text),  # schedule tick or timer key
    Index(None, "lane", "state", "id"),
    Index(None, "state", "not_before"),
    Index(None, "event_id"),
)

# A lane with work: who drains it now, and until when they may be believed alive.
lane = Table(
    "lane",
    metadata,
    Column("lane", _key(400), primary_key=True),
    Column("account", _key(), nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("owner", _key()),
    Column("lease_until", BigInteger, nullable=False, default=0),
    Column("fence", Integer, nullable=False, default=0),
    Index(None, "due_at"),
)

# Effect-once: the intent is stored before the call, the result after it.
effect = Table(
    "effect",
    metadata,
    Column("account", _key(), primary_key=True),
    Column("extension", _key(), primary_key=True),
    Column("key", _key(400), primary_key=True),
    Column("state", _key(20), nullable=False),  # intent, done
    Column("run_id", BigInteger),
    Column("owner", _key(), nullable=False),  # process that holds the intent
    Column("kind", _key(20), nullable=False),
    Column("record_id", _key()),  # what is written, or what was created
    Column("write", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index(None, "account", "state"),
    Index(None, "account", "kind", "record_id"),
)

# Moments that an extension asked to be called at.
timer = Table(
    "timer",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("account", _key(), nullable=False),
    Column("extension", _key(), nullable=False),
    Column("ref", _key(400), nullable=False),
    Column("lane", _key(400), nullable=False),
    Column("key", _key(), nullable=False),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("account", "extension", "ref", "key"),
    Index(None, "at"),
)

# Where reading goes on: feed, first load of each kind, moment of connecting, counters.
cursor = Table(
    "cursor",
    metadata,
    Column("account", _key(), primary_key=True),
    Column("name", _key(), primary_key=True),
    Column("value", Text, nullable=False),
)

# Work that only one process may do at a time (observe one account, one schedule tick).
lease = Table(
    "lease",
    metadata,
    Column("name", _key(), primary_key=True),
    Column("owner", _key(), nullable=False),
    Column("until", BigInteger, nullable=False),
)

# An account whose CRM refuses or is away: its work waits.
pause = Table(
    "pause",
    metadata,
    Column("account", _key(), primary_key=True),
    Column("until", BigInteger, nullable=False),
    Column("strikes", Integer, nullable=False),
    Column("reason", Text, nullable=False),
)

# OAuth pairs, encrypted; `refreshing_since` stays set when a process died between the answer and the commit.
token = Table(
    "token",
    metadata,
    Column("account", _key(), primary_key=True),
    Column("sealed", LargeBinary),
    Column("refreshing_since", BigInteger),
    Column("refreshing_by", _key()),
)

# One row per request budget: the last grants, and a push after a refusal.
budget = Table(
    "budget",
    metadata,
    Column("key", _key(), primary_key=True),
    Column("state", Text, nullable=False),
)

# Documents and look-up keys of extensions.
document = Table(
    "document",
    metadata,
    Column("account", _key(), primary_key=True),
    Column("extension", _key(), primary_key=True),
    Column("collection", _key(), primary_key=True),
    Column("key", _key(), primary_key=True),
    Column("body", Text, nullable=False),
    Column("rank", Text),  # what the document itself says of its place among those of its collection
    sqlite_with_rowid=False,
)
Index(
    None,
    document.c.account,
    document.c.extension,
    document.c.collection,
    document.c.rank,
    sqlite_where=document.c.rank.is_not(None),
    postgresql_where=document.c.rank.is_not(None),
)
index_key = Table(
    "index_key",
    metadata,
    Column("account", _key(), primary_key=True),
    Column("extension", _key(), primary_key=True),
    Column("key", _key(), primary_key=True),
    Column("kind", _key(20), primary_key=True),
    Column("record_id", _key(), primary_key=True),
    sqlite_with_rowid=False,
)
index_record = Table(
    "index_record",
    metadata,
    Column("account", _key(), primary_key=True),
    Column("extension", _key(), primary_key=True),
    Column("kind", _key(20), primary_key=True),
    Column("record_id", _key(), primary_key=True),
    Column("keys", Text, nullable=False),  # JSON list of the record's keys: none for one that was looked at in vain
    sqlite_with_rowid=False,
)

# Plan mode: what would have been written.
plan_item = Table(
    "plan_item",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("account", _key(), nullable=False),
    Column("extension", _key(), nullable=False),
    Column("key", _key(400), nullable=False),
    Column("write", Text, nullable=False),
    Column("seen_version", Integer),  # of the mirrored record when it was planned
    Column("state", _key(20), nullable=False),  # planned, applied, refused, dropped
    Column("result", Text),
    Column("reasons", Text, nullable=False),
    Column("run_id", BigInteger),
    Column("planned_at", BigInteger, nullable=False),
    UniqueConstraint("account", "extension", "key"),
)
