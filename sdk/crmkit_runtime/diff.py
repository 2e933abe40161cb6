"""What differs between two copies of a record, and what a write of ours makes of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from crmkit.models import (
    RECORDS,
    Company,
    Contact,
    CustomField,
    CustomValue,
    Deal,
    Email,
    FieldChange,
    FieldType,
    Phone,
    Record,
)
from crmkit.values import Kind, Money, Ref
from crmkit.write import Verb, Write

R = TypeVar("R", bound=Record)

NEVER_NEWS = frozenset({"ref", "raw", "url", "created_at", "created_by", "updated_at", "updated_by", "is_deleted"})
"""Fields that say nothing about the record's content, whatever the vendor."""

CONSEQUENCES: Mapping[tuple[Kind, str], frozenset[str]] = {
    (Kind.DEAL, "stage"): frozenset({"outcome", "closed_at", "loss_reason"}),
    (Kind.DEAL, "items"): frozenset({"amount"}),
    (Kind.DEAL, "amount"): frozenset({"items"}),
    (Kind.CONTACT, "first_name"): frozenset({"name"}),
    (Kind.CONTACT, "middle_name"): frozenset({"name"}),
    (Kind.CONTACT, "last_name"): frozenset({"name"}),
    (Kind.CONTACT, "name"): frozenset({"first_name", "middle_name", "last_name"}),
    (Kind.TASK, "is_done"): frozenset({"result"}),
    (Kind.LEAD, "status"): frozenset({"deal", "contact", "company"}),
}
"""Fields that a CRM sets by itself when another one is written: whoever wrote the one, made the other."""


def changed_fields(before: Record, after: Record, volatile: AbstractSet[str]) -> frozenset[str]:
    """The fields in which two copies differ, without those that change by themselves."""
    return frozenset(
        name
        for name in type(after).model_fields
        if name not in NEVER_NEWS and name not in volatile and _differs(name, before, after)
    )


def filled_fields(record: Record, volatile: AbstractSet[str]) -> frozenset[str]:
    """The fields that have a value: what may have changed of a record that was not seen before."""
    return changed_fields(type(record).model_validate({"ref": record.ref}), record, volatile)


def consequences(kind: Kind, fields: AbstractSet[str]) -> frozenset[str]:
    """The fields that the CRM may have set because these were written."""
    return frozenset[str]().union(*(CONSEQUENCES.get((kind, name), frozenset()) for name in fields))


def draft_of(write: Write, ref: Ref) -> Record:
    """The record that a creation makes, as far as we know it: what we sent."""
    return patched(RECORDS[write.kind].model_validate({"ref": ref}), write.values())


def patched(record: R, values: Mapping[str, Any]) -> R:
    """The record with the fields of a write laid over it."""
    update = {name: value for name, value in values.items() if name in type(record).model_fields}
    if "custom" in update:
        update["custom"] = _with_custom(record, update["custom"])
    if "add_tags" in values or "remove_tags" in values:
        removed = set(values.get("remove_tags", ()))
        kept = [tag for tag in getattr(record, "tags", ()) if tag not in removed]
        update["tags"] = tuple(dict.fromkeys([*kept, *values.get("add_tags", ())]))
    for name, value in update.items():
        if isinstance(value, list):
            update[name] = tuple(value)
    return record.model_copy(update=update)


def link_values(record: Record, other: Ref, verb: Verb) -> Mapping[str, Any]:
    """The fields of `record` that linking it with `other`, or unlinking, changes; none when `other` holds the link."""
    is_on = verb is Verb.LINK
    if other.kind is Kind.COMPANY and isinstance(record, Contact | Deal):
        return {"company": other if is_on else None if record.company == other else record.company}
    if other.kind is Kind.CONTACT and isinstance(record, Deal | Company):
        rest = tuple(ref for ref in record.contacts if ref != other)
        with_it = record.contacts if other in record.contacts else (*rest, other)
        return {"contacts": with_it if is_on else rest}
    return {}


def field_names(write: Write) -> frozenset[str]:
    """The fields of a record that a write sets."""
    names = {"tags" if name in ("add_tags", "remove_tags") else name for name in write.values()}
    return frozenset(names & RECORDS[write.kind].model_fields.keys())


def means_same(sent: object, found: object) -> bool:
    """A CRM's form of what we sent: trimmed, rounded, in another order, with its own kind of a phone."""
    if sent == found or (not sent and not found and sent is not False and found is not False):
        return True
    match sent, found:
        case str(), str():
            return sent.split() == found.split()
        case datetime(), datetime():
            return abs((sent - found).total_seconds()) < (60 if found.second == 0 else 1)
        case Money(), Money():
            return sent.currency == found.currency and _same_number(sent.amount, found.amount)
        case Decimal() | int(), Decimal() | int():
            return _same_number(Decimal(sent), Decimal(found))
        case (list() | tuple(), list() | tuple()):
            return {_loosely(item) for item in sent} == {_loosely(item) for item in found}
    return False


def same_field(name: str, sent: object, found: Record) -> bool:
    """The record has in field `name` what a write sent; of custom fields, those that were sent."""
    if name == "custom" and isinstance(sent, Sequence):
        changes = [item for item in sent if isinstance(item, FieldChange)]
        return all(means_same(change.value, custom_value(found, change.field)) for change in changes)
    return means_same(sent, getattr(found, name))


def custom_value(record: Record, field: CustomField[Any, Any]) -> object:
    """The value of a custom field, None when it is empty."""
    found = _find(record, field)
    return found.value if found else None


def without_custom(record: R, fields: Sequence[CustomField[Any, Any]]) -> R:
    """The record without these custom fields: what is left to compare when they are explained."""
    hidden = [found.id for field in fields if (found := _find(record, field))]
    rest = tuple(item for item in record.custom if not (isinstance(item, CustomValue) and item.id in hidden))
    return record.model_copy(update={"custom": rest})


def _differs(name: str, before: Record, after: Record) -> bool:
    old, new = getattr(before, name), getattr(after, name)
    if old == new:
        return False
    if name == "custom":
        return _by_id(old) != _by_id(new)
    if name == "tags":
        return set(old) != set(new)
    return True


def _by_id(custom: Sequence[CustomValue | FieldChange[Any]]) -> Mapping[str, object]:
    """Values only: a field that an administrator renamed has not changed in every record."""
    return {item.id: item.value for item in custom if isinstance(item, CustomValue) and item.value is not None}


def _find(record: Record, field: CustomField[Any, Any]) -> CustomValue | None:
    values = [item for item in record.custom if isinstance(item, CustomValue)]
    pins = set(field.pins.values())
    for matches in (
        lambda item: item.id in pins or item.code in pins,
        lambda item: field.code is not None and item.code == field.code,
        lambda item: item.title == field.title,
    ):
        if found := next((item for item in values if matches(item)), None):
            return found
    return None


_TYPES: Mapping[type[Any], FieldType] = {
    str: FieldType.TEXT,
    int: FieldType.INT,
    Decimal: FieldType.DECIMAL,
    bool: FieldType.BOOL,
    date: FieldType.DATE,
    datetime: FieldType.DATETIME,
    Money: FieldType.MONEY,
    tuple: FieldType.MULTIENUM,
}


def _with_custom(record: Record, changes: Sequence[CustomValue | FieldChange[Any]]) -> tuple[CustomValue, ...]:
    kept = [item for item in record.custom if isinstance(item, CustomValue)]
    for change in changes:
        if isinstance(change, CustomValue):
            kept = [*(item for item in kept if item.id != change.id), change]
            continue
        token, old = change.field, _find(record, change.field)
        place = kept.index(old) if old in kept else len(kept)
        if old is None:
            # The CRM's own id is not known before the record is loaded.
            name = next(iter(token.pins.values()), token.code or token.title)
            old = CustomValue(id=name, code=token.code, title=token.title, type=_TYPES[token.type])
        new = [] if change.value is None else [old.model_copy(update={"value": change.value})]
        kept[place : place + 1] = new
    return tuple(kept)


def _same_number(sent: Decimal, found: Decimal) -> bool:
    is_whole = found == found.to_integral_value()
    return abs(sent - found) < (1 if is_whole else Decimal("0.01"))


def _loosely(item: object) -> object:
    match item:
        case Phone():
            return "".join(sign for sign in item.e164 or item.raw if sign.isdigit())[-10:]
        case Email():
            return item.value.strip().casefold()
        case str():
            return " ".join(item.split())
    return item if isinstance(item, Ref) else repr(item)
