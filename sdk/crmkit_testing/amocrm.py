"""The emulated amoCRM as the vendor's side of a bench."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from crmkit.adapter import Adapter
from crmkit.errors import ConfigError
from crmkit.models import CallStatus, Company, Contact, Deal, Direction, Note, Record, StageRef, Task
from crmkit.testing.world import START
from crmkit.values import Kind, Ref
from crmkit_sandbox import Sandbox
from crmkit_testing.side import ACCOUNT

_ENTITIES: Mapping[Kind, str] = {Kind.DEAL: "leads", Kind.CONTACT: "contacts", Kind.COMPANY: "companies"}
_CALL_STATUSES: Mapping[CallStatus, int] = {CallStatus.ANSWERED: 4, CallStatus.BUSY: 7, CallStatus.VOICEMAIL: 1}
_MISSED = 6


class AmoCrmSide:
    """One account of the emulated amoCRM, over real HTTP; its clock stands until somebody waits."""

    vendor = "amocrm"

    def __init__(self) -> None:
        self.sandbox = Sandbox(("amocrm",))
        self.amo = self.sandbox.amocrm
        self.sandbox.clock.freeze(START.timestamp())
        # Turned time passes for all at once: a call let go in one second may arrive in the next, and be refused. That
        # must not hold the account for the five minutes which the vendor asks for.
        self.amo.limits.retry_after = 1
        self.adapters: Mapping[str, Adapter] = {}

    def open(self) -> None:
        """Serve on 127.0.0.1."""
        self.sandbox.start()

    def close(self) -> None:
        """Stop serving."""
        self.sandbox.stop()

    def account_table(self) -> Mapping[str, Any]:
        """Vendor and address."""
        return {"vendor": self.vendor, "base_url": self.amo.base_url}

    def environment(self) -> Mapping[str, str]:
        """A long-lived token."""
        return {f"CRMKIT_{ACCOUNT.upper()}_TOKEN": self.amo.token}

    def now(self) -> datetime:
        """The sandbox's time."""
        return datetime.fromtimestamp(self.sandbox.clock.now(), UTC)

    def turn(self, seconds: float) -> None:
        """Turn the sandbox's time on."""
        self.sandbox.clock.advance(seconds)

    def seed(self) -> None:
        """Contacts, companies, leads and tasks of a small business."""
        self.amo.seed()

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
            return _ref(Kind.TASK, self.amo.add_task(fields.pop("text", ""), hooks=hooks, **fields))
        if isinstance(record, Note):
            entity, number = _card(record.about)
            return _ref(Kind.NOTE, f"{entity}.{self.amo.add_note(entity, number, record.text, hooks=hooks)}")
        add: Mapping[type[Record], Callable[..., int]] = {
            Deal: self.amo.add_lead,
            Contact: self.amo.add_contact,
            Company: self.amo.add_company,
        }
        if type(record) not in add:
            raise _cannot(f"add a {record.ref.kind.value}")
        return _ref(record.ref.kind, add[type(record)](hooks=hooks, **fields))

    def change(self, ref: Ref, values: Mapping[str, Any], *, hooks: bool) -> None:
        """Change a lead, contact, company or task."""
        change: Mapping[Kind, Callable[..., None]] = {
            Kind.DEAL: self.amo.update_lead,
            Kind.CONTACT: self.amo.update_contact,
            Kind.COMPANY: self.amo.update_company,
            Kind.TASK: self.amo.update_task,
        }
        if ref.kind not in change:
            raise _cannot(f"change a {ref.kind.value}")
        change[ref.kind](int(ref.id), hooks=hooks, **_fields(ref.kind, values))

    def delete(self, ref: Ref, *, hooks: bool) -> None:
        """Move a record to the bin."""
        delete: Mapping[Kind, Callable[..., None]] = {
            Kind.DEAL: self.amo.delete_lead,
            Kind.CONTACT: self.amo.delete_contact,
            Kind.COMPANY: self.amo.delete_company,
            Kind.TASK: self.amo.delete_task,
        }
        if ref.kind not in delete:
            raise _cannot(f"delete a {ref.kind.value}")
        delete[ref.kind](int(ref.id), hooks=hooks)

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

    def lose_next_hooks(self, count: int) -> None:
        """Lose deliveries."""
        self.amo.drop_next_hooks(count)

    def repeat_next_hook(self, times: int) -> None:
        """Double a delivery."""
        self.amo.repeat_next_hook(times - 1)

    def fail_next(self, status: int, times: int, method: str | None, path: str | None) -> None:
        """Plan a fault; a refusal by the limit asks for one second."""
        wait_s = 1 if status == 429 else None
        self.sandbox.faults.add(
            vendor=self.vendor, method=method, path=path, status=status, times=times, retry_after=wait_s
        )

    def down(self, is_down: bool) -> None:
        """Answer 502 to everything, or stop doing so."""
        self.sandbox.faults.down(self.vendor, is_down)

    def deliver(self) -> int:
        """Wait for the sandbox's couriers."""
        if not self.sandbox.settle(10.0):
            raise TimeoutError("the emulator's hooks were not delivered within ten seconds")
        return len(self.amo.deliveries)

    def requests(self) -> int:
        """Calls of the API, refused ones included."""
        return len(self.amo.requests)


def _ref(kind: Kind, id_: int | str) -> Ref:
    return Ref(ACCOUNT, kind, str(id_))


def _card(about: Ref | None) -> tuple[Any, int]:
    if about is None or about.kind not in _ENTITIES:
        raise _cannot("write a note or a task without a deal, contact or company")
    return _ENTITIES[about.kind], int(about.id)


def _fields(kind: Kind, values: Mapping[str, Any]) -> dict[str, Any]:
    """Our fields in the vendor's words. Raises ConfigError for what nobody sets by hand here."""
    fields: dict[str, Any] = {}
    for name, value in values.items():
        if value is None or (name == "about" and kind is not Kind.TASK):
            continue
        if name not in _WORDS:
            raise _cannot(f"set {name} of a {kind.value}")
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


def _cannot(what: str) -> ConfigError:
    return ConfigError(
        f"nobody can {what} by hand on the bench of amocrm",
        vendor="amocrm",
        remedy="Use bench.side.sandbox, or write it with bench.crm.",
    )
