"""Merging: what must be kept is moved to the survivor first, then the CRM merges, when it likes, and is waited for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crmkit.clock import Clock
from crmkit.identity import parse_phone
from crmkit.values import Json, Kind, Ref
from crmkit.write import Write
from crmkit_retailcrm.client.history import History, entity_of
from crmkit_retailcrm.client.line import Line
from crmkit_retailcrm.client.walk import Walker
from crmkit_retailcrm.errors.refusals import gone, refused_draft, unanswered, unsupported
from crmkit_retailcrm.wire import BATCH, SHELVES, as_list, as_map

LONGEST_S = 120.0
"""A merge that has not shown up by then is reported as unknown."""

_FIRST_LOOK_S = 1.0
_CARRIED = ("email", "birthday", "managerId", "lastName", "patronymic", "firstName", "sex", "discountCardNumber")


class Merger:
    """Makes one record out of several, in one account.

    Args:
        line: the way to the account.
        walker: reads entities by their ids.
        history: tells when a merge was done.
        clock: where to wait.
        country: the country of phones without one.
    """

    def __init__(self, line: Line, walker: Walker, history: History, clock: Clock, country: str) -> None:
        self._line = line
        self._walker = walker
        self._history = history
        self._clock = clock
        self._country = country

    def merge(self, write: Write) -> Ref | None:
        """The survivor, once the losers are a part of it.

        Raises NotFound for a survivor that is gone, VendorDown (`maybe_applied`) when the CRM takes longer than two
        minutes. Losers that are gone already are left out, so that a broken merge can be done again.
        """
        survivor, kind = write.ref, write.kind
        if survivor is None or kind not in (Kind.CONTACT, Kind.COMPANY, Kind.DEAL):
            raise unsupported(
                survivor.account if survivor else "", f"merge records of kind {kind.value}", "Leave them."
            )
        losers = [one.id for one in write.others if one.id != survivor.id]
        if len(losers) > BATCH:
            raise refused_draft(survivor.account, "losers", f"at most {BATCH} at once", "Merge them in several calls.")
        found = {str(item["id"]): item for item in self._walker.by_ids(kind, [survivor.id, *losers])}
        if survivor.id not in found:
            raise gone(survivor.account, str(survivor))
        present = [one for one in losers if one in found]
        if not present:
            return survivor
        if kind is Kind.DEAL:
            self._merge_orders(survivor, present, write.extra)
        else:
            self._merge_customers(survivor, [found[one] for one in present], found[survivor.id])
        return survivor

    def _merge_orders(self, survivor: Ref, losers: Sequence[str], extra: Mapping[str, Json]) -> None:
        technique = str(extra.get("technique") or "merge")
        for loser in losers:
            form: dict[str, Json] = {
                "technique": technique,
                "order": {"id": int(loser)},
                "resultOrder": {"id": int(survivor.id)},
            }
            self._line.post("orders/combine", form)

    def _merge_customers(self, survivor: Ref, losers: Sequence[Mapping[str, Any]], kept: Mapping[str, Any]) -> None:
        shelf, place = SHELVES[survivor.kind], self._history.now(survivor.kind)
        if moved := self._moved(survivor.kind, kept, losers):
            form: dict[str, Json] = {"by": "id", shelf.one: moved}
            self._line.post(f"{shelf.path}/{survivor.id}/edit", form, is_repeatable=True)
        parts: list[Json] = [{"id": loser["id"]} for loser in losers]
        combine: dict[str, Json] = {"customers": parts, "resultCustomer": {"id": int(survivor.id)}}
        self._line.post(f"{shelf.path}/combine", combine)
        self._await(survivor, {str(loser["id"]) for loser in losers}, place)

    def _moved(self, kind: Kind, kept: Mapping[str, Any], losers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """What the survivor lacks and would lose. Source: retailCRM API v5, `combine`: the survivor's fields win."""
        moved: dict[str, Any] = {}
        if kind is Kind.CONTACT:
            for name in _CARRIED:
                value = next((loser[name] for loser in losers if loser.get(name)), None)
                if value and not kept.get(name) and not (name.endswith("Name") and kept.get("firstName")):
                    moved[name] = value
            phones = self._phones([kept, *losers])
            if len(phones) > len(as_list(kept.get("phones"))):
                moved["phones"] = phones
        fields = {
            code: value
            for loser in reversed(losers)
            for code, value in as_map(loser.get("customFields")).items()
            if value not in (None, "", []) and code not in as_map(kept.get("customFields"))
        }
        tags = {str(as_map(tag).get("name")) for loser in losers for tag in as_list(loser.get("tags"))}
        if fields:
            moved["customFields"] = fields
        if tags:
            moved["addTags"] = sorted(tags)
        return moved

    def _phones(self, people: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
        """All their phones, each number once however it is written."""
        found: dict[str, dict[str, str]] = {}
        for person in people:
            for phone in as_list(person.get("phones")):
                raw = str(as_map(phone).get("number") or "")
                number = parse_phone(raw, country=self._country)
                if raw:
                    found.setdefault(number.e164 if number else raw, {"number": raw})
        return list(found.values())

    def _await(self, survivor: Ref, losers: set[str], place: str) -> None:
        """Return once the history tells of every loser that it is gone, or the list no longer has it."""
        pause_s, waited_s = _FIRST_LOOK_S, 0.0
        while True:
            rows, place, is_last = self._history.page(survivor.kind, place)
            losers -= {str(entity_of(survivor.kind, row).get("id")) for row in rows if row.get("deleted")}
            if not losers:
                return
            if not is_last:
                continue
            if waited_s >= LONGEST_S:
                left = {str(item["id"]) for item in self._walker.by_ids(survivor.kind, sorted(losers))}
                if not left:
                    return
                raise unanswered(survivor.account, str(survivor), f"the merge of {', '.join(sorted(left))} is not done")
            self._clock.wait(pause_s)
            waited_s += pause_s
            pause_s = min(pause_s * 2, 10.0)
