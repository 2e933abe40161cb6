"""Filling the index: what the first load brought in silently, and everything once the keys mean something else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from crmkit.extension import Progress
from crmkit.values import Json, Kind
from crmkit_dedup.live import BOOKS
from crmkit_dedup.policy import Ctx, words_of
from crmkit_dedup.sights import KEYS_VERSION, LIVE_KINDS, AnySight, sight_of

STATE = "index"
"""Collection that tells by which rules the keys of each kind were made."""

PAGE = 5_000
"""Records that are read and put together."""


def fill(ctx: Ctx) -> Iterator[Progress]:
    """Put what is missing into the index, and everything again when the keys are made by other rules than they were.

    Broken off, it goes on where it was: what was put is not missing, and equal keys are not written again.
    """
    for kind in sorted(LIVE_KINDS):
        if ctx.settings.live and BOOKS[kind] in ctx.settings.kinds:
            sight = sight_of(kind, ctx.account.country, ctx.settings.own_phones)
            yield from _fill(ctx, kind, sight)


def _fill(ctx: Ctx, kind: Kind, sight: AnySight) -> Iterator[Progress]:
    rules: Mapping[str, Json] = {
        "version": KEYS_VERSION,
        "country": ctx.account.country,
        "own": [*ctx.settings.own_phones],
    }
    if ctx.store.get(STATE, kind.value) != rules:
        ctx.index.put_many((record.ref, sight.keys(sight.profile(record))) for record in ctx.mirror.scan(sight.record))
        ctx.store.put(STATE, kind.value, rules)
    label = f"{words_of(ctx).kind(kind)}: {words_of(ctx).say('step_index')}"
    after, done = "", 0
    while refs := ctx.index.missing(kind, after=after, limit=PAGE):
        copies = ctx.mirror.get_many(sight.record, refs)
        # One that cannot be read has no keys, and is not missing for ever.
        ctx.index.put_many((ref, sight.keys(sight.profile(copies[ref])) if ref in copies else ()) for ref in refs)
        after, done = refs[-1].id, done + len(refs)
        yield Progress(label, done)
    if done:
        ctx.explain(f"{label}: {done}")
