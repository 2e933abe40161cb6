"""The keys of a record stand together in one row, instead of once more in an index as large as the table itself."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, PrimaryKeyConstraint, String, Text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table, fill it from the keys that are there, and drop the index."""
    op.create_table(
        "index_record",
        Column("account", String(190), nullable=False),
        Column("extension", String(190), nullable=False),
        Column("kind", String(20), nullable=False),
        Column("record_id", String(190), nullable=False),
        Column("keys", Text, nullable=False),
        PrimaryKeyConstraint("account", "extension", "kind", "record_id", name="pk_index_record"),
        sqlite_with_rowid=False,
    )
    together = "json_group_array(key)" if op.get_bind().dialect.name == "sqlite" else "json_agg(key)::text"
    op.execute(
        f"insert into index_record select account, extension, kind, record_id, {together} "  # noqa: S608 -- a constant
        "from index_key group by account, extension, kind, record_id"
    )
    op.drop_index("ix_index_key_account_extension_kind_record_id", "index_key")
