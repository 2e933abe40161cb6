"""The demo's offices: the same clients in each emulated CRM, and what happens to them there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from crmkit_cli.redelivery import repeat_last
from crmkit_cli.ringostat import tell_call
from crmkit_sandbox import Sandbox

REFUSALS = 3
"""How many requests in a row are refused by the limit."""


class Shop(Protocol):
    """An emulated CRM with clients, by what the day's acts ask of it; `settings` are the account's own."""

    vendor: str
    title: str
    settings: Mapping[str, str]

    def add_client(self, name: str, phone: str, subject: str) -> None:
        """A client with an open deal, before the service looks."""

    def call(self, phone: str, duration: int, *, times: int = 1) -> None:
        """A client's call, told `times` times; 0 seconds are a missed one."""

    def lose(self, phone: str) -> None:
        """Something that deserves a task, of which the CRM tells nobody."""

    def refuse(self) -> None:
        """Answer the next requests as the limit does."""

    def tasks_for(self, phone: str) -> list[str]:
        """Texts of the tasks on the cards of whoever has the phone."""


def make_shop(sandbox: Sandbox, vendor: str, ringostat_url: Callable[[str], str]) -> Shop:
    """The vendor's shop; `ringostat_url` says where Ringostat tells the account's service of calls."""
    makers: Mapping[str, Callable[[], Shop]] = {
        "amocrm": lambda: AmoCrmShop(sandbox),
        "bitrix24": lambda: Bitrix24Shop(sandbox),
        "retailcrm": lambda: RetailCrmShop(sandbox, ringostat_url),
    }
    return makers[vendor]()


class AmoCrmShop:
    """amoCRM: calls are notes that telephony logs."""

    vendor, title = "amocrm", "amoCRM"
    settings: Mapping[str, str] = MappingProxyType({})

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._crm = sandbox.amocrm

    def add_client(self, name: str, phone: str, subject: str) -> None:
        """A contact with a lead."""
        contact = self._crm.add_contact(name=name, phones=[phone], hooks=False)
        self._crm.add_lead(name=subject, price=90_000, contacts=[contact], hooks=False)

    def call(self, phone: str, duration: int, *, times: int = 1) -> None:
        """A note of a call, and its hook."""
        self._crm.repeat_next_hook(times - 1)
        self._crm.call(phone, direction="in", duration=duration)

    def lose(self, phone: str) -> None:
        """A missed call without a hook."""
        self._crm.call(phone, direction="in", duration=0, hooks=False)

    def refuse(self) -> None:
        """429."""
        self._sandbox.faults.add(vendor=self.vendor, status=429, times=REFUSALS, retry_after=1)

    def tasks_for(self, phone: str) -> list[str]:
        """Tasks of the contact and of its leads."""
        people = {key for key, row in self._crm.contacts.items() if phone in str(row.get("custom_fields_values"))}
        deals = {
            key
            for key, row in self._crm.leads.items()
            if people & {contact["id"] for contact in row["_embedded"].get("contacts", [])}
        }
        on = {"contacts": people, "leads": deals}
        tasks = self._crm.tasks.values()
        return [task["text"] for task in tasks if task["entity_id"] in on.get(task["entity_type"] or "", ())]


class Bitrix24Shop:
    """Bitrix24: calls go through the portal's own telephony. Its plan is Enterprise: the day is short."""

    vendor, title = "bitrix24", "Bitrix24"
    settings: Mapping[str, str] = MappingProxyType({"plan": "enterprise"})

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._portal = sandbox.bitrix24
        self._portal.bucket.per_second, self._portal.bucket.burst = 5, 250

    def add_client(self, name: str, phone: str, subject: str) -> None:
        """A contact with a deal."""
        first, _, last = name.partition(" ")
        contact = self._portal.add_contact(name=first, last_name=last, phones=[phone], hooks=False)
        self._portal.add_deal(title=subject, amount="90000", contacts=[contact], hooks=False)

    def call(self, phone: str, duration: int, *, times: int = 1) -> None:
        """A call of the portal's telephony, and its events."""
        self._portal.call(phone, direction="in", duration=duration)
        if times > 1:
            repeat_last(self._sandbox.url, self.vendor, "ONVOXIMPLANTCALLEND", times - 1)

    def lose(self, phone: str) -> None:
        """A missed call without an event."""
        self._portal.call(phone, direction="in", duration=0, hooks=False)

    def refuse(self) -> None:
        """503: the bucket is full."""
        self._sandbox.faults.add(vendor=self.vendor, status=503, times=REFUSALS)

    def tasks_for(self, phone: str) -> list[str]:
        """To-dos of the contact, of its deals and leads."""
        people = _having(phone, self._portal.contacts)
        leads = _having(phone, self._portal.leads)
        deals = {key for key, row in self._portal.deals.items() if int(row.get("CONTACT_ID") or 0) in people}
        on: Mapping[str, Collection[int]] = {"1": leads, "2": deals, "3": people}
        return [
            row["SUBJECT"]
            for row in self._portal.activities.values()
            if row.get("PROVIDER_ID") == "CRM_TODO" and int(row["OWNER_ID"]) in on.get(str(row["OWNER_TYPE_ID"]), ())
        ]


class RetailCrmShop:
    """retailCRM: it has no list of calls, so calls are told by Ringostat."""

    vendor, title = "retailcrm", "retailCRM"
    settings: Mapping[str, str] = MappingProxyType({})

    def __init__(self, sandbox: Sandbox, ringostat_url: Callable[[str], str]) -> None:
        self._sandbox = sandbox
        self._crm = sandbox.retailcrm
        self._ringostat_url = ringostat_url

    def add_client(self, name: str, phone: str, subject: str) -> None:
        """A customer with an order."""
        first, _, last = name.partition(" ")
        customer = self._crm.add_customer(firstName=first, lastName=last, phones=[phone], hooks=False)
        self._crm.add_order(customer=customer, items=[(subject, 90_000, 1)], hooks=False)

    def call(self, phone: str, duration: int, *, times: int = 1) -> None:
        """A webhook of Ringostat."""
        tell_call(self._ringostat_url(self.vendor), phone, duration, times=times)

    def lose(self, phone: str) -> None:
        """A new order, whose trigger is lost."""
        [customer] = self._customers(phone)
        self._crm.add_order(customer=customer, items=[("Плитка", 12_000, 1)], hooks=False)

    def refuse(self) -> None:
        """503: too many requests of the key."""
        self._sandbox.faults.add(vendor=self.vendor, status=503, times=REFUSALS, retry_after=1)

    def tasks_for(self, phone: str) -> list[str]:
        """Tasks of the customer and of its orders."""
        people = set(self._customers(phone))
        return [row["text"] for row in self._crm.tasks.values() if self._person_of(row) in people]

    def _customers(self, phone: str) -> Sequence[int]:
        return [key for key, row in self._crm.customers.items() if phone in str(row.get("phones"))]

    def _person_of(self, task: Mapping[str, Any]) -> int | None:
        order = task.get("order")
        owner = self._crm.orders[order["id"]].get("customer") if order else task.get("customer")
        return int(owner["id"]) if owner else None


def _having(phone: str, rows: Mapping[int, Mapping[str, Any]]) -> set[int]:
    return {key for key, row in rows.items() if phone in str(row.get("PHONE"))}
