"""The people of an emulated account, whatever the vendor: changes that no program of ours makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crmkit.errors import ConfigError
from crmkit.models import CallStatus, Contact, Deal, Direction, Email, Phone, Record, StageRef, Task
from crmkit.values import Money, Ref
from crmkit_testing.side import Side


class People:
    """Changes the account from outside; with `hooks=False` the CRM loses the delivery.

    Args:
        side: the account.
    """

    def __init__(self, side: Side) -> None:
        self._side = side

    def add(self, record: Record, *, hooks: bool = True) -> Ref:
        """Make a record; only the fields that were set count."""
        return self._side.add(record, hooks=hooks)

    def add_contact(
        self,
        name: str = "",
        *,
        phone: str | Sequence[str] = (),
        email: str | Sequence[str] = (),
        owner_id: str | None = None,
        hooks: bool = True,
    ) -> Ref:
        """Make a contact; several phones and e-mails keep their order."""
        values: dict[str, Any] = {
            "name": name,
            "phones": tuple(Phone(raw=raw) for raw in ([phone] if isinstance(phone, str) else phone)),
            "emails": tuple(Email(value=value) for value in ([email] if isinstance(email, str) else email)),
            "owner_id": owner_id,
        }
        return self.add(Contact.model_validate(_given(values)), hooks=hooks)

    def add_deal(
        self,
        title: str = "",
        *,
        contact: Ref | None = None,
        stage: str | StageRef | None = None,
        amount: Money | None = None,
        owner_id: str | None = None,
        hooks: bool = True,
    ) -> Ref:
        """Make a deal; `stage` may be the name of a stage of the main pipeline."""
        values: dict[str, Any] = {
            "title": title,
            "contacts": (contact,) if contact else (),
            "stage": self.stage(stage) if isinstance(stage, str) else stage,
            "amount": amount,
            "owner_id": owner_id,
        }
        return self.add(Deal.model_validate(_given(values)), hooks=hooks)

    def add_task(self, text: str, *, about: Ref, due: datetime | None = None, hooks: bool = True) -> Ref:
        """Make a task on a card; due in a day when nobody says."""
        return self.add(Task.model_validate(_given({"text": text, "about": about, "due": due})), hooks=hooks)

    def change(self, ref: Ref, values: Mapping[str, Any], *, hooks: bool = True) -> None:
        """Change fields of a record: the keys of its kind's `...Changes`."""
        self._side.change(ref, values, hooks=hooks)

    def move_deal(self, ref: Ref, stage: str | StageRef, *, hooks: bool = True) -> None:
        """Move a deal; a text is the name of a stage of the main pipeline."""
        self.change(ref, {"stage": self.stage(stage) if isinstance(stage, str) else stage}, hooks=hooks)

    def complete(self, ref: Ref, result: str = "сделано", *, hooks: bool = True) -> None:
        """Do a task."""
        self.change(ref, {"is_done": True, "result": result}, hooks=hooks)

    def delete(self, ref: Ref, *, hooks: bool = True) -> None:
        """Throw a record away."""
        self._side.delete(ref, hooks=hooks)

    def called(
        self,
        contact: Ref,
        phone: str,
        *,
        status: CallStatus = CallStatus.ANSWERED,
        direction: Direction = Direction.IN,
        talk_s: int = 60,
        hooks: bool = True,
    ) -> None:
        """Enter a call that the CRM's own telephony saw."""
        talked_s = talk_s if status is CallStatus.ANSWERED else 0
        self._side.call(contact, phone, direction=direction, status=status, talk_s=talked_s, hooks=hooks)

    def missed_call(self, contact: Ref, phone: str, *, hooks: bool = True) -> None:
        """Enter a client's call that nobody answered."""
        self.called(contact, phone, status=CallStatus.MISSED, hooks=hooks)

    def stage(self, name: str) -> StageRef:
        """The stage of the main pipeline with that name. Raises ConfigError naming the stages there are."""
        stages = self._side.stages()
        if name not in stages:
            raise ConfigError(f"there is no stage {name!r}", remedy=f"There are: {', '.join(stages)}.")
        return stages[name]


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that were given: what is left out is the CRM's to decide."""
    return {name: value for name, value in values.items() if value is not None and value != ()}
