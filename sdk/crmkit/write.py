"""One write to a CRM as plain data: so that it can be repeated, planned, compared and stored."""

from __future__ import annotations

import base64
import enum
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from crmkit.models import (
    FIELD_TYPES,
    RECORDS,
    CompanyChanges,
    ContactChanges,
    CustomField,
    DealChanges,
    FieldChange,
    FileChanges,
    LeadChanges,
    NoteChanges,
    Record,
    TaskChanges,
)
from crmkit.values import Json, Kind, Money, Ref


class Verb(enum.StrEnum):
    """What is done to a record."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    LINK = "link"
    UNLINK = "unlink"
    MERGE = "merge"
    READDRESS = "readdress"


@dataclass(frozen=True, slots=True)
class Native:
    """One filled field of a record in its vendor's own words, beside the name, phones, e-mails, tags, owner and links.

    Args:
        name: the vendor's name of the field.
        title: its name for people.
        value: what is written to fill it so again.
        text: the value for people.
        tells: crmkit's fields that hold the same; whoever writes this one leaves those alone.
        is_many: a list, to which the values of another record may be added.
        is_quiet: a technical mark; nobody misses another record's value of it.
        is_fixed: it can be read only (a file).
        is_for_new: it can be written only when the record is made.
    """

    name: str
    title: str
    value: Json
    text: str
    tells: tuple[str, ...] = ()
    is_many: bool = False
    is_quiet: bool = False
    is_fixed: bool = False
    is_for_new: bool = False


@dataclass(frozen=True, slots=True)
class Write:
    """What is to be changed in a CRM.

    Args:
        verb: what is done.
        kind: kind of the record that is written.
        ref: the record, for every verb but create.
        record: the draft, for create; only the fields that were set are sent.
        changes: for update: the keys of the kind's `...Changes`.
        others: for link and unlink the other side, for merge the losers, for readdress the address that now holds.
        extra: what this vendor alone understands, laid over the wire body.
        marker: the effect's key, for APIs that keep a foreign key with a record.
    """

    verb: Verb
    kind: Kind
    ref: Ref | None = None
    record: Record | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    others: tuple[Ref, ...] = ()
    extra: Mapping[str, Json] = field(default_factory=dict)
    marker: str | None = None

    @property
    def target(self) -> str:
        """What the write is about, for messages."""
        return str(self.ref) if self.ref else f"a new {self.kind.value}"

    def values(self) -> Mapping[str, Any]:
        """The fields that are sent, by crmkit's field names."""
        if self.record is not None:
            names = self.record.model_fields_set - {"ref", "raw"}
            return {name: getattr(self.record, name) for name in sorted(names)}
        return self.changes

    def to_json(self) -> dict[str, Json]:
        """The write as JSON; `from_json` reads it back, equal but for sequences of changes, which come as lists."""
        return {
            "verb": self.verb.value,
            "kind": self.kind.value,
            "ref": str(self.ref) if self.ref else None,
            "values": {name: _plain(value) for name, value in self.values().items()},
            "others": [str(other) for other in self.others],
            "extra": dict(self.extra),
            "marker": self.marker,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Write:
        """Read back what `to_json` wrote. Raises KeyError or pydantic.ValidationError when it is something else."""
        kind, verb = Kind(data["kind"]), Verb(data["verb"])
        values = {name: _typed(value) for name, value in data["values"].items()}
        record: Record | None = None
        changes: Mapping[str, Any] = {}
        if verb is Verb.CREATE:
            record = RECORDS[kind].model_validate(values)
        elif values:
            changes = _reader(kind).validate_python(values)
        return cls(
            verb=verb,
            kind=kind,
            ref=Ref.parse(data["ref"]) if data["ref"] else None,
            record=record,
            changes=changes,
            others=tuple(Ref.parse(other) for other in data["others"]),
            extra=data["extra"],
            marker=data["marker"],
        )

    def digest(self) -> str:
        """Identity of the write's content: equal for equal writes, whatever their marker."""
        data = self.to_json()
        del data["marker"]
        text = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


_CHANGES: Mapping[Kind, Any] = {
    Kind.CONTACT: ContactChanges,
    Kind.COMPANY: CompanyChanges,
    Kind.DEAL: DealChanges,
    Kind.LEAD: LeadChanges,
    Kind.TASK: TaskChanges,
    Kind.NOTE: NoteChanges,
    Kind.FILE: FileChanges,
}


@cache
def _reader(kind: Kind) -> TypeAdapter[Any]:
    return TypeAdapter(_CHANGES[kind])


def _plain(value: Any) -> Json:
    """A field's value as JSON; what JSON has no type for is tagged, so that it comes back as it was."""
    match value:
        case FieldChange():
            token = value.field
            return {
                "$field": {
                    "record": token.record.kind.value,
                    "type": token.type.__name__,
                    "title": token.title,
                    "code": token.code,
                    "pins": dict(token.pins),
                },
                "value": _plain(value.value),
            }
        case Ref():
            return {"$ref": str(value)}
        case datetime():
            return {"$datetime": value.isoformat()}
        case date():
            return {"$date": value.isoformat()}
        case Decimal():
            return {"$decimal": str(value)}
        case Money():
            return {"$money": [str(value.amount), value.currency]}
        case bytes():
            return {"$bytes": base64.b64encode(value).decode("ascii")}
        case str() | bool() | int() | float() | None:
            return value
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case Sequence():
            return [_plain(item) for item in value]
        case _ if hasattr(value, "model_fields_set"):
            return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    raise TypeError(f"a {type(value).__name__} cannot be a field's value")


def _typed(value: Any) -> Any:
    """What `_plain` tagged, in its own type again."""
    if isinstance(value, list):
        return [_typed(item) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"$field": token, "value": inner}:
            pins: dict[str, str] = token["pins"]
            made: CustomField[Any, Any] = CustomField(
                RECORDS[Kind(token["record"])],
                FIELD_TYPES[token["type"]],
                token["title"],
                code=token["code"],
                **pins,
            )
            known = _typed(inner)
            return FieldChange(made, tuple(known) if isinstance(known, list) else known)
        case {"$ref": text}:
            return Ref.parse(text)
        case {"$datetime": text}:
            return datetime.fromisoformat(text)
        case {"$date": text}:
            return date.fromisoformat(text)
        case {"$decimal": text}:
            return Decimal(text)
        case {"$bytes": text}:
            return base64.b64decode(text)
        case {"$money": [amount, currency]}:
            return Money(Decimal(amount), currency)
    return {key: _typed(item) for key, item in value.items()}
