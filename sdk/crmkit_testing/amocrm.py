"""The emulated amoCRM as the vendor's side of a bench."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from crmkit.models import CallStatus, Direction, Note, Record, StageRef, Task
from crmkit.values import Kind, Ref
from crmkit_sandbox import Sandbox
from crmkit_testing.emulated import EmulatedSide, cannot, new_ref
from crmkit_testing.side import ACCOUNT

_ENTITIES: Mapping[Kind, str] = {Kind.DEAL: "leads", Kind.CONTACT: "contacts", Kind.COMPANY: "companies"}
_CALL_STATUSES: Mapping[CallStatus, int] = {CallStatus.ANSWERED: 4, CallStatus.BUSY: 7, CallStatus.VOICEMAIL: 1}
_MISSED = 6


class AmoCrmSide(EmulatedSide):
    """One account of the emulated amoCRM, over real HTTP; its clock stands until somebody waits."""

    def __init__(self) -> None:
        sandbox = Sandbox(("amocrm",))
        self.amo = sandbox.amocrm
        deletes: Mapping[Kind, Callable[..., None]] = {
            Kind.DEAL: self.amo.delete_lead,
            Kind.CONTACT: self.amo.delete_contact,
            Kind.COMPANY: self.amo.delete_company,
            Kind.TASK: self.amo.delete_task,
        }
        super().__init__(sandbox, self.amo, deletes)
        # Turned time passes for all at once: a call let go in one second may arrive in the next, and be refused. That
        # must not hold the account for the five minutes which the vendor asks for.
        self.amo.limits.retry_after = 1

    def account_table(self) -> Mapping[str, Any]:
        """Vendor and address."""
        return {"vendor": self.vendor, "base_url": self.amo.base_url}

    def environment(self) -> Mapping[str, str]:
        """A long-lived token."""
        return {f"CRMKIT_{ACCOUNT.upper()}_TOKEN": self.amo.token}

    def stages(self) -> Mapping[str, StageRef]:
        """The statuses of the main pipeline, without the incoming one."""
        pipeline = self.amo.account.main_pipeline
        return {
            status["name"]: StageRef(pipeline_id=str(pipeline["id"]), stage_id=str(status["id"]))
            for status in pipeline["statuses"]
            if status["type"] == 0
        }

    def user_ids(self) -> tuple[str, ...]:
        """Ids of the users."""
        return tuple(str(user["id"]) for user in self.amo.users)

    def add(self, record: Record, *, hooks: bool) -> Ref:
        """Make a lead, contact, company, task or note."""
        fields = _fields(record.ref.kind, {name: getattr(record, name) for name in record.model_fields_set})
        if isinstance(record, Task):
            return new_ref(Kind.TASK, self.amo.add_task(fields.pop("text", ""), hooks=hooks, **fields))
        if isinstance(record, Note):
            entity, number = _card(record.about)
            return new_ref(Kind.NOTE, f"{entity}.{self.amo.add_note(entity, number, record.text, hooks=hooks)}")
        adds: Mapping[Kind, Callable[..., int]] = {
            Kind.DEAL: self.amo.add_lead,
            Kind.CONTACT: self.amo.add_contact,
            Kind.COMPANY: self.amo.add_company,
        }
        return new_ref(record.ref.kind, self._act("add", adds, record.ref.kind)(hooks=hooks, **fields))

    def change(self, ref: Ref, values: Mapping[str, Any], *, hooks: bool) -> None:
        """Change a lead, contact, company or task."""
        changes: Mapping[Kind, Callable[..., None]] = {
            Kind.DEAL: self.amo.update_lead,
            Kind.CONTACT: self.amo.update_contact,
            Kind.COMPANY: self.amo.update_company,
            Kind.TASK: self.amo.update_task,
        }
        self._act("change", changes, ref.kind)(int(ref.id), hooks=hooks, **_fields(ref.kind, values))

    def call(
        self, contact: Ref, phone: str, *, direction: Direction, status: CallStatus, talk_s: int, hooks: bool
    ) -> None:
        """Write a call note on the contact."""
        self.amo.add_call_note(
            "contacts",
            int(contact.id),
            direction="out" if direction is Direction.OUT else "in",
            phone=phone,
            duration=talk_s,
            call_status=_CALL_STATUSES.get(status, _MISSED),
            hooks=hooks,
        )


def _card(about: Ref | None) -> tuple[Any, int]:
    if about is None or about.kind not in _ENTITIES:
        cannot("amocrm", "write a note or a task without a deal, contact or company")
    return _ENTITIES[about.kind], int(about.id)


def _fields(kind: Kind, values: Mapping[str, Any]) -> dict[str, Any]:
    """Our fields in the vendor's words. Raises ConfigError for what nobody sets by hand here."""
    fields: dict[str, Any] = {}
    for name, value in values.items():
        if value is None or (name == "about" and kind is not Kind.TASK):
            continue
        if name not in _WORDS:
            cannot("amocrm", f"set {name} of a {kind.value}")
        fields |= _WORDS[name](value)
    return fields


_WORDS: Mapping[str, Callable[[Any], Mapping[str, Any]]] = {
    "name": lambda name: {"name": name},
    "title": lambda title: {"name": title},
    "text": lambda text: {"text": text},
    "amount": lambda money: {"price": int(money.amount)},
    "stage": lambda stage: {"status_id": int(stage.stage_id), "pipeline_id": int(stage.pipeline_id)},
    "owner_id": lambda user: {"responsible_user_id": int(user)},
    "phones": lambda phones: {"phones": [phone.raw for phone in phones]},
    "emails": lambda emails: {"emails": [email.value for email in emails]},
    "contacts": lambda refs: {"contacts": [int(ref.id) for ref in refs]},
    "company": lambda ref: {"company": int(ref.id)},
    "tags": lambda tags: {"tags": list(tags)},
    "custom": lambda changes: {"custom_fields": {one.field.title: _plain(one.value) for one in changes}},
    "due": lambda due: {"complete_till": int(due.timestamp())},
    "about": lambda ref: dict(zip(("entity_type", "entity_id"), _card(ref), strict=True)),
    "is_done": lambda is_done: {"is_completed": is_done},
    "result": lambda text: {"result": {"text": text}},
}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return int(value.timestamp())
    return list(value) if isinstance(value, tuple) else value
