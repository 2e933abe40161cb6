"""The live check: a record that was made or changed is looked at while the person who did it still remembers."""

from __future__ import annotations

from crmkit.events import (
    CompanyCreated,
    CompanyDeleted,
    CompanyMerged,
    CompanyUpdated,
    ContactCreated,
    ContactDeleted,
    ContactMerged,
    ContactUpdated,
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

Appeared = ContactCreated | CompanyCreated
Changed = ContactUpdated | CompanyUpdated
Vanished = ContactDeleted | CompanyDeleted | ContactMerged | CompanyMerged

BOOKS = {Kind.CONTACT: "contacts", Kind.COMPANY: "companies", Kind.DEAL: "deals"}
"""What the settings call a kind."""


def appeared(event: Appeared, ctx: Ctx, *, is_own: bool) -> None:
    """Put a new record into the index and look who it is."""
    record = event.contact if isinstance(event, ContactCreated) else event.company
    _weigh(record, ctx, is_own=is_own)


def changed(event: Changed, ctx: Ctx, *, is_own: bool) -> None:
    """Look again when something has changed that is compared."""
    record: Record = event.contact if isinstance(event, ContactUpdated) else event.company
    sight = _sight(record.ref.kind, ctx)
    if sight is not None and event.before is not None and sight.fields.isdisjoint(event.changed):
        ctx.skip(words_of(ctx).say("same"))
        return
    _weigh(record, ctx, is_own=is_own)


def vanished(event: Vanished, ctx: Ctx) -> None:
    """Forget a record that is gone; the survivor of a merge has more to be found by.

    A merge that was planned is ended once its plan was applied: whatever did not come along is brought.
    """
    merged = isinstance(event, ContactMerged | CompanyMerged)
    gone: Ref = event.loser if isinstance(event, ContactMerged | CompanyMerged) else event.ref
    ctx.index.put(gone, ())
    findings = Findings(ctx.store)
    finding = findings.of(gone.kind, gone.id)
    if finding is not None:
        findings.without(finding, {gone.id})
    survivor = _copy(event.ref, ctx) if merged else None
    sight = _sight(event.ref.kind, ctx)
    if survivor is not None and sight is not None:
        ctx.index.put(survivor.ref, sight.keys(sight.profile(survivor)))
    if merged and arrive(ctx, gone, ctx.settings.merge) is not None:
        return
    ctx.skip(words_of(ctx).say("gone"))


def desk_of(ctx: Ctx, kind: Kind) -> Desk:
    """What a look in this account goes by."""
    return Desk(ctx.index, ctx.mirror, Exclusions(ctx.store), learned(ctx.store, kind))


def _weigh(record: Record, ctx: Ctx, *, is_own: bool) -> None:
    words, sight = words_of(ctx), _sight(record.ref.kind, ctx)
    if sight is None:
        ctx.skip(words.say("off"))
        return
    if Journal(ctx.store).of_loser(record.ref) is not None:
        # Where the CRM cannot merge, the other card lives on: it is no news that it looks like its survivor.
        ctx.index.put(record.ref, ())
        ctx.skip(words.say("taken_in"))
        return
    # First put, then look: of two records made at one moment the later run finds the other.
    own = sight.profile(record)
    ctx.index.put(record.ref, sight.keys(own))
    if is_own:
        ctx.skip(words.say("own"))
        return
    if own.junk:
        ctx.skip(words.say("junk", why=words.reason(Reason(own.junk, 0.0))))
        return
    look = look_around(sight, record.ref, own, desk_of(ctx, record.ref.kind))
    if look.cluster is None:
        ctx.skip(words.say("apart") if look.is_apart else words.say("unique", count=look.compared))
        return
    _report(record, look.cluster, ctx)


def _report(record: Record, cluster: Cluster, ctx: Ctx) -> None:
    words = words_of(ctx)
    finding = Findings(ctx.store).meet(record.ref.kind, cluster, by="event", now=ctx.now)
    ids, why = ", ".join(finding.ids), words.why(finding.reasons)
    ctx.explain(words.say("found", band=words.band(finding.band), ids=ids, why=why))
    deeds = Deeds(ctx)
    deeds.act(finding)
    for said in deeds.said:
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
