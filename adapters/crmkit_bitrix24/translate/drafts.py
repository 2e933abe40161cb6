"""Records as they are written: our fields to the vendor's, and what has to be written apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from crmkit.fields import defined
from crmkit.identity import parse_name
from crmkit.models import FieldChange, LineItem, StageRef
from crmkit.values import Json, Kind, Money, Ref
from crmkit_bitrix24.errors.refusals import REFUSALS, refused_draft
from crmkit_bitrix24.translate.assign import Names, assigned
from crmkit_bitrix24.translate.dialect import universal_name
from crmkit_bitrix24.translate.multifields import Wanted, wanted_emails, wanted_phones
from crmkit_bitrix24.translate.timeline import RESULT
from crmkit_bitrix24.wire import stage_of

_OWNERS: Mapping[Kind, str] = {Kind.TASK: "RESPONSIBLE_ID", Kind.NOTE: "AUTHOR_ID"}


@dataclass(slots=True)
class Draft:
    """What a write sends: fields of the card, and what Bitrix24 keeps elsewhere.

    Args:
        fields: the card's own fields, in the names of the family that its kind is written by.
        multifields: the whole new list of each multifield.
        requisites: tax numbers of a company, by `RQ_` name.
        items: product rows of a deal; None leaves them as they are.
        contacts: people of a new company.
    """

    fields: dict[str, Json] = field(default_factory=dict)
    multifields: dict[str, list[Wanted]] = field(default_factory=dict)
    requisites: dict[str, str] = field(default_factory=dict)
    items: list[Json] | None = None
    contacts: tuple[Ref, ...] = ()


def drafted(kind: Kind, values: Mapping[str, Any], extra: Mapping[str, Json], names: Names) -> Draft:
    """The values of a draft or of changes in the vendor's words; `extra` lies over them.

    Raises Rejected for what Bitrix24 has no place for.
    """
    draft = Draft()
    for name, value in values.items():
        if name == "custom":
            _custom(draft, kind, value, names)
        elif name == "owner_id":
            draft.fields[_owner_field(kind)] = _owner(value, names)
        elif setter := _SETTERS.get((kind, name)):
            setter(draft, value)
        elif value not in (None, (), "", [], False):
            raise refused_draft(
                names.account().key,
                name,
                f"Bitrix24 has no place for it on a {kind.value}",
                "Use a user field, or extra={...} with the vendor's own names.",
            )
    if kind is Kind.CONTACT and "name" in values:
        _split_name(draft, values)
    draft.fields.update({_named(kind, name): value for name, value in extra.items() if name != "as"})
    return draft


def split_text(text: str) -> tuple[str, str]:
    """A task's title, which is one line, and what follows."""
    title, _, description = text.partition("\n")
    return title, description


def with_result(description: str, result: str) -> str:
    """A to-do's description with what came of it at its end."""
    return f"{description}{RESULT}{result}" if description else f"{RESULT.lstrip()}{result}"


def moment(value: datetime) -> str:
    """A moment as every method takes it."""
    return value.astimezone(UTC).isoformat(timespec="seconds")


def _owner_field(kind: Kind) -> str:
    return _OWNERS.get(kind) or _named(kind, "ASSIGNED_BY_ID")


def _named(kind: Kind, name: str) -> str:
    return universal_name(name) if kind is Kind.DEAL else name


def _owner(value: Any, names: Names) -> Json:
    # The portal stores an id that nobody has without a word.
    if value is not None and not names.knows_user(str(value)):
        raise refused_draft(
            names.account().key,
            "owner_id",
            f"the portal has no employee {value}",
            "Give the id of an employee: crm.users.iterate().",
        )
    return str(value) if value is not None else ""


def _custom(draft: Draft, kind: Kind, changes: Sequence[Any], names: Names) -> None:
    for change in changes:
        if isinstance(change, FieldChange):
            name = defined(kind, change.field, names, REFUSALS).id
            draft.fields[name] = assigned(kind, change.field, change.value, names, is_classic=kind is not Kind.DEAL)


def _split_name(draft: Draft, values: Mapping[str, Any]) -> None:
    """The whole name takes the place of all parts, but for those that are given themselves."""
    name = " ".join(str(values["name"] or "").split())
    found = parse_name(name)
    parts = {"NAME": found.first or "", "SECOND_NAME": found.middle or "", "LAST_NAME": found.last or ""}
    if " ".join(part for part in parts.values() if part) != name:
        parts = {"NAME": name, "SECOND_NAME": "", "LAST_NAME": ""}
    if not any(part in values for part in ("first_name", "middle_name", "last_name")):
        draft.fields.update(parts)


def _into(*names: str) -> Callable[[Draft, Any], None]:
    def put(draft: Draft, value: Any) -> None:
        for name in names:
            draft.fields[name] = "" if value is None else value

    return put


def _ref_into(name: str) -> Callable[[Draft, Any], None]:
    def put(draft: Draft, value: Ref | None) -> None:
        draft.fields[name] = int(value.id) if value is not None else 0

    return put


def _amount(draft: Draft, value: Money | None) -> None:
    draft.fields["opportunity"] = str(value.amount) if value is not None else "0"
    # Else the amount is counted anew from product rows.
    draft.fields["isManualOpportunity"] = "Y"
    if value is not None:
        draft.fields["currencyId"] = value.currency


def _stage(draft: Draft, value: StageRef | None) -> None:
    if value is not None:
        draft.fields["categoryId"] = int(value.pipeline_id or 0)
        draft.fields["stageId"] = stage_of(value.pipeline_id, value.stage_id)


def _items(draft: Draft, value: Sequence[LineItem]) -> None:
    draft.items = [_row(item) for item in value]


def _row(item: LineItem) -> Json:
    row: dict[str, Json] = {"PRODUCT_NAME": item.name, "QUANTITY": str(item.quantity)}
    if item.product_id:
        row["PRODUCT_ID"] = int(item.product_id)
    if item.price is not None:
        row["PRICE"] = str(item.price.amount)
    return row


def _contacts(draft: Draft, value: Sequence[Ref]) -> None:
    draft.fields["contactIds"] = [int(ref.id) for ref in value]


def _people(draft: Draft, value: Sequence[Ref]) -> None:
    draft.contacts = tuple(value)


def _phones(draft: Draft, value: Any) -> None:
    draft.multifields["PHONE"] = wanted_phones(value)


def _emails(draft: Draft, value: Any) -> None:
    draft.multifields["EMAIL"] = wanted_emails(value)


def _site(draft: Draft, value: str | None) -> None:
    draft.multifields["WEB"] = [Wanted(value, "WORK")] if value else []


def _requisite(name: str) -> Callable[[Draft, Any], None]:
    def put(draft: Draft, value: str | None) -> None:
        draft.requisites[name] = value or ""

    return put


def _birthday(draft: Draft, value: date | None) -> None:
    draft.fields["BIRTHDATE"] = value.isoformat() if value else ""


def _due(draft: Draft, value: datetime | None) -> None:
    if value is not None:
        draft.fields["DEADLINE"] = moment(value)


def _text(draft: Draft, value: str) -> None:
    draft.fields["SUBJECT"], draft.fields["DESCRIPTION"] = split_text(value)


def _done(draft: Draft, value: bool) -> None:
    draft.fields["COMPLETED"] = "Y" if value else "N"


def _elsewhere(_: Draft, __: Any) -> None:
    """A name is split once all parts are known; where a task or note stands is sent beside its fields."""


_PEOPLE: Mapping[str, Callable[[Draft, Any], None]] = {"phones": _phones, "emails": _emails}

_SETTERS: Mapping[tuple[Kind, str], Callable[[Draft, Any], None]] = {
    (Kind.DEAL, "title"): _into("title"),
    (Kind.DEAL, "amount"): _amount,
    (Kind.DEAL, "stage"): _stage,
    (Kind.DEAL, "contacts"): _contacts,
    (Kind.DEAL, "company"): _ref_into("companyId"),
    (Kind.DEAL, "source"): _into("sourceId"),
    (Kind.DEAL, "items"): _items,
    (Kind.CONTACT, "name"): _elsewhere,
    (Kind.CONTACT, "first_name"): _into("NAME"),
    (Kind.CONTACT, "middle_name"): _into("SECOND_NAME"),
    (Kind.CONTACT, "last_name"): _into("LAST_NAME"),
    (Kind.CONTACT, "company"): _ref_into("COMPANY_ID"),
    (Kind.CONTACT, "birthday"): _birthday,
    (Kind.COMPANY, "name"): _into("TITLE"),
    (Kind.COMPANY, "site"): _site,
    (Kind.COMPANY, "inn"): _requisite("RQ_INN"),
    (Kind.COMPANY, "kpp"): _requisite("RQ_KPP"),
    (Kind.COMPANY, "contacts"): _people,
    (Kind.LEAD, "title"): _into("TITLE"),
    (Kind.LEAD, "status"): _into("STATUS_ID"),
    (Kind.LEAD, "source"): _into("SOURCE_ID"),
    (Kind.LEAD, "contact"): _ref_into("CONTACT_ID"),
    (Kind.LEAD, "company"): _ref_into("COMPANY_ID"),
    (Kind.TASK, "text"): _text,
    (Kind.TASK, "due"): _due,
    (Kind.TASK, "is_done"): _done,
    (Kind.TASK, "about"): _elsewhere,
    (Kind.NOTE, "text"): _into("COMMENT"),
    (Kind.NOTE, "about"): _elsewhere,
    **{(kind, name): put for kind in (Kind.CONTACT, Kind.COMPANY, Kind.LEAD) for name, put in _PEOPLE.items()},
}
