"""dedup: duplicates are found as they come and by scans, shown with their reasons, and dealt with by policy."""

from __future__ import annotations

from crmkit.adapter import Capability
from crmkit.events import (
    CompanyCreated,
    CompanyDeleted,
    CompanyMerged,
    CompanyUpdated,
    ContactCreated,
    ContactDeleted,
    ContactMerged,
    ContactUpdated,
    DealDeleted,
    DealMerged,
    Event,
)
from crmkit.extension import Extension
from crmkit.values import Kind
from crmkit_dedup import live, panels
from crmkit_dedup.commands import command_exclude, command_queue, command_scan
from crmkit_dedup.filling import fill
from crmkit_dedup.merging.commands import command_journal, command_merge, command_preview, command_undo
from crmkit_dedup.merging.merge import resume
from crmkit_dedup.policy import Ctx
from crmkit_dedup.settings import DedupSettings
from crmkit_dedup.sweep import Sweep

dedup = Extension(
    "dedup",
    settings=DedupSettings,
    requires={Capability.CONTACTS},
    reads={Kind.COMPANY, Kind.DEAL},
)


def look_at_new(event: ContactCreated | CompanyCreated, ctx: Ctx) -> None:
    """Look who a new record is; what we have made ourselves is only put into the index."""
    live.appeared(event, ctx, is_own=_is_own(event))


def look_at_changed(event: ContactUpdated | CompanyUpdated, ctx: Ctx) -> None:
    """Look again at a record of which something has changed that is compared."""
    live.changed(event, ctx, is_own=_is_own(event))


def forget(event: live.Vanished, ctx: Ctx) -> None:
    """Take a record that is gone out of the index and the queue."""
    live.vanished(event, ctx)


dedup.on(ContactCreated, own=True)(look_at_new)
dedup.on(CompanyCreated, own=True)(look_at_new)
dedup.on(ContactUpdated, own=True)(look_at_changed)
dedup.on(CompanyUpdated, own=True)(look_at_changed)
dedup.on(ContactDeleted, own=True)(forget)
dedup.on(CompanyDeleted, own=True)(forget)
dedup.on(DealDeleted, own=True)(forget)
dedup.on(ContactMerged, own=True)(forget)
dedup.on(CompanyMerged, own=True)(forget)
dedup.on(DealMerged, own=True)(forget)


@dedup.every("*/10 * * * *")
def fill_index(ctx: Ctx) -> None:
    """Put into the index what the first load has brought."""
    for _ in fill(ctx):
        continue


@dedup.every("5-59/10 * * * *")
def end_merges(ctx: Ctx) -> None:
    """Go on with merges that were broken off."""
    for merged in resume(ctx, ctx.settings.merge):
        ctx.explain(merged.lines[0])


@dedup.every(lambda settings: settings.scan, is_heavy=True)
def scan_everything(ctx: Ctx) -> None:
    """Go through everything, as the command does."""
    # Nobody waits for it: the other processors are for those who answer meanwhile.
    for said in Sweep(ctx, workers=1).run():
        if isinstance(said, str):
            ctx.explain(said.strip())


dedup.command(
    "scan",
    "сравнить все записи, обновить очередь, сделать что велено / "
    "compare all records, bring the queue up to date, act by the policy",
)(command_scan)
dedup.command(
    "queue",
    "дубли, которые ждут, с причинами [--all] / the duplicates that wait, with reasons [--all]",
)(command_queue)
dedup.command(
    "preview",
    "что сделало бы объединение: 12 15 / what merging records would do: 12 15",
)(command_preview)
dedup.command(
    "merge",
    "объединить: 12 15 [--survivor 12] [--apply] [--force] / merge: 12 15 [--survivor 12] [--apply] [--force]",
)(command_merge)
dedup.command(
    "undo",
    "отменить объединение: contact-12-1 [--force] / take a merge back: contact-12-1 [--force]",
)(command_undo)
dedup.command(
    "journal",
    "сделанные объединения или одно из них / the merges that were done, or one of them",
)(command_journal)
dedup.command(
    "exclude",
    "больше не предлагать вместе: 12 15 [--undo]; --list / keep records apart: 12 15 [--undo]; --list",
)(command_exclude)

dedup.long_panel("queue", "Дубли / Duplicates", act=panels.act, open_=panels.open_finding)(panels.queue)
dedup.long_panel("journal", "Объединения / Merges", act=panels.act_on_journal)(panels.journal)


def _is_own(event: Event) -> bool:
    return event.cause is not None and event.cause.extension == dedup.name
