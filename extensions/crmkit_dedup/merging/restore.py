"""Putting fields back: what a merge has changed becomes what it was, and what people have changed since stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crmkit.adapter import Capability, Level
from crmkit.errors import NotFound, Rejected, Unsupported
from crmkit.extension import Context
from crmkit.models import Company, Contact, Deal, Email, Phone
from crmkit.values import Json, Ref
from crmkit.write import Native
from crmkit_dedup.journal import Entry
from crmkit_dedup.merging.joining import email_key, phone_keys
from crmkit_dedup.merging.outcome import EXTERNAL_ID
from crmkit_dedup.merging.portrait import Card, Portrait, cards, port
from crmkit_dedup.merging.words import field_title, say

_PARTS = ("first_name", "middle_name", "last_name")
_SINGLE: Mapping[type[Any], tuple[str, ...]] = {
    Contact: ("birthday", "owner_id"),
    Company: ("name", "site", "inn", "kpp", "owner_id"),
    Deal: ("title", "amount", "stage", "owner_id"),
}
"""Fields of one value that a merge may have changed, beside a person's name and the links."""


@dataclass(slots=True)
class Restoring:
    """Puts back the fields of a merge's records.

    Args:
        ctx: the run.
        entry: the merge, with its records as they were and as they became.
        is_forced: what people have changed since is put back too.
    """

    ctx: Context[Any]
    entry: Entry
    is_forced: bool = False
    report: list[str] = field(default_factory=list)

    def put_back(self) -> None:
        """Every record of a merge that the CRM refused, as far as it differs from what it was."""
        for ref, card in cards(self.ctx.crm, list(self.entry.before)).items():
            became = Portrait(record=card, natives=tuple(self.ctx.crm.natives(card)))
            self.record(ref, self.entry.before[ref], became)

    def record(self, ref: Ref, was: Portrait, became: Portrait | None) -> None:
        """One record's fields: those that still are as the merge left them become what they were.

        `became` is the record as the merge left it; None when nobody has looked, and then it is taken as it is.
        """
        crm = self.ctx.crm
        card = cards(crm, [ref]).get(ref)
        if card is None:
            return
        now = Portrait(record=card, natives=tuple(crm.natives(card)))
        step = _Step(self, now, was, became if became is not None and not self.is_forced else now)
        step.run()

    def say(self, key: str, **values: object) -> str:
        """A text in the service's language."""
        return say(self.ctx.language, key, **values)

    def write(self, ref: Ref, name: str, values: Mapping[str, Any], extra: Mapping[str, Json] | None = None) -> None:
        """Change a record; what the CRM will not take is reported."""
        cards_port: Any = port(self.ctx.crm, ref.kind)
        try:
            cards_port.update(ref, values, extra=extra)
        except (Rejected, Unsupported) as refusal:
            title = field_title(self.ctx.language, name)
            what = self.say("cannot_field", what=title, id=ref.id, text=refusal.message)
            self.report.append(self.say("cannot", what=what))

    def unlink(self, ref: Ref, other: Ref) -> None:
        """Cut a link of a card; where that cannot be done it is reported."""
        self.unlink_from(port(self.ctx.crm, ref.kind), ref, other)

    def unlink_from(self, cards_port: Any, ref: Ref, other: Ref) -> None:
        """Cut a link of what that port writes."""
        try:
            cards_port.unlink(ref, other)
        except (Rejected, Unsupported, NotFound) as refusal:
            what = self.say("cannot_link", id=ref.id, what=f"{other.kind.value} {other.id}", text=refusal.message)
            self.report.append(self.say("cannot", what=what))


@dataclass(slots=True)
class _Step:
    """One record, as it is now, as it was before the merge, and as the merge left it."""

    restoring: Restoring
    now: Portrait
    was: Portrait
    became: Portrait

    def run(self) -> None:
        seen = [native for one in (self.now, self.was, self.became) for native in one.natives]
        told = {name for native in seen for name in native.tells}
        values: dict[str, Any] = {}
        if isinstance(self.now.record, Contact):
            values |= self._name()
        values |= self._singles(told)
        values |= self._lists(told)
        natives = self._natives()
        crm, ref = self.restoring.ctx.crm, self.now.ref
        extra = crm.native_extra(ref.kind, natives, on=self.now.record) if natives else {}
        if values or extra:
            self._write(values, natives, extra)
        self._company()
        self._parts()

    def _write(self, values: Mapping[str, Any], natives: Mapping[str, Json], extra: Mapping[str, Json]) -> None:
        """All at once; when the CRM will not, each by itself, so that one bad field spoils no other."""
        crm, ref = self.restoring.ctx.crm, self.now.ref
        cards_port: Any = port(crm, ref.kind)
        try:
            cards_port.update(ref, values, extra=extra)
        except (Rejected, Unsupported):
            for name, value in values.items():
                self.restoring.write(ref, name, {name: value})
            for name, value in natives.items():
                one = crm.native_extra(ref.kind, {name: value}, on=self.now.record)
                self.restoring.write(ref, name, {}, one)

    def _name(self) -> dict[str, Any]:
        now, was, became = self.now.record, self.was.record, self.became.record
        parts = ("name", *_PARTS)
        if all(getattr(was, part) == getattr(became, part) for part in parts):
            return {}
        if any(getattr(now, part) != getattr(became, part) for part in parts):
            self._kept("name", _text(now, "name"))
            return {}
        if all(getattr(now, part) == getattr(was, part) for part in parts):
            return {}
        values = {part: getattr(was, part) or "" for part in _PARTS if getattr(was, part) or getattr(now, part)}
        if values and not any(values.values()):
            # Where a name is made of its parts, it can be written as a whole only once they are empty.
            self.restoring.write(self.now.ref, "name", values)
            values = {}
        return {"name": _text(was, "name"), **values}

    def _singles(self, told: set[str]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name in _SINGLE[type(self.now.record)]:
            now, was, became = (getattr(one.record, name) for one in (self.now, self.was, self.became))
            if name in told or was == became or now == was:
                continue
            if now != became:
                self._kept(name, str(now))
            elif was is not None or name not in ("owner_id", "stage"):
                values[name] = was if was is not None or name not in ("name", "title") else ""
        return values

    def _lists(self, told: set[str]) -> dict[str, Any]:
        now, was, became = self.now.record, self.was.record, self.became.record
        values: dict[str, Any] = {}
        if self.restoring.ctx.crm.supports(Capability.TAGS) is not Level.ABSENT:
            extra = [tag for tag in became.tags if tag not in was.tags and tag in now.tags]
            lost = [tag for tag in was.tags if tag not in became.tags and tag not in now.tags]
            values |= {"remove_tags": extra} if extra else {}
            values |= {"add_tags": lost} if lost else {}
        if isinstance(now, Deal) or isinstance(was, Deal) or isinstance(became, Deal):
            return values
        country = self.restoring.ctx.account.country
        phones = _fewer(now.phones, was.phones, became.phones, lambda one: _number(one, country))
        if phones != now.phones:
            values["phones"] = phones
        emails = _fewer(now.emails, was.emails, became.emails, _address)
        if emails != now.emails and "emails" not in told:
            values["emails"] = emails
        return values

    def _natives(self) -> dict[str, Json]:
        """The vendor's own fields that the merge has changed, by name; None empties one."""
        names = {native.name for native in (*self.was.natives, *self.became.natives)}
        values: dict[str, Json] = {}
        for name in sorted(names):
            now, was, became = (one.native(name) for one in (self.now, self.was, self.became))
            sample = was or became or now
            if sample is None or sample.is_fixed or sample.is_for_new:
                continue
            if _value(was) == _value(became) or _value(now) == _value(was):
                continue
            if sample.is_many:
                values[name] = _fewer_values(now, was, became)
            elif _value(now) == _value(became):
                values[name] = _value(was)
            elif EXTERNAL_ID not in sample.tells:
                self._kept(sample.title, now.text if now else "")
        return values

    def _company(self) -> None:
        now, was, became = self.now.company, self.was.company, self.became.company
        restoring, ref = self.restoring, self.now.ref
        if was == became or now == was or isinstance(self.now.record, Company):
            return
        if now != became:
            self._kept("company", now.id if now else "")
        elif was is not None:
            port(restoring.ctx.crm, ref.kind).link(ref, was)
        elif now is not None:
            restoring.unlink(ref, now)

    def _parts(self) -> None:
        """What can be written with a new record only has come to stay; it is named."""
        for native in self.now.natives:
            was = self.was.native(native.name)
            if native.is_for_new and _value(was) != native.value:
                what = self.restoring.say("cannot_part", what=f"{native.title}: {native.text}", id=self.now.ref.id)
                self.restoring.report.append(self.restoring.say("cannot", what=what))

    def _kept(self, name: str, value: str) -> None:
        title = field_title(self.restoring.ctx.language, name)
        line = self.restoring.say("kept_change", id=self.now.ref.id, title=title, value=value)
        self.restoring.report.append(line)


def _fewer(now: Sequence[Any], was: Sequence[Any], became: Sequence[Any], key: Any) -> tuple[Any, ...]:
    """A list without what the merge added; what people have added or taken away since stays so."""
    if [key(one) for one in now] == [key(one) for one in became]:
        return tuple(was)
    own = {key(one) for one in was}
    added = {key(one) for one in became} - own
    return tuple(one for one in now if key(one) not in added)


def _fewer_values(now: Native | None, was: Native | None, became: Native | None) -> Json:
    own, added = _items(was), [item for item in _items(became) if item not in _items(was)]
    if _items(now) == _items(became):
        return list(own) or None
    return [item for item in _items(now) if item not in added] or None


def _items(native: Native | None) -> Sequence[Json]:
    value = native.value if native is not None else ()
    return value if isinstance(value, list | tuple) else (value,)


def _value(native: Native | None) -> Json:
    return native.value if native is not None else None


def _number(phone: Phone, country: str) -> frozenset[str]:
    return phone_keys(phone, country)


def _address(email: Email) -> str:
    return email_key(email)


def _text(card: Card, name: str) -> str:
    return str(getattr(card, name) or "")


def filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that say something."""
    return {name: value for name, value in values.items() if value not in (None, "", ())}


def without(natives: Iterable[Native], *, is_late: bool) -> dict[str, Json]:
    """Values of the vendor's own fields for a record that is made anew: at once, or once it is there."""
    return {
        native.name: native.value
        for native in natives
        if not native.is_fixed and (EXTERNAL_ID in native.tells) == is_late
    }
