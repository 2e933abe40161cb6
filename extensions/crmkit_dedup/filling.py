"""Filling the index: what the first load brought in silently, and everything once the keys mean something else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice

from crmkit.extension import Progress
from crmkit.values import Json
from crmkit_dedup.live import BOOKS
from crmkit_dedup.policy import Ctx, words_of
from crmkit_dedup.sights import KEYS_VERSION, LIVE_KINDS, AnySight, sight_of

STATE = "index"
"""Collection that tells by which rules the keys of each kind were made, and how far that has come."""

PAGE = 20_000
"""Records that are read and put together; after each page the next run could go on from there."""


def fill(ctx: Ctx) -> Iterator[Progress]:
    """Put what is missing into the index, and everything again when the keys are made by other rules than they were.

    Broken off, it goes on where it was.
    """
    for kind in sorted(LIVE_KINDS):
        if ctx.settings.live and BOOKS[kind] in ctx.settings.kinds:
            sight = sight_of(kind, ctx.account.country, ctx.settings.own_phones)
            label = f"{words_of(ctx).kind(kind)}: {words_of(ctx).say('step_index')}"
            done = 0
            for count in chain(_anew(ctx, sight), _missing(ctx, sight)):
                done += count
                yield Progress(label, done)
            if done:
                ctx.explain(f"{label}: {done}")


def _anew(ctx: Ctx, sight: AnySight) -> Iterator[int]:
    """Every record of the kind, from where an earlier run has come to; nothing when all was done by today's rules."""
    country, own = ctx.account.country, [*ctx.settings.own_phones]
    rules: Mapping[str, Json] = {"version": KEYS_VERSION, "country": country, "own": own}
    state = ctx.store.get(STATE, sight.kind.value) or {}
    after = str(state["after"]) if state.get("rules") == rules and state.get("after") is not None else ""
    if state.get("rules") == rules and state.get("after") is None:
        return
    records = ctx.mirror.scan(sight.record, after=after)
    while page := list(islice(records, PAGE)):
        ctx.index.put_many((record.ref, sight.keys(sight.profile(record))) for record in page)
        ctx.store.put(STATE, sight.kind.value, {"rules": rules, "after": page[-1].ref.id})
        yield len(page)
    ctx.store.put(STATE, sight.kind.value, {"rules": rules, "after": None})


def _missing(ctx: Ctx, sight: AnySight) -> Iterator[int]:
    """The records that came in without an event."""
    after = ""
    while refs := ctx.index.missing(sight.kind, after=after, limit=PAGE):
        copies = ctx.mirror.get_many(sight.record, refs)
        # One that cannot be read has no keys, and is not missing for ever.
        ctx.index.put_many((ref, sight.keys(sight.profile(copies[ref])) if ref in copies else ()) for ref in refs)
        after = refs[-1].id
        yield len(refs)
