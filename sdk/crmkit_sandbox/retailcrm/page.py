"""The page for people: a board of orders, customers, tasks, calls and triggers, in Russian or English."""

from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Flask, abort, render_template, request

from crmkit_sandbox.courier import Courier
from crmkit_sandbox.grouping import Grouping
from crmkit_sandbox.pages import Act, add_acts, language, masked
from crmkit_sandbox.wire import Row

from . import shapes
from .account import Account, full_name
from .combine import catch_up
from .hooks import EVENTS
from .page_texts import TEXTS
from .person import Person

SHOWN, CARDS = 100, 25
TABS = ("board", "customers", "tasks", "calls", "deliveries")


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
        columns = []
        for group in groups:
            own = [status for status in statuses if status["group"] == group["code"]]
            ids = sorted(row_id for status in own for row_id in self._at_status.ids(status["code"]))
            rows = [self.account.tables["orders"].get(row_id) for row_id in ids[::-1][:CARDS]]
            cards = [self._card(row) for row in rows if row is not None]
            first = own[0]["code"] if own else ""
            columns.append({**group, "orders": cards, "count": len(ids), "first": first})
        return {"columns": columns, "statuses": statuses}

    def customers(self) -> Row:
        """The newest people and corporate customers."""
        found = []
        for kind in ("corporate", "customers"):
            table = self.account.tables[kind]
            rows = (table.get(row_id) for row_id in reversed(table.ids[-SHOWN:]))
            found += [self._person_row(row) for row in rows if row is not None]
        total = sum(len(self.account.tables[kind]) for kind in ("corporate", "customers"))
        return {"rows": found, "total": total}

    def tasks(self) -> Row:
        """Open tasks by their due time, then those done."""
        rows = sorted(self.account.tables["tasks"].rows(), key=lambda row: (row["complete"], row.get("datetime", "")))
        return {"rows": [{**row, "about": self._about(row)} for row in rows[:SHOWN]], "now": self.account.moment()}

    def calls(self) -> Row:
        """The newest calls."""
        table = self.account.tables["calls"]
        rows = (table.get(row_id) for row_id in reversed(table.ids[-SHOWN:]))
        return {"rows": [{**row, "about": self._name(row.get("customer"))} for row in rows if row is not None]}

    def deliveries(self) -> Row:
        """The triggers and their newest requests."""
        made = [*self._courier.sent(self._vendor), *self._courier.waiting(self._vendor)]
        rows = [
            {
                **delivery.row(),
                "address": masked(delivery.url),
                "pairs": parse_qsl(delivery.body, keep_blank_values=True),
            }
            for delivery in made[::-1][:SHOWN]
        ]
        triggers = [{**row, "address": masked(row["url"])} for row in self.account.shelves["triggers"].values()]
        return {"rows": rows, "triggers": triggers, "events": EVENTS}

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
            "told": told[::-1][:SHOWN],
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

    def moment(self, at: float | None) -> str:
        """A moment for the eye."""
        return datetime.fromtimestamp(at, self.account.zone).strftime("%d.%m.%Y %H:%M:%S") if at is not None else ""

    def _card(self, row: Row) -> Row:
        products = [item.get("offer", {}).get("name", "") for item in row["items"]]
        return {**row, "who": self._name(row.get("customer")), "what": ", ".join(name for name in products if name)}

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

    def _about(self, row: Row) -> str:
        order = self.account.tables["orders"].get(row.get("order") or 0)
        return str(order["number"]) if order else self._name(row.get("customer"))


def add_page(app: Flask, person: Person, courier: Courier, vendor: str, seed: Callable[[], None]) -> None:
    """Add the page's routes."""
    page = Page(person, courier, vendor)

    def show(tab: str, **more: int) -> str:
        tongue = language()
        catch_up(page.account)
        with page.account.world.lock:
            data = getattr(page, tab)(**more)
            return render_template(
                f"retailcrm_{tab}.html",
                texts=TEXTS[tongue],
                language=tongue,
                tab=tab,
                tabs=TABS,
                root=request.script_root,
                user_name=page.user_name,
                moment=page.moment,
                said=request.args.get("said"),
                **data,
            )

    app.add_url_rule("/", "board", lambda: show("board"))
    for tab in TABS[1:]:
        app.add_url_rule(f"/{tab}", tab, lambda tab=tab: show(tab))
    app.add_url_rule("/orders/<int:order_id>", "order", lambda order_id: show("order", order_id=order_id))
    acts: dict[str, tuple[str, Act]] = {
        "move": ("", page.move),
        "add_order": ("", page.add_order),
        "finish_task": ("tasks", page.finish_task),
        "make_call": ("calls", page.make_call),
        "comment": ("order", page.comment),
        "add_trigger": ("deliveries", page.add_trigger),
        "remove_trigger": ("deliveries", page.remove_trigger),
        "fill": ("", lambda _: seed()),
    }

    add_acts(app, acts, _back)


def _back(tab: str, said: str | None) -> str:
    query: dict[str, str] = {"lang": language(), **({"said": said} if said else {})}
    order_id = request.form.get("order_id", "")
    path = f"orders/{int(order_id)}" if tab == "order" and order_id.isdigit() else tab
    return f"{request.script_root}/{'' if path == 'order' else path}?{urlencode(query)}"
