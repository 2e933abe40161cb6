"""The emulated Bitrix24 as the vendor's side of a bench."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from crmkit.models import CallStatus, Direction, Note, Record, StageRef, Task
from crmkit.values import Kind, Ref
from crmkit_sandbox import Sandbox
from crmkit_testing.emulated import EmulatedSide, cannot, new_ref
from crmkit_testing.side import ACCOUNT

_ENTITIES: Mapping[Kind, str] = {
    Kind.DEAL: "deal",
    Kind.CONTACT: "contact",
    Kind.COMPANY: "company",
    Kind.LEAD: "lead",
}
_DIRECTIONS: Mapping[Direction, str] = {Direction.OUT: "out", Direction.CALLBACK: "callback"}


class Bitrix24Side(EmulatedSide):
    """One portal of the emulated Bitrix24, over real HTTP, with an application in it; its clock stands still."""

    def __init__(self) -> None:
        sandbox = Sandbox(("bitrix24",))
        self.portal = sandbox.bitrix24
        deletes: Mapping[Kind, Callable[..., None]] = {
            Kind.DEAL: self.portal.delete_deal,
            Kind.CONTACT: self.portal.delete_contact,
            Kind.COMPANY: self.portal.delete_company,
            Kind.LEAD: self.portal.delete_lead,
            Kind.TASK: self.portal.delete_todo,
        }
        super().__init__(sandbox, self.portal, deletes)

    def account_table(self) -> Mapping[str, Any]:
        """Vendor, address, and the application's own."""
        return {
            "vendor": self.vendor,
            "base_url": self.portal.base_url,
            "auth_url": self.portal.base_url,
            "client_id": self.portal.client_id,
            "member_id": self.portal.member_id,
        }

    def environment(self) -> Mapping[str, str]:
        """The application's secrets, and what came with its installation."""
        prefix = f"CRMKIT_{ACCOUNT.upper()}_"
        return {
            f"{prefix}CLIENT_SECRET": self.portal.client_secret,
            f"{prefix}REFRESH_TOKEN": self.portal.issue_tokens()["refresh_token"],
            f"{prefix}APPLICATION_TOKEN": self.portal.application_token,
        }

    def stages(self) -> Mapping[str, StageRef]:
        """The stages of the first pipeline."""
        return {
            stage["NAME"]: StageRef(pipeline_id="0", stage_id=stage["STATUS_ID"]) for stage in self.portal.stages(0)
        }

    def user_ids(self) -> tuple[str, ...]:
        """Ids of the users."""
        return tuple(user["ID"] for user in self.portal.users)

    def add(self, record: Record, *, hooks: bool) -> Ref:
        """Make a deal, contact, company, lead, to-do or comment."""
        values = {name: getattr(record, name) for name in record.model_fields_set}
        if isinstance(record, Task):
            return new_ref(Kind.TASK, self._add_todo(values, hooks=hooks))
        if isinstance(record, Note):
            kind, number = _card(record.about)
            return new_ref(Kind.NOTE, self.portal.add_comment(kind, number, record.text, hooks=hooks))
        adds: Mapping[Kind, Callable[..., int]] = {
            Kind.DEAL: self.portal.add_deal,
            Kind.CONTACT: self.portal.add_contact,
            Kind.COMPANY: self.portal.add_company,
            Kind.LEAD: self.portal.add_lead,
        }
        add = self._act("add", adds, record.ref.kind)
        return new_ref(record.ref.kind, add(hooks=hooks, **_fields(record.ref.kind, values)))

    def change(self, ref: Ref, values: Mapping[str, Any], *, hooks: bool) -> None:
        """Change a card, drag a deal, complete a to-do."""
        rest = dict(values)
        if ref.kind is Kind.TASK:
            if set(rest) - {"is_done", "result"}:
                cannot("bitrix24", "change a to-do but for completing it")
            self.portal.complete_todo(int(ref.id), hooks=hooks)
            return
        stage = rest.pop("stage", None)
        changes: Mapping[Kind, Callable[..., None]] = {
            Kind.DEAL: self.portal.update_deal,
            Kind.CONTACT: self.portal.update_contact,
            Kind.COMPANY: self.portal.update_company,
            Kind.LEAD: self.portal.update_lead,
        }
        change = self._act("change", changes, ref.kind)
        if stage is not None:
            self.portal.move_deal(int(ref.id), stage.stage_id, int(stage.pipeline_id), hooks=hooks)
        if rest:
            change(int(ref.id), hooks=hooks, **_fields(ref.kind, rest))

    def call(
        self, contact: Ref, phone: str, *, direction: Direction, status: CallStatus, talk_s: int, hooks: bool
    ) -> None:
        """A call through the portal's telephony; it lands at whoever has the phone."""
        duration = talk_s if status is CallStatus.ANSWERED else 0
        self.portal.call(phone, direction=_DIRECTIONS.get(direction, "in"), duration=duration, hooks=hooks)

    def _add_todo(self, values: Mapping[str, Any], *, hooks: bool) -> int:
        kind, number = _card(values.get("about"))
        title, _, description = str(values.get("text", "")).partition("\n")
        due, owner = values.get("due"), values.get("owner_id")
        return self.portal.add_todo(
            kind,
            number,
            title,
            deadline=due.timestamp() if due else None,
            owner=int(owner) if owner else None,
            description=description or None,
            hooks=hooks,
        )


def _card(about: Ref | None) -> tuple[str, int]:
    if about is None or about.kind not in _ENTITIES:
        cannot("bitrix24", "write a comment or a to-do without a card")
    return _ENTITIES[about.kind], int(about.id)


def _fields(kind: Kind, values: Mapping[str, Any]) -> dict[str, Any]:
    """Our fields in the vendor's words. Raises ConfigError for what nobody sets by hand here."""
    fields: dict[str, Any] = {}
    for name, value in values.items():
        if value is None:
            continue
        if name == "name":
            fields |= _named(kind, value)
        elif name in _WORDS:
            fields |= _WORDS[name](value)
        else:
            cannot("bitrix24", f"set {name} of a {kind.value}")
    return fields


def _named(kind: Kind, name: str) -> Mapping[str, Any]:
    if kind is not Kind.CONTACT:
        return {"title": name}
    first, _, last = name.partition(" ")
    return {"name": first, "last_name": last}


_WORDS: Mapping[str, Callable[[Any], Mapping[str, Any]]] = {
    "title": lambda title: {"title": title},
    "first_name": lambda name: {"name": name},
    "last_name": lambda name: {"last_name": name},
    "amount": lambda money: {"amount": str(money.amount), "CURRENCY_ID": money.currency},
    "stage": lambda stage: {"stage": stage.stage_id, "category": int(stage.pipeline_id)},
    "owner_id": lambda user: {"owner": int(user)},
    "phones": lambda phones: {"phones": [phone.raw for phone in phones]},
    "emails": lambda emails: {"emails": [email.value for email in emails]},
    "contacts": lambda refs: {"contacts": [int(ref.id) for ref in refs]},
    "company": lambda ref: {"company": int(ref.id)},
    "custom": lambda changes: {"custom_fields": {one.field.title: _plain(one.value) for one in changes}},
}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
