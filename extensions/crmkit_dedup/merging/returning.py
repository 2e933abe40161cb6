"""Giving back what went over with a merge: exactly that goes back, and what came later, or was moved since, stays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from crmkit.errors import NotFound, Rejected, Unsupported
from crmkit.extension import Context
from crmkit.models import Company, Note
from crmkit.values import Kind, Ref
from crmkit_dedup.journal import Entry
from crmkit_dedup.merging.portrait import Portrait, notes_of
from crmkit_dedup.merging.restore import Restoring, filled
from crmkit_dedup.merging.words import listed, say


@dataclass(slots=True)
class Returning:
    """Moves what hangs on the survivor of one merge back to its losers.

    Args:
        ctx: the run.
        entry: the merge, with its records as they were.
        report: what cannot go back, and what people have moved since.
        back: what went back.
    """

    ctx: Context[Any]
    entry: Entry
    report: list[str] = field(default_factory=list)
    back: list[str] = field(default_factory=list)

    def links(self, was: Portrait, new: Ref) -> None:
        """Deals, tasks and people."""
        self._deals(was, new)
        self._tasks(was, new)
        self._people(was, new)

    def rest(self, was: Portrait, new: Ref) -> None:
        """What only a record that was made anew has lost: remarks, companies beside the main one, requests, files."""
        self._notes(was, new)
        self._firms(was, new)
        self._leads(was, new)
        self._files(was, new)

    def note(self) -> None:
        """Take away our remark about values that found no place: it says nothing any more."""
        if self.entry.note is not None:
            self._delete_note(self.entry.note)

    def _deals(self, was: Portrait, new: Ref) -> None:
        """Exactly the deals that moved go back; those that came later stay."""
        if not was.deals:
            return
        crm, survivor = self.ctx.crm, self.entry.survivor
        known = crm.deals.get_many([link.ref for link in was.deals])
        shared = {link.ref: link.is_main for link in self.entry.before[survivor].deals}
        for link in was.deals:
            deal = known.get(link.ref)
            if deal is None or new in (*deal.contacts, deal.company):
                continue
            if survivor not in (*deal.contacts, deal.company):
                self.report.append(self._say("moved_on", what=f"{link.title or 'deal'} #{link.ref.id}"))
                continue
            crm.deals.link(link.ref, new, extra={"is_main": True} if link.is_main else None)
            if link.ref not in shared and survivor.kind is Kind.CONTACT:
                self._unlink(link.ref, survivor)
            elif link.is_main and not shared.get(link.ref, True):
                crm.deals.link(link.ref, survivor, extra={"is_main": False})
            self.back.append(f"{link.title or 'deal'} #{link.ref.id}")

    def _unlink(self, deal: Ref, survivor: Ref) -> None:
        """Where a deal has one person only, the link of the new one has taken the other's place."""
        crm = self.ctx.crm
        try:
            crm.deals.unlink(deal, survivor)
        except (Unsupported, Rejected) as refusal:
            now = crm.deals.get_many([deal]).get(deal)
            if now is not None and survivor in now.contacts and not self.ctx.is_plan:
                what = self._say("cannot_link", id=deal.id, what=survivor.id, text=refusal.message)
                self.report.append(self._say("cannot", what=what))

    def _tasks(self, was: Portrait, new: Ref) -> None:
        crm, survivor = self.ctx.crm, self.entry.survivor
        for ref, task in crm.tasks.get_many(list(was.tasks)).items() if was.tasks else ():
            if task.about == new:
                continue
            if task.about not in (survivor, was.ref, None):
                self.report.append(self._say("moved_on", what=f"{task.text} #{ref.id}"))
                continue
            crm.tasks.update(ref, {"about": new})
            self.back.append(f"{task.text.splitlines()[0] if task.text else 'task'} #{ref.id}")

    def _people(self, was: Portrait, new: Ref) -> None:
        if not isinstance(was.record, Company):
            return
        crm, survivor = self.ctx.crm, self.entry.survivor
        shared = set(self.entry.before[survivor].people)
        for person, card in crm.contacts.get_many(list(was.people)).items() if was.people else ():
            if card.company == new:
                continue
            if card.company not in (survivor, was.ref, None):
                self.report.append(self._say("moved_on", what=f"{card.name} #{person.id}"))
                continue
            crm.contacts.link(person, new)
            if person not in shared:
                self._part(person, survivor, new)
            self.back.append(f"{card.name} #{person.id}")

    def _part(self, person: Ref, survivor: Ref, new: Ref) -> None:
        """Where a person belongs to one company only, the new link has taken the other's place."""
        crm = self.ctx.crm
        now = crm.contacts.get_many([person]).get(person)
        firm = crm.companies.get_many([survivor]).get(survivor)
        if now is not None and now.company == new and (firm is None or person not in firm.contacts):
            return
        Restoring(self.ctx, self.entry, report=self.report).unlink(person, survivor)

    def _notes(self, was: Portrait, new: Ref) -> None:
        """Remarks that moved with the merge, or were copied, are written on the new record and taken off the other."""
        if not was.notes:
            return
        crm, survivor = self.ctx.crm, self.entry.survivor
        here = {note.ref: note for note in notes_of(crm, survivor)}
        for note in was.notes:
            author = note.owner_id or note.created_by
            values: dict[str, Any] = {"about": new, "text": note.text, "owner_id": author}
            once = f"undo:{self.entry.id}:note:{note.ref.id}"
            try:
                crm.notes.create(Note.model_validate(filled(values)), once=once)
            except Rejected:
                crm.notes.create(Note(about=new, text=note.text), once=once)
            copy = self.entry.copies.get(note.ref, note.ref)
            if copy in here and _has_files(here[copy]):
                text = self._say("with_files", what=copy.id, id=survivor.id)
                self.report.append(self._say("cannot", what=text))
            elif copy in here:
                self._delete_note(copy)
        dates = listed([note.ref.id for note in was.notes])
        self.report.append(self._say("cannot", what=self._say("note_dates", what=dates)))

    def _delete_note(self, ref: Ref) -> None:
        try:
            self.ctx.crm.notes.delete(ref)
        except NotFound:
            return
        except (Unsupported, Rejected) as refusal:
            text = self._say("cannot_note", what=ref.id, id=self.entry.survivor.id, text=refusal.message)
            self.report.append(self._say("cannot", what=text))

    def _firms(self, was: Portrait, new: Ref) -> None:
        """The companies that only this loser belonged to: it belongs to them again, and the survivor no more."""
        if not was.firms:
            return
        crm, survivor = self.ctx.crm, self.entry.survivor
        own = self.entry.before[survivor]
        for firm in crm.companies.get_many(list(was.firms)):
            if firm != was.company:
                crm.contacts.link(new, firm)
            # What was the survivor's only company is taken off it with its other fields.
            if firm not in own.firms and own.firms:
                Restoring(self.ctx, self.entry, report=self.report).unlink(survivor, firm)

    def _leads(self, was: Portrait, new: Ref) -> None:
        crm, survivor = self.ctx.crm, self.entry.survivor
        for ref, lead in crm.leads.get_many(list(was.leads)).items() if was.leads else ():
            holder = lead.contact if survivor.kind is Kind.CONTACT else lead.company
            if holder == new:
                continue
            if holder not in (survivor, was.ref, None):
                self.report.append(self._say("moved_on", what=f"{lead.title} #{ref.id}"))
                continue
            crm.leads.link(ref, new, extra={"is_main": True} if survivor.kind is Kind.CONTACT else None)
            if survivor.kind is Kind.CONTACT and ref not in self.entry.before[survivor].leads:
                Restoring(self.ctx, self.entry, report=self.report).unlink_from(crm.leads, ref, survivor)
            self.back.append(f"{lead.title} #{ref.id}")

    def _files(self, was: Portrait, new: Ref) -> None:
        """Documents stand where they stood, on the new card instead of the old one."""
        crm, survivor = self.ctx.crm, self.entry.survivor
        known = crm.files.get_many([ref for ref, _ in was.files]) if was.files else {}
        for ref, on in was.files:
            file = known.get(ref)
            if file is None or new in file.cards:
                continue
            rest = [card for card in file.cards if card != was.ref and (card != survivor or survivor in on)]
            crm.files.update(ref, {"cards": (*rest, new)})
            self.back.append(f"{file.name} #{ref.id}")

    def _say(self, key: str, **values: object) -> str:
        return say(self.ctx.language, key, **values)


def _has_files(note: Note) -> bool:
    """Documents hang on the remark, and would be thrown away with it."""
    return any(name.casefold() in ("files", "attachments") and bool(value) for name, value in note.raw.items())
