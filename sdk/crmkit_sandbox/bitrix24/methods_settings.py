"""Methods about settings: pipelines, dictionaries, user fields, currencies, users, departments."""

import re
from typing import Any

from crmkit_sandbox.wire import Row

from .kinds import BY_TYPE, KINDS, Kind
from .listing import list_rows, matches, read_filter, sort_rows
from .methods import Answer, Call, Registry
from .params import items_of
from .portal import Portal
from .problems import Problem, not_found
from .seed import add_category, add_status, add_user_field, delete_category
from .values import number_of

CATEGORY_TYPES = (2,)
STATUS_TYPES = dict.fromkeys(
    ("ENTITY_ID", "STATUS_ID", "NAME", "NAME_INIT", "SYSTEM", "COLOR", "SEMANTICS"), "string"
) | {"ID": "integer", "SORT": "integer", "CATEGORY_ID": "integer"}
FIELD_TYPES = dict.fromkeys(
    ("FIELD_NAME", "USER_TYPE_ID", "XML_ID", "MULTIPLE", "MANDATORY", "ENTITY_ID"), "string"
) | {
    "ID": "integer",
    "SORT": "integer",
}
USER_TYPES = dict.fromkeys(
    ("ACTIVE", "NAME", "LAST_NAME", "EMAIL", "USER_TYPE", "UF_PHONE_INNER", "WORK_PHONE", "PERSONAL_MOBILE", "XML_ID"),
    "string",
) | {"ID": "integer", "UF_DEPARTMENT": "integer"}
LABELS = ("EDIT_FORM_LABEL", "LIST_COLUMN_LABEL", "LIST_FILTER_LABEL")
KNOWN_TYPES = frozenset(
    {"string", "url", "integer", "double", "boolean", "date", "datetime", "money", "enumeration", "employee"}
    | {"crm_status", "crm", "address", "file"}
)
FIELD_NAME = re.compile(r"UF_CRM_[A-Z0-9_]{1,43}")


def register(registry: Registry) -> None:
    """Declare the methods."""
    registry.add("crm.category.list", _categories)
    registry.add("crm.category.get", lambda call: {"category": show_category(_category(call))})
    registry.add("crm.category.add", _add_category, is_admin_only=True)
    registry.add("crm.category.update", _update_category, is_admin_only=True)
    registry.add("crm.category.delete", _delete_category, is_admin_only=True)
    registry.add("crm.dealcategory.list", _deal_categories)
    registry.add("crm.dealcategory.stage.list", _deal_stages)
    registry.add("crm.status.list", _statuses)
    registry.add("crm.status.get", _status)
    registry.add("crm.status.add", _add_status, is_admin_only=True)
    registry.add("crm.status.entity.types", _status_entities)
    registry.add("crm.status.entity.items", _status_items)
    registry.add("crm.enum.ownertype", lambda _: _owner_types())
    registry.add("crm.currency.list", _currencies)
    registry.add("crm.currency.base.get", lambda _: "RUB")
    registry.add("crm.settings.mode.get", lambda call: 2 if call.portal.is_simple else 1)
    for kind in KINDS.values():
        _register_fields(registry, kind)
    registry.add("user.get", _users, scope="user")
    registry.add("user.search", _search_users, scope="user")
    registry.add(
        "user.current", lambda call: show_user(call.portal.shelves["users"][call.caller.user_id]), scope="user"
    )
    registry.add("department.get", lambda call: _plain(call, "departments"), scope="department")


def show_category(row: Row) -> Row:
    """A pipeline as the API shows it; the default one has no origin."""
    shown = {name: row[name] for name in ("id", "name", "sort", "entityTypeId", "isDefault")}
    return shown if row["isDefault"] == "Y" else shown | {"originId": "", "originatorId": ""}


def show_user(row: Row) -> Row:
    """A user as the API shows it."""
    return {name: value for name, value in row.items() if name not in ("id", "is_admin")}


def _check_type(call: Call) -> None:
    if number_of(call.need("entityTypeId")) not in CATEGORY_TYPES:
        is_known = number_of(call.get("entityTypeId")) in BY_TYPE
        code = "ENTITY_TYPE_NOT_SUPPORTED" if is_known else "NOT_FOUND"
        raise Problem(400, code, "Entity type is not supported" if is_known else "Smart process not found")


def _category(call: Call) -> Row:
    _check_type(call)
    row = call.portal.shelves["categories"].get(number_of(call.need("id")))
    if row is None:
        raise Problem(400, "NOT_FOUND", "Element not found")
    return row


def _categories(call: Call) -> Answer:
    own = call.portal.shelves["types"].get(number_of(call.get("entityTypeId")))
    if own is not None:
        return Answer({"categories": [show_category(row) for row in own["categories"]]}, len(own["categories"]))
    _check_type(call)
    rows = sorted(call.portal.shelves["categories"].values(), key=lambda row: (row["sort"], row["id"]))
    return Answer({"categories": [show_category(row) for row in rows]}, len(rows))


def _add_category(call: Call) -> Row:
    _check_type(call)
    fields = call.map("fields")
    if not fields.get("name"):
        raise Problem(400, "BX_EMPTY_REQUIRED", "Field name is required")
    row = add_category(call.portal, str(fields["name"]), sort=number_of(fields.get("sort")) or 500)
    return {"category": show_category(row)}


def _update_category(call: Call) -> Row:
    row, fields = _category(call), call.map("fields")
    changed = {**row, "name": str(fields.get("name", row["name"]))}
    changed["sort"] = number_of(fields.get("sort")) or row["sort"]
    call.portal.shelves["categories"][row["id"]] = changed
    return {"category": show_category(changed)}


def _delete_category(call: Call) -> list[Any]:
    row = _category(call)
    deals = call.portal.tables["deals"].rows()
    if row["isDefault"] == "Y" or any(number_of(deal["CATEGORY_ID"]) == row["id"] for deal in deals):
        raise Problem(400, "", "The pipeline is in use")
    delete_category(call.portal, row["id"])
    return []


def _deal_categories(call: Call) -> Answer:
    rows = [row for row in call.portal.shelves["categories"].values() if row["id"]]
    shown = [{"ID": str(row["id"]), "NAME": row["name"], "SORT": str(row["sort"]), "IS_LOCKED": "N"} for row in rows]
    return Answer(shown, len(shown))


def _deal_stages(call: Call) -> list[Row]:
    number = number_of(call.get("id"))
    rows = call.portal.stages(f"DEAL_STAGE_{number}" if number else "DEAL_STAGE")
    return [{"NAME": row["NAME"], "SORT": int(row["SORT"]), "STATUS_ID": row["STATUS_ID"]} for row in rows]


def _statuses(call: Call) -> Answer:
    rows = list(call.portal.shelves["statuses"].values())
    tests = [matches(one, STATUS_TYPES[one.name]) for one in read_filter(call.map("filter"), STATUS_TYPES)]
    found = [row for row in rows if all(test(row) for test in tests)]
    # All rows come at once: dictionaries have no pages.
    order = call.map("order") or {"SORT": "ASC"}
    shown = [_without_private(row) for row in sort_rows(found, order, STATUS_TYPES)]
    return Answer(shown, len(shown))


def _status(call: Call) -> Row:
    row = call.portal.shelves["statuses"].get(call.row_id())
    if row is None:
        raise not_found()
    return _without_private(row)


def _add_status(call: Call) -> int:
    fields = call.map("fields")
    entity, status_id, name = (str(fields.get(key) or "") for key in ("ENTITY_ID", "STATUS_ID", "NAME"))
    if not entity or not name:
        raise Problem(400, "", "The field ENTITY_ID or NAME is not set.")
    known = {row["STATUS_ID"] for row in call.portal.stages(entity)}
    prefix = f"C{entity.removeprefix('DEAL_STAGE_')}:" if entity.startswith("DEAL_STAGE_") else ""
    full = status_id if status_id.startswith(prefix) else f"{prefix}{status_id}"
    if not status_id or full in known:
        raise Problem(400, "", "The field STATUS_ID is not set or is taken.")
    extra = fields.get("EXTRA") if isinstance(fields.get("EXTRA"), dict) else {}
    semantics = str(fields.get("SEMANTICS") or (extra or {}).get("SEMANTICS") or "")
    row = add_status(call.portal, entity, full, name, sort=number_of(fields.get("SORT")) or 500, semantics=semantics)
    return int(row["id"])


def _status_entities(call: Call) -> list[Row]:
    names = dict.fromkeys(row["ENTITY_ID"] for row in call.portal.shelves["statuses"].values())
    shown = []
    for name in names:
        number = name.removeprefix("DEAL_STAGE_") if name.startswith("DEAL_STAGE_") else ""
        info: Row = {"ID": name, "NAME": name, "SEMANTIC_INFO": []}
        if name.startswith("DEAL_STAGE") or name == "STATUS":
            stages = call.portal.stages(name)
            won = next((row["STATUS_ID"] for row in stages if row["SEMANTICS"] == "S"), None)
            lost = next((row["STATUS_ID"] for row in stages if row["SEMANTICS"] == "F"), None)
            info["SEMANTIC_INFO"] = {
                "START_FIELD": stages[0]["STATUS_ID"],
                "FINAL_SUCCESS_FIELD": won,
                "FINAL_UNSUCCESS_FIELD": lost,
            }
        if number:
            info |= {"PREFIX": f"C{number}", "CATEGORY_ID": int(number)}
        shown.append(info)
    return shown


def _status_items(call: Call) -> list[Row]:
    rows = call.portal.stages(str(call.need("entityId")))
    return [{"NAME": row["NAME"], "SORT": int(row["SORT"]), "STATUS_ID": row["STATUS_ID"]} for row in rows]


def _owner_types() -> list[Row]:
    return [
        {"ID": kind.type_id, "NAME": kind.event, "SYMBOL_CODE": kind.event, "SYMBOL_CODE_SHORT": kind.code}
        for kind in KINDS.values()
    ]


def _currencies(call: Call) -> Answer:
    stamp = call.portal.stamp()
    shown = [
        {"CURRENCY": code, "AMOUNT_CNT": "1", "AMOUNT": amount, "SORT": sort, "BASE": base, "FULL_NAME": name}
        | {"LID": "ru", "FORMAT_STRING": "#", "DEC_POINT": ".", "THOUSANDS_SEP": "&nbsp;", "DECIMALS": "2"}
        | {"DATE_UPDATE": stamp}
        for code, amount, sort, base, name in (
            ("RUB", "1.0000", "100", "Y", "Российский рубль"),
            ("USD", "90.0000", "200", "N", "Доллар США"),
        )
    ]
    return Answer(shown, 0)


def _register_fields(registry: Registry, kind: Kind) -> None:
    def rows(call: Call) -> list[Row]:
        return [row for row in call.portal.shelves["userfields"].values() if row["ENTITY_ID"] == kind.field_entity]

    def one(call: Call) -> Row:
        found = next((row for row in rows(call) if row["id"] == call.row_id()), None)
        if found is None:
            raise not_found()
        return found

    def list_(call: Call) -> Answer:
        filter_ = call.map("filter")
        tests = [matches(item, FIELD_TYPES[item.name]) for item in read_filter(filter_, FIELD_TYPES)]
        found = sort_rows(
            (row for row in rows(call) if all(test(row) for test in tests)), call.map("order"), FIELD_TYPES
        )
        # Labels come only to those who name a language.
        hidden = () if filter_.get("LANG") else (*LABELS, "ERROR_MESSAGE", "HELP_MESSAGE")
        shown = [{name: value for name, value in _without_private(row).items() if name not in hidden} for row in found]
        return Answer(shown, len(shown))

    def add(call: Call) -> int:
        field_id = _add_field(call.portal, kind, call.map("fields"))
        _tell(call, call.portal.shelves["userfields"][field_id], "ADD")
        return field_id

    def update(call: Call) -> bool:
        row = one(call)
        _update_field(call.portal, row, call.map("fields"))
        _tell(call, row, "UPDATE")
        if call.map("fields").get("LIST"):
            _tell(call, row, "SETENUMVALUES")
        return True

    def delete(call: Call) -> bool:
        row = one(call)
        del call.portal.shelves["userfields"][row["id"]]
        _tell(call, row, "DELETE")
        return True

    prefix = f"crm.{kind.key}.userfield"
    registry.add(f"{prefix}.list", list_)
    registry.add(f"{prefix}.get", lambda call: _without_private(one(call)))
    registry.add(f"{prefix}.add", add, is_admin_only=True)
    registry.add(f"{prefix}.update", update, is_admin_only=True)
    registry.add(f"{prefix}.delete", delete, is_admin_only=True)


def _tell(call: Call, row: Row, act: str) -> None:
    data = {name: row[name] for name in ("ID", "ENTITY_ID", "FIELD_NAME")}
    kind = row["ENTITY_ID"].removeprefix("CRM_")
    call.events.emit(f"ONCRM{kind}USERFIELD{act}", {"FIELDS": data}, row["ID"])


def _add_field(portal: Portal, kind: Kind, fields: Row) -> int:
    given = str(fields.get("FIELD_NAME") or "").upper()
    name = given if given.startswith("UF_CRM_") else f"UF_CRM_{given}"
    type_ = str(fields.get("USER_TYPE_ID") or "")
    if not FIELD_NAME.fullmatch(name):
        raise Problem(400, "ERROR_CORE", "Field name is not valid")
    if type_ not in KNOWN_TYPES:
        raise Problem(400, "ERROR_CORE", "Invalid user type specified.")
    if name in portal.user_fields(kind):
        raise Problem(400, "ERROR_CORE", f"Field {name} for object {kind.field_entity} already exists.")
    label = next((fields[key] for key in (*LABELS, "LABEL") if fields.get(key)), name)
    text = next(iter(label.values()), name) if isinstance(label, dict) else str(label)
    row = add_user_field(portal, kind, name, type_, label=text, is_multiple=fields.get("MULTIPLE") == "Y")
    changed = {**row, "MANDATORY": "Y" if fields.get("MANDATORY") == "Y" else "N", "XML_ID": fields.get("XML_ID")}
    portal.shelves["userfields"][row["id"]] = changed
    _update_field(portal, changed, {"LIST": fields.get("LIST")})
    return int(row["id"])


def _update_field(portal: Portal, row: Row, fields: Row) -> None:
    changed = {**row}
    for name in ("SORT", "XML_ID", "MANDATORY"):
        if fields.get(name) is not None:
            changed[name] = str(fields[name])
    for name in LABELS:
        if fields.get(name):
            label = fields[name]
            changed[name] = next(iter(label.values()), "") if isinstance(label, dict) else str(label)
    if row["USER_TYPE_ID"] == "enumeration":
        changed["LIST"] = _items(portal, row["LIST"], fields.get("LIST"))
    portal.shelves["userfields"][row["id"]] = changed


def _items(portal: Portal, before: list[Row], given: Any) -> list[Row]:
    items = {item["ID"]: item for item in before}
    for item in items_of(given):
        if not isinstance(item, dict):
            continue
        item_id = str(item.get("ID") or portal.take_id("enums", 101))
        if item.get("DEL") == "Y":
            items.pop(item_id, None)
            continue
        known = items.get(item_id, {"SORT": "500", "DEF": "N", "XML_ID": f"{int(item_id):032x}", "VALUE": ""})
        named = {name: str(item[name]) for name in ("VALUE", "SORT", "DEF", "XML_ID") if item.get(name) is not None}
        items[item_id] = {"ID": item_id, **known, **named}
    return sorted(items.values(), key=lambda item: (int(item["SORT"]), int(item["ID"])))


def _users(call: Call) -> Answer:
    asked = call.get("FILTER")
    filter_ = asked if isinstance(asked, dict) else {}
    # A filter may also come without its name, as parameters of the call.
    filter_ = filter_ or {name: value for name, value in call.params.items() if name in USER_TYPES}
    filter_ = {name: _flag(value) if name == "ACTIVE" else value for name, value in filter_.items()}
    tests = [matches(one, USER_TYPES[one.name]) for one in read_filter(filter_, USER_TYPES)]
    rows = [row for row in call.portal.shelves["users"].values() if all(test(row) for test in tests)]
    name, way = str(call.get("sort") or "ID"), str(call.get("order") or "ASC")
    page = list_rows((show_user(row) for row in sort_rows(rows, {name: way}, USER_TYPES)), call.get("start", 0))
    return Answer(page.rows, page.total, page.next)


def _search_users(call: Call) -> Answer:
    words = str(call.map("FILTER").get("FIND") or "").casefold().split()
    rows = [
        show_user(row)
        for row in call.portal.shelves["users"].values()
        if all(word in f"{row['NAME']} {row['LAST_NAME']} {row['EMAIL']}".casefold() for word in words)
    ]
    return Answer(rows, len(rows))


def _flag(value: Any) -> str:
    return str(value in (True, "true", "Y", "1", 1))


def _plain(call: Call, shelf: str) -> Answer:
    rows = [_without_private(row) for row in call.portal.shelves[shelf].values()]
    return Answer(rows, len(rows))


def _without_private(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "id"}
