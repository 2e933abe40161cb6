"""Comments in the timelines of records."""

from crmkit_sandbox.wire import Row

from .events import Events
from .kinds import Kind
from .portal import Portal


def create_comment(portal: Portal, events: Events, kind: Kind, owner_id: int, text: str, author_id: int) -> Row:
    """Add a comment to a record."""
    row_id = portal.take_id("comments")
    row: Row = {
        "id": row_id,
        "updated_at": portal.now(),
        "is_deleted": False,
        "ID": str(row_id),
        "ENTITY_ID": str(owner_id),
        "ENTITY_TYPE": kind.key,
        "CREATED": portal.stamp(),
        "COMMENT": text,
        "AUTHOR_ID": str(author_id),
        "FILES": [],
    }
    portal.tables["comments"].put(row)
    events.emit("ONCRMTIMELINECOMMENTADD", {"FIELDS": {"ID": row_id}}, row_id)
    return row


def update_comment(portal: Portal, events: Events, row: Row, text: str) -> None:
    """Change a comment's text."""
    portal.tables["comments"].put({**row, "COMMENT": text, "updated_at": portal.now()})
    events.emit("ONCRMTIMELINECOMMENTUPDATE", {"FIELDS": {"ID": row["id"]}}, row["id"])


def delete_comment(portal: Portal, events: Events, row: Row) -> None:
    """Remove a comment."""
    portal.tables["comments"].put({**row, "is_deleted": True, "updated_at": portal.now()})
    events.emit("ONCRMTIMELINECOMMENTDELETE", {"FIELDS": {"ID": row["id"]}}, row["id"])
