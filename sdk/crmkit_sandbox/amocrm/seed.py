"""A small sales base: the settings that every account has, and records to play with."""

import random
from collections.abc import Sequence

from crmkit_sandbox.wire import Row

from .account import LOST, WON, Account

COLORS = ("#99ccff", "#ffff99", "#ffcc66", "#ffcccc", "#ccff66")
PIPELINES = (
    ("Продажи", ("Первичный контакт", "Переговоры", "Принимают решение", "Согласование договора")),
    ("Опт", ("Новая заявка", "Подбор", "Счёт выставлен")),
)
PEOPLE = (
    ("Анна Орлова", "a.orlova@romashka.example", True),
    ("Илья Смирнов", "i.smirnov@romashka.example", False),
    ("Мария Кузнецова", "m.kuznetsova@romashka.example", False),
    ("Тимур Гареев", "t.gareev@romashka.example", False),
)
PHONE_ENUMS = ("WORK", "WORKDD", "MOB", "FAX", "HOME", "OTHER")
EMAIL_ENUMS = ("WORK", "PRIV", "OTHER")
LEAD_FIELDS: Sequence[tuple[str, str, str | None, Sequence[str]]] = (
    ("Комментарий", "textarea", None, ()),
    ("Город", "text", None, ()),
    ("Сайт", "url", None, ()),
    ("Сумма предоплаты", "numeric", None, ()),
    ("Аванс", "monetary", None, ()),
    ("Срочно", "checkbox", None, ()),
    ("Источник", "select", None, ("Сайт", "Звонок", "Рекомендация")),
    ("Услуги", "multiselect", None, ("Монтаж", "Доставка", "Обслуживание")),
    ("Оплата", "radiobutton", None, ("Наличные", "Счёт")),
    ("Дата следующего шага", "date", None, ()),
    ("Встреча", "date_time", None, ()),
    ("Адрес объекта", "smart_address", None, ()),
    ("Короткий адрес", "streetaddress", None, ()),
    ("Юр. лицо", "legal_entity", None, ()),
    ("utm_source", "tracking_data", "UTM_SOURCE", ()),
    ("Договор", "file", None, ()),
    ("Связанные списки", "chained_list", None, ()),
    ("Связь", "linked_entity", None, ()),
)
PERSON_FIELDS: Sequence[tuple[str, str, str | None, Sequence[str]]] = (
    ("Телефон", "multitext", "PHONE", PHONE_ENUMS),
    ("Email", "multitext", "EMAIL", EMAIL_ENUMS),
)
CONTACT_FIELDS: Sequence[tuple[str, str, str | None, Sequence[str]]] = (
    ("Должность", "text", "POSITION", ()),
    ("День рождения", "birthday", None, ()),
)
COMPANY_FIELDS: Sequence[tuple[str, str, str | None, Sequence[str]]] = (
    ("Web", "url", "WEB", ()),
    ("Адрес", "textarea", "ADDRESS", ()),
    ("Реквизиты", "legal_entity", None, ()),
)
LOSS_REASONS = ("Пропала потребность", "Дорого", "Выбрали конкурента")
SUBJECTS = ("Ремонт офиса", "Поставка мебели", "Обслуживание кассы", "Монтаж вентиляции", "Партия картона")


def make_settings(account: Account) -> None:
    """Users, pipelines, custom fields and the like, as after a registration."""
    shelves = account.shelves
    group_id = account.take_id("groups")
    shelves["groups"][group_id] = {"id": group_id, "name": "Отдел продаж", "uuid": None}
    role_id = account.take_id("roles")
    shelves["roles"][role_id] = {"id": role_id, "name": "Менеджер", "rights": rights(is_admin=False)}
    for name, email, is_admin in PEOPLE:
        add_user(account, name, email, is_admin=is_admin, group_id=group_id, role_id=None if is_admin else role_id)
    for index, (name, stages) in enumerate(PIPELINES):
        add_pipeline(account, name, stages, is_main=index == 0, sort=index + 1)
    books = {
        "leads": LEAD_FIELDS,
        "contacts": (*PERSON_FIELDS, *CONTACT_FIELDS),
        "companies": (*PERSON_FIELDS, *COMPANY_FIELDS),
    }
    for kind, fields in books.items():
        for sort, (name, type_, code, enums) in enumerate(fields):
            add_field(account, kind, name, type_, code=code, enums=enums, sort=sort)
    for sort, name in enumerate(LOSS_REASONS):
        reason_id = account.take_id("loss_reasons")
        stamp = {"created_at": account.now(), "updated_at": account.now()}
        shelves["loss_reasons"][reason_id] = {"id": reason_id, "name": name, "sort": sort, **stamp}


def add_user(
    account: Account, name: str, email: str, *, is_admin: bool, group_id: int, role_id: int | None = None
) -> Row:
    """Invite a user."""
    user = {
        "id": account.take_id("users"),
        "name": name,
        "email": email,
        "lang": "ru",
        "rights": {**rights(is_admin=is_admin), "group_id": group_id, "role_id": role_id},
    }
    account.shelves["users"][user["id"]] = user
    return user


def add_pipeline(account: Account, name: str, stages: Sequence[str], *, is_main: bool, sort: int) -> Row:
    """Make a pipeline with its incoming, ordinary and closing statuses."""
    pipeline_id = account.take_id("pipelines")
    incoming = status_row(account.take_id("statuses"), "Неразобранное", 10, "#c1c1c1", pipeline_id, type_=1)
    ordinary = [
        status_row(account.take_id("statuses"), stage, 20 + 10 * index, COLORS[index % 5], pipeline_id)
        for index, stage in enumerate(stages)
    ]
    closing = [
        status_row(WON, "Успешно реализовано", 10000, "#CCFF66", pipeline_id, is_editable=False),
        status_row(LOST, "Закрыто и не реализовано", 11000, "#D5D8DB", pipeline_id, is_editable=False),
    ]
    row: Row = {
        "id": pipeline_id,
        "name": name,
        "sort": sort,
        "is_main": is_main,
        "is_unsorted_on": True,
        "is_archive": False,
        "statuses": [incoming, *ordinary, *closing],
    }
    account.shelves["pipelines"][pipeline_id] = row
    return row


def status_row(
    status_id: int, name: str, sort: int, color: str, pipeline_id: int, *, type_: int = 0, is_editable: bool = True
) -> Row:
    """A status of a pipeline; type 1 is the incoming one."""
    return {
        "id": status_id,
        "name": name,
        "sort": sort,
        "is_editable": is_editable and type_ == 0,
        "pipeline_id": pipeline_id,
        "color": color,
        "type": type_,
    }


def add_field(
    account: Account,
    kind: str,
    name: str,
    type_: str,
    *,
    code: str | None = None,
    enums: Sequence[str] = (),
    sort: int = 500,
) -> Row:
    """Define a custom field."""
    options = [
        {"id": account.take_id("enums"), "value": value, "sort": 10 * index, "code": None}
        for index, value in enumerate(enums)
    ]
    field: Row = {
        "id": account.take_id("fields"),
        "name": name,
        "type": type_,
        "code": code,
        "sort": sort,
        "is_api_only": False,
        "enums": options or None,
        "group_id": None,
        "required_statuses": [],
        "is_deletable": code is None,
        "is_predefined": code is not None,
        "entity_type": kind,
        "tracking_callback": None,
        "remind": None,
        "triggers": [],
        "currency": "RUB" if type_ == "monetary" else None,
        "hidden_statuses": [],
        "chained_lists": None,
    }
    account.fields.setdefault(kind, {})[field["id"]] = field
    return field


def rights(*, is_admin: bool) -> Row:
    """What a user may do."""
    full = {"view": "A", "edit": "A", "add": "A", "delete": "A" if is_admin else "D", "export": "A"}
    return {
        "leads": full,
        "contacts": full,
        "companies": full,
        "tasks": {"edit": "A", "delete": "A"},
        "mail_access": is_admin,
        "catalog_access": True,
        "files_access": True,
        "status_rights": None,
        "catalog_rights": None,
        "is_admin": is_admin,
        "is_free": False,
        "is_active": True,
        "group_id": None,
        "role_id": None,
    }


def prices(count: int) -> list[int]:
    """Prices of leads, the same in every run."""
    dice = random.Random(7)
    return [dice.randrange(5, 400) * 1000 for _ in range(count)]
