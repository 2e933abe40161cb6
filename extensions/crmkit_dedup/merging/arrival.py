"""After the CRM has merged: whatever did not come along by itself is brought, from the journal's portraits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from crmkit.errors import CrmKitError, NotFound, Rejected, Unsupported
from crmkit.extension import Context
from crmkit.models import Company, Contact, Deal, Note, Phone
from crmkit.values import Json, Kind, Ref
from crmkit.write import Native
from crmkit_dedup.journal import Entry
from crmkit_dedup.merging.joining import joined_emails, joined_phones, joined_texts, phone_keys
from crmkit_dedup.merging.outcome import Outcome, Staff, merged_natives, staff_of
from crmkit_dedup.merging.portrait import Portrait, cards, deals_of, firms_of, notes_of, port, portrait, tasks_of
from crmkit_dedup.merging.words import listed, say


@dataclass(slots=True)
class Arrival:
    """Sees to it that the survivor has all that its losers had.

    Args:
        ctx: the run.
        entry: the merge, with all records as they were.
        made: what becomes of each field.
        staff: who is who, once somebody asks.
    """

    ctx: Context[Any]
    entry: Entry
    made: Outcome
    report: list[str] = field(default_factory=list)
    brought: list[str] = field(default_factory=list)
    staff: Staff | None = None

    def settle(self) -> Entry:
        """Bring what is missing; the entry with the survivor, and losers that live on, as they are then.

        Raises what the CRM raises: done again, it goes on where it broke off.
        """
        crm, entry = self.ctx.crm, self.entry
        alive = cards(crm, list(entry.losers))
        gone = [entry.before[ref] for ref in entry.losers if ref not in alive]
        self._fields()
        for loser in (entry.before[ref] for ref in entry.losers):
            self._deals(loser)
            self._tasks(loser)
        for loser in gone:
            self._notes(loser)
            self._firms(loser)
            self._people(loser)
            self._leads(loser)
            self._files(loser)
        if self.brought:
            self.report.append(self._say("brought", what=listed(self.brought)))
        self.report += [self._say("stays", id=ref.id) for ref in alive]
        survivor = cards(crm, [entry.survivor])[entry.survivor]
        after = {ref: portrait(crm, card) for ref, card in {entry.survivor: survivor, **alive}.items()}
        return replace(self.entry, after=after)

    def _fields(self) -> None:
        """Values that the CRM has not united, or has written twice."""
        crm, made = self.ctx.crm, self.made
        survivor = cards(crm, [self.entry.survivor]).get(self.entry.survivor)
        if survivor is None:
            raise NotFound(
                f"{self.entry.survivor} is gone in the middle of merge {self.entry.id}",
                account=self.entry.survivor.account,
                ref=str(self.entry.survivor),
                remedy="What its losers had is in the journal; undo the merge.",
            )
        own = self.entry.before[self.entry.survivor]
        wanted = self._wanted(survivor, own)
        lacking = {name: value for name, value in made.late_values.items() if getattr(survivor, name) != value}
        lacking.pop("company", None)
        natives = self._lacking_natives(survivor, merged_natives(made, own))
        extra = crm.native_extra(survivor.ref.kind, natives, on=survivor) if natives else {}
        if wanted or extra:
            _port(self.ctx, survivor.ref).update(survivor.ref, wanted, extra=extra)
            self.brought += [*wanted, *natives]
        for name, value in lacking.items():
            self._or_report(name, value)
        self._late(survivor)

    def _wanted(self, survivor: Contact | Company | Deal, own: Portrait) -> dict[str, Any]:
        country = self.ctx.account.country
        wanted: dict[str, Any] = {}
        tags = joined_texts(own.record.tags, self.made.values.get("add_tags", ()))
        if missing := [tag for tag in tags if tag not in survivor.tags]:
            wanted["add_tags"] = missing
        if isinstance(survivor, Deal) or isinstance(own.record, Deal):
            return wanted
        # What somebody has added meanwhile stays; a number that the CRM has written twice is written once.
        phones = joined_phones(self.made.values.get("phones", own.record.phones), survivor.phones, country)
        if _numbers(survivor.phones, country) != _numbers(phones, country):
            wanted["phones"] = phones
        if "emails" in self.made.values:
            emails = joined_emails(self.made.values["emails"], survivor.emails)
            if len(emails) != len(survivor.emails):
                wanted["emails"] = emails
        return wanted

    def _lacking_natives(self, survivor: Contact | Company | Deal, wanted: Mapping[str, Json]) -> dict[str, Json]:
        have: Mapping[str, Native] = {native.name: native for native in self.ctx.crm.natives(survivor)}
        made = self.made
        return {
            name: value
            for name, value in wanted.items()
            if name not in made.late_natives
            and value is not None
            and _lacks(have.get(name), value, is_ours=name in made.natives)
        }

    def _late(self, survivor: Contact | Company | Deal) -> None:
        """An id of another system may be given to the survivor once its loser is gone."""
        have = {native.name: native.value for native in self.ctx.crm.natives(survivor)}
        wanted = {name: value for name, value in self.made.late_natives.items() if have.get(name) != value}
        if not wanted:
            return
        extra = self.ctx.crm.native_extra(survivor.ref.kind, wanted, on=survivor)
        try:
            _port(self.ctx, survivor.ref).update(survivor.ref, {}, extra=extra)
        except Rejected as refusal:
            self._unwritable(listed(list(wanted)), listed(list(wanted.values())), refusal)
        else:
            self.brought += list(wanted)

    def _or_report(self, name: str, value: Any) -> None:
        try:
            _port(self.ctx, self.entry.survivor).update(self.entry.survivor, {name: value})
        except (Rejected, Unsupported) as refusal:
            self._unwritable(name, value, refusal)
        else:
            self.brought.append(name)

    def _deals(self, loser: Portrait) -> None:
        crm, survivor = self.ctx.crm, self.entry.survivor
        if not loser.deals:
            return
        here = {deal.ref for deal in deals_of(crm, survivor)}
        missing = [link for link in loser.deals if link.ref not in here]
        known = crm.deals.get_many([link.ref for link in missing])
        for link in missing:
            if link.ref in known and (loser.ref.kind is Kind.CONTACT or known[link.ref].company in (None, loser.ref)):
                crm.deals.link(link.ref, survivor, extra={"is_main": True} if link.is_main else None)
                self.brought.append(link.ref.id)

    def _tasks(self, loser: Portrait) -> None:
        crm, survivor = self.ctx.crm, self.entry.survivor
        if not loser.tasks:
            return
        here = {task.ref for task in tasks_of(crm, survivor)}
        missing = [ref for ref in loser.tasks if ref not in here]
        for ref, task in crm.tasks.get_many(missing).items():
            if task.about in (None, loser.ref):
                crm.tasks.update(ref, {"about": survivor})
                self.brought.append(ref.id)

    def _notes(self, loser: Portrait) -> None:
        """Remarks that a merge has dropped are written anew, with their day and author in words."""
        if not loser.notes:
            return
        here = notes_of(self.ctx.crm, self.entry.survivor)
        refs, texts = {note.ref for note in here}, {note.text for note in here}
        for note in loser.notes:
            text = self._copied(loser, note)
            if note.ref in refs or note.text in texts or text in texts or note.ref in self.entry.copies:
                continue
            draft = Note(about=self.entry.survivor, text=text)
            made = self.ctx.crm.notes.create(draft, once=f"merge:{self.entry.id}:note:{note.ref.id}")
            self.entry = replace(self.entry, copies={**self.entry.copies, note.ref: made})
            self.brought.append(note.ref.id)

    def _copied(self, loser: Portrait, note: Note) -> str:
        zone = ZoneInfo(self.ctx.account.timezone)
        at = note.created_at.astimezone(zone).strftime("%d.%m.%Y %H:%M") if note.created_at else "?"
        author = self._author(note.created_by or note.owner_id)
        head = self._say("copied", id=loser.ref.id, at=at, author=f", {author}" if author else "")
        return f"{head}\n{note.text}"

    def _author(self, user_id: str | None) -> str:
        if self.staff is None:
            self.staff = staff_of(self.ctx.crm.users.iterate())
        return self.staff.name(user_id)

    def _firms(self, loser: Portrait) -> None:
        """A person of two companies belongs to both where the CRM knows such people."""
        if not loser.firms:
            return
        crm, survivor = self.ctx.crm, self.entry.survivor
        card = cards(crm, [survivor])[survivor]
        here = firms_of(crm, card)
        for firm in loser.firms:
            known = crm.companies.get_many([firm]).get(firm) if firm not in here else None
            if known is None:
                continue
            crm.contacts.link(survivor, firm)
            if here and here[0] not in firms_of(crm, cards(crm, [survivor])[survivor]):
                crm.contacts.link(survivor, here[0])  # one company only: its own stays, the other one is in the note
            self.brought.append(firm.id)

    def _leads(self, loser: Portrait) -> None:
        crm, survivor = self.ctx.crm, self.entry.survivor
        for ref, lead in crm.leads.get_many(list(loser.leads)).items() if loser.leads else ():
            if (lead.contact if survivor.kind is Kind.CONTACT else lead.company) in (None, loser.ref):
                crm.leads.link(ref, survivor)
                self.brought.append(ref.id)

    def _files(self, loser: Portrait) -> None:
        crm, survivor = self.ctx.crm, self.entry.survivor
        known = crm.files.get_many([ref for ref, _ in loser.files]) if loser.files else {}
        for ref, file in known.items():
            if survivor not in file.cards:
                rest = [card for card in file.cards if card != loser.ref]
                crm.files.update(ref, {"cards": (*rest, survivor)})
                self.brought.append(ref.id)

    def _people(self, loser: Portrait) -> None:
        if not loser.people:
            return
        crm, survivor = self.ctx.crm, self.entry.survivor
        here = cards(crm, [survivor])[survivor]
        present = set() if isinstance(here, Contact) else set(here.contacts)
        if survivor.kind is Kind.DEAL and present:
            return  # a deal may have one person only: whoever is there stays
        for person in loser.people:
            known = crm.contacts.get_many([person]).get(person)
            if known is None or person in present:
                continue
            if survivor.kind is Kind.DEAL:
                crm.deals.link(survivor, person)
            elif known.company in (None, loser.ref):
                crm.contacts.link(person, survivor)
            self.brought.append(person.id)

    def _unwritable(self, title: str, value: object, refusal: CrmKitError) -> None:
        self.report.append(self._say("unwritable", title=title, value=value, text=refusal.message))

    def _say(self, key: str, **values: object) -> str:
        return say(self.ctx.language, key, **values)


def _port(ctx: Context[Any], ref: Ref) -> Any:
    return port(ctx.crm, ref.kind)


def _numbers(phones: Sequence[Phone], country: str) -> list[str]:
    return sorted(key for phone in phones for key in phone_keys(phone, country))


def _lacks(have: Native | None, value: Json, *, is_ours: bool) -> bool:
    """The survivor has not got the value; what it had before the merge may have been changed by somebody since."""
    if have is None or not is_ours:
        return have is None
    if not have.is_many or not isinstance(value, list):
        return have.value != value
    present = have.value if isinstance(have.value, list | tuple) else (have.value,)
    return any(item not in present for item in value)
