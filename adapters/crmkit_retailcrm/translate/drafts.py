"""Records and changes as bodies of retailCRM's writes: only the fields that were set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from crmkit.identity import parse_name
from crmkit.models import CustomValue, Email, FieldChange, LineItem, Outcome, Phone, StageRef
from crmkit.values import Json, Kind, Money, Ref
from crmkit_retailcrm.errors.refusals import refused_draft
from crmkit_retailcrm.translate.custom import Names, assigned, restored
from crmkit_retailcrm.translate.home import to_minute, to_moment, to_number
from crmkit_retailcrm.wire import CORPORATE, NEW_PIPELINE

_PARTS = ("first_name", "middle_name", "last_name")


@dataclass(slots=True)
class Draft:
    """One body of a write, and what takes a request of its own once the record is there.

    Args:
        company: the corporate customer that a contact becomes a contact of.
        people: the contacts of a corporate customer.
        legal: fields of a corporate customer's main legal entity.
        amount: what an order is to come to; its items make the sum.
        result: what came of a task; it stands in its commentary.
    """

    kind: Kind
    names: Names
    is_new: bool
    item: dict[str, Any] = field(default_factory=dict)
    company: Ref | None = None
    people: tuple[Ref, ...] = ()
    legal: dict[str, Any] = field(default_factory=dict)
    amount: Money | None = None
    result: str | None = None

    def custom(self, code: str, value: Any) -> None:
        """Set one custom field."""
        self.item.setdefault("customFields", {})[code] = value

    def refuse(self, name: str, reason: str, remedy: str) -> Exception:
        """The error for a field that cannot be written."""
        return refused_draft(self.names.account().key, name, reason, remedy)


def drafted(kind: Kind, values: Mapping[str, Any], extra: Mapping[str, Json], names: Names, *, is_new: bool) -> Draft:
    """The body of a create or an update.

    Raises Rejected for a field that retailCRM cannot take, naming it.
    """
    draft = Draft(kind, names, is_new)
    writers = _WRITERS[kind]
    for name, value in values.items():
        writer = writers.get(name)
        if writer is None:
            raise draft.refuse(name, f"retailCRM cannot write {name} of a {kind.value}", _REMEDIES.get(name, _EXTRA))
        if value is not None or not is_new:
            writer(draft, value)
    if kind is Kind.CONTACT and values.get("name") and not any(values.get(part) for part in _PARTS):
        draft.item |= _named(str(values["name"]), is_new=is_new)
    draft.item = laid_over(draft.item, extra)
    return draft


def laid_over(item: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """`extra` over `item`: objects are merged, all else replaced."""
    found = dict(item)
    for name, value in extra.items():
        old = found.get(name)
        found[name] = laid_over(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return found


def amount_item(title: str, amount: Money) -> dict[str, Any]:
    """The one item of an order that was given a sum and no items."""
    return {"productName": title or "Сумма", "initialPrice": to_number(amount.amount), "quantity": 1}


_EXTRA = "Leave it out, or send the vendor's own field with extra=."
_REMEDIES = {
    "tags": "Orders have no tags; tag the customer, or use a custom field.",
    "add_tags": "Orders have no tags; tag the customer, or use a custom field.",
    "remove_tags": "Orders have no tags; tag the customer, or use a custom field.",
    "last_activity_at": "It is computed; leave it out.",
    "task_type": "Tasks of retailCRM have no type.",
}

Writer = Callable[[Draft, Any], None]


def _named(name: str, *, is_new: bool) -> dict[str, Any]:
    """A whole name in its parts, where putting them together again gives the same name."""
    parts = parse_name(name)
    first, middle, last = parts.first, parts.middle, parts.last
    if " ".join(part for part in (first, middle, last) if part) != name:
        first, middle, last = name, None, None
    found = {"firstName": first, "patronymic": middle, "lastName": last}
    return {key: part for key, part in found.items() if part or not is_new}


def _direct(wire_name: str) -> Writer:
    def write(draft: Draft, value: Any) -> None:
        draft.item[wire_name] = value

    return write


def _nothing(draft: Draft, value: Any) -> None:
    """A claim that follows from other fields and needs no writing of its own."""


def _owner(wire_name: str) -> Writer:
    def write(draft: Draft, value: str | None) -> None:
        if value is None:
            draft.item[wire_name] = None
            return
        if not value.isdigit() or not draft.names.has_user(value):
            raise draft.refuse("owner_id", f"there is no user {value}", "Give the id of a user of the account.")
        draft.item[wire_name] = int(value)
        if draft.kind is Kind.TASK:
            draft.item["performerType"] = "user"

    return write


def _created_at(draft: Draft, value: datetime | None) -> None:
    if value is not None:
        draft.item["createdAt"] = to_moment(value, draft.names.account().timezone)


def _custom(draft: Draft, value: Sequence[FieldChange[Any] | CustomValue]) -> None:
    for change in value:
        if isinstance(change, FieldChange):
            draft.custom(*assigned(draft.kind, change.field, change.value, draft.names))
        else:
            draft.custom(*restored(draft.kind, change, draft.names))


def _add_tags(draft: Draft, value: Sequence[str]) -> None:
    draft.item["addTags"] = list(value)


def _remove_tags(draft: Draft, value: Sequence[str]) -> None:
    draft.item["removeTags"] = list(value)


def _phones(draft: Draft, value: Sequence[Phone] | None) -> None:
    numbers = [phone.raw or phone.e164 for phone in value or ()]
    if draft.kind is Kind.CONTACT:
        draft.item["phones"] = [{"number": number} for number in numbers]
    else:
        _in_role(draft, "phones", "phone", ", ".join(str(number) for number in numbers))


def _emails(draft: Draft, value: Sequence[Email] | None) -> None:
    found = [email.value for email in value or ()]
    if draft.kind is not Kind.CONTACT:
        _in_role(draft, "emails", "email", ", ".join(found))
        return
    if len(found) > 1:
        raise draft.refuse("emails", "a customer has one e-mail", "Send the main one; keep others in a custom field.")
    draft.item["email"] = found[0] if found else None


def _in_role(draft: Draft, name: str, role: str, text: str) -> None:
    code = draft.names.role(role)
    if code is None:
        raise draft.refuse(
            name,
            f"a corporate customer has no {name}",
            f"Make a text field for corporate customers and name it in the setting company_{role}_field.",
        )
    draft.custom(code, text or None)


def _birthday(draft: Draft, value: date | None) -> None:
    draft.item["birthday"] = value.isoformat() if value else None


def _contact_company(draft: Draft, value: Ref | None) -> None:
    if value is None:
        raise draft.refuse("company", "a contact leaves a company by unlink", "Use contacts.unlink(contact, company).")
    draft.company = value


def _legal(wire_name: str) -> Writer:
    def write(draft: Draft, value: str | None) -> None:
        draft.legal.setdefault("contragent", {"contragentType": "legal-entity"})[wire_name] = value

    return write


def _site(draft: Draft, value: str | None) -> None:
    draft.legal["site"] = value


def _company_people(draft: Draft, value: Sequence[Ref]) -> None:
    draft.people = tuple(value)


def _title(draft: Draft, value: str) -> None:
    code = draft.names.role("title")
    if code is not None:
        draft.custom(code, value)
    elif draft.is_new:
        draft.item["number"] = value
    else:
        raise draft.refuse(
            "title",
            "an order has a number and no title",
            "Make a text field for orders and name it in the setting title_field.",
        )


def _amount(draft: Draft, value: Money | None) -> None:
    if value is None:
        raise draft.refuse("amount", "an order's sum is made of its items", "Take the items out in the CRM.")
    draft.amount = value


def _stage(draft: Draft, value: StageRef) -> None:
    if not draft.names.has_stage(value.pipeline_id, value.stage_id):
        raise draft.refuse(
            "stage", f"there is no status {value.stage_id} of order type {value.pipeline_id}", "Ask crm.pipelines."
        )
    draft.item["status"] = value.stage_id
    if value.pipeline_id != NEW_PIPELINE:
        draft.item["orderType"] = value.pipeline_id


def _outcome(draft: Draft, value: Outcome) -> None:
    if value is not Outcome.OPEN:
        raise draft.refuse("outcome", "the stage decides it", "Set stage to a status that wins or loses.")


def _loss_reason(draft: Draft, value: str | None) -> None:
    draft.item["statusComment"] = value


def _deal_contacts(draft: Draft, value: Sequence[Ref]) -> None:
    if len(value) > 1:
        raise draft.refuse(
            "contacts", "an order has one person", "Send the main one; others can be contacts of its company."
        )
    for person in value:
        # Fields come in the order of their names, so that a company is there already.
        side = "contact" if "customer" in draft.item else "customer"
        draft.item[side] = {"id": int(person.id), "type": "customer"}


def _deal_company(draft: Draft, value: Ref | None) -> None:
    if value is not None:
        draft.item["customer"] = {"id": int(value.id), "type": CORPORATE}


def _items(draft: Draft, value: Sequence[LineItem]) -> None:
    draft.item["items"] = [_item(draft, item) for item in value]


def _item(draft: Draft, item: LineItem) -> dict[str, Any]:
    found: dict[str, Any] = {"quantity": to_number(item.quantity)}
    if item.product_id and not item.product_id.isdigit():
        raise draft.refuse(
            "items", f"{item.product_id!r} is no id of an offer", "Leave product_id out, or give the id."
        )
    if item.product_id:
        found["offer"] = {"id": int(item.product_id)}
    else:
        found["productName"] = item.name
    if item.price is not None:
        found["initialPrice"] = to_number(item.price.amount)
    return found


def _source(draft: Draft, value: str | None) -> None:
    draft.item["source"] = {"source": value}


def _due(draft: Draft, value: datetime | None) -> None:
    draft.item["datetime"] = to_minute(value, draft.names.account().timezone) if value else None


def _about(draft: Draft, value: Ref | None) -> None:
    if not draft.is_new:
        draft.item |= {"customer": None, "order": None}
    if value is None:
        return
    if value.kind is Kind.DEAL:
        draft.item["order"] = {"id": int(value.id)}
    elif value.kind in (Kind.CONTACT, Kind.COMPANY):
        type_ = CORPORATE if value.kind is Kind.COMPANY else "customer"
        draft.item["customer"] = {"id": int(value.id), "type": type_}
    else:
        raise draft.refuse("about", f"nothing stands on a {value.kind.value}", "Choose a deal, contact or company.")


def _result(draft: Draft, value: str | None) -> None:
    draft.result = value or ""


_COMMON: Mapping[str, Writer] = {
    "owner_id": _owner("managerId"),
    "created_at": _created_at,
    "is_deleted": _nothing,
    "updated_at": _nothing,
    "url": _nothing,
}
_TAGGED: Mapping[str, Writer] = {
    **_COMMON,
    "custom": _custom,
    "tags": _add_tags,
    "add_tags": _add_tags,
    "remove_tags": _remove_tags,
    "phones": _phones,
    "emails": _emails,
}
_WRITERS: Mapping[Kind, Mapping[str, Writer]] = {
    Kind.CONTACT: {
        **_TAGGED,
        "name": _nothing,
        "first_name": _direct("firstName"),
        "middle_name": _direct("patronymic"),
        "last_name": _direct("lastName"),
        "company": _contact_company,
        "birthday": _birthday,
    },
    Kind.COMPANY: {
        **_TAGGED,
        "name": _direct("nickName"),
        "site": _site,
        "inn": _legal("INN"),
        "kpp": _legal("KPP"),
        "contacts": _company_people,
    },
    Kind.DEAL: {
        **_COMMON,
        "custom": _custom,
        "title": _title,
        "amount": _amount,
        "stage": _stage,
        "outcome": _outcome,
        "closed_at": _nothing,
        "loss_reason": _loss_reason,
        "contacts": _deal_contacts,
        "company": _deal_company,
        "source": _source,
        "items": _items,
    },
    Kind.TASK: {
        **_COMMON,
        "owner_id": _owner("performerId"),
        "text": _direct("text"),
        "due": _due,
        "about": _about,
        "is_done": _direct("complete"),
        "result": _result,
    },
}
"""What writes each field of each kind; a field that is missing here is refused by name."""
