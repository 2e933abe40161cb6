"""Entities of amoCRM as our records: pure, tolerant of what the vendor leaves out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from crmkit.home import Home
from crmkit.models import (
    Company,
    Contact,
    CustomValue,
    Deal,
    Email,
    FieldDef,
    FieldType,
    Lead,
    LineItem,
    Outcome,
    Pipeline,
    Record,
    Stage,
    StageRef,
    User,
)
from crmkit.mould import Mould
from crmkit.values import Kind, Money, Ref
from crmkit_amocrm.errors.refusals import unreadable
from crmkit_amocrm.translate.custom import FIELD_TYPES, finite_or_none, read_fields
from crmkit_amocrm.translate.entity import DEFAULTS, head, phone_of, text_of, time_of
from crmkit_amocrm.translate.timeline import from_call, from_note, from_task
from crmkit_amocrm.wire import LOST, WON, Item

_NOTHING: Mapping[str, Any] = {}


def from_lead(raw: Item, account: Home) -> Deal:
    """The deal that an amoCRM lead is."""
    inner = raw.get("_embedded") or _NOTHING
    status, elements = raw.get("status_id"), inner.get("catalog_elements")
    values = head(raw, Kind.DEAL, account)
    if fields := raw.get("custom_fields_values"):
        values["custom"] = read_fields(fields, account).custom
    values["title"] = str(raw.get("name") or "")
    values["amount"] = _price(raw, account)
    values["stage"] = None if status is None else _stage(raw.get("pipeline_id", ""), status)
    values["outcome"] = _OUTCOMES.get(status, Outcome.OPEN)
    values["closed_at"] = time_of(raw.get("closed_at"))
    values["loss_reason"] = _loss_reason(inner.get("loss_reason"))
    values["contacts"] = _contacts(inner.get("contacts"), account)
    values["company"] = _first_ref(inner.get("companies"), Kind.COMPANY, account)
    values["source"] = _source(raw, inner)
    values["items"] = tuple([_line_item(element, account) for element in elements]) if elements else ()
    values["tags"] = _tags(inner.get("tags"))
    values["last_activity_at"] = None
    return _deal_mould(status is not None, bool(inner), bool(elements)).cast(values)


def from_contact(raw: Item, account: Home) -> Contact:
    """The person; phones and e-mails out of their multitext fields, the birthday out of the first such field."""
    inner = raw.get("_embedded") or _NOTHING
    fields = read_fields(raw.get("custom_fields_values"), account)
    values = head(raw, Kind.CONTACT, account)
    values["custom"] = fields.custom
    values["name"] = str(raw.get("name") or "")
    values["first_name"] = text_of(raw.get("first_name") or None)
    values["middle_name"] = None
    values["last_name"] = text_of(raw.get("last_name") or None)
    values["phones"], values["emails"] = fields.phones, fields.emails
    values["company"] = _first_ref(inner.get("companies"), Kind.COMPANY, account)
    values["birthday"] = _birthday(raw, fields.custom) if fields.custom else None
    values["tags"] = _tags(inner.get("tags"))
    return _CONTACT.cast(values)


def from_company(raw: Item, account: Home) -> Company:
    """The organisation; tax numbers out of a legal entity field, or of fields titled ИНН and КПП."""
    inner = raw.get("_embedded") or _NOTHING
    fields = read_fields(raw.get("custom_fields_values"), account)
    values = head(raw, Kind.COMPANY, account)
    values["name"] = str(raw.get("name") or "")
    values["custom"], values["phones"], values["emails"] = fields
    values["site"] = next((str(item.value) for item in fields.custom if item.code == "WEB" and item.value), None)
    values["inn"] = _tax_number(fields.custom, "ИНН", "INN", ("vat_id", "inn"))
    values["kpp"] = _tax_number(fields.custom, "КПП", "KPP", ("kpp", "tax_registration_reason_code"))
    values["contacts"] = _contacts(inner.get("contacts"), account)
    values["tags"] = _tags(inner.get("tags"))
    return _COMPANY.cast({**DEFAULTS[Company], **values})


def from_user(raw: Item, account: Home) -> User:
    """The employee; deleted ones vanish from the vendor's list altogether."""
    rights = raw.get("rights") or _NOTHING
    number = raw.get("phone_number")
    values = head(raw, Kind.USER, account)
    values["name"] = str(raw.get("name") or "")
    values["email"] = text_of(raw.get("email") or None)
    values["phone"] = phone_of(str(number), account) if number else None
    values["group_id"] = text_of(rights.get("group_id"))
    values["is_active"] = bool(rights.get("is_active", True))
    values["is_admin"] = bool(rights.get("is_admin", False))
    return _USER.cast({**DEFAULTS[User], **values})


def from_pipeline(raw: Item, account: Home) -> Pipeline:
    """The pipeline with its stages in order; 142 wins and 143 loses in every one of them."""
    inner = raw.get("_embedded") or _NOTHING
    pipeline_id = str(raw["id"])
    found = sorted(inner.get("statuses") or [], key=lambda status: status.get("sort") or 0)
    values = head(raw, Kind.PIPELINE, account)
    values["name"] = str(raw.get("name") or "")
    values["sort"] = raw.get("sort") or 0
    values["is_main"] = bool(raw.get("is_main"))
    values["is_archived"] = bool(raw.get("is_archive"))
    values["stages"] = tuple(
        Stage(
            ref=StageRef(pipeline_id=pipeline_id, stage_id=str(status["id"])),
            name=status.get("name") or "",
            sort=status.get("sort") or 0,
            outcome=_OUTCOMES.get(status["id"], Outcome.OPEN),
            is_incoming=status.get("type") == 1,
        )
        for status in found
    )
    return _PIPELINE.cast({**DEFAULTS[Pipeline], **values})


def from_unsorted(raw: Item, account: Home) -> Lead:
    """The request that nobody has accepted yet, with the deal that already exists for it."""
    inner = raw.get("_embedded") or _NOTHING
    data = raw.get("metadata") or _NOTHING
    sender = data.get("client") or _NOTHING
    phone, email = data.get("phone"), data.get("email")
    values = head(raw, Kind.LEAD, account)
    values["ref"] = Ref(account.key, Kind.LEAD, str(raw["uid"]))
    values["title"] = str(
        data.get("form_name") or data.get("subject") or sender.get("name") or raw.get("source_name") or ""
    )
    values["status"] = "unsorted"
    values["source"] = raw.get("source_name") or raw.get("category")
    values["phones"] = (phone_of(str(phone), account),) if phone else ()
    values["emails"] = (Email(value=str(email)),) if email else ()
    values["deal"] = _first_ref(inner.get("leads"), Kind.DEAL, account)
    values["contact"] = _first_ref(inner.get("contacts"), Kind.CONTACT, account)
    values["company"] = _first_ref(inner.get("companies"), Kind.COMPANY, account)
    return _LEAD.cast({**DEFAULTS[Lead], **values})


def field_def(raw: Item, kind: Kind) -> FieldDef:
    """A custom field's definition."""
    return FieldDef(
        kind=kind,
        id=str(raw["id"]),
        code=raw.get("code") or None,
        title=raw.get("name") or "",
        type=_field_type(raw),
        vendor_type=raw.get("type") or "",
        options={str(option["value"]): str(option["id"]) for option in raw.get("enums") or []},
        is_required=bool(raw.get("required_statuses") or raw.get("is_required")),
        is_computed=bool(raw.get("is_computed")),
    )


def from_item(kind: Kind, raw: Item, account: Home) -> Record:
    """The record of a kind that an entity is. Raises BadPayload for one that has no id, or values nobody expects."""
    try:
        record = _TRANSLATORS[kind](raw, account)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise unreadable(account.key, kind.value) from error
    if not record.ref.id:
        raise unreadable(account.key, kind.value)
    return record


_TRANSLATORS: Mapping[Kind, Callable[[Item, Home], Record]] = {
    Kind.DEAL: from_lead,
    Kind.CONTACT: from_contact,
    Kind.COMPANY: from_company,
    Kind.TASK: from_task,
    Kind.NOTE: from_note,
    Kind.CALL: from_call,
    Kind.USER: from_user,
    Kind.PIPELINE: from_pipeline,
    Kind.LEAD: from_unsorted,
}
_OUTCOMES: Mapping[Any, Outcome] = {WON: Outcome.WON, LOST: Outcome.LOST}
_CONTACT = Mould(Contact, "middle_name")
_COMPANY = Mould(Company)
_LEAD = Mould(Lead, "custom")
_USER = Mould(User, "custom", "extension")
_PIPELINE = Mould(Pipeline, "custom")
_CARDS = ("loss_reason", "contacts", "company", "tags")


@cache
def _deal_mould(has_stage: bool, has_cards: bool, has_items: bool) -> Mould[Deal]:
    """What a lead did not tell of, as in hooks, counts as not set."""
    untold = () if has_stage else ("stage", "outcome")
    cards = () if has_cards else _CARDS
    return Mould(Deal, "last_activity_at", *untold, *cards, *(() if has_items else ("items",)))


@lru_cache(maxsize=1024)
def _stage(pipeline_id: object, status_id: object) -> StageRef:
    # A few for all leads: they are frozen.
    return StageRef(pipeline_id=str(pipeline_id), stage_id=str(status_id))


def _price(raw: Item, account: Home) -> Money | None:
    price = raw.get("price_with_minor_units")
    if price is None:
        price = raw.get("price")
    if price is None:
        return None
    return Money(Decimal(price) if type(price) is int else Decimal(str(price)), account.currency)


def _contacts(found: Sequence[Item] | None, account: Home) -> tuple[Ref, ...]:
    if not found:
        return ()
    if len(found) > 1:
        found = sorted(found, key=lambda item: not item.get("is_main"))
    return tuple(Ref(account.key, Kind.CONTACT, str(item["id"])) for item in found)


def _first_ref(found: Sequence[Item] | None, kind: Kind, account: Home) -> Ref | None:
    return Ref(account.key, kind, str(found[0]["id"])) if found else None


def _tags(found: Sequence[Item] | None) -> tuple[str, ...]:
    return tuple([str(tag.get("name", "")) for tag in found]) if found else ()


def _loss_reason(found: Any) -> str | None:
    if not found:
        return None
    # An array in the Russian pages, an object in the international ones.
    reason = found[0] if isinstance(found, list) else found
    return str(reason["name"]) if isinstance(reason, Mapping) and reason.get("name") else None


def _line_item(element: Item, account: Home) -> LineItem:
    data = element.get("metadata") or _NOTHING
    price = finite_or_none(element.get("price"))
    return LineItem(
        product_id=f"{data.get('catalog_id', '')}.{element['id']}",
        name=str(element.get("name") or ""),
        quantity=Decimal(str(data.get("quantity") or 1)),
        price=None if price is None else Money(price, account.currency),
    )


def _source(raw: Item, inner: Mapping[str, Any]) -> str | None:
    source = inner.get("source")
    if source and isinstance(source, Mapping) and (source.get("name") or source.get("external_id")):
        return str(source.get("name") or source.get("external_id"))
    return text_of(raw.get("source_id"))


def _birthday(raw: Item, custom: Sequence[CustomValue]) -> date | None:
    ids = {str(item.get("field_id")) for item in raw.get("custom_fields_values") or [] if _is_birthday(item)}
    found = next((item.value for item in custom if item.id in ids), None) if ids else None
    return found if isinstance(found, date) and not isinstance(found, datetime) else None


def _is_birthday(item: Item) -> bool:
    return item.get("field_type") == "birthday"


def _tax_number(custom: Sequence[CustomValue], title: str, code: str, keys: Sequence[str]) -> str | None:
    for item in custom:
        named = item.title.strip().upper() == title or (item.code or "").upper() == code
        if named and item.value and item.type is not FieldType.JSON:
            return str(item.value).strip()
    for item in custom:
        if item.type is FieldType.JSON and isinstance(item.value, str):
            entity = json.loads(item.value)
            found = next((entity[key] for key in keys if entity.get(key)), None) if isinstance(entity, dict) else None
            if found:
                return str(found).strip()
    return None


def _field_type(raw: Item) -> FieldType:
    if raw.get("type") == "multitext":
        return {"PHONE": FieldType.PHONE, "EMAIL": FieldType.EMAIL}.get(raw.get("code") or "", FieldType.TEXT)
    return FIELD_TYPES.get(raw.get("type") or "", FieldType.UNKNOWN)
