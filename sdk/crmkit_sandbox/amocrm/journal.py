"""The event feed: what happened to which record, with the values before and after."""

from collections.abc import Iterable, Sequence
from typing import Any

from crmkit_sandbox.wire import Row

from .account import SINGULAR, Account
from .fields import TYPE_NUMBERS, value_text

CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


def record(
    account: Account,
    kind: str,
    row_id: int,
    type_: str,
    *,
    before: Sequence[Row] = (),
    after: Sequence[Row] = (),
    created_by: int | None = None,
) -> Row:
    """Append an event in the name of the acting user, or of `created_by`."""
    event: Row = {
        "id": _event_id(account),
        "type": type_,
        "entity_id": row_id,
        "entity_type": SINGULAR.get(kind, kind),
        "created_by": account.actor.user_id if created_by is None else created_by,
        "created_at": account.now(),
        "value_after": list(after),
        "value_before": list(before),
        "account_id": account.id,
    }
    account.events.append(event)
    return event


def record_changes(account: Account, kind: str, before: Row, after: Row) -> None:
    """Append the events that tell `before` from `after` of a lead, contact or company."""
    row_id = after["id"]
    if kind == "leads":
        _record_stage(account, before, after)
        if before["price"] != after["price"]:
            pair = (_sale(before["price"]), _sale(after["price"]))
            record(account, kind, row_id, "sale_field_changed", before=[pair[0]], after=[pair[1]])
    if before["responsible_user_id"] != after["responsible_user_id"]:
        record(
            account,
            kind,
            row_id,
            "entity_responsible_changed",
            before=[{"responsible_user": {"id": before["responsible_user_id"]}}],
            after=[{"responsible_user": {"id": after["responsible_user_id"]}}],
        )
    if before["name"] != after["name"]:
        record(
            account,
            kind,
            row_id,
            "name_field_changed",
            before=[{"name_field_value": {"name": before["name"]}}],
            after=[{"name_field_value": {"name": after["name"]}}],
        )
    _record_fields(account, kind, before, after)
    _record_tags(account, kind, before, after)


def record_link(account: Account, kind: str, row_id: int, to_kind: str, to_id: int, *, is_linked: bool) -> None:
    """Append the event of a new or a removed link."""
    entity = {"entity": {"type": SINGULAR.get(to_kind, to_kind), "id": to_id}}
    if is_linked:
        record(account, kind, row_id, "entity_linked", after=[{"link": entity}])
    else:
        record(account, kind, row_id, "entity_unlinked", before=[{"unlink": entity}])


def record_note(account: Account, note: Row) -> None:
    """Append the event of a new note, if its type has one."""
    type_ = NOTE_EVENTS.get(note["note_type"])
    if type_ is not None:
        after = [{"note": {"id": note["id"]}}]
        kind, row_id = note["entity_type"], note["entity_id"]
        record(account, kind, row_id, type_, after=after, created_by=note["created_by"])


NOTE_EVENTS = {
    "common": "common_note_added",
    "attachment": "attachment_note_added",
    "call_in": "incoming_call",
    "call_out": "outgoing_call",
    "sms_in": "incoming_sms",
    "sms_out": "outgoing_sms",
    "service_message": "service_note_added",
    "extended_service_message": "service_note_added",
    "geolocation": "geo_note_added",
    "message_cashier": "message_to_cashier_note_added",
}
PLAIN_TYPES = (
    *(f"{kind}_{verb}" for kind in ("lead", "contact", "company") for verb in ("added", "deleted", "restored")),
    *(f"{kind}_{verb}" for kind in ("lead", "contact", "company") for verb in ("linked", "unlinked")),
    "lead_status_changed",
    "task_added",
    "task_deleted",
    "task_completed",
    "task_type_changed",
    "task_text_changed",
    "task_deadline_changed",
    "task_result_added",
    "entity_tag_added",
    "entity_tag_deleted",
    "entity_linked",
    "entity_unlinked",
    "entity_responsible_changed",
    "entity_merged",
    "sale_field_changed",
    "name_field_changed",
    "custom_field_value_changed",
    *sorted(set(NOTE_EVENTS.values())),
)


def _record_stage(account: Account, before: Row, after: Row) -> None:
    stages = [{"id": row["status_id"], "pipeline_id": row["pipeline_id"]} for row in (before, after)]
    if stages[0] != stages[1]:
        record(
            account,
            "leads",
            after["id"],
            "lead_status_changed",
            before=[{"lead_status": stages[0]}],
            after=[{"lead_status": stages[1]}],
        )


def _sale(price: int) -> Row:
    return {"sale_field_value": {"sale": price, "sale_with_minor_units": float(price)}}


def _record_fields(account: Account, kind: str, before: Row, after: Row) -> None:
    old = {value["field_id"]: value for value in before["custom_fields_values"] or ()}
    new = {value["field_id"]: value for value in after["custom_fields_values"] or ()}
    for field_id in [*old, *(field_id for field_id in new if field_id not in old)]:
        if _inner(old.get(field_id)) == _inner(new.get(field_id)):
            continue
        record(
            account,
            kind,
            after["id"],
            f"custom_field_{field_id}_value_changed",
            before=_field_values(old.get(field_id)),
            after=_field_values(new.get(field_id)),
        )


def _inner(value: Row | None) -> Any:
    return value["values"] if value else None


def _field_values(value: Row | None) -> list[Row]:
    if value is None:
        return []
    return [
        {
            "custom_field_value": {
                "field_id": value["field_id"],
                "field_type": TYPE_NUMBERS.get(value["field_type"], 1),
                "enum_id": item.get("enum_id"),
                "text": value_text(item),
            }
        }
        for item in value["values"]
    ]


def _record_tags(account: Account, kind: str, before: Row, after: Row) -> None:
    old = [tag["name"] for tag in before["tags"]]
    new = [tag["name"] for tag in after["tags"]]
    added, gone = _tags(name for name in new if name not in old), _tags(name for name in old if name not in new)
    if added:
        record(account, kind, after["id"], "entity_tag_added", after=added)
    if gone:
        record(account, kind, after["id"], "entity_tag_deleted", before=gone)


def _tags(names: Iterable[str]) -> list[Row]:
    return [{"tag": {"name": name}} for name in names]


def _event_id(account: Account) -> str:
    # 26 letters as in the vendor's samples: milliseconds first, then a counter, so that ids grow with time.
    number = (int(account.world.clock.now() * 1000) << 80) | account.ids.take("events", start=1)
    letters = []
    for _ in range(26):
        number, rest = divmod(number, 32)
        letters.append(CROCKFORD[rest])
    return "".join(reversed(letters))
