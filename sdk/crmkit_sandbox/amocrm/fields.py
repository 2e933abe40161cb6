"""Custom field values: what each type accepts, and how it is stored and shown."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from crmkit_sandbox.wire import Row

from .account import ZONE, Account
from .problems import Check

# Numbers of types in events. Source: amoCRM, v2 list of field types; a live event confirms 8, those above 16 nothing.
TYPE_NUMBERS = {
    "text": 1,
    "numeric": 2,
    "checkbox": 3,
    "select": 4,
    "multiselect": 5,
    "date": 6,
    "url": 7,
    "multitext": 8,
    "textarea": 9,
    "radiobutton": 10,
    "streetaddress": 11,
    "smart_address": 13,
    "birthday": 14,
    "legal_entity": 15,
    "items": 16,
    "date_time": 19,
    "price": 20,
    "tracking_data": 21,
    "linked_entity": 22,
    "category": 18,
    "chained_list": 27,
    "monetary": 23,
    "file": 24,
    "payer": 25,
    "supplier": 26,
    "org_legal_name": 17,
}
TEXTS = {"text", "textarea", "url", "streetaddress", "tracking_data", "org_legal_name"}
NUMBERS = {"numeric", "price", "monetary"}
CHOICES = {"select", "radiobutton", "category", "multiselect"}
DATES = {"date", "birthday", "date_time"}
ADDRESS_PARTS = {
    1: "address_line_1",
    2: "address_line_2",
    3: "city",
    4: "state",
    5: "zip",
    6: "country",
}
SINGLE = TEXTS | NUMBERS | DATES | {"checkbox", "select", "radiobutton", "category"}

# Takes a definition, one item of `values`, its path and the check; gives the stored item or None after a fault.
Normalise = Callable[[Row, Row, str, Check], "Row | None"]


def find_field(account: Account, kind: str, item: Row) -> Row | None:
    """The definition that `field_id` or `field_code` of a written value names."""
    book = account.fields.get(kind, {})
    field_id = item.get("field_id")
    if field_id is not None:
        return book.get(field_id) if isinstance(field_id, int) else None
    code = item.get("field_code")
    return next((field for field in book.values() if code and field["code"] == code), None)


def read_values(account: Account, kind: str, given: object, check: Check) -> dict[int, Row | None]:
    """Written values by field id; None clears the field. Faults are noted in `check`."""
    path = "custom_fields_values"
    if given is None:
        return {}
    if not isinstance(given, list):
        check.wrong_type(path, "array")
        return {}
    found: dict[int, Row | None] = {}
    for index, item in enumerate(given):
        at = f"{path}.{index}"
        if not isinstance(item, dict):
            check.wrong_type(at, "array")
            continue
        field = find_field(account, kind, item)
        if field is None:
            check.choice(f"{at}.{'field_id' if 'field_id' in item else 'field_code'}")
        elif "values" not in item:
            check.missing(f"{at}.values")
        else:
            found[field["id"]] = read_value(field, item["values"], at, check)
    return found


def read_value(field: Row, values: object, path: str, check: Check) -> Row | None:
    """The stored form of `values` of one field, None when they clear it."""
    if values is None or values == []:
        return None
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        check.wrong_type(f"{path}.values", "array")
        return None
    if field["type"] in SINGLE and len(values) > 1:
        check.fault("TooManyElements", f"{path}.values", "This collection should contain 1 element or less.")
        return None
    if all("value" in value and value["value"] is None and len(value) == 1 for value in values):
        return None
    normalise = _normaliser(field["type"])
    # Only leads show whether a field is computed. Source: Kommo, page "Leads list".
    computed = {"is_computed": False} if field["entity_type"] == "leads" else {}
    stored = [normalise(field, value, f"{path}.values.{i}", check) for i, value in enumerate(values)]
    return {
        "field_id": field["id"],
        "field_name": field["name"],
        "field_code": field["code"],
        "field_type": field["type"],
        "values": [value for value in stored if value is not None],
        **computed,
    }


def merge_values(before: Sequence[Row] | None, changes: dict[int, Row | None]) -> list[Row] | None:
    """The values of a record after `changes`, None when none is left."""
    kept = {value["field_id"]: value for value in before or ()}
    for field_id, value in changes.items():
        if value is None:
            kept.pop(field_id, None)
        else:
            kept[field_id] = value
    return list(kept.values()) or None


def midnight(moment: int) -> int:
    """The beginning of that day in the account's zone."""
    day = datetime.fromtimestamp(moment, ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(day.timestamp())


def value_text(value: Row) -> str:
    """One stored value as events show it."""
    inner = value.get("value")
    if isinstance(inner, dict):
        return str(inner.get("name") or inner.get("file_name") or "")
    if isinstance(inner, bool):
        return "1" if inner else "0"
    return str(inner if inner is not None else value.get("catalog_element_id", ""))


def _normaliser(kind: str) -> Normalise:
    if kind in TEXTS:
        return _text
    if kind in NUMBERS:
        return _number
    if kind in CHOICES:
        return _choice
    if kind in DATES:
        return _date
    named: dict[str, Normalise] = {
        "checkbox": _checkbox,
        "multitext": _multitext,
        "smart_address": _address_part,
        "legal_entity": _legal_entity,
        "chained_list": _chained,
    }
    return named.get(kind, _object)


def _text(_: Row, value: Row, path: str, check: Check) -> Row | None:
    text = value.get("value")
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        check.wrong_type(f"{path}.value", "string")
        return None
    return {"value": str(text)}


def _number(_: Row, value: Row, path: str, check: Check) -> Row | None:
    number = value.get("value")
    if isinstance(number, bool) or not isinstance(number, str | int | float):
        check.wrong_type(f"{path}.value", "numeric")
        return None
    try:
        float(number)
    except ValueError:
        check.wrong_type(f"{path}.value", "numeric")
        return None
    return {"value": str(number)}


def _checkbox(_: Row, value: Row, path: str, check: Check) -> Row | None:
    if value.get("value") not in (True, False, "0", "1"):
        check.wrong_type(f"{path}.value", "bool")
        return None
    return {"value": value["value"] in (True, "1")}


def _choice(field: Row, value: Row, path: str, check: Check) -> Row | None:
    for name, key in (("enum_id", "id"), ("enum_code", "code"), ("value", "value")):
        if value.get(name) is None:
            continue
        for enum in field["enums"] or ():
            if enum.get(key) == value[name]:
                return {"value": enum["value"], "enum_id": enum["id"], "enum_code": enum.get("code")}
        check.choice(f"{path}.{name}")
        return None
    check.missing(f"{path}.value")
    return None


def _multitext(field: Row, value: Row, path: str, check: Check) -> Row | None:
    text = value.get("value")
    if not isinstance(text, str | int) or isinstance(text, bool):
        check.wrong_type(f"{path}.value", "string")
        return None
    enums = field["enums"]
    enum = enums[0]
    for name, key in (("enum_id", "id"), ("enum_code", "value")):
        if value.get(name) is not None:
            enum = next((one for one in enums if one[key] == value[name]), None)
            break
    if enum is None:
        check.choice(f"{path}.{name}")
        return None
    return {"value": str(text), "enum_id": enum["id"], "enum_code": enum["value"]}


def _date(field: Row, value: Row, path: str, check: Check) -> Row | None:
    moment = _moment(value.get("value"))
    if moment is None:
        check.fault("InvalidDate", f"{path}.value", "This value is not a valid datetime.")
        return None
    return {"value": moment if field["type"] == "date_time" else midnight(moment)}


def _moment(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        return None
    if value.removeprefix("-").isdigit():
        return int(value)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=ZONE)).timestamp())


def _address_part(_: Row, value: Row, path: str, check: Check) -> Row | None:
    for number, code in ADDRESS_PARTS.items():
        if value.get("enum_id") == number or value.get("enum_code") == code:
            return {"value": str(value.get("value") or ""), "enum_id": number, "enum_code": code}
    check.choice(f"{path}.enum_code")
    return None


def _legal_entity(_: Row, value: Row, path: str, check: Check) -> Row | None:
    entity = value.get("value")
    if not isinstance(entity, dict):
        check.wrong_type(f"{path}.value", "array")
        return None
    if not entity.get("name"):
        check.missing(f"{path}.value.name")
        return None
    return {"value": dict(entity)}


def _chained(_: Row, value: Row, path: str, check: Check) -> Row | None:
    wanted = ("catalog_id", "catalog_element_id")
    for name in wanted:
        if not isinstance(value.get(name), int):
            check.missing(f"{path}.{name}")
            return None
    return {name: value[name] for name in wanted}


def _object(_: Row, value: Row, path: str, check: Check) -> Row | None:
    if not isinstance(value.get("value"), dict):
        check.wrong_type(f"{path}.value", "array")
        return None
    return {"value": dict(value["value"])}
