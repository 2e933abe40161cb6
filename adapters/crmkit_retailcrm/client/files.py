"""Files: bytes first, then their name and the cards they stand on; the CRM attaches them to orders and people."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from crmkit.errors import CrmKitError, Rejected, VendorDown
from crmkit.models import File
from crmkit.values import Json, Kind, Ref
from crmkit.write import Write
from crmkit_retailcrm.client.directory import Directory
from crmkit_retailcrm.client.line import Line
from crmkit_retailcrm.errors.refusals import refused_draft
from crmkit_retailcrm.wire import as_map

_SIDES: Mapping[Kind, str] = {Kind.DEAL: "order", Kind.CONTACT: "customer"}


class FileWriter:
    """Writes files of one account.

    Args:
        line: the way to the account.
        directory: tells the account.
    """

    def __init__(self, line: Line, directory: Directory) -> None:
        self._line = line
        self._directory = directory

    def create(self, write: Write) -> Ref:
        """The address of a new file; two requests. Raises Rejected for one without a name, a content, or a fit card.

        A file whose name or cards are refused is taken away again.
        """
        draft, key = write.record, self._key
        if not isinstance(draft, File) or not draft.content:
            raise refused_draft(key, "content", "a file has a content", "Set content to its bytes.")
        if not draft.name:
            raise refused_draft(key, "name", "a file has a name", "Set name.")
        named = self._described({"name": draft.name, "cards": draft.cards}, write.extra)
        made = as_map(as_map(self._line.upload("files/upload", draft.content)).get("file")).get("id")
        if not made:
            raise VendorDown("the answer names no file", maybe_applied=True, account=key)
        try:
            self._edit(str(made), named)
        except Rejected:
            with suppress(CrmKitError):
                self._line.post(f"files/{made}/delete", {}, is_repeatable=True)
            raise
        return Ref(key, Kind.FILE, str(made))

    def complete(self, ref: Ref, write: Write) -> Ref:
        """Give a file the name and the cards of the draft whose bytes it holds."""
        draft = write.record
        if isinstance(draft, File):
            self._edit(ref.id, self._described({"name": draft.name, "cards": draft.cards}, write.extra))
        return ref

    def update(self, ref: Ref, write: Write) -> Ref:
        """Give a file another name, or other cards."""
        self._edit(ref.id, self._described(write.changes, write.extra))
        return ref

    def delete(self, ref: Ref) -> Ref:
        """Take a file away."""
        self._line.post(f"files/{ref.id}/delete", {}, is_repeatable=True)
        return ref

    def _edit(self, file_id: str, item: Mapping[str, Json]) -> None:
        self._line.post(f"files/{file_id}/edit", {"file": dict(item)}, is_repeatable=True)

    def _described(self, values: Mapping[str, Any], extra: Mapping[str, Json]) -> dict[str, Json]:
        item: dict[str, Json] = {}
        if "name" in values:
            item["filename"] = values["name"]
        if "cards" in values:
            item["attachment"] = [{self._side(card): {"id": int(card.id)}} for card in values["cards"]]
        return {**item, **extra}

    def _side(self, card: Ref) -> str:
        if card.kind not in _SIDES:
            raise refused_draft(
                self._key, "cards", f"no file stands on a {card.kind.value}", "Choose a deal or a contact."
            )
        return _SIDES[card.kind]

    @property
    def _key(self) -> str:
        return self._directory.account().key
