"""Strays: what people put on a marked duplicate after its merge, where a CRM cannot delete it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

from crmkit.extension import Context
from crmkit.models import Deal
from crmkit.values import Kind, Ref
from crmkit_dedup.journal import Entry, Journal
from crmkit_dedup.merging.portrait import Card, cards, portrait

LOOKED = "looked"
"""Collection of the days on which the mirror was asked."""

CHUNK = 200
"""Records that are looked at with one request."""


def strayed(ctx: Context[Any], journal: Journal) -> Iterator[Entry]:
    """Merges of which a loser that lives on has something that it had not; losers that are deleted are forgotten."""
    alive = journal.alive()
    named = _named_by_deals(ctx, {ref for ref, _ in alive})
    for kind in (Kind.CONTACT, Kind.COMPANY, Kind.DEAL):
        own = [(ref, name) for ref, name in alive if ref.kind is kind]
        for start in range(0, len(own), CHUNK):
            chunk = own[start : start + CHUNK]
            yield from _among(ctx, journal, chunk, cards(ctx.crm, [ref for ref, _ in chunk]), named)


def _named_by_deals(ctx: Context[Any], alive: Set[Ref]) -> Set[Ref]:
    """Losers that some deal names; a CRM does not say so on their own cards, so once a day the mirror is asked."""
    today = ctx.now.date().isoformat()
    if not alive or (ctx.store.get(LOOKED, "deals") or {}).get("day") == today:
        return frozenset()
    ctx.store.put(LOOKED, "deals", {"day": today})
    wanted = {(ref.kind.value, ref.id): ref for ref in alive}
    found: set[Ref] = set()
    for _, contacts, company in ctx.mirror.columns(Deal, "contacts", "company"):
        people: Any = contacts or ()
        for one in (*people, *((company,) if company else ())):
            ref = wanted.get((one["kind"], one["id"]))
            if ref is not None:
                found.add(ref)
    return found


def _among(
    ctx: Context[Any],
    journal: Journal,
    chunk: list[tuple[Ref, str]],
    found: Mapping[Ref, Card],
    named: Set[Ref],
) -> Iterator[Entry]:
    for ref, name in chunk:
        entry = journal.get(name)
        if ref not in found or entry is None:
            journal.bury(ref)
            continue
        left = entry.after.get(ref)
        is_touched = left is None or ref in named or found[ref].updated_at != left.record.updated_at
        if is_touched and portrait(ctx.crm, found[ref]).print != entry.seen.get(ref):
            yield entry
