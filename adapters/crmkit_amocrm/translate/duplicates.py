"""What a survivor takes over from a duplicate: missing values, and the words of remarks that cannot be moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from crmkit.identity import normalize_email, parse_phone
from crmkit.values import Json
from crmkit_amocrm.translate.natives import written
from crmkit_amocrm.wire import CALL_NOTES, Item

MARK = "дубль"
"""The tag of a record that was merged into another one and waits for a person to delete it."""

_LISTS = frozenset({"multitext", "multiselect", "legal_entity"})


def missing_fields(kept: Item, lost: Sequence[Item], country: str) -> list[Json]:
    """The custom fields that the survivor lacks, and its lists with what the others have besides."""
    fields = {item["field_id"]: item for item in kept.get("custom_fields_values") or ()}
    entries: dict[int, list[dict[str, Any]]] = {}
    for item in (item for card in lost for item in card.get("custom_fields_values") or ()):
        if item.get("is_computed") or not item.get("values"):
            continue
        field_id, type_ = item["field_id"], str(item.get("field_type") or "")
        values = entries.get(field_id) or [written(one, type_) for one in _values(fields.get(field_id))]
        if values and type_ not in _LISTS:
            continue
        known = {_key(one, item, country) for one in values}
        fresh = [written(one, type_) for one in item["values"] if _key(one, item, country) not in known]
        if fresh:
            entries[field_id] = [*values, *fresh]
    return [{"field_id": field_id, "values": list(values)} for field_id, values in entries.items()]


def missing_tags(kept: Item, lost: Iterable[Item]) -> list[str]:
    """The tags that the survivor lacks."""
    known = set(tags_of(kept))
    return [tag for card in lost for tag in tags_of(card) if tag not in known and tag != MARK]


def tags_of(card: Item) -> list[str]:
    """The names of a card's tags."""
    return [str(tag.get("name", "")) for tag in (card.get("_embedded") or {}).get("tags") or ()]


def copied(note: Item, loser_id: str, zone: str, authors: Mapping[int, str]) -> str:
    """A remark of a duplicate as it stands on the survivor: whose, when and by whom, then what it says."""
    at = datetime.fromtimestamp(int(note.get("created_at") or 0), ZoneInfo(zone))
    author = authors.get(int(note.get("created_by") or 0), "")
    head = f"{copy_mark(note, loser_id)}, {at:%d.%m.%Y %H:%M}{f', {author}' if author else ''}"
    return f"{head}:\n{_said(note)}"


def copy_mark(note: Item, loser_id: str) -> str:
    """How a copy of that remark begins, by which it is known."""
    return f"Из дубля #{loser_id}, примечание {note['id']}"


def _values(item: Item | None) -> Sequence[Item]:
    return (item.get("values") or ()) if item else ()


def _key(value: Item, item: Item, country: str) -> str:
    text = str(value.get("value", "")).strip()
    if "value" not in value or item.get("field_type") == "multiselect":
        return str(value.get("enum_id") or value)
    if item.get("field_code") == "PHONE":
        number = parse_phone(text, country=country)
        return f"{number.e164}{number.extension or ''}" if number else text
    return (normalize_email(text) or text).casefold() if item.get("field_code") == "EMAIL" else text.casefold()


def _said(note: Item) -> str:
    given = note.get("params")
    params: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    if note.get("note_type") in CALL_NOTES:
        direction = "Исходящий" if note["note_type"] == "call_out" else "Входящий"
        parts = [f"{direction} звонок {params.get('phone') or ''}".strip(), f"{params.get('duration') or 0} с"]
        return ", ".join([*parts, *(str(params[name]) for name in ("call_result", "link") if params.get(name))])
    text = str(params.get("text") or "")
    rest = [f"{name}: {value}" for name, value in params.items() if name != "text" and isinstance(value, str | int)]
    return (
        text if note.get("note_type") == "common" else "\n".join([f"[{note.get('note_type')}] {text}".rstrip(), *rest])
    )
