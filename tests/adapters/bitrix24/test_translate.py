"""Bodies of Bitrix24 become records and records become fields, in all the vendor's spellings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from crmkit import (
    CallStatus,
    Company,
    Contact,
    CustomField,
    Deal,
    Direction,
    Email,
    FieldType,
    Kind,
    LineItem,
    Money,
    Outcome,
    Phone,
    Ref,
    StageRef,
)
from crmkit.adapter import Account
from crmkit.errors import Rejected
from crmkit.models import RECORDS, FieldDef, Lead, Note, Record, Task
from crmkit_bitrix24.translate import definitions_of, drafted, field_def, filled, from_item, patch
from crmkit_bitrix24.translate.dialect import classic, classic_name, universal_name
from crmkit_bitrix24.translate.multifields import wanted_phones

HOME = Account("okna", "bitrix24", "1", "okna", "https://okna.bitrix24.ru", "Europe/Moscow", "RUB")
FIELDS: Mapping[str, Any] = {
    "TITLE": {"type": "string", "title": "Название"},
    "UF_CRM_CITY": {"type": "string", "isMultiple": False, "listLabel": "Город", "title": "UF_CRM_CITY"},
    "UF_CRM_STORY": {"type": "string", "listLabel": "История", "settings": {"ROWS": 5}},
    "UF_CRM_ROOMS": {"type": "integer", "formLabel": "Комнат", "settings": []},
    "UF_CRM_AREA": {"type": "double", "listLabel": "Площадь"},
    "UF_CRM_URGENT": {"type": "boolean", "listLabel": "Срочно"},
    "UF_CRM_NEXT": {"type": "date", "listLabel": "Следующий шаг"},
    "UF_CRM_MEET": {"type": "datetime", "listLabel": "Встреча"},
    "UF_CRM_ADVANCE": {"type": "money", "listLabel": "Аванс"},
    "UF_CRM_SOURCE": {
        "type": "enumeration",
        "listLabel": "Источник",
        "items": [{"ID": "31", "VALUE": "Сайт"}, {"ID": "32", "VALUE": "Звонок"}],
    },
    "UF_CRM_WORKS": {
        "type": "enumeration",
        "listLabel": "Услуги",
        "isMultiple": True,
        "items": {"0": {"ID": "41", "VALUE": "Монтаж"}, "1": {"ID": "42", "VALUE": "Доставка"}},
    },
    "UF_CRM_LINKS": {"type": "url", "listLabel": "Ссылки", "isMultiple": True},
    "UF_CRM_ROOM": {"type": "resourcebooking", "listLabel": "Бронь"},
}
DEFINITIONS = definitions_of(FIELDS)
UNIVERSAL: Mapping[str, Any] = {
    "id": 12,
    "title": "Остекление балкона",
    "categoryId": 2,
    "stageId": "C2:WON",
    "stageSemanticId": "S",
    "opportunity": 15000.5,
    "currencyId": "RUB",
    "isManualOpportunity": "Y",
    "companyId": 0,
    "contactId": 7,
    "contactIds": [9, 7],
    "assignedById": 3,
    "createdBy": 1,
    "updatedBy": 3,
    "createdTime": "2026-03-01T10:00:00+03:00",
    "updatedTime": "2026-03-02T10:00:00+03:00",
    "movedTime": "2026-03-02T09:30:00+03:00",
    "closedate": "2026-04-01T03:00:00+03:00",
    "lastActivityTime": "2026-03-02T11:00:00+03:00",
    "sourceId": "WEB",
}
CLASSIC: Mapping[str, Any] = {
    "ID": "12",
    "TITLE": "Остекление балкона",
    "CATEGORY_ID": "2",
    "STAGE_ID": "C2:WON",
    "STAGE_SEMANTIC_ID": "S",
    "OPPORTUNITY": "15000.5",
    "CURRENCY_ID": "RUB",
    "IS_MANUAL_OPPORTUNITY": "Y",
    "COMPANY_ID": "0",
    "CONTACT_ID": "7",
    "CONTACT_IDS": [9, 7],
    "ASSIGNED_BY_ID": "3",
    "CREATED_BY_ID": "1",
    "MODIFY_BY_ID": "3",
    "DATE_CREATE": "2026-03-01T10:00:00+03:00",
    "DATE_MODIFY": "2026-03-02T10:00:00+03:00",
    "MOVED_TIME": "2026-03-02T09:30:00+03:00",
    "CLOSEDATE": "2026-04-01T03:00:00+03:00",
    "LAST_ACTIVITY_TIME": "2026-03-02T11:00:00+03:00",
    "SOURCE_ID": "WEB",
}


class Office:
    """What the account has by name, known beforehand."""

    def account(self) -> Account:
        return HOME

    def fields(self, kind: Kind, *, afresh: bool = False) -> Sequence[FieldDef]:
        return [field_def(name, definition, kind) for name, definition in DEFINITIONS.items()]

    def knows_user(self, user_id: str) -> bool:
        return user_id in ("1", "3")


def read(kind: Kind, raw: Mapping[str, Any]) -> Record:
    """The record, checked against the model's own rules, which the translator does not run."""
    record = from_item(kind, raw, HOME)
    assert RECORDS[kind].model_validate(record.model_dump()) == record
    return record


@pytest.mark.parametrize("raw", [UNIVERSAL, CLASSIC], ids=["universal", "classic"])
def test_a_deal_is_the_same_from_both_families(raw: Mapping[str, Any]) -> None:
    """Every field, whether it came as text or as a number; the planned day is not the day it was closed."""
    assert read(Kind.DEAL, raw) == Deal(
        ref=Ref("okna", Kind.DEAL, "12"),
        url="https://okna.bitrix24.ru/crm/deal/details/12/",
        created_at=datetime(2026, 3, 1, 7, tzinfo=UTC),
        updated_at=datetime(2026, 3, 2, 7, tzinfo=UTC),
        created_by="1",
        updated_by="3",
        owner_id="3",
        title="Остекление балкона",
        amount=Money(Decimal("15000.5"), "RUB"),
        stage=StageRef(pipeline_id="2", stage_id="C2:WON"),
        outcome=Outcome.WON,
        closed_at=datetime(2026, 3, 2, 6, 30, tzinfo=UTC),
        contacts=(Ref("okna", Kind.CONTACT, "7"), Ref("okna", Kind.CONTACT, "9")),
        source="WEB",
        last_activity_at=datetime(2026, 3, 2, 8, tzinfo=UTC),
        raw=raw,
    )


@pytest.mark.parametrize("nothing", [None, "", "0", 0, False, []])
def test_no_value_is_no_value_in_every_spelling(nothing: object) -> None:
    """A company that is not there, a contact, a person who never was."""
    raw = {"ID": "12", "COMPANY_ID": nothing, "CONTACT_ID": nothing, "ASSIGNED_BY_ID": nothing, "TITLE": "Окна"}
    deal = read(Kind.DEAL, raw)
    assert isinstance(deal, Deal)
    assert (deal.company, deal.contacts, deal.owner_id, deal.stage, deal.amount) == (None, (), None, None, None)


def test_rows_of_a_deal_are_its_items() -> None:
    """Product rows that lie beside the body, priced in the deal's currency."""
    rows = [{"PRODUCT_ID": 5, "PRODUCT_NAME": "Окно", "PRICE": 7000, "QUANTITY": 2}, {"PRODUCT_NAME": "Монтаж"}]
    deal = read(Kind.DEAL, {**UNIVERSAL, "crmkit": {"items": rows}})
    assert isinstance(deal, Deal)
    assert deal.items == (
        LineItem(product_id="5", name="Окно", quantity=Decimal(2), price=Money(Decimal(7000), "RUB")),
        LineItem(name="Монтаж"),
    )


def test_user_fields_come_in_their_own_types() -> None:
    """By the definitions that were kept with the body; labels for enumerations, nothing for empty ones."""
    body = {
        **UNIVERSAL,
        "UF_CRM_CITY": "Тверь",
        "UF_CRM_STORY": "раз\nдва",
        "UF_CRM_ROOMS": "3",
        "UF_CRM_AREA": 12.5,
        "UF_CRM_URGENT": "Y",
        "UF_CRM_NEXT": "2026-12-31T02:00:00+02:00",
        "UF_CRM_MEET": "2026-12-31T23:30:00+02:00",
        "UF_CRM_ADVANCE": "300|USD",
        "UF_CRM_SOURCE": 32,
        "UF_CRM_WORKS": [41, 42],
        "UF_CRM_LINKS": ["https://a.example", "https://b.example"],
        "UF_CRM_ROOM": {"from": 1},
    }
    deal = read(Kind.DEAL, {**body, "crmkit": {"fields": filled(body, DEFINITIONS)}})
    assert {value.title: (value.type, value.value) for value in deal.custom if not hasattr(value, "field")} == {
        "Город": (FieldType.TEXT, "Тверь"),
        "История": (FieldType.LONGTEXT, "раз\nдва"),
        "Комнат": (FieldType.INT, 3),
        "Площадь": (FieldType.DECIMAL, Decimal("12.5")),
        "Срочно": (FieldType.BOOL, True),
        "Следующий шаг": (FieldType.DATE, date(2026, 12, 31)),
        "Встреча": (FieldType.DATETIME, datetime(2026, 12, 31, 21, 30, tzinfo=UTC)),
        "Аванс": (FieldType.MONEY, Money(Decimal(300), "USD")),
        "Источник": (FieldType.ENUM, "Звонок"),
        "Услуги": (FieldType.MULTIENUM, ("Монтаж", "Доставка")),
        "Ссылки": (FieldType.URL, ("https://a.example", "https://b.example")),
        "Бронь": (FieldType.UNKNOWN, '{"from": 1}'),
    }


def test_only_what_is_filled_is_kept_with_a_body() -> None:
    """Empty fields leave nothing behind, an enumeration only the labels it uses."""
    body = {"UF_CRM_CITY": "", "UF_CRM_WORKS": False, "UF_CRM_LINKS": [], "UF_CRM_ROOMS": None, "UF_CRM_SOURCE": "31"}
    assert filled(body, DEFINITIONS) == {
        "UF_CRM_SOURCE": {"title": "Источник", "type": "enumeration", "items": {"31": "Сайт"}}
    }


def test_a_contact_comes_with_its_people_and_phones() -> None:
    """Name from its parts, phones and e-mails with their kinds, the day of birth without its hours."""
    raw = {
        "ID": "43",
        "NAME": "Мария",
        "SECOND_NAME": None,
        "LAST_NAME": "Петрова",
        "COMPANY_ID": "5",
        "BIRTHDATE": "1990-05-06T03:00:00+03:00",
        "PHONE": [{"ID": "1", "VALUE": "8 (912) 345-67-89", "VALUE_TYPE": "MOBILE", "TYPE_ID": "PHONE"}],
        "EMAIL": [{"ID": "2", "VALUE": "m@example.com", "VALUE_TYPE": "WORK"}],
    }
    assert read(Kind.CONTACT, raw) == Contact(
        ref=Ref("okna", Kind.CONTACT, "43"),
        url="https://okna.bitrix24.ru/crm/contact/details/43/",
        name="Мария Петрова",
        first_name="Мария",
        last_name="Петрова",
        phones=(Phone(raw="8 (912) 345-67-89", e164="+79123456789", kind="mobile"),),
        emails=(Email(value="m@example.com", kind="work"),),
        company=Ref("okna", Kind.COMPANY, "5"),
        birthday=date(1990, 5, 6),
        raw=raw,
    )


def test_a_universal_lead_is_a_lead() -> None:
    """Its stage is a status, its `fm` are phones and e-mails, derived phone texts are passed over."""
    raw = {
        "id": 250,
        "title": "Заявка",
        "stageId": "IN_PROCESS",
        "stageSemanticId": "P",
        "phone": "+79123456789",
        "fm": [
            {"id": 1, "typeId": "PHONE", "valueType": "WORK", "value": "+79123456789"},
            {"id": 2, "typeId": "EMAIL", "valueType": "HOME", "value": "a@example.com"},
        ],
        "assignedById": 3,
        "createdTime": "2026-03-01T10:00:00+03:00",
    }
    lead = read(Kind.LEAD, raw)
    assert isinstance(lead, Lead)
    assert (lead.title, lead.status, lead.owner_id) == ("Заявка", "IN_PROCESS", "3")
    assert lead.phones == (Phone(raw="+79123456789", e164="+79123456789", kind="work"),)
    assert lead.emails == (Email(value="a@example.com", kind="home"),)
    assert lead.created_at == datetime(2026, 3, 1, 7, tzinfo=UTC)


def test_a_company_has_the_tax_numbers_of_its_requisites() -> None:
    """The first requisites that have one; people are those whose main company it is."""
    also = {
        "requisites": [{"ID": "1", "RQ_INN": ""}, {"ID": "2", "RQ_INN": "7701234567", "RQ_KPP": "770101001"}],
        "contacts": ["7"],
    }
    raw = {"ID": "5", "TITLE": "ООО «Свет»", "WEB": [{"VALUE": "https://svet.example"}], "crmkit": also}
    company = read(Kind.COMPANY, raw)
    assert isinstance(company, Company)
    assert (company.name, company.inn, company.kpp) == ("ООО «Свет»", "7701234567", "770101001")
    assert (company.site, company.contacts) == ("https://svet.example", (Ref("okna", Kind.CONTACT, "7"),))


def test_a_to_do_is_a_task_with_its_result() -> None:
    """Title and description are the text; what came of it ends the description."""
    raw = {
        "ID": "9",
        "OWNER_TYPE_ID": "2",
        "OWNER_ID": "12",
        "SUBJECT": "Перезвонить",
        "DESCRIPTION": "до обеда\n\nРезультат: Договорились",
        "DEADLINE": "2026-03-03T12:00:00+03:00",
        "COMPLETED": "Y",
        "RESPONSIBLE_ID": "3",
        "PROVIDER_ID": "CRM_TODO",
    }
    task = read(Kind.TASK, raw)
    assert isinstance(task, Task)
    assert (task.ref.id, task.text, task.result) == ("9", "Перезвонить\nдо обеда", "Договорились")
    assert (task.about, task.is_done, task.owner_id) == (Ref("okna", Kind.DEAL, "12"), True, "3")
    assert task.due == datetime(2026, 3, 3, 9, tzinfo=UTC)


def test_a_task_of_the_tasks_module_is_a_task_at_its_own_address() -> None:
    """Texts for numbers, the first card it is bound to, done by its status."""
    raw = {
        "id": "17",
        "title": "Смета",
        "description": "",
        "responsibleId": "3",
        "deadline": None,
        "status": "5",
        "ufCrmTask": ["T88_3", "CO_5"],
    }
    task = read(Kind.TASK, raw)
    assert isinstance(task, Task)
    assert (task.ref.id, task.text, task.owner_id) == ("task.17", "Смета", "3")
    assert (task.about, task.is_done, task.due) == (Ref("okna", Kind.COMPANY, "5"), True, None)


def test_a_comment_is_a_note() -> None:
    """On its card, of its author."""
    raw = {"ID": "4", "ENTITY_TYPE": "deal", "ENTITY_ID": "12", "COMMENT": "Скидка", "AUTHOR_ID": "1", "CREATED": ""}
    assert read(Kind.NOTE, raw) == Note(
        ref=Ref("okna", Kind.NOTE, "4"),
        created_by="1",
        owner_id="1",
        about=Ref("okna", Kind.DEAL, "12"),
        text="Скидка",
        raw=raw,
    )


@pytest.mark.parametrize(
    ("code", "duration", "status", "talk_s"),
    [
        ("200", "95", CallStatus.ANSWERED, 95),
        ("200", "0", CallStatus.MISSED, 0),
        ("304", "0", CallStatus.MISSED, 0),
        ("603-S", "4", CallStatus.CANCELLED, 0),
        ("486", "0", CallStatus.BUSY, 0),
        ("999", "5", CallStatus.UNKNOWN, 0),
    ],
)
def test_a_call_tells_how_it_ended(code: str, duration: str, status: CallStatus, talk_s: int) -> None:
    """By the telephony's code; seconds of talk only where somebody talked."""
    call = from_item(
        Kind.CALL,
        {
            "ID": "7",
            "CALL_ID": "ab.1",
            "CALL_TYPE": "2",
            "PHONE_NUMBER": "79123456789",
            "CALL_FAILED_CODE": code,
            "CALL_DURATION": duration,
            "CALL_START_DATE": "2026-03-02T12:00:00+03:00",
            "CRM_ENTITY_TYPE": "CONTACT",
            "CRM_ENTITY_ID": "43",
            "PORTAL_USER_ID": "3",
        },
        HOME,
    )
    facts = (call.ref.id, getattr(call, "status", None), getattr(call, "talk_s", None))
    assert facts == ("ab.1", status, talk_s)
    assert getattr(call, "direction", None) is Direction.IN
    assert getattr(call, "contact", None) == Ref("okna", Kind.CONTACT, "43")
    assert getattr(call, "phone", None) == Phone(raw="79123456789", e164="+79123456789")


def test_a_user_who_has_left_is_inactive() -> None:
    """Inactive is a JSON false; empty times are objects."""
    raw = {"ID": "3", "ACTIVE": False, "NAME": "Олег", "LAST_NAME": "", "TIMESTAMP_X": {}, "UF_DEPARTMENT": [1]}
    user = from_item(Kind.USER, raw, HOME)
    assert (getattr(user, "name", None), getattr(user, "is_active", None)) == ("Олег", False)
    assert getattr(user, "group_id", None) == "1"


@pytest.mark.parametrize(
    ("upper", "camel"),
    [
        ("TITLE", "title"),
        ("STAGE_ID", "stageId"),
        ("DATE_CREATE", "createdTime"),
        ("MODIFY_BY_ID", "updatedBy"),
        ("UTM_SOURCE", "utmSource"),
    ],
)
def test_names_of_both_families_are_each_others(upper: str, camel: str) -> None:
    """The regular ones by spelling, the others by the vendor's table."""
    assert (universal_name(upper), classic_name(camel)) == (camel, upper)


def test_names_of_user_fields_stay() -> None:
    """They are asked for by their original names."""
    assert universal_name("UF_CRM_3_DIGIT10") == "UF_CRM_3_DIGIT10"
    assert classic({"id": 1, "UF_CRM_CITY": "Тверь"})["UF_CRM_CITY"] == "Тверь"


def test_a_deal_is_written_in_universal_names() -> None:
    """Stage with its pipeline and prefix, the amount fixed by hand, user fields by item ids and Y or N."""
    values = {
        "title": "Окна",
        "amount": Money(Decimal(700), "RUB"),
        "stage": StageRef(pipeline_id="2", stage_id="NEW"),
        "contacts": (Ref("okna", Kind.CONTACT, "7"),),
        "owner_id": "3",
        "custom": (
            CustomField(Deal, str, "Источник").to("Звонок"),
            CustomField(Deal, tuple, "Услуги").to(("Монтаж",)),
            CustomField(Deal, bool, "Срочно").to(False),
            CustomField(Deal, Money, "Аванс").to(None),
        ),
    }
    draft = drafted(Kind.DEAL, values, {"UTM_SOURCE": "vk"}, Office())
    assert draft.fields == {
        "title": "Окна",
        "opportunity": "700",
        "isManualOpportunity": "Y",
        "currencyId": "RUB",
        "categoryId": 2,
        "stageId": "C2:NEW",
        "contactIds": [7],
        "assignedById": "3",
        "UF_CRM_SOURCE": "32",
        "UF_CRM_WORKS": ["41"],
        "UF_CRM_URGENT": "N",
        "UF_CRM_ADVANCE": "",
        "utmSource": "vk",
    }


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Иван Петров", {"NAME": "Иван", "SECOND_NAME": "", "LAST_NAME": "Петров"}),
        ("Клиент с сайта", {"NAME": "Клиент с сайта", "SECOND_NAME": "", "LAST_NAME": ""}),
    ],
)
def test_a_whole_name_is_split_where_it_comes_back_whole(name: str, parts: Mapping[str, str]) -> None:
    """Else it stays in one piece; the old parts never stay beside it."""
    assert drafted(Kind.CONTACT, {"name": name}, {}, Office()).fields == parts


@pytest.mark.parametrize(
    ("kind", "values", "field"),
    [
        (Kind.DEAL, {"owner_id": "999"}, "owner_id"),
        (Kind.DEAL, {"loss_reason": "Дорого"}, "loss_reason"),
        (Kind.CONTACT, {"add_tags": ["важный"]}, "add_tags"),
        (Kind.DEAL, {"custom": [CustomField(Deal, str, "Источник").to("Радио")]}, "Источник"),
        (Kind.DEAL, {"custom": [CustomField(Deal, str, "Комнат").to("три")]}, "Комнат"),
        (Kind.DEAL, {"custom": [CustomField(Deal, str, "Этаж").to("5")]}, "Этаж"),
    ],
)
def test_what_the_portal_cannot_take_is_refused_by_field(kind: Kind, values: Mapping[str, Any], field: str) -> None:
    """A stranger, what has no place, a label or a field that is not there: before anything is sent."""
    with pytest.raises(Rejected) as refused:
        drafted(kind, values, {}, Office())
    assert list(refused.value.fields) == [field]


def test_phones_are_patched_place_by_place() -> None:
    """What stays is left out, what changes keeps its id and kind, what is too many goes, what is new has no id."""
    current = [
        {"ID": "11", "VALUE": "+79120000001", "VALUE_TYPE": "WORK"},
        {"ID": "12", "VALUE": "+79120000002", "VALUE_TYPE": "HOME"},
        {"ID": "13", "VALUE": "+79120000003", "VALUE_TYPE": "WORK"},
    ]
    shorter = wanted_phones([Phone(raw="+79120000001"), Phone(raw="+79120000009")])
    longer = wanted_phones([Phone(raw=one["VALUE"]) for one in current] + [Phone(raw="+79120000004", kind="mobile")])
    assert patch(current, shorter) == [
        {"ID": "12", "VALUE": "+79120000009", "VALUE_TYPE": "HOME"},
        {"ID": "13", "DELETE": "Y"},
    ]
    assert patch(current, longer) == [{"VALUE": "+79120000004", "VALUE_TYPE": "MOBILE"}]
    assert patch(None, []) == []
