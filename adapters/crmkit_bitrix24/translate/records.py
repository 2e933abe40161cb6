"""Cards, people and pipelines of Bitrix24 as our records: pure, tolerant of what the vendor leaves out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from crmkit.home import Home
from crmkit.models import (
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
from crmkit.mould import Mould
from crmkit.values import Kind, Money, Ref
from crmkit_bitrix24.errors.refusals import unreadable
from crmkit_bitrix24.translate.custom import read_custom
from crmkit_bitrix24.translate.dialect import classic, universal, universal_name
from crmkit_bitrix24.translate.timeline import from_activity, from_call, from_comment
from crmkit_bitrix24.translate.values import (
    day_of,
    decimal_of,
    emails_of,
    flag_of,
    id_of,
    many,
    phone_of,
    phones_of,
    text_of,
    time_of,
)
from crmkit_bitrix24.wire import ALSO, TASK_PREFIX, Item, rows

_NOTHING: Mapping[str, Any] = {}
_OUTCOMES: Mapping[Any, Outcome] = {"S": Outcome.WON, "F": Outcome.LOST}
# Named once: to look up a member of an enumeration costs more than most of what is done with it.
_OPEN = Outcome.OPEN
_DEAL_KIND, _CONTACT_KIND, _COMPANY_KIND = Kind.DEAL, Kind.CONTACT, Kind.COMPANY


def from_deal(raw: Item, account: Home) -> Deal:
    """The deal; its outcome is the stage's, and it was closed when it was moved there."""
    item = universal(raw)
    get, key = item.get, account.key
    also = raw.get(ALSO) or _NOTHING
    record_id = str(item["id"])
    stage, company = text_of(get("stageId")), id_of(get("companyId"))
    outcome = _OUTCOMES.get(get("stageSemanticId"), _OPEN)
    updated_at = time_of(get("updatedTime"))
    closed_at = None if outcome is _OPEN else time_of(get("movedTime")) or time_of(get("closedate")) or updated_at
    fields, rows_ = also.get("fields"), also.get("items")
    return _DEAL.cast(
        {
            "ref": Ref(key, _DEAL_KIND, record_id),
            "url": f"{account.url}/crm/deal/details/{record_id}/",
            "created_at": time_of(get("createdTime")),
            "updated_at": updated_at,
            "created_by": id_of(get("createdBy")),
            "updated_by": id_of(get("updatedBy")),
            "owner_id": id_of(get("assignedById")),
            "custom": read_custom(item, fields, account) if fields else (),
            "is_deleted": False,
            "raw": raw,
            "title": text_of(get("title")) or "",
            "amount": _amount(item, account),
            "stage": _stage(str(get("categoryId") or 0), stage) if stage else None,
            "outcome": outcome,
            "closed_at": closed_at,
            "loss_reason": None,
            "contacts": _contacts(item, key),
            "company": Ref(key, _COMPANY_KIND, company) if company else None,
            "source": text_of(get("sourceId")),
            "items": tuple([_line_item(row, item, account) for row in rows_]) if rows_ else (),
            "tags": (),
            "last_activity_at": time_of(get("lastActivityTime")),
        }
    )


_DEAL = Mould(Deal, "is_deleted", "loss_reason", "tags")


def from_contact(raw: Item, account: Home) -> Contact:
    """The person; the name is its parts in the order first, middle, last."""
    item = classic(raw)
    get = item.get
    first, middle, last = text_of(get("NAME")), text_of(get("SECOND_NAME")), text_of(get("LAST_NAME"))
    values = _head(item, raw, _CONTACT_KIND, "contact", account)
    values["name"] = " ".join([part for part in (first, middle, last) if part])
    values["first_name"] = first
    values["middle_name"] = middle
    values["last_name"] = last
    values["phones"] = phones_of(get("PHONE"), account.country)
    values["emails"] = emails_of(get("EMAIL"))
    values["company"] = _ref(account.key, _COMPANY_KIND, get("COMPANY_ID"))
    values["birthday"] = day_of(get("BIRTHDATE"))
    values["tags"] = ()
    return _CONTACT.cast(values)


_CONTACT = Mould(Contact, "is_deleted", "tags")


def from_company(raw: Item, account: Home) -> Company:
    """The organisation; tax numbers out of its requisites, the first that has one."""
    item = classic(raw)
    also = raw.get(ALSO) or _NOTHING
    requisites = also.get("requisites") or ()
    sites = [text_of(one.get("VALUE")) for one in many(item.get("WEB")) if isinstance(one, dict)]
    values = _head(item, raw, _COMPANY_KIND, "company", account)
    values["name"] = text_of(item.get("TITLE")) or ""
    values["phones"] = phones_of(item.get("PHONE"), account.country)
    values["emails"] = emails_of(item.get("EMAIL"))
    values["site"] = next((site for site in sites if site), None)
    values["inn"] = _tax_number(requisites, "RQ_INN")
    values["kpp"] = _tax_number(requisites, "RQ_KPP")
    values["contacts"] = tuple([Ref(account.key, _CONTACT_KIND, str(one)) for one in also.get("contacts") or ()])
    values["tags"] = ()
    return _COMPANY.cast(values)


_COMPANY = Mould(Company, "is_deleted", "tags")


def from_lead(raw: Item, account: Home) -> Lead:
    """The request; `status` is the stage of the lead."""
    item = classic(raw)
    values = _head(item, raw, Kind.LEAD, "lead", account)
    values["title"] = text_of(item.get("TITLE")) or ""
    values["status"] = text_of(item.get("STATUS_ID"))
    values["source"] = text_of(item.get("SOURCE_ID"))
    values["phones"] = phones_of(item.get("PHONE"), account.country)
    values["emails"] = emails_of(item.get("EMAIL"))
    values["deal"] = None
    values["contact"] = _ref(account.key, _CONTACT_KIND, item.get("CONTACT_ID"))
    values["company"] = _ref(account.key, _COMPANY_KIND, item.get("COMPANY_ID"))
    return _LEAD.cast(values)


_LEAD = Mould(Lead, "is_deleted", "deal")


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
                outcome=_OUTCOMES.get(stage.get("SEMANTICS"), Outcome.OPEN),
            )
            for stage in found
        ),
        raw=raw,
    )


def from_item(kind: Kind, raw: Item, account: Home) -> Record:
    """The record of a kind that a body is. Raises BadPayload for one that has no id, or values nobody expects."""
    try:
        record = _TRANSLATORS[kind](raw, account)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise unreadable(account.key, kind.value) from error
    if record.ref.id in ("", TASK_PREFIX):
        raise unreadable(account.key, kind.value)
    return record


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


def _head(item: Item, raw: Item, kind: Kind, name: str, account: Home) -> dict[str, Any]:
    """The fields that every record has, in their order; `name` is what the portal calls the kind in addresses."""
    get, record_id = item.get, str(item["ID"])
    fields = (raw.get(ALSO) or _NOTHING).get("fields")
    return {
        "ref": Ref(account.key, kind, record_id),
        "url": f"{account.url}/crm/{name}/details/{record_id}/",
        "created_at": time_of(get("DATE_CREATE")),
        "updated_at": time_of(get("DATE_MODIFY")),
        "created_by": id_of(get("CREATED_BY_ID")),
        "updated_by": id_of(get("MODIFY_BY_ID")),
        "owner_id": id_of(get("ASSIGNED_BY_ID")),
        "custom": read_custom(item, fields, account) if fields else (),
        "is_deleted": False,
        "raw": raw,
    }


@lru_cache(maxsize=1024)
def _stage(pipeline_id: str, stage_id: str) -> StageRef:
    return StageRef(pipeline_id=pipeline_id, stage_id=stage_id)


def _amount(item: Item, account: Home) -> Money | None:
    value, currency = item.get("opportunity"), text_of(item.get("currencyId")) or account.currency
    return _money(value, currency) if isinstance(value, int | float | str) else None


@lru_cache(maxsize=4096, typed=True)
def _money(value: Any, currency: str) -> Money | None:
    # Prices repeat.
    amount = decimal_of(value)
    return None if amount is None else Money(amount, currency)


def _contacts(item: Item, key: str) -> tuple[Ref, ...]:
    main, others = id_of(item.get("contactId")), item.get("contactIds")
    if main is None and not others:
        return ()
    ids = [str(one) for one in others or ()]
    if main is not None:
        ids = [main, *(one for one in ids if one != main)]
    return tuple([Ref(key, _CONTACT_KIND, one) for one in ids])


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
