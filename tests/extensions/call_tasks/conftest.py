"""An account with a client, and telephones that ring."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from crmkit.crm import Crm
from crmkit.events import CallFinished, TimerFired
from crmkit.models import Call, CallStatus, Contact, Deal, Direction, Note, Phone, Record, Task
from crmkit.testing import MemoryCrm, Outcome, run
from crmkit.values import Kind, Ref
from crmkit_call_tasks import CallTaskSettings, call_tasks

NUMBER = "+79161230001"


class Office:
    """One account of the memory CRM, and an outside telephony that tells of its calls.

    `language` is what the service speaks.
    """

    def __init__(self, language: str = "ru") -> None:
        self.memory = MemoryCrm()
        self.memory.world.has_native_keys = True
        self.language = language
        self.settings = CallTaskSettings()
        self._calls = 0

    @property
    def crm(self) -> Crm:
        return self.memory.crm

    @property
    def now(self) -> datetime:
        return self.memory.world.clock.now()

    def all(self, kind: type[Record]) -> Sequence[Any]:
        return list(self.memory.world.account("acme").all(kind))

    @property
    def tasks(self) -> Sequence[Task]:
        return self.all(Task)

    def advance(self, **by: float) -> None:
        self.memory.advance(timedelta(**by))

    def client(self, phone: str = NUMBER, name: str = "Иван Петров", owner_id: str = "2") -> Ref:
        [ref] = self.memory.seed(
            Contact(name=name, phones=(Phone(raw=phone, e164=phone),), owner_id=owner_id),
        )
        return ref

    def deal(self, contact: Ref, owner_id: str = "3", **more: Any) -> Ref:
        [ref] = self.memory.seed(Deal(title="Окна", contacts=(contact,), owner_id=owner_id, **more))
        return ref

    def call(
        self,
        status: CallStatus = CallStatus.MISSED,
        *,
        phone: str | None = NUMBER,
        talk_s: int = 0,
        wait_s: int = 20,
        provider: str = "ringostat",
        id_: str | None = None,
        **more: Any,
    ) -> Call:
        self._calls += 1
        number = Phone(raw=phone, e164=phone if phone.startswith("+") else None) if phone else None
        return Call(
            ref=Ref("acme", Kind.CALL, id_ or f"{provider}:{self._calls}"),
            provider=provider,
            status=status,
            phone=number,
            talk_s=talk_s,
            wait_s=wait_s,
            started_at=self.now,
            **{"direction": Direction.IN, **more},
        )

    def hear(self, call: Call) -> Outcome:
        event = CallFinished(ref=call.ref, occurred_at=self.now, call=call)
        return run(call_tasks, event, self.memory, settings=self.settings, language=self.language)

    def missed(self, **more: Any) -> Outcome:
        return self.hear(self.call(**more))

    def answered(self, talk_s: int = 60, **more: Any) -> Outcome:
        return self.hear(self.call(CallStatus.ANSWERED, talk_s=talk_s, **more))

    def ring_out(self, **more: Any) -> Outcome:
        return self.hear(self.call(direction=Direction.OUT, **more))

    def fire(self, outcome: Outcome) -> Outcome:
        """Turn the clock to the one timer and let it fire."""
        [((ref, key), at)] = outcome.timers.items()
        assert ref is not None
        self.memory.advance(max(timedelta(0), at - self.now))
        self.memory.desk(call_tasks.name).timers.clear()
        event = TimerFired(ref=ref, occurred_at=self.now, key=key)
        return run(call_tasks, event, self.memory, settings=self.settings, language=self.language)

    def notes(self) -> list[str]:
        return [note.text for note in self.all(Note)]


@pytest.fixture
def office() -> Office:
    return Office()
