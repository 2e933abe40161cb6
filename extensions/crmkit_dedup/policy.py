"""What is done about a finding: by the operator's policy for its band, each thing once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from crmkit.adapter import Capability, Level
from crmkit.errors import NotFound, Rejected
from crmkit.extension import Context
from crmkit.models import RECORDS, Record, Task
from crmkit.values import Kind, Ref
from crmkit_dedup.exclusions import Exclusions
from crmkit_dedup.findings import Finding, Findings, in_order
from crmkit_dedup.journal import State
from crmkit_dedup.match import Band
from crmkit_dedup.merging.merge import Merged, merge
from crmkit_dedup.settings import DedupSettings, SureAct
from crmkit_dedup.texts import SHORT, Words

Ctx = Context[DedupSettings]
T = TypeVar("T")


@dataclass(slots=True)
class Deeds:
    """The policy's part in one run.

    Args:
        most: how many findings the run may write for; None for any number.
        said: what was done, for the record of the run.
        writes: findings for which something was written in the CRM.
    """

    ctx: Ctx
    most: int | None = None
    said: list[str] = field(default_factory=list)
    writes: int = 0

    @property
    def is_spent(self) -> bool:
        """The run has written for as many findings as it may."""
        return self.most is not None and self.writes >= self.most

    def act(self, finding: Finding) -> Finding | None:
        """Do the policy's part for those suspects for whom it was not done; None when that settles the finding.

        Raises what the CRM raises; acting again goes on where it broke off.
        """
        if finding.is_put_off(self.ctx.now):
            self._say("put_off", until=self.words.time(finding.later or self.ctx.now))
            return finding
        if not set(finding.ids).difference(finding.acted):
            self._say("known")
            return finding
        wanted = self._wanted(is_doubtful=finding.band is not Band.AUTO)
        if wanted == "merge" and finding.kind is Kind.DEAL:
            # Two orders entered alike may be two orders: only people tell.
            wanted = "queue"
        deeds: Mapping[str, Callable[[Finding], Finding | None]] = {
            "merge": self._merge,
            "task": self._ask,
            "tag": self._mark,
            "queue": self._leave,
        }
        if wanted != "queue":
            self.writes += 1
        left = deeds[wanted](finding)
        if left is None:
            return None
        done = left.model_copy(update={"acted": left.ids})
        self.findings.save(done)
        return done

    def does_anything(self, is_doubtful: bool) -> bool:
        """The policy for such findings does more than show them."""
        return self._wanted(is_doubtful=is_doubtful) != "queue"

    def _wanted(self, *, is_doubtful: bool) -> SureAct:
        return self.ctx.settings.review if is_doubtful else self.ctx.settings.auto

    @property
    def words(self) -> Words:
        """The words that people read."""
        return words_of(self.ctx)

    @property
    def findings(self) -> Findings:
        """The findings of the account."""
        return Findings(self.ctx.store)

    def _say(self, key: str, **values: str | int) -> None:
        self.said.append(self.words.say(key, **values))

    def _leave(self, finding: Finding) -> Finding:
        self._say("queued")
        return finding

    def _merge(self, finding: Finding) -> Finding | None:
        """Merge those that need no asking; the others, and all when something speaks against it, wait for a person."""
        merged = merge_of(self.ctx, finding, finding.sure)
        self.said += merged.lines if merged.is_done else [said_against(self.ctx, merged)]
        if merged.entry is None or not merged.is_done:
            return finding.model_copy(update={"note": said_against(self.ctx, merged)})
        if merged.entry.state is State.PLANNED:
            return finding.model_copy(update={"note": merged.lines[0]})
        return self.findings.without(finding, {loser.id for loser in merged.entry.losers})

    def _ask(self, finding: Finding) -> Finding:
        """One task a finding: on the card that was there first, for whoever owns it; a longer finding changes it."""
        records = records_of(self.ctx, finding)
        if len(records) < 2:
            return self._leave(finding)
        texts = (self.words.task(finding, records), self.words.short_task(finding, records))
        if finding.task is not None and self._rewrite(finding.task, texts, finding):
            self._say("asked_again")
            return finding
        first = records[0]
        owner = self.ctx.assign("owner", owner_id=first.owner_id).user_id
        draft = Task(about=first.ref, due=self.ctx.now + self.ctx.settings.task_in)
        if owner is not None:
            draft = draft.model_copy(update={"owner_id": owner})
        if self.ctx.settings.task_type:
            draft = draft.model_copy(update={"task_type": self.ctx.settings.task_type})
        once = f"task:{finding.name}:{len(finding.acted)}"
        task = _either(
            lambda text: self.ctx.crm.tasks.create(draft.model_copy(update={"text": text}), once=once), texts
        )
        self._say("asked", owner=owner or "—")
        return finding.model_copy(update={"task": task})

    def _rewrite(self, task: Ref, texts: tuple[str, str], finding: Finding) -> bool:
        """Bring the open task up to date; False when somebody has done or deleted it."""
        once = f"task:{finding.name}:{len(finding.ids)}"
        try:
            if self.ctx.crm.tasks.get(task).is_done:
                return False
            _either(lambda text: self.ctx.crm.tasks.update(task, {"text": text}, once=once), texts)
        except NotFound:
            return False
        return True

    def _mark(self, finding: Finding) -> Finding:
        """Tag those that came later than the first."""
        if finding.kind is Kind.DEAL or self.ctx.crm.supports(Capability.TAGS) is Level.ABSENT:
            self._say("no_tags")
            return finding
        marked = [record.ref for record in records_of(self.ctx, finding)[1:] if record.ref.id not in finding.acted]
        for ref in marked:
            once = f"tag:{finding.name}:{ref.id}"
            if finding.kind is Kind.CONTACT:
                self.ctx.crm.contacts.update(ref, {"add_tags": [self.ctx.settings.tag]}, once=once)
            else:
                self.ctx.crm.companies.update(ref, {"add_tags": [self.ctx.settings.tag]}, once=once)
        self._say("marked", tag=self.ctx.settings.tag, ids=", ".join(ref.id for ref in marked))
        return finding


def merge_of(ctx: Ctx, finding: Finding, ids: Iterable[str]) -> Merged:
    """Merge some of a finding's records, unless something speaks against it; what came of it."""
    exclusions = Exclusions(ctx.store)
    return merge(
        ctx,
        [Ref(ctx.account.key, finding.kind, id_) for id_ in ids],
        ctx.settings.merge,
        why=words_of(ctx).why(finding.reasons),
        excluded=lambda one, other: exclusions.between(one, other) is not None,
    )


def said_against(ctx: Ctx, merged: Merged) -> str:
    """Why records were not merged."""
    against = "; ".join(one.text(ctx.language) for one in merged.objections) or "; ".join(merged.lines)
    return words_of(ctx).say("not_merged", why=against)


def _either(write: Callable[[str], T], texts: tuple[str, str]) -> T:
    """Write with the whole text, or with the short one where the CRM finds it too long."""
    whole, short = texts
    try:
        return write(whole)
    except Rejected:
        if len(whole) <= SHORT:
            raise
        return write(short)


def records_of(ctx: Ctx, finding: Finding) -> list[Record]:
    """Last seen copies of a finding's records, oldest first; those that are gone are left out."""
    return in_turn(ctx, ctx.mirror.get_many(RECORDS[finding.kind], finding.refs(ctx.account.key)).values())


def in_turn(ctx: Ctx, records: Iterable[Record]) -> list[Record]:
    """The records, oldest first."""
    return sorted(records, key=lambda record: (record.created_at or ctx.now, in_order(record.ref.id)))


def words_of(ctx: Ctx) -> Words:
    """The words in the service's language and the time zone of the account's people."""
    return Words(ctx.language, ctx.account.timezone)
