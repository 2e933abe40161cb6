"""Entities of retailCRM as our records: pure, tolerant of what the vendor leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from crmkit.models import (
    RECORDS,
    Company,
    Contact,
    Deal,
    Email,
    LineItem,
    Outcome,
    Phone,
    Pipeline,
    Record,
    Stage,
    StageRef,
    User,
)
from crmkit.values import Kind, Ref
from crmkit_retailcrm.translate.custom import read_fields
from crmkit_retailcrm.translate.home import (
    Home,
    built,
    day_of,
    defaults_of,
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
_CHANGE_TIMES = ("createdAt", "statusUpdatedAt", "fullPaidAt", "completedAt", "updatedAt")


def head(raw: Item, kind: Kind, account: Home) -> dict[str, Any]:
    """The fields that all records have.

    The vendor keeps no time of the last change: `updated_at` is the latest of those it does keep.
    """
    record_id = str(raw.get("id", ""))
    place = _PLACES.get(kind)
    times = [at for name in _CHANGE_TIMES if (at := time_of(raw.get(name), account))]
    return {
        "ref": Ref(account.key, kind, record_id),
        "url": f"{account.url}/{place}/{record_id}/edit" if place else None,
        "created_at": time_of(raw.get("createdAt"), account),
        "updated_at": max(times) if times else None,
        "owner_id": text_of(raw.get("managerId")),
        "raw": raw,
    }


def from_customer(raw: Item, account: Home) -> Contact:
    """The person; the company is the corporate customer whose contact they are."""
    values = head(raw, Kind.CONTACT, account)
    parts = tuple(text_of(raw.get(name)) for name in ("firstName", "patronymic", "lastName"))
    values["name"] = " ".join(part for part in parts if part)
    values["first_name"], values["middle_name"], values["last_name"] = parts
    values["phones"] = _phones(raw, account)
    values["emails"] = _emails(raw.get("email"))
    company = as_map(raw.get(OURS)).get("company")
    values["company"] = Ref(account.key, Kind.COMPANY, str(company)) if company else None
    values["birthday"] = day_of(raw.get("birthday"))
    values["tags"] = _tags(raw)
    values["custom"] = read_fields(raw, account)
    return built(Contact, values, DEFAULTS[Contact])


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
    values["tags"] = _tags(raw)
    values["custom"] = read_fields(raw, account)
    return built(Company, values, DEFAULTS[Company])


def from_order(raw: Item, account: Home) -> Deal:
    """The deal that an order is.

    Of a corporate order the customer is the company and the contact is the person; its legal entity stays in `raw`.
    """
    known = as_map(raw.get(OURS))
    values = head(raw, Kind.DEAL, account)
    values["title"] = _title(raw)
    values["amount"] = money_of(raw.get("totalSumm"), raw.get("currency"), account)
    status = raw.get("status")
    if status is not None:
        pipeline = str(raw.get("orderType") or known.get("pipeline") or NEW_PIPELINE)
        values["stage"] = built(StageRef, {"pipeline_id": pipeline, "stage_id": str(status)}, {})
    outcome = Outcome(known.get("outcome") or Outcome.OPEN)
    values["outcome"] = outcome
    if outcome is not Outcome.OPEN:
        values["closed_at"] = time_of(raw.get("statusUpdatedAt"), account) or values["updated_at"]
    if outcome is Outcome.LOST:
        values["loss_reason"] = text_of(raw.get("statusComment"))
    values["contacts"], values["company"] = _parties(raw, account)
    values["source"] = text_of(as_map(raw.get("source")).get("source")) or text_of(raw.get("orderMethod"))
    values["items"] = tuple([_line_item(item, raw, account) for item in as_list(raw.get("items"))])
    values["custom"] = read_fields(raw, account)
    return built(Deal, values, DEFAULTS[Deal])


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
    return built(User, values, DEFAULTS[User])


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
    return built(Pipeline, values, DEFAULTS[Pipeline])


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


def _phones(raw: Item, account: Home) -> tuple[Phone, ...]:
    numbers = [phone.get("number") for phone in as_list(raw.get("phones")) if isinstance(phone, Mapping)]
    return tuple([phone_of(str(number), account) for number in numbers if number])


def _emails(value: Any) -> tuple[Email, ...]:
    return (built(Email, {"value": str(value), "kind": None}, {}),) if value else ()


def _tags(raw: Item) -> tuple[str, ...]:
    tags = as_list(raw.get("tags"))
    return tuple([str(tag.get("name", "")) if isinstance(tag, Mapping) else str(tag) for tag in tags]) if tags else ()


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


def _line_item(item: Any, order: Item, account: Home) -> LineItem:
    item = as_map(item)
    offer = as_map(item.get("offer"))
    return LineItem(
        product_id=text_of(offer.get("id")),
        name=str(offer.get("displayName") or offer.get("name") or item.get("productName") or ""),
        quantity=number_of(item.get("quantity")) or Decimal(1),
        price=money_of(item.get("initialPrice"), order.get("currency"), account),
    )
