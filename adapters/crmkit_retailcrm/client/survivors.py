"""Writes that name a record which was merged into another: they are meant for the one that took it in."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from crmkit.errors import NotFound, Rejected
from crmkit.values import Kind, Ref
from crmkit.write import Write
from crmkit_retailcrm.client.line import Line
from crmkit_retailcrm.errors.refusals import Merged
from crmkit_retailcrm.wire import SHELVES

_MERGED = (Kind.CONTACT, Kind.COMPANY)


class Survivors:
    """Looks up what became of people and companies of one account.

    Args:
        line: the way to the account.
    """

    def __init__(self, line: Line) -> None:
        self._line = line

    def of(self, ref: Ref) -> Ref:
        """The record that took `ref` in, else `ref` itself; one request. Source: retailCRM API v5, `combinedTo`."""
        with suppress(NotFound):
            try:
                self._line.get(f"{SHELVES[ref.kind].path}/{ref.id}", [("by", "id")])
            except Merged as merged:
                return Ref(ref.account, ref.kind, merged.survivor)
        return ref

    def readdressed(self, write: Write, refusal: Rejected) -> Write | None:
        """The write with survivors in the place of merged records; None when the refusal is about something else."""
        if "not found" not in str(refusal).lower():
            return None
        given = (*write.values().values(), write.others)
        named = {ref for value in given for ref in _refs(value) if ref.kind in _MERGED}
        moved = {ref: survivor for ref in named if (survivor := self.of(ref)) != ref}
        if not moved:
            return None
        values = {name: _moved(value, moved) for name, value in write.values().items()}
        record = write.record.model_copy(update=values) if write.record is not None else None
        changes = values if write.record is None else {}
        return replace(write, record=record, changes=changes, others=_moved(write.others, moved))


def _refs(value: Any) -> tuple[Ref, ...]:
    several = value if isinstance(value, tuple | list) else (value,)
    return tuple(one for one in several if isinstance(one, Ref))


def _moved(value: Any, moved: Mapping[Ref, Ref]) -> Any:
    if isinstance(value, Ref):
        return moved.get(value, value)
    if _refs(value):
        return tuple(dict.fromkeys(moved.get(one, one) for one in value))
    return value
