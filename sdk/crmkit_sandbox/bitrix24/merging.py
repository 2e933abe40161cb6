"""Merging records: filled fills empty, two different fillings are a conflict and nothing changes."""

from crmkit_sandbox.wire import Row

from .changes import delete, make_links, tell_update
from .events import Events
from .kinds import MULTIFIELDS, Kind
from .portal import Portal

# These never conflict: the winner's stay.
OWN = frozenset(
    [
        "ID",
        "TITLE",
        "DATE_CREATE",
        "DATE_MODIFY",
        "CREATED_BY_ID",
        "MODIFY_BY_ID",
        "ASSIGNED_BY_ID",
        "OPENED",
        "LAST_ACTIVITY_TIME",
        "LAST_ACTIVITY_BY",
        "MOVED_BY_ID",
        "MOVED_TIME",
        "HAS_PHONE",
        "HAS_EMAIL",
        "HAS_IMOL",
        "CONTACT_ID",
        "IS_NEW",
        "BEGINDATE",
        "CLOSEDATE",
        "CLOSED",
        "STAGE_SEMANTIC_ID",
        "STATUS_SEMANTIC_ID",
        "DATE_CLOSED",
        "ORIGINATOR_ID",
        "ORIGIN_ID",
        "ORIGIN_VERSION",
        "EXPORT",
        "COMMENTS",
        "IS_RETURN_CUSTOMER",
        "IS_REPEATED_APPROACH",
        "IS_MANUAL_OPPORTUNITY",
        "TAX_VALUE",
        "PROBABILITY",
    ]
)
EMPTY: tuple[object, ...] = (None, "", "0", "0.00", "N", False, [])


def conflicts(portal: Portal, kind: Kind, rows: list[Row]) -> list[str]:
    """The fields that two records fill differently."""
    names = [name for name in (*kind.fields, *portal.user_fields(kind)) if name not in OWN]
    found = []
    for name in names:
        filled = {str(row.get(name)) for row in rows if row.get(name) not in EMPTY}
        if len(filled) > 1:
            found.append(name)
    return found


def merge(portal: Portal, events: Events, kind: Kind, rows: list[Row]) -> list[int]:
    """Merge the others into the first of `rows`; the ids that are gone."""
    winner, *losers = rows
    after = {**winner}
    for loser in losers:
        for name in (*kind.fields, *portal.user_fields(kind)):
            if after.get(name) in EMPTY and loser.get(name) not in EMPTY:
                after[name] = loser[name]
        for name in MULTIFIELDS:
            known = {value["VALUE"] for value in after.get(name, ())}
            more = [value for value in loser.get(name, ()) if value["VALUE"] not in known]
            if more:
                after[name] = [*after.get(name, ()), *more]
        for shelf, key in (("contacts", "CONTACT_ID"), ("companies", "COMPANY_ID")):
            ids = [link[key] for link in (*after[shelf], *loser[shelf])]
            after[shelf] = make_links(key, list(dict.fromkeys(ids)))
    stamp = {"updated_at": portal.now(), "DATE_MODIFY": portal.stamp(), "MODIFY_BY_ID": str(portal.actor.user_id)}
    if kind.has_multifields:
        stamp |= {"HAS_PHONE": "Y" if after.get("PHONE") else "N", "HAS_EMAIL": "Y" if after.get("EMAIL") else "N"}
    portal.table(kind).put({**after, **stamp})
    for loser in losers:
        _move(portal, kind, loser["id"], winner["id"])
        delete(portal, events, kind, loser)
    tell_update(events, kind, winner["id"])
    return [loser["id"] for loser in losers]


def _move(portal: Portal, kind: Kind, old: int, new: int) -> None:
    """Let everything that hangs on `old` hang on `new`."""
    for row in list(portal.tables["activities"].rows()):
        if (kind.type_id, old) in row["bindings"]:
            bindings = [(kind.type_id, new) if place == (kind.type_id, old) else place for place in row["bindings"]]
            owner = {"OWNER_TYPE_ID": str(bindings[0][0]), "OWNER_ID": str(bindings[0][1])}
            portal.tables["activities"].put({**row, **owner, "bindings": list(dict.fromkeys(bindings))})
    for row in list(portal.tables["comments"].rows()):
        if (row["ENTITY_TYPE"], row["ENTITY_ID"]) == (kind.key, str(old)):
            portal.tables["comments"].put({**row, "ENTITY_ID": str(new)})
    for row in list(portal.tables["requisites"].rows()):
        if (row["ENTITY_TYPE_ID"], row["ENTITY_ID"]) == (str(kind.type_id), str(old)):
            portal.tables["requisites"].put({**row, "ENTITY_ID": str(new)})
    for row in list(portal.tables["history"].rows()) if kind.stage else ():
        if (row["entity"], row["OWNER_ID"]) == (kind.type_id, old):
            portal.tables["history"].put({**row, "OWNER_ID": new})
    _move_links(portal, kind, old, new)


def _move_links(portal: Portal, kind: Kind, old: int, new: int) -> None:
    holders = {"contact": ("deals", "leads"), "company": ("deals", "leads", "contacts")}.get(kind.key, ())
    shelf, key = ("contacts", "CONTACT_ID") if kind.key == "contact" else ("companies", "COMPANY_ID")
    for table in holders:
        for row in list(portal.tables[table].rows()):
            ids = [link[key] for link in row[shelf]]
            if old in ids:
                links = make_links(key, list(dict.fromkeys(new if one == old else one for one in ids)))
                portal.tables[table].put({**row, shelf: links, key: str(links[0][key])})
            elif row[key] == str(old):
                portal.tables[table].put({**row, key: str(new)})
