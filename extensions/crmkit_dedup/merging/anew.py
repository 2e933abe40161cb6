"""Making a loser anew when its merge is taken back: what the CRM will not take is left out and named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from crmkit.errors import Rejected
from crmkit.extension import Context
from crmkit.models import RECORDS, Company, Contact
from crmkit.values import Json, Ref
from crmkit_dedup.journal import Entry
from crmkit_dedup.merging.portrait import Portrait, cards, port
from crmkit_dedup.merging.restore import Restoring, filled, without
from crmkit_dedup.merging.words import listed, say

_MAY_BE_LEFT_OUT: Sequence[str] = (
    "created_at",
    "owner_id",
    "tags",
    "source",
    "loss_reason",
    "amount",
    "items",
    "stage",
    "birthday",
)
"""Fields without which a record is made anew when the CRM will not take them; each is reported."""


@dataclass(slots=True)
class Renewal:
    """Makes the losers of one merge anew.

    Args:
        ctx: the run.
        entry: the merge, with its records as they were.
        report: what could not be written.
    """

    ctx: Context[Any]
    entry: Entry
    report: list[str] = field(default_factory=list)

    def make(self, was: Portrait) -> Ref:
        """The address of a new record that is what the old one was; made once, however often this is called."""
        natives, apart = without(was.natives, is_late=False), dict[str, Json]()
        new = self._create(was, self._draft(was), natives, apart)
        restoring = Restoring(self.ctx, self.entry, report=self.report)
        for name, value in apart.items():
            restoring.write(new, name, {}, self.ctx.crm.native_extra(new.kind, {name: value}, on=self._read(new)))
        return new

    def name(self, was: Portrait, new: Ref) -> None:
        """Give the new record what no two records may have at once, and name what does not come back."""
        if late := without(was.natives, is_late=True):
            extra = self.ctx.crm.native_extra(new.kind, late, on=self._read(new))
            restoring = Restoring(self.ctx, self.entry, report=self.report)
            restoring.write(new, listed(list(late)), {}, extra)

    def lost(self, was: Portrait, new: Ref) -> None:
        """Name what no CRM gives back."""
        lost = [self._say("cannot_id", id=was.ref.id), self._say("cannot_history", id=was.ref.id)]
        made = self._read(new)
        if made is None or made.created_at != was.record.created_at:
            lost.append(self._say("cannot_day", id=was.ref.id))
        if was.calls:
            calls = listed([ref.id for ref in was.calls])
            lost.append(self._say("cannot_calls", what=calls, id=self.entry.survivor.id))
        lost += [self._say("cannot_file", what=one.title, id=new.id) for one in was.natives if one.is_fixed]
        self.report.append(self._say("cannot", what=listed(lost)))

    def _draft(self, was: Portrait) -> dict[str, Any]:
        """The fields of a new record that is to be what the old one was."""
        told = {name for native in was.natives if not native.is_fixed for name in native.tells}
        record = was.record
        names = ["owner_id", "tags"] if self.ctx.is_plan else ["owner_id", "tags", "created_at"]
        if isinstance(record, Contact):
            names += ["name", "first_name", "middle_name", "last_name", "phones", "emails", "birthday", "company"]
        elif isinstance(record, Company):
            names += ["name", "phones", "emails", "site", "inn", "kpp"]
        else:
            names += ["title", "stage", "loss_reason", "contacts", "company", "source", "items"]
            names += [] if record.items else ["amount"]
        return filled({name: getattr(record, name) for name in names if name not in told})

    def _create(self, was: Portrait, values: dict[str, Any], natives: dict[str, Json], apart: dict[str, Json]) -> Ref:
        """The new record; what the CRM will not take is left out and reported, one thing after the other.

        When it does not say which of its own fields it will not take, all are put `apart`, to be written singly.
        """
        crm, kind = self.ctx.crm, was.ref.kind
        once = f"undo:{self.entry.id}:anew:{was.ref.id}"
        cards_port: Any = port(crm, kind)
        while True:
            draft = RECORDS[kind].model_validate(values)
            try:
                made: Ref = cards_port.create(draft, once=once, extra=crm.native_extra(kind, natives))
            except Rejected as refusal:
                faults = set(refusal.fields)
                names = [name for name in _MAY_BE_LEFT_OUT if name in values and faults & _wire_names(name)]
                bad = [name for name in natives if any(name.endswith(fault) or fault in name for fault in faults)]
                if not names and not bad:
                    names = [name for name in _MAY_BE_LEFT_OUT[:2] if name in values][:1]
                if not names and not bad and not natives:
                    raise
                if not names and not bad:
                    apart |= natives
                    natives.clear()
                    continue
                for name in names:
                    del values[name]
                for name in bad:
                    del natives[name]
                if names != ["created_at"]:
                    what = self._say("cannot_field", what=listed([*names, *bad]), id=was.ref.id, text=refusal.message)
                    self.report.append(self._say("cannot", what=what))
            else:
                return made

    def _read(self, ref: Ref) -> Any:
        return cards(self.ctx.crm, [ref]).get(ref)

    def _say(self, key: str, **values: object) -> str:
        return say(self.ctx.language, key, **values)


def _wire_names(name: str) -> set[str]:
    """The names by which CRMs refuse a field of ours."""
    return {name, *_WORDS.get(name, ())}


_WORDS = {
    "created_at": ("createdAt", "DATE_CREATE"),
    "owner_id": ("managerId", "ASSIGNED_BY_ID", "assignedById", "responsible_user_id"),
}
