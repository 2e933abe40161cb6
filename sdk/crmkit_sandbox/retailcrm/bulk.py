"""Tens of thousands of records, made only when read."""

from functools import cache

from crmkit_sandbox.store import Bulk
from crmkit_sandbox.wire import Row

from .account import FIRST_IDS, Account

STEP_S = 7


def bulk_customers(account: Account, count: int, site: str = "main") -> range:
    """The ids of `count` new people, each with a phone and an e-mail, without history or triggers."""
    first = account.ids.take("customers", start=FIRST_IDS["customers"], count=count)
    users = sorted(account.shelves["users"])
    begin = int(account.now()) - count * STEP_S

    def changed_at(row_id: int) -> int:
        return begin + (row_id - first) * STEP_S

    @cache
    def moment(row_id: int) -> str:
        return account.moment(changed_at(row_id))

    def make(row_id: int) -> Row:
        number = row_id - first
        return {
            "type": "customer",
            "id": row_id,
            "externalId": f"bulk-{row_id}",
            "isContact": False,
            "createdAt": moment(row_id),
            "managerId": users[row_id % len(users)],
            "vip": False,
            "bad": False,
            "site": site,
            "contragent": {"contragentType": "individual"},
            "tags": [],
            "firstName": "Клиент",
            "lastName": str(number),
            "email": f"client{number}@mail.example",
            "phones": [{"number": f"+7922{number:07d}"}],
            "customFields": {},
            "updated_at": changed_at(row_id),
            "is_deleted": False,
        }

    account.tables["customers"].extend(Bulk(first, count, make, changed_at))
    return range(first, first + count)


def bulk_orders(account: Account, count: int, site: str = "main") -> range:
    """The ids of `count` new orders over all open statuses, without history or triggers.

    They belong to the people of the site in turn, to nobody when there are none.
    """
    first = account.ids.take("orders", start=FIRST_IDS["orders"], count=count)
    items = account.ids.take("items", start=FIRST_IDS["items"], count=count)
    users, people = sorted(account.shelves["users"]), list(account.tables["customers"].ids)
    closing = ("complete", "cancel")
    statuses = [row["code"] for row in account.references["statuses"].values() if row["group"] not in closing]
    begin = int(account.now()) - count * STEP_S

    def changed_at(row_id: int) -> int:
        return begin + (row_id - first) * STEP_S

    @cache
    def moment(row_id: int) -> str:
        return account.moment(changed_at(row_id))

    def make(row_id: int) -> Row:
        owner = people[row_id % len(people)] if people else None
        return {
            **_order(row_id, items + row_id - first, moment(row_id)),
            "managerId": users[row_id % len(users)],
            **({"customer": owner, "contact": owner} if owner is not None else {}),
            "site": site,
            "status": statuses[row_id % len(statuses)],
            "updated_at": changed_at(row_id),
        }

    account.tables["orders"].extend(Bulk(first, count, make, changed_at))
    return range(first, first + count)


def _order(row_id: int, item_id: int, moment: str) -> Row:
    price = row_id % 500 * 10 + 100
    item: Row = {
        "id": item_id,
        "markingCodes": [],
        "discounts": [],
        "initialPrice": price,
        "discountTotal": 0,
        "createdAt": moment,
        "quantity": 1,
        "status": "new",
        "purchasePrice": 0,
        "offer": {"id": 1, "name": "Чайник", "displayName": "Чайник"},
    }
    return {
        "slug": row_id,
        "id": row_id,
        "number": f"{row_id}A",
        "externalId": f"bulk-{row_id}",
        "bonusesCreditTotal": 0,
        "bonusesChargeTotal": 0,
        "orderType": "eshop-individual",
        "orderMethod": "shopping-cart",
        "privilegeType": "none",
        "countryIso": "RU",
        "createdAt": moment,
        "statusUpdatedAt": moment,
        "summ": price,
        "totalSumm": price,
        "prepaySum": 0,
        "purchaseSumm": 0,
        "markDatetime": moment,
        "currency": "RUB",
        "call": False,
        "expired": False,
        "contragent": {"contragentType": "individual"},
        "delivery": {},
        "items": [item],
        "payments": [],
        "fromApi": True,
        "shipped": False,
        "customFields": {},
        "is_deleted": False,
    }
