"""The settings that every portal has: users, pipelines, dictionaries, user fields; and names for samples."""

from collections.abc import Sequence

from crmkit_sandbox.wire import Row

from .kinds import COMPANY, CONTACT, DEAL, LEAD, Kind
from .portal import Portal

PEOPLE = (
    ("Вера", "Лебедева", "v.lebedeva@vesna.example", True, "101"),
    ("Олег", "Нечаев", "o.nechaev@vesna.example", False, "102"),
    ("Зоя", "Пахомова", "z.pakhomova@vesna.example", False, "103"),
    ("Ринат", "Сафин", "r.safin@vesna.example", False, "104"),
)
# Status, name, semantics, colour.
DEAL_STAGES = (
    ("NEW", "Новая", "", "#39A8EF"),
    ("PREPARATION", "Подготовка документов", "", "#2FC6F6"),
    ("PREPAYMENT_INVOICE", "Счёт на предоплату", "", "#55D0E0"),
    ("EXECUTING", "В работе", "", "#47E4C2"),
    ("FINAL_INVOICE", "Финальный счёт", "", "#FFA900"),
    ("WON", "Сделка успешна", "S", "#7BD500"),
    ("LOSE", "Сделка провалена", "F", "#FF5752"),
    ("APOLOGY", "Анализ причины провала", "A", "#FF5752"),
)
OTHER_STAGES = (
    ("NEW", "Заявка", "", "#39A8EF"),
    ("UC_PICK", "Подбор", "", "#2FC6F6"),
    ("WON", "Отгружено", "S", "#7BD500"),
    ("LOSE", "Отказ", "F", "#FF5752"),
)
SMART_STAGES = (
    ("NEW", "Начало", "", "#39A8EF"),
    ("PREPARATION", "Подготовка", "", "#2FC6F6"),
    ("CLIENT", "Согласование", "", "#55D0E0"),
    ("SUCCESS", "Успех", "S", "#7BD500"),
    ("FAIL", "Провал", "F", "#FF5752"),
)
LEAD_STAGES = (
    ("NEW", "Не обработан", "", "#39A8EF"),
    ("IN_PROCESS", "В работе", "", "#2FC6F6"),
    ("PROCESSED", "Обработан", "", "#55D0E0"),
    ("CONVERTED", "Качественный лид", "S", "#7BD500"),
    ("JUNK", "Некачественный лид", "F", "#FF5752"),
)
DICTIONARIES: Sequence[tuple[str, Sequence[tuple[str, str]]]] = (
    ("SOURCE", (("CALL", "Звонок"), ("EMAIL", "Почта"), ("WEB", "Сайт"), ("CALLBACK", "Обратный звонок"))),
    ("CONTACT_TYPE", (("CLIENT", "Клиенты"), ("SUPPLIER", "Поставщики"), ("PARTNER", "Партнёры"))),
    ("COMPANY_TYPE", (("CUSTOMER", "Клиент"), ("SUPPLIER", "Поставщик"), ("PARTNER", "Партнёр"))),
    ("DEAL_TYPE", (("SALE", "Продажа"), ("COMPLEX", "Комплексная продажа"), ("SERVICE", "Сервис"))),
    ("INDUSTRY", (("IT", "Информационные технологии"), ("TRADE", "Торговля"), ("OTHER", "Другое"))),
    ("EMPLOYEES", (("EMPLOYEES_1", "менее 50"), ("EMPLOYEES_2", "50-250"))),
    ("HONORIFIC", (("HNR_RU_1", "г-н"), ("HNR_RU_2", "г-жа"))),
)
DEAL_FIELDS: Sequence[tuple[str, str, str, Sequence[str]]] = (
    ("UF_CRM_NEXT_STEP", "date", "Дата следующего шага", ()),
    ("UF_CRM_LEAD_SOURCE", "enumeration", "Источник", ("Сайт", "Звонок", "Рекомендация")),
    ("UF_CRM_CITY", "string", "Город", ()),
    ("UF_CRM_URGENT", "boolean", "Срочно", ()),
    ("UF_CRM_MEETING", "datetime", "Встреча", ()),
    ("UF_CRM_PREPAYMENT", "money", "Аванс", ()),
    ("UF_CRM_AREA", "double", "Площадь", ()),
    ("UF_CRM_ROOMS", "integer", "Комнат", ()),
    ("UF_CRM_SITE", "url", "Сайт", ()),
    ("UF_CRM_SERVICES", "enumeration", "Услуги", ("Монтаж", "Доставка", "Обслуживание")),
)
PRESETS = (("Организация", "COMPANY"), ("ИП", "INDIVIDUAL"), ("Физ. лицо", "PERSON"))
FIRST_NAMES = ("Павел", "Лидия", "Семён", "Вера", "Глеб", "Нина", "Артур", "Майя", "Тимофей", "Яна")
LAST_NAMES = ("Зимин", "Гайдай", "Лось", "Кравец", "Дымов", "Рудь", "Шевчук", "Быков", "Орел", "Сомов")
COMPANIES = ("ООО «Полюс»", "ИП Кротов", "АО «Тихий дом»", "ООО «Сокол-Строй»", "ООО «Берёза»", "ГК «Орбита»")
SUBJECTS = ("Отделка кабинета", "Поставка кухни", "Замена витрин", "Подключение склада", "Партия плитки")
SEMANTIC_NAMES = {"": "process", "S": "success", "F": "failure", "A": "apology"}


def make_settings(portal: Portal) -> None:
    """Fill an empty portal with its settings."""
    portal.shelves["departments"][1] = {"id": 1, "ID": "1", "NAME": "Отдел продаж", "SORT": 500, "UF_HEAD": "1"}
    for name, last_name, email, is_admin, inner in PEOPLE:
        add_user(portal, name, last_name, email, is_admin=is_admin, inner=inner)
    add_category(portal, "Общая", sort=300, stages=DEAL_STAGES)
    add_category(portal, "Опт", sort=400, stages=OTHER_STAGES)
    _add_stages(portal, "STATUS", LEAD_STAGES)
    for entity, rows in DICTIONARIES:
        for index, (status_id, name) in enumerate(rows):
            add_status(portal, entity, status_id, name, sort=(index + 1) * 10)
    for name, type_, label, items in DEAL_FIELDS:
        add_user_field(portal, DEAL, name, type_, label=label, items=items, is_multiple=name == "UF_CRM_SERVICES")
    for name, word in PRESETS:
        add_preset(portal, name, f"#CRM_REQUISITE_PRESET_DEF_RU_{word}#")
    add_user_field(portal, LEAD, "UF_CRM_CITY", "string", label="Город")
    add_user_field(portal, CONTACT, "UF_CRM_CITY", "string", label="Город")
    add_user_field(portal, CONTACT, "UF_CRM_VIP", "boolean", label="Важный клиент")
    add_user_field(portal, COMPANY, "UF_CRM_CITY", "string", label="Город")


def add_user(portal: Portal, name: str, last_name: str, email: str, *, is_admin: bool = False, inner: str = "") -> int:
    """The id of a new user."""
    user_id = portal.take_id("users")
    portal.shelves["users"][user_id] = {
        "id": user_id,
        "is_admin": is_admin,
        "ID": str(user_id),
        "ACTIVE": True,
        "NAME": name,
        "LAST_NAME": last_name,
        "SECOND_NAME": "",
        "EMAIL": email,
        "LAST_LOGIN": portal.stamp(),
        "DATE_REGISTER": portal.stamp(),
        "TIME_ZONE": "Europe/Moscow",
        "IS_ONLINE": "Y",
        "TIMESTAMP_X": {},
        "LAST_ACTIVITY_DATE": {},
        "PERSONAL_GENDER": "",
        "PERSONAL_BIRTHDAY": "",
        "PERSONAL_WWW": "",
        "PERSONAL_CITY": "",
        "PERSONAL_MOBILE": "",
        "WORK_PHONE": "",
        "WORK_POSITION": "",
        "UF_DEPARTMENT": [1],
        "UF_PHONE_INNER": inner,
        "USER_TYPE": "employee",
    }
    return user_id


def add_category(
    portal: Portal, name: str, *, sort: int, stages: Sequence[tuple[str, str, str, str]] = OTHER_STAGES
) -> Row:
    """A pipeline of deals with its stages; the first one made is the default."""
    shelf = portal.shelves["categories"]
    category_id = portal.take_id("categories", 0)
    row: Row = {"id": category_id, "name": name, "sort": sort, "entityTypeId": 2}
    shelf[category_id] = row | {"isDefault": "N" if category_id else "Y"}
    entity = f"DEAL_STAGE_{category_id}" if category_id else "DEAL_STAGE"
    prefix = f"C{category_id}:" if category_id else ""
    _add_stages(portal, entity, [(f"{prefix}{status_id}", *rest) for status_id, *rest in stages])
    return shelf[category_id]


def add_smart_process(portal: Portal, title: str, number: int | None = None) -> Row:
    """A smart process with one pipeline, whose id is not zero; `number` is its `entityTypeId`."""
    shelf = portal.shelves["types"]
    number = number or max([*shelf, 127]) + 1
    type_id, category_id = portal.take_id("types"), portal.take_id("categories", 0) or portal.take_id("categories", 0)
    stamp, actor = portal.stamp(), portal.actor.user_id or portal.admin_id
    category: Row = {"id": category_id, "name": "Общая", "sort": 500, "entityTypeId": number, "isDefault": "Y"}
    row: Row = {"id": type_id, "title": title, "code": "", "entityTypeId": number, "customSectionId": None}
    row |= {"createdBy": actor, "updatedBy": actor, "createdTime": stamp, "updatedTime": stamp}
    shelf[number] = row | {"categories": [category]}
    entity, prefix = f"DYNAMIC_{number}_STAGE_{category_id}", f"DT{number}_{category_id}:"
    _add_stages(portal, entity, [(f"{prefix}{status_id}", *rest) for status_id, *rest in SMART_STAGES])
    return shelf[number]


def delete_category(portal: Portal, category_id: int) -> None:
    """Remove a pipeline and its stages."""
    del portal.shelves["categories"][category_id]
    for row in portal.stages(f"DEAL_STAGE_{category_id}"):
        del portal.shelves["statuses"][row["id"]]


def add_status(
    portal: Portal, entity: str, status_id: str, name: str, *, sort: int, semantics: str = "", color: str | None = None
) -> Row:
    """A row of a dictionary; `semantics` is S, F or nothing, A for the second way to fail."""
    number = portal.take_id("statuses", 101)
    known = {word: letter for letter, word in SEMANTIC_NAMES.items()}
    letter = known.get(semantics, semantics)
    category = entity.removeprefix("DEAL_STAGE_") if entity.startswith("DEAL_STAGE_") else None
    row: Row = {
        "id": number,
        "ID": str(number),
        "ENTITY_ID": entity,
        "STATUS_ID": status_id,
        "NAME": name,
        "NAME_INIT": name,
        "SORT": str(sort),
        "SYSTEM": "Y" if status_id in ("NEW", "WON", "LOSE", "CONVERTED", "JUNK") else "N",
        "CATEGORY_ID": category,
        "COLOR": color,
        "SEMANTICS": {"S": "S", "F": "F", "A": "F"}.get(letter),
    }
    if color is not None or entity.startswith("DEAL_STAGE") or entity == "STATUS":
        row["EXTRA"] = {"SEMANTICS": SEMANTIC_NAMES.get(letter, "process"), "COLOR": color}
    portal.shelves["statuses"][number] = row
    return row


def add_preset(portal: Portal, name: str, xml_id: str = "", *, is_active: bool = True) -> int:
    """The id of a new template of requisites."""
    number = portal.take_id("presets")
    portal.shelves["presets"][number] = {
        "id": number,
        "ID": str(number),
        "ENTITY_TYPE_ID": "8",
        "COUNTRY_ID": "1",
        "DATE_CREATE": portal.stamp(),
        "DATE_MODIFY": None,
        "CREATED_BY_ID": "1",
        "MODIFY_BY_ID": None,
        "NAME": name,
        "XML_ID": xml_id,
        "ACTIVE": "Y" if is_active else "N",
        "SORT": str(500 + number * 10),
    }
    return number


def add_user_field(
    portal: Portal,
    kind: Kind,
    name: str,
    type_: str,
    *,
    label: str,
    items: Sequence[str] = (),
    is_multiple: bool = False,
) -> Row:
    """A user field of a kind."""
    number = portal.take_id("userfields", 301)
    row: Row = {
        "id": number,
        "ID": str(number),
        "ENTITY_ID": kind.field_entity,
        "FIELD_NAME": name,
        "USER_TYPE_ID": type_,
        "XML_ID": None,
        "SORT": "100",
        "MULTIPLE": "Y" if is_multiple else "N",
        "MANDATORY": "N",
        "SHOW_FILTER": "E",
        "SHOW_IN_LIST": "Y",
        "EDIT_IN_LIST": "Y",
        "IS_SEARCHABLE": "N",
        "SETTINGS": [],
        "EDIT_FORM_LABEL": label,
        "LIST_COLUMN_LABEL": label,
        "LIST_FILTER_LABEL": label,
        "ERROR_MESSAGE": None,
        "HELP_MESSAGE": None,
    }
    if type_ == "enumeration":
        row["LIST"] = [_item(portal, text, index) for index, text in enumerate(items)]
    portal.shelves["userfields"][number] = row
    return row


def _item(portal: Portal, text: str, index: int) -> Row:
    number = portal.take_id("enums", 101)
    return {"ID": str(number), "SORT": str((index + 1) * 10), "VALUE": text, "DEF": "N", "XML_ID": f"{number:032x}"}


def _add_stages(portal: Portal, entity: str, stages: Sequence[tuple[str, ...]]) -> None:
    for index, (status_id, name, semantics, color) in enumerate(stages):
        add_status(portal, entity, status_id, name, sort=(index + 1) * 10, semantics=semantics, color=color)
