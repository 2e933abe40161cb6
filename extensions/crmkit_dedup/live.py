"""The live check: a record that was made or changed is looked at while the person who did it still remembers."""

from __future__ import annotations

from typing import Any

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
)
from crmkit.models import Record
from crmkit.values import Kind, Ref
from crmkit_dedup.exclusions import Exclusions
from crmkit_dedup.findings import Findings
from crmkit_dedup.journal import Journal
from crmkit_dedup.learned import learned
from crmkit_dedup.match import Cluster, Reason
from crmkit_dedup.merging.merge import arrive
from crmkit_dedup.neighbours import Desk, look_around
from crmkit_dedup.policy import Ctx, Deeds, words_of
from crmkit_dedup.sights import LIVE_KINDS, AnySight, sight_of

AnyMerged = ContactMerged | CompanyMerged | DealMerged
Appeared = ContactCreated | CompanyCreated
Changed = ContactUpdated | CompanyUpdated
Vanished = ContactDeleted | CompanyDeleted | DealDeleted | AnyMerged

BOOKS = {Kind.CONTACT: "contacts", Kind.COMPANY: "companies", Kind.DEAL: "deals"}
"""What the settings call a kind."""


def appeared(event: Appeared, ctx: Ctx, *, is_own: bool) -> None:
    """Put a new record into the index and look who it is."""
    record = event.contact if isinstance(event, ContactCreated) else event.company
    _weigh(record, event.ref, ctx, is_own=is_own)


def changed(event: Changed, ctx: Ctx, *, is_own: bool) -> None:
    """Look again when something has changed that is compared."""
    record: Record = event.contact if isinstance(event, ContactUpdated) else event.company
    sight = _sight(record.ref.kind, ctx)
    is_same = sight is not None and event.before is not None and sight.fields.isdisjoint(event.changed)
    _weigh(record, event.ref, ctx, is_own=is_own, is_same=is_same)


def vanished(event: Vanished, ctx: Ctx) -> None:
    """Forget a record that is gone; the survivor of a merge has more to be found by.

    A merge that was planned is ended once its plan was applied: whatever did not come along is brought.
    """
    gone = event.loser if isinstance(event, AnyMerged) else event.ref
    if gone.kind in LIVE_KINDS:
        ctx.index.put(gone, ())
    _leave(gone, ctx)
    if isinstance(event, AnyMerged) and _arrived(event, ctx):
        return
    ctx.skip(words_of(ctx).say("gone"))


def _arrived(event: AnyMerged, ctx: Ctx) -> bool:
    """Find the survivor by all that it has now; whether a plan was ended by it."""
    survivor, sight = _copy(event.ref, ctx), _sight(event.ref.kind, ctx)
    if survivor is not None and sight is not None:
        ctx.index.put(survivor.ref, sight.keys(sight.profile(survivor)))
    is_known = Journal(ctx.store).of_loser(event.loser) is not None
    return not is_known and arrive(ctx, event.ref, event.loser, ctx.settings.merge) is not None


def desk_of(ctx: Ctx, kind: Kind) -> Desk:
    """What a look in this account goes by."""
    return Desk(ctx.index, ctx.mirror, Exclusions(ctx.store), learned(ctx.store, kind))


def _weigh(record: Record, subject: Ref, ctx: Ctx, *, is_own: bool, is_same: bool = False) -> None:
    sight = _sight(record.ref.kind, ctx)
    own = sight.profile(record) if sight is not None else None
    # An event that was waiting while its record was merged comes in the name of the survivor.
    is_taken_in = record.ref != subject or Journal(ctx.store).of_loser(record.ref) is not None
    if sight is not None:
        # First put, then look: of two records made at one moment the later run finds the other. Where the CRM cannot
        # merge, the card that was merged lives on: it is no news that it looks like its survivor.
        ctx.index.put(record.ref, () if is_taken_in else sight.keys(own))
    why = _why_not(own, ctx, is_own=is_own, is_same=is_same, is_taken_in=is_taken_in)
    if sight is None or why:
        ctx.skip(why)
        return
    words, look = words_of(ctx), look_around(sight, record.ref, own, desk_of(ctx, record.ref.kind))
    if look.cluster is None:
        _leave(record.ref, ctx)
        ctx.skip(words.say("apart") if look.is_apart else words.say("unique", count=look.compared))
        return
    _report(record, look.cluster, ctx)


def _why_not(own: Any, ctx: Ctx, *, is_own: bool, is_same: bool, is_taken_in: bool) -> str:
    """Why nobody looks; empty when somebody should."""
    words = words_of(ctx)
    if own is None:
        return words.say("off")
    if is_taken_in or is_own or is_same:
        return words.say("taken_in" if is_taken_in else "own" if is_own else "same")
    return words.say("junk", why=words.reason(Reason(own.junk, 0.0))) if own.junk else ""


def _leave(ref: Ref, ctx: Ctx) -> None:
    """Take a record out of the finding it is in: it is gone, or like nobody any more."""
    findings = Findings(ctx.store)
    finding = findings.of(ref.kind, ref.id)
    if finding is not None:
        findings.without(finding, {ref.id})


def _report(record: Record, cluster: Cluster, ctx: Ctx) -> None:
    words = words_of(ctx)
    finding = Findings(ctx.store).meet(record.ref.kind, cluster, by="event", now=ctx.now)
    ids, why = ", ".join(finding.ids), words.why(finding.reasons)
    ctx.explain(words.say("found", band=words.band(finding.band), ids=ids, why=why))
    deeds = Deeds(ctx)
    deeds.act(finding)
    for said in deeds.said:
        if said not in ctx.decisions.reasons:
            ctx.explain(said)


def _sight(kind: Kind, ctx: Ctx) -> AnySight | None:
    """How records of the kind are looked at; None when the operator wants none of it."""
    if not ctx.settings.live or kind not in LIVE_KINDS or BOOKS[kind] not in ctx.settings.kinds:
        return None
    return sight_of(kind, ctx.account.country, ctx.settings.own_phones)


def _copy(ref: Ref, ctx: Ctx) -> Record | None:
    sight = _sight(ref.kind, ctx)
    if sight is None:
        return None
    found: Record | None = ctx.mirror.get(sight.record, ref)
    return found
