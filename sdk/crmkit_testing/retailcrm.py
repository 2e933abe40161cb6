"""The emulated retailCRM as the vendor's side of a bench."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from crmkit.adapter import Doors, HookState
from crmkit.models import CallStatus, CustomField, Direction, Note, Record, StageRef, Task
from crmkit.settings import AccountSettings
from crmkit.values import Kind, Ref
from crmkit_retailcrm import RetailCrmAdapter
from crmkit_retailcrm.adapter import RetailCrmConnection
from crmkit_retailcrm.auth import check
from crmkit_sandbox import Sandbox
from crmkit_testing.emulated import EmulatedSide, cannot, new_ref
from crmkit_testing.side import ACCOUNT

TITLE_FIELD, PHONE_FIELD, EMAIL_FIELD = "title", "tel", "mail"
"""Text fields for what orders (a title) and corporate customers (phone and e-mail) do not have."""

_ZONE = ZoneInfo("Europe/Moscow")
_ORDER_TYPE = "eshop-individual"
_CLOSED = ("complete", "cancel-other")
_TRIGGERS = ("order.create", "order.change", "order.delete", "customer.create", "customer.change", "task.change")
_TRIGGERS_OF_COMPANIES = ("customer_corporate.create", "customer_corporate.change", "task.create")
_BOOKS: Mapping[Kind, str] = {Kind.DEAL: "order", Kind.CONTACT: "customer", Kind.COMPANY: "customer_corporate"}


class AdministeredAdapter(RetailCrmAdapter):
    """The adapter in an account whose administrator types the triggers that the API cannot subscribe.

    Args:
        type_triggers: what the administrator does with a hook address; says whether there was anything to do.
    """

    def __init__(self, type_triggers: Callable[[str], bool]) -> None:
        self._type_triggers = type_triggers

    def open(self, settings: AccountSettings, doors: Doors) -> RetailCrmConnection:
        """A connection whose hooks an administrator looks after."""
        return _Administered(settings, doors, self._type_triggers)


class _Administered(RetailCrmConnection):
    def __init__(self, settings: AccountSettings, doors: Doors, type_triggers: Callable[[str], bool]) -> None:
        super().__init__(check(settings), doors)
        self._type_triggers = type_triggers

    def ensure_hooks(self, url: str) -> HookState:
        """The triggers send to `url`."""
        return HookState(url, "created" if self._type_triggers(url) else "kept")


class RetailCrmSide(EmulatedSide):
    """One account of the emulated retailCRM, over real HTTP; its clock stands until somebody waits."""

    def __init__(self) -> None:
        sandbox = Sandbox(("retailcrm",))
        self.retail = sandbox.retailcrm
        deletes: Mapping[Kind, Callable[..., None]] = {
            Kind.DEAL: self.retail.delete_order,
            Kind.CONTACT: self.retail.delete_customer,
        }
        super().__init__(sandbox, self.retail, deletes)
        self.adapters = {self.vendor: AdministeredAdapter(self._type_triggers)}

    def open(self) -> None:
        """Serve on 127.0.0.1."""
        super().open()
        fields = self.retail.account.fields
        companies, orders = fields["customer_corporate"], fields["order"]
        for code, name in ((PHONE_FIELD, "Телефон"), (EMAIL_FIELD, "Почта")):
            companies[code] = {**companies["branch"], "code": code, "name": name}
        orders[TITLE_FIELD] = {**orders["remark"], "code": TITLE_FIELD, "name": "Название"}

    def account_table(self) -> Mapping[str, Any]:
        """Vendor, address, and the fields for what the vendor does not have."""
        return {
            "vendor": self.vendor,
            "base_url": self.retail.base_url,
            "title_field": TITLE_FIELD,
            "company_phone_field": PHONE_FIELD,
            "company_email_field": EMAIL_FIELD,
        }

    def environment(self) -> Mapping[str, str]:
        """The API key."""
        return {f"CRMKIT_{ACCOUNT.upper()}_API_KEY": self.retail.api_key}

    def stages(self) -> Mapping[str, StageRef]:
        """The open statuses of the main order type, then one that wins and one that loses."""
        statuses = self.retail.statuses
        is_open = [code for code, row in statuses.items() if row["group"] not in ("complete", "cancel")]
        return {
            str(statuses[code]["name"]): StageRef(pipeline_id=_ORDER_TYPE, stage_id=code)
            for code in (*is_open, *_CLOSED)
        }

    def user_ids(self) -> tuple[str, ...]:
        """Ids of the active users."""
        return tuple(str(user["id"]) for user in self.retail.users if user["active"])

    def add(self, record: Record, *, hooks: bool) -> Ref:
        """Make an order, customer, corporate customer, task or note."""
        fields = self._fields(record.ref.kind, {name: getattr(record, name) for name in record.model_fields_set})
        if isinstance(record, Task):
            return new_ref(Kind.TASK, self.retail.add_task(fields.pop("text", ""), hooks=hooks, **fields))
        if isinstance(record, Note):
            return self._add_note(record)
        adds: Mapping[Kind, Callable[..., int]] = {
            Kind.DEAL: self.retail.add_order,
            Kind.CONTACT: self.retail.add_customer,
            Kind.COMPANY: self.retail.add_corporate,
        }
        return new_ref(record.ref.kind, self._act("add", adds, record.ref.kind)(hooks=hooks, **fields))

    def change(self, ref: Ref, values: Mapping[str, Any], *, hooks: bool) -> None:
        """Change an order, customer, corporate customer or task."""
        changes: Mapping[Kind, Callable[..., None]] = {
            Kind.DEAL: self.retail.update_order,
            Kind.CONTACT: self.retail.update_customer,
            Kind.COMPANY: self.retail.update_corporate,
            Kind.TASK: self.retail.update_task,
        }
        self._act("change", changes, ref.kind)(int(ref.id), hooks=hooks, **self._fields(ref.kind, values))

    def call(
        self, contact: Ref, phone: str, *, direction: Direction, status: CallStatus, talk_s: int, hooks: bool
    ) -> None:
        """Enter a call; the CRM tells nobody of it."""
        way = "out" if direction is Direction.OUT else "in"
        self.retail.call(phone, direction=way, duration=talk_s, hooks=hooks)

    def _type_triggers(self, url: str) -> bool:
        if any(trigger["url"] == url for trigger in self.retail.triggers):
            return False
        for event in (*_TRIGGERS, *_TRIGGERS_OF_COMPANIES):
            self.retail.add_trigger(event, url)
        return True

    def _fields(self, kind: Kind, values: Mapping[str, Any]) -> dict[str, Any]:
        """Our fields in the vendor's words; custom fields by their codes, also those that are known by title alone."""
        fields = _fields(kind, values)
        if "customFields" in fields:
            book = self.retail.account.fields.get(_BOOKS.get(kind, ""), {})
            codes = {str(field["name"]): code for code, field in book.items()}
            fields["customFields"] = {codes.get(name, name): value for name, value in fields["customFields"].items()}
        return fields

    def _add_note(self, note: Note) -> Ref:
        if note.about is None or note.about.kind not in (Kind.CONTACT, Kind.COMPANY):
            cannot("retailcrm", "write a note that is on no contact or company")
        path = "customers" if note.about.kind is Kind.CONTACT else "customers-corporate"
        return new_ref(Kind.NOTE, f"{path}.{self.retail.add_note(int(note.about.id), note.text)}")


def _fields(kind: Kind, values: Mapping[str, Any]) -> dict[str, Any]:
    """Our fields in the vendor's words. Raises ConfigError for what nobody sets by hand here."""
    fields: dict[str, Any] = {}
    for name, value in values.items():
        if value is None or kind is Kind.NOTE:
            continue
        words = {**_WORDS, **_OWN_WORDS.get(kind, {})}
        if name not in words:
            cannot("retailcrm", f"set {name} of a {kind.value}")
        for key, told in words[name](value).items():
            fields[key] = {**fields[key], **told} if key == "customFields" and key in fields else told
    return fields


def _name(field: CustomField[Any, Any]) -> str:
    return field.pins.get("retailcrm") or field.code or field.title


def _named(name: str) -> Mapping[str, Any]:
    first, _, last = name.partition(" ")
    return {"firstName": first, "lastName": last or None}


def _party(ref: Ref) -> Mapping[str, Any]:
    type_ = "customer_corporate" if ref.kind is Kind.COMPANY else "customer"
    return {"customer": {"id": int(ref.id), "type": type_}}


def _card(ref: Ref) -> Mapping[str, Any]:
    return {"order" if ref.kind is Kind.DEAL else "customer": int(ref.id)}


_WORDS: Mapping[str, Callable[[Any], Mapping[str, Any]]] = {
    "name": _named,
    "title": lambda title: {"customFields": {TITLE_FIELD: title}},
    "text": lambda text: {"text": text},
    "amount": lambda money: {"items": [("Товар", float(money.amount), 1)]},
    "stage": lambda stage: {"status": stage.stage_id, "orderType": stage.pipeline_id},
    "owner_id": lambda user: {"managerId": int(user)},
    "phones": lambda phones: {"phones": [phone.raw for phone in phones]},
    "emails": lambda emails: {"email": emails[0].value if emails else None},
    "contacts": lambda refs: _party(refs[0]),
    "company": _party,
    "tags": lambda tags: {"tags": list(tags)},
    "custom": lambda changes: {"customFields": {_name(one.field): one.value for one in changes}},
}
_OWN_WORDS: Mapping[Kind, Mapping[str, Callable[[Any], Mapping[str, Any]]]] = {
    Kind.COMPANY: {
        "name": lambda name: {"nickName": name},
        "phones": lambda phones: {"customFields": {PHONE_FIELD: ", ".join(phone.raw for phone in phones)}},
        "emails": lambda emails: {"customFields": {EMAIL_FIELD: ", ".join(email.value for email in emails)}},
    },
    Kind.TASK: {
        "owner_id": lambda user: {"performer": int(user)},
        "due": lambda due: {"datetime": due.astimezone(_ZONE).strftime("%Y-%m-%d %H:%M")},
        "about": _card,
        "is_done": lambda is_done: {"complete": is_done},
        "result": lambda text: {"commentary": f"Результат: {text}"},
    },
}
