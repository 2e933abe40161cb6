"""Entities of amoCRM as records and back: every field type, null lists, what the vendor leaves out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

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
    Note,
    Outcome,
    Phone,
    Recording,
    StageRef,
    Task,
)
from crmkit.values import Kind, Money, Ref
from crmkit_amocrm.translate import drafted, from_item, laid_over

SAMPLES = Path(__file__).parents[2] / "samples" / "amocrm"
CARDS: Mapping[str, Any] = json.loads((SAMPLES / "cards.json").read_text())
TIMELINE: Mapping[str, Any] = json.loads((SAMPLES / "timeline.json").read_text())
ACCOUNT = Account("acme", "amocrm", "31500100", "Окна", "https://okna.amocrm.ru", "Europe/Moscow", "RUB")
MADE, CHANGED = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


def ref(kind: Kind, id_: str) -> Ref:
    return Ref("acme", kind, id_)


def rub(amount: str) -> Money:
    return Money(Decimal(amount), "RUB")


def value(id_: int, title: str, type_: FieldType, given: Any, code: str | None = None) -> CustomValue:
    return CustomValue(id=str(id_), code=code, title=title, type=type_, value=given)


class TestCards:
    def test_a_lead_is_a_deal(self) -> None:
        """Every field type has its value; what cannot be read is kept as text and hides nothing else."""
        assert from_item(Kind.DEAL, CARDS["lead"], ACCOUNT) == Deal(
            ref=ref(Kind.DEAL, "710001"),
            url="https://okna.amocrm.ru/leads/detail/710001",
            created_at=MADE,
            updated_at=CHANGED,
            created_by="8002",
            updated_by="0",
            owner_id="8001",
            title="Остекление балкона",
            amount=rub("84500"),
            stage=StageRef(pipeline_id="901", stage_id="143"),
            outcome=Outcome.LOST,
            closed_at=CHANGED,
            loss_reason="Дорого",
            contacts=(ref(Kind.CONTACT, "6201"), ref(Kind.CONTACT, "6202")),
            company=ref(Kind.COMPANY, "6200"),
            items=(LineItem(product_id="5.33", name="", quantity=Decimal(2)),),
            tags=("VIP",),
            raw=CARDS["lead"],
            custom=(
                value(1, "Адрес", FieldType.TEXT, "Казань"),
                value(2, "Описание", FieldType.LONGTEXT, "две\nстроки"),
                value(3, "Площадь", FieldType.DECIMAL, Decimal("12.5")),
                value(4, "Аванс", FieldType.MONEY, rub("1500")),
                value(5, "Срочно", FieldType.BOOL, True),
                value(6, "Источник", FieldType.ENUM, "Сайт"),
                value(7, "Оплата", FieldType.ENUM, "Карта"),
                value(8, "Услуги", FieldType.MULTIENUM, ("Замер", "Монтаж")),
                value(9, "Дата замера", FieldType.DATE, date(2026, 1, 2)),
                value(10, "Встреча", FieldType.DATETIME, datetime(2026, 1, 1, 21, 1, tzinfo=UTC)),
                value(11, "Сайт", FieldType.URL, "https://okna.example"),
                value(12, "Объект", FieldType.LONGTEXT, "ул. Баумана, 1, Казань"),
                value(13, "Улица", FieldType.LONGTEXT, "Баумана"),
                value(14, "utm", FieldType.TEXT, "vk", "UTM_SOURCE"),
                value(15, "Договор", FieldType.FILE, "f-1"),
                value(16, "Список", FieldType.JSON, '{"catalog_element_id": 6, "catalog_id": 5}'),
                value(
                    17,
                    "Связь",
                    FieldType.JSON,
                    '{"catalog_id": null, "entity_id": 6201, "entity_type": "contacts", "name": "Иван"}',
                ),
                value(18, "Раздел", FieldType.ENUM, "Окна"),
                value(19, "Цена за метр", FieldType.DECIMAL, Decimal(990)),
                value(20, "Новинка", FieldType.UNKNOWN, '[{"value": {"x": 1}}]'),
                value(21, "Плательщик", FieldType.JSON, '{"name": "ООО"}'),
                value(23, "Кривая дата", FieldType.UNKNOWN, '[{"value": "завтра"}]'),
            ),
        )

    def test_a_contact_has_its_phones_as_typed_and_as_dialled(self) -> None:
        """PHONE and EMAIL are no custom fields; a number that nobody can dial keeps its text."""
        found = from_item(Kind.CONTACT, CARDS["contact"], ACCOUNT)
        assert isinstance(found, Contact)
        assert found.phones == (
            Phone(raw="8 (912) 345-67-89", e164="+79123456789", kind="mob"),
            Phone(raw="доб. 12", kind="work"),
        )
        assert found.emails == (Email(value="Ivan@Example.com", kind="priv"),)
        assert (found.first_name, found.last_name, found.birthday) == ("Иван", "Петров", date(1980, 1, 12))
        assert found.company == ref(Kind.COMPANY, "6200")
        assert [item.value for item in found.custom] == [("a", "b"), date(1980, 1, 12)]

    def test_a_company_has_its_tax_numbers_and_people(self) -> None:
        """Out of the legal entity, when no field of their own holds them."""
        found: Any = from_item(Kind.COMPANY, CARDS["company"], ACCOUNT)
        assert (found.inn, found.kpp, found.site) == ("1655000001", "165501001", "https://okna.example")
        assert found.contacts == (ref(Kind.CONTACT, "6201"),)

    def test_a_field_titled_inn_wins(self) -> None:
        """With its leading zero."""
        own = {"field_id": 50, "field_name": "ИНН", "field_type": "text", "values": [{"value": "0255000001"}]}
        raw = {**CARDS["company"], "custom_fields_values": [*CARDS["company"]["custom_fields_values"], own]}
        found: Any = from_item(Kind.COMPANY, raw, ACCOUNT)
        assert found.inn == "0255000001"

    @pytest.mark.parametrize("kind", [Kind.DEAL, Kind.CONTACT, Kind.COMPANY, Kind.TASK, Kind.USER, Kind.PIPELINE])
    def test_an_id_is_enough(self, kind: Kind) -> None:
        """Null lists, absent keys and an absent `_embedded` are nothing, not an error."""
        assert from_item(kind, {"id": 1, "custom_fields_values": None}, ACCOUNT).ref == ref(kind, "1")

    @pytest.mark.parametrize(
        "reason", [[{"id": 1, "name": "Дорого"}], {"id": 1, "name": "Дорого"}], ids=["array", "object"]
    )
    def test_both_forms_of_a_loss_reason_are_read(self, reason: Any) -> None:
        """The Russian pages show an array, the international ones an object."""
        found: Any = from_item(Kind.DEAL, {"id": 1, "_embedded": {"loss_reason": reason}}, ACCOUNT)
        assert found.loss_reason == "Дорого"

    def test_a_price_with_minor_units_wins(self) -> None:
        """Accounts that count cents."""
        found: Any = from_item(Kind.DEAL, {"id": 1, "price": 10, "price_with_minor_units": 10.5}, ACCOUNT)
        assert found.amount == rub("10.5")

    @pytest.mark.parametrize(
        ("kind", "raw"), [(Kind.DEAL, "lead"), (Kind.CONTACT, "contact"), (Kind.COMPANY, "company")]
    )
    def test_the_fast_way_keeps_the_models_own_rules(self, kind: Kind, raw: str) -> None:
        """What is built without validation is what validation would have built, and survives JSON."""
        found = from_item(kind, CARDS[raw], ACCOUNT)
        assert type(found).model_validate(found.model_dump()) == found
        assert type(found).model_validate_json(found.model_dump_json()) == found
        assert hash(found.ref) == hash(type(found).model_validate(found.model_dump()).ref)


class TestTimeline:
    def test_an_open_task_has_no_result(self) -> None:
        """`[]` is none; the address of its card is a deal's."""
        assert from_item(Kind.TASK, TIMELINE["tasks"][0], ACCOUNT) == Task(
            ref=ref(Kind.TASK, "5100"),
            created_at=MADE,
            updated_at=CHANGED,
            created_by="8001",
            updated_by="0",
            owner_id="8001",
            text="Перезвонить",
            due=CHANGED,
            about=ref(Kind.DEAL, "710001"),
            task_type="1",
            raw=TIMELINE["tasks"][0],
        )

    def test_a_done_task_without_a_card_is_read(self) -> None:
        """Its owner may have left the account."""
        found: Any = from_item(Kind.TASK, TIMELINE["tasks"][1], ACCOUNT)
        assert (found.is_done, found.result, found.about, found.owner_id) == (True, "Состоялась", None, "404")

    def test_notes_say_in_words_what_they_hold(self) -> None:
        """The text, else what stands for it; parameters may be null."""
        notes: Sequence[Any] = [from_item(Kind.NOTE, raw, ACCOUNT) for raw in TIMELINE["notes"]]
        assert [(note.ref.id, note.note_type, note.text) for note in notes] == [
            ("leads.1", "common", "Просит скидку"),
            ("leads.2", "geolocation", "ул. Баумана"),
            ("leads.3", "ai_result", ""),
        ]
        assert isinstance(notes[0], Note)
        assert notes[0].about == ref(Kind.DEAL, "710001")

    def test_an_answered_call_has_all_it_tells(self) -> None:
        """Direction, talk, employee, recording, card."""
        assert from_item(Kind.CALL, TIMELINE["calls"][0], ACCOUNT) == Call(
            ref=ref(Kind.CALL, "leads.11"),
            created_at=MADE,
            updated_at=MADE,
            created_by="8001",
            updated_by="8001",
            owner_id="8001",
            provider="Манго",
            direction=Direction.IN,
            status=CallStatus.ANSWERED,
            phone=Phone(raw="+79123456789", e164="+79123456789"),
            employee=Employee(user_id="8001"),
            started_at=MADE,
            talk_s=31,
            recording=Recording(url="https://rec.example/1.mp3"),
            deal=ref(Kind.DEAL, "710001"),
            raw=TIMELINE["calls"][0],
        )

    def test_other_calls_are_told_by_what_they_have(self) -> None:
        """No talk is a missed call; a message left is voicemail and no talk; nothing at all is still a call."""
        calls: Sequence[Any] = [from_item(Kind.CALL, raw, ACCOUNT) for raw in TIMELINE["calls"][1:]]
        assert [(call.direction, call.status, call.talk_s, call.provider) for call in calls] == [
            (Direction.OUT, CallStatus.MISSED, 0, "amocrm"),
            (Direction.IN, CallStatus.VOICEMAIL, 0, "amocrm"),
            (Direction.IN, CallStatus.MISSED, 0, "amocrm"),
        ]
        assert [call.employee for call in calls] == [Employee(name="Анна"), Employee(extension="101"), None]


class Names:
    """An account with a field of each kind of value."""

    FIELDS = (
        FieldDef(kind=Kind.DEAL, id="1", title="Город", type=FieldType.TEXT, vendor_type="text"),
        FieldDef(kind=Kind.DEAL, id="2", title="Аванс", type=FieldType.MONEY, vendor_type="monetary"),
        FieldDef(kind=Kind.DEAL, id="3", title="Замер", type=FieldType.DATE, vendor_type="date"),
        FieldDef(kind=Kind.DEAL, id="4", title="Встреча", type=FieldType.DATETIME, vendor_type="date_time"),
        FieldDef(
            kind=Kind.DEAL,
            id="5",
            title="Источник",
            code="SRC",
            type=FieldType.ENUM,
            vendor_type="select",
            options={"Сайт": "51", "Звонок": "52"},
        ),
        FieldDef(
            kind=Kind.DEAL,
            id="6",
            title="Услуги",
            type=FieldType.MULTIENUM,
            vendor_type="multiselect",
            options={"Замер": "61", "Монтаж": "62"},
        ),
        FieldDef(kind=Kind.DEAL, id="7", title="Срочно", type=FieldType.BOOL, vendor_type="checkbox"),
        FieldDef(kind=Kind.DEAL, id="8", title="Площадь", type=FieldType.DECIMAL, vendor_type="numeric"),
    )

    def account(self) -> Account:
        return ACCOUNT

    def fields(self, kind: Kind, *, afresh: bool = False) -> Sequence[FieldDef]:
        return self.FIELDS if kind is Kind.DEAL else ()

    def loss_reasons(self, *, afresh: bool = False) -> Mapping[str, int]:
        return {"Дорого": 41}


def deal(extra: Mapping[str, Any] | None = None, *, is_new: bool = True, **values: Any) -> dict[str, Any]:
    return drafted(Kind.DEAL, values, extra or {}, Names(), is_new=is_new).item


class TestDrafts:
    def test_a_new_deal_has_what_was_set_and_no_more(self) -> None:
        """Stage with its pipeline, people in their order, tags by name."""
        item = deal(
            title="Окна",
            amount=rub("100"),
            stage=StageRef(pipeline_id="901", stage_id="50110"),
            contacts=(ref(Kind.CONTACT, "1"), ref(Kind.CONTACT, "2")),
            company=ref(Kind.COMPANY, "3"),
            tags=("VIP",),
            owner_id="8001",
        )
        assert item == {
            "name": "Окна",
            "price": 100,
            "status_id": 50110,
            "pipeline_id": 901,
            "responsible_user_id": 8001,
            "_embedded": {
                "contacts": [{"id": 1, "is_main": True}, {"id": 2, "is_main": False}],
                "companies": [{"id": 3}],
                "tags": [{"name": "VIP"}],
            },
        }

    def test_an_update_changes_tags_without_a_race(self) -> None:
        """Added and removed, never replaced."""
        item = deal(is_new=False, add_tags=["a"], remove_tags=["b"], loss_reason="Дорого")
        assert item == {"tags_to_add": [{"name": "a"}], "tags_to_delete": [{"name": "b"}], "loss_reason_id": 41}

    @pytest.mark.parametrize(
        ("title", "given", "sent"),
        [
            ("Город", "Казань", [{"value": "Казань"}]),
            ("Аванс", rub("10.50"), [{"value": "10.50"}]),
            ("Замер", date(2026, 1, 2), [{"value": 1767301200}]),
            ("Встреча", datetime(2026, 1, 1, 21, 1, tzinfo=UTC), [{"value": 1767301260}]),
            ("Источник", "Сайт", [{"enum_id": 51}]),
            ("Услуги", ("Замер", "Монтаж"), [{"enum_id": 61}, {"enum_id": 62}]),
            ("Срочно", False, [{"value": False}]),
            ("Площадь", Decimal("1.5"), [{"value": "1.5"}]),
            ("Площадь", None, None),
        ],
    )
    def test_a_custom_value_goes_out_as_its_field_wants(self, title: str, given: Any, sent: Any) -> None:
        """Dates are midnights of the account's own zone; None clears."""
        token: CustomField[Deal, Any] = CustomField(Deal, str, title)
        field_id = next(int(field.id) for field in Names.FIELDS if field.title == title)
        expected = {"custom_fields_values": [{"field_id": field_id, "values": sent}]}
        assert deal(custom=(token.to(given),)) == expected

    @pytest.mark.parametrize(
        ("title", "given"),
        [
            ("Город", 5),
            ("Площадь", True),
            ("Площадь", 1.5),
            ("Замер", datetime(2026, 1, 1, tzinfo=UTC)),
            ("Встреча", date(2026, 1, 1)),
            ("Услуги", "Замер"),
            ("Аванс", Money(Decimal(1), "USD")),
        ],
    )
    def test_a_value_of_another_type_is_refused_by_title(self, title: str, given: Any) -> None:
        """Before anything is sent."""
        token: CustomField[Deal, Any] = CustomField(Deal, str, title)
        with pytest.raises(Rejected) as refused:
            deal(custom=(token.to(given),))
        assert list(refused.value.fields) == [title]

    def test_a_field_is_found_by_pin_then_code_then_title(self) -> None:
        """A pin that leads nowhere is not replaced by a guess."""
        pinned = CustomField(Deal, str, "Как угодно", amocrm="1")
        coded = CustomField(Deal, str, "Иначе", code="SRC")
        assert deal(custom=(pinned.to("x"),))["custom_fields_values"][0]["field_id"] == 1
        assert deal(custom=(coded.to("Сайт"),))["custom_fields_values"][0]["field_id"] == 5
        with pytest.raises(Rejected):
            deal(custom=(CustomField(Deal, str, "Город", amocrm="404").to("x"),))

    def test_the_nearest_right_name_is_told(self) -> None:
        """For a label, a field and a reason of loss."""
        remedies = []
        drafts: Sequence[Mapping[str, Any]] = (
            {"custom": (CustomField(Deal, str, "Источник").to("Сайд"),)},
            {"custom": (CustomField(Deal, str, "Горот").to("x"),)},
            {"loss_reason": "Дорога"},
        )
        for values in drafts:
            with pytest.raises(Rejected) as refused:
                deal(**values)
            remedies.append(refused.value.remedy or "")
        found = [name for name, text in zip(("Сайт", "Город", "Дорого"), remedies, strict=True) if name in text]
        assert found == ["Сайт", "Город", "Дорого"]

    @pytest.mark.parametrize("name", ["source", "last_activity_at", "updated_by"])
    def test_what_cannot_be_written_is_refused_by_name(self, name: str) -> None:
        """Never silently left out."""
        with pytest.raises(Rejected) as refused:
            drafted(Kind.DEAL, {name: "x"}, {}, Names(), is_new=True)
        assert list(refused.value.fields) == [name]

    def test_extra_lies_over_the_body(self) -> None:
        """Objects are merged, custom fields joined, all else replaced."""
        over = laid_over(
            {"a": 1, "_embedded": {"tags": []}, "custom_fields_values": [1]},
            {"a": 2, "_embedded": {"source": {"x": 1}}, "custom_fields_values": [2]},
        )
        assert over == {"a": 2, "_embedded": {"tags": [], "source": {"x": 1}}, "custom_fields_values": [1, 2]}

    def test_a_middle_name_stands_behind_the_first(self) -> None:
        """amoCRM has no place of its own for it; alone it is refused."""
        values = {"first_name": "Иван", "middle_name": "Ильич"}
        assert drafted(Kind.CONTACT, values, {}, Names(), is_new=True).item == {"first_name": "Иван Ильич"}
        with pytest.raises(Rejected):
            drafted(Kind.CONTACT, {"middle_name": "Ильич"}, {}, Names(), is_new=False)


FIELD_TYPES = ["text", "numeric", "monetary", "checkbox", "select", "multiselect", "date", "date_time", "file", "items"]
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.dictionaries(st.text(max_size=2), st.none()),
)


@given(st.sampled_from([*FIELD_TYPES, "legal_entity", "smart_address", "birthday", "x"]), st.lists(ODD, max_size=3))
def test_no_value_breaks_its_record(type_: str, values: list[Any]) -> None:
    """Whatever stands in a field, the record is read, and its model's rules hold."""
    field = {"field_id": 1, "field_name": "Поле", "field_type": type_, "values": [{"value": one} for one in values]}
    raw = {"id": 1, "name": "Окна", "custom_fields_values": [field]}
    found: Any = from_item(Kind.DEAL, raw, ACCOUNT)
    assert found.title == "Окна"
    assert Deal.model_validate(found.model_dump()).custom == found.custom
