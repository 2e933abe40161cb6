"""Hundreds of thousands of records, made only when read."""

from crmkit_sandbox.store import Bulk
from crmkit_sandbox.wire import Row

from .changes import blank, make_links
from .kinds import CONTACT, DEAL, Kind
from .portal import Portal, iso

STEP_S = 7
OPEN_STAGES = ("NEW", "PREPARATION", "PREPAYMENT_INVOICE", "EXECUTING", "FINAL_INVOICE")


def bulk_deals(portal: Portal, count: int, contacts: range = range(0)) -> range:
    """The ids of `count` new deals over the open stages of the default pipeline, without events or history.

    With `contacts` each deal has one of them.
    """
    ids, template, users, begin = _prepare(portal, DEAL, count)
    template |= {"STAGE_SEMANTIC_ID": "P", "IS_MANUAL_OPPORTUNITY": "Y"}

    def changed_at(row_id: int) -> int:
        return begin + (row_id - ids.start) * STEP_S

    def make(row_id: int) -> Row:
        owner, stamp = users[row_id % len(users)], iso(changed_at(row_id))
        row = {**template, "id": row_id, "ID": str(row_id), "updated_at": changed_at(row_id)}
        row |= _times(owner, stamp)
        row |= {"TITLE": f"Сделка {row_id}", "OPPORTUNITY": f"{row_id % 1000 * 100}.00"}
        row |= {"STAGE_ID": OPEN_STAGES[row_id % len(OPEN_STAGES)], "MOVED_BY_ID": owner, "MOVED_TIME": stamp}
        if contacts:
            contact = contacts[row_id % len(contacts)]
            row |= {"contacts": make_links("CONTACT_ID", [contact]), "CONTACT_ID": str(contact)}
        return row

    portal.table(DEAL).extend(Bulk(ids.start, count, make, changed_at))
    return ids


def bulk_contacts(portal: Portal, count: int) -> range:
    """The ids of `count` new contacts, each with a phone and an e-mail of its own, without events."""
    ids, template, users, begin = _prepare(portal, CONTACT, count)
    values = portal.ids.take("multifields", start=1, count=2 * count)
    template |= {"NAME": "Контакт", "HAS_PHONE": "Y", "HAS_EMAIL": "Y"}

    def changed_at(row_id: int) -> int:
        return begin + (row_id - ids.start) * STEP_S

    def make(row_id: int) -> Row:
        owner, number = users[row_id % len(users)], row_id - ids.start
        row = {**template, "id": row_id, "ID": str(row_id), "updated_at": changed_at(row_id)}
        row |= _times(owner, iso(changed_at(row_id))) | {"LAST_NAME": str(number)}
        row["PHONE"] = [_value("PHONE", values + 2 * number, f"+7921{number:07d}")]
        row["EMAIL"] = [_value("EMAIL", values + 2 * number + 1, f"client{number}@mail.example")]
        return row

    portal.table(CONTACT).extend(Bulk(ids.start, count, make, changed_at))
    return ids


def _prepare(portal: Portal, kind: Kind, count: int) -> tuple[range, Row, list[str], int]:
    first = portal.ids.take(kind.table, start=1, count=count)
    users = [str(user_id) for user_id in sorted(portal.shelves["users"])]
    return range(first, first + count), blank(portal, kind, 0), users, portal.now() - count * STEP_S


def _times(owner: str, stamp: str) -> Row:
    return {
        "ASSIGNED_BY_ID": owner,
        "CREATED_BY_ID": owner,
        "MODIFY_BY_ID": owner,
        "DATE_CREATE": stamp,
        "DATE_MODIFY": stamp,
        "LAST_ACTIVITY_TIME": stamp,
        "LAST_ACTIVITY_BY": owner,
    }


def _value(type_: str, value_id: int, text: str) -> Row:
    return {"ID": str(value_id), "VALUE_TYPE": "WORK", "VALUE": text, "TYPE_ID": type_}
