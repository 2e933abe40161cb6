"""Merging: the journal first, then the survivor's fields, then the CRM, then whatever did not come along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from crmkit.adapter import Capability, Level
from crmkit.errors import Conflict, CrmKitError, NotFound, Rejected, Unsupported
from crmkit.extension import Context
from crmkit.models import Deal, Note
from crmkit.values import Ref
from crmkit_dedup.journal import BusyError, Entry, Journal, State
from crmkit_dedup.merging.arrival import Arrival
from crmkit_dedup.merging.outcome import Fate, Outcome, outcome, staff_and_firms
from crmkit_dedup.merging.portrait import Portrait, cards, port
from crmkit_dedup.merging.restore import Restoring
from crmkit_dedup.merging.strays import strayed
from crmkit_dedup.merging.words import listed, say, title_of
from crmkit_dedup.preview import Excluded, Objection, Preview, preview, too_many
from crmkit_dedup.survivor import MergeRules


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of a merge: its entry unless something spoke against it, and what to tell people."""

    entry: Entry | None
    lines: tuple[str, ...]
    objections: tuple[Objection, ...] = ()

    @property
    def is_done(self) -> bool:
        """The records are one now, or will be once the plan is applied."""
        return self.entry is not None and self.entry.state in (State.DONE, State.PLANNED)


def merge(
    ctx: Context[Any],
    refs: Sequence[Ref],
    rules: MergeRules,
    *,
    survivor: Ref | None = None,
    why: str = "",
    excluded: Excluded | None = None,
    is_forced: bool = False,
) -> Merged:
    """Merge records of one kind, or go on with a merge of exactly these that was broken off.

    `is_forced` does it whatever speaks against it but another merge. In plan mode all writes are planned, and the entry
    is kept as planned. Each write happens once, however often this is called again after a fault.

    Raises what the CRM raises, NotFound for a record that is gone, ValueError for fewer than two records.
    """
    journal = Journal(ctx.store)
    entry = None if ctx.is_plan else journal.open_of(list(dict.fromkeys(refs)))
    if entry is None:
        taken = _taken(ctx, journal, refs)
        if taken is not None:
            return taken
        if not is_forced and (against := too_many(refs, rules)):
            return Merged(None, tuple(_objection(ctx, one) for one in against), tuple(against))
        seen = preview(ctx.crm, refs, rules, survivor=survivor, excluded=excluded)
        if seen.objections and not is_forced:
            return Merged(None, tuple(seen.lines(ctx.language)), seen.objections)
        try:
            entry = _begun(ctx, journal, seen, why)
        except BusyError as busy:
            objection = Objection("busy", busy.ref.id, busy.merge_id)
            return Merged(None, (_objection(ctx, objection),), (objection,))
    return _Merging(ctx, journal, entry, rules).run()


def resume(ctx: Context[Any], rules: MergeRules) -> list[Merged]:
    """Go on with every merge that was begun and not ended, and fetch what has come to losers that live on since.

    Nothing is done in plan mode: what was planned is gone on with by applying it.
    """
    journal = Journal(ctx.store)
    if ctx.is_plan:
        return []
    done: list[Merged] = []
    for entry in journal.begun():
        try:
            done.append(_Merging(ctx, journal, entry, rules).run())
        except (Conflict, NotFound, Rejected) as error:
            # One that cannot be ended now must not hold up the others.
            ctx.explain(f"{entry.id}: {error}")
    return done + [_Merging(ctx, journal, entry, rules).again() for entry in strayed(ctx, journal)]


def arrive(ctx: Context[Any], survivor: Ref, loser: Ref, rules: MergeRules) -> Merged | None:
    """End a planned merge once its plan was applied: bring what did not come along; None when there is none.

    For the handler of ContactMerged, CompanyMerged and DealMerged, with `own=True`.
    """
    journal = Journal(ctx.store)
    entry = next((one for one in journal.planned(survivor) if loser in one.losers), None)
    return _Merging(ctx, journal, entry, rules).arrived() if entry is not None else None


def _taken(ctx: Context[Any], journal: Journal, refs: Sequence[Ref]) -> Merged | None:
    """A record that another one has taken in already, though the CRM still has it, is merged no second time."""
    standing = ((ref, journal.of_loser(ref)) for ref in refs)
    said = [Objection("merged", ref.id, entry.id) for ref, entry in standing if entry is not None]
    return Merged(None, tuple(_objection(ctx, one) for one in said), tuple(said)) if said else None


def _objection(ctx: Context[Any], objection: Objection) -> str:
    return say(ctx.language, "objection", text=objection.text(ctx.language))


def _begun(ctx: Context[Any], journal: Journal, seen: Preview, why: str) -> Entry:
    begin = journal.plan if ctx.is_plan else journal.begin
    return begin(seen.survivor, seen.losers, ctx.now, why=why)


@dataclass(slots=True)
class _Merging:
    """One merge that is under way."""

    ctx: Context[Any]
    journal: Journal
    entry: Entry
    rules: MergeRules
    unwritten: list[str] = field(default_factory=list)

    def run(self) -> Merged:
        """Do the merge, or what is left of it."""
        made = self._outcome()
        survivor = cards(self.ctx.crm, [self.entry.survivor]).get(self.entry.survivor)
        if survivor is None:
            return self._bereft()
        extra = {"technique": "ours"} if isinstance(survivor, Deal) else None
        try:
            self._write_fields(made, survivor)
            # Two runs may have come to merge the same records: one of them does, the other waits for it.
            once = f"merge:{self.entry.id}:merge"
            port(self.ctx.crm, self.entry.kind).merge(self.entry.survivor, self.entry.losers, once=once, extra=extra)
        except (Conflict, Rejected, Unsupported) as refusal:
            if isinstance(refusal, Conflict) and refusal.vendor is None:
                raise  # not the CRM's word: another run is just doing the same
            return self._refused(refusal)
        self._note(made)
        return self._ended(State.PLANNED, "planned", []) if self.ctx.is_plan else self._arrived(made)

    def arrived(self) -> Merged:
        """Bring what did not come along with a merge that the CRM has done."""
        return self._arrived(self._outcome())

    def again(self) -> Merged:
        """Fetch what people have put on losers that live on; it stands on both from then on."""
        port(self.ctx.crm, self.entry.kind).merge(self.entry.survivor, self.entry.losers)
        return self._arrived(self._outcome())

    def _arrived(self, made: Outcome) -> Merged:
        arrival, marked = Arrival(self.ctx, self.entry, made), self.entry.after
        settled = arrival.settle()
        # What people do to a loser later is theirs: it is told from our marks by how we left it the first time.
        left = {ref: one for ref, one in marked.items() if ref != self.entry.survivor and ref in settled.after}
        seen = {ref: one.print for ref, one in settled.after.items() if ref != self.entry.survivor}
        self.entry = replace(settled, after={**settled.after, **left}, seen=seen)
        return self._ended(State.DONE, "done", [*self.unwritten, *arrival.report])

    def _outcome(self) -> Outcome:
        """The outcome, the same on every attempt: made of the portraits in the journal."""
        before, ctx = self.entry.before, self.ctx
        losers: list[Portrait] = [before[ref] for ref in self.entry.losers]
        staff = staff_and_firms(ctx.crm, before.values())
        return outcome(before[self.entry.survivor], losers, self.rules, ctx.account.country, staff)

    def _write_fields(self, made: Outcome, survivor: Any) -> None:
        """Whatever the losers have besides stands on the survivor before any of them is touched."""
        crm = self.ctx.crm
        values = dict(made.values)
        if crm.supports(Capability.TAGS) is Level.ABSENT:
            values.pop("add_tags", None)
        extra = crm.native_extra(self.entry.kind, made.natives, on=survivor) if made.natives else {}
        if not values and not extra:
            return
        cards_port: Any = port(crm, self.entry.kind)
        try:
            cards_port.update(self.entry.survivor, values, once=f"merge:{self.entry.id}:fields", extra=extra)
        except Rejected:
            if not extra:
                raise
            self._write_singly(made, values, survivor)

    def _write_singly(self, made: Outcome, values: Mapping[str, Any], survivor: Any) -> None:
        """One field that the CRM will not take must not hold up the others; its value goes into the note."""
        crm = self.ctx.crm
        cards_port: Any = port(crm, self.entry.kind)
        if values:
            cards_port.update(self.entry.survivor, values)
        for name, value in list(made.natives.items()):
            try:
                cards_port.update(
                    self.entry.survivor, {}, extra=crm.native_extra(self.entry.kind, {name: value}, on=survivor)
                )
            except Rejected as refusal:
                del made.natives[name]
                made.changes[:] = [
                    replace(change, fate=Fate.LEFT) if change.name == name else change for change in made.changes
                ]
                self.unwritten.append(self._say("unwritable", title=name, value=value, text=refusal.message))

    def _note(self, made: Outcome) -> None:
        """Values that found no place are not lost: they stand in a remark on the survivor."""
        left = [change for change in made.changes if change.fate is Fate.LEFT]
        if not self.rules.note or not left or self.ctx.crm.supports(Capability.NOTES) is Level.ABSENT:
            return
        lines: list[str] = []
        for loser in self.entry.losers:
            own = [change for change in left if change.source == loser]
            if own:
                lines.append(self._say("note_head", merge=self.entry.id, id=loser.id))
            for change in own:
                title = title_of(self.ctx.language, change)
                lines.append(self._say("note_line", title=title, value=change.after))
        draft = Note(about=self.entry.survivor, text="\n".join(lines))
        made_note = self.ctx.crm.notes.create(draft, once=f"merge:{self.entry.id}:note")
        self.entry = replace(self.entry, note=made_note)
        self.journal.put(self.entry)

    def _refused(self, refusal: CrmKitError) -> Merged:
        """The CRM will not: the records are put back as they were, as far as we have changed them."""
        if not self.ctx.is_plan:
            Restoring(self.ctx, self.entry).put_back()
        return self._ended(State.REFUSED, "conflict", [], text=str(refusal))

    def _bereft(self) -> Merged:
        """Somebody has deleted the survivor: losers that are there stay as they were, others wait for an undo."""
        alive = cards(self.ctx.crm, self.entry.losers)
        if alive and not self.ctx.is_plan:
            Restoring(self.ctx, self.entry).put_back()
        state = State.REFUSED if alive else State.DONE
        return self._ended(state, "bereft", [])

    def _ended(self, state: State, key: str, report: Sequence[str], **values: object) -> Merged:
        losers = listed([ref.id for ref in self.entry.losers])
        head = self._say(key, merge=self.entry.id, losers=losers, survivor=self.entry.survivor.id, **values)
        lines = (head, *report)
        self.entry = replace(self.entry, state=state, report=lines)
        self.journal.finish(self.entry)
        for line in lines:
            self.ctx.explain(line)
        return Merged(self.entry, lines)

    def _say(self, key: str, **values: object) -> str:
        return say(self.ctx.language, key, **values)
