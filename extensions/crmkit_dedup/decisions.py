"""What a person decides about a finding: not a duplicate, later, or let the two be compared again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import combinations

from crmkit.errors import NotFound
from crmkit.models import RECORDS
from crmkit.values import Ref
from crmkit_dedup.exclusions import Exclusions, Seen
from crmkit_dedup.findings import Finding, Findings
from crmkit_dedup.policy import Ctx, words_of
from crmkit_dedup.sights import LIVE_KINDS, sight_of


def exclude(ctx: Ctx, refs: Sequence[Ref], *, by: str) -> None:
    """Keep all of these apart, each from each, until what they are compared by changes.

    Raises NotFound for a record that was never seen or is gone.
    """
    seen = [_seen(ctx, ref) for ref in dict.fromkeys(refs)]
    exclusions, findings = Exclusions(ctx.store), Findings(ctx.store)
    for one, other in combinations(seen, 2):
        exclusions.add(one, other, at=ctx.now, by=by)
    # One of them may stay with those whom nobody has called different.
    for ref in [one.ref for one in seen[1:]]:
        finding = findings.of(ref.kind, ref.id)
        if finding is not None:
            findings.without(finding, {ref.id})


def include(ctx: Ctx, one: Ref, other: Ref) -> bool:
    """Let the two be compared again; False when they were not kept apart."""
    return Exclusions(ctx.store).drop(one, other)


def put_off(ctx: Ctx, finding: Finding) -> datetime:
    """Let the finding come back when the settings say; the day on which it does."""
    until = ctx.now + ctx.settings.later
    Findings(ctx.store).save(finding.model_copy(update={"later": until}))
    return until


def finding_of(ctx: Ctx, key: str) -> Finding:
    """The finding of that name. Raises NotFound when it was settled meanwhile."""
    found = Findings(ctx.store).get(key)
    if found is None:
        said = words_of(ctx)
        raise NotFound(said.say("settled", name=key), account=ctx.account.key, remedy=said.say("settled_remedy"))
    return found


def _seen(ctx: Ctx, ref: Ref) -> Seen:
    found = ctx.mirror.get(RECORDS[ref.kind], ref)
    if found is None:
        said = words_of(ctx)
        raise NotFound(
            said.say("unseen", ref=str(ref)),
            account=ctx.account.key,
            ref=str(ref),
            remedy=said.say("unseen_remedy"),
        )
    if ref.kind not in LIVE_KINDS:
        return Seen(ref, "")
    return sight_of(ref.kind, ctx.account.country, ctx.settings.own_phones).seen(found)
