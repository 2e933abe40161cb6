"""Finding what a write created whose answer was lost: by its content, among what is newer than the call."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any

from crmkit.matching import newest
from crmkit.models import Call, Company, Contact, Deal, Lead, Note, Record, Task
from crmkit.values import Kind, Ref
from crmkit.write import Verb, Write
from crmkit_amocrm.client.line import Line
from crmkit_amocrm.client.reads import Reader
from crmkit_amocrm.translate.intake import call_uniq, unsorted_uid
from crmkit_amocrm.wire import PARENTS, PATHS, WITH, Item

SKEW_S = 10
"""Seconds by which the vendor's clock may be behind ours."""


class Recovery:
    """Looks for lost creations of one account.

    Args:
        line: the way to the account.
        reader: reads the account's lists.
        translate: the record that an entity is.
    """

    def __init__(self, line: Line, reader: Reader, translate: Callable[[Kind, Item], Record]) -> None:
        self._line = line
        self._reader = reader
        self._translate = translate

    def find(self, write: Write, since: float, known: Collection[Ref]) -> Ref | None:
        """The newest record that `write` may have created since a moment and nobody else has claimed."""
        if write.verb is not Verb.CREATE or write.record is None:
            return None
        moment = int(since) - SKEW_S
        matches = _MATCHES.get(write.kind)
        if matches is None:
            return None
        found = (self._translate(write.kind, item) for item in self._candidates(write, moment))
        return newest(found, moment, known, partial(matches, write))

    def _candidates(self, write: Write, moment: int) -> Iterator[Item]:
        record, kind = write.record, write.kind
        if kind is Kind.TASK:
            # Tasks are ordered by their making; those changed since then are few.
            params = [("filter[updated_at][from]", str(moment)), ("order[id]", "desc")]
            if isinstance(record, Task) and record.about is not None:
                params += [("filter[entity_type]", PATHS[record.about.kind]), ("filter[entity_id][]", record.about.id)]
            return self._line.every("tasks", "tasks", params)
        if kind is Kind.LEAD:
            return self._line.every("leads/unsorted", "unsorted", [("order[created_at]", "desc")])
        if kind is Kind.CALL:
            # The vendor chose the card itself, so that all lists have to be asked.
            return self._reader.timeline_since(kind, PARENTS, moment)
        if kind is Kind.NOTE:
            about = record.about if isinstance(record, Note) else None
            parents = [PATHS[about.kind]] if about is not None else list(PARENTS)
            return self._reader.timeline_since(kind, parents, moment)
        path = PATHS[kind]
        params = [("with", WITH[path])] if WITH.get(path) else []
        return self._reader.since(path, path, moment, params)


def _same(draft: Record, found: Record, names: tuple[str, ...]) -> bool:
    return all(getattr(draft, name) == getattr(found, name) for name in names if name in draft.model_fields_set)


def _person(write: Write, found: Record) -> bool:
    draft = write.record
    if not isinstance(draft, Contact | Company) or not isinstance(found, Contact | Company):
        return False
    phones = {phone.e164 or phone.raw for phone in found.phones} | {phone.raw for phone in found.phones}
    emails = {email.value.casefold() for email in found.emails}
    return (
        all((phone.e164 or phone.raw) in phones or phone.raw in phones for phone in draft.phones)
        and all(email.value.casefold() in emails for email in draft.emails)
        and (not draft.name or draft.name == found.name or bool(draft.phones or draft.emails))
        and bool(draft.name or draft.phones or draft.emails)
    )


def _deal(write: Write, found: Record) -> bool:
    draft = write.record
    if not isinstance(draft, Deal) or not isinstance(found, Deal):
        return False
    return (
        _same(draft, found, ("title", "amount", "company"))
        and set(draft.contacts) <= set(found.contacts)
        and (draft.stage is None or found.stage is None or draft.stage.stage_id == found.stage.stage_id)
    )


def _task(write: Write, found: Record) -> bool:
    draft = write.record
    return (
        isinstance(draft, Task)
        and isinstance(found, Task)
        and _same(draft, found, ("text", "about"))
        and (draft.due is None or (found.due is not None and int(draft.due.timestamp()) == found.due.timestamp()))
    )


def _note(write: Write, found: Record) -> bool:
    return write.record is not None and isinstance(found, Note) and _same(write.record, found, ("text", "about"))


def _call(write: Write, found: Record) -> bool:
    params = found.raw.get("params")
    uniq = params.get("uniq") if isinstance(params, Mapping) else None
    return isinstance(found, Call) and uniq == call_uniq(write)


def _lead(write: Write, found: Record) -> bool:
    return isinstance(found, Lead) and found.raw.get("source_uid") == unsorted_uid(write)


_MATCHES: Mapping[Kind, Callable[[Write, Any], bool]] = {
    Kind.CONTACT: _person,
    Kind.COMPANY: _person,
    Kind.DEAL: _deal,
    Kind.TASK: _task,
    Kind.NOTE: _note,
    Kind.CALL: _call,
    Kind.LEAD: _lead,
}
