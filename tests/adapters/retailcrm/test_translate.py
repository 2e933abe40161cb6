"""Entities of retailCRM to records and back: pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.adapter import Account
from crmkit.errors import Rejected
from crmkit.models import (
    Call,
    CallStatus,
    Contact,
    CustomField,
    CustomValue,
    Deal,
    Direction,
    Email,
    Employee,
    FieldDef,
    FieldType,
    LineItem,
    Outcome,
    Phone,
    Recording,
    StageRef,
    Task,
)
from crmkit.values import Json, Kind, Money, Ref
from crmkit.write import Verb, Write
from crmkit_retailcrm.translate import (
    call_item,
    drafted,
    field_def,
    from_corporate,
    from_customer,
    from_item,
    from_note,
    from_order,
    from_pipeline,
    from_task,
    from_user,
    moment_of,
    paragraphs,
    to_moment,
    with_paragraph,
    with_result,
)

CARDS: Mapping[str, Any] = json.loads(
    (Path(__file__).parents[2] / "samples" / "retailcrm" / "cards.json").read_text(encoding="utf-8")
)
ACCOUNT = Account(
    key="okna",
    vendor="retailcrm",
    id="okna.retailcrm.ru",
    name="okna",
    url="https://okna.retailcrm.ru",
    timezone="Europe/Moscow",
    currency="RUB",
)


def ref(kind: Kind, record_id: str) -> Ref:
    return Ref("okna", kind, record_id)


class Names:
    """An account with two users, one order type and a field of every type."""

    def __init__(self, roles: Mapping[str, str] | None = None) -> None:
        self._roles = roles or {}
        dictionary = {"colour": {"code": "colour", "elements": [{"code": "r", "name": "Красный"}]}}
        types = ("boolean", "date", "datetime", "email", "integer", "numeric", "string", "text")
        raw: list[dict[str, Any]] = [{"code": name, "name": f"Поле {name}", "type": name} for name in types]
        raw += [
            {"code": name, "name": f"Поле {name}", "type": name, "dictionary": "colour"}
            for name in ("dictionary", "multiselect_dictionary")
        ]
        self._fields = tuple(field_def(one, Kind.DEAL, dictionary) for one in raw)

    def account(self) -> Account:
        return ACCOUNT

    def fields(self, kind: Kind, *, afresh: bool = False) -> Sequence[FieldDef]:
        return self._fields

    def has_user(self, user_id: str) -> bool:
        return user_id in ("7", "8")

    def has_stage(self, pipeline_id: str, stage_id: str) -> bool:
        return (pipeline_id, stage_id) == ("retail", "new")

    def role(self, name: str) -> str | None:
        return self._roles.get(name)


def test_a_customer_is_a_contact() -> None:
    """Names in parts, phones with E.164, times out of the account's zone, labels for codes, oddities kept."""
    found = from_customer(CARDS["customer"], ACCOUNT)
    assert (found.ref, found.name) == (ref(Kind.CONTACT, "51"), "Иван Ильич Петров")
    assert (found.first_name, found.middle_name, found.last_name) == ("Иван", "Ильич", "Петров")
    assert found.phones == (Phone(raw="8 (912) 345-67-89", e164="+79123456789"),)
    assert found.emails == (Email(value="ivan@example.com"),)
    assert (found.company, found.owner_id) == (ref(Kind.COMPANY, "60"), "7")
    assert (found.birthday, found.tags) == (date(1990, 5, 17), ("опт",))
    assert found.created_at == datetime(2026, 3, 2, 11, 5, 9, tzinfo=UTC)
    assert {one.code: (one.title, one.value) for one in found.custom if not hasattr(one, "field")} == {
        "nps": ("Оценка", 9),
        "channel": ("Источник", "Сайт"),
        "langs": ("Языки", ("Русский", "Английский")),
        "met": ("Встреча", datetime(2026, 3, 2, 7, 0, tzinfo=UTC)),
        "odd": ("odd", '{"a": 1}'),
    }


def test_empty_maps_that_come_as_lists_are_empty() -> None:
    """A customer with nothing in it is a contact with nothing in it."""
    found = from_customer(CARDS["bare"], ACCOUNT)
    assert (found.name, found.phones, found.emails, found.custom, found.tags) == ("", (), (), (), ())
    assert found.updated_at == found.created_at == datetime(2026, 6, 30, 21, 30, tzinfo=UTC)


def test_a_corporate_customer_is_a_company() -> None:
    """Tax numbers of the main legal entity, people with the main one first, phones out of the named field."""
    found = from_corporate(CARDS["corporate"], ACCOUNT)
    assert (found.name, found.inn, found.kpp) == ("ООО «Окна»", "0770123456", "077001001")
    assert found.contacts == (ref(Kind.CONTACT, "51"), ref(Kind.CONTACT, "52"))
    assert [phone.e164 for phone in found.phones] == ["+74951234567", "+74957654321"]
    assert [email.value for email in found.emails] == ["office@example.com"]
    assert found.site == "https://okna.example"


def test_a_corporate_order_is_a_deal_of_company_and_person() -> None:
    """Company, person and sum; the group's outcome closes it; the legal entity stays in the vendor's own body."""
    found = from_order(CARDS["order"], ACCOUNT)
    assert (found.title, found.amount) == ("70A", Money(Decimal("2290.5"), "RUB"))
    assert found.stage == StageRef(pipeline_id="legal", stage_id="no-call")
    assert (found.company, found.contacts) == (ref(Kind.COMPANY, "60"), (ref(Kind.CONTACT, "51"),))
    assert (found.outcome, found.loss_reason) == (Outcome.LOST, "Не дозвонились")
    assert found.closed_at == datetime(2026, 3, 3, 6, 0, tzinfo=UTC)
    assert found.source == "yandex"
    assert found.items == (
        LineItem(product_id="5", name="Окно", quantity=Decimal(2), price=Money(Decimal("995.25"), "RUB")),
        LineItem(name="Замер", quantity=Decimal(1), price=Money(Decimal(0), "RUB")),
    )
    assert found.raw["company"]["id"] == 9


def test_a_plain_order_has_one_person_and_is_open() -> None:
    """Customer and contact are the same person; the order type that it does not name is the account's main one."""
    found = from_order(CARDS["plain_order"], ACCOUNT)
    assert (found.contacts, found.company) == ((ref(Kind.CONTACT, "51"),), None)
    assert (found.stage, found.outcome) == (StageRef(pipeline_id="retail", stage_id="new"), Outcome.OPEN)
    assert (found.closed_at, found.loss_reason) == (None, None)


def test_a_title_field_wins_over_the_number() -> None:
    """Where the settings name a field for titles and it is filled."""
    order = {**CARDS["plain_order"], "customFields": {"title": "Окна в офис"}, "crmkit": {"roles": {"title": "title"}}}
    found = from_order(order, ACCOUNT)
    assert (found.title, found.custom) == ("Окна в офис", ())


def test_a_task_stands_on_its_order_and_tells_its_result() -> None:
    """Due to the minute in the account's zone; the result is what follows the word for it."""
    found = from_task(CARDS["task"], ACCOUNT)
    assert (found.text, found.result, found.is_done) == ("Перезвонить", "Договорились", True)
    assert found.due == datetime(2026, 3, 2, 13, 0, tzinfo=UTC)
    assert (found.about, found.owner_id, found.created_by) == (ref(Kind.DEAL, "70"), "7", "3")
    assert found.updated_at == datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def test_notes_users_and_pipelines() -> None:
    """A note's address names its list; a user's group is the first; stages keep the order of their groups."""
    note = from_note(CARDS["note"], ACCOUNT)
    user = from_user(CARDS["user"], ACCOUNT)
    pipeline = from_pipeline(CARDS["pipeline"], ACCOUNT)
    assert (note.ref, note.about) == (ref(Kind.NOTE, "customers.42"), ref(Kind.CONTACT, "51"))
    assert (user.name, user.group_id, user.is_active, user.is_admin) == ("Анна Ким", "25", True, False)
    assert [(stage.ref.stage_id, stage.outcome, stage.is_incoming) for stage in pipeline.stages] == [
        ("new", Outcome.OPEN, True),
        ("complete", Outcome.WON, False),
    ]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (Kind.CONTACT, "customer"),
        (Kind.COMPANY, "corporate"),
        (Kind.DEAL, "order"),
        (Kind.TASK, "task"),
        (Kind.NOTE, "note"),
        (Kind.USER, "user"),
        (Kind.PIPELINE, "pipeline"),
    ],
)
def test_records_keep_the_models_own_rules(kind: Kind, name: str) -> None:
    """What is built without validation would have passed it."""
    made = from_item(kind, CARDS[name], ACCOUNT)
    values = {field: getattr(made, field) for field in type(made).model_fields}
    assert type(made).model_validate(values) == made


def test_paragraphs_of_an_orders_comment_are_its_notes() -> None:
    """Equal ones have addresses of their own, and adding one changes no other's address."""
    comment = with_paragraph(with_paragraph("Звонил\r\nдважды", "Скидка"), "Скидка\n\nбольшая")
    notes = [from_note(one, ACCOUNT) for one in paragraphs({"id": 70, "managerComment": f"{comment}\n\nСкидка"})]
    assert [note.text for note in notes] == ["Звонил\nдважды", "Скидка", "Скидка\nбольшая", "Скидка"]
    assert {note.about for note in notes} == {ref(Kind.DEAL, "70")}
    assert len({note.ref for note in notes}) == 4
    before = [one["id"] for one in paragraphs({"id": 70, "managerComment": comment})]
    assert [note.ref.id for note in notes][:3] == [f"orders.{one}" for one in before]


def test_a_result_is_written_once() -> None:
    """A second result takes the first one's place; what people wrote before stays."""
    once = with_result("Просил вечером", "Нет ответа")
    assert once == "Просил вечером\nРезультат: Нет ответа"
    assert with_result(once, "Договорились") == "Просил вечером\nРезультат: Договорились"
    assert with_result("", "Да") == "Результат: Да"


@given(st.datetimes(datetime(2001, 1, 1), datetime(2037, 12, 31)), st.sampled_from(["Asia/Omsk", "Europe/Berlin"]))
def test_a_moment_comes_back(naive: datetime, zone: str) -> None:
    """Written in the account's zone and read again it is the same second, but for the hour that clocks repeat."""
    moment = naive.replace(microsecond=0, tzinfo=UTC)
    back = moment_of(to_moment(moment, zone), zone)
    assert back is not None
    assert abs((back - moment).total_seconds()) in (0, 3600)
    assert to_moment(back, zone) == to_moment(moment, zone)


@pytest.mark.parametrize(
    ("type_", "python", "value", "wire"),
    [
        ("boolean", bool, True, True),
        ("date", date, date(2026, 12, 31), "2026-12-31"),
        ("datetime", datetime, datetime(2026, 12, 31, 21, 30, tzinfo=UTC), "2027-01-01 00:30:00"),
        ("email", str, "a@example.com", "a@example.com"),
        ("integer", int, 12, 12),
        ("integer", Decimal, Decimal(12), 12),
        ("numeric", Decimal, Decimal("12.5"), 12.5),
        ("string", str, "x", "x"),
        ("text", str, "x\ny", "x\ny"),
        ("dictionary", str, "Красный", "r"),
        ("multiselect_dictionary", tuple, ("Красный",), ["r"]),
        ("string", str, None, None),
    ],
)
def test_a_custom_field_is_written_as_its_type_wants(type_: str, python: type[Any], value: Any, wire: Any) -> None:
    """Codes for labels, the account's zone for moments, null for nothing."""
    token: CustomField[Deal, Any] = CustomField(Deal, python, f"Поле {type_}")
    draft = drafted(Kind.DEAL, {"custom": [token.to(value)]}, {}, Names(), is_new=False)
    assert draft.item == {"customFields": {type_: wire}}


@pytest.mark.parametrize(
    ("field", "python", "value"),
    [
        ("Поле date", str, "31.12.2026"),
        ("Поле integer", Decimal, Decimal("1.5")),
        ("Поле dictionary", str, "Крсный"),
        ("Поле string", int, 5),
        ("Поле boolean", str, "да"),
        ("Нет такого", str, "x"),
        ("Поле multiselect_dictionary", str, "Красный"),
    ],
)
def test_what_does_not_fit_a_field_is_rejected_by_its_name(field: str, python: type[Any], value: Any) -> None:
    """Before anything is sent."""
    token: CustomField[Deal, Any] = CustomField(Deal, python, field)
    with pytest.raises(Rejected) as refused:
        drafted(Kind.DEAL, {"custom": [token.to(value)]}, {}, Names(), is_new=True)
    assert list(refused.value.fields) == [field]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Иван Петров", {"firstName": "Иван", "lastName": "Петров"}),
        ("Петров Иван", {"firstName": "Петров Иван"}),
        ("Контакт 3", {"firstName": "Контакт", "lastName": "3"}),
        ("Иван", {"firstName": "Иван"}),
    ],
)
def test_a_whole_name_reads_back_as_it_was_written(name: str, parts: Mapping[str, str]) -> None:
    """Split only where putting the parts together gives the same name again."""
    item = drafted(Kind.CONTACT, {"name": name}, {}, Names(), is_new=True).item
    again = from_customer({"id": 1, **item}, ACCOUNT)
    assert again.name == name
    assert {key: item.get(key) for key in item} == item
    if name != "Контакт 3":
        assert item == parts


def test_a_contact_is_written_whole() -> None:
    """Phones as typed, one e-mail, tags, owner; `extra` lies over it."""
    contact = Contact(
        first_name="Иван",
        phones=(Phone(raw="8 912", e164=None),),
        emails=(Email(value="i@example.com"),),
        tags=("опт",),
        owner_id="7",
        birthday=date(1990, 5, 17),
    )
    write = Write(Verb.CREATE, Kind.CONTACT, record=contact, extra={"vip": True})
    assert drafted(Kind.CONTACT, write.values(), write.extra, Names(), is_new=True).item == {
        "firstName": "Иван",
        "phones": [{"number": "8 912"}],
        "email": "i@example.com",
        "addTags": ["опт"],
        "managerId": 7,
        "birthday": "1990-05-17",
        "vip": True,
    }


def test_a_deal_is_written_whole() -> None:
    """Company and person of a corporate order, stage with its order type, items by offer or by name."""
    deal = Deal(
        title="Окна",
        stage=StageRef(pipeline_id="retail", stage_id="new"),
        company=ref(Kind.COMPANY, "60"),
        contacts=(ref(Kind.CONTACT, "51"),),
        items=(LineItem(product_id="5", name="Окно", quantity=Decimal("1.5")), LineItem(name="Замер")),
        source="yandex",
    )
    write = Write(Verb.CREATE, Kind.DEAL, record=deal)
    assert drafted(Kind.DEAL, write.values(), {}, Names(), is_new=True).item == {
        "number": "Окна",
        "status": "new",
        "orderType": "retail",
        "customer": {"id": 60, "type": "customer_corporate"},
        "contact": {"id": 51, "type": "customer"},
        "items": [{"quantity": 1.5, "offer": {"id": 5}}, {"quantity": 1, "productName": "Замер"}],
        "source": {"source": "yandex"},
    }


@pytest.mark.parametrize(
    ("kind", "values", "field"),
    [
        (Kind.DEAL, {"contacts": (ref(Kind.CONTACT, "1"), ref(Kind.CONTACT, "2"))}, "contacts"),
        (Kind.DEAL, {"stage": StageRef(pipeline_id="retail", stage_id="gone")}, "stage"),
        (Kind.DEAL, {"owner_id": "999"}, "owner_id"),
        (Kind.DEAL, {"add_tags": ["x"]}, "add_tags"),
        (Kind.DEAL, {"outcome": Outcome.WON}, "outcome"),
        (Kind.DEAL, {"amount": None}, "amount"),
        (Kind.CONTACT, {"emails": (Email(value="a@b.ru"), Email(value="c@b.ru"))}, "emails"),
        (Kind.CONTACT, {"company": None}, "company"),
        (Kind.COMPANY, {"phones": (Phone(raw="1"),)}, "phones"),
        (Kind.TASK, {"task_type": "call"}, "task_type"),
        (Kind.TASK, {"about": ref(Kind.USER, "7")}, "about"),
    ],
)
def test_what_the_crm_cannot_keep_is_rejected_by_field(kind: Kind, values: Mapping[str, Any], field: str) -> None:
    """Nothing is dropped in silence."""
    with pytest.raises(Rejected) as refused:
        drafted(kind, values, {}, Names(), is_new=False)
    assert list(refused.value.fields) == [field]
    assert refused.value.remedy


def test_fields_named_by_the_settings_are_written() -> None:
    """A company's phones and a deal's title go where the account keeps them."""
    names = Names({"phone": "tel", "title": "title"})
    company = drafted(Kind.COMPANY, {"phones": (Phone(raw="1"), Phone(raw="2"))}, {}, names, is_new=False)
    deal = drafted(Kind.DEAL, {"title": "Окна"}, {}, names, is_new=False)
    assert company.item == {"customFields": {"tel": "1, 2"}}
    assert deal.item == {"customFields": {"title": "Окна"}}


def test_a_task_is_written_to_the_minute() -> None:
    """Due in the account's zone; moved to a company it leaves its order."""
    values = {"due": datetime(2026, 3, 2, 13, 0, 59, tzinfo=UTC), "about": ref(Kind.COMPANY, "60"), "owner_id": "8"}
    assert drafted(Kind.TASK, values, {}, Names(), is_new=False).item == {
        "datetime": "2026-03-02 16:00",
        "customer": {"id": 60, "type": "customer_corporate"},
        "order": None,
        "performerId": 8,
        "performerType": "user",
    }


def test_a_call_is_logged_under_the_effects_key() -> None:
    """Time in the account's zone, result in the vendor's words, employee by id before extension, sources by name."""
    call = Call(
        direction=Direction.OUT,
        status=CallStatus.ANSWERED,
        phone=Phone(raw="8 912 345-67-89", e164="+79123456789"),
        started_at=datetime(2026, 3, 2, 11, 5, 9, tzinfo=UTC),
        talk_s=42,
        wait_s=5,
        employee=Employee(user_id="7", extension="101"),
        recording=Recording(url="https://records.example/1.mp3"),
        line="74950000000",
        tracking={"utm_source": "yandex", "roistat": "1"},
    )
    assert call_item(Write(Verb.CREATE, Kind.CALL, record=call, marker="run-1"), ACCOUNT) == {
        "date": "2026-03-02 14:05:09",
        "type": "out",
        "phone": "+79123456789",
        "result": "answered",
        "duration": 42,
        "durationWaiting": 5,
        "externalId": "crmkit-run-1",
        "userId": 7,
        "recordUrl": "https://records.example/1.mp3",
        "externalPhone": "74950000000",
        "source": {"source": "yandex"},
    }


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "phone"),
        ({"phone": Phone(raw="1")}, "started_at"),
        (
            {"phone": Phone(raw="1"), "started_at": datetime(2026, 1, 1, tzinfo=UTC), "direction": Direction.INTERNAL},
            "direction",
        ),
    ],
)
def test_a_call_without_what_the_log_needs_is_rejected(values: Mapping[str, Any], field: str) -> None:
    """Number, time, direction."""
    with pytest.raises(Rejected) as refused:
        call_item(Write(Verb.CREATE, Kind.CALL, record=Call.model_validate(values)), ACCOUNT)
    assert list(refused.value.fields) == [field]


def test_definitions_name_their_options() -> None:
    """Labels to codes out of the dictionary; an unknown type is kept as unknown."""
    dictionary = {"d": {"elements": [{"code": "a", "name": "Да"}, {"code": "b"}]}}
    found = field_def({"code": "x", "name": "Икс", "type": "dictionary", "dictionary": "d"}, Kind.DEAL, dictionary)
    strange = field_def({"code": "y", "type": "hologram", "viewMode": "not_editable"}, Kind.DEAL, {})
    assert (found.type, found.options) == (FieldType.ENUM, {"Да": "a", "b": "b"})
    assert (strange.title, strange.type, strange.is_computed) == ("y", FieldType.UNKNOWN, True)
    assert cast("Task", from_item(Kind.TASK, {"id": 1}, ACCOUNT)).about is None


def test_what_was_read_can_be_written_again() -> None:
    """A value as it was read goes back by its field's code; a field that is gone is refused by its title."""
    values = {
        "integer": CustomValue(id="integer", title="Поле integer", type=FieldType.INT, value=5),
        "dictionary": CustomValue(id="dictionary", title="Поле dictionary", type=FieldType.ENUM, value="Красный"),
    }
    draft = drafted(Kind.DEAL, {"custom": list(values.values())}, {}, Names(), is_new=True)
    gone = CustomValue(id="gone", title="Нет", type=FieldType.TEXT, value="x")
    with pytest.raises(Rejected) as refused:
        drafted(Kind.DEAL, {"custom": [gone]}, {}, Names(), is_new=True)
    assert draft.item == {"customFields": {"integer": 5, "dictionary": "r"}}
    assert list(refused.value.fields) == ["Нет"]


@pytest.mark.parametrize(
    ("kind", "values", "item"),
    [
        (Kind.CONTACT, {"owner_id": None, "emails": (), "remove_tags": ["опт"]}, {"managerId": None, "email": None}),
        (
            Kind.CONTACT,
            {"created_at": datetime(2026, 3, 2, 11, 5, 9, tzinfo=UTC)},
            {"createdAt": "2026-03-02 14:05:09"},
        ),
        (Kind.CONTACT, {"name": "Иван"}, {"firstName": "Иван", "patronymic": None, "lastName": None}),
        (Kind.DEAL, {"loss_reason": "Дорого", "outcome": Outcome.OPEN, "company": None}, {"statusComment": "Дорого"}),
        (Kind.TASK, {"due": None, "about": ref(Kind.DEAL, "70")}, {"datetime": None, "order": {"id": 70}}),
        (Kind.TASK, {"about": None, "is_done": True}, {"order": None, "customer": None, "complete": True}),
    ],
)
def test_changes_are_written_by_field(kind: Kind, values: Mapping[str, Any], item: Mapping[str, Any]) -> None:
    """Null clears; what needs no writing of its own writes nothing."""
    found = drafted(kind, values, {}, Names(), is_new=False).item
    assert {name: found[name] for name in item} == item


def test_a_companys_people_and_legal_entity_have_requests_of_their_own() -> None:
    """They are no fields of the corporate customer."""
    values = {
        "name": "ООО",
        "inn": "077",
        "kpp": "1",
        "site": "https://okna.example",
        "contacts": (ref(Kind.CONTACT, "51"),),
    }
    draft = drafted(Kind.COMPANY, values, {}, Names(), is_new=True)
    assert draft.item == {"nickName": "ООО"}
    assert draft.people == (ref(Kind.CONTACT, "51"),)
    assert draft.legal == {
        "contragent": {"contragentType": "legal-entity", "INN": "077", "KPP": "1"},
        "site": "https://okna.example",
    }


def test_a_title_is_the_number_of_a_new_order_only() -> None:
    """Where the settings name no field, people's number of an order is not taken away."""
    assert drafted(Kind.DEAL, {"title": "Окна"}, {}, Names(), is_new=True).item == {"number": "Окна"}
    with pytest.raises(Rejected) as refused:
        drafted(Kind.DEAL, {"title": "Двери"}, {}, Names(), is_new=False)
    assert list(refused.value.fields) == ["title"]


def test_extra_lies_over_the_body() -> None:
    """Objects are merged, all else is replaced."""
    values = {"company": ref(Kind.COMPANY, "60"), "loss_reason": "x"}
    extra: dict[str, Json] = {"customer": {"site": "main"}, "statusComment": "y", "call": True}
    assert drafted(Kind.DEAL, values, extra, Names(), is_new=True).item == {
        "customer": {"id": 60, "type": "customer_corporate", "site": "main"},
        "statusComment": "y",
        "call": True,
    }


@pytest.mark.parametrize("broken", [None, "", "yesterday", False, 5])
def test_broken_times_are_none(broken: Any) -> None:
    """A record with a date that is none is still a record."""
    found = from_customer({"id": 1, "createdAt": broken, "birthday": broken}, ACCOUNT)
    assert (found.created_at, found.updated_at, found.birthday) == (None, None, None)


@pytest.mark.parametrize(
    ("wire", "amount"),
    [("12,5", None), (None, None), (True, None), ("NaN", None), ("7.10", Decimal("7.10")), (0.1, Decimal("0.1"))],
)
def test_amounts_are_exact_or_none(wire: Any, amount: Decimal | None) -> None:
    """No noise of binary fractions, no senseless numbers."""
    found = from_order({"id": 1, "totalSumm": wire, "status": "new"}, ACCOUNT)
    assert found.amount == (None if amount is None else Money(amount, "RUB"))


def test_a_value_that_is_not_of_its_fields_type_is_kept_as_text() -> None:
    """It must not hide the other fields of the record."""
    fields = {code: [code, type_, {}] for code, type_ in (("a", "int"), ("b", "date"), ("c", "bool"), ("d", "text"))}
    raw = {
        "id": 1,
        "customFields": {"a": "12.5", "b": "x", "c": [], "d": {"x": 1}, "e": None},
        "crmkit": {"fields": fields},
    }
    found = [one for one in from_customer(raw, ACCOUNT).custom if isinstance(one, CustomValue)]
    assert [(one.code, one.type, one.value) for one in found] == [
        ("a", FieldType.UNKNOWN, "12.5"),
        ("b", FieldType.UNKNOWN, "x"),
        ("c", FieldType.UNKNOWN, "[]"),
        ("d", FieldType.UNKNOWN, '{"x": 1}'),
    ]
