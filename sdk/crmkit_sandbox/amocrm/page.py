"""The page for people: a board of deals, people, tasks, calls and sent hooks, in Russian or English."""

from collections.abc import Callable, Mapping

from flask import abort, request

from crmkit_sandbox.courier import Courier
from crmkit_sandbox.grouping import Grouping
from crmkit_sandbox.pages.frame import Frame
from crmkit_sandbox.pages.show import CARDS, ROWS, masked, moment, neighbours, roubles, sent
from crmkit_sandbox.wire import Row

from .account import LOST, WON, ZONE, Account
from .page_texts import TEXTS
from .person import Person


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
        return {
            "pipelines": pipelines,
            "chosen": chosen,
            "stages": stages,
            "won": WON,
            "lost": LOST,
            "add": "add_lead",
        }

    def contacts(self) -> Row:
        """The newest contacts."""
        table = self.account.tables["contacts"]
        return {"people": [self._contact(row) for row in table.newest(ROWS)], "total": len(table)}

    def tasks(self) -> Row:
        """Open tasks by their due time, then those done."""
        rows = sorted(self.account.tables["tasks"].rows(), key=lambda row: (row["is_completed"], row["complete_till"]))
        return {"rows": [self._task(row) for row in rows[:ROWS]]}

    def calls(self) -> Row:
        """The newest calls."""
        found = [row for row in self.account.tables["notes"].rows() if row["note_type"] in ("call_in", "call_out")]
        return {"rows": [self._call(row) for row in found[::-1][:ROWS]]}

    def deliveries(self) -> Row:
        """The newest hooks and the subscriptions."""
        hooks = [{**hook, "address": masked(hook["destination"])} for hook in self.account.shelves["webhooks"].values()]
        return {"rows": sent(self._courier, self._vendor), "hooks": hooks}

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
            "events": events[::-1][:ROWS],
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
        status = pipeline["statuses"][index]
        ids = self._at_stage.ids((pipeline["id"], status["id"]))
        is_open = [one["id"] for one in pipeline["statuses"] if one["type"] == 0 and one["id"] not in (WON, LOST)]
        return {
            **status,
            "is_closed": status["id"] in (WON, LOST),
            "cards": [self._card(row) for row in self.account.tables["leads"].some(ids[::-1][:CARDS])],
            "count": len(ids),
            **neighbours(is_open, status["id"]),
        }

    def _card(self, row: Row) -> Row:
        return {**row, "people": self._people(row["id"]), "price": roubles(row["price"])}

    def _task(self, row: Row) -> Row:
        return {
            **self._at(row),
            "id": row["id"],
            "text": row["text"],
            "remark": row["result"] and row["result"]["text"],
            "due": moment(row["complete_till"], ZONE),
            "is_done": row["is_completed"],
            "is_overdue": not row["is_completed"] and row["complete_till"] < self.account.now(),
            "owner": row["responsible_user_id"],
        }

    def _call(self, row: Row) -> Row:
        return {
            **self._at(row),
            "at": moment(row["created_at"], ZONE),
            "is_out": row["note_type"] == "call_out",
            "phone": row["params"].get("phone", ""),
            "duration": row["params"].get("duration"),
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

    def _at(self, row: Row) -> Row:
        """The name of the record that a row belongs to, and its card where it has one."""
        table = self.account.tables.get(row["entity_type"] or "")
        found = table.get(row["entity_id"]) if table is not None else None
        card = row["entity_id"] if row["entity_type"] == "leads" else None
        return {"place": found["name"] if found else "", "card": card}


def make_frame(person: Person, courier: Courier, vendor: str, seed: Callable[[], None]) -> Frame:
    """The page of one account."""
    page = Page(person, courier, vendor)
    account = person.account
    return Frame(
        vendor=vendor,
        texts=TEXTS,
        held=lambda: account.world.lock,
        zone=lambda: ZONE,
        user_name=page.user_name,
        tabs={
            "board": page.board,
            "contacts": page.contacts,
            "tasks": page.tasks,
            "calls": page.calls,
            "deliveries": page.deliveries,
        },
        cards="leads",
        card=page.lead,
        acts={
            "move": ("", page.move),
            "add_lead": ("", page.add_lead),
            "finish_task": ("tasks", page.finish_task),
            "make_call": ("calls", page.make_call),
            "add_note": ("leads/{lead_id}", page.add_note),
            "fill": ("", lambda _: seed()),
        },
    )


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 0
