"""Records of JSON: an object a line, a list of objects, or what the CRMs' own APIs answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from crmkit_dedup.files.lines import Lines
from crmkit_dedup.files.problems import Problems
from crmkit_dedup.files.table import Record

LARGEST = 1 << 26
"""Characters of a JSON document that are read; JSON lines have no such limit."""
SAMPLE = 500
"""Objects whose keys are the columns; keys met later are not read."""

_VALUES = ("value", "VALUE", "number", "phone", "email", "raw", "name", "displayName", "title", "text", "offer")
# Where an answer holds its records. Sources: amoCRM API v4, page "Contacts list"; Bitrix24 REST, pages
# "crm.contact.list" and "crm.item.list"; retailCRM API v5, GET /customers, /customers-corporate, /orders.
_LISTS = (
    ("_embedded", "contacts"),
    ("_embedded", "companies"),
    ("_embedded", "leads"),
    ("result", "items"),
    ("result",),
    ("customers",),
    ("customersCorporate",),
    ("orders",),
)
# What is told deeper within a record: the column that it makes, and the way to it. Sources: amoCRM API v4, pages
# "Contacts list" and "Leads list"; retailCRM API v5, GET /customers, /customers-corporate and /orders.
_INNER = (
    ("contact_id", ("_embedded", "contacts", "id")),
    ("company_id", ("_embedded", "companies", "id")),
    ("customer", ("customer", "id")),
    ("city", ("address", "city")),
    ("city", ("mainAddress", "city")),
    ("inn", ("contragent", "INN")),
)
# Bitrix24 says 0 where nobody is linked.
_LINKS = ("CONTACT_ID", "COMPANY_ID", "contactId", "companyId")
_SPACE = " \t\r\n"

_decode = json.JSONDecoder().raw_decode


def is_document(head: str) -> bool:
    """Whether JSON that begins like this is one list or one object laid out over lines, not an object a line."""
    first, end, _ = head.partition("\n")
    return head.startswith("[") or not end or first.rstrip().endswith(("{", "[", ","))


def objects(lines: Lines, problems: Problems, *, is_document: bool) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield the line, or the place in a document, and the object of each; what is none is reported and passed over."""
    found = _of_document(lines, problems) if is_document else _of_lines(lines, problems)
    for number, value in found:
        for item in _held(value):
            if isinstance(item, dict):
                yield number, item
            else:
                problems.add(number, "json", str(item)[:60])


def _of_lines(lines: Lines, problems: Problems) -> Iterator[tuple[int, object]]:
    for line in lines:
        if not line.strip():
            continue
        try:
            value = _whole(json.loads(line), line)
        except (ValueError, RecursionError):
            problems.add(lines.number, "json", line[:60].strip())
        else:
            yield lines.number, value


def _of_document(lines: Lines, problems: Problems) -> Iterator[tuple[int, object]]:
    """The values of a list, or values that stand one behind the other, up to where the text is broken."""
    parts, size = [], 0
    for line in lines:
        size += len(line)
        if size > LARGEST:
            problems.add(lines.number, "json_large")
            return
        parts.append(line)
    text = "".join(parts)
    at = _next(text, 0)
    is_list = text.startswith("[", at)
    at = _next(text, at + 1) if is_list else at
    number = 0
    while at < len(text) and not (is_list and text[at] == "]"):
        number += 1
        try:
            value, end = _decode(text, at)
            value = _whole(value, text[at:end])
        except (ValueError, RecursionError):
            problems.add(number, "json_broken", text[at : at + 60].strip())
            return
        yield number, value
        at = _next(text, end)
        if is_list and text.startswith(",", at):
            at = _next(text, at + 1)


def _next(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _whole(value: object, text: str) -> object:
    """The value without halves of signs, which JSON can name and no file can hold."""
    if "\\ud" not in text and "\\uD" not in text:
        return value
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def _held(value: object) -> Sequence[object]:
    """The records of an API's answer; anything else is its own record."""
    if not isinstance(value, dict) or "id" in value or "ID" in value:
        return (value,)
    for path in _LISTS:
        found: object = value
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        if isinstance(found, list):
            return found
    return (value,)


def as_records(found: Iterable[tuple[int, dict[str, object]]]) -> Iterator[Record]:
    """Yield the keys as headings, then a record for each object: nested values are joined by `; `.

    amoCRM's custom fields become columns by their code or name, what is told deeper within by `_INNER`.
    Source: amoCRM API v4, page "Custom fields", `custom_fields_values`.
    """
    items = ((number, _flat(item)) for number, item in found)
    sample = list(islice(items, SAMPLE))
    keys = list(dict.fromkeys(key for _, item in sample for key in item))
    yield 0, keys
    for source in (sample, items):
        for number, item in source:
            yield number, [_text(item.get(key)) for key in keys]


def _flat(item: dict[str, object]) -> dict[str, object]:
    flat = item.copy()
    own = flat.pop("custom_fields_values", None)
    for one in own if isinstance(own, list) else ():
        if isinstance(one, dict):
            flat.setdefault(str(one.get("field_code") or one.get("field_name")), one.get("values"))
    for name, path in _INNER:
        if path[0] in item and (name == path[0] or name not in flat):
            flat[name] = _inner(item, path)
    for name in _LINKS:
        if flat.get(name) in ("0", 0):
            flat[name] = None
    return flat


def _inner(value: object, path: Sequence[str]) -> object:
    """What stands at the end of a way; of several the one that is the main one, else the first."""
    for key in path:
        if isinstance(value, list):
            several = [one for one in value if isinstance(one, dict)]
            value = next((one for one in several if one.get("is_main")), several[0] if several else None)
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _text(value: object) -> str:
    if type(value) is str:
        return value
    if value is None or value is False:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, list):
        return "; ".join(filter(None, map(_text, value)))
    if isinstance(value, dict):
        return next((text for key in _VALUES if (text := _text(value.get(key)))), "")
    return str(value)
