"""Headings: what the CRMs' own exports and people call a column."""

from __future__ import annotations

import pytest

from crmkit_dedup.files.headings import NOTHING, Kind, field_of

AMOCRM = {
    "ID": "id", "Наименование": "name", "Полное имя контакта": "name", "Компания": "company",
    "Ответственный": NOTHING,
    "Дата создания": "created", "Кем создан": NOTHING, "Рабочий телефон": "phones",
    "Рабочий прямой телефон": "phones",
    "Мобильный телефон": "phones", "Факс": NOTHING, "Домашний телефон": "phones", "Рабочий email": "emails",
    "Личный email": "emails", "Другой email": "emails", "Должность": NOTHING, "Теги": NOTHING,
    "Дата изменения": NOTHING,
}  # fmt: skip
BITRIX24 = {
    "ID": "id", "Имя": "first", "Фамилия": "last", "Отчество": "middle", "Дата рождения": "birthday",
    "Название компании": "company", "Номер факса": NOTHING, "Рабочий e-mail": "emails", "Частный e-mail": "emails",
    "Telegram": "messengers", "Контакт WhatsApp": "phones", "Создан": "created", "Изменён": NOTHING,
    "Внешний код": "external_id", "ID ответственного": NOTHING, "Другой телефон": "phones",
}  # fmt: skip
RETAILCRM = {
    "Внешний ID": "external_id", "E-mail": "emails", "Телефон": "phones", "Пол": "gender", "Город": "city",
    "Дата регистрации": "created", "Контактное лицо": "name", "Индекс": NOTHING, "Тип клиента": NOTHING,
    "Средний чек": NOTHING, "Почтовый адрес": None,
}  # fmt: skip
OFFICES = {
    "ИНН компании": NOTHING, "Сайт компании": NOTHING, "Город организации": NOTHING, "Телефон компании": "phones",
    "Company INN": NOTHING, "Work address": NOTHING, "Work Email": "emails", "Кем отредактирован": NOTHING,
    "Сот. тел.": "phones", "Эл. адрес": "emails", "reg_date": "created", "ext_id": "external_id", "user_id": "id",
}  # fmt: skip
PEOPLE = {
    "ФИО": "name", "Ф.И.О.": "name", "Фамилия Имя Отчество": "name", "Имя, фамилия": "name", "Тел.": "phones",
    "№": "id",
    "Номер": "phones", "моб": "phones", "почта": "emails", "ДР": "birthday", "День рождения": "birthday",
    "ИНН": "inn",
    "Городской телефон": "phones", "Клиент": "name", "E-mail рабочий": "emails", "Имя компании": "company",
}  # fmt: skip
ENGLISH = {
    "record_id": "id", "firstName": "first", "Last Name": "last", "middle_name": "middle", "Full Name": "name",
    "Phone 1 - Value": "phones", "Phone 1 - Type": NOTHING, "E-mail 1 - Value": "emails", "Mobile": "phones",
    "birth_date": "birthday", "created_at": "created", "Company": "company", "created_by": NOTHING, "Owner": NOTHING,
    "Create Date": "created", "DATE_CREATE": "created", "Internal ID": "id", "IM": "messengers",
    "customer_id": "id", "external_id": "external_id", "gender": "gender", "city": "city",
}  # fmt: skip
COMPANIES = {
    "Название компании": "name", "Полное наименование": "name", "ИНН": "inn", "КПП": "kpp", "ОГРН": "ogrn",
    "Сайт": "site",
    "Юридический адрес": "address", "Контрагент": "name", "legal_name": "name", "website": "site", "Банк": NOTHING,
}  # fmt: skip
DEALS = {
    "Название сделки": "title", "Воронка": "pipeline", "Этап сделки": "stage", "stage": "stage", "Бюджет": "amount",
    "Основной контакт": "contact", "contact_id": "contact", "Дата закрытия": "closed", "is_closed": "is_closed",
    "CLOSEDATE": "closed", "Товар": "product", "Сумма заказа": "amount", "Номер заказа": "id", "cluster_id": "contact",
    "closed": "closed",
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "headings"),
    [
        ("contacts", AMOCRM),
        ("contacts", BITRIX24),
        ("contacts", RETAILCRM),
        ("contacts", PEOPLE),
        ("contacts", OFFICES),
        ("contacts", ENGLISH),
        ("companies", COMPANIES),
        ("deals", DEALS),
    ],
)
def test_headings_name_their_field(kind: Kind, headings: dict[str, str | None]) -> None:
    """Every heading is the field that it names, whoever wrote it; who made a record is no field of it."""
    assert {heading: field_of(heading, kind) for heading in headings} == headings
