"""Records of JSON lines, or of one JSON list: objects whose keys are the columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice

from crmkit_dedup.files.lines import Lines
from crmkit_dedup.files.problems import Problems
from crmkit_dedup.files.table import Record

LARGEST_LIST = 1 << 26
"""Characters of a JSON list that are read; JSON lines have no such limit."""
SAMPLE = 500
"""Objects whose keys are the columns; keys met later are not read."""

_VALUES = ("value", "VALUE", "number", "phone", "email", "raw", "name", "title", "text")


def objects(lines: Lines, problems: Problems, *, is_list: bool) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield the line and the object of each; what is no object is reported and passed over."""
    if is_list:
        yield from _of_list(lines, problems)
        return
    for line in lines:
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            yield lines.number, found
        else:
            problems.add(lines.number, "json", line[:60].strip())


def _of_list(lines: Lines, problems: Problems) -> Iterator[tuple[int, dict[str, object]]]:
    parts, size = [], 0
    for line in lines:
        size += len(line)
        if size > LARGEST_LIST:
            problems.add(lines.number, "json_list")
            return
        parts.append(line)
    try:
        found = json.loads("".join(parts))
    except (ValueError, RecursionError):
        problems.add(1, "json", parts[0][:60].strip() if parts else "")
        return
    items = found if isinstance(found, list) else [found]
    for number, item in enumerate(items, 1):
        if isinstance(item, dict):
            yield number, item
        else:
            problems.add(number, "json", str(item)[:60])


def as_records(found: Iterable[tuple[int, dict[str, object]]]) -> Iterator[Record]:
    """Yield the keys as headings, then a record for each object: nested values are joined by `; `.

    amoCRM's custom fields become columns by their code or name.
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
    own = item.get("custom_fields_values")
    if not isinstance(own, list):
        return item
    flat = {key: value for key, value in item.items() if key != "custom_fields_values"}
    for one in own:
        if isinstance(one, dict):
            flat.setdefault(str(one.get("field_code") or one.get("field_name")), one.get("values"))
    return flat


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
