"""Finding what a write created whose answer was lost: by our key, and where there is none by its content."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from crmkit.models import File, Note, Record, Task
from crmkit.values import Kind, Ref
from crmkit.write import Verb, Write
from crmkit_retailcrm.client.files import FileWriter
from crmkit_retailcrm.client.line import Line
from crmkit_retailcrm.client.reads import Reader
from crmkit_retailcrm.translate import call_key
from crmkit_retailcrm.wire import SHELVES, Item

SKEW_S = 10
"""Seconds by which the vendor's clock may be behind ours."""

_NAMELESS = "API upload "
"""How the CRM calls a file until it is named. Source: retailCRM API v5, method `files/upload`."""


class Recovery:
    """Looks for lost creations of one account.

    Args:
        line: the way to the account.
        reader: reads the account's lists.
        files: names a file whose bytes alone arrived.
        translate: the record that an entity is.
        local: a moment as the account writes it.
    """

    def __init__(
        self,
        line: Line,
        reader: Reader,
        files: FileWriter,
        translate: Callable[[Kind, Item], Record],
        local: Callable[[float], str],
    ) -> None:
        self._line = line
        self._reader = reader
        self._files = files
        self._translate = translate
        self._local = local

    def find(self, write: Write, since: float, known: Collection[Ref], account: str) -> Ref | None:
        """The record that `write` created since a moment and nobody else has claimed; None when it did not."""
        if write.verb is not Verb.CREATE or write.record is None:
            return None
        match write.kind:
            case Kind.CONTACT | Kind.COMPANY | Kind.DEAL:
                found = self._keyed(write, account)
            case Kind.CALL:
                # The vendor keeps a call once by this key, so that it may be entered again.
                found = [Ref(account, Kind.CALL, call_key(write))] if write.marker else []
            case Kind.FILE:
                return self._file(write, since - SKEW_S, known)
            case Kind.TASK | Kind.NOTE:
                found = [record.ref for record in self._alike(write, since - SKEW_S)]
            case _:
                found = []
        fresh = [ref for ref in found if ref not in known]
        return fresh[-1] if fresh else None

    def _keyed(self, write: Write, account: str) -> list[Ref]:
        key = write.extra.get("externalId") or (f"crmkit-{write.marker}" if write.marker else None)
        found = self._reader.by_key(write.kind, str(key)) if key else None
        return [Ref(account, write.kind, str(found["id"]))] if found else []

    def _alike(self, write: Write, moment: float) -> list[Record]:
        """Tasks and notes with the write's content that are not older than a moment, oldest first."""
        records = (self._translate(write.kind, item) for item in self._candidates(write, moment))
        alike = [
            record
            for record in records
            if (record.created_at is None or record.created_at.timestamp() >= moment) and _is_alike(write, record)
        ]
        alike.sort(key=lambda record: (record.created_at.timestamp() if record.created_at else 0.0, record.ref.id))
        return alike

    def _file(self, write: Write, moment: float, known: Collection[Ref]) -> Ref | None:
        """The newest file with the write's content; one whose bytes alone arrived is given its name and cards."""
        draft = write.record
        if not isinstance(draft, File) or draft.content is None:
            return None
        since = ("filter[createdAtFrom]", self._local(moment)[:10])
        records = [self._translate(Kind.FILE, item) for item in self._line.every("files", "files", [since])]
        records.sort(key=lambda record: int(record.ref.id), reverse=True)
        for found in records:
            is_late = found.created_at is not None and found.created_at.timestamp() >= moment
            if not isinstance(found, File) or not is_late or found.ref in known or found.size != len(draft.content):
                continue
            is_whole = (found.name, set(found.cards)) == (draft.name, set(draft.cards))
            is_nameless = found.name.startswith(_NAMELESS) and not found.cards
            if (is_whole or is_nameless) and self._reader.content(found.ref) == draft.content:
                return found.ref if is_whole else self._files.complete(found.ref, write)
        return None

    def _candidates(self, write: Write, moment: float) -> Iterator[dict[str, Any]]:
        since = ("filter[createdAtFrom]", self._local(moment)[:10])
        if write.kind is Kind.TASK:
            return self._line.every("tasks", SHELVES[Kind.TASK].many, [since])
        return self._reader.notes_on(write.record.about) if isinstance(write.record, Note) else iter(())


def _is_alike(write: Write, found: Record) -> bool:
    draft = write.record
    if isinstance(draft, Task) and isinstance(found, Task):
        # Tasks have no seconds.
        due, kept = draft.due, found.due
        is_due = due is None or (kept is not None and due.replace(second=0, microsecond=0) == kept)
        return is_due and (draft.text, draft.about) == (found.text, found.about)
    if isinstance(draft, Note) and isinstance(found, Note):
        return (draft.text.strip(), draft.about) == (found.text, found.about)
    return False
