"""Records: frozen, the same after JSON, custom fields found by pin, code, title."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crmkit import (
    Call,
    CallStatus,
    Company,
    ConfigError,
    Contact,
    CustomField,
    Deal,
    Direction,
    Email,
    FieldType,
    File,
    Kind,
    Lead,
    LineItem,
    Money,
    Note,
    Outcome,
    Phone,
    Pipeline,
    Record,
    Ref,
    Stage,
    StageRef,
    Task,
    User,
)
from crmkit.models import RECORDS, CustomValue, Employee, Recording

texts = st.text(max_size=30)
numbers = st.decimals(allow_nan=False, allow_infinity=False, places=2)
moments = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1), timezones=st.just(UTC))
VALUES: dict[FieldType, st.SearchStrategy[Any]] = {
    FieldType.TEXT: texts,
    FieldType.LONGTEXT: texts,
    FieldType.INT: st.integers(),
    FieldType.DECIMAL: numbers,
    FieldType.MONEY: st.builds(Money, numbers, st.sampled_from(["RUB", "USD"])),
    FieldType.BOOL: st.booleans(),
    FieldType.DATE: st.dates(),
    FieldType.DATETIME: moments,
    FieldType.ENUM: texts,
    FieldType.MULTIENUM: st.lists(texts, max_size=4).map(tuple),
    FieldType.URL: texts,
    FieldType.EMAIL: texts,
    FieldType.PHONE: texts,
    FieldType.FILE: texts,
    FieldType.JSON: texts,
    FieldType.UNKNOWN: texts,
}


def value(id_: str, code: str | None, title: str, found: str) -> CustomValue:
    """A filled text field."""
    return CustomValue(id=id_, code=code, title=title, type=FieldType.TEXT, value=found)


@pytest.mark.parametrize("field_type", FieldType)
@given(data=st.data())
def test_a_custom_value_of_every_type_survives_json(field_type: FieldType, data: st.DataObject) -> None:
    """JSON knows neither dates nor decimals; the field's type brings them back, with their Python type."""
    filled = CustomValue(id="1", title="Поле", type=field_type, value=data.draw(VALUES[field_type] | st.none()))
    deal = Deal(ref=Ref("acme", Kind.DEAL, "1"), custom=(filled,))
    back = Deal.model_validate(json.loads(deal.model_dump_json()))
    assert back == deal
    assert isinstance(back.custom[0], CustomValue)
    assert type(back.custom[0].value) is type(filled.value)


RU = timezone(timedelta(hours=3))
FULL: dict[Kind, Record] = {
    Kind.CONTACT: Contact(
        ref=Ref("acme", Kind.CONTACT, "1"),
        name="Мария Петрова",
        phones=(Phone(raw="8 912 345-67-89", e164="+79123456789", kind="work"),),
        emails=(Email(value="m@example.com"),),
        company=Ref("acme", Kind.COMPANY, "2"),
        birthday=date(1990, 5, 1),
        tags=("vip", "б/у"),
        created_at=datetime(2026, 3, 2, 12, 0, tzinfo=RU),
        raw={"id": 1, "name": "Мария", "nested": [{"a": None}]},
    ),
    Kind.COMPANY: Company(
        ref=Ref("acme", Kind.COMPANY, "2"), name="ООО", inn="0012345678", contacts=(Ref("acme", Kind.CONTACT, "1"),)
    ),
    Kind.DEAL: Deal(
        ref=Ref("acme", Kind.DEAL, "3"),
        title="Окна",
        amount=Money(Decimal("1000.10"), "RUB"),
        stage=StageRef(pipeline_id="1", stage_id="142"),
        outcome=Outcome.WON,
        closed_at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
        contacts=(Ref("acme", Kind.CONTACT, "1"), Ref("acme", Kind.CONTACT, "9")),
        items=(LineItem(name="Окно", quantity=Decimal("1.5"), price=Money(Decimal(10), "RUB")),),
    ),
    Kind.LEAD: Lead(ref=Ref("acme", Kind.LEAD, "u:1"), title="Заявка", phones=(Phone(raw="+7"),), status="new"),
    Kind.TASK: Task(
        ref=Ref("acme", Kind.TASK, "4"),
        text="Перезвонить",
        due=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
        about=Ref("acme", Kind.DEAL, "3"),
        is_done=True,
        result="готово",
    ),
    Kind.NOTE: Note(ref=Ref("acme", Kind.NOTE, "5"), about=Ref("acme", Kind.DEAL, "3"), text="Текст"),
    Kind.FILE: File(
        ref=Ref("acme", Kind.FILE, "7"),
        name="Смета.pdf",
        media_type="application/pdf",
        size=3,
        cards=(Ref("acme", Kind.DEAL, "3"),),
        content=b"\xff\x00%",
    ),
    Kind.CALL: Call(
        ref=Ref("acme", Kind.CALL, "6"),
        provider="ringostat",
        direction=Direction.CALLBACK,
        status=CallStatus.ANSWERED,
        phone=Phone(raw="89123456789", e164="+79123456789"),
        employee=Employee(user_id="1", extension="101"),
        recording=Recording(url="https://example.com/1.mp3", expires_at=datetime(2026, 4, 1, tzinfo=UTC)),
        talk_s=40,
        tracking={"utm_source": "yandex"},
    ),
    Kind.USER: User(ref=Ref("acme", Kind.USER, "7"), name="Анна", email="a@example.com", is_admin=True),
    Kind.PIPELINE: Pipeline(
        ref=Ref("acme", Kind.PIPELINE, "8"),
        name="Продажи",
        stages=(Stage(ref=StageRef(pipeline_id="8", stage_id="142"), name="Успешно", outcome=Outcome.WON),),
    ),
}


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_of_every_kind_survives_json(kind: Kind) -> None:
    """What was stored is what is read, with its addresses, amounts, moments and the vendor's own body."""
    record = FULL[kind]
    assert type(record).model_validate(json.loads(record.model_dump_json())) == record


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_is_frozen_and_takes_no_unknown_field(kind: Kind) -> None:
    """Nobody changes a record in place, and a slip in a field's name is an error."""
    record = FULL[kind]
    with pytest.raises(ValidationError, match="frozen"):
        record.url = "https://example.com"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        type(record).model_validate({"titel": "Окна"})


@pytest.mark.parametrize("kind", RECORDS)
def test_a_draft_needs_nothing(kind: Kind) -> None:
    """Every record can be made without an address, and knows its kind."""
    draft = RECORDS[kind].model_validate({})
    assert (draft.ref, draft.kind, draft.model_fields_set) == (Ref.new(kind), kind, set())


def test_a_moment_without_a_zone_is_refused() -> None:
    """A time that could mean two moments does not enter a record."""
    with pytest.raises(ValidationError, match="timezone"):
        Task(due=datetime(2026, 3, 2, 9, 0))


def test_a_field_is_found_by_pin_then_code_then_title() -> None:
    """The stronger name wins over the order in which the vendor lists the fields."""
    by_title, by_code, by_pin = (
        value("1", None, "Канал", "title"),
        value("2", "CHANNEL", "Source", "code"),
        value("3", "X", "Other", "pin"),
    )
    channel = CustomField(Contact, str, "Канал", code="CHANNEL", amocrm="3")
    assert [
        Contact(custom=(by_title, by_code, by_pin))[channel],
        Contact(custom=(by_title, by_code))[channel],
        Contact(custom=(by_title,))[channel],
        Contact()[channel],
    ] == ["pin", "code", "title", None]


def test_a_pin_may_be_the_vendors_code() -> None:
    """Bitrix24 names fields by code alone."""
    channel = CustomField(Contact, str, "Канал", bitrix24="UF_CRM_CHANNEL")
    assert Contact(custom=(value("17", "UF_CRM_CHANNEL", "Иное", "сайт"),))[channel] == "сайт"


def test_a_field_without_a_code_is_not_found_by_a_missing_code() -> None:
    """Two fields that have no code are not the same field."""
    assert Contact(custom=(value("1", None, "Иное", "x"),))[CustomField(Contact, str, "Канал")] is None


def test_a_draft_shows_what_it_was_given() -> None:
    """The value of a change is read by any token that says the same."""
    draft = Deal(custom=(CustomField(Deal, int, "Число мест").to(3), CustomField(Deal, str, "Канал").to(None)))
    seats, channel = CustomField(Deal, int, "Число мест"), CustomField(Deal, str, "Канал")
    assert (draft[seats], draft[channel]) == (3, None)


def test_tokens_that_say_the_same_are_equal() -> None:
    """A token is a value: so a stored write compares equal with the one that was made anew."""
    one, same = CustomField(Deal, str, "Канал", amocrm="3"), CustomField(Deal, str, "Канал", amocrm="3")
    others = [
        CustomField(Contact, str, "Канал", amocrm="3"),
        CustomField(Deal, int, "Канал", amocrm="3"),
        CustomField(Deal, str, "Источник", amocrm="3"),
        CustomField(Deal, str, "Канал", code="C", amocrm="3"),
        CustomField(Deal, str, "Канал", bitrix24="3"),
    ]
    assert (one, hash(one), one.to("a"), hash(one.to("a"))) == (same, hash(same), same.to("a"), hash(same.to("a")))
    assert [other for other in others if other == one] == []
    assert one.to("a") != one.to("b")
    assert repr(one.to("a")) == "CustomField(Deal, str, 'Канал').to('a')"


def test_a_tuple_of_labels_is_a_tuple() -> None:
    """`tuple[str, ...]`, as a type checker wants it, and `tuple` declare the same field."""
    assert CustomField(Deal, tuple[str, ...], "Интересы") == CustomField(Deal, tuple, "Интересы")


def test_a_type_that_no_field_has_is_refused_at_import() -> None:
    """A wrong declaration fails where it stands, and the message names the right types."""
    with pytest.raises(ConfigError) as refused:
        CustomField(Deal, dict, "Канал")
    assert str(refused.value) == (
        "custom field 'Канал': no field of a CRM holds a dict. "
        "Use one of str, int, Decimal, bool, date, datetime, Money, tuple."
    )


@pytest.mark.parametrize("status", CallStatus)
@pytest.mark.parametrize("direction", Direction)
def test_a_call_is_missed_when_a_client_called_and_nobody_talked(status: CallStatus, direction: Direction) -> None:
    """Our own attempts are never missed calls, and a technical failure or a blocked number asks for no call back."""
    call = Call(status=status, direction=direction)
    unanswered = {CallStatus.MISSED, CallStatus.BUSY, CallStatus.VOICEMAIL, CallStatus.CANCELLED}
    assert call.missed is (direction is not Direction.OUT and status in unanswered)
    assert call.answered is (status is CallStatus.ANSWERED)


def test_a_deals_main_contact_is_the_first() -> None:
    """`contact` is the first of `contacts`; `is_closed` follows from the outcome."""
    first, second = Ref("acme", Kind.CONTACT, "2"), Ref("acme", Kind.CONTACT, "1")
    assert (Deal(contacts=(first, second)).contact, Deal().contact) == (first, None)
    assert [Deal(outcome=outcome).is_closed for outcome in Outcome] == [False, True, True]
