"""What people do in the web interface: each act changes records, writes events and sends hooks."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from crmkit_sandbox.wire import Row

from . import changes
from .account import Account, Actor, Kind
from .hooks import Hooks
from .notes import create_call, create_note, read_call, read_note
from .subscriptions import add_webhook
from .tasks import create_task, delete_task, read_task, update_task
from .unsorted import accept, create_unsorted, decline, read_unsorted
from .writes import read_write

CALL_TYPES = {"in": "call_in", "inbound": "call_in", "out": "call_out", "outbound": "call_out"}


class Person:
    """Acts of people. `by` is the acting user (the owner if left out); `hooks=False` loses the hooks of the act.

    Fields are written as the API takes them, and shorter: `tags=["a"]`, `phones=["+7..."]`, `emails=[...]`,
    `custom_fields={id, code or name: value or values}`, `contacts=[id]`, `company=id`.

    Raises ValueError with the vendor's faults when a field is refused, KeyError for an unknown record.
    """

    def __init__(self, account: Account, hook_sender: Hooks) -> None:
        self.account = account
        self.hook_sender = hook_sender

    def add_lead(self, *, by: int | None = None, hooks: bool = True, **fields: Any) -> int:
        """The id of a new lead."""
        return self._add("leads", fields, by, hooks)

    def add_contact(self, *, by: int | None = None, hooks: bool = True, **fields: Any) -> int:
        """The id of a new contact."""
        return self._add("contacts", fields, by, hooks)

    def add_company(self, *, by: int | None = None, hooks: bool = True, **fields: Any) -> int:
        """The id of a new company."""
        return self._add("companies", fields, by, hooks)

    def add_customer(self, name: str, *, of: Sequence[tuple[Kind, int]] = ()) -> int:
        """The id of a new customer, linked with these contacts and companies."""
        with self._acting(None, True):
            customer_id = self.account.take_id("customers")
            self.account.shelves["customers"][customer_id] = {"id": customer_id, "name": name}
            for place in of:
                changes.link(self.account, place, ("customers", customer_id), {})
        return customer_id

    def update_lead(self, lead_id: int, *, by: int | None = None, hooks: bool = True, **fields: Any) -> None:
        """Change a lead."""
        self._update("leads", lead_id, fields, by, hooks)

    def update_contact(self, contact_id: int, *, by: int | None = None, hooks: bool = True, **fields: Any) -> None:
        """Change a contact."""
        self._update("contacts", contact_id, fields, by, hooks)

    def update_company(self, company_id: int, *, by: int | None = None, hooks: bool = True, **fields: Any) -> None:
        """Change a company."""
        self._update("companies", company_id, fields, by, hooks)

    def move_lead(
        self,
        lead_id: int,
        status_id: int,
        pipeline_id: int | None = None,
        *,
        loss_reason_id: int | None = None,
        by: int | None = None,
        hooks: bool = True,
    ) -> None:
        """Drag a lead to another stage."""
        fields: Row = {"status_id": status_id}
        if pipeline_id is not None:
            fields["pipeline_id"] = pipeline_id
        if loss_reason_id is not None:
            fields["loss_reason_id"] = loss_reason_id
        self._update("leads", lead_id, fields, by, hooks)

    def delete_lead(self, lead_id: int, *, by: int | None = None, hooks: bool = True) -> None:
        """Move a lead to the bin."""
        self._delete("leads", lead_id, by, hooks)

    def delete_contact(self, contact_id: int, *, by: int | None = None, hooks: bool = True) -> None:
        """Move a contact to the bin."""
        self._delete("contacts", contact_id, by, hooks)

    def delete_company(self, company_id: int, *, by: int | None = None, hooks: bool = True) -> None:
        """Move a company to the bin."""
        self._delete("companies", company_id, by, hooks)

    def restore(self, kind: Kind, row_id: int, *, by: int | None = None, hooks: bool = True) -> None:
        """Take a record out of the bin."""
        with self._acting(by, hooks):
            changes.restore(self.account, self.hook_sender, kind, row_id)

    def merge(
        self, kind: Kind, winner: int, losers: Sequence[int], *, by: int | None = None, hooks: bool = True
    ) -> None:
        """Merge records into `winner`."""
        with self._acting(by, hooks):
            changes.merge(self.account, self.hook_sender, kind, winner, list(losers))

    def link(self, kind: Kind, row_id: int, to_kind: Kind, to_id: int, *, is_main: bool = False) -> None:
        """Link two records."""
        with self._acting(None, True):
            data = {"main_contact": is_main} if to_kind == "contacts" else {}
            changes.link(self.account, (kind, row_id), (to_kind, to_id), data)

    def unlink(self, kind: Kind, row_id: int, to_kind: Kind, to_id: int) -> None:
        """Unlink two records."""
        with self._acting(None, True):
            changes.unlink(self.account, (kind, row_id), (to_kind, to_id))

    def add_task(
        self, text: str, complete_till: int | None = None, *, by: int | None = None, hooks: bool = True, **fields: Any
    ) -> int:
        """The id of a new task; due in a day when `complete_till` is left out."""
        with self._acting(by, hooks):
            due = self.account.now() + 86400 if complete_till is None else complete_till
            columns, errors = read_task(self.account, {"text": text, "complete_till": due, **fields})
            _refuse(errors)
            return int(create_task(self.account, self.hook_sender, columns)["id"])

    def update_task(self, task_id: int, *, by: int | None = None, hooks: bool = True, **fields: Any) -> None:
        """Change a task."""
        with self._acting(by, hooks):
            columns, errors = read_task(self.account, fields, task_id)
            _refuse(errors)
            update_task(self.account, self.hook_sender, task_id, columns)

    def complete_task(
        self, task_id: int, result: str | None = None, *, by: int | None = None, hooks: bool = True
    ) -> None:
        """Close a task, with a result or without."""
        fields: Row = {"is_completed": True}
        if result is not None:
            fields["result"] = {"text": result}
        self.update_task(task_id, by=by, hooks=hooks, **fields)

    def delete_task(self, task_id: int, *, by: int | None = None, hooks: bool = True) -> None:
        """Delete a task."""
        with self._acting(by, hooks):
            delete_task(self.account, self.hook_sender, task_id)

    def add_note(
        self, entity_type: Kind, entity_id: int, text: str, *, by: int | None = None, hooks: bool = True
    ) -> int:
        """The id of a new text note."""
        item = {"entity_id": entity_id, "note_type": "common", "params": {"text": text}}
        return self._note(entity_type, item, by, hooks)

    def add_call_note(
        self,
        entity_type: Kind,
        entity_id: int,
        *,
        direction: str = "in",
        phone: str = "+79001112233",
        duration: int = 60,
        link: str | None = None,
        uniq: str | None = None,
        source: str = "sandbox",
        call_status: int | None = None,
        responsible_user_id: int | None = None,
        by: int | None = None,
        hooks: bool = True,
    ) -> int:
        """The id of the note of a call; `duration` is in seconds, 0 for a missed one."""
        given = {
            "uniq": uniq or f"call-{self.account.ids.take('calls', start=1)}",
            "duration": duration,
            "source": source,
            "link": link,
            "phone": phone,
            "call_status": call_status,
            "call_responsible": responsible_user_id,
        }
        params = {name: value for name, value in given.items() if value is not None}
        item: Row = {"entity_id": entity_id, "note_type": CALL_TYPES[direction], "params": params}
        if responsible_user_id is not None:
            item["responsible_user_id"] = responsible_user_id
        return self._note(entity_type, item, by, hooks)

    def call(
        self, phone: str, *, direction: str = "in", duration: int = 60, hooks: bool = True, **more: Any
    ) -> int | None:
        """The id of the note of a call that telephony logs by its phone, None when nobody has that phone."""
        item = {
            "direction": "inbound" if CALL_TYPES[direction] == "call_in" else "outbound",
            "phone": phone,
            "duration": duration,
            "source": "sandbox",
            "uniq": f"call-{self.account.ids.take('calls', start=1)}",
            **more,
        }
        with self._acting(0, hooks):
            params, errors = read_call(self.account, item)
            _refuse(errors)
            note = create_call(self.account, self.hook_sender, item, params)
            return int(note["id"]) if note else None

    def add_form_lead(self, name: str, *, phone: str | None = None, hooks: bool = True) -> str:
        """The uid of an incoming lead from a site form."""
        metadata = {"form_id": "1", "form_name": "Заявка", "form_page": "https://romashka.example"}
        metadata |= {"form_sent_at": str(self.account.now())}
        embedded: Row = {"leads": [{"name": name}]}
        if phone is not None:
            embedded["contacts"] = [self._item("contacts", {"name": name, "phones": [phone]})]
        item = {"source_uid": "form-1", "source_name": "Сайт", "metadata": metadata, "_embedded": embedded}
        with self._acting(0, hooks):
            writes, errors = read_unsorted(self.account, "forms", item, "0")
            _refuse(errors)
            return str(create_unsorted(self.account, self.hook_sender, "forms", item, writes)["uid"])

    def accept_unsorted(
        self, uid: str, *, status_id: int | None = None, by: int | None = None, hooks: bool = True
    ) -> None:
        """Accept an incoming lead."""
        with self._acting(by, hooks):
            row = self.account.shelves["unsorted"][uid]
            accept(self.account, self.hook_sender, row, self.account.actor.user_id, status_id)

    def decline_unsorted(self, uid: str, *, by: int | None = None, hooks: bool = True) -> None:
        """Decline an incoming lead."""
        with self._acting(by, hooks):
            decline(self.account, self.hook_sender, self.account.shelves["unsorted"][uid])

    def remove_user(self, user_id: int) -> None:
        """Remove a user; records keep the id."""
        with self.account.world.lock:
            del self.account.shelves["users"][user_id]

    def subscribe(self, destination: str, settings: Sequence[str]) -> int:
        """The id of a webhook subscription."""
        with self._acting(None, True):
            return int(add_webhook(self.account, destination, list(settings))["id"])

    @contextmanager
    def _acting(self, by: int | None, hooks: bool) -> Iterator[None]:
        with self.account.acting(Actor(self.account.owner_id if by is None else by, sends_hooks=hooks)):
            yield

    def _add(self, kind: Kind, fields: Row, by: int | None, hooks: bool) -> int:
        with self._acting(by, hooks):
            write, errors = read_write(self.account, kind, self._item(kind, fields), "0")
            _refuse(errors)
            return int(changes.create(self.account, self.hook_sender, write)["id"])

    def _update(self, kind: Kind, row_id: int, fields: Row, by: int | None, hooks: bool) -> None:
        with self._acting(by, hooks):
            before = self.account.tables[kind].live(row_id)
            if before is None:
                raise KeyError(f"no {kind} {row_id} in account {self.account.id}")
            write, errors = read_write(self.account, kind, self._item(kind, fields), "0", row_id)
            _refuse(errors)
            changes.update(self.account, self.hook_sender, write)

    def _delete(self, kind: Kind, row_id: int, by: int | None, hooks: bool) -> None:
        with self._acting(by, hooks):
            changes.delete(self.account, self.hook_sender, kind, row_id)

    def _note(self, kind: Kind, item: Row, by: int | None, hooks: bool) -> int:
        with self._acting(by, hooks):
            columns, errors = read_note(self.account, kind, item)
            _refuse(errors)
            return int(create_note(self.account, self.hook_sender, kind, columns)["id"])

    def _item(self, kind: Kind, fields: Mapping[str, Any]) -> Row:
        """`fields` as the API takes them."""
        item, embedded = dict(fields), dict(fields.get("_embedded") or {})
        values = list(item.get("custom_fields_values") or ())
        for name, code in (("phones", "PHONE"), ("emails", "EMAIL")):
            if name in item:
                values.append({"field_code": code, "values": [{"value": text} for text in item.pop(name)]})
        for name, value in (item.pop("custom_fields", None) or {}).items():
            values.append({"field_id": self._field_id(kind, name), "values": _values(value)})
        if values:
            item["custom_fields_values"] = values
        if "tags" in item:
            embedded["tags"] = [{"name": tag} if isinstance(tag, str) else tag for tag in item.pop("tags")]
        if "contacts" in item:
            embedded["contacts"] = [{"id": contact} for contact in item.pop("contacts")]
        if "company" in item:
            embedded["companies"] = [{"id": item.pop("company")}]
        return {**item, "_embedded": embedded} if embedded else item

    def _field_id(self, kind: Kind, name: int | str) -> int:
        for field in self.account.fields[kind].values():
            if name in (field["id"], field["code"], field["name"], str(field["id"])):
                return int(field["id"])
        raise KeyError(f"no custom field {name!r} of {kind}")


def _values(value: Any) -> list[Row] | None:
    if value is None:
        return None
    many = value if isinstance(value, list) else [value]
    return [
        one if isinstance(one, dict) and {"value", "enum_id", "enum_code"} & set(one) else {"value": one}
        for one in many
    ]


def _refuse(errors: list[Row]) -> None:
    if errors:
        raise ValueError("; ".join(f"{error['path']}: {error['code']}" for error in errors))
