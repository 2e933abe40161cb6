"""Webhooks in the vendor's old v2 form format, sent to the subscribed addresses."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any
from urllib.parse import quote_plus

from crmkit_sandbox.courier import Courier, Delivery
from crmkit_sandbox.sender import Sender
from crmkit_sandbox.wire import Row

from .account import ELEMENT_TYPES, ZONE, Account

TIMEOUT_S = 2.0
# Seconds before attempts 2 to 5. Source: amoCRM, page "Webhooks": 5 min, 15 min, 15 min, 1 hour.
RETRIES_S = (300, 900, 900, 3600)
BAD_LIMIT, BAD_WINDOW_S = 100, 7200
# Notes carry their times in UTC+3 and tasks in UTC, whatever the account's zone is.
NOTE_ZONE = timezone(timedelta(hours=3))
# Source: amoCRM, v2 list of note types; types without a known number send no hook.
NOTE_NUMBERS = {
    "common": 4,
    "attachment": 5,
    "call_in": 10,
    "call_out": 11,
    "service_message": 25,
    "extended_service_message": 25,
    "sms_in": 102,
    "sms_out": 103,
}
SETTINGS = (
    *(
        f"{action}_{kind}"
        for kind in ("lead", "contact", "company")
        for action in ("add", "update", "delete", "restore", "responsible", "note")
    ),
    "status_lead",
    *(f"{action}_customer" for action in ("add", "update", "delete", "responsible", "note")),
    *(f"{action}_task" for action in ("add", "update", "delete", "responsible")),
    "add_talk",
    "update_talk",
    "add_message",
    "add_outgoing_message",
    *(f"{action}_unsorted" for action in ("add", "update", "delete")),
    "add_chat_template_review",
    *(f"{action}_catalog" for action in ("add", "update", "delete")),
)


class Hooks(Sender):
    """Decides who gets which hook, loses or doubles them on demand, and follows the vendor's retries."""

    def __init__(self, account: Account, courier: Courier, vendor: str) -> None:
        super().__init__(account, courier, vendor, TIMEOUT_S)
        self._account = account
        self._bad: dict[int, list[float]] = {}

    def emit(self, setting: str, key: str, action: str, item: Row) -> None:
        """Send `{key}[{action}][0]` to every address subscribed to `setting`."""
        account = self._account
        if not (self.is_on and account.actor.sends_hooks):
            return
        listeners = [
            hook
            for hook in account.shelves["webhooks"].values()
            if setting in hook["settings"] and not hook["disabled"]
        ]
        if not listeners:
            return
        body = encode_form({key: {action: [item]}, "account": self._account_block()})
        for hook in listeners:
            if self.leaves():
                self.post(hook["destination"], setting, body, verdict=partial(self._judge, hook["id"]))

    def reset(self) -> None:
        """Lose and double nothing more, forget bad answers."""
        super().reset()
        self._bad.clear()

    def _account_block(self) -> Row:
        account = self._account
        return {
            "subdomain": account.subdomain,
            "id": account.id,
            "_links": {"self": f"https://{account.subdomain}.amocrm.ru"},
        }

    def _judge(self, hook_id: int, delivery: Delivery) -> float | None:
        status = delivery.status or 0
        if 100 <= status <= 299:
            return None
        now = self._account.world.clock.now()
        with self._account.world.lock:
            bad = self._bad.setdefault(hook_id, [])
            bad[:] = [at for at in bad if at > now - BAD_WINDOW_S] + [now]
            hook = self._account.shelves["webhooks"].get(hook_id)
            if hook is not None and len(bad) > BAD_LIMIT:
                self._account.shelves["webhooks"][hook_id] = {**hook, "disabled": True}
            if hook is None or hook["disabled"] or len(bad) > BAD_LIMIT:
                return None
        if delivery.attempt > len(RETRIES_S):
            return None
        if delivery.attempt == len(RETRIES_S) and status != 499 and not 500 <= status <= 599:
            return None
        return now + RETRIES_S[delivery.attempt - 1]


def lead_item(account: Account, lead: Row, **more: Any) -> Row:
    """A lead as hooks show it."""
    return {
        "id": lead["id"],
        "name": lead["name"],
        "status_id": lead["status_id"],
        "old_status_id": more.get("old_status_id"),
        "price": lead["price"],
        "responsible_user_id": lead["responsible_user_id"],
        "last_modified": lead["updated_at"],
        "modified_user_id": lead["updated_by"],
        "created_user_id": lead["created_by"],
        "date_create": lead["created_at"],
        "pipeline_id": lead["pipeline_id"],
        "old_pipeline_id": more.get("old_pipeline_id"),
        "tags": [{"id": tag["id"], "name": tag["name"]} for tag in lead["tags"]],
        "account_id": account.id,
        "custom_fields": _custom_fields(lead),
        "old_responsible_user_id": more.get("old_responsible_user_id"),
        "created_at": lead["created_at"],
        "updated_at": lead["updated_at"],
    }


def person_item(account: Account, kind: str, row: Row, *, old_responsible_user_id: int | None = None) -> Row:
    """A contact or a company as hooks show it; both come under `contacts`, told apart by `type`."""
    company_id = next(iter(account.links.ids(kind, row["id"], "companies")), None) if kind == "contacts" else None
    company = account.tables["companies"].live(company_id) if company_id else None
    leads = account.links.ids(kind, row["id"], "leads")
    return {
        "id": row["id"],
        "name": row["name"],
        "responsible_user_id": row["responsible_user_id"],
        "date_create": row["created_at"],
        "last_modified": row["updated_at"],
        "created_user_id": row["created_by"],
        "modified_user_id": row["updated_by"],
        "company_name": company["name"] if company else None,
        "linked_company_id": company["id"] if company else None,
        "account_id": account.id,
        "custom_fields": _custom_fields(row),
        "tags": [{"id": tag["id"], "name": tag["name"]} for tag in row["tags"]],
        "linked_leads_id": {str(lead): {"ID": lead} for lead in leads},
        "old_responsible_user_id": old_responsible_user_id,
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "type": "contact" if kind == "contacts" else "company",
    }


def task_item(account: Account, task: Row, before: Row | None = None) -> Row:
    """A task as hooks show it: date strings in UTC beside the unix numbers."""
    is_moved = before is not None and before["responsible_user_id"] != task["responsible_user_id"]
    result = task["result"]
    return {
        "id": task["id"],
        "element_id": task["entity_id"],
        "element_type": ELEMENT_TYPES.get(task["entity_type"]),
        "task_type": task["task_type_id"],
        "date_create": _stamp(task["created_at"], UTC),
        "text": task["text"],
        "status": int(task["is_completed"]),
        "account_id": account.id,
        "created_user_id": task["created_by"],
        "last_modified": _stamp(task["updated_at"], UTC),
        "responsible_user_id": task["responsible_user_id"],
        "complete_till": _stamp(task["complete_till"], UTC),
        "action_close": int(task["is_completed"] and not before["is_completed"]) if before else None,
        "old_text": before["text"] if before and not result else None,
        "main_user": task["responsible_user_id"] if is_moved else None,
        "modified_by": task["updated_by"] if is_moved else None,
        "old_responsible_user_id": before["responsible_user_id"] if before and is_moved else None,
        "result": {"id": task["result_id"], "text": result["text"]} if result else None,
        "created_at": task["created_at"],
        "updated_at": task["updated_at"],
        "complete_before": task["complete_till"],
    }


def note_item(account: Account, note: Row) -> Row:
    """A note as hooks show it: date strings in UTC+3; a call's params are JSON in `text`."""
    params = note["params"]
    is_call = note["note_type"] in ("call_in", "call_out")
    author = account.shelves["users"].get(note["created_by"])
    source = {"id": note["created_by"], "author_name": author["name"] if author else "", "type": 1}
    inner = {
        "text": json.dumps(_call_text(params), ensure_ascii=False) if is_call else _note_text(params),
        "attachement": params.get("file_uuid", "") if note["note_type"] == "attachment" else "",
        "date_create": _stamp(note["created_at"], NOTE_ZONE),
        "note_type": NOTE_NUMBERS[note["note_type"]],
        "element_type": ELEMENT_TYPES[note["entity_type"]],
        "element_id": note["entity_id"],
        "catalog_id": 0,
        "group_id": note["group_id"],
        "timestamp_x": _stamp(note["updated_at"], NOTE_ZONE),
        "account_id": account.id,
        "metadata": json.dumps({"event_source": source}, ensure_ascii=False, separators=(",", ":")),
        "created_by": note["created_by"],
        "modified_by": note["updated_by"],
        "main_user_id": note["responsible_user_id"],
        "id": note["id"],
        "created_at": note["created_at"],
        "updated_at": note["updated_at"],
    }
    kinds = {"contacts": "contact", "companies": "company"}
    return {"note": inner, "type": kinds.get(note["entity_type"])}


def encode_form(data: Row) -> str:
    """`data` as a PHP-style form body: nothing for None, 1 and 0 for booleans, brackets percent-encoded."""
    return "&".join(f"{quote_plus(key)}={quote_plus(value)}" for key, value in _flatten("", data))


def _flatten(path: str, node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for key, inner in node.items():
            yield from _flatten(f"{path}[{key}]" if path else str(key), inner)
    elif isinstance(node, list):
        for index, inner in enumerate(node):
            yield from _flatten(f"{path}[{index}]", inner)
    elif isinstance(node, bool):
        yield path, str(int(node))
    elif node is not None:
        yield path, str(node)


def _custom_fields(row: Row) -> list[Row]:
    return [
        {
            "id": field["field_id"],
            "name": field["field_name"],
            "values": _hook_values(field["field_type"], field["values"]),
            "code": field["field_code"],
        }
        for field in row["custom_fields_values"] or ()
    ]


def _hook_values(kind: str, values: Iterable[Row]) -> Any:
    if kind in ("date", "date_time"):
        return [value["value"] for value in values]
    if kind == "birthday":
        return [{"value": datetime.fromtimestamp(value["value"], ZONE).strftime("%d.%m.%Y")} for value in values]
    if kind == "smart_address":
        return [{"value": value["value"], "subtype": value["enum_code"]} for value in values]
    items = [{"value": value["value"], "enum": value.get("enum_id")} if "value" in value else value for value in values]
    # A radiobutton comes without the index of its only value.
    return items[0] if kind == "radiobutton" and items else items


def _stamp(moment: int, zone: timezone) -> str:
    return datetime.fromtimestamp(moment, zone).strftime("%Y-%m-%d %H:%M:%S")


def _note_text(params: Row) -> str:
    return str(params.get("text") or params.get("file_name") or "")


def _call_text(params: Row) -> Row:
    text = {
        "UNIQ": params.get("uniq"),
        "LINK": params.get("link"),
        "PHONE": params.get("phone"),
        "DURATION": params.get("duration"),
        "SRC": params.get("source"),
    }
    for name in ("call_status", "call_result"):
        if params.get(name) is not None:
            text[name] = str(params[name])
    return text
