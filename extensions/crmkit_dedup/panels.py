"""The pages of the console: the queue with what may be done about each duplicate, and the journal of merges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar

from crmkit.errors import ConfigError, Conflict
from crmkit.models import RECORDS, Record
from crmkit.panel import PanelData, Row, View
from crmkit.values import Ref
from crmkit_dedup.decisions import exclude, finding_of, put_off
from crmkit_dedup.findings import Finding, Findings, Waiting
from crmkit_dedup.journal import Entry, Journal, State
from crmkit_dedup.policy import Ctx, in_turn, merge_of, said_against, words_of
from crmkit_dedup.preview import preview, too_many
from crmkit_dedup.texts import Words
from crmkit_dedup.undo import undo

R = TypeVar("R", Finding, Entry)

PAGE = 50
"""Rows that a page shows at a time."""

NAMED = 4
"""Records that a row of the queue names; the others are told when it is opened."""

ACTIONS: Mapping[str, str] = {
    "merge": "merge",
    "merge_sure": "merge_sure",
    "exclude": "exclude",
    "later": "postpone",
}
"""Actions of the queue, with the key of the text on the button."""


def queue(ctx: Ctx, view: View) -> PanelData:
    """The duplicates that wait, the surest first; those put off are left out until their day."""
    words, findings = words_of(ctx), Findings(ctx.store)
    if view.key:
        shown, following = [found for found in (findings.get(view.key),) if found is not None], ""
    else:
        shown, following = _part(findings.waiting(ctx.now, after=view.after))
    return PanelData(
        columns=[words.say(name) for name in ("records", "how_sure", "reasons", "since", "state")],
        rows=rows_of(ctx, shown),
        actions={name: words.say(text) for name, text in ACTIONS.items()},
        summary=summary_of(ctx, findings.count(ctx.now)),
        next=following,
    )


def summary_of(ctx: Ctx, waiting: Waiting) -> str:
    """How many wait, in words."""
    words = words_of(ctx)
    return words.say("queue_size", count=waiting.all, auto=waiting.sure) if waiting.all else words.say("empty")


def rows_of(ctx: Ctx, findings: Sequence[Finding]) -> list[Row]:
    """The findings as lines of the queue; all their records are read in one look."""
    copies: dict[Ref, Record] = {}
    for kind in {found.kind for found in findings}:
        refs = [ref for found in findings if found.kind is kind for ref in found.refs(ctx.account.key)]
        copies |= ctx.mirror.get_many(RECORDS[kind], refs)
    return [_row(ctx, found, copies) for found in findings]


def act(ctx: Ctx, action: str, key: str) -> None:
    """Do what a person has decided about a finding. Raises NotFound when it was settled meanwhile."""
    words, finding = words_of(ctx), finding_of(ctx, key)
    ids = ", ".join(finding.ids)
    if action == "exclude":
        exclude(ctx, finding.refs(ctx.account.key), by="console")
        ctx.explain(words.say("excluded", ids=ids))
    elif action == "later":
        ctx.explain(words.say("later", until=words.time(put_off(ctx, finding)), ids=ids))
    elif action in ("merge", "merge_sure"):
        _merge(ctx, finding, finding.ids if action == "merge" else finding.sure)
    else:
        raise ConfigError(words.say("no_action", name=action), remedy=words.say("actions", names=", ".join(ACTIONS)))


def open_finding(ctx: Ctx, key: str) -> Sequence[str]:
    """What merging the finding's records would do, field by field; asks the CRM for them, but not for thousands."""
    finding = finding_of(ctx, key)
    if against := too_many(finding.refs(ctx.account.key), ctx.settings.merge):
        return [one.text(ctx.language) for one in against]
    return preview(ctx.crm, finding.refs(ctx.account.key), ctx.settings.merge).lines(ctx.language)


def journal(ctx: Ctx, view: View) -> PanelData:
    """The merges, the latest first, each with what was said of it."""
    words, merges = words_of(ctx), Journal(ctx.store)
    if view.key:
        shown, following = [entry for entry in (merges.get(view.key),) if entry is not None], ""
    else:
        shown, following = _part(merges.latest(after=view.after))
    return PanelData(
        columns=[words.say(name) for name in ("kind", "records", "reasons", "when", "state")],
        rows=[_merge_row(words, entry) for entry in shown],
        actions={"undo": words.say("undo")},
        summary=words.say("merges", count=merges.count()),
        next=following,
    )


def _merge_row(words: Words, entry: Entry) -> Row:
    cells = (
        words.kind(entry.kind),
        f"{entry.survivor.id} ← {', '.join(ref.id for ref in entry.losers)}",
        entry.why,
        words.time(entry.at),
        words.say(f"state_{entry.state.value}"),
    )
    return Row(entry.id, cells, entry.report, ("undo",) if entry.state in (State.DONE, State.UNDOING) else ())


def act_on_journal(ctx: Ctx, action: str, key: str) -> None:
    """Take a merge back. Raises Conflict with the reason when it cannot be."""
    if action != "undo":
        words = words_of(ctx)
        raise ConfigError(words.say("no_action", name=action), remedy=words.say("actions", names="undo"))
    undone = undo(ctx, key)
    if not undone.is_done:
        raise Conflict("; ".join(undone.lines), account=ctx.account.key, remedy=words_of(ctx).say("see_journal"))


def _merge(ctx: Ctx, finding: Finding, ids: Sequence[str]) -> None:
    merged = merge_of(ctx, finding, ids)
    if merged.entry is None or not merged.is_done:
        raise Conflict(
            said_against(ctx, merged),
            account=ctx.account.key,
            remedy=words_of(ctx).say("force", names=" ".join(f"{finding.kind.value}:{id_}" for id_ in ids)),
        )
    if merged.entry.state is State.DONE:
        Findings(ctx.store).without(finding, {loser.id for loser in merged.entry.losers})


def _part(ranked: Iterator[R]) -> tuple[list[R], str]:
    """The first of them, and the rank behind which the others are; empty when there are none."""
    shown = list(islice(ranked, PAGE))
    return shown, shown[-1].rank if shown and next(ranked, None) is not None else ""


def _row(ctx: Ctx, finding: Finding, copies: Mapping[Ref, Record]) -> Row:
    words = words_of(ctx)
    records = in_turn(ctx, [copies[ref] for ref in finding.refs(ctx.account.key) if ref in copies])
    cells = (
        words.names(records, NAMED),
        f"{words.band(finding.band)}, {finding.score:.0f}",
        words.why(finding.reasons),
        words.time(finding.found_at),
        _state(ctx, finding),
    )
    return Row(finding.key, cells, tuple(_detail(ctx, finding, records)), _fitting(finding))


def _fitting(finding: Finding) -> Sequence[str]:
    is_mixed = 1 < len(finding.sure) < len(finding.suspects)
    return [name for name in ACTIONS if name != "merge_sure" or is_mixed]


def _state(ctx: Ctx, finding: Finding) -> str:
    words = words_of(ctx)
    if finding.note:
        return finding.note
    return words.say("waits_task", task=finding.task.id) if finding.task else words.say("queued")


def _detail(ctx: Ctx, finding: Finding, records: Sequence[Record]) -> Iterator[str]:
    words, known = words_of(ctx), {record.ref.id: record for record in records}
    for suspect in finding.suspects:
        record = known.get(suspect.id)
        name = words.name(record) if record else suspect.id
        link = f" {record.url}" if record and record.url else ""
        yield f"{name}: {words.band(suspect.band)}, {suspect.score:.0f}; {words.why(suspect.reasons)}{link}"
