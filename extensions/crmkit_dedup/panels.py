"""The pages of the console: the queue with what may be done about each duplicate, and the journal of merges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from crmkit.errors import ConfigError, Conflict
from crmkit.models import Record
from crmkit.panel import PanelData, Row
from crmkit_dedup.decisions import exclude, finding_of, put_off
from crmkit_dedup.findings import Finding, Findings
from crmkit_dedup.journal import Journal, State
from crmkit_dedup.policy import Ctx, merge_of, records_of, said_against, words_of
from crmkit_dedup.preview import preview
from crmkit_dedup.undo import undo

MOST = 200
"""Findings that a page shows; the others come up as these are settled."""

ACTIONS: Mapping[str, str] = {
    "merge": "merge",
    "merge_sure": "merge_sure",
    "exclude": "exclude",
    "later": "postpone",
}
"""Actions of the queue, with the key of the text on the button."""


def queue(ctx: Ctx) -> PanelData:
    """The duplicates that wait, the surest first; those put off are left out until their day."""
    words = words_of(ctx)
    findings = Findings(ctx.store)
    waiting = [brief for brief in findings.briefs() if not brief.is_put_off(ctx.now)]
    shown = [found for brief in waiting[:MOST] if (found := findings.get(brief.key)) is not None]
    sure = sum(not brief.is_doubtful for brief in waiting)
    return PanelData(
        columns=[words.say(name) for name in ("records", "how_sure", "reasons", "since", "state")],
        rows=[_row(ctx, found) for found in shown],
        actions={name: words.say(text) for name, text in ACTIONS.items()},
        summary=words.say("queue_size", count=len(waiting), auto=sure) if waiting else words.say("empty"),
    )


def act(ctx: Ctx, action: str, key: str) -> None:
    """Do what a person has decided about a finding. Raises NotFound when it was settled meanwhile."""
    finding = finding_of(ctx, key)
    if action == "exclude":
        exclude(ctx, finding.refs(ctx.account.key), by="console")
    elif action == "later":
        put_off(ctx, finding)
    elif action in ("merge", "merge_sure"):
        _merge(ctx, finding, finding.ids if action == "merge" else finding.sure)
    else:
        raise ConfigError(f"the queue has no action {action!r}", remedy=f"It has: {', '.join(ACTIONS)}.")


def open_finding(ctx: Ctx, key: str) -> Sequence[str]:
    """What merging the finding's records would do, field by field; asks the CRM for them."""
    finding = finding_of(ctx, key)
    return preview(ctx.crm, finding.refs(ctx.account.key), ctx.settings.merge).lines(ctx.language)


def journal(ctx: Ctx) -> PanelData:
    """The merges, the latest first, each with what was said of it."""
    words = words_of(ctx)
    entries = sorted(Journal(ctx.store).entries(), key=lambda entry: entry.at, reverse=True)
    rows = [
        Row(
            entry.id,
            (
                words.kind(entry.kind),
                f"{entry.survivor.id} ← {', '.join(ref.id for ref in entry.losers)}",
                entry.why,
                words.time(entry.at),
                words.say(f"state_{entry.state.value}"),
            ),
            entry.report,
            ("undo",) if entry.state in (State.DONE, State.UNDOING) else (),
        )
        for entry in entries[:MOST]
    ]
    return PanelData(
        columns=[words.say(name) for name in ("kind", "records", "reasons", "when", "state")],
        rows=rows,
        actions={"undo": words.say("undo")},
        summary=words.say("merges", count=len(entries)),
    )


def act_on_journal(ctx: Ctx, action: str, key: str) -> None:
    """Take a merge back. Raises Conflict with the reason when it cannot be."""
    if action != "undo":
        raise ConfigError(f"the journal has no action {action!r}", remedy="It has: undo.")
    undone = undo(ctx, key)
    if not undone.is_done:
        raise Conflict("; ".join(undone.lines), account=ctx.account.key, remedy="See `crmkit ext dedup journal`.")


def _merge(ctx: Ctx, finding: Finding, ids: Sequence[str]) -> None:
    merged = merge_of(ctx, finding, ids)
    if merged.entry is None or not merged.is_done:
        raise Conflict(
            said_against(ctx, merged),
            account=ctx.account.key,
            remedy="`crmkit ext dedup merge` with --force does it all the same.",
        )
    if merged.entry.state is State.DONE:
        Findings(ctx.store).without(finding, {loser.id for loser in merged.entry.losers})


def _row(ctx: Ctx, finding: Finding) -> Row:
    words = words_of(ctx)
    records = records_of(ctx, finding)
    cells = (
        " + ".join(words.name(record) for record in records),
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
    words = words_of(ctx)
    for suspect in finding.suspects:
        record = next((one for one in records if one.ref.id == suspect.id), None)
        name = words.name(record) if record else suspect.id
        link = f" {record.url}" if record and record.url else ""
        yield f"{name}: {words.band(suspect.band)}, {suspect.score:.0f}; {words.why(suspect.reasons)}{link}"
