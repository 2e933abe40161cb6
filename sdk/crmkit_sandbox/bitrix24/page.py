"""The page for people: a board of deals, people, to-dos, calls and sent events, in Russian or English."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import abort, request

from crmkit_sandbox.courier import Courier
from crmkit_sandbox.grouping import Grouping
from crmkit_sandbox.pages.frame import Frame
from crmkit_sandbox.pages.show import CARDS, ROWS, masked, neighbours, sent
from crmkit_sandbox.wire import Row

from .activities import PHONE_CALL
from .page_texts import TEXTS
from .person import Person
from .portal import ZONE
from .values import number_of


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
        return {
            "pipelines": list(shelf.values()),
            "chosen": chosen,
            "stages": stages,
            "won": won,
            "lost": lost,
            "add": "add_deal",
        }

    def contacts(self) -> Row:
        """The newest contacts."""
        table = self.portal.tables["contacts"]
        return {"people": [self._contact(row) for row in table.newest(ROWS)], "total": len(table)}

    def tasks(self) -> Row:
        """Open to-dos and tasks by their deadline, then those done; calls have a tab of their own."""
        rows = [row for row in self.portal.tables["activities"].rows() if row["PROVIDER_ID"] != PHONE_CALL]
        rows.sort(key=lambda row: (row["COMPLETED"], row["DEADLINE"] or "9"))
        return {"rows": [self._activity(row) for row in rows[:ROWS]]}

    def calls(self) -> Row:
        """The newest calls."""
        found = [row for row in self.portal.tables["calls"].rows() if row["is_finished"]]
        return {"rows": [self._call(row) for row in found[::-1][:ROWS]]}

    def deliveries(self) -> Row:
        """The newest events and their handlers."""
        rows = [{**row, "pairs": _without_tokens(row["pairs"])} for row in sent(self._courier, self._vendor)]
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
            "moves": [{**one, "stage": self._stage_name(one["STAGE_ID"])} for one in moves[::-1][:ROWS]],
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
        is_open = [row["STATUS_ID"] for row in rows if not row["SEMANTICS"]]
        return {
            "id": stage["STATUS_ID"],
            "name": stage["NAME"],
            "type": 1 if stage["SEMANTICS"] else 0,
            "is_closed": bool(stage["SEMANTICS"]),
            "cards": [self._card(row) for row in self.portal.tables["deals"].some(ids[::-1][:CARDS])],
            "count": len(ids),
            **neighbours(is_open, stage["STATUS_ID"]),
        }

    def _card(self, row: Row) -> Row:
        price = f"{row['OPPORTUNITY']} {row['CURRENCY_ID']}"
        return {"id": row["id"], "name": row["TITLE"], "people": self._people(row), "price": price}

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
        is_done = row["COMPLETED"] == "Y"
        place = self.portal.live(number_of(row["OWNER_TYPE_ID"]), number_of(row["OWNER_ID"]))
        return {
            "id": row["id"],
            "text": row["SUBJECT"],
            "remark": row["DESCRIPTION"],
            "due": row["DEADLINE"] or "",
            "is_done": is_done,
            "is_overdue": not is_done and row["DEADLINE"] and row["DEADLINE"] < self.portal.stamp(),
            "place": _name(place),
            "card": row["OWNER_ID"] if row["OWNER_TYPE_ID"] == "2" else None,
            "owner": row["RESPONSIBLE_ID"],
        }

    def _call(self, row: Row) -> Row:
        tables = {"CONTACT": 3, "COMPANY": 4, "LEAD": 1}
        owner = self.portal.live(tables.get(str(row["CRM_ENTITY_TYPE"]), 0), number_of(row["CRM_ENTITY_ID"]))
        return {
            "at": row["CALL_START_DATE"],
            "is_out": row["CALL_TYPE"] in ("1", "4", "5"),
            "phone": row["PHONE_NUMBER"],
            "duration": number_of(row["CALL_DURATION"]),
            "place": _name(owner),
        }

    def _user_values(self, row: Row) -> list[tuple[str, Any]]:
        shown = []
        for name, field in self.portal.user_fields_of("deal").items():
            value = row.get(name)
            items = {item["ID"]: item["VALUE"] for item in field.get("LIST", ())}
            many = [items.get(one, one) for one in value] if isinstance(value, list) else items.get(value, value)
            shown.append((field["LIST_COLUMN_LABEL"], ", ".join(many) if isinstance(many, list) else many))
        return shown


def make_frame(person: Person, courier: Courier, vendor: str, seed: Callable[[], None]) -> Frame:
    """The page of one portal."""
    page = Page(person, courier, vendor)
    portal = person.portal
    return Frame(
        vendor=vendor,
        texts=TEXTS,
        held=lambda: portal.world.lock,
        zone=lambda: ZONE,
        user_name=portal.user_name,
        tabs={
            "board": page.board,
            "contacts": page.contacts,
            "tasks": page.tasks,
            "calls": page.calls,
            "deliveries": page.deliveries,
        },
        cards="deals",
        card=page.deal,
        acts={
            "move": ("", page.move),
            "add_deal": ("", page.add_deal),
            "finish_task": ("tasks", page.finish_task),
            "make_call": ("calls", page.make_call),
            "add_note": ("deals/{lead_id}", page.add_note),
            "fill": ("", lambda _: seed()),
        },
    )


def _without_tokens(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    # Tokens in events are not for showing.
    return [(name, f"{value[:4]}…" if name.endswith("_token]") else value) for name, value in pairs]


def _full_name(row: Row) -> str:
    return f"{row['NAME'] or ''} {row['LAST_NAME'] or ''}".strip() or f"#{row['id']}"


def _name(row: Row | None) -> str:
    if row is None:
        return ""
    return str(row.get("TITLE") or _full_name(row))
