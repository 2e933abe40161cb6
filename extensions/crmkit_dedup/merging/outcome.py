"""What becomes of each field when records are merged, and whose value it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from crmkit.crm import Crm
from crmkit.models import Company, Contact, Deal, User
from crmkit.values import Json, Ref
from crmkit.write import Native
from crmkit_dedup.merging.joining import (
    agrees,
    fuller,
    joined_emails,
    joined_phones,
    joined_texts,
    joined_values,
)
from crmkit_dedup.merging.portrait import Portrait
from crmkit_dedup.survivor import MergeRules

EXTERNAL_ID = "external_id"
"""What a native field tells that no other record may have at the same time."""

_NO = frozenset({"", "нет", "no", "false", "0", "n"})


class Fate(StrEnum):
    """What becomes of a field: the survivor's stays, an empty one is filled, lists are joined, a better value takes
    its place, or a loser's value finds no place and goes into a note."""

    KEPT = "kept"
    FILLED = "filled"
    JOINED = "joined"
    REPLACED = "replaced"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Change:
    """One field in the preview: its value before and after, and the record that the new value comes from."""

    name: str
    title: str
    fate: Fate
    before: str
    after: str
    source: Ref | None = None


@dataclass(slots=True)
class Outcome:
    """All fields of a merge.

    Args:
        changes: every field that has more than one value, or gets a new one.
        values, natives: what is written to the survivor before the merge, in crmkit's and in the vendor's words.
        late_values, late_natives: what is written after it, unless the CRM has done so by itself.
    """

    changes: list[Change] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    natives: dict[str, Json] = field(default_factory=dict)
    late_values: dict[str, Any] = field(default_factory=dict)
    late_natives: dict[str, Json] = field(default_factory=dict)

    def note(self, name: str, title: str, fate: Fate, before: str, after: str, source: Ref | None) -> None:
        """Add a line of the preview."""
        self.changes.append(Change(name, title, fate, before, after, source))


@dataclass(frozen=True, slots=True)
class Staff:
    """The users of an account, names by id and who works here; and the names of companies."""

    names: Mapping[str, str] = field(default_factory=dict)
    active: frozenset[str] = frozenset()
    firms: Mapping[Ref, str] = field(default_factory=dict)

    def firm(self, ref: Ref | None) -> str:
        """The company's name for people; its number when it is not known."""
        return (self.firms.get(ref) or ref.id) if ref is not None else ""

    def name(self, user_id: str | None) -> str:
        """The user's name for people; the id of one who is not known."""
        return self.names.get(user_id or "") or user_id or ""


def staff_of(users: Iterable[User]) -> Staff:
    """Who is who among the users."""
    known = list(users)
    active = frozenset(user.ref.id for user in known if user.is_active)
    return Staff({user.ref.id: user.name for user in known}, active)


def staff_and_firms(crm: Crm, portraits: Iterable[Portrait]) -> Staff:
    """Who is who, and what the companies of these records are called; two requests."""
    wanted = list(dict.fromkeys(one.company for one in portraits if one.company is not None))
    firms = crm.companies.get_many(wanted) if wanted else {}
    return replace(staff_of(crm.users.iterate()), firms={ref: firm.name for ref, firm in firms.items()})


def outcome(survivor: Portrait, losers: Sequence[Portrait], rules: MergeRules, country: str, staff: Staff) -> Outcome:
    """What becomes of each field."""
    made = Outcome()
    told = {name for one in (survivor, *losers) for native in _writable(one) for name in native.tells}
    if isinstance(survivor.record, Deal):
        _deal(made, survivor, losers)
    else:
        _name(made, survivor, losers, rules)
        _lists(made, survivor, losers, country, told)
    _company(made, survivor, losers, staff)
    _owner(made, survivor, losers, rules, staff)
    for name in ("birthday", "site", "inn", "kpp"):
        if name not in told:
            _single(made, name, survivor, losers, is_late=True)
    _natives(made, survivor, losers, rules)
    return made


def _name(made: Outcome, survivor: Portrait, losers: Sequence[Portrait], rules: MergeRules) -> None:
    own = survivor.record
    people = [one.record for one in losers]
    if isinstance(own, Deal):
        return
    others = [one for one in people if not isinstance(one, Deal)]
    best = fuller(own, others) if rules.longest_name or not own.name.strip() else None
    if best is not None:
        made.values |= name_values(best, own)
        made.note("name", "name", Fate.REPLACED if own.name else Fate.FILLED, own.name, best.name, best.ref)
    for one in others:
        if one is not best and one.name.strip() and not agrees(best or own, one):
            made.note("name", "name", Fate.LEFT, (best or own).name, one.name, one.ref)


def name_values(best: Contact | Company, own: Contact | Company) -> dict[str, Any]:
    """The changes that give a record another one's name, with the parts that it is written in."""
    if not isinstance(best, Contact) or not isinstance(own, Contact):
        return {"name": best.name}
    values: dict[str, Any] = {"name": best.name}
    if any((best.first_name, best.middle_name, best.last_name)):
        for part in ("first_name", "middle_name", "last_name"):
            value = getattr(best, part)
            if value or getattr(own, part):
                values[part] = value or ""
    return values


def _lists(made: Outcome, survivor: Portrait, losers: Sequence[Portrait], country: str, told: set[str]) -> None:
    own = survivor.record
    others = [one.record for one in losers if not isinstance(one.record, Deal)]
    if isinstance(own, Deal):
        return
    phones = joined_phones(own.phones, (phone for one in others for phone in one.phones), country)
    if phones != own.phones:
        made.values["phones"] = phones
        _joined(made, "phones", [one.raw for one in own.phones], [one.raw for one in phones], losers)
    emails = joined_emails(own.emails, (email for one in others for email in one.emails))
    if emails != own.emails and "emails" not in told:
        made.values["emails"] = emails
        _joined(made, "emails", [one.value for one in own.emails], [one.value for one in emails], losers)
    _tags(made, survivor, losers)


def _tags(made: Outcome, survivor: Portrait, losers: Sequence[Portrait]) -> None:
    tags = joined_texts(survivor.record.tags, (tag for one in losers for tag in one.record.tags))
    fresh = tags[len(dict.fromkeys(survivor.record.tags)) :]
    if fresh:
        made.values["add_tags"] = fresh
        _joined(made, "tags", survivor.record.tags, tags, losers)


def _joined(made: Outcome, name: str, before: Iterable[str], after: Iterable[str], losers: Sequence[Portrait]) -> None:
    source = losers[0].ref if len(losers) == 1 else None
    made.note(name, name, Fate.JOINED, ", ".join(before), ", ".join(after), source)


def _company(made: Outcome, survivor: Portrait, losers: Sequence[Portrait], staff: Staff) -> None:
    """An empty company is filled by the merge itself; which others there are is said."""
    own = survivor.company
    for one in losers:
        if one.company is None or one.company == own:
            continue
        fate = Fate.FILLED if own is None else Fate.LEFT
        made.note("company", "company", fate, staff.firm(own), staff.firm(one.company), one.ref)
        if own is None:
            own = made.late_values["company"] = one.company


def _owner(made: Outcome, survivor: Portrait, losers: Sequence[Portrait], rules: MergeRules, staff: Staff) -> None:
    own = survivor.record.owner_id
    is_gone = own not in staff.active
    for one in losers:
        other = one.record.owner_id
        if other is None or other == own:
            continue
        is_taken = is_gone and rules.owner_of_losers and other in staff.active
        fate = Fate.REPLACED if is_taken else Fate.LEFT
        made.note("owner_id", "owner_id", fate, staff.name(own), staff.name(other), one.ref)
        if is_taken:
            made.values["owner_id"] = own = other
            is_gone = False


def _single(made: Outcome, name: str, survivor: Portrait, losers: Sequence[Portrait], *, is_late: bool = False) -> None:
    own = getattr(survivor.record, name, None)
    for one in losers:
        other = getattr(one.record, name, None)
        if other is None or other == own:
            continue
        made.note(name, name, Fate.LEFT if own is not None else Fate.FILLED, _text(own), _text(other), one.ref)
        if own is None:
            own = other
            (made.late_values if is_late else made.values)[name] = other


def _deal(made: Outcome, survivor: Portrait, losers: Sequence[Portrait]) -> None:
    """Sums are not added; a stage is the survivor's, who is the furthest by the rules."""
    own = survivor.record
    others = [one.record for one in losers]
    if not isinstance(own, Deal):
        return
    _tags(made, survivor, losers)
    amount = own.amount if own.amount is not None and own.amount.amount else None
    for one in others:
        if not isinstance(one, Deal):
            continue
        if one.title.strip() and one.title != own.title:
            made.note("title", "title", Fate.LEFT, own.title, one.title, one.ref)
        if one.amount is None or not one.amount.amount or one.amount == amount:
            continue
        fate = Fate.FILLED if amount is None and not own.items else Fate.LEFT
        made.note("amount", "amount", fate, _text(amount), _text(one.amount), one.ref)
        if fate is Fate.FILLED:
            amount = made.values["amount"] = one.amount
    for one in others:
        if isinstance(one, Deal) and one.items and one.items != own.items:
            rows = ", ".join(f"{item.name} × {item.quantity}" for item in one.items)
            made.note("items", "items", Fate.LEFT, "", rows, one.ref)


def _natives(made: Outcome, survivor: Portrait, losers: Sequence[Portrait], rules: MergeRules) -> None:
    names = dict.fromkeys(native.name for one in losers for native in one.natives if not native.is_for_new)
    for name in names:
        own = survivor.native(name)
        others = [(one.ref, native) for one in losers if (native := one.native(name)) is not None]
        if any(native.is_fixed for _, native in others):
            if own is None:
                made.note(name, others[0][1].title, Fate.LEFT, "", others[0][1].text, others[0][0])
        elif others[0][1].is_many:
            _native_list(made, own, others)
        else:
            _native(made, own, others, rules)
    _strict_no(made, survivor, losers, rules)


def _native_list(made: Outcome, own: Native | None, others: Sequence[tuple[Ref, Native]]) -> None:
    name, title = others[0][1].name, others[0][1].title
    value = joined_values(own.value if own else None, (native.value for _, native in others))
    if own is not None and value == joined_values(own.value, ()):
        return
    made.natives[name] = value
    texts = [own.text] if own else []
    fate = Fate.JOINED if own else Fate.FILLED
    after = ", ".join(dict.fromkeys([*texts, *(native.text for _, native in others)]))
    made.note(name, title, fate, own.text if own else "", after, others[0][0])


def _native(made: Outcome, own: Native | None, others: Sequence[tuple[Ref, Native]], rules: MergeRules) -> None:
    kept = own
    for ref, native in others:
        if kept is not None and native.value == kept.value:
            continue
        is_stricter = native.title in rules.yes_is_stricter and not _is_no(native)
        is_stricter = is_stricter or (native.title in rules.no_is_stricter and _is_no(native))
        if kept is None or is_stricter:
            late = EXTERNAL_ID in native.tells
            (made.late_natives if late else made.natives)[native.name] = native.value
            fate = Fate.FILLED if kept is None else Fate.REPLACED
            made.note(native.name, native.title, fate, kept.text if kept else "", native.text, ref)
            kept = native
        elif not native.is_quiet:
            made.note(native.name, native.title, Fate.LEFT, kept.text, native.text, ref)


def _strict_no(made: Outcome, survivor: Portrait, losers: Sequence[Portrait], rules: MergeRules) -> None:
    """A consent holds only where every record has it: an empty field of any is a no."""
    people = (survivor, *losers)
    consents = {native.name: native for one in people for native in one.natives if native.title in rules.no_is_stricter}
    for name, native in consents.items():
        without = next((one for one in people if (own := one.native(name)) is None or _is_no(own)), None)
        if without is None:
            continue
        own = survivor.native(name)
        refusal = without.native(name)
        made.natives.pop(name, None)
        made.changes[:] = [change for change in made.changes if change.name != name]
        if own is not None and not _is_no(own):
            made.natives[name] = refusal.value if refusal else None
            after = refusal.text if refusal else ""
            made.note(name, native.title, Fate.REPLACED, own.text, after, without.ref)


def _is_no(native: Native) -> bool:
    return native.text.strip().casefold() in _NO


def _writable(portrait: Portrait) -> Iterable[Native]:
    return (native for native in portrait.natives if not native.is_for_new and not native.is_fixed)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def merged_natives(made: Outcome, survivor: Portrait) -> Mapping[str, Json]:
    """The natives that the survivor is to have in the end, by name."""
    own = {native.name: native.value for native in _writable(survivor)}
    return {**own, **made.natives, **made.late_natives}
