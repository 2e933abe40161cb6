"""The reference books of a new account."""

from collections.abc import Callable, Mapping, Sequence

from crmkit_sandbox.wire import Row

from .account import Account

# Source: retailCRM, statuses of a new account; the odd spelling is the product's own.
STATUSES: Mapping[str, Sequence[tuple[str, str]]] = {
    "new": (("new", "Новый"),),
    "approval": (
        ("availability-confirmed", "Наличие подтверждено"),
        ("offer-analog", "Предложить замену"),
        ("client-confirmed", "Согласовано с клиентом"),
        ("prepayed", "Предоплата поступила"),
    ),
    "assembling": (
        ("send-to-assembling", "Передано в комплектацию"),
        ("assembling", "Комплектуется"),
        ("assembling-complete", "Укомплектован"),
    ),
    "delivery": (
        ("send-to-delivery", "Передан в доставку"),
        ("delivering", "Доставляется"),
        ("redirect", "Доставка перенесена"),
    ),
    "complete": (("complete", "Выполнен"),),
    "cancel": (
        ("no-call", "Недозвон"),
        ("no-product", "Нет в наличии"),
        ("already-buyed", "Купил в другом месте"),
        ("delyvery-did-not-suit", "Не устроила доставка"),
        ("prices-did-not-suit", "Не устроила цена"),
        ("cancel-other", "Отменен"),
    ),
}
GROUPS = {
    "new": "Новый",
    "approval": "Согласование",
    "assembling": "Комплектация",
    "delivery": "Доставка",
    "complete": "Выполнен",
    "cancel": "Отменен",
}
METHODS = {
    "shopping-cart": "Через корзину",
    "phone": "По телефону",
    "one-click": "В один клик",
    "price-decrease-request": "Запрос на понижение цены",
    "landing-page": "Заявка с посадочной страницы",
    "messenger": "Мессенджеры",
    "live-chat": "Онлайн-консультант",
    "offline": "Офлайн",
    "app": "Мобильное приложение",
    "missed-call": "Пропущенный звонок",
    "terminal": "Терминал",
}
MAPS: Mapping[str, Mapping[str, str]] = {
    "orderTypes": {"eshop-individual": "Физическое лицо", "eshop-legal": "Юридическое лицо"},
    "paymentTypes": {"cash": "Наличные", "bank-card": "Банковская карта", "bank-transfer": "Банковский перевод"},
    "paymentStatuses": {"not-paid": "Не оплачен", "invoice": "Выставлен счёт", "paid": "Оплачен", "fail": "Ошибка"},
    "deliveryTypes": {"courier": "Доставка курьером", "self-delivery": "Самовывоз"},
    "deliveryServices": {},
    "units": {"pc": "Штука"},
    "productStatuses": {"new": "Новый", "confirming": "Наличие подтверждается", "sold": "Продан", "refund": "Возврат"},
}
LISTS: Mapping[str, Mapping[str, str]] = {
    "stores": {"warehouse": "Склад", "showroom": "Шоурум"},
    "priceTypes": {"base": "Базовая"},
    "legalEntities": {"romashka": "ООО «Ромашка»"},
    "costGroups": {"marketing": "Маркетинг", "product-cost": "Себестоимость"},
    "costItems": {"ads": "Реклама", "products-purchase-price": "Закупочная стоимость товаров"},
    "couriers": {},
    "currencies": {},
    "mgChannels": {},
}
SITE_NAMES = {"main": "Ромашка", "outlet": "Ромашка: распродажа"}
OPENED = "2026-01-12 10:00:00"
WEEK = ("mo", "tu", "we", "th", "fr", "sa", "su")
# Books whose first entry is taken when a new order names none.
WITH_DEFAULTS = ("orderTypes", "orderMethods", "paymentTypes", "paymentStatuses", "deliveryTypes")


def make_books(account: Account) -> None:
    """Fill the account's reference books."""
    books = account.references
    for name, entries in {**MAPS, "orderMethods": METHODS, **LISTS}.items():
        books[name] = {code: _entry(code, title, index) for index, (code, title) in enumerate(entries.items())}
    for name in WITH_DEFAULTS:
        for index, row in enumerate(books[name].values()):
            row |= {"defaultForCrm": index == 0, "defaultForApi": index == 0}
    for name, add in PARTICULARS.items():
        for code, row in books[name].items():
            row |= add(code)
    books["legalEntities"] = {code: _legal_entity(code, title) for code, title in LISTS["legalEntities"].items()}
    books["currencies"] = {"1": {"id": 1, "code": "RUB", "isBase": True, "isAutoConvert": False}}
    books["countries"] = {code: {"code": code} for code in ("RU", "BY", "KZ")}
    books["sites"] = {code: _site(index, code, name) for index, (code, name) in enumerate(SITE_NAMES.items())}
    books["statusGroups"], books["statuses"] = {}, {}
    for index, (group, title) in enumerate(GROUPS.items()):
        is_process = group in ("approval", "assembling", "delivery")
        books["statusGroups"][group] = {**_entry(group, title, index), "process": is_process}
        for place, (code, name) in enumerate(STATUSES[group]):
            books["statuses"][code] = {**_entry(code, name, 10 * index + place), "group": group}


def _entry(code: str, name: str, index: int) -> Row:
    return {"name": name, "code": code, "active": True, "ordering": 10 * (index + 1)}


def _delivery_type(code: str) -> Row:
    flags = ("isDynamicCostCalculation", "isAutoCostCalculation", "isAutoNetCostCalculation", "isCostDependsOnDateTime")
    return {
        **dict.fromkeys((*flags, "isCostDependsOnRegionAndWeightAndSum"), False),
        "currency": "RUB",
        "defaultCost": 300 if code == "courier" else 0,
        "defaultNetCost": 0,
        "paymentTypes": list(MAPS["paymentTypes"]),
        "deliveryServices": [],
        "deliveryPaymentTypes": [{"code": one, "cod": one == "cash"} for one in MAPS["paymentTypes"]],
        "sites": list(SITE_NAMES),
    }


def _payment_type(_: str) -> Row:
    more = {"deliveryTypes": list(MAPS["deliveryTypes"]), "paymentStatuses": list(MAPS["paymentStatuses"])}
    return {**more, "sites": list(SITE_NAMES)}


def _store(code: str) -> Row:
    kind = "warehouse" if code == "warehouse" else "retail"
    # PHP writes a working day without hours as an empty list.
    hours: Row = {day: [] for day in WEEK}
    address = {"countryIso": "RU", "city": "Казань"}
    head = {"type": f"store-type-{kind}", "inventoryType": "integer", "description": ""}
    return {**head, "address": address, "phone": {}, "workTime": hours}


def _legal_entity(code: str, name: str) -> Row:
    return {"contragentType": "legal-entity", "legalName": name, "code": code, "countryIso": "RU", "vatRate": "20.00"}


PARTICULARS: Mapping[str, Callable[[str], Row]] = {
    "deliveryTypes": _delivery_type,
    "paymentTypes": _payment_type,
    "paymentStatuses": lambda code: {"paymentComplete": code == "paid", "paymentTypes": list(MAPS["paymentTypes"])},
    "orderMethods": lambda _: {"isFromPos": False},
    "productStatuses": lambda code: {"createdAt": OPENED, "cancelStatus": code == "refund"},
    "units": lambda _: {"sym": "шт.", "default": True},
    "stores": _store,
    "priceTypes": lambda _: {"id": 1, "default": True, "geo": [], "groups": []},
    "costGroups": lambda _: {"color": "#ffd298"},
    "costItems": lambda code: {
        "group": "marketing" if code == "ads" else "product-cost",
        "appliesToOrders": code != "ads",
        "appliesToUsers": False,
        "type": "var",
    },
}


def _site(index: int, code: str, name: str) -> Row:
    url = f"https://{code}.romashka.example"
    return {
        "id": index + 1,
        "name": name,
        "url": url,
        "code": code,
        "description": "",
        "defaultForCrm": index == 0,
        "ymlUrl": f"{url}/catalog.xml",
        "loadFromYml": False,
        "countryIso": "RU",
        "currency": "RUB",
        "catalogId": str(index + 1),
        "isCatalogMainSite": True,
        "contragent": {"contragentType": "legal-entity", "legalName": "ООО «Ромашка»", "code": "romashka"},
        "ordering": 10 * (index + 1),
        "isDemo": False,
    }
