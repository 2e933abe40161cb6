"""What people do in the web interface: each act changes records and sends events."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from crmkit_sandbox.wire import Row

from . import changes
from .activities import create_todo, delete_activity, update_activity
from .calls import CALLBACK, IN, OUT, finish_call, owner_of, register_call
from .comments import create_comment
from .events import CRM_EVENTS, Events, add_handler
from .kinds import COMPANY, CONTACT, DEAL, KINDS, LEAD, Kind
from .merging import merge
from .oauth import OAuth
from .portal import Actor, Portal, iso
from .requisites import save_row
from .seed import add_user
from .tasks import COMPLETED, create_task, delete_task, read_task, update_task
from .writes import Write, read_classic, read_universal

DIRECTIONS = {"in": IN, "inbound": IN, "out": OUT, "outbound": OUT, "callback": CALLBACK}
SHORT = {"title": "TITLE", "name": "NAME", "last_name": "LAST_NAME", "amount": "OPPORTUNITY", "owner": "ASSIGNED_BY_ID"}
SHORT |= {"category": "CATEGORY_ID", "contacts": "CONTACT_IDS", "company": "COMPANY_ID", "companies": "COMPANY_IDS"}
DAY_S = 86_400


class Person:
    """Acts of people. `by` is the acting user (an administrator if left out); `hooks=False` loses the act's events.

    Fields are written by their API names, and shorter: `title`, `name`, `last_name`, `amount`, `owner`, `stage`,
    `category`, `contacts=[id]`, `company=id`, `phones=["+7..."]`, `emails=[...]` and
    `custom_fields={code or label: value}`, where an enumeration takes the text of its item. `robot=True` acts as
    automation does: its events bring no token.

    Raises ValueError with the vendor's code and text when a field is refused, KeyError for an unknown record.
    """

    def __init__(self, portal: Portal, event_sender: Events, oauth: OAuth) -> None:
        self.portal = portal
        self.event_sender = event_sender
        self.oauth = oauth

    def add_deal(self, *, by: int | None = None, hooks: bool = True, **fields: Any) -> int:
        """The id of a new deal."""
        return self._add(DEAL, fields, by, hooks)

    def add_lead(self, *, by: int | None = None, hooks: bool = True, **fields: Any) -> int:
        """The id of a new lead."""
        return self._add(LEAD, fields, by, hooks)

    def add_contact(self, *, by: int | None = None, hooks: bool = True, **fields: Any) -> int:
        """The id of a new contact."""
        return self._add(CONTACT, fields, by, hooks)

    def add_company(self, *, by: int | None = None, hooks: bool = True, **fields: Any) -> int:
        """The id of a new company."""
        return self._add(COMPANY, fields, by, hooks)

    def update_deal(
        self, deal_id: int, *, by: int | None = None, hooks: bool = True, robot: bool = False, **fields: Any
    ) -> None:
        """Change a deal."""
        self._update(DEAL, deal_id, fields, by, hooks, robot)

    def update_lead(self, lead_id: int, *, by: int | None = None, hooks: bool = True, **fields: Any) -> None:
        """Change a lead."""
        self._update(LEAD, lead_id, fields, by, hooks)

    def update_contact(self, contact_id: int, *, by: int | None = None, hooks: bool = True, **fields: Any) -> None:
        """Change a contact; `phones` and `emails` replace the old ones."""
        self._update(CONTACT, contact_id, fields, by, hooks)

    def update_company(self, company_id: int, *, by: int | None = None, hooks: bool = True, **fields: Any) -> None:
        """Change a company."""
        self._update(COMPANY, company_id, fields, by, hooks)

    def move_deal(
        self,
        deal_id: int,
        stage_id: str,
        category_id: int | None = None,
        *,
        by: int | None = None,
        hooks: bool = True,
        robot: bool = False,
    ) -> None:
        """Drag a deal to another stage, of another pipeline too."""
        fields: Row = {"stageId": stage_id}
        if category_id is not None:
            fields["categoryId"] = category_id
        with self._acting(by, hooks, robot):
            write = read_universal(self.portal, DEAL, fields)
            changes.update(self.portal, self.event_sender, DEAL, self._row(DEAL, deal_id), write)

    def move_lead(self, lead_id: int, status_id: str, *, by: int | None = None, hooks: bool = True) -> None:
        """Drag a lead to another stage."""
        self._update(LEAD, lead_id, {"STATUS_ID": status_id}, by, hooks)

    def delete_deal(self, deal_id: int, *, by: int | None = None, hooks: bool = True) -> None:
        """Delete a deal."""
        self._delete(DEAL, deal_id, by, hooks)

    def delete_lead(self, lead_id: int, *, by: int | None = None, hooks: bool = True) -> None:
        """Delete a lead."""
        self._delete(LEAD, lead_id, by, hooks)

    def delete_contact(self, contact_id: int, *, by: int | None = None, hooks: bool = True) -> None:
        """Delete a contact."""
        self._delete(CONTACT, contact_id, by, hooks)

    def delete_company(self, company_id: int, *, by: int | None = None, hooks: bool = True) -> None:
        """Delete a company."""
        self._delete(COMPANY, company_id, by, hooks)

    def merge(
        self, kind: str, winner: int, losers: Sequence[int], *, by: int | None = None, hooks: bool = True
    ) -> None:
        """Merge records into `winner` by hand, whose fields win every conflict; `kind` is deal, lead and so on."""
        with self._acting(by, hooks):
            rows = [self._row(KINDS[kind], row_id) for row_id in (winner, *losers)]
            merge(self.portal, self.event_sender, KINDS[kind], rows)

    def add_todo(
        self,
        kind: str,
        row_id: int,
        title: str = "Связаться с клиентом",
        *,
        deadline: float | None = None,
        owner: int | None = None,
        description: str | None = None,
        by: int | None = None,
        hooks: bool = True,
    ) -> int:
        """The id of a new to-do of a record; due in a day when `deadline` (unix seconds) is left out."""
        due = self.portal.now() + DAY_S if deadline is None else deadline
        given: Row = {"deadline": iso(due), "title": title, "responsibleId": owner, "description": description}
        with self._acting(by, hooks):
            self._row(KINDS[kind], row_id)
            return int(create_todo(self.portal, self.event_sender, KINDS[kind].type_id, row_id, given)["id"])

    def complete_todo(self, activity_id: int, *, by: int | None = None, hooks: bool = True) -> None:
        """Complete a to-do, or any activity."""
        with self._acting(by, hooks):
            update_activity(self.portal, self.event_sender, self._other("activities", activity_id), {"COMPLETED": "Y"})

    def delete_todo(self, activity_id: int, *, by: int | None = None, hooks: bool = True) -> None:
        """Delete a to-do, or any activity."""
        with self._acting(by, hooks):
            delete_activity(self.portal, self.event_sender, self._other("activities", activity_id))

    def add_task(
        self,
        title: str,
        *,
        owner: int | None = None,
        deadline: float | None = None,
        about: Sequence[str] = (),
        by: int | None = None,
        hooks: bool = True,
    ) -> int:
        """The id of a new task of the tasks module; `about` names records as `D_1`, `C_2`."""
        with self._acting(by, hooks):
            fields: Row = {"TITLE": title, "RESPONSIBLE_ID": owner or self.portal.actor.user_id}
            fields |= {"UF_CRM_TASK": list(about), "DEADLINE": iso(deadline) if deadline is not None else None}
            return int(create_task(self.portal, self.event_sender, read_task(fields, is_new=True))["id"])

    def complete_task(self, task_id: int, *, by: int | None = None, hooks: bool = True) -> None:
        """Complete a task of the tasks module."""
        with self._acting(by, hooks):
            update_task(self.portal, self.event_sender, self._other("tasks", task_id), {"STATUS": COMPLETED})

    def delete_task(self, task_id: int, *, by: int | None = None, hooks: bool = True) -> None:
        """Delete a task of the tasks module."""
        with self._acting(by, hooks):
            delete_task(self.portal, self.event_sender, self._other("tasks", task_id))

    def add_comment(self, kind: str, row_id: int, text: str, *, by: int | None = None, hooks: bool = True) -> int:
        """The id of a new comment in a record's timeline."""
        with self._acting(by, hooks):
            self._row(KINDS[kind], row_id)
            author = self.portal.actor.user_id
            return int(create_comment(self.portal, self.event_sender, KINDS[kind], row_id, text, author)["id"])

    def add_requisite(self, kind: str, row_id: int, name: str, inn: str, **fields: Any) -> int:
        """The id of new requisites of a contact or a company."""
        with self._acting(None, True):
            self._row(KINDS[kind], row_id)
            place = {"ENTITY_TYPE_ID": KINDS[kind].type_id, "ENTITY_ID": row_id, "PRESET_ID": 1}
            made = save_row(self.portal, "requisites", {"NAME": name, "RQ_INN": inn, **place, **fields})
            self.event_sender.emit("ONCRMREQUISITEADD", {"FIELDS": {"ID": made["id"]}}, made["id"])
            return int(made["id"])

    def call(
        self,
        phone: str,
        *,
        direction: str = "in",
        duration: int = 60,
        owner: int | None = None,
        record_url: str | None = None,
        creates_lead: bool = False,
        hooks: bool = True,
    ) -> str:
        """The CALL_ID of a call through the portal's own telephony; `duration` is in seconds, 0 for a missed one.

        It lands at the contact, company or lead with that phone; at a new lead only if `creates_lead`.
        """
        with self._acting(owner, hooks):
            given = {"PHONE_NUMBER": phone, "CALL_TYPE": DIRECTIONS[direction], "PORTAL_NUMBER": "reg100001"}
            given |= {"PORTAL_USER_ID": str(self.portal.actor.user_id), "EXTERNAL_CALL_ID": secrets.token_hex(8)}
            sender = self.event_sender
            row = register_call(self.portal, sender, given, owner_of(self.portal, phone), creates=creates_lead)
            begun = {"CALL_ID": row["CALL_ID"], "CALL_TYPE": row["CALL_TYPE"], "PHONE_NUMBER": phone}
            sender.emit("ONVOXIMPLANTCALLINIT", begun | {"CALLER_ID": phone}, row["CALL_ID"])
            if duration:
                answered = {"CALL_ID": row["CALL_ID"], "USER_ID": row["PORTAL_USER_ID"]}
                sender.emit("ONVOXIMPLANTCALLSTART", answered, row["CALL_ID"])
            code, reason = ("200", "") if duration else ("304", "Call canceled")
            end = {"CALL_DURATION": str(duration), "CALL_FAILED_CODE": code, "CALL_FAILED_REASON": reason}
            native = {"EXTERNAL_CALL_ID": None, "REST_APP_ID": None, "REST_APP_NAME": None}
            done = finish_call(self.portal, sender, row, end | native | {"CALL_RECORD_URL": record_url})
            return str(done["CALL_ID"])

    def dial(self, phone: str, *, owner: int | None = None, hooks: bool = True) -> str:
        """The CALL_ID of a click on a phone, which asks the app to dial; the app finishes the call itself."""
        with self._acting(owner, hooks):
            user_id = str(self.portal.actor.user_id)
            given = {"PHONE_NUMBER": phone, "CALL_TYPE": OUT, "PORTAL_NUMBER": "REST_APP:", "PORTAL_USER_ID": user_id}
            given["EXTERNAL_CALL_ID"] = secrets.token_hex(8)
            row = register_call(self.portal, self.event_sender, given, owner_of(self.portal, phone), creates=False)
            data = {"PHONE_NUMBER": phone, "PHONE_NUMBER_INTERNATIONAL": phone, "EXTENSION": "", "USER_ID": user_id}
            data |= {"CALL_LIST_ID": "0", "LINE_NUMBER": "", "IS_MOBILE": "0", "CALL_ID": row["CALL_ID"]}
            data |= {name: row[name] or "" for name in ("CRM_ENTITY_TYPE", "CRM_ENTITY_ID")}
            self.event_sender.emit("ONEXTERNALCALLSTART", data, row["CALL_ID"])
            return str(row["CALL_ID"])

    def add_user(self, name: str, last_name: str, email: str, *, is_admin: bool = False, hooks: bool = True) -> int:
        """The id of a new user."""
        with self._acting(None, hooks):
            user_id = add_user(self.portal, name, last_name, email, is_admin=is_admin)
            row = self.portal.shelves["users"][user_id]
            shown = {key: row[key] for key in ("ID", "NAME", "LAST_NAME", "EMAIL")}
            self.event_sender.emit("ONUSERADD", shown | {"ACTIVE": "1"}, user_id)
            return user_id

    def remove_user(self, user_id: int) -> None:
        """Dismiss a user: no longer active, records keep the id."""
        with self.portal.world.lock:
            user = self.portal.shelves["users"][user_id]
            self.portal.shelves["users"][user_id] = {**user, "ACTIVE": False}

    def subscribe(self, url: str, events: Sequence[str] = CRM_EVENTS) -> str:
        """The application token of an outgoing webhook that a person has set up for `events`."""
        with self.portal.world.lock:
            token = self.oauth.application_token
            for event in events:
                add_handler(self.portal, event, url, is_webhook=True, token=token)
            return token

    def install_app(self, url: str) -> None:
        """Send the install event, with tokens, to `url`."""
        self._tell_app("ONAPPINSTALL", url, {"VERSION": "1", "ACTIVE": "Y", "INSTALLED": "Y", "LANGUAGE_ID": "ru"})

    def update_app(self, url: str) -> None:
        """Bring a new version of the app: its handlers go, its tokens stay, `url` hears of it."""
        self._unbind_app()
        versions = {"VERSION": "2", "PREVIOUS_VERSION": "1", "ACTIVE": "Y", "INSTALLED": "Y", "LANGUAGE_ID": "ru"}
        self._tell_app("ONAPPUPDATE", url, versions)

    def uninstall_app(self, url: str) -> None:
        """Remove the app: its handlers and tokens go, `url` hears of it; the next installation has another token."""
        self._unbind_app()
        with self.portal.world.lock:
            self.oauth.revoke_all()
        self._tell_app("ONAPPUNINSTALL", url, {"LANGUAGE_ID": "ru", "CLEAN": "1"})
        with self.portal.world.lock:
            self.oauth.application_token = secrets.token_hex(16)

    def rename_portal(self, host: str) -> None:
        """Give the portal another host, with a port if it needs one; the old one answers with redirects from now on."""
        with self.portal.world.lock:
            scheme, _, rest = self.oauth.base_url.partition("://")
            self.oauth.base_url = f"{scheme}://{host}/{rest.partition('/')[2]}"
            self.oauth.has_moved = True

    def _unbind_app(self) -> None:
        with self.portal.world.lock:
            shelf = self.portal.shelves["handlers"]
            for key in [key for key, row in shelf.items() if not row["is_webhook"]]:
                del shelf[key]

    def _tell_app(self, event: str, url: str, data: Row) -> None:
        with self._acting(None, True):
            handler = {"id": None, "event": event, "handler": url, "auth_type": "0", "is_webhook": False}
            self.event_sender.send(handler, data)

    @contextmanager
    def _acting(self, by: int | None, hooks: bool, robot: bool = False) -> Iterator[None]:
        user_id = self.portal.admin_id if by is None else by
        with self.portal.acting(Actor(user_id, sends_events=hooks, is_robot=robot)):
            yield

    def _row(self, kind: Kind, row_id: int) -> Row:
        row = self.portal.table(kind).live(row_id)
        if row is None:
            raise KeyError(f"no {kind.key} {row_id}")
        return row

    def _other(self, table: str, row_id: int) -> Row:
        row = self.portal.tables[table].live(row_id)
        if row is None:
            raise KeyError(f"no {row_id} among {table}")
        return row

    def _add(self, kind: Kind, fields: Row, by: int | None, hooks: bool) -> int:
        with self._acting(by, hooks):
            write = read_classic(self.portal, kind, self._named(kind, fields), is_new=True)
            self._add_values(write, fields, {})
            return int(changes.create(self.portal, self.event_sender, kind, write)["id"])

    def _update(self, kind: Kind, row_id: int, fields: Row, by: int | None, hooks: bool, robot: bool = False) -> None:
        with self._acting(by, hooks, robot):
            row = self._row(kind, row_id)
            write = read_classic(self.portal, kind, self._named(kind, fields), is_new=False)
            self._add_values(write, fields, row)
            changes.update(self.portal, self.event_sender, kind, row, write)

    def _delete(self, kind: Kind, row_id: int, by: int | None, hooks: bool) -> None:
        with self._acting(by, hooks):
            changes.delete(self.portal, self.event_sender, kind, self._row(kind, row_id))

    def _named(self, kind: Kind, fields: Mapping[str, Any]) -> Row:
        """`fields` by their API names."""
        named: Row = {}
        for name, value in fields.items():
            if name == "stage":
                named[kind.stage] = value
            elif name == "custom_fields":
                named |= dict(self._custom(kind, one, inner) for one, inner in value.items())
            elif name not in ("phones", "emails"):
                named[SHORT.get(name, name)] = value
        known = {*kind.fields, *self.portal.user_fields(kind), "CONTACT_IDS", "COMPANY_IDS", "PHONE", "EMAIL", "WEB"}
        unknown = sorted(set(named) - known - {"IM", "OBSERVER_IDS"})
        if unknown:
            raise KeyError(f"a {kind.key} has no field {', '.join(unknown)}")
        return named

    def _custom(self, kind: Kind, name: str, value: Any) -> tuple[str, Any]:
        for row in self.portal.user_fields(kind).values():
            if name in (row["FIELD_NAME"], row["LIST_COLUMN_LABEL"]):
                items = {item["VALUE"]: item["ID"] for item in row.get("LIST", ())}
                many = [items.get(one, one) for one in value] if isinstance(value, list) else items.get(value, value)
                return row["FIELD_NAME"], many
        raise KeyError(f"no custom field {name!r} of {kind.key}")

    def _add_values(self, write: Write, fields: Row, row: Row) -> None:
        for short, name in (("phones", "PHONE"), ("emails", "EMAIL")):
            if short in fields:
                gone = [{"ID": value["ID"], "DELETE": "Y"} for value in row.get(name, ())]
                write.multifields[name] = [*gone, *({"VALUE": text, "VALUE_TYPE": "WORK"} for text in fields[short])]
