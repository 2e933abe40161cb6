"""The page for people: a board of orders, customers, tasks, calls and triggers, in Russian or English."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from flask import abort

from crmkit_sandbox.courier import Courier
from crmkit_sandbox.grouping import Grouping
from crmkit_sandbox.pages.frame import Frame
from crmkit_sandbox.pages.show import CARDS, ROWS, masked, sent
from crmkit_sandbox.wire import Row

from . import shapes
from .account import Account, full_name
from .combine import catch_up
from .hooks import EVENTS
from .page_texts import TEXTS
from .person import Person


class Page:
    """What the page shows and does, for one account."""

    def __init__(self, person: Person, courier: Courier, vendor: str) -> None:
        self.account: Account = person.account
        self._person = person
        self._courier = courier
        self._vendor = vendor
        self._at_status = Grouping(self.account.tables["orders"], lambda row: row["status"])

    def board(self) -> Row:
        """The groups of statuses with the newest orders of each."""
        books = self.account.references
        statuses = sorted(books["statuses"].values(), key=lambda row: row["ordering"])
        groups = sorted(books["statusGroups"].values(), key=lambda row: row["ordering"])
        stages = []
        for group in groups:
            own = [status for status in statuses if status["group"] == group["code"]]
            ids = sorted(row_id for status in own for row_id in self._at_status.ids(status["code"]))
            cards = [self._card(row) for row in self.account.tables["orders"].some(ids[::-1][:CARDS])]
            first = own[0]["code"] if own else ""
            stages.append({"id": first, "name": group["name"], "type": 0, "cards": cards, "count": len(ids)})
        return {"stages": stages, "statuses": statuses}

    def customers(self) -> Row:
        """The newest people and corporate customers."""
        found = []
        for kind in ("corporate", "customers"):
            table = self.account.tables[kind]
            found += [self._person_row(row) for row in table.newest(ROWS)]
        total = sum(len(self.account.tables[kind]) for kind in ("corporate", "customers"))
        return {"rows": found, "total": total}

    def tasks(self) -> Row:
        """Open tasks by their due time, then those done."""
        rows = sorted(self.account.tables["tasks"].rows(), key=lambda row: (row["complete"], row.get("datetime", "")))
        return {"rows": [self._task(row) for row in rows[:ROWS]]}

    def calls(self) -> Row:
        """The newest calls."""
        rows = self.account.tables["calls"].newest(ROWS)
        return {"rows": [{**row, "about": self._name(row.get("customer"))} for row in rows]}

    def deliveries(self) -> Row:
        """The triggers and their newest requests."""
        triggers = [{**row, "address": masked(row["url"])} for row in self.account.shelves["triggers"].values()]
        return {"rows": sent(self._courier, self._vendor), "triggers": triggers, "events": EVENTS}

    def order(self, order_id: int) -> Row:
        """The card of an order."""
        row = self.account.tables["orders"].live(order_id)
        if row is None:
            abort(404)
        told = [one for one in self.account.history["orders"] if one["order"]["id"] == order_id]
        statuses = sorted(self.account.references["statuses"].values(), key=lambda one: one["ordering"])
        shown = shapes.order(self.account, row)
        return {
            "order": shown,
            "who": self._name(row.get("customer")),
            "told": told[::-1][:ROWS],
            "statuses": statuses,
        }

    def move(self, form: Mapping[str, str]) -> None:
        """Drag an order to a status."""
        self._person.set_status(int(form["lead_id"]), form["status_id"])

    def add_order(self, form: Mapping[str, str]) -> None:
        """Add an order of one item."""
        given: Row = {"items": [(form["product"], int(form.get("price") or 0), 1)]}
        for name, field in (("firstName", "client"), ("phone", "phone")):
            if form.get(field):
                given[name] = form[field]
        self._person.add_order(**given)

    def finish_task(self, form: Mapping[str, str]) -> None:
        """Complete a task."""
        self._person.complete_task(int(form["task_id"]))

    def make_call(self, form: Mapping[str, str]) -> None:
        """Store a call as telephony does."""
        duration = 0 if form.get("outcome") == "missed" else int(form.get("duration") or 0)
        self._person.call(form["phone"], direction=form["direction"], duration=duration)

    def comment(self, form: Mapping[str, str]) -> None:
        """Write the manager's comment of an order."""
        self._person.update_order(int(form["order_id"]), managerComment=form["text"])

    def add_trigger(self, form: Mapping[str, str]) -> None:
        """Set up a trigger with the usual parameters."""
        if urlsplit(form["url"]).scheme not in ("http", "https"):
            raise ValueError("a trigger calls http or https")
        self._person.add_trigger(form["event"], form["url"], method=form["method"])

    def remove_trigger(self, form: Mapping[str, str]) -> None:
        """Take a trigger away."""
        self._person.remove_trigger(int(form["trigger_id"]))

    def user_name(self, user_id: int | None) -> str:
        """The name of a user, the id when the user is gone."""
        user = self.account.shelves["users"].get(user_id)
        return full_name(user) if user else str(user_id or "")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the account, with the merges made that have fallen due."""
        with self.account.world.lock:
            catch_up(self.account)
            yield

    def _card(self, row: Row) -> Row:
        products = [item.get("offer", {}).get("name", "") for item in row["items"]]
        who, what = self._name(row.get("customer")), ", ".join(name for name in products if name)
        return {**row, "name": row["number"], "people": who, "what": what}

    def _person_row(self, row: Row) -> Row:
        phones = ", ".join(phone["number"] for phone in row.get("phones", ()))
        return {
            **row,
            "name": row.get("nickName") or full_name(row),
            "phone": phones,
            **shapes.totals(self.account, row["id"]),
        }

    def _name(self, customer_id: int | None) -> str:
        row = self.account.tables["customers"].get(customer_id or 0)
        row = row or self.account.tables["corporate"].get(customer_id or 0) or {}
        return str(row.get("nickName") or full_name(row))

    def _task(self, row: Row) -> Row:
        order, due = self.account.tables["orders"].get(row.get("order") or 0), row.get("datetime", "")
        return {
            "id": row["id"],
            "text": row["text"],
            "remark": row.get("commentary"),
            "due": due,
            "is_done": row["complete"],
            "is_overdue": not row["complete"] and due and due < self.account.moment(),
            "place": order["number"] if order else self._name(row.get("customer")),
            "card": row.get("order"),
            "owner": row.get("performer"),
        }


def make_frame(person: Person, courier: Courier, vendor: str, seed: Callable[[], None]) -> Frame:
    """The page of one account."""
    page = Page(person, courier, vendor)
    account = person.account
    return Frame(
        vendor=vendor,
        texts=TEXTS,
        held=page.held,
        zone=lambda: account.zone,
        user_name=page.user_name,
        tabs={
            "board": page.board,
            "customers": page.customers,
            "tasks": page.tasks,
            "calls": page.calls,
            "deliveries": page.deliveries,
        },
        cards="orders",
        card=page.order,
        acts={
            "move": ("", page.move),
            "add_order": ("", page.add_order),
            "finish_task": ("tasks", page.finish_task),
            "make_call": ("calls", page.make_call),
            "comment": ("orders/{order_id}", page.comment),
            "add_trigger": ("deliveries", page.add_trigger),
            "remove_trigger": ("deliveries", page.remove_trigger),
            "fill": ("", lambda _: seed()),
        },
    )
