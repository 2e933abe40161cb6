"""Finding what a write created whose answer was lost: by our key, or by content where Bitrix24 keeps none."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from crmkit.matching import newest
from crmkit.models import Note, Record, Task
from crmkit.values import Kind, Ref
from crmkit.write import Verb, Write
from crmkit_bitrix24.client.line import Line
from crmkit_bitrix24.client.marker import marker_of
from crmkit_bitrix24.client.reads import LISTINGS, Reader
from crmkit_bitrix24.client.walk import Walker
from crmkit_bitrix24.wire import ENTITIES, ORIGINATOR, TODO, Item, rows

SKEW_S = 10
"""Seconds by which the vendor's clock may be behind ours."""


class Recovery:
    """Looks for lost creations of one account.

    Args:
        line: the way to the portal.
        reader: reads the account's lists.
        translate: the record that a body is.
    """

    def __init__(self, line: Line, reader: Reader, translate: Callable[[Kind, Item], Record]) -> None:
        self._line = line
        self._walker = Walker(line)
        self._reader = reader
        self._translate = translate

    def find(self, write: Write, since: float, known: Collection[Ref]) -> Ref | None:
        """The newest record that `write` may have created since a moment and nobody else has claimed."""
        if write.verb is not Verb.CREATE or write.record is None:
            return None
        moment = int(since) - SKEW_S
        found = (self._translate(write.kind, item) for item in self._candidates(write, moment))
        return newest(found, moment, known, partial(_matches, write))

    def _candidates(self, write: Write, moment: int) -> Iterator[Item]:
        since = datetime.fromtimestamp(moment, UTC).isoformat()
        if write.kind is Kind.TASK:
            yield from self._tasks(write, since)
        elif write.kind is Kind.NOTE:
            about = write.record.about if isinstance(write.record, Note) else None
            yield from self._reader.comments(about) if about is not None else ()
        elif write.kind is Kind.CALL:
            for page in self._reader.statistics({">=CALL_START_DATE": since}):
                yield from page
        elif write.kind in ENTITIES:
            names = ("originatorId", "originId") if write.kind is Kind.DEAL else ("ORIGINATOR_ID", "ORIGIN_ID")
            key = dict(zip(names, (ORIGINATOR, marker_of(write)), strict=True))
            yield from self._walker.every(LISTINGS[write.kind].matching(key))

    def _tasks(self, write: Write, since: str) -> Iterator[Item]:
        about = write.record.about if isinstance(write.record, Task) else None
        if write.extra.get("as") == "task":
            query: Mapping[str, Any] = {
                "filter": {"XML_ID": marker_of(write)},
                "select": ["*", "XML_ID", "UF_CRM_TASK"],
                "order": {"ID": "ASC"},
                "start": -1,
            }
            yield from rows(self._line.call("tasks.task.list", query))
        elif about is not None and about.kind in ENTITIES:
            conditions = {
                "PROVIDER_ID": TODO,
                "OWNER_TYPE_ID": ENTITIES[about.kind].type_id,
                "OWNER_ID": about.id,
                ">=CREATED": since,
            }
            yield from self._walker.every(LISTINGS[Kind.TASK].matching(conditions))


def _matches(write: Write, found: Record) -> bool:
    draft = write.record
    if isinstance(draft, Note) and isinstance(found, Note):
        return (draft.text, draft.about) == (found.text, found.about)
    if isinstance(draft, Task) and isinstance(found, Task):
        if write.extra.get("as") == "task":
            # A filter by a field that a portal does not know gives all tasks.
            return (found.raw.get("xmlId") or found.raw.get("XML_ID")) == marker_of(write)
        is_due = draft.due is None or (found.due is not None and int(draft.due.timestamp()) == found.due.timestamp())
        return (draft.text, draft.about) == (found.text, found.about) and is_due
    if write.kind is Kind.CALL:
        return found.raw.get("EXTERNAL_CALL_ID") == marker_of(write)
    origin = found.raw.get("originId") if write.kind is Kind.DEAL else found.raw.get("ORIGIN_ID")
    return origin == marker_of(write)
