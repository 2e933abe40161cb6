"""The memory CRM as the vendor's side of a bench; its hooks go over HTTP like everybody's."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from crmkit.adapter import Adapter
from crmkit.errors import AuthError, CrmKitError, RateLimited, VendorDown
from crmkit.models import CallStatus, Contact, Deal, Direction, Phone, Pipeline, Record, StageRef, User
from crmkit.testing import Hook, MemoryCrm
from crmkit.values import Money, Ref
from crmkit.write import Verb
from crmkit_testing.side import ACCOUNT

_VERBS: Mapping[str, tuple[Verb, ...]] = {
    "POST": (Verb.CREATE, Verb.LINK),
    "PATCH": (Verb.UPDATE,),
    "DELETE": (Verb.DELETE,),
}


class MemorySide:
    """One account of the memory CRM."""

    vendor = "memory"

    def __init__(self) -> None:
        self.memory = MemoryCrm(ACCOUNT)
        self.adapters: Mapping[str, Adapter] = {self.vendor: self.memory.adapter}
        self._lost = 0
        self._copies = 1
        self._delivered = 0

    def open(self) -> None:
        """Nothing is to be started."""

    def close(self) -> None:
        """Nothing is to be stopped."""

    def account_table(self) -> Mapping[str, Any]:
        """Vendor and address."""
        return {"vendor": self.vendor, "base_url": f"memory://{ACCOUNT}"}

    def environment(self) -> Mapping[str, str]:
        """It has no secrets."""
        return {}

    def now(self) -> datetime:
        """The world's time."""
        return self.memory.world.clock.now()

    def turn(self, seconds: float) -> None:
        """Turn the world's time on."""
        self.memory.advance(timedelta(seconds=seconds))

    def seed(self) -> None:
        """Three people with a deal each."""
        people = self.memory.seed(
            *(
                Contact(name=name, phones=(Phone(raw=phone),), owner_id=owner)
                for name, phone, owner in (
                    ("Пётр Иваненко", "+79123456701", "1"),
                    ("Ольга Соболь", "8 (912) 345-67-02", "2"),
                    ("Руслан Белых", "+7 912 345 6703", "3"),
                )
            )
        )
        deals = (
            Deal(title=f"Ремонт офиса №{place}", contacts=(ref,), amount=Money(Decimal(place * 1000), "RUB"))
            for place, ref in enumerate(people, start=1)
        )
        self.memory.seed(*deals)

    def stages(self) -> Mapping[str, StageRef]:
        """The stages of the main pipeline."""
        main = next(pipeline for pipeline in self._state.all(Pipeline) if pipeline.is_main)
        return {stage.name: stage.ref for stage in main.stages}

    def user_ids(self) -> tuple[str, ...]:
        """Ids of the active users."""
        return tuple(user.ref.id for user in self._state.all(User) if user.is_active)

    def add(self, record: Record, *, hooks: bool) -> Ref:
        """Make a record."""
        return self.memory.person.add(record, hooks=hooks)

    def change(self, ref: Ref, values: Mapping[str, Any], *, hooks: bool) -> None:
        """Change a record."""
        self.memory.person.change(ref, values, hooks=hooks)

    def delete(self, ref: Ref, *, hooks: bool) -> None:
        """Throw a record away."""
        self.memory.person.delete(ref, hooks=hooks)

    def call(
        self, contact: Ref, phone: str, *, direction: Direction, status: CallStatus, talk_s: int, hooks: bool
    ) -> None:
        """Enter a call."""
        self.memory.person.called(
            phone, status=status, direction=direction, talk_s=talk_s, contact=contact, hooks=hooks
        )

    def lose_next_hooks(self, count: int) -> None:
        """Lose deliveries."""
        self._lost = count

    def repeat_next_hook(self, times: int) -> None:
        """Double a delivery."""
        self._copies = times

    def fail_next(self, status: int, times: int, method: str | None, path: str | None) -> None:
        """Plan a fault; the memory CRM has no paths, so all of them are meant."""
        for verb in _VERBS.get(method or "", (None,)):
            self.memory.world.fail_next(_error(status), times, verb)

    def down(self, is_down: bool) -> None:
        """Answer nothing, or answer again."""
        self.memory.world.heal()
        if is_down:
            self.memory.world.down()

    def deliver(self) -> int:
        """Post what waits to the address that was subscribed."""
        for hook in self.memory.world.take_hooks(ACCOUNT):
            if self._lost > 0:
                self._lost -= 1
                continue
            copies, self._copies = self._copies, 1
            for _ in range(copies):
                self._post(hook)
        return self._delivered

    def requests(self) -> int:
        """Calls, refused ones included."""
        return len(self.memory.world.asked)

    @property
    def _state(self) -> Any:
        return self.memory.world.account(ACCOUNT)

    def _post(self, hook: Hook) -> None:
        subscription = self.memory.world.account(ACCOUNT).subscription
        if subscription is None:
            return
        address = urlsplit(subscription)
        connection = http.client.HTTPConnection(address.netloc, timeout=10)
        try:
            connection.request("POST", address.path, hook.request.body, dict(hook.request.headers))
            connection.getresponse().read()
        finally:
            connection.close()
        self._delivered += 1


def _error(status: int) -> CrmKitError:
    if status == 429:
        return RateLimited("too many requests", retry_after_s=1.0, account=ACCOUNT, vendor="memory", status=status)
    if status == 401:
        return AuthError("refused", account=ACCOUNT, vendor="memory", status=status, remedy="Authorise again.")
    return VendorDown("away", account=ACCOUNT, vendor="memory", status=status)
