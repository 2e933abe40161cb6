"""Cards, people and pipelines of Bitrix24 as our records: pure, tolerant of what the vendor leaves out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from crmkit.models import (
    RECORDS,
    Company,
    Contact,
    Deal,
    Lead,
    LineItem,
    Outcome,
    Pipeline,
    Record,
    Stage,
    StageRef,
    User,
)
from crmkit.values import Kind, Money, Ref
from crmkit_bitrix24.translate.custom import read_custom
from crmkit_bitrix24.translate.dialect import classic, universal, universal_name
from crmkit_bitrix24.translate.timeline import from_activity, from_call, from_comment
from crmkit_bitrix24.translate.values import (
    Home,
    built,
    day_of,
    decimal_of,
    defaults_of,
    emails_of,
    flag_of,
    id_of,
    many,
    phone_of,
    phones_of,
    text_of,
    time_of,
)
from crmkit_bitrix24.wire import ALSO, Item, rows

_DEFAULTS: Mapping[type[Record], dict[str, Any]] = {cls: defaults_of(cls) for cls in RECORDS.values()}
_NOTHING: Mapping[str, Any] = {}
_OUTCOMES = {"S": Outcome.WON, "F": Outcome.LOST}


def from_deal(raw: Item, account: Home) -> Deal:
    """The deal; its outcome is the stage's, and it was closed when it was moved there."""
    item = universal(raw)
    also = raw.get(ALSO) or _NOTHING
    record_id = str(item["id"])
    pipeline = str(item.get("categoryId") or 0)
    stage = text_of(item.get("stageId"))
    outcome = _OUTCOMES.get(str(item.get("stageSemanticId")), Outcome.OPEN)
    key = account.key
    return built(
        Deal,
        {
            "ref": Ref(key, Kind.DEAL, record_id),
            "url": f"{account.url}/crm/deal/details/{record_id}/",
            "created_at": time_of(item.get("createdTime")),
            "updated_at": time_of(item.get("updatedTime")),
            "created_by": id_of(item.get("createdBy")),
            "updated_by": id_of(item.get("updatedBy")),
            "owner_id": id_of(item.get("assignedById")),
            "title": text_of(item.get("title")) or "",
            "amount": _amount(item, account),
            "stage": _stage(pipeline, stage) if stage else None,
            "outcome": outcome,
            "closed_at": None
            if outcome is Outcome.OPEN
            else time_of(item.get("movedTime")) or time_of(item.get("closedate")) or time_of(item.get("updatedTime")),
            "contacts": _contacts(item, key),
            "company": _ref(key, Kind.COMPANY, item.get("companyId")),
            "source": text_of(item.get("sourceId")),
            "items": tuple(_line_item(row, item, account) for row in also.get("items") or ()),
            "last_activity_at": time_of(item.get("lastActivityTime")),
            "custom": read_custom(item, also.get("fields") or _NOTHING, account),
            "raw": raw,
        },
        _DEFAULTS[Deal],
    )


def from_contact(raw: Item, account: Home) -> Contact:
    """The person; the name is its parts in the order first, middle, last."""
    item = classic(raw)
    values = _head(item, raw, Kind.CONTACT, account)
    parts = [text_of(item.get(name)) for name in ("NAME", "SECOND_NAME", "LAST_NAME")]
    values["name"] = " ".join(part for part in parts if part)
    values["first_name"], values["middle_name"], values["last_name"] = parts
    values["phones"] = phones_of(item.get("PHONE"), account.country)
    values["emails"] = emails_of(item.get("EMAIL"))
    values["company"] = _ref(account.key, Kind.COMPANY, item.get("COMPANY_ID"))
    values["birthday"] = day_of(item.get("BIRTHDATE"))
    return built(Contact, values, _DEFAULTS[Contact])


def from_company(raw: Item, account: Home) -> Company:
    """The organisation; tax numbers out of its requisites, the first that has one."""
    item = classic(raw)
    also = raw.get(ALSO) or _NOTHING
    values = _head(item, raw, Kind.COMPANY, account)
    requisites = also.get("requisites") or ()
    sites = [text_of(one.get("VALUE")) for one in many(item.get("WEB")) if isinstance(one, dict)]
    values["name"] = text_of(item.get("TITLE")) or ""
    values["phones"] = phones_of(item.get("PHONE"), account.country)
    values["emails"] = emails_of(item.get("EMAIL"))
    values["site"] = next((site for site in sites if site), None)
    values["inn"] = _tax_number(requisites, "RQ_INN")
    values["kpp"] = _tax_number(requisites, "RQ_KPP")
    values["contacts"] = tuple(Ref(account.key, Kind.CONTACT, str(one)) for one in also.get("contacts") or ())
    return built(Company, values, _DEFAULTS[Company])


def from_lead(raw: Item, account: Home) -> Lead:
    """The request; `status` is the stage of the lead."""
    item = classic(raw)
    values = _head(item, raw, Kind.LEAD, account)
    values["title"] = text_of(item.get("TITLE")) or ""
    values["status"] = text_of(item.get("STATUS_ID"))
    values["source"] = text_of(item.get("SOURCE_ID"))
    values["phones"] = phones_of(item.get("PHONE"), account.country)
    values["emails"] = emails_of(item.get("EMAIL"))
    values["contact"] = _ref(account.key, Kind.CONTACT, item.get("CONTACT_ID"))
    values["company"] = _ref(account.key, Kind.COMPANY, item.get("COMPANY_ID"))
    return built(Lead, values, _DEFAULTS[Lead])


def from_user(raw: Item, account: Home) -> User:
    """The employee; those who have left are inactive. Whether one is an administrator is known of our own user only."""
    record_id = str(raw["ID"])
    parts = [text_of(raw.get(name)) for name in ("NAME", "SECOND_NAME", "LAST_NAME")]
    number = next((text_of(raw.get(name)) for name in ("WORK_PHONE", "PERSONAL_MOBILE") if raw.get(name)), None)
    departments = many(raw.get("UF_DEPARTMENT"))
    return User(
        ref=Ref(account.key, Kind.USER, record_id),
        url=f"{account.url}/company/personal/user/{record_id}/",
        created_at=time_of(raw.get("DATE_REGISTER")),
        name=" ".join(part for part in parts if part),
        email=text_of(raw.get("EMAIL")),
        phone=phone_of(number, account.country) if number else None,
        extension=text_of(raw.get("UF_PHONE_INNER")),
        group_id=id_of(departments[0]) if departments else None,
        is_active=flag_of(raw.get("ACTIVE", True)),
        is_admin=bool((raw.get(ALSO) or _NOTHING).get("is_admin")),
        raw=raw,
    )


def from_pipeline(raw: Item, account: Home) -> Pipeline:
    """The deal pipeline with its stages in order; the first one has the id 0."""
    pipeline_id = str(raw["id"])
    also = raw.get(ALSO) or _NOTHING
    found = sorted(also.get("stages") or (), key=lambda stage: int(stage.get("SORT") or 0))
    return Pipeline(
        ref=Ref(account.key, Kind.PIPELINE, pipeline_id),
        name=text_of(raw.get("name")) or "",
        sort=int(raw.get("sort") or 0),
        is_main=flag_of(raw.get("isDefault")),
        stages=tuple(
            Stage(
                ref=StageRef(pipeline_id=pipeline_id, stage_id=str(stage["STATUS_ID"])),
                name=text_of(stage.get("NAME")) or "",
                sort=int(stage.get("SORT") or 0),
                outcome=_OUTCOMES.get(str(stage.get("SEMANTICS")), Outcome.OPEN),
            )
            for stage in found
        ),
        raw=raw,
    )


def from_item(kind: Kind, raw: Item, account: Home) -> Record:
    """The record of a kind that a body is."""
    return _TRANSLATORS[kind](raw, account)


_TRANSLATORS: Mapping[Kind, Callable[[Item, Home], Record]] = {
    Kind.DEAL: from_deal,
    Kind.CONTACT: from_contact,
    Kind.COMPANY: from_company,
    Kind.LEAD: from_lead,
    Kind.TASK: from_activity,
    Kind.NOTE: from_comment,
    Kind.CALL: from_call,
    Kind.USER: from_user,
    Kind.PIPELINE: from_pipeline,
}


def _head(item: Item, raw: Item, kind: Kind, account: Home) -> dict[str, Any]:
    record_id = str(item["ID"])
    also = raw.get(ALSO) or _NOTHING
    return {
        "ref": Ref(account.key, kind, record_id),
        "url": f"{account.url}/crm/{kind.value}/details/{record_id}/",
        "created_at": time_of(item.get("DATE_CREATE")),
        "updated_at": time_of(item.get("DATE_MODIFY")),
        "created_by": id_of(item.get("CREATED_BY_ID")),
        "updated_by": id_of(item.get("MODIFY_BY_ID")),
        "owner_id": id_of(item.get("ASSIGNED_BY_ID")),
        "custom": read_custom(item, also.get("fields") or _NOTHING, account),
        "raw": raw,
    }


@lru_cache(maxsize=1024)
def _stage(pipeline_id: str, stage_id: str) -> StageRef:
    return StageRef(pipeline_id=pipeline_id, stage_id=stage_id)


def _amount(item: Item, account: Home) -> Money | None:
    amount = decimal_of(item.get("opportunity"))
    return None if amount is None else Money(amount, text_of(item.get("currencyId")) or account.currency)


def _contacts(item: Item, key: str) -> tuple[Ref, ...]:
    main = id_of(item.get("contactId"))
    ids = [str(one) for one in item.get("contactIds") or ()]
    if main is not None:
        ids = [main, *(one for one in ids if one != main)]
    return tuple([Ref(key, Kind.CONTACT, one) for one in ids])


def _ref(key: str, kind: Kind, value: Any) -> Ref | None:
    found = id_of(value)
    return Ref(key, kind, found) if found else None


def _line_item(row: Item, item: Item, account: Home) -> LineItem:
    row = {universal_name(name): value for name, value in row.items()}
    price = decimal_of(row.get("price"))
    return LineItem(
        product_id=id_of(row.get("productId")),
        name=text_of(row.get("productName")) or "",
        quantity=decimal_of(row.get("quantity")) or Decimal(1),
        price=None if price is None else Money(price, text_of(item.get("currencyId")) or account.currency),
    )


def _tax_number(requisites: Any, name: str) -> str | None:
    found = (text_of(one.get(name)) for one in rows(requisites))
    return next((number.strip() for number in found if number), None)
