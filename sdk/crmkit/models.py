"""Records: what a CRM knows, in one shape for all vendors; frozen, without verbs."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Generic, TypeVar, cast, get_origin

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import CoreSchema
from pydantic_core.core_schema import is_instance_schema
from typing_extensions import TypedDict  # pydantic reads the standard one from Python 3.12 on only

from crmkit.errors import ConfigError
from crmkit.values import Kind, Money, Ref

R = TypeVar("R", bound="Record")
V = TypeVar("V")

FieldData = None | bool | int | Decimal | str | datetime | date | tuple[str, ...] | Money
"""A custom field's value after translation; enumerations are labels, several labels a tuple."""


class FieldType(enum.StrEnum):
    """The types a custom field may have, over all vendors."""

    TEXT = "text"
    LONGTEXT = "longtext"
    INT = "int"
    DECIMAL = "decimal"
    MONEY = "money"
    BOOL = "bool"
    DATE = "date"
    DATETIME = "datetime"
    ENUM = "enum"
    MULTIENUM = "multienum"
    URL = "url"
    EMAIL = "email"
    PHONE = "phone"
    FILE = "file"
    JSON = "json"
    UNKNOWN = "unknown"


_FROM_TEXT: Mapping[FieldType, Callable[[str], object]] = {
    FieldType.INT: int,
    FieldType.DECIMAL: Decimal,
    FieldType.DATE: date.fromisoformat,
    FieldType.DATETIME: datetime.fromisoformat,
}


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CustomValue(_Value):
    """One filled custom field of a record, named every way by which it can be looked up."""

    id: str
    code: str | None = None
    title: str
    type: FieldType
    value: FieldData = None

    @field_validator("value", mode="before")
    @classmethod
    def _typed(cls, value: object, info: ValidationInfo) -> object:
        """JSON knows no dates and no decimals: the field's type tells what a text was."""
        read = _FROM_TEXT.get(info.data.get("type", FieldType.UNKNOWN))
        if isinstance(value, str) and read is not None:
            return read(value)
        return tuple(value) if isinstance(value, list) else value


FIELD_TYPES: Mapping[str, type[Any]] = {
    kind.__name__: kind for kind in (str, int, Decimal, bool, date, datetime, Money, tuple)
}
"""The Python types that a custom field's value may have, by name."""


class CustomField(Generic[R, V]):
    """A typed token for one custom field: `deal[next_step]` is `V | None`, and no other record accepts it.

    Tokens that say the same are equal. Raises ConfigError for a type that no field has.

    Args:
        record: the record class that has the field.
        type_: Python type of the value: str, int, Decimal, bool, date, datetime, Money or tuple (several labels).
        title: the field's name as people see it in the CRM.
        code: the vendor's code, when it is the same in all accounts.
        amocrm, bitrix24, retailcrm: the field's id or code in that vendor; wins over code and title.
    """

    __slots__ = ("code", "pins", "record", "title", "type")

    def __init__(
        self,
        record: type[R],
        type_: type[V],
        title: str,
        *,
        code: str | None = None,
        amocrm: str | None = None,
        bitrix24: str | None = None,
        retailcrm: str | None = None,
    ) -> None:
        self.record = record
        self.type: type[V] = get_origin(type_) or type_  # `tuple[str, ...]` is a tuple like any other
        if self.type not in FIELD_TYPES.values():
            raise ConfigError(
                f"custom field {title!r}: no field of a CRM holds a {getattr(type_, '__name__', type_)}",
                remedy=f"Use one of {', '.join(FIELD_TYPES)}.",
            )
        self.title = title
        self.code = code
        pins = {"amocrm": amocrm, "bitrix24": bitrix24, "retailcrm": retailcrm}
        self.pins: Mapping[str, str] = {vendor: pin for vendor, pin in pins.items() if pin}

    def to(self, value: V | None) -> FieldChange[R]:
        """This field set to `value` (None clears it), for `custom=` of a draft or of changes."""
        return FieldChange(self, value)

    def _identity(self) -> tuple[object, ...]:
        return (self.record, self.type, self.title, self.code, frozenset(self.pins.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CustomField) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __repr__(self) -> str:
        return f"CustomField({self.record.__name__}, {self.type.__name__}, {self.title!r})"


class FieldChange(Generic[R]):
    """One custom field and the value it is to get."""

    __slots__ = ("field", "value")

    def __init__(self, field: CustomField[R, Any], value: object) -> None:
        self.field = field
        self.value = value

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> CoreSchema:
        return is_instance_schema(cls)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FieldChange) and (self.field, self.value) == (other.field, other.value)

    def __hash__(self) -> int:
        return hash((self.field, repr(self.value)))

    def __repr__(self) -> str:
        return f"{self.field!r}.to({self.value!r})"


class Phone(_Value):
    """A phone as typed, its E.164 form when it has one, and the vendor's kind of it (`work`, `mobile`)."""

    raw: str
    e164: str | None = None
    kind: str | None = None


class Email(_Value):
    """An e-mail address and the vendor's kind of it."""

    value: str
    kind: str | None = None


class Outcome(enum.StrEnum):
    """Whether a stage leaves the deal open, wins or loses it."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class StageRef(_Value):
    """A stage's address: in amoCRM a stage id means something only inside its pipeline."""

    pipeline_id: str
    stage_id: str


class Record(BaseModel):
    """What every record has.

    `raw` is the vendor's own payload, untouched. Times are aware UTC. Ids of people are vendor ids as text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ClassVar[Kind]

    ref: Ref
    url: str | None = None
    created_at: AwareDatetime | None = None
    updated_at: AwareDatetime | None = None
    created_by: str | None = None
    updated_by: str | None = None
    owner_id: str | None = None
    custom: tuple[CustomValue | FieldChange[Any], ...] = ()
    is_deleted: bool = False
    raw: Mapping[str, Any] = Field(default_factory=dict, repr=False)

    def __getitem__(self: R, field: CustomField[R, V]) -> V | None:
        """The value of a custom field, found by pin, then code, then title; None when empty or absent."""
        found: CustomValue | None = None
        best = len(_MATCHES)
        for item in self.custom:
            if isinstance(item, FieldChange):
                if item.field == field:
                    return cast("V | None", item.value)
                continue
            rank = next((rank for rank, matches in enumerate(_MATCHES) if matches(item, field)), best)
            if rank < best:
                found, best = item, rank
        return cast("V | None", found.value) if found else None


_MATCHES: tuple[Callable[[CustomValue, CustomField[Any, Any]], bool], ...] = (
    lambda item, field: item.id in field.pins.values() or item.code in field.pins.values(),
    lambda item, field: field.code is not None and item.code == field.code,
    lambda item, field: item.title == field.title,
)


class Contact(Record):
    """A person. `name` is what people see; the parts are filled where the vendor has them."""

    kind = Kind.CONTACT

    ref: Ref = Ref.new(Kind.CONTACT)
    name: str = ""
    first_name: str | None = None
    middle_name: str | None = None
    last_name: str | None = None
    phones: tuple[Phone, ...] = ()
    emails: tuple[Email, ...] = ()
    company: Ref | None = None
    birthday: date | None = None
    tags: tuple[str, ...] = ()


class Company(Record):
    """An organisation. `inn` and `kpp` are the Russian tax numbers, as text with their leading zeros."""

    kind = Kind.COMPANY

    ref: Ref = Ref.new(Kind.COMPANY)
    name: str = ""
    phones: tuple[Phone, ...] = ()
    emails: tuple[Email, ...] = ()
    site: str | None = None
    inn: str | None = None
    kpp: str | None = None
    contacts: tuple[Ref, ...] = ()
    tags: tuple[str, ...] = ()


class LineItem(_Value):
    """One product row of a deal; `price` is for one unit."""

    product_id: str | None = None
    name: str
    quantity: Decimal = Decimal(1)
    price: Money | None = None


class Deal(Record):
    """What moves through a pipeline: amoCRM's lead, Bitrix24's deal, retailCRM's order.

    `contacts` has the main one first. `outcome` follows from the stage.
    """

    kind = Kind.DEAL

    ref: Ref = Ref.new(Kind.DEAL)
    title: str = ""
    amount: Money | None = None
    stage: StageRef | None = None
    outcome: Outcome = Outcome.OPEN
    closed_at: AwareDatetime | None = None
    loss_reason: str | None = None
    contacts: tuple[Ref, ...] = ()
    company: Ref | None = None
    source: str | None = None
    items: tuple[LineItem, ...] = ()
    tags: tuple[str, ...] = ()
    last_activity_at: AwareDatetime | None = None

    @property
    def contact(self) -> Ref | None:
        """The main contact."""
        return self.contacts[0] if self.contacts else None

    @property
    def is_closed(self) -> bool:
        """The deal is won or lost."""
        return self.outcome is not Outcome.OPEN


class Lead(Record):
    """A request nobody has accepted yet: Bitrix24's lead, amoCRM's unsorted item (capability LEADS)."""

    kind = Kind.LEAD

    ref: Ref = Ref.new(Kind.LEAD)
    title: str = ""
    status: str | None = None
    source: str | None = None
    phones: tuple[Phone, ...] = ()
    emails: tuple[Email, ...] = ()
    deal: Ref | None = None
    contact: Ref | None = None
    company: Ref | None = None


class Task(Record):
    """Something a person is to do by `due`. `about` is the record whose card shows it."""

    kind = Kind.TASK

    ref: Ref = Ref.new(Kind.TASK)
    text: str = ""
    due: AwareDatetime | None = None
    about: Ref | None = None
    is_done: bool = False
    result: str | None = None
    task_type: str | None = None


class Note(Record):
    """A remark on a record's timeline. `note_type` is `common` for what people write."""

    kind = Kind.NOTE

    ref: Ref = Ref.new(Kind.NOTE)
    about: Ref | None = None
    text: str = ""
    note_type: str = "common"


class File(Record):
    """A document that the CRM keeps; `cards` are the records on whose cards it stands, `size` is in bytes.

    `content` belongs to drafts: what is read has none, `crm.files.download` gives it.
    """

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
    kind = Kind.FILE

    ref: Ref = Ref.new(Kind.FILE)
    name: str = ""
    media_type: str | None = None
    size: int | None = None
    cards: tuple[Ref, ...] = ()
    content: bytes | None = Field(default=None, repr=False)


class CallStatus(enum.StrEnum):
    """How a call ended. `answered` only when a person talked."""

    ANSWERED = "answered"
    MISSED = "missed"
    BUSY = "busy"
    FAILED = "failed"
    CANCELLED = "cancelled"
    VOICEMAIL = "voicemail"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


class Direction(enum.StrEnum):
    """Who called whom, seen from the company."""

    IN = "in"
    OUT = "out"
    INTERNAL = "internal"
    CALLBACK = "callback"


class Employee(_Value):
    """Who talked, or who was rung, as the telephony names them."""

    user_id: str | None = None
    extension: str | None = None
    login: str | None = None
    email: str | None = None
    name: str | None = None


class Recording(_Value):
    """A call's recording; `url` may expire."""

    url: str | None = None
    id: str | None = None
    expires_at: AwareDatetime | None = None


class Call(Record):
    """A finished conversation, or an attempt at one. `phone` is the client's whatever the direction.

    `talk_s` and `wait_s` are seconds; `talk_s` is above zero exactly when a person answered.
    `contact` and `deal` are filled where the source knows them. `tracking` holds advertising sources (utm_*).
    """

    kind = Kind.CALL

    ref: Ref = Ref.new(Kind.CALL)
    provider: str = ""
    direction: Direction = Direction.IN
    status: CallStatus = CallStatus.UNKNOWN
    phone: Phone | None = None
    line: str | None = None
    employee: Employee | None = None
    started_at: AwareDatetime | None = None
    talk_s: int = 0
    wait_s: int = 0
    recording: Recording | None = None
    contact: Ref | None = None
    company: Ref | None = None
    deal: Ref | None = None
    tracking: Mapping[str, str] = Field(default_factory=dict)

    @property
    def missed(self) -> bool:
        """A client called and nobody talked to them: somebody should call back."""
        return self.direction is not Direction.OUT and self.status in _UNANSWERED

    @property
    def answered(self) -> bool:
        """Two people talked."""
        return self.status is CallStatus.ANSWERED


_UNANSWERED = frozenset({CallStatus.MISSED, CallStatus.BUSY, CallStatus.VOICEMAIL, CallStatus.CANCELLED})


class User(Record):
    """An employee who can own records."""

    kind = Kind.USER

    ref: Ref = Ref.new(Kind.USER)
    name: str = ""
    email: str | None = None
    phone: Phone | None = None
    extension: str | None = None
    group_id: str | None = None
    is_active: bool = True
    is_admin: bool = False


class Stage(_Value):
    """One step of a pipeline. `is_incoming` marks the step of requests nobody has accepted yet."""

    ref: StageRef
    name: str
    sort: int = 0
    outcome: Outcome = Outcome.OPEN
    is_incoming: bool = False


class Pipeline(Record):
    """A sequence of stages; `stages` are in their order."""

    kind = Kind.PIPELINE

    ref: Ref = Ref.new(Kind.PIPELINE)
    name: str = ""
    sort: int = 0
    is_main: bool = False
    is_archived: bool = False
    stages: tuple[Stage, ...] = ()


class FieldDef(_Value):
    """A custom field as the account defines it. `options` maps label to the vendor's option id."""

    kind: Kind
    id: str
    code: str | None = None
    title: str
    type: FieldType
    vendor_type: str = ""
    options: Mapping[str, str] = Field(default_factory=dict)
    is_required: bool = False
    is_computed: bool = False


RECORDS: Mapping[Kind, type[Record]] = {
    record.kind: record for record in (Contact, Company, Deal, Lead, Task, Note, File, Call, User, Pipeline)
}
"""The record class of each kind."""


class _OwnedChanges(TypedDict, total=False):
    owner_id: str
    custom: Sequence[FieldChange[Any]]


class ContactChanges(_OwnedChanges, total=False):
    """What may be changed of a contact; `phones` and `emails` are the whole new list."""

    name: str
    first_name: str
    middle_name: str
    last_name: str
    phones: Sequence[Phone]
    emails: Sequence[Email]
    company: Ref | None
    birthday: date | None
    add_tags: Sequence[str]
    remove_tags: Sequence[str]


class CompanyChanges(_OwnedChanges, total=False):
    """What may be changed of a company."""

    name: str
    phones: Sequence[Phone]
    emails: Sequence[Email]
    site: str | None
    inn: str | None
    kpp: str | None
    add_tags: Sequence[str]
    remove_tags: Sequence[str]


class DealChanges(_OwnedChanges, total=False):
    """What may be changed of a deal."""

    title: str
    amount: Money | None
    stage: StageRef
    loss_reason: str | None
    add_tags: Sequence[str]
    remove_tags: Sequence[str]


class LeadChanges(_OwnedChanges, total=False):
    """What may be changed of a lead."""

    title: str
    status: str


class TaskChanges(TypedDict, total=False):
    """What may be changed of a task."""

    owner_id: str
    text: str
    due: datetime
    about: Ref | None
    is_done: bool
    result: str
    task_type: str


class NoteChanges(TypedDict, total=False):
    """What may be changed of a note."""

    text: str


class FileChanges(TypedDict, total=False):
    """What may be changed of a file; `cards` is the whole new list."""

    name: str
    cards: Sequence[Ref]
