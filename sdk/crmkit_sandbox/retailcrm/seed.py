"""A small shop: the settings that every account has, and records to play with."""

import random
from collections.abc import Mapping, Sequence

from crmkit_sandbox.wire import Row

from .account import Account
from .books import SITE_NAMES, make_books

PEOPLE = (
    ("Анна", "Орлова", "a.orlova@romashka.example", True),
    ("Илья", "Смирнов", "i.smirnov@romashka.example", False),
    ("Мария", "Кузнецова", "m.kuznetsova@romashka.example", False),
    ("Тимур", "Гареев", "t.gareev@romashka.example", False),
)
FIELDS: Mapping[str, Sequence[tuple[str, str, str, str | None]]] = {
    "order": (
        ("next_step", "Дата следующего шага", "date", None),
        ("urgent", "Срочно", "boolean", None),
        ("advance", "Аванс", "numeric", None),
        ("channel", "Канал", "dictionary", "channels"),
        ("services", "Услуги", "multiselect_dictionary", "services"),
        ("meeting", "Встреча", "datetime", None),
        ("boxes", "Коробок", "integer", None),
        ("remark", "Пометка", "string", None),
        ("story", "История", "text", None),
    ),
    "customer": (
        ("nps", "NPS", "integer", None),
        ("position", "Должность", "string", None),
        ("channel", "Канал", "dictionary", "channels"),
        ("second_email", "Второй email", "email", None),
    ),
    "customer_corporate": (("branch", "Отрасль", "string", None),),
    "company": (("edo", "ЭДО", "boolean", None),),
}
DICTIONARIES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "channels": ("Каналы", {"site": "Сайт", "call": "Звонок", "advice": "Рекомендация"}),
    "services": ("Услуги", {"mounting": "Монтаж", "delivery": "Доставка", "care": "Обслуживание"}),
}
PRODUCTS = ("Чайник", "Кофемолка", "Тостер", "Блендер", "Весы", "Термос", "Сковорода")
OPENED = "2026-01-12 10:00:00"


def make_settings(account: Account) -> None:
    """Users, reference books, custom fields and the like, as after a registration."""
    _make_users(account)
    make_books(account)
    for code, (title, elements) in DICTIONARIES.items():
        rows = [{"name": name, "code": one, "ordering": 10 * i} for i, (one, name) in enumerate(elements.items())]
        account.shelves["dictionaries"][code] = {"name": title, "code": code, "elements": rows}
    for entity, fields in FIELDS.items():
        book = account.fields.setdefault(entity, {})
        for code, title, type_, dictionary in fields:
            book[code] = custom_field(entity, code, title, type_) | ({"dictionary": dictionary} if dictionary else {})
    for code, title in (("new", "Без заказов"), ("regular", "Постоянные")):
        segment_id = account.take_id("segments")
        head = {"id": segment_id, "code": code, "name": title, "createdAt": OPENED}
        account.shelves["segments"][segment_id] = {**head, "isDynamic": True, "customersCount": 0, "active": True}


def custom_field(entity: str, code: str, name: str, type_: str) -> Row:
    """A custom field as the API shows it."""
    return {
        "name": name,
        "code": code,
        "required": False,
        "inFilter": True,
        "inList": True,
        "inGroupActions": False,
        "type": type_,
        "entity": entity,
        "ordering": 50,
        "displayArea": "customer",
        "viewMode": "editable",
    }


def baskets(count: int) -> list[list[Row]]:
    """Items of orders, the same in every run."""
    dice = random.Random(11)
    made = []
    for _ in range(count):
        names = dice.sample(PRODUCTS, dice.randrange(1, 4))
        made.append(
            [
                {"productName": name, "initialPrice": dice.randrange(9, 90) * 100, "quantity": dice.randrange(1, 4)}
                for name in names
            ]
        )
    return made


def _make_users(account: Account) -> None:
    for code, title in (("manager", "Менеджеры"), ("director", "Руководители")):
        group_id = account.take_id("groups")
        account.shelves["groups"][group_id] = {
            "id": group_id,
            "name": title,
            "code": code,
            "isManager": code == "manager",
            "isPosManager": False,
            "isDeliveryMen": False,
            "deliveryTypes": [],
            "breakdownOrderTypes": [],
            "breakdownSites": [],
            "breakdownOrderMethods": [],
            "grantedOrderTypes": ["eshop-individual", "eshop-legal"],
            "grantedSites": list(SITE_NAMES),
        }
    groups = list(account.shelves["groups"].values())
    for first, last, email, is_admin in PEOPLE:
        user_id = account.take_id("users")
        group = groups[1 if is_admin else 0]
        account.shelves["users"][user_id] = {
            "id": user_id,
            "createdAt": OPENED,
            "active": True,
            "email": email,
            "firstName": first,
            "lastName": last,
            "status": "free",
            "online": True,
            "isAdmin": is_admin,
            "isManager": True,
            "groups": [{"id": group["id"], "name": group["name"], "code": group["code"]}],
        }
