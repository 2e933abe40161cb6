"""What people do in the web interface: each act changes records, writes history and fires triggers."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from crmkit_sandbox.wire import Row

from . import changes, combine, corporate, customers, notes, orders, tasks
from .account import Account, Actor, Kind
from .hooks import Hooks
from .order_lines import payment, settle
from .problems import ProblemError
from .schema import read
from .telephony import SCHEMA as CALL
from .telephony import store

DIRECTIONS = {"in": "in", "inbound": "in", "out": "out", "outbound": "out"}
MAIN_SITE = "main"


class Person:
    """Acts of people. `by` is the acting user (the first if left out); `hooks=False` fires no trigger of the act.

    Fields are written as the API takes them, and shorter: `phones=["+7..."]`, `tags=["a"]`, `customer=id`,
    `items=[("Чайник", 1990, 2)]`. An act for the site `main` unless `site=` names another.

    Raises ValueError with the vendor's refusal, KeyError for an unknown record.
    """

    def __init__(self, account: Account, hook_sender: Hooks) -> None:
        self.account = account
        self.hook_sender = hook_sender

    def add_customer(self, *, site: str = MAIN_SITE, by: int | None = None, hooks: bool = True, **fields: Any) -> int:
        """The id of a new person."""
        with self._acting(by, hooks):
            return int(customers.create(self.account, _person(fields), site, [])["id"])

    def update_customer(self, customer_id: int, *, by: int | None = None, hooks: bool = True, **fields: Any) -> None:
        """Change a person."""
        with self._acting(by, hooks):
            customers.update(self.account, self._known("customers", customer_id), _person(fields), [])

    def delete_customer(self, customer_id: int, *, by: int | None = None, hooks: bool = True) -> None:
        """Delete a person."""
        self._delete("customers", customer_id, by, hooks)

    def add_corporate(
        self,
        *,
        companies: Sequence[Row] = (),
        contacts: Sequence[int] = (),
        addresses: Sequence[Row] = (),
        site: str = MAIN_SITE,
        by: int | None = None,
        hooks: bool = True,
        **fields: Any,
    ) -> int:
        """The id of a new corporate customer; `nickName` is its name, `contacts` are ids of people."""
        parts = {"companies": list(companies), "addresses": list(addresses)}
        people = [{"customer": {"id": one}} for one in contacts]
        with self._acting(by, hooks):
            given = {**_person(fields), **parts, "customerContacts": people}
            return int(corporate.create(self.account, given, site, [])["id"])

    def update_corporate(self, corporate_id: int, *, by: int | None = None, hooks: bool = True, **fields: Any) -> None:
        """Change a corporate customer."""
        with self._acting(by, hooks):
            corporate.update(self.account, self._known("corporate", corporate_id), _person(fields), [])

    def add_company(
        self, corporate_id: int, name: str, *, by: int | None = None, hooks: bool = True, **fields: Any
    ) -> int:
        """The id of a new legal entity of a corporate customer."""
        return self._add_part("companies", corporate_id, {"name": name, **fields}, by, hooks)

    def add_corporate_contact(
        self, corporate_id: int, customer_id: int, *, is_main: bool = False, by: int | None = None, hooks: bool = True
    ) -> int:
        """The id of a person's place among the contacts of a corporate customer."""
        given = {"customer": {"id": customer_id}, **({"isMain": True} if is_main else {})}
        return self._add_part("contacts", corporate_id, given, by, hooks)

    def add_order(self, *, site: str = MAIN_SITE, by: int | None = None, hooks: bool = True, **fields: Any) -> int:
        """The id of a new order."""
        with self._acting(by, hooks):
            return int(orders.create(self.account, _order(fields), site, [])["id"])

    def update_order(self, order_id: int, *, by: int | None = None, hooks: bool = True, **fields: Any) -> None:
        """Change an order."""
        with self._acting(by, hooks):
            orders.update(self.account, self._known("orders", order_id), _order(fields), [])

    def set_status(self, order_id: int, status: str, *, by: int | None = None, hooks: bool = True) -> None:
        """Move an order to another status."""
        self.update_order(order_id, status=status, by=by, hooks=hooks)

    def delete_order(self, order_id: int, *, by: int | None = None, hooks: bool = True) -> None:
        """Delete an order."""
        self._delete("orders", order_id, by, hooks)

    def add_payment(
        self,
        order_id: int,
        amount: float,
        *,
        type: str = "bank-card",  # noqa: A002  the vendor's name
        status: str = "paid",
        by: int | None = None,
        hooks: bool = True,
    ) -> int:
        """The id of a new payment of an order."""
        with self._acting(by, hooks):
            row = self._known("orders", order_id)
            made = payment(self.account, None, {"type": type, "status": status, "amount": amount}, [])
            after = settle(self.account, {**row, "payments": [*row["payments"], made]})
            changes.change(self.account, "orders", row, after)
            return int(made["id"])

    def combine_orders(
        self, winner: int, loser: int, *, technique: str = "ours", by: int | None = None, hooks: bool = True
    ) -> None:
        """Merge one order into another."""
        with self._acting(by, hooks):
            combine.orders(self.account, self._known("orders", winner), self._known("orders", loser), technique)

    def combine_customers(
        self, winner: int, losers: Sequence[int], *, by: int | None = None, hooks: bool = True
    ) -> None:
        """Queue a merge of people into `winner`; it is made when the account's delay has passed."""
        with self._acting(by, hooks):
            for one in (winner, *losers):
                self._known("customers", one)
            combine.queue(self.account, "customers", winner, list(losers))

    def add_task(
        self,
        text: str,
        *,
        performer: int | None = None,
        customer: int | None = None,
        order: int | None = None,
        by: int | None = None,
        hooks: bool = True,
        **fields: Any,
    ) -> int:
        """The id of a new task, due in a day unless `datetime` says when."""
        with self._acting(by, hooks):
            due = self.account.moment(self.account.now() + 86_400)[:16]
            links = {name: {"id": one} for name, one in (("customer", customer), ("order", order)) if one is not None}
            given = {"text": text, "performerId": performer or self.first_user, "datetime": due, **links, **fields}
            return int(tasks.create(self.account, given, None, [])["id"])

    def update_task(self, task_id: int, *, by: int | None = None, hooks: bool = True, **fields: Any) -> None:
        """Change a task."""
        with self._acting(by, hooks):
            tasks.update(self.account, self._known("tasks", task_id), fields, None, [])

    def complete_task(self, task_id: int, *, by: int | None = None, hooks: bool = True) -> None:
        """Close a task."""
        self.update_task(task_id, complete=True, by=by, hooks=hooks)

    def comment_task(self, task_id: int, text: str, *, by: int | None = None) -> int:
        """The id of a new comment under a task."""
        with self._acting(by, False):
            self._known("tasks", task_id)
            comment_id, now = self.account.take_id("comments"), self.account.moment()
            head = {"id": comment_id, "task": task_id, "creator": self.account.actor.user_id, "text": text}
            self.account.shelves["comments"][comment_id] = {**head, "createdAt": now, "updatedAt": now}
            return comment_id

    def add_note(self, customer_id: int, text: str, *, by: int | None = None) -> int:
        """The id of a new note of a person or a corporate customer."""
        with self._acting(by, False):
            kind: Kind = "customers" if self.account.tables["customers"].live(customer_id) else "corporate"
            return int(notes.create(self.account, kind, {"text": text, "customer": {"id": customer_id}}, None)["id"])

    def call(
        self,
        phone: str,
        *,
        direction: str = "in",
        duration: int = 60,
        result: str | None = None,
        code: str | None = None,
        external_id: str | None = None,
        hooks: bool = True,
        **more: Any,
    ) -> int:
        """The id of a finished call that telephony stores; a `duration` of 0 is a missed one. Calls fire no trigger."""
        given = {
            "date": self.account.moment(),
            "type": DIRECTIONS[direction],
            "phone": phone,
            "result": result or ("answered" if duration else "no answer"),
            "duration": duration,
            "code": code,
            "externalId": external_id or f"call-{self.account.ids.take('call_names', start=1)}",
            **more,
        }
        with self._acting(None, hooks):
            row = store(self.account, read("call", given, CALL, []))
            if row is None:
                raise ValueError(f"a call with externalId={external_id} is stored already")
            return int(row["id"])

    def set_user_status(self, user_id: int, status: str) -> None:
        """Switch a user between free, busy, dinner and break; active telephony modules are told."""
        with self._acting(user_id, True):
            users = self.account.shelves["users"]
            users[user_id] = {**users[user_id], "status": status}
            self._call_modules("changeUserStatusUrl", "POST", user_id, {"status": status})

    def switch_user(self, user_id: int, *, active: bool) -> None:
        """Let a user go, or take one back; records keep the id."""
        with self.account.world.lock:
            users = self.account.shelves["users"]
            users[user_id] = {**users[user_id], "active": active}

    def make_call(self, user_id: int, phone: str) -> None:
        """Click a phone: active telephony modules are asked to dial."""
        with self._acting(user_id, True):
            self._call_modules("makeCallUrl", "GET", user_id, {"phone": phone})

    def switch_module(self, code: str, *, active: bool, freeze: bool = False) -> None:
        """Switch a module on or off, or freeze it as unpaid; its `activity` action is called."""
        with self._acting(None, True):
            shelf = self.account.shelves["modules"]
            module = shelf[code] = {**shelf[code], "active": active, "freeze": freeze}
            path = (module["actions"] or {}).get("activity")
            if path:
                state = json.dumps({"active": active, "freeze": freeze}, separators=(",", ":"))
                values = {"clientId": module["clientId"], "activity": state, "systemUrl": self._system_url()}
                self.hook_sender.send("activity", _joined(module["baseUrl"], path), "POST", values)

    def add_trigger(
        self,
        event: str,
        url: str,
        *,
        method: str = "POST",
        parameters: Mapping[str, str] | None = None,
        fields: Sequence[str] = (),
    ) -> int:
        """The id of a new trigger, as an administrator types it.

        `event` is an entity and `create`, `change` or `delete`, such as `order.change`; `fields` narrow a change down
        to fields as the history names them. `parameters` hold templates such as `{{ order.getId() }}`; left out, the
        usual ones are sent.
        """
        with self.account.world.lock:
            return self.hook_sender.add(event, url, method=method, parameters=parameters, fields=fields)

    def remove_trigger(self, trigger_id: int) -> None:
        """Take a trigger away."""
        with self.account.world.lock:
            del self.account.shelves["triggers"][trigger_id]

    @property
    def first_user(self) -> int:
        """The user who acts when nobody is named."""
        return int(next(iter(self.account.shelves["users"])))

    def _system_url(self) -> str:
        return f"https://{self.account.name}.retailcrm.ru"

    def _call_modules(self, name: str, method: str, user_id: int, values: Mapping[str, str]) -> None:
        for module in self.account.shelves["modules"].values():
            telephony = (module.get("integrations") or {}).get("telephony") or {}
            if not module["active"] or not telephony.get(name):
                continue
            codes = [one["code"] for one in telephony.get("additionalCodes") or () if one["userId"] == user_id]
            head = {"clientId": module["clientId"], "code": str(codes[0]) if codes else "", "userId": str(user_id)}
            self.hook_sender.send(name, _joined(module["baseUrl"], telephony[name]), method, {**head, **values})

    @contextmanager
    def _acting(self, by: int | None, hooks: bool) -> Iterator[None]:
        combine.catch_up(self.account)
        with self.account.acting(Actor("user", user_id=self.first_user if by is None else by, sends_hooks=hooks)):
            try:
                yield
            except ProblemError as error:
                raise ValueError(str(error)) from None

    def _known(self, kind: Kind, row_id: int) -> Row:
        row = self.account.tables[kind].live(row_id)
        if row is None:
            raise KeyError(f"no {kind} {row_id} in account {self.account.name}")
        return row

    def _delete(self, kind: Kind, row_id: int, by: int | None, hooks: bool) -> None:
        with self._acting(by, hooks):
            changes.delete(self.account, kind, self._known(kind, row_id))

    def _add_part(self, shelf: str, corporate_id: int, given: Row, by: int | None, hooks: bool) -> int:
        with self._acting(by, hooks):
            row = self._known("corporate", corporate_id)
            after = corporate.with_part(self.account, row, shelf, given, None, [])
            corporate.enlist(self.account, changes.change(self.account, "corporate", row, after))
            return int(after[corporate.SHELVES[shelf][1]][-1]["id"])


def _person(fields: Mapping[str, Any]) -> Row:
    given = dict(fields)
    if "phones" in given:
        given["phones"] = [{"number": one} if isinstance(one, str) else one for one in given["phones"]]
    if "tags" in given:
        given["addTags"] = given.pop("tags")
    return given


def _order(fields: Mapping[str, Any]) -> Row:
    given = dict(fields)
    for name in ("customer", "contact", "company"):
        if isinstance(given.get(name), int):
            given[name] = {"id": given[name]}
    if "items" in given:
        given["items"] = [_line(one) for one in given["items"]]
    return given


def _line(item: Any) -> Row:
    if isinstance(item, dict):
        return item
    name, price, quantity = item
    return {"productName": name, "initialPrice": price, "quantity": quantity}


def _joined(base: str, path: str) -> str:
    return path if path.startswith(("http://", "https://")) else f"{base.rstrip('/')}/{path.lstrip('/')}"
