"""Which of several records lives on, by rules in an order that the operator sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from crmkit.values import Ref


class Rule(StrEnum):
    """What makes one record a better survivor than another."""

    STAGE = "stage"
    DEALS = "deals"
    EXTERNAL_ID = "external_id"
    COMPLETE = "complete"
    OLDEST = "oldest"
    ACTIVE = "active"
    OWNER = "owner"


class MergeRules(BaseModel):
    """How records are merged; the defaults never choose against more deals or an id of another system.

    Args:
        survivor: what decides who lives on, the first difference wins: `stage` further along its pipeline (deals),
            `deals` more linked deals, `external_id` has an id of another system, `complete` more filled fields,
            `oldest`, `active` changed last, `owner` has an owner who works here.
        longest_name: the fullest name that agrees with the survivor's takes its place.
        owner_of_losers: when the survivor's owner has left, take the owner of a loser who has not.
        yes_is_stricter: titles of custom fields where a yes of any record holds for all ("Не звонить").
        no_is_stricter: titles of custom fields where a no, or nothing, of any record holds for all (a consent).
        note: values of losers that found no place are written into a note on the survivor.
        largest: more records than this are merged by a person only.
        protected_tags, protected_owners: records with such a tag or owner id are merged by a person only.
        protected_fields: titles of custom fields; a record that has one filled is merged by a person only.
        rivals: open deals of different owners may be brought together without asking.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    survivor: tuple[Rule, ...] = (
        Rule.STAGE,
        Rule.DEALS,
        Rule.EXTERNAL_ID,
        Rule.COMPLETE,
        Rule.OLDEST,
        Rule.ACTIVE,
        Rule.OWNER,
    )
    longest_name: bool = True
    owner_of_losers: bool = True
    yes_is_stricter: tuple[str, ...] = ()
    no_is_stricter: tuple[str, ...] = ()
    note: bool = True
    largest: int = Field(default=5, ge=2, le=50)
    protected_tags: tuple[str, ...] = ("не объединять",)
    protected_owners: tuple[str, ...] = ()
    protected_fields: tuple[str, ...] = ()
    rivals: bool = False


class Candidate(NamedTuple):
    """One record as the rules see it. `stage` is its place in the pipeline, 0 for what has none."""

    ref: Ref
    deals: int = 0
    has_external_id: bool = False
    filled: int = 0
    created_at: datetime | None = None
    active_at: datetime | None = None
    owner_is_active: bool = True
    stage: int = 0


class Choice(NamedTuple):
    """Who lives on, the others in the order in which their values are taken, and the rule that decided."""

    survivor: Ref
    losers: tuple[Ref, ...]
    rule: Rule | None
    is_owner_gone: bool


def choose(candidates: Sequence[Candidate], rules: MergeRules, *, survivor: Ref | None = None) -> Choice:
    """The survivor by the rules, or the given one; equal records are told apart by the lower number of their address.

    Raises ValueError for fewer than two candidates, or a survivor that is not among them.
    """
    if len(candidates) < 2 or (survivor is not None and survivor not in {one.ref for one in candidates}):
        raise ValueError("a merge needs two records, the survivor among them")

    def rank(one: Candidate) -> tuple[float, ...]:
        return (float(one.ref != survivor), *(_MEASURES[rule](one) for rule in rules.survivor), *_number(one.ref))

    first, second, *rest = ranked = sorted(candidates, key=rank)
    differing = (rule for rule in rules.survivor if _MEASURES[rule](first) != _MEASURES[rule](second))
    return Choice(
        survivor=first.ref,
        losers=tuple(one.ref for one in (second, *rest)),
        rule=None if survivor is not None else next(differing, None),
        is_owner_gone=not ranked[0].owner_is_active,
    )


def _number(ref: Ref) -> tuple[float, ...]:
    return (float(ref.id),) if ref.id.isdecimal() else (0.0,)


_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

_MEASURES: Mapping[Rule, Callable[[Candidate], float]] = {
    Rule.STAGE: lambda one: -one.stage,
    Rule.DEALS: lambda one: -one.deals,
    Rule.EXTERNAL_ID: lambda one: not one.has_external_id,
    Rule.COMPLETE: lambda one: -one.filled,
    Rule.OLDEST: lambda one: one.created_at.timestamp() if one.created_at else float("inf"),
    Rule.ACTIVE: lambda one: -(one.active_at or _LONG_AGO).timestamp(),
    Rule.OWNER: lambda one: not one.owner_is_active,
}
"""By each rule the least is the best."""
