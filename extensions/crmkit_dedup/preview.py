"""What a merge would do, field by field, before anything is changed, and what speaks against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from crmkit.crm import Crm
from crmkit.models import Deal
from crmkit.values import Ref
from crmkit_dedup.merging.outcome import EXTERNAL_ID, Outcome, outcome, staff_and_firms
from crmkit_dedup.merging.portrait import Portrait, portraits
from crmkit_dedup.merging.words import field_line, rule_text, say
from crmkit_dedup.survivor import Candidate, Choice, MergeRules, choose

Excluded = Callable[[Ref, Ref], bool]
"""Whether a person has said that two records are different."""


class Objection(NamedTuple):
    """What speaks against a merge: a code of `merging.words`, and the values of its text."""

    code: str
    id: str = ""
    what: str = ""

    def text(self, language: str) -> str:
        """The objection in words."""
        count, _, most = self.what.partition("/")
        return say(language, self.code, id=self.id, what=self.what, count=count, most=most)


@dataclass(frozen=True, slots=True)
class Preview:
    """A merge that has not been done.

    Args:
        choice: who lives on, and why.
        survivor, losers: the records as they are.
        outcome: what becomes of each field.
        objections: what speaks against it; empty when it may be done.
        is_chosen: the survivor was named by whoever asked.
    """

    choice: Choice
    survivor: Portrait
    losers: tuple[Portrait, ...]
    outcome: Outcome
    objections: tuple[Objection, ...] = ()
    is_chosen: bool = False

    def lines(self, language: str) -> list[str]:
        """The preview for people."""
        found = [self._head(language)]
        found += [say(language, "loser", id=one.ref.id, name=name_of(one)) for one in self.losers]
        if self.choice.is_owner_gone and "owner_id" not in self.outcome.values:
            found.append(say(language, "owner_gone"))
        found += [field_line(language, change) for change in self.outcome.changes]
        moves = [say(language, f"moves_{name}", count=count) for name, count in self._moves().items() if count]
        found += [say(language, "moves", what=", ".join(moves))] if moves else []
        return found + [say(language, "objection", text=one.text(language)) for one in self.objections]

    def _head(self, language: str) -> str:
        why = rule_text(language, self.choice.rule, is_chosen=self.is_chosen)
        return say(language, "survivor", id=self.survivor.ref.id, name=name_of(self.survivor), why=why)

    def _moves(self) -> Mapping[str, int]:
        return {
            "deals": len({link.ref for one in self.losers for link in one.deals}),
            "tasks": sum(len(one.tasks) for one in self.losers),
            "notes": sum(len(one.notes) for one in self.losers),
            "calls": sum(len(one.calls) for one in self.losers),
            "people": sum(len(one.people) for one in self.losers),
        }


def preview(
    crm: Crm,
    refs: Sequence[Ref],
    rules: MergeRules,
    *,
    survivor: Ref | None = None,
    excluded: Excluded | None = None,
) -> Preview:
    """What merging these records of one kind would do; reads the CRM, changes nothing.

    Raises NotFound for a record that is gone, ValueError for fewer than two different records.
    """
    found = {one.ref: one for one in portraits(crm, list(dict.fromkeys(refs)))}
    staff = staff_and_firms(crm, found.values())
    places = _places(crm) if any(isinstance(one.record, Deal) for one in found.values()) else {}
    choice = choose([_candidate(one, staff.active, places) for one in found.values()], rules, survivor=survivor)
    losers = [found[ref] for ref in choice.losers]
    made = outcome(found[choice.survivor], losers, rules, crm.account.country, staff)
    return Preview(
        choice=choice,
        survivor=found[choice.survivor],
        losers=tuple(losers),
        outcome=made,
        objections=tuple(_objections(list(found.values()), rules, excluded)),
        is_chosen=survivor is not None,
    )


def too_many(refs: Sequence[Ref], rules: MergeRules) -> list[Objection]:
    """What speaks against merging so many records; told before any of them is read."""
    count = len(set(refs))
    return [Objection("too_many", what=f"{count}/{rules.largest}")] if count > rules.largest else []


def name_of(portrait: Portrait) -> str:
    """What people call the record."""
    record = portrait.record
    return record.title if isinstance(record, Deal) else record.name


def _candidate(one: Portrait, active: frozenset[str], places: Mapping[tuple[str, str], int]) -> Candidate:
    record = one.record
    stage = record.stage if isinstance(record, Deal) else None
    fields = record.model_fields_set - {"ref", "raw", "url", "custom", "created_at", "updated_at", "created_by"}
    filled = sum(1 for name in fields if getattr(record, name) not in (None, "", (), False))
    return Candidate(
        ref=one.ref,
        deals=len(one.deals),
        has_external_id=any(EXTERNAL_ID in native.tells for native in one.natives),
        filled=filled + sum(not native.is_quiet for native in one.natives),
        created_at=record.created_at,
        active_at=record.updated_at,
        owner_is_active=record.owner_id is None or record.owner_id in active,
        stage=places.get((stage.pipeline_id, stage.stage_id), 0) if stage else 0,
    )


def _places(crm: Crm) -> Mapping[tuple[str, str], int]:
    return {
        (stage.ref.pipeline_id, stage.ref.stage_id): place
        for pipeline in crm.pipelines.iterate()
        for place, stage in enumerate(pipeline.stages, 1)
    }


def _objections(found: Sequence[Portrait], rules: MergeRules, excluded: Excluded | None) -> list[Objection]:
    said = too_many([one.ref for one in found], rules)
    for one in found:
        said += [Objection("protected_tag", one.ref.id, tag) for tag in one.record.tags if tag in rules.protected_tags]
        if one.record.owner_id in rules.protected_owners:
            said.append(Objection("protected_owner", one.ref.id, str(one.record.owner_id)))
        if any("own_company" in native.tells and native.value == "Y" for native in one.natives):
            said.append(Objection("own_company", one.ref.id))
        fields = (native.title for native in one.natives if native.title in rules.protected_fields)
        said += [Objection("protected_field", one.ref.id, title) for title in fields]
    if excluded is not None:
        pairs = combinations((one.ref for one in found), 2)
        said += [Objection("excluded", left.id, right.id) for left, right in pairs if excluded(left, right)]
    return said + ([] if rules.rivals else _rivals(found))


def _rivals(found: Sequence[Portrait]) -> list[Objection]:
    """Two managers at work with one client: bringing their deals together is for people to decide."""
    owners = [{deal.owner_id for deal in one.deals if deal.is_open and deal.owner_id} for one in found]
    everybody = set[str]().union(*({owner for owner in own if owner} for own in owners))
    holders = [own for own in owners if own]
    if len(holders) < 2 or len(everybody) < 2:
        return []
    return [Objection("rivals", what=", ".join(sorted(everybody)))]
