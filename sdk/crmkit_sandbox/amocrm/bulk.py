"""Hundreds of thousands of records, made only when read."""

from crmkit_sandbox.store import Bulk
from crmkit_sandbox.wire import Row

from .account import FIRST_IDS, Account

STEP_S = 7


def bulk_leads(account: Account, count: int) -> range:
    """The ids of `count` new leads spread over the ordinary stages of the main pipeline, without events or hooks."""
    first = account.ids.take("leads", start=FIRST_IDS["leads"], count=count)
    pipeline = account.main_pipeline
    stages = [status["id"] for status in pipeline["statuses"] if status["type"] == 0 and status["id"] > 1000]
    users = sorted(account.shelves["users"])
    begin = account.now() - count * STEP_S

    def changed_at(row_id: int) -> int:
        return begin + (row_id - first) * STEP_S

    def make(row_id: int) -> Row:
        owner, moment = users[row_id % len(users)], changed_at(row_id)
        return {
            "id": row_id,
            "name": f"Сделка {row_id}",
            "responsible_user_id": owner,
            "group_id": 0,
            "created_by": owner,
            "updated_by": owner,
            "created_at": moment,
            "updated_at": moment,
            "closest_task_at": None,
            "is_deleted": False,
            "custom_fields_values": None,
            "tags": [],
            "price": row_id % 1000 * 100,
            "loss_reason_id": None,
            "closed_at": None,
            "score": None,
            "labor_cost": None,
            "source_id": None,
            "is_price_computed": False,
            "pipeline_id": pipeline["id"],
            "status_id": stages[row_id % len(stages)],
        }

    account.tables["leads"].extend(Bulk(first, count, make, changed_at))
    return range(first, first + count)


def bulk_contacts(account: Account, count: int) -> range:
    """The ids of `count` new contacts, each with a phone and an e-mail of its own, without events or hooks."""
    first = account.ids.take("people", start=FIRST_IDS["people"], count=count)
    users = sorted(account.shelves["users"])
    phone, email = (_field(account, code) for code in ("PHONE", "EMAIL"))
    begin = account.now() - count * STEP_S

    def changed_at(row_id: int) -> int:
        return begin + (row_id - first) * STEP_S

    def make(row_id: int) -> Row:
        owner, moment, number = users[row_id % len(users)], changed_at(row_id), row_id - first
        return {
            "id": row_id,
            "name": f"Контакт {number}",
            "responsible_user_id": owner,
            "group_id": 0,
            "created_by": owner,
            "updated_by": owner,
            "created_at": moment,
            "updated_at": moment,
            "closest_task_at": None,
            "is_deleted": False,
            "custom_fields_values": [
                _value(phone, f"+7921{number:07d}"),
                _value(email, f"client{number}@mail.example"),
            ],
            "tags": [],
            "first_name": "Контакт",
            "last_name": str(number),
            "is_unsorted": False,
        }

    account.tables["contacts"].extend(Bulk(first, count, make, changed_at))
    return range(first, first + count)


def _field(account: Account, code: str) -> Row:
    return next(field for field in account.fields["contacts"].values() if field["code"] == code)


def _value(field: Row, text: str) -> Row:
    enum = field["enums"][0]
    return {
        "field_id": field["id"],
        "field_name": field["name"],
        "field_code": field["code"],
        "field_type": field["type"],
        "values": [{"value": text, "enum_id": enum["id"], "enum_code": enum["value"]}],
    }
