"""Documents of extensions may have ranks, and are read in the order of these without reading all of them."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text, text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column and its index; documents get their ranks when they are next written."""
    op.add_column("document", Column("rank", Text))
    op.create_index(
        "ix_document_account_extension_collection_rank",
        "document",
        ["account", "extension", "collection", "rank"],
        sqlite_where=text("rank is not null"),
        postgresql_where=text("rank is not null"),
    )
