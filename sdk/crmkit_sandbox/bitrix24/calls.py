"""Calls of telephony: registered, finished, kept in the statistics and in the timeline of a record."""

import secrets

from crmkit_sandbox.wire import Row

from .activities import log_call
from .changes import create
from .events import Events
from .kinds import COMPANY, CONTACT, KINDS, LEAD, Kind
from .portal import Portal
from .writes import Write

OUT, IN, IN_REDIRECTED, CALLBACK, INFO = "1", "2", "3", "4", "5"
REPEATED_WITHIN_S = 1800


def owner_of(portal: Portal, phone: str) -> tuple[Kind, int] | None:
    """The record that a phone belongs to: a contact before a company before a lead."""
    for kind in (CONTACT, COMPANY, LEAD):
        found = portal.search[kind.key].by_phone(phone)
        if found:
            return kind, found[0]
    return None


def register_call(portal: Portal, events: Events, given: Row, owner: tuple[Kind, int] | None, *, creates: bool) -> Row:
    """A call that has begun; the same one within half an hour if it is registered again.

    `given` has PHONE_NUMBER, CALL_TYPE, PORTAL_USER_ID, PORTAL_NUMBER and EXTERNAL_CALL_ID.
    """
    now = portal.now()
    for known in portal.tables["calls"].rows():
        is_same = all(known[name] == value for name, value in given.items() if name != "CALL_START_DATE")
        if is_same and known["registered_at"] > now - REPEATED_WITHIN_S:
            return known
    made: list[Row] = []
    if owner is None and creates:
        owner, made = _create_owner(portal, events, given)
    row_id = portal.take_id("calls")
    row: Row = {"id": row_id, "updated_at": now, "is_deleted": False, "registered_at": now, "is_finished": False}
    row |= {"created": made, "ID": str(row_id), "CALL_ID": f"externalCall.{secrets.token_hex(16)}.{now}"}
    row |= {"CALL_CATEGORY": "external", "CALL_LOG": None, "CALL_DURATION": "0", "CALL_START_DATE": portal.stamp()}
    row |= {"CALL_RECORD_URL": None, "CALL_VOTE": None, "COST": "0.0000", "COST_CURRENCY": "", "CALL_FAILED_CODE": ""}
    row |= {"CALL_FAILED_REASON": "", "CRM_ACTIVITY_ID": None, "REST_APP_ID": "1", "REST_APP_NAME": "crm"}
    row |= {"TRANSCRIPT_ID": None, "TRANSCRIPT_PENDING": "N", "SESSION_ID": None, "REDIAL_ATTEMPT": None}
    row |= {"COMMENT": None, "RECORD_DURATION": None, "RECORD_FILE_ID": None}
    row |= {"CRM_ENTITY_TYPE": owner[0].event if owner else None, "CRM_ENTITY_ID": str(owner[1]) if owner else None}
    return portal.tables["calls"].put(row | given)


def finish_call(portal: Portal, events: Events, row: Row, given: Row) -> Row:
    """Put a call into the statistics, make its activity and send its event; a finished one is only updated."""
    after = {**row, **given, "is_finished": True, "updated_at": portal.now()}
    is_in = after["CALL_TYPE"] in (IN, IN_REDIRECTED)
    kind = KINDS.get(str(after["CRM_ENTITY_TYPE"] or "").lower())
    if kind is not None and not row["is_finished"]:
        places = [(kind.type_id, int(after["CRM_ENTITY_ID"]))]
        places += _open_deals(portal, kind, int(after["CRM_ENTITY_ID"]))
        activity = log_call(portal, events, places, after, is_in=is_in)
        after["CRM_ACTIVITY_ID"] = str(activity["id"])
    portal.tables["calls"].put(after)
    names = ("CALL_ID", "CALL_TYPE", "PHONE_NUMBER", "PORTAL_NUMBER", "PORTAL_USER_ID", "CALL_DURATION")
    data = {name: after[name] for name in (*names, "CALL_START_DATE")}
    data |= {"COST": "0", "COST_CURRENCY": "", "CALL_FAILED_CODE": after["CALL_FAILED_CODE"]}
    data |= {"CALL_FAILED_REASON": after["CALL_FAILED_REASON"], "CRM_ACTIVITY_ID": after["CRM_ACTIVITY_ID"] or "0"}
    if not row["is_finished"]:
        events.emit("ONVOXIMPLANTCALLEND", data, after["CALL_ID"])
    return after


def attach_record(portal: Portal, row: Row, url: str | None) -> int:
    """The id of the file of a call's record; a second record replaces the first."""
    file_id = portal.take_id("files", 501)
    portal.tables["calls"].put({**row, "RECORD_FILE_ID": file_id, "CALL_RECORD_URL": url, "updated_at": portal.now()})
    return file_id


def _create_owner(portal: Portal, events: Events, given: Row) -> tuple[tuple[Kind, int], list[Row]]:
    kind = CONTACT if portal.is_simple else LEAD
    phone = {"VALUE": given["PHONE_NUMBER"], "VALUE_TYPE": "WORK"}
    columns = {"ASSIGNED_BY_ID": given["PORTAL_USER_ID"], "SOURCE_ID": "CALL"}
    title = f"{given['PHONE_NUMBER']} - Входящий звонок"
    columns |= {"NAME": title} if kind is CONTACT else {"TITLE": title}
    row = create(portal, events, kind, Write(columns, {"PHONE": [phone]}))
    return (kind, row["id"]), [{"ENTITY_TYPE": kind.event, "ENTITY_ID": row["id"]}]


def _open_deals(portal: Portal, kind: Kind, owner_id: int) -> list[tuple[int, int]]:
    # A call shows in the open deals of the person too.
    if kind is not CONTACT:
        return []
    found = portal.deals_of.ids(str(owner_id))
    rows = [portal.tables["deals"].live(row_id) for row_id in found]
    return [(2, row["id"]) for row in rows if row is not None and row["CLOSED"] == "N"]
