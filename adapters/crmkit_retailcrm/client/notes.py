"""Notes: those of customers have a list of their own; an order has one comment, whose paragraphs are its notes."""

from __future__ import annotations

from crmkit.models import Note
from crmkit.values import Json, Kind, Ref
from crmkit.write import Write
from crmkit_retailcrm.client.directory import Directory
from crmkit_retailcrm.client.line import Line
from crmkit_retailcrm.client.reads import Reader
from crmkit_retailcrm.errors.refusals import gone, refused_draft
from crmkit_retailcrm.translate import paragraphs, with_paragraph
from crmkit_retailcrm.wire import CARDS, as_map

_PATHS = {kind: path for path, kind in CARDS.items()}


class NoteWriter:
    """Writes notes of one account.

    Args:
        line: the way to the account.
        reader: reads the comment that a note is added to.
        directory: what the account has by name.
    """

    def __init__(self, line: Line, reader: Reader, directory: Directory) -> None:
        self._line = line
        self._reader = reader
        self._directory = directory

    def create(self, write: Write) -> Ref:
        """The address of a new note. Raises Rejected for one without a card."""
        note, key = write.record, self._directory.account().key
        if not isinstance(note, Note) or note.about is None or note.about.kind not in _PATHS:
            raise refused_draft(key, "about", "a note stands on a card", "Choose a deal, contact or company.")
        if not note.text.strip():
            raise refused_draft(key, "text", "a note has a text", "Set text.")
        if note.about.kind is Kind.DEAL:
            return self._on_order(note.about, note.text)
        path = _PATHS[note.about.kind]
        item: dict[str, Json] = {"text": note.text, "customer": {"id": int(note.about.id)}, **write.extra}
        author = note.created_by or note.owner_id
        if author and author.isdigit():
            item["managerId"] = int(author)
        body = self._line.post(f"{path}/notes/create", {"site": self._directory.site(), "note": item})
        return Ref(key, Kind.NOTE, f"{path}.{as_map(body).get('id')}")

    def _on_order(self, about: Ref, text: str) -> Ref:
        order = self._reader.order(about.id)
        if order is None:
            raise gone(about.account, str(about))
        comment = with_paragraph(str(order.get("managerComment") or ""), text)
        form: dict[str, Json] = {"by": "id", "order": {"managerComment": comment}}
        self._line.post(f"orders/{about.id}/edit", form)
        *_, last = paragraphs({"id": order["id"], "managerComment": comment})
        return Ref(about.account, Kind.NOTE, f"orders.{last['id']}")
