"""Taking a merge back: losers are made anew, all gets its fields and links again, and what cannot return is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from crmkit.extension import Context
from crmkit.values import Ref
from crmkit_dedup.exclusions import Exclusions, Seen
from crmkit_dedup.journal import BusyError, Entry, Journal, State
from crmkit_dedup.merging.anew import Renewal
from crmkit_dedup.merging.portrait import Portrait, cards, port
from crmkit_dedup.merging.restore import Restoring
from crmkit_dedup.merging.returning import Returning
from crmkit_dedup.merging.words import listed, say


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


class _Steps(NamedTuple):
    """What an undo is made of; all write into one report."""

    restoring: Restoring
    renewal: Renewal
    returning: Returning


@dataclass(slots=True)
class _Undoing:
    """One merge that is being taken back."""

    ctx: Context[Any]
    journal: Journal
    entry: Entry
    is_forced: bool
    report: list[str] = field(default_factory=list)

    def run(self) -> Undone:
        """Do it, or what is left of it."""
        entry = self.entry
        alive = cards(self.ctx.crm, [loser for loser in entry.losers if loser not in entry.anew])
        if entry.state is State.PLANNED and not self._took_place(alive):
            self.journal.release(entry)
            return Undone(False, (self._say("never_done", merge=entry.id),))
        if not self.ctx.is_plan:
            self._keep(replace(entry, state=State.UNDOING))
        steps = _Steps(
            Restoring(self.ctx, entry, self.is_forced, self.report),
            Renewal(self.ctx, entry, self.report),
            Returning(self.ctx, entry, self.report),
        )
        steps.restoring.record(entry.survivor, entry.before[entry.survivor], entry.after.get(entry.survivor))
        for loser in entry.losers:
            self._loser(loser, loser in alive, steps)
        steps.returning.note()
        return self._ended(steps.returning.back)

    def _took_place(self, alive: Any) -> bool:
        """A planned merge was applied: its losers are gone, or marked."""
        return all(
            loser not in alive or set(alive[loser].tags) > set(self.entry.before[loser].record.tags)
            for loser in self.entry.losers
        )

    def _loser(self, loser: Ref, is_alive: bool, steps: _Steps) -> None:
        was = self.entry.before[loser]
        if is_alive:
            steps.restoring.record(loser, was, self.entry.after.get(loser))
        new = loser if is_alive else self._made_anew(was, steps.renewal)
        self._readdress(loser, new)
        steps.returning.links(was, new)
        if not is_alive:
            steps.returning.rest(was, new)
            steps.renewal.lost(was, new)
            return
        self.report.append(self._say("alive", old=loser.id))
        if was.notes or was.calls:
            copies = listed([note.ref.id for note in was.notes] + [call.id for call in was.calls])
            line = self._say("copies", id=self.entry.survivor.id, what=copies)
            self.report.append(self._say("cannot", what=line))

    def _made_anew(self, was: Portrait, renewal: Renewal) -> Ref:
        known = self.entry.anew.get(was.ref)
        if known is not None:
            return known
        new = renewal.make(was)
        renewal.name(was, new)
        self._keep(replace(self.entry, anew={**self.entry.anew, was.ref: new}))
        self.report.append(self._say("anew", old=was.ref.id, new=new.id))
        return new

    def _readdress(self, loser: Ref, new: Ref) -> None:
        """Whoever listens, and what was merged into the loser before, goes by the new address."""
        cards_port = port(self.ctx.crm, loser.kind)
        if not self.ctx.is_plan:
            self.journal.free(loser)
        cards_port.readdress(loser, new)
        for earlier in self.journal.into(loser):
            for older in earlier.losers:
                cards_port.readdress(older, new)
        if new != loser and not self.ctx.is_plan:
            self.journal.renew(loser, new)

    def _ended(self, moved: Sequence[str]) -> Undone:
        head = self._say("undo_planned" if self.ctx.is_plan else "undo_head", merge=self.entry.id)
        back = [self._say("back", what=listed(moved))] if moved else []
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
