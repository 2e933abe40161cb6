"""Fields of cards in Bitrix24's own words: read from a body so that they can be written again exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crmkit.models import Record
from crmkit.values import Json, Kind
from crmkit.write import Native
from crmkit_bitrix24.translate.dialect import classic, universal_name
from crmkit_bitrix24.translate.multifields import Wanted, added, patch
from crmkit_bitrix24.translate.values import many
from crmkit_bitrix24.wire import ALSO, ORIGINATOR, Item, is_empty

_MULTIFIELDS = ("WEB", "IM", "LINK")
_OURS = frozenset(
    {
        *("ID", "TITLE", "NAME", "SECOND_NAME", "LAST_NAME", "PHONE", "EMAIL", "FM", "ENTITY_TYPE_ID"),
        *("ASSIGNED_BY_ID", "COMPANY_ID", "COMPANY_IDS", "CONTACT_ID", "CONTACT_IDS", "CONTACTS"),
        *("CATEGORY_ID", "STAGE_ID", "PREVIOUS_STAGE_ID", "OPPORTUNITY", "CURRENCY_ID", "IS_MANUAL_OPPORTUNITY"),
    }
)
"""What fields of our records tell."""

_READ_ONLY = frozenset(
    {
        *("DATE_CREATE", "DATE_MODIFY", "CREATED_BY_ID", "MODIFY_BY_ID", "MOVED_BY_ID", "MOVED_TIME"),
        *("LAST_ACTIVITY_BY", "LAST_ACTIVITY_TIME", "LAST_COMMUNICATION_TIME", "HAS_PHONE", "HAS_EMAIL", "HAS_IMOL"),
        *("STAGE_SEMANTIC_ID", "STATUS_SEMANTIC_ID", "CLOSED", "IS_NEW", "IS_RECURRING", "IS_RETURN_CUSTOMER"),
        *("IS_REPEATED_APPROACH", "FACE_ID", "QUOTE_ID", "OPPORTUNITY_ACCOUNT", "TAX_VALUE_ACCOUNT", "TAX_VALUE"),
        *("ACCOUNT_CURRENCY_ID", "WEBFORM_ID", "ORIGIN_VERSION"),
    }
)
_FILES = frozenset({"PHOTO", "LOGO"})
_FLAGS = frozenset({"OPENED", "EXPORT", "IS_MY_COMPANY"})
_TELLS: Mapping[str, str] = {
    "BIRTHDATE": "birthday",
    "WEB": "site",
    "SOURCE_ID": "source",
    "ORIGIN_ID": "external_id",
    "IS_MY_COMPANY": "own_company",
}
_TITLES: Mapping[str, str] = {
    "POST": "Должность",
    "COMMENTS": "Комментарий",
    "BIRTHDATE": "Дата рождения",
    "HONORIFIC": "Обращение",
    "TYPE_ID": "Тип",
    "SOURCE_ID": "Источник",
    "SOURCE_DESCRIPTION": "Об источнике",
    "ADDRESS": "Адрес",
    "WEB": "Сайт",
    "IM": "Мессенджеры",
    "ORIGIN_ID": "Внешний код",
}


def natives(record: Record) -> list[Native]:
    """The filled fields of a card that our records have no field for, user fields among them."""
    body = classic(record.raw) if record.kind is Kind.DEAL else record.raw
    definitions = (record.raw.get(ALSO) or {}).get("fields") or {}
    is_ours = body.get("ORIGINATOR_ID") == ORIGINATOR
    found = []
    for name, value in body.items():
        definition = definitions.get(name) or {}
        if name == ALSO or name in _OURS or name in _READ_ONLY or _is_blank(name, value, definition):
            continue
        if is_ours and name in ("ORIGINATOR_ID", "ORIGIN_ID"):
            continue  # the mark of our own creation says nothing of the card
        found.append(_native(name, value, definition))
    return found


def native_extra(kind: Kind, values: Mapping[str, Json], on: Record | None) -> dict[str, Json]:
    """The fields that are sent; multifields are patched by the ids of what stands there now."""
    body: dict[str, Json] = {}
    for name, value in values.items():
        if name in _MULTIFIELDS:
            changes = _patched(on.raw.get(name) if on is not None else None, value)
            if changes:
                body[name] = changes
        else:
            body[universal_name(name) if kind is Kind.DEAL else name] = "" if value is None else value
    return body


def _native(name: str, value: Any, definition: Item) -> Native:
    is_multifield = name in _MULTIFIELDS
    kept: Json = [_bare(one) for one in many(value)] if is_multifield else value
    return Native(
        name=name,
        title=str(definition.get("title") or _TITLES.get(name) or name),
        value=kept,
        text=_text(value, definition),
        tells=(_TELLS[name],) if name in _TELLS else (),
        is_many=is_multifield or bool(definition.get("is_multiple")),
        is_quiet=name in _FLAGS or name.startswith(("ORIGIN", "UTM_")) or name.endswith("_LOC_ADDR_ID"),
        is_fixed=name in _FILES or definition.get("type") == "file",
    )


def _is_blank(name: str, value: Any, definition: Item) -> bool:
    if value in (None, "", False) or value == []:
        return True
    if definition.get("type") == "boolean":
        return value in ("0", "N")  # a switch that is off and one that was never set look alike
    # In a number 0 says something, in an id or a sum that the portal fills in it does not.
    return value == "0.00" or (not name.startswith("UF_") and is_empty(value))


def _bare(value: Any) -> Json:
    return {"VALUE": str(value.get("VALUE") or ""), "VALUE_TYPE": str(value.get("VALUE_TYPE") or "")}


def _patched(current: object, value: Json) -> list[Json]:
    listed: Sequence[Any] = value if isinstance(value, list | tuple) else ()
    wanted = [Wanted(str(one["VALUE"]), str(one["VALUE_TYPE"]) or None) for one in listed if isinstance(one, Mapping)]
    changes: list[Json] = [dict(one) for one in (patch(current, wanted) if current else added(wanted))]
    return changes


def _text(value: Any, definition: Item) -> str:
    labels = definition.get("items") or {}
    parts = many(value) if isinstance(value, list | dict) else [value]
    texts = [part.get("VALUE") if isinstance(part, Mapping) else labels.get(str(part), part) for part in parts]
    if definition.get("type") == "boolean":
        return "да" if str(value) in ("1", "Y", "True") else "нет"
    return ", ".join(str(text) for text in texts)
