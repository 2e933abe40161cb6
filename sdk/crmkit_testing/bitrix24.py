"""The emulated Bitrix24 as the vendor's side of a bench."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from crmkit.adapter import Adapter
from crmkit.errors import ConfigError
from crmkit.models import CallStatus, Company, Contact, Deal, Direction, Lead, Note, Record, StageRef, Task
from crmkit.testing.world import START
from crmkit.values import Kind, Ref
from crmkit_sandbox import Sandbox
from crmkit_testing.side import ACCOUNT

_ENTITIES: Mapping[Kind, str] = {
    Kind.DEAL: "deal",
    Kind.CONTACT: "contact",
    Kind.COMPANY: "company",
    Kind.LEAD: "lead",
}
_DIRECTIONS: Mapping[Direction, str] = {Direction.OUT: "out", Direction.CALLBACK: "callback"}


class Bitrix24Side:
    """One portal of the emulated Bitrix24, over real HTTP, with an application in it; its clock stands still."""

    vendor = "bitrix24"

    def __init__(self) -> None:
        self.sandbox = Sandbox(("bitrix24",))
        self.portal = self.sandbox.bitrix24
        self.sandbox.clock.freeze(START.timestamp())
        self.adapters: Mapping[str, Adapter] = {}

    def open(self) -> None:
        """Serve on 127.0.0.1."""
        self.sandbox.start()

    def close(self) -> None:
        """Stop serving."""
        self.sandbox.stop()

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

    def now(self) -> datetime:
        """The sandbox's time."""
        return datetime.fromtimestamp(self.sandbox.clock.now(), UTC)

    def turn(self, seconds: float) -> None:
        """Turn the sandbox's time on."""
        self.sandbox.clock.advance(seconds)

    def seed(self) -> None:
        """Contacts, companies, deals and to-dos of a small business."""
        self.portal.seed()

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
            return _ref(Kind.TASK, self._add_todo(values, hooks=hooks))
        if isinstance(record, Note):
            kind, number = _card(record.about)
            return _ref(Kind.NOTE, self.portal.add_comment(kind, number, record.text, hooks=hooks))
        add: Mapping[type[Record], Callable[..., int]] = {
            Deal: self.portal.add_deal,
            Contact: self.portal.add_contact,
            Company: self.portal.add_company,
            Lead: self.portal.add_lead,
        }
        if type(record) not in add:
            raise _cannot(f"add a {record.ref.kind.value}")
        return _ref(record.ref.kind, add[type(record)](hooks=hooks, **_fields(record.ref.kind, values)))

    def change(self, ref: Ref, values: Mapping[str, Any], *, hooks: bool) -> None:
        """Change a card, drag a deal, complete a to-do."""
        rest = dict(values)
        if ref.kind is Kind.TASK:
            if set(rest) - {"is_done", "result"}:
                raise _cannot("change a to-do but for completing it")
            self.portal.complete_todo(int(ref.id), hooks=hooks)
            return
        stage = rest.pop("stage", None)
        change: Mapping[Kind, Callable[..., None]] = {
            Kind.DEAL: self.portal.update_deal,
            Kind.CONTACT: self.portal.update_contact,
            Kind.COMPANY: self.portal.update_company,
            Kind.LEAD: self.portal.update_lead,
        }
        if ref.kind not in change:
            raise _cannot(f"change a {ref.kind.value}")
        if stage is not None:
            self.portal.move_deal(int(ref.id), stage.stage_id, int(stage.pipeline_id), hooks=hooks)
        if rest:
            change[ref.kind](int(ref.id), hooks=hooks, **_fields(ref.kind, rest))

    def delete(self, ref: Ref, *, hooks: bool) -> None:
        """Throw a record away."""
        delete: Mapping[Kind, Callable[..., None]] = {
            Kind.DEAL: self.portal.delete_deal,
            Kind.CONTACT: self.portal.delete_contact,
            Kind.COMPANY: self.portal.delete_company,
            Kind.LEAD: self.portal.delete_lead,
            Kind.TASK: self.portal.delete_todo,
        }
        if ref.kind not in delete:
            raise _cannot(f"delete a {ref.kind.value}")
        delete[ref.kind](int(ref.id), hooks=hooks)

    def call(
        self, contact: Ref, phone: str, *, direction: Direction, status: CallStatus, talk_s: int, hooks: bool
    ) -> None:
        """A call through the portal's telephony; it lands at whoever has the phone."""
        duration = talk_s if status is CallStatus.ANSWERED else 0
        self.portal.call(phone, direction=_DIRECTIONS.get(direction, "in"), duration=duration, hooks=hooks)

    def lose_next_hooks(self, count: int) -> None:
        """Lose events."""
        self.portal.drop_next_hooks(count)

    def repeat_next_hook(self, times: int) -> None:
        """Double an event."""
        self.portal.repeat_next_hook(times - 1)

    def fail_next(self, status: int, times: int, method: str | None, path: str | None) -> None:
        """Plan a fault."""
        self.sandbox.faults.add(vendor=self.vendor, method=method, path=path, status=status, times=times)

    def down(self, is_down: bool) -> None:
        """Answer 502 to everything, or stop doing so."""
        self.sandbox.faults.down(self.vendor, is_down)

    def deliver(self) -> int:
        """Wait for the sandbox's couriers."""
        if not self.sandbox.settle(10.0):
            raise TimeoutError("the emulator's events were not delivered within ten seconds")
        return len(self.portal.deliveries)

    def requests(self) -> int:
        """Calls of the API, refused ones included."""
        return len(self.portal.requests)

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


def _ref(kind: Kind, id_: int) -> Ref:
    return Ref(ACCOUNT, kind, str(id_))


def _card(about: Ref | None) -> tuple[str, int]:
    if about is None or about.kind not in _ENTITIES:
        raise _cannot("write a comment or a to-do without a card")
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
            raise _cannot(f"set {name} of a {kind.value}")
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


def _cannot(what: str) -> ConfigError:
    return ConfigError(
        f"nobody can {what} by hand on the bench of bitrix24",
        vendor="bitrix24",
        remedy="Use bench.side.sandbox, or write it with bench.crm.",
    )
