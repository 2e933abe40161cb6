"""Requisites and bank details: rows of texts that belong to a contact, a company or a requisite."""

from crmkit_sandbox.wire import Row

from .portal import Portal

REQUISITE_TEXTS = [
    "NAME",
    "RQ_INN",
    "RQ_KPP",
    "RQ_OGRN",
    "RQ_OGRNIP",
    "RQ_COMPANY_NAME",
    "RQ_COMPANY_FULL_NAME",
    "RQ_DIRECTOR",
    "RQ_ACCOUNTANT",
    "RQ_OKPO",
    "RQ_LAST_NAME",
    "RQ_FIRST_NAME",
    "RQ_SECOND_NAME",
    "XML_ID",
    "ORIGINATOR_ID",
]
REQUISITE_NUMBERS = ("ENTITY_TYPE_ID", "ENTITY_ID", "PRESET_ID", "SORT")
BANK_TEXTS = ["NAME", "RQ_BIK", "RQ_ACC_NUM", "RQ_COR_ACC_NUM", "RQ_BANK_NAME", "XML_ID", "ORIGINATOR_ID"]
BANK_NUMBERS = ("ENTITY_ID", "SORT")
SHAPES: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "requisites": (REQUISITE_TEXTS, REQUISITE_NUMBERS),
    "bank_details": (BANK_TEXTS, BANK_NUMBERS),
}


def types_of(table: str) -> dict[str, str]:
    """The type of each field that filters know."""
    texts, numbers = SHAPES[table]
    dates = {"DATE_CREATE": "datetime", "DATE_MODIFY": "datetime"}
    return {"ID": "integer"} | dict.fromkeys(texts, "string") | dict.fromkeys(numbers, "integer") | dates


def save_row(portal: Portal, table: str, fields: Row, before: Row | None = None) -> Row:
    """Make a row, or change one."""
    texts, numbers = SHAPES[table]
    stamp, actor = portal.stamp(), str(portal.actor.user_id)
    if before is None:
        row_id = portal.take_id(table)
        before = {"id": row_id, "is_deleted": False, "ID": str(row_id), "DATE_CREATE": stamp, "CREATED_BY_ID": actor}
        before |= {"ACTIVE": "Y"} | dict.fromkeys(texts, None) | dict.fromkeys(numbers, "0") | {"SORT": "500"}
    given = {name: str(fields[name]) for name in (*texts, *numbers) if fields.get(name) is not None}
    changed = {"updated_at": portal.now(), "DATE_MODIFY": stamp, "MODIFY_BY_ID": actor}
    return portal.tables[table].put({**before, **given, **changed})
