"""The page for people: a board of deals, people, tasks, calls and sent hooks, in Russian or English."""

from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from flask import Flask, abort, render_template, request

from crmkit_sandbox.courier import Courier
from crmkit_sandbox.grouping import Grouping
from crmkit_sandbox.pages import Act, add_acts, language, masked
from crmkit_sandbox.wire import Row

from .account import LOST, WON, ZONE, Account
from .page_texts import TEXTS
from .person import Person

SHOWN, CARDS = 100, 25
TABS = ("board", "contacts", "tasks", "calls", "deliveries")


class Page:
    """What the page shows and does, for one account."""

    def __init__(self, person: Person, courier: Courier, vendor: str) -> None:
        self.account: Account = person.account
        self._person = person
        self._courier = courier
        self._vendor = vendor
        leads = self.account.tables["leads"]
        self._at_stage = Grouping(leads, lambda row: (row["pipeline_id"], row["status_id"]))

    def board(self) -> Row:
        """The pipelines with their stages and the newest deals of each."""
        shelf = self.account.shelves["pipelines"]
        pipelines = sorted(shelf.values(), key=lambda row: row["sort"])
        chosen = shelf.get(_number(request.args.get("pipeline")), self.account.main_pipeline)
        stages = [self._stage(chosen, index) for index in range(len(chosen["statuses"]))]
        return {"pipelines": pipelines, "chosen": chosen, "stages": stages, "won": WON, "lost": LOST}

    def contacts(self) -> Row:
        """The newest contacts."""
        table = self.account.tables["contacts"]
        rows = [table.get(row_id) for row_id in reversed(table.ids[-SHOWN:])]
        return {"people": [self._contact(row) for row in rows if row is not None], "total": len(table)}

    def tasks(self) -> Row:
        """Open tasks by their due time, then those done."""
        rows = sorted(self.account.tables["tasks"].rows(), key=lambda row: (row["is_completed"], row["complete_till"]))
        return {"rows": [{**row, "place": self._name_of(row)} for row in rows[:SHOWN]], "now": self.account.now()}

    def calls(self) -> Row:
        """The newest calls."""
        found = [row for row in self.account.tables["notes"].rows() if row["note_type"] in ("call_in", "call_out")]
        return {"rows": [{**row, "place": self._name_of(row)} for row in found[::-1][:SHOWN]]}

    def deliveries(self) -> Row:
        """The newest hooks and the subscriptions."""
        made = [*self._courier.sent(self._vendor), *self._courier.waiting(self._vendor)]
        rows = [
            {
                **delivery.row(),
                "address": masked(delivery.url),
                "pairs": parse_qsl(delivery.body, keep_blank_values=True),
            }
            for delivery in made[::-1][:SHOWN]
        ]
        hooks = [{**hook, "address": masked(hook["destination"])} for hook in self.account.shelves["webhooks"].values()]
        return {"rows": rows, "hooks": hooks}

    def lead(self, lead_id: int) -> Row:
        """The card of a deal."""
        row = self.account.tables["leads"].live(lead_id)
        if row is None:
            abort(404)
        table = self.account.tables["notes"]
        notes = [table.get(note_id) for note_id in self.account.notes_of.ids(("leads", lead_id))]
        events = [
            event for event in self.account.events if event["entity_id"] == lead_id and event["entity_type"] == "lead"
        ]
        people = [
            self.account.tables["contacts"].live(one) for one in self.account.links.ids("leads", lead_id, "contacts")
        ]
        return {
            "lead": row,
            "stage": self.account.status(row["pipeline_id"], row["status_id"]),
            "people": [self._contact(one) for one in people if one is not None],
            "notes": notes[::-1],
            "events": events[::-1][:SHOWN],
        }

    def move(self, form: Mapping[str, str]) -> str | None:
        """Drag a deal to a stage."""
        self._person.move_lead(int(form["lead_id"]), int(form["status_id"]), int(form["pipeline_id"]))
        return None

    def add_lead(self, form: Mapping[str, str]) -> str | None:
        """Add a deal to the first stage."""
        self._person.add_lead(
            name=form["name"], price=int(form.get("price") or 0), pipeline_id=int(form["pipeline_id"])
        )
        return None

    def finish_task(self, form: Mapping[str, str]) -> str | None:
        """Complete a task."""
        self._person.complete_task(int(form["task_id"]))
        return None

    def make_call(self, form: Mapping[str, str]) -> str | None:
        """Log a call as telephony does, by its phone."""
        is_missed = form.get("outcome") == "missed"
        note_id = self._person.call(
            form["phone"],
            direction=form["direction"],
            duration=0 if is_missed else int(form.get("duration") or 0),
            call_status=6 if is_missed else 4,
            responsible_user_id=self.account.owner_id,
        )
        return None if note_id is not None else "nobody"

    def add_note(self, form: Mapping[str, str]) -> str | None:
        """Add a text note to a deal."""
        self._person.add_note("leads", int(form["lead_id"]), form["text"])
        return None

    def user_name(self, user_id: int) -> str:
        """The name of a user, the id when the user is gone."""
        user = self.account.shelves["users"].get(user_id)
        return str(user["name"] if user else user_id)

    def _stage(self, pipeline: Row, index: int) -> Row:
        statuses, status = pipeline["statuses"], pipeline["statuses"][index]
        ids = self._at_stage.ids((pipeline["id"], status["id"]))
        rows = [self.account.tables["leads"].get(row_id) for row_id in ids[::-1][:CARDS]]
        open_ids = [one["id"] for one in statuses if one["type"] == 0]
        at = open_ids.index(status["id"]) if status["id"] in open_ids else -1
        is_closed = status["id"] in (WON, LOST)
        return {
            **status,
            "leads": [{**row, "people": self._people(row["id"])} for row in rows if row is not None],
            "count": len(ids),
            "before": open_ids[at - 1] if at > 0 and not is_closed else None,
            "after": open_ids[at + 1] if not is_closed and at + 1 < len(open_ids) else None,
        }

    def _people(self, lead_id: int) -> str:
        table = self.account.tables["contacts"]
        rows = (table.live(row_id) for row_id in self.account.links.ids("leads", lead_id, "contacts"))
        return ", ".join(row["name"] for row in rows if row is not None)

    def _contact(self, row: Row) -> Row:
        shown = {"id": row["id"], "name": row["name"], "responsible_user_id": row["responsible_user_id"]}
        for code in ("PHONE", "EMAIL"):
            field = next((one for one in row["custom_fields_values"] or () if one["field_code"] == code), None)
            shown[code] = ", ".join(value["value"] for value in field["values"]) if field else ""
        company = next(iter(self.account.links.ids("contacts", row["id"], "companies")), 0)
        found = self.account.tables["companies"].live(company)
        return {**shown, "company": found["name"] if found else ""}

    def _name_of(self, row: Row) -> str:
        table = self.account.tables.get(row["entity_type"] or "")
        found = table.get(row["entity_id"]) if table is not None else None
        return str(found["name"]) if found else ""


def add_page(app: Flask, person: Person, courier: Courier, vendor: str, seed: Callable[[], None]) -> None:
    """Add the page's routes."""
    page = Page(person, courier, vendor)

    def show(tab: str, **more: int) -> str:
        tongue = language()
        with page.account.world.lock:
            data = getattr(page, tab)(**more)
            return render_template(
                f"amocrm_{tab}.html",
                texts=TEXTS[tongue],
                language=tongue,
                tab=tab,
                tabs=TABS,
                root=request.script_root,
                user_name=page.user_name,
                moment=_moment,
                said=request.args.get("said"),
                **data,
            )

    app.add_url_rule("/", "board", lambda: show("board"))
    for tab in TABS[1:]:
        app.add_url_rule(f"/{tab}", tab, lambda tab=tab: show(tab))
    app.add_url_rule("/leads/<int:lead_id>", "lead", lambda lead_id: show("lead", lead_id=lead_id))
    acts: dict[str, tuple[str, Act]] = {
        "move": ("", page.move),
        "add_lead": ("", page.add_lead),
        "finish_task": ("tasks", page.finish_task),
        "make_call": ("calls", page.make_call),
        "add_note": ("leads", page.add_note),
        "fill": ("", lambda _: seed()),
    }

    add_acts(app, acts, _back)


def _back(tab: str, said: str | None) -> str:
    query: dict[str, str] = {"lang": language()}
    if request.form.get("pipeline_id", "").isdigit():
        query["pipeline"] = request.form["pipeline_id"]
    if said:
        query["said"] = said
    path = f"leads/{int(request.form['lead_id'])}" if tab == "leads" else tab
    return f"{request.script_root}/{path}?{urlencode(query)}"


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 0


def _moment(seconds: float | None) -> str:
    return datetime.fromtimestamp(seconds, ZONE).strftime("%d.%m.%Y %H:%M:%S") if seconds is not None else ""
