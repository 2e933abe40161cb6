"""The only place where leads, deals, contacts and companies change: the row, its history and its events together."""

from typing import Any

from crmkit_sandbox.wire import Row

from .events import Events
from .kinds import CONTACT, DEAL, LEAD, MULTIFIELDS, Kind
from .multifields import flags, patch
from .portal import Portal, iso, stage_entity
from .values import number_of
from .writes import Write, check_stage

TITLES = {"lead": "Лид", "deal": "Сделка", "company": "Компания"}
CREATED, MOVED, CLOSED, OTHER_PIPELINE = 1, 2, 3, 5
DAY_S, WEEK_S = 86_400, 604_800


def create(portal: Portal, events: Events, kind: Kind, write: Write) -> Row:
    """Make a record."""
    row = blank(portal, kind, portal.take_id(kind.table))
    row |= {name: value for name, value in write.columns.items() if value is not None or name not in row}
    _settle_title(kind, row)
    _apply_links(row, write)
    _apply_multifields(portal, kind, row, write)
    if kind.stage:
        stages = portal.stages(stage_entity(kind, number_of(row.get("CATEGORY_ID"))))
        row[kind.stage] = row[kind.stage] or stages[0]["STATUS_ID"]
        check_stage(portal, kind, number_of(row.get("CATEGORY_ID")), row[kind.stage])
        _enter_stage(portal, kind, row)
        if kind is DEAL:
            row["IS_NEW"] = "Y" if row[kind.stage] == stages[0]["STATUS_ID"] else "N"
    portal.table(kind).put(row)
    if kind.stage:
        _write_history(portal, kind, row, CREATED)
    events.emit(f"ONCRM{kind.event}ADD", kind.told(row["id"]), _object_id(kind, row["id"]))
    return row


def update(portal: Portal, events: Events, kind: Kind, row: Row, write: Write, *, skips_same: bool = False) -> Row:
    """Change a record; `skips_same` saves nothing and sends nothing when all stays as it is.

    Raises Problem 400 for a stage that the pipeline does not have.
    """
    after = {**row, **write.columns}
    _apply_links(after, write)
    _apply_multifields(portal, kind, after, write)
    _settle_title(kind, after)
    if skips_same and after == row:
        return row
    is_moved = bool(kind.stage) and after[kind.stage] != row[kind.stage]
    is_in_other = (kind is DEAL or kind.smart_id > 0) and after["CATEGORY_ID"] != row["CATEGORY_ID"]
    if is_in_other and not is_moved:
        after["STAGE_ID"] = portal.stages(stage_entity(kind, number_of(after["CATEGORY_ID"])))[0]["STATUS_ID"]
        is_moved = True
    if is_moved:
        check_stage(portal, kind, number_of(after.get("CATEGORY_ID")), after[kind.stage])
        _enter_stage(portal, kind, after)
    if is_moved and kind.smart_id:
        after["PREVIOUS_STAGE_ID"] = row[kind.stage]
    if kind is DEAL:
        after["IS_NEW"] = "N"
    _touch(portal, after)
    portal.table(kind).put(after)
    if is_moved:
        is_final = after[kind.semantics] != "P"
        _write_history(portal, kind, after, OTHER_PIPELINE if is_in_other else CLOSED if is_final else MOVED)
    if is_in_other and kind is DEAL:
        place = {"ID": after["id"], "CATEGORY_ID": after["CATEGORY_ID"], "STAGE_ID": after["STAGE_ID"]}
        events.emit("ONCRMDEALMOVETOCATEGORY", {"FIELDS": place}, after["id"])
    tell_update(events, kind, after["id"])
    return after


def delete(portal: Portal, events: Events, kind: Kind, row: Row) -> None:
    """Remove a record for good; links to it go too."""
    _touch(portal, gone := {**row, "is_deleted": True})
    portal.table(kind).put(gone)
    if kind is CONTACT:
        for holder in (DEAL, LEAD):
            _unlink_contact(portal, holder, row["id"])
    events.emit(f"ONCRM{kind.event}DELETE", kind.told(row["id"]), _object_id(kind, row["id"]))


def set_contacts(portal: Portal, events: Events, kind: Kind, row: Row, links: list[Row]) -> None:
    """Replace the contacts of a deal or a lead."""
    after = {**row, "contacts": links, "CONTACT_ID": _primary(links, "CONTACT_ID")}
    _touch(portal, after)
    portal.table(kind).put(after)
    tell_update(events, kind, row["id"])


def set_companies(portal: Portal, events: Events, row: Row, links: list[Row]) -> None:
    """Replace the companies of a contact."""
    after = {**row, "companies": links, "COMPANY_ID": _primary(links, "COMPANY_ID")}
    _touch(portal, after)
    portal.table(CONTACT).put(after)
    tell_update(events, CONTACT, row["id"])


def make_links(name: str, ids: list[int]) -> list[Row]:
    """Links to records, the first of them primary."""
    return [
        {name: row_id, "SORT": (index + 1) * 10, "ROLE_ID": 0, "IS_PRIMARY": "N" if index else "Y"}
        for index, row_id in enumerate(ids)
    ]


def touch_activity(portal: Portal, events: Events, kind: Kind, row_id: int) -> None:
    """Note that something happened at a record; its time of change stays, its update event goes out all the same."""
    row = portal.table(kind).live(row_id)
    if row is None:
        return
    stamp = {"LAST_ACTIVITY_TIME": portal.stamp(), "LAST_ACTIVITY_BY": str(portal.actor.user_id)}
    portal.table(kind).put({**row, **stamp})
    tell_update(events, kind, row_id)


def tell_update(events: Events, kind: Kind, row_id: int) -> None:
    """Send the update event of a record."""
    events.emit(f"ONCRM{kind.event}UPDATE", kind.told(row_id), _object_id(kind, row_id))


def blank(portal: Portal, kind: Kind, row_id: int) -> Row:
    """A record with nothing filled in but who made it and when."""
    now, stamp = portal.now(), portal.stamp()
    actor = str(portal.actor.user_id)
    row: Row = {"id": row_id, "updated_at": now, "is_deleted": False, "contacts": [], "companies": [], "observers": []}
    row |= {name: "N" if spec.type == "char" else None for name, spec in kind.fields.items()}
    row |= {"ID": str(row_id), "ASSIGNED_BY_ID": actor, "CREATED_BY_ID": actor, "MODIFY_BY_ID": actor}
    row |= {"DATE_CREATE": stamp, "DATE_MODIFY": stamp, "OPENED": "Y"}
    row |= {"LAST_ACTIVITY_TIME": stamp, "LAST_ACTIVITY_BY": actor}
    if "OPPORTUNITY" in row:
        row |= {"OPPORTUNITY": "0.00", "CURRENCY_ID": "RUB"}
    if "BIRTHDATE" in row:
        row["BIRTHDATE"] = ""
    if kind is DEAL:
        today = now - (now + 3 * 3600) % DAY_S
        row |= {"BEGINDATE": iso(today), "CLOSEDATE": iso(today + WEEK_S), "CATEGORY_ID": "0", "TYPE_ID": "SALE"}
        row["TAX_VALUE"] = "0.00"
    if kind.smart_id:
        row |= {"CATEGORY_ID": str(portal.smart_type(kind.type_id)["categories"][0]["id"]), "TAX_VALUE": "0.00"}
    row |= dict.fromkeys((name for name in portal.user_fields(kind)), None)
    return row


def _object_id(kind: Kind, row_id: int) -> int | str:
    """Whose event it is in the offline queue: items of all smart processes have the same events."""
    return f"{kind.type_id}.{row_id}" if kind.smart_id else row_id


def _settle_title(kind: Kind, row: Row) -> None:
    if (kind.key in TITLES or kind.smart_id) and not row["TITLE"]:
        row["TITLE"] = f"{TITLES.get(kind.key, 'Элемент')} #{row['id']}"


def _apply_links(row: Row, write: Write) -> None:
    if write.contacts is not None:
        row["contacts"] = make_links("CONTACT_ID", write.contacts)
        row["CONTACT_ID"] = _primary(row["contacts"], "CONTACT_ID")
    if write.companies is not None:
        row["companies"] = make_links("COMPANY_ID", write.companies)
        row["COMPANY_ID"] = _primary(row["companies"], "COMPANY_ID")
    if write.observers is not None:
        row["observers"] = write.observers


def _apply_multifields(portal: Portal, kind: Kind, row: Row, write: Write) -> None:
    if not kind.has_multifields:
        return
    for name in MULTIFIELDS:
        if name in write.multifields:
            values = patch(portal, name, row.get(name) or [], write.multifields[name])
            # The key is absent when there is no value.
            row.pop(name, None)
            if values:
                row[name] = values
    row |= flags(row)


def _enter_stage(portal: Portal, kind: Kind, row: Row) -> None:
    stage = check_stage(portal, kind, number_of(row.get("CATEGORY_ID")), row[kind.stage])
    row[kind.semantics] = stage["SEMANTICS"] or "P"
    is_closed = bool(stage["SEMANTICS"])
    row |= {"MOVED_BY_ID": str(portal.actor.user_id), "MOVED_TIME": portal.stamp()}
    if kind is LEAD:
        row["DATE_CLOSED"] = portal.stamp() if is_closed else ""
        return
    row["CLOSED"] = "Y" if is_closed else "N"
    if is_closed:
        now = portal.now()
        row["CLOSEDATE"] = iso(now - (now + 3 * 3600) % DAY_S)


def _write_history(portal: Portal, kind: Kind, row: Row, type_id: int) -> None:
    made: Row = {
        "id": portal.take_id("history"),
        "updated_at": portal.now(),
        "is_deleted": False,
        "entity": kind.type_id,
        "TYPE_ID": type_id,
        "OWNER_ID": row["id"],
        "CREATED_TIME": portal.stamp(),
    }
    if kind is not LEAD:
        made |= {"CATEGORY_ID": number_of(row["CATEGORY_ID"])}
    made |= {kind.semantics: row[kind.semantics], kind.stage: row[kind.stage]}
    portal.tables["history"].put({**made, "ID": made["id"]})


def _touch(portal: Portal, row: Row) -> None:
    row |= {"updated_at": portal.now(), "DATE_MODIFY": portal.stamp(), "MODIFY_BY_ID": str(portal.actor.user_id)}


def _primary(links: list[Row], name: str) -> str | None:
    found: Any = next((link[name] for link in links if link["IS_PRIMARY"] == "Y"), None)
    return str(found) if found else None


def _unlink_contact(portal: Portal, kind: Kind, contact_id: int) -> None:
    for row in list(portal.table(kind).rows()):
        kept = [link["CONTACT_ID"] for link in row["contacts"] if link["CONTACT_ID"] != contact_id]
        if len(kept) != len(row["contacts"]):
            links = make_links("CONTACT_ID", kept)
            portal.table(kind).put({**row, "contacts": links, "CONTACT_ID": _primary(links, "CONTACT_ID")})
