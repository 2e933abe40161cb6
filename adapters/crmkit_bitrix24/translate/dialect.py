"""The two families of methods: UPPER_SNAKE names of the classic one, camelCase names of the universal one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from crmkit_bitrix24.wire import Item

_IRREGULAR: Mapping[str, str] = {
    "DATE_CREATE": "createdTime",
    "DATE_MODIFY": "updatedTime",
    "CREATED_BY_ID": "createdBy",
    "MODIFY_BY_ID": "updatedBy",
    "MOVED_BY_ID": "movedBy",
    "STATUS_ID": "stageId",
    "STATUS_SEMANTIC_ID": "stageSemanticId",
}
"""Names that are not each other's spelling. Source: Bitrix24 REST, pages "Deal fields" and "crm.item.fields"."""

_CLASSIC = {universal: classic for classic, universal in _IRREGULAR.items() if not classic.startswith("STATUS")}
_MULTIFIELDS = ("PHONE", "EMAIL", "WEB", "IM", "LINK")


def universal_name(name: str) -> str:
    """The name of a classic field in `crm.item.*`; user fields keep theirs (`useOriginalUfNames`)."""
    if name.startswith("UF_") or not name.isupper():
        return name
    if name in _IRREGULAR:
        return _IRREGULAR[name]
    first, *rest = name.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)


def classic_name(name: str) -> str:
    """The name of a universal field in the classic methods, of user fields too."""
    if name in _CLASSIC:
        return _CLASSIC[name]
    if name.startswith("ufCrm"):
        return "UF_CRM" + re.sub(r"(?<=[a-z])(?=[A-Z])|(?<![_A-Z0-9])(?=\d)", "_", name[5:]).upper()
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper() if not name.isupper() else name


def universal(raw: Item) -> Item:
    """A body in universal names, whichever family it came from."""
    if "ID" not in raw:
        return raw
    return {universal_name(name): value for name, value in raw.items()}


def classic(raw: Item) -> Item:
    """A body in classic names, whichever family it came from; `fm` becomes the multifields."""
    if "id" not in raw:
        return raw
    body: dict[str, Any] = {
        classic_name(name): value
        for name, value in raw.items()
        if name != "fm" and not (isinstance(value, str) and classic_name(name) in _MULTIFIELDS)
    }
    for value in raw.get("fm") or ():
        kind = str(value.get("typeId") or "")
        entry = {"ID": value.get("id"), "VALUE": value.get("value"), "VALUE_TYPE": value.get("valueType")}
        body.setdefault(kind, []).append(entry)
    if "stageId" in raw and "STATUS_ID" not in body:
        body["STATUS_ID"], body["STATUS_SEMANTIC_ID"] = raw["stageId"], raw.get("stageSemanticId")
    return body
