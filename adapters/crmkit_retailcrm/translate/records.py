"""Entities of retailCRM as our records: pure, tolerant of what the vendor leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from crmkit.home import Home
from crmkit.models import (
    RECORDS,
    Company,
    Contact,
    Deal,
    Email,
    LineItem,
    Outcome,
    Pipeline,
    Record,
    Stage,
    StageRef,
    User,
)
from crmkit.mould import Mould, defaults_of
from crmkit.values import Kind, Ref
from crmkit_retailcrm.translate.custom import read_fields
from crmkit_retailcrm.translate.home import (
    day_of,
    money_of,
    number_of,
    phone_of,
    text_of,
    time_of,
)
from crmkit_retailcrm.wire import CORPORATE, NEW_PIPELINE, OURS, Item, as_list, as_map

DEFAULTS: Mapping[type[Record], dict[str, Any]] = {cls: defaults_of(cls) for cls in RECORDS.values()}
"""What a record holds where the vendor tells nothing."""

_PLACES: Mapping[Kind, str] = {Kind.DEAL: "orders", Kind.CONTACT: "customers", Kind.COMPANY: "customers"}
_CHANGE_TIMES = ("statusUpdatedAt", "fullPaidAt", "completedAt", "updatedAt")

_OUTCOMES: Mapping[Any, Outcome] = {outcome.value: outcome for outcome in Outcome}
_UNTOLD = ("created_by", "updated_by", "is_deleted")
_CONTACT = Mould(Contact, *_UNTOLD)
_COMPANY = Mould(Company, *_UNTOLD)
_DEALS: Mapping[Outcome, Mould[Deal]] = {
    Outcome.OPEN: Mould(Deal, *_UNTOLD, "closed_at", "loss_reason", "tags", "last_activity_at"),
    Outcome.WON: Mould(Deal, *_UNTOLD, "loss_reason", "tags", "last_activity_at"),
    Outcome.LOST: Mould(Deal, *_UNTOLD, "tags", "last_activity_at"),
}
_STAGELESS = Mould(Deal, *_UNTOLD, "stage", "closed_at", "loss_reason", "tags", "last_activity_at")
_USER = Mould(User, *_UNTOLD, "custom", "extension")
_PIPELINE = Mould(Pipeline, *_UNTOLD, "custom")
_LINE_ITEM = Mould(LineItem)
_EMAIL = Mould(Email)


def head(raw: Item, kind: Kind, account: Home) -> dict[str, Any]:
    """The fields that all records have, in their order.

    The vendor keeps no time of the last change: `updated_at` is the latest of those it does keep.
    """
    record_id = str(raw.get("id", ""))
    place = _PLACES.get(kind)
    created = raw.get("createdAt")
    created_at = updated_at = time_of(created, account)
    for name in _CHANGE_TIMES:
        text = raw.get(name)
        if text and text != created:
            at = time_of(text, account)
            if at is not None and (updated_at is None or at > updated_at):
                updated_at = at
    return {
        "ref": Ref(account.key, kind, record_id),
        "url": f"{account.url}/{place}/{record_id}/edit" if place else None,
        "created_at": created_at,
        "updated_at": updated_at,
        "created_by": None,
        "updated_by": None,
        "owner_id": text_of(raw.get("managerId")),
        "custom": read_fields(raw, account) if raw.get("customFields") else (),
        "is_deleted": False,
        "raw": raw,
    }


def from_customer(raw: Item, account: Home) -> Contact:
    """The person; the company is the corporate customer whose contact they are."""
    values = head(raw, Kind.CONTACT, account)
    first, middle, last = text_of(raw.get("firstName")), text_of(raw.get("patronymic")), text_of(raw.get("lastName"))
    values["name"] = " ".join([part for part in (first, middle, last) if part])
    values["first_name"], values["middle_name"], values["last_name"] = first, middle, last
    numbers = [as_map(phone).get("number") for phone in as_list(raw.get("phones"))]
    values["phones"] = tuple([phone_of(str(number), account) for number in numbers if number])
    values["emails"] = _emails(raw.get("email"))
    company = as_map(raw.get(OURS)).get("company")
    values["company"] = Ref(account.key, Kind.COMPANY, str(company)) if company else None
    values["birthday"] = day_of(raw.get("birthday"))
    values["tags"] = _tags(raw.get("tags"))
    return _CONTACT.cast(values)


def from_corporate(raw: Item, account: Home) -> Company:
    """The corporate customer; tax numbers are those of its main legal entity."""
    values = head(raw, Kind.COMPANY, account)
    legal = main_company(raw)
    contragent = as_map(legal.get("contragent")) or as_map(raw.get("contragent"))
    values["name"] = str(raw.get("nickName") or legal.get("name") or "")
    values["phones"] = tuple(phone_of(number, account) for number in _texts_of(raw, "phone"))
    values["emails"] = tuple(email for text in _texts_of(raw, "email") for email in _emails(text))
    values["site"] = text_of(legal.get("site"))
    values["inn"] = text_of(contragent.get("INN"))
    values["kpp"] = text_of(contragent.get("KPP"))
    values["contacts"] = _people(raw, account)
    values["tags"] = _tags(raw.get("tags"))
    return _COMPANY.cast(values)


def from_order(raw: Item, account: Home) -> Deal:
    """The deal that an order is.

    Of a corporate order the customer is the company and the contact is the person; its legal entity stays in `raw`.
    """
    known = as_map(raw.get(OURS))
    values = head(raw, Kind.DEAL, account)
    outcome = _OUTCOMES.get(known.get("outcome"), Outcome.OPEN)
    status, currency = raw.get("status"), raw.get("currency")
    values["title"] = _title(raw)
    values["amount"] = money_of(raw.get("totalSumm"), currency, account)
    pipeline = raw.get("orderType") or known.get("pipeline") or NEW_PIPELINE
    values["stage"] = None if status is None else _stage(str(pipeline), str(status))
    values["outcome"] = outcome
    closed_at = None if outcome is Outcome.OPEN else time_of(raw.get("statusUpdatedAt"), account)
    values["closed_at"] = None if outcome is Outcome.OPEN else closed_at or values["updated_at"]
    values["loss_reason"] = text_of(raw.get("statusComment")) if outcome is Outcome.LOST else None
    values["contacts"], values["company"] = _parties(raw, account)
    values["source"] = text_of(as_map(raw.get("source")).get("source")) or text_of(raw.get("orderMethod"))
    values["items"] = tuple([_line_item(item, currency, account) for item in as_list(raw.get("items"))])
    values["tags"], values["last_activity_at"] = (), None
    return (_STAGELESS if status is None else _DEALS[outcome]).cast(values)


def from_user(raw: Item, account: Home) -> User:
    """The employee; extensions live in the telephony module, not here."""
    values = head(raw, Kind.USER, account)
    parts = (raw.get("firstName"), raw.get("patronymic"), raw.get("lastName"))
    groups = as_list(raw.get("groups"))
    values["name"] = " ".join(str(part) for part in parts if part)
    values["email"] = text_of(raw.get("email"))
    values["phone"] = phone_of(str(raw["phone"]), account) if raw.get("phone") else None
    values["group_id"] = text_of(as_map(groups[0]).get("id")) if groups else None
    values["is_active"] = bool(raw.get("active", True))
    values["is_admin"] = bool(raw.get("isAdmin", False))
    return _USER.cast({**DEFAULTS[User], **values})


def from_pipeline(raw: Item, account: Home) -> Pipeline:
    """An order type with all statuses of the account, group by group."""
    values = head(raw, Kind.PIPELINE, account)
    pipeline_id = str(raw["id"])
    values["name"] = str(raw.get("name") or pipeline_id)
    values["sort"] = int(raw.get("ordering") or 0)
    values["is_main"] = bool(raw.get("isMain"))
    values["is_archived"] = not raw.get("active", True)
    values["stages"] = tuple(
        Stage(
            ref=StageRef(pipeline_id=pipeline_id, stage_id=str(status["code"])),
            name=str(status.get("name") or status["code"]),
            sort=place,
            outcome=Outcome(status.get("outcome") or Outcome.OPEN),
            is_incoming=status.get("group") == "new",
        )
        for place, status in enumerate(as_list(raw.get("statuses")))
    )
    return _PIPELINE.cast({**DEFAULTS[Pipeline], **values})


def main_company(raw: Item) -> Mapping[str, Any]:
    """The main legal entity of a corporate customer; the first where none is called main."""
    companies: Sequence[Any] = as_list(raw.get("companies"))
    main = next((one for one in companies if as_map(one).get("isMain")), companies[0] if companies else None)
    return as_map(main) or as_map(raw.get("mainCompany"))


def _title(raw: Item) -> str:
    code = as_map(as_map(raw.get(OURS)).get("roles")).get("title")
    titled = as_map(raw.get("customFields")).get(code) if code else None
    return str(titled or raw.get("number") or "")


def _texts_of(raw: Item, role: str) -> list[str]:
    code = as_map(as_map(raw.get(OURS)).get("roles")).get(role)
    text = as_map(raw.get("customFields")).get(code) if code else None
    return [part.strip() for part in str(text).split(",") if part.strip()] if text else []


@lru_cache(maxsize=1024)
def _stage(pipeline_id: str, stage_id: str) -> StageRef:
    # A few for all orders: they are frozen.
    return StageRef(pipeline_id=pipeline_id, stage_id=stage_id)


def _emails(value: Any) -> tuple[Email, ...]:
    return (_EMAIL.cast({"value": str(value), "kind": None}),) if value else ()


def _tags(found: Any) -> tuple[str, ...]:
    if not found:
        return ()
    return tuple([str(tag.get("name", "")) if isinstance(tag, Mapping) else str(tag) for tag in as_list(found)])


def _people(raw: Item, account: Home) -> tuple[Ref, ...]:
    people = [as_map(one) for one in as_list(raw.get("customerContacts"))]
    people.sort(key=lambda one: not one.get("isMain"))
    ids = [as_map(one.get("customer")).get("id") for one in people]
    return tuple(dict.fromkeys(Ref(account.key, Kind.CONTACT, str(one)) for one in ids if one))


def _parties(raw: Item, account: Home) -> tuple[tuple[Ref, ...], Ref | None]:
    """The people and the company of an order."""
    people: list[Ref] = []
    company: Ref | None = None
    for name in ("customer", "contact"):
        side = as_map(raw.get(name))
        if not side.get("id"):
            continue
        if side.get("type") == CORPORATE:
            company = company or Ref(account.key, Kind.COMPANY, str(side["id"]))
        else:
            people.append(Ref(account.key, Kind.CONTACT, str(side["id"])))
    return tuple(dict.fromkeys(people)), company


def _line_item(item: Any, currency: Any, account: Home) -> LineItem:
    item = as_map(item)
    offer = as_map(item.get("offer"))
    return _LINE_ITEM.cast(
        {
            "product_id": text_of(offer.get("id")),
            "name": str(offer.get("displayName") or offer.get("name") or item.get("productName") or ""),
            "quantity": number_of(item.get("quantity")) or Decimal(1),
            "price": money_of(item.get("initialPrice"), currency, account),
        }
    )
