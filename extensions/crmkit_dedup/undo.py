"""Taking a merge back: losers are made anew, all gets its fields and links again, and what cannot return is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from crmkit.errors import NotFound, Rejected, Unsupported
from crmkit.extension import Context
from crmkit.models import RECORDS, Company, Contact, Note
from crmkit.values import Json, Kind, Ref
from crmkit_dedup.exclusions import Exclusions, Seen
from crmkit_dedup.journal import BusyError, Entry, Journal, State
from crmkit_dedup.merging.portrait import Portrait, cards, notes_of, port
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


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of taking a merge back; `anew` has the new addresses of losers that were made anew."""

    is_done: bool
    lines: tuple[str, ...]
    anew: dict[Ref, Ref] = field(default_factory=dict)


def undo(ctx: Context[Any], merge_id: str, *, is_forced: bool = False) -> Undone:
    """Take the merge back; broken off, it goes on where it was when it is called again, and once done it stays done.

    What people have changed since stays, unless `is_forced`. The records are kept apart from then on.
    Raises what the CRM raises.
    """
    journal, language = Journal(ctx.store), ctx.language
    entry = journal.get(merge_id)
    if entry is None:
        return Undone(False, (say(language, "no_merge", merge=merge_id),))
    if entry.state is State.UNDONE:
        return Undone(True, (say(language, "undone", merge=merge_id), *entry.report), dict(entry.anew))
    if entry.state is State.REFUSED:
        return Undone(False, (say(language, "never_done", merge=merge_id),))
    if (further := journal.of_loser(entry.survivor)) is not None:
        return Undone(False, (say(language, "undo_first", id=entry.survivor.id, what=further.id),))
    try:
        if not ctx.is_plan:
            journal.hold(entry)
    except BusyError as busy:
        text = say(language, "busy", id=busy.ref.id, what=busy.merge_id)
        return Undone(False, (say(language, "objection", text=text),))
    return _Undoing(ctx, journal, entry, is_forced).run()


@dataclass(slots=True)
class _Undoing:
    """One merge that is being taken back."""

    ctx: Context[Any]
    journal: Journal
    entry: Entry
    is_forced: bool
    report: list[str] = field(default_factory=list)
    back: list[str] = field(default_factory=list)

    def run(self) -> Undone:
        entry = self.entry
        alive = cards(self.ctx.crm, [loser for loser in entry.losers if loser not in entry.anew])
        if entry.state is State.PLANNED and not self._took_place(alive):
            self.journal.release(entry)
            return Undone(False, (self._say("never_done", merge=entry.id),))
        if not self.ctx.is_plan:
            self._keep(replace(entry, state=State.UNDOING))
        restoring = Restoring(self.ctx, self.entry, self.is_forced)
        restoring.record(entry.survivor, entry.before[entry.survivor], entry.after.get(entry.survivor))
        for loser in entry.losers:
            self._loser(loser, loser in alive, restoring)
        self.report += restoring.report
        self._note()
        return self._ended()

    def _took_place(self, alive: Any) -> bool:
        """A planned merge was applied: its losers are gone, or marked."""
        return all(
            loser not in alive or set(alive[loser].tags) > set(self.entry.before[loser].record.tags)
            for loser in self.entry.losers
        )

    def _loser(self, loser: Ref, is_alive: bool, restoring: Restoring) -> None:
        was = self.entry.before[loser]
        if is_alive:
            restoring.record(loser, was, self.entry.after.get(loser))
            new = loser
        else:
            new = self._made_anew(was)
        if not self.ctx.is_plan:
            self.journal.free(loser)  # whoever hears of it next finds a record of its own
        port(self.ctx.crm, loser.kind).readdress(loser, new)
        for earlier in self.journal.into(loser):
            for older in earlier.losers:
                port(self.ctx.crm, loser.kind).readdress(older, new)
        if new != loser and not self.ctx.is_plan:
            self.journal.renew(loser, new)
        self._deals(was, new)
        self._tasks(was, new)
        self._people(was, new)
        if not is_alive:
            self._notes(was, new)
            self._firms(was, new, restoring)
            self._leads(was, new)
            self._files(was, new)
            self._lost(was, new)
        elif was.notes or was.calls:
            copies = listed([note.ref.id for note in was.notes] + [call.id for call in was.calls])
            line = self._say("copies", id=self.entry.survivor.id, what=copies)
            self.report.append(self._say("cannot", what=line))
        if is_alive:
            self.report.append(self._say("alive", old=loser.id))

    def _made_anew(self, was: Portrait) -> Ref:
        if (known := self.entry.anew.get(was.ref)) is not None:
            return known
        values = self._draft(was)
        natives = without(was.natives, is_late=False)
        new = self._create(was, values, natives)
        self._keep(replace(self.entry, anew={**self.entry.anew, was.ref: new}))
        self.report.append(self._say("anew", old=was.ref.id, new=new.id))
        if late := without(was.natives, is_late=True):
            Restoring(self.ctx, self.entry).write(
                new, listed(list(late)), {}, self.ctx.crm.native_extra(new.kind, late, on=self._read(new))
            )
        return new

    def _read(self, ref: Ref) -> Any:
        return cards(self.ctx.crm, [ref]).get(ref)

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

    def _create(self, was: Portrait, values: dict[str, Any], natives: dict[str, Json]) -> Ref:
        """The new record; what the CRM will not take is left out and reported, one thing after the other."""
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
                if not names and not bad:
                    raise
                for name in names:
                    del values[name]
                for name in bad:
                    del natives[name]
                if names != ["created_at"]:
                    what = self._say("cannot_field", what=listed([*names, *bad]), id=was.ref.id, text=refusal.message)
                    self.report.append(self._say("cannot", what=what))
            else:
                return made

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

    def _firms(self, was: Portrait, new: Ref, restoring: Restoring) -> None:
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
                restoring.unlink(survivor, firm)

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

    def _note(self) -> None:
        """Our remark about values that found no place says nothing any more."""
        if self.entry.note is not None:
            self._delete_note(self.entry.note)

    def _lost(self, was: Portrait, new: Ref) -> None:
        lost = [self._say("cannot_id", id=was.ref.id), self._say("cannot_history", id=was.ref.id)]
        made = self._read(new)
        if made is None or made.created_at != was.record.created_at:
            lost.append(self._say("cannot_day", id=was.ref.id))
        if was.calls:
            calls = listed([ref.id for ref in was.calls])
            lost.append(self._say("cannot_calls", what=calls, id=self.entry.survivor.id))
        lost += [self._say("cannot_file", what=one.title, id=new.id) for one in was.natives if one.is_fixed]
        self.report.append(self._say("cannot", what=listed(lost)))

    def _ended(self) -> Undone:
        head = self._say("undo_planned" if self.ctx.is_plan else "undo_head", merge=self.entry.id)
        back = [self._say("back", what=listed(self.back))] if self.back else []
        lines = (head, *self.report, *back)
        if not self.ctx.is_plan:
            self.entry = replace(self.entry, state=State.UNDONE, report=lines)
            self.journal.finish(self.entry)
            self._keep_apart()
        for line in lines:
            self.ctx.explain(line)
        return Undone(True, lines, dict(self.entry.anew))

    def _keep_apart(self) -> None:
        """Else the next scan would merge again what a person has just taken apart."""
        apart = [self.entry.survivor, *(self.entry.anew.get(loser, loser) for loser in self.entry.losers)]
        exclusions = Exclusions(self.ctx.store)
        for place, one in enumerate(apart):
            for other in apart[place + 1 :]:
                exclusions.add(Seen(one, ""), Seen(other, ""), at=self.ctx.now, by=self.entry.id)

    def _keep(self, entry: Entry) -> None:
        self.entry = entry
        if not self.ctx.is_plan:
            self.journal.put(entry)

    def _say(self, key: str, **values: object) -> str:
        return say(self.ctx.language, key, **values)


def _has_files(note: Note) -> bool:
    """Documents hang on the remark, and would be thrown away with it."""
    return any(name.casefold() in ("files", "attachments") and bool(value) for name, value in note.raw.items())


def _wire_names(name: str) -> set[str]:
    """The names by which CRMs refuse a field of ours."""
    return {name, *_WORDS.get(name, ())}


_WORDS = {
    "created_at": ("createdAt", "DATE_CREATE"),
    "owner_id": ("managerId", "ASSIGNED_BY_ID", "assignedById", "responsible_user_id"),
}
