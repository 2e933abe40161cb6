"""The page for people: a board of deals, people, to-dos, calls and sent events, in Russian or English."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Flask, abort, render_template, request
from jinja2 import ChoiceLoader, PackageLoader

from crmkit_sandbox.courier import Courier
from crmkit_sandbox.grouping import Grouping
from crmkit_sandbox.pages import Act, add_acts, language, masked
from crmkit_sandbox.wire import Row

from .activities import PHONE_CALL
from .page_texts import TEXTS
from .person import Person
from .portal import ZONE
from .values import number_of

SHOWN, CARDS = 100, 25
TABS = ("board", "contacts", "tasks", "calls", "deliveries")
# Two lists look the same at every vendor.
SHARED = {"contacts": "amocrm_contacts.html", "deliveries": "amocrm_deliveries.html"}


class Page:
    """What the page shows and does, for one portal."""

    def __init__(self, person: Person, courier: Courier, vendor: str) -> None:
        self.portal = person.portal
        self._person = person
        self._courier = courier
        self._vendor = vendor
        self._at_stage = Grouping(self.portal.tables["deals"], lambda row: row["STAGE_ID"])

    def board(self) -> Row:
        """The pipelines with their stages and the newest deals of each."""
        shelf = self.portal.shelves["categories"]
        chosen = shelf.get(number_of(request.args.get("pipeline")), shelf[0])
        entity = f"DEAL_STAGE_{chosen['id']}" if chosen["id"] else "DEAL_STAGE"
        rows = self.portal.stages(entity)
        won = next(row["STATUS_ID"] for row in rows if row["SEMANTICS"] == "S")
        lost = next(row["STATUS_ID"] for row in rows if row["SEMANTICS"] == "F")
        stages = [self._stage(rows, index) for index in range(len(rows))]
        return {"pipelines": list(shelf.values()), "chosen": chosen, "stages": stages, "won": won, "lost": lost}

    def contacts(self) -> Row:
        """The newest contacts."""
        table = self.portal.tables["contacts"]
        rows = [table.get(row_id) for row_id in reversed(table.ids[-SHOWN:])]
        return {"people": [self._contact(row) for row in rows if row is not None], "total": len(table)}

    def tasks(self) -> Row:
        """Open to-dos and tasks by their deadline, then those done; calls have a tab of their own."""
        rows = [row for row in self.portal.tables["activities"].rows() if row["PROVIDER_ID"] != PHONE_CALL]
        rows.sort(key=lambda row: (row["COMPLETED"], row["DEADLINE"] or "9"))
        return {"rows": [self._activity(row) for row in rows[:SHOWN]]}

    def calls(self) -> Row:
        """The newest calls."""
        found = [row for row in self.portal.tables["calls"].rows() if row["is_finished"]]
        return {"rows": [{**row, "place": self._owner(row)} for row in found[::-1][:SHOWN]]}

    def deliveries(self) -> Row:
        """The newest events and their handlers."""
        made = [*self._courier.sent(self._vendor), *self._courier.waiting(self._vendor)]
        rows = [{**one.row(), "address": masked(one.url), "pairs": _pairs(one.body)} for one in made[::-1][:SHOWN]]
        by_url: dict[str, list[str]] = {}
        for handler in self.portal.shelves["handlers"].values():
            by_url.setdefault(handler["handler"] or "offline", []).append(handler["event"])
        hooks = [{"address": masked(url), "settings": names, "disabled": False} for url, names in by_url.items()]
        return {"rows": rows, "hooks": hooks}

    def deal(self, deal_id: int) -> Row:
        """The card of a deal."""
        row = self.portal.tables["deals"].live(deal_id)
        if row is None:
            abort(404)
        contacts, comments = self.portal.tables["contacts"], self.portal.tables["comments"]
        people = [contacts.live(link["CONTACT_ID"]) for link in row["contacts"]]
        notes = [comments.get(one) for one in self.portal.comments_of.ids(("deal", str(deal_id)))]
        moves = [
            one for one in self.portal.tables["history"].rows() if one["OWNER_ID"] == deal_id and one["entity"] == 2
        ]
        return {
            "deal": row,
            "stage_name": self._stage_name(row["STAGE_ID"]),
            "people": [self._contact(one) for one in people if one is not None],
            "fields": [(label, value) for label, value in self._user_values(row) if value not in (None, "", [])],
            "notes": notes[::-1],
            "moves": [{**one, "stage": self._stage_name(one["STAGE_ID"])} for one in moves[::-1][:SHOWN]],
        }

    def move(self, form: Mapping[str, str]) -> str | None:
        """Drag a deal to a stage."""
        self._person.move_deal(int(form["lead_id"]), form["status_id"])
        return None

    def add_deal(self, form: Mapping[str, str]) -> str | None:
        """Add a deal to the first stage."""
        self._person.add_deal(title=form["name"], amount=int(form.get("price") or 0), category=int(form["pipeline_id"]))
        return None

    def finish_task(self, form: Mapping[str, str]) -> str | None:
        """Complete a to-do."""
        self._person.complete_todo(int(form["task_id"]))
        return None

    def make_call(self, form: Mapping[str, str]) -> str | None:
        """Make a call as telephony does."""
        is_missed = form.get("outcome") == "missed"
        seconds = 0 if is_missed else int(form.get("duration") or 0)
        call_id = self._person.call(form["phone"], direction=form["direction"], duration=seconds)
        rows = self.portal.tables["calls"].rows()
        is_known = any(row["CALL_ID"] == call_id and row["CRM_ENTITY_ID"] for row in rows)
        return None if is_known else "nobody"

    def add_note(self, form: Mapping[str, str]) -> str | None:
        """Add a comment to a deal."""
        self._person.add_comment("deal", int(form["lead_id"]), form["text"])
        return None

    def _stage(self, rows: list[Row], index: int) -> Row:
        stage = rows[index]
        ids = self._at_stage.ids(stage["STATUS_ID"])
        deals = [self.portal.tables["deals"].get(row_id) for row_id in ids[::-1][:CARDS]]
        opened = [row["STATUS_ID"] for row in rows if not row["SEMANTICS"]]
        at = opened.index(stage["STATUS_ID"]) if stage["STATUS_ID"] in opened else -1
        return {
            **stage,
            "deals": [{**row, "people": self._people(row)} for row in deals if row is not None],
            "count": len(ids),
            "before": opened[at - 1] if at > 0 else None,
            "after": opened[at + 1] if 0 <= at < len(opened) - 1 else None,
        }

    def _stage_name(self, stage_id: str) -> str:
        rows = self.portal.shelves["statuses"].values()
        found = (row["NAME"] for row in rows if row["STATUS_ID"] == stage_id and row["ENTITY_ID"][:10] == "DEAL_STAGE")
        return str(next(found, stage_id))

    def _people(self, row: Row) -> str:
        table = self.portal.tables["contacts"]
        found = (table.live(link["CONTACT_ID"]) for link in row["contacts"])
        return ", ".join(_full_name(one) for one in found if one is not None)

    def _contact(self, row: Row) -> Row:
        shown = {"id": row["id"], "name": _full_name(row), "responsible_user_id": row["ASSIGNED_BY_ID"]}
        shown |= {name: ", ".join(value["VALUE"] for value in row.get(name, ())) for name in ("PHONE", "EMAIL")}
        company = self.portal.tables["companies"].live(number_of(row["COMPANY_ID"]))
        return {**shown, "company": company["TITLE"] if company else ""}

    def _activity(self, row: Row) -> Row:
        is_overdue = row["COMPLETED"] != "Y" and row["DEADLINE"] and row["DEADLINE"] < self.portal.stamp()
        place = self.portal.live(number_of(row["OWNER_TYPE_ID"]), number_of(row["OWNER_ID"]))
        return {**row, "is_overdue": bool(is_overdue), "place": _name(place)}

    def _owner(self, row: Row) -> str:
        tables = {"CONTACT": 3, "COMPANY": 4, "LEAD": 1}
        found = self.portal.live(tables.get(str(row["CRM_ENTITY_TYPE"]), 0), number_of(row["CRM_ENTITY_ID"]))
        return _name(found)

    def _user_values(self, row: Row) -> list[tuple[str, Any]]:
        shown = []
        for name, field in self.portal.user_fields_of("deal").items():
            value = row.get(name)
            items = {item["ID"]: item["VALUE"] for item in field.get("LIST", ())}
            many = [items.get(one, one) for one in value] if isinstance(value, list) else items.get(value, value)
            shown.append((field["LIST_COLUMN_LABEL"], ", ".join(many) if isinstance(many, list) else many))
        return shown


def add_page(app: Flask, person: Person, courier: Courier, vendor: str, seed: Callable[[], None]) -> None:
    """Add the page's routes."""
    page = Page(person, courier, vendor)
    own = app.jinja_loader
    shared = PackageLoader("crmkit_sandbox.amocrm")
    app.jinja_loader = ChoiceLoader([own, shared]) if own is not None else shared

    def show(tab: str, **more: int) -> str:
        tongue = language()
        with page.portal.world.lock:
            return render_template(
                SHARED.get(tab, f"bitrix24_{tab}.html"),
                texts=TEXTS[tongue],
                language=tongue,
                tab=tab,
                tabs=TABS,
                root=request.script_root,
                user_name=page.portal.user_name,
                moment=_moment,
                said=request.args.get("said"),
                **getattr(page, tab)(**more),
            )

    app.add_url_rule("/", "board", lambda: show("board"))
    for tab in TABS[1:]:
        app.add_url_rule(f"/{tab}", tab, lambda tab=tab: show(tab))
    app.add_url_rule("/deals/<int:deal_id>", "deal", lambda deal_id: show("deal", deal_id=deal_id))
    acts: dict[str, tuple[str, Act]] = {
        "move": ("", page.move),
        "add_deal": ("", page.add_deal),
        "finish_task": ("tasks", page.finish_task),
        "make_call": ("calls", page.make_call),
        "add_note": ("deals", page.add_note),
        "fill": ("", lambda _: seed()),
    }

    add_acts(app, acts, _back)


def _back(tab: str, said: str | None) -> str:
    query: dict[str, str] = {"lang": language()}
    if request.form.get("pipeline_id", "").isdigit():
        query["pipeline"] = request.form["pipeline_id"]
    if said:
        query["said"] = said
    path = f"deals/{number_of(request.form.get('lead_id'))}" if tab == "deals" else tab
    return f"{request.script_root}/{path}?{urlencode(query)}"


def _moment(seconds: float | None) -> str:
    return datetime.fromtimestamp(seconds, ZONE).strftime("%d.%m.%Y %H:%M:%S") if seconds is not None else ""


def _pairs(body: str) -> list[tuple[str, str]]:
    # Tokens in events are not for showing.
    return [
        (name, f"{value[:4]}…" if name.endswith("_token]") else value)
        for name, value in parse_qsl(body, keep_blank_values=True)
    ]


def _full_name(row: Row) -> str:
    return f"{row['NAME'] or ''} {row['LAST_NAME'] or ''}".strip() or f"#{row['id']}"


def _name(row: Row | None) -> str:
    if row is None:
        return ""
    return str(row.get("TITLE") or _full_name(row))
