"""Fields in retailCRM's own words: read from an entity so that they can be written again exactly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crmkit.models import Record
from crmkit.values import Json, Kind
from crmkit.write import Native
from crmkit_retailcrm.wire import OURS, as_list, as_map

_CUSTOM = "customFields."
_SUBSCRIBED = "subscribed"
_UNSUBSCRIBED_AT = "emailMarketingUnsubscribedAt"
_FLAGS = frozenset({"vip", "bad", "call", "expired"})
_OBJECTS = frozenset({"address", "contragent", "source"})
_PARTS = frozenset({"companies", "addresses"})
_SERVED = frozenset({"id", "regionId", "cityId", "streetId", "customer", "createdAt"})
"""Numbers inside of parts that the CRM gives by itself."""

_SUMS = frozenset({"marginSumm", "totalSumm", "averageSumm", "costSumm", "avgMarginSumm", "ordersCount"})

_PLAIN: Mapping[Kind, frozenset[str]] = {
    Kind.CONTACT: frozenset(
        {
            *("externalId", "email", "sex", "birthday", "vip", "bad", "discountCardNumber", "personalDiscount"),
            *("address", "contragent", "source", "browserId", "photoUrl", "firstClientId", "lastClientId"),
        }
    ),
    Kind.COMPANY: frozenset(
        {
            *("externalId", "vip", "bad", "discountCardNumber", "personalDiscount", "source", "companies"),
            "addresses",
        }
    ),
    Kind.DEAL: frozenset(
        {
            *("externalId", "lastName", "firstName", "patronymic", "phone", "additionalPhone", "email"),
            *("customerComment", "countryIso", "orderMethod", "privilegeType", "shipmentStore"),
            *("shipmentDate", "call", "weight", "length", "width", "height"),
        }
    ),
}
"""What is written by its own name. Source: retailCRM API v5, entities Customer, CustomerCorporate, Order."""

_TELLS: Mapping[str, tuple[str, ...]] = {
    "externalId": ("external_id",),
    "email": ("emails",),
    "birthday": ("birthday",),
    "companies": ("inn", "kpp", "site"),
}
_TITLES: Mapping[str, str] = {
    "externalId": "Внешний код",
    "email": "E-mail",
    "sex": "Пол",
    "birthday": "Дата рождения",
    "vip": "VIP",
    "bad": "Плохой клиент",
    "discountCardNumber": "Дисконтная карта",
    "personalDiscount": "Персональная скидка",
    "address": "Адрес",
    "contragent": "Реквизиты",
    "source": "Источник",
    "companies": "Юрлица",
    "addresses": "Адреса",
    _SUBSCRIBED: "Рассылка",
}


def natives(record: Record) -> list[Native]:
    """The filled fields of an entity that our records have no field for, custom fields among them."""
    raw = record.raw
    plain = _PLAIN.get(record.kind, frozenset())
    found = [_plain(name, value) for name, value in raw.items() if name in plain and not _is_blank(name, value)]
    if record.kind is Kind.CONTACT and raw.get(_UNSUBSCRIBED_AT):
        found.append(Native(_SUBSCRIBED, _TITLES[_SUBSCRIBED], False, "отписан"))
    known = as_map(as_map(raw.get(OURS)).get("fields"))
    roles = set(as_map(as_map(raw.get(OURS)).get("roles")).values())
    for code, value in as_map(raw.get("customFields")).items():
        if value not in (None, "", []) and code not in roles:
            found.append(_custom(code, value, known.get(code)))
    return found


def native_extra(values: Mapping[str, Json], on: Record | None) -> dict[str, Json]:
    """The entity's fields as they are sent; null takes a value away, of an object each of its own."""
    body: dict[str, Json] = {}
    custom: dict[str, Json] = {}
    for name, value in values.items():
        if name.startswith(_CUSTOM):
            custom[name.removeprefix(_CUSTOM)] = value
        elif name == _SUBSCRIBED:
            body[name] = True if value is None else value
        elif name in _FLAGS:
            body[name] = bool(value)
        elif name in _OBJECTS:
            was = dict.fromkeys(_bare(as_map(on.raw.get(name)) if on is not None else {}))
            body[name] = {**was, **as_map(value)}
        else:
            body[name] = value
    return {**body, "customFields": custom} if custom else body


def _plain(name: str, value: Any) -> Native:
    kept: Json = [_bare(as_map(one)) for one in as_list(value)] if name in _PARTS else value
    if name in _OBJECTS:
        kept = _bare(value)
    return Native(
        name=name,
        title=_TITLES.get(name, name),
        value=kept,
        text=_text(value),
        tells=_TELLS.get(name, ()),
        is_quiet=name in ("externalId", "browserId", "firstClientId", "lastClientId", "photoUrl", "source"),
        is_for_new=name in _PARTS,
    )


def _custom(code: str, value: Any, known: Any) -> Native:
    title, labels = (known[0], as_map(known[2])) if known else (code, {})
    texts = [str(labels.get(str(one), one)) for one in (value if isinstance(value, list) else [value])]
    if isinstance(value, bool):
        texts = ["да" if value else "нет"]
    return Native(f"{_CUSTOM}{code}", str(title), value, ", ".join(texts), is_many=isinstance(value, list))


def _is_blank(name: str, value: Any) -> bool:
    if value in (None, "", False, 0) or value == [] or value == {}:
        return True
    # Every person has requisites of this sort, and may have an address, with nothing in them.
    return name in _OBJECTS and not (_bare(as_map(value)).keys() - {"contragentType"})


def _bare(value: Mapping[str, Any]) -> dict[str, Json]:
    """A part without what the CRM gives by itself; parts of a part likewise."""
    return {
        name: _bare(inner) if isinstance(inner, Mapping) else inner
        for name, inner in value.items()
        if name not in _SERVED and name not in _SUMS and inner not in (None, "") and inner != []
    }


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "да" if value else "нет"
    if isinstance(value, Mapping):
        parts = [str(inner) for inner in _bare(value).values() if not isinstance(inner, Mapping | bool)]
        return str(value.get("text") or ", ".join(parts))
    return ", ".join(_text(one) for one in value) if isinstance(value, list) else str(value)
