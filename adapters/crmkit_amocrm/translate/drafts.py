"""Records and changes as bodies of amoCRM's writes: only the fields that were set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from crmkit.fields import nearest
from crmkit.models import (
    Contact,
    CustomField,
    CustomValue,
    FieldChange,
    FieldDef,
    FieldType,
    LineItem,
    Outcome,
)
from crmkit.values import Json, Kind, Ref
from crmkit_amocrm.errors.refusals import refused_draft
from crmkit_amocrm.translate.assign import Names, Wire, assigned, emails_of, filled, phones_of
from crmkit_amocrm.wire import LOST, PATHS, WON


@dataclass(slots=True)
class Draft:
    """One item of a write, and what has to be linked once the record is there."""

    kind: Kind
    names: Names
    is_new: bool
    item: Wire = field(default_factory=dict)
    links: list[Wire] = field(default_factory=list)
    company: Ref | None = None
    changes_company: bool = False

    def embed(self, name: str, items: list[Wire]) -> None:
        """Put items under `_embedded`."""
        self.item.setdefault("_embedded", {})[name] = items

    def custom(self, entry: Wire) -> None:
        """Add one filled custom field."""
        self.item.setdefault("custom_fields_values", []).append(entry)

    def refuse(self, name: str, reason: str, remedy: str) -> Exception:
        """The error for a field that cannot be written."""
        return refused_draft(self.names.account().key, name, reason, remedy)


def drafted(kind: Kind, values: Mapping[str, Any], extra: Mapping[str, Json], names: Names, *, is_new: bool) -> Draft:
    """The body of a create or an update.

    Raises Rejected for a field that amoCRM cannot take, naming it.
    """
    draft = Draft(kind, names, is_new)
    writers = _WRITERS[kind]
    for name, value in values.items():
        writer = writers.get(name)
        if writer is None:
            raise draft.refuse(name, f"amoCRM cannot write {name} of a {kind.value}", _REMEDIES.get(name, _EXTRA))
        if value is not None or not is_new:
            writer(draft, value)
    if kind is Kind.CONTACT and "middle_name" in values:
        _with_middle_name(draft, values)
    draft.item = laid_over(draft.item, extra)
    return draft


def laid_over(item: Mapping[str, Any], extra: Mapping[str, Any]) -> Wire:
    """`extra` over `item`: objects are merged, lists of custom fields joined, all else replaced."""
    found = dict(item)
    for name, value in extra.items():
        old = found.get(name)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            found[name] = laid_over(old, value)
        elif name == "custom_fields_values" and isinstance(old, list) and isinstance(value, Sequence):
            found[name] = [*old, *value]
        else:
            found[name] = value
    return found


_EXTRA = "Leave it out, or send the vendor's own field with extra=."
_REMEDIES = {
    "source": "Send {'_embedded': {'source': ...}} with extra=, or keep the source in a custom field.",
    "last_activity_at": "amoCRM computes it; leave it out.",
    "updated_by": "amoCRM notes it by itself; leave it out.",
}

Writer = Callable[[Draft, Any], None]


def _direct(wire_name: str) -> Writer:
    def write(draft: Draft, value: Any) -> None:
        draft.item[wire_name] = value

    return write


def _number(wire_name: str) -> Writer:
    def write(draft: Draft, value: Any) -> None:
        text = str(value)
        if value is not None and not text.isdigit():
            raise draft.refuse(wire_name, f"{text!r} is no id of amoCRM", "Give the number that amoCRM shows.")
        draft.item[wire_name] = None if value is None else int(text)

    return write


def _moment(wire_name: str) -> Writer:
    def write(draft: Draft, value: datetime | None) -> None:
        draft.item[wire_name] = None if value is None else int(value.timestamp())

    return write


def _nothing(draft: Draft, value: Any) -> None:
    """A claim that follows from other fields and needs no writing of its own."""


def _custom(draft: Draft, value: Sequence[FieldChange[Any] | CustomValue]) -> None:
    for change in value:
        if isinstance(change, FieldChange):
            draft.custom(assigned(draft.kind, change.field, change.value, draft.names))
        else:
            draft.custom(_copied(draft, change))


def _copied(draft: Draft, value: CustomValue) -> Wire:
    # A record read from the same account may be written back as a draft: its values name their fields by id.
    token: CustomField[Any, Any] = CustomField(Contact, str, value.title, amocrm=value.id)
    return assigned(draft.kind, token, value.value, draft.names)


def _phones(draft: Draft, value: Any) -> None:
    draft.custom(phones_of(value or ()))


def _emails(draft: Draft, value: Any) -> None:
    draft.custom(emails_of(value or ()))


def _tags(draft: Draft, value: Sequence[str]) -> None:
    if value:
        draft.embed("tags", [{"name": name} for name in value])


def _add_tags(draft: Draft, value: Sequence[str]) -> None:
    draft.item["tags_to_add"] = [{"name": name} for name in value]


def _remove_tags(draft: Draft, value: Sequence[str]) -> None:
    draft.item["tags_to_delete"] = [{"name": name} for name in value]


def _company(draft: Draft, value: Ref | None) -> None:
    if draft.is_new and value is not None:
        draft.embed("companies", [{"id": int(value.id)}])
    else:
        draft.company, draft.changes_company = value, True


def _linked_contacts(draft: Draft, value: Sequence[Ref]) -> None:
    draft.links.extend({"to_entity_id": int(ref.id), "to_entity_type": "contacts"} for ref in value)


def _deal_contacts(draft: Draft, value: Sequence[Ref]) -> None:
    if value:
        draft.embed("contacts", [{"id": int(ref.id), "is_main": not index} for index, ref in enumerate(value)])


def _items(draft: Draft, value: Sequence[LineItem]) -> None:
    for item in value:
        catalog, _, element = (item.product_id or "").partition(".")
        if not (catalog.isdigit() and element.isdigit()):
            raise draft.refuse(
                "items",
                f"the row {item.name!r} names no product of a list",
                "Set product_id to '<list id>.<element id>'; amoCRM's deals hold elements of lists only.",
            )
        quantity = int(item.quantity) if item.quantity == item.quantity.to_integral_value() else float(item.quantity)
        draft.links.append(
            {
                "to_entity_id": int(element),
                "to_entity_type": "catalog_elements",
                "metadata": {"catalog_id": int(catalog), "quantity": quantity},
            }
        )


def _amount(draft: Draft, value: Any) -> None:
    amount = Decimal(0) if value is None else value.amount
    currency = draft.names.account().currency
    if value is not None and value.currency != currency:
        raise draft.refuse("amount", f"the account counts in {currency}", "Convert the amount first.")
    draft.item["price"] = int(amount) if amount == amount.to_integral_value() else float(amount)


def _stage(draft: Draft, value: Any) -> None:
    _number("status_id")(draft, value.stage_id)
    if value.pipeline_id:
        _number("pipeline_id")(draft, value.pipeline_id)


def _outcome(draft: Draft, value: Outcome) -> None:
    closing = {Outcome.WON: WON, Outcome.LOST: LOST}.get(value)
    if closing is not None:
        draft.item.setdefault("status_id", closing)


def _loss_reason(draft: Draft, value: str | None) -> None:
    if value is None:
        draft.item["loss_reason_id"] = None
        return
    found = draft.names.loss_reasons()
    if value not in found:
        found = draft.names.loss_reasons(afresh=True)
    if value not in found:
        near = nearest(value, found)
        hint = f"Did you mean {near!r}?" if near else f"Known: {', '.join(sorted(found)) or 'none'}."
        raise draft.refuse("loss_reason", f"the account has no reason {value!r}", hint)
    draft.item["loss_reason_id"] = found[value]


def _about(draft: Draft, value: Ref | None) -> None:
    path = PATHS.get(value.kind) if value is not None else None
    if value is not None and value.kind not in (Kind.DEAL, Kind.CONTACT, Kind.COMPANY):
        raise draft.refuse("about", f"a {value.kind.value} has no card", "Name a contact, a company or a deal.")
    draft.item["entity_id"] = int(value.id) if value is not None else None
    draft.item["entity_type"] = path


def _result(draft: Draft, value: str | None) -> None:
    draft.item["result"] = {"text": value or ""}


def _birthday(draft: Draft, value: Any) -> None:
    _into(draft, "birthday", value, lambda one: one.vendor_type == "birthday", "Create a field of type birthday.")


def _site(draft: Draft, value: Any) -> None:
    _into(draft, "site", value, lambda one: one.code == "WEB", "Create a field with the code WEB.")


def _tax_number(name: str, title: str) -> Writer:
    def write(draft: Draft, value: Any) -> None:
        def fits(one: FieldDef) -> bool:
            named = one.title.strip().upper() == title or (one.code or "").upper() == name.upper()
            return named and one.type is not FieldType.JSON

        entity = next((one for one in draft.names.fields(draft.kind) if one.vendor_type == "legal_entity"), None)
        has_field = any(fits(one) for one in draft.names.fields(draft.kind))
        if entity is not None and not has_field and draft.is_new:
            _into_entity(draft, entity, "vat_id" if name == "inn" else "kpp", value)
        else:
            _into(draft, name, value, fits, f"Create a text field titled {title}.")

    return write


def _into_entity(draft: Draft, entity: FieldDef, key: str, value: Any) -> None:
    entries = draft.item.setdefault("custom_fields_values", [])
    found = next((one for one in entries if one.get("field_id") == int(entity.id)), None)
    if found is None:
        found = {"field_id": int(entity.id), "values": [{"value": {"name": draft.item.get("name") or "-"}}]}
        entries.append(found)
    found["values"][0]["value"][key] = str(value)


def _into(draft: Draft, name: str, value: Any, fits: Callable[[FieldDef], bool], remedy: str) -> None:
    found = next((one for one in draft.names.fields(draft.kind) if fits(one)), None)
    if found is None:
        raise draft.refuse(name, f"the account has no field for it on a {draft.kind.value}", remedy)
    if found.type is FieldType.DECIMAL and isinstance(value, str) and value.isdigit():
        value = Decimal(value)
    draft.custom(filled(found, value, draft.names.account()))


def _with_middle_name(draft: Draft, values: Mapping[str, Any]) -> None:
    # amoCRM has no middle name: people write it behind the first one.
    first = values.get("first_name")
    if values["middle_name"] and not first:
        raise draft.refuse("middle_name", "amoCRM keeps it inside the first name", "Send first_name with it.")
    if first:
        draft.item["first_name"] = " ".join(part for part in (first, values["middle_name"]) if part)


def _note_text(draft: Draft, value: str) -> None:
    draft.item.setdefault("params", {})["text"] = value


_COMMON: Mapping[str, Writer] = {
    "owner_id": _number("responsible_user_id"),
    "created_at": _moment("created_at"),
    "created_by": _number("created_by"),
    "updated_at": _moment("updated_at"),
    "is_deleted": _nothing,
    "url": _nothing,
}
_TAGGED: Mapping[str, Writer] = {
    **_COMMON,
    "custom": _custom,
    "tags": _tags,
    "add_tags": _add_tags,
    "remove_tags": _remove_tags,
}
_WRITERS: Mapping[Kind, Mapping[str, Writer]] = {
    Kind.CONTACT: {
        **_TAGGED,
        "name": _direct("name"),
        "first_name": _direct("first_name"),
        "middle_name": _nothing,
        "last_name": _direct("last_name"),
        "phones": _phones,
        "emails": _emails,
        "company": _company,
        "birthday": _birthday,
    },
    Kind.COMPANY: {
        **_TAGGED,
        "name": _direct("name"),
        "phones": _phones,
        "emails": _emails,
        "site": _site,
        "inn": _tax_number("inn", "ИНН"),
        "kpp": _tax_number("kpp", "КПП"),
        "contacts": _linked_contacts,
    },
    Kind.DEAL: {
        **_TAGGED,
        "title": _direct("name"),
        "amount": _amount,
        "stage": _stage,
        "outcome": _outcome,
        "closed_at": _moment("closed_at"),
        "loss_reason": _loss_reason,
        "contacts": _deal_contacts,
        "company": _company,
        "items": _items,
    },
    Kind.TASK: {
        **_COMMON,
        "text": _direct("text"),
        "due": _moment("complete_till"),
        "about": _about,
        "is_done": _direct("is_completed"),
        "result": _result,
        "task_type": _number("task_type_id"),
    },
    Kind.NOTE: {
        **_COMMON,
        "text": _note_text,
        "about": _about,
        "note_type": _direct("note_type"),
    },
}
"""What writes each field of each kind; a field that is missing here is refused by name."""
