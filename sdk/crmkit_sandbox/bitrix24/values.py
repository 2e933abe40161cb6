"""Field values between the three shapes: as written, as classic methods keep them, as universal ones show them."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from crmkit_sandbox.wire import Row

from .kinds import ID_TYPES, Field, Kind
from .portal import ZONE
from .problems import Problem

OURS = "%d.%m.%Y %H:%M:%S"
# Universal names that are not the camel case of the classic ones. Source: Bitrix24 REST, page "crm.item fields".
RENAMED = {
    "DATE_CREATE": "createdTime",
    "DATE_MODIFY": "updatedTime",
    "CREATED_BY_ID": "createdBy",
    "MODIFY_BY_ID": "updatedBy",
    "MOVED_BY_ID": "movedBy",
    "STATUS_ID": "stageId",
    "STATUS_SEMANTIC_ID": "stageSemanticId",
}
UF_PREFIX = re.compile(r"UF_CRM_(?:(\d+)_)?(.+)")


def read_value(field: Field, value: Any) -> Any:
    """A written value as classic methods keep it.

    Raises Problem 400 for a date that is none or a number that is none.
    """
    if field.type == "char":
        return "Y" if value == "Y" else "N"
    if value is None or value is False or value == "" or isinstance(value, dict | list):
        return "" if field.type == "date" else None
    if field.type in ID_TYPES:
        return _whole(field.name, value)
    if field.type == "double":
        return f"{read_number(field.name, value):.2f}"
    if field.type in ("date", "datetime"):
        return read_date(field.name, str(value), is_date=field.type == "date")
    return str(value)


def read_user_value(row: Row, value: Any) -> Any:
    """A written value of a user field as classic methods keep it; several values come as a list."""
    if row["MULTIPLE"] == "Y":
        many = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else [value]
        kept = [_one(row, one) for one in many if one not in (None, "", False)]
        return [one for one in kept if one is not None]
    return _one(row, value)


def show_user_value(row: Row, value: Any) -> Any:
    """A kept value of a user field as classic methods show it: an empty multiple field is `false`."""
    return False if row["MULTIPLE"] == "Y" and not value else value


@cache
def universal_shower(type_: str, *, is_multiple: bool = False) -> Callable[[Any], Any] | None:
    """How universal methods show kept values of a type; None for texts, which are shown as they are."""
    if is_multiple:
        show = universal_shower(type_)
        return lambda value: [one if show is None else show(one) for one in value or ()]
    if type_ == "boolean":
        return lambda value: "Y" if value == "1" else "N"
    if type_ in ("crm_company", "crm_contact"):
        return lambda value: 0 if value is None or value == "" else int(value)
    if type_ in ID_TYPES or type_ == "enumeration":
        return lambda value: None if value is None or value == "" else int(value)
    if type_ == "double":
        return lambda value: None if value is None or value == "" else _plain(float(value))
    return None


@lru_cache(maxsize=4096)
def universal_name(name: str) -> str:
    """The universal name of a field. Source: Bitrix24 REST, page "Universal methods: names of user fields"."""
    found = UF_PREFIX.fullmatch(name)
    if not found:
        return RENAMED.get(name) or _camel(name)
    number, rest = found[1] or "", found[2]
    letters = rest.replace("_", "")
    if letters.isdigit():
        return f"ufCrm{number}_{rest}"
    if any(letter.isdigit() for letter in letters):
        return f"ufCrm{number and f'_{number}'}_{rest}"
    return f"ufCrm{number}{''.join(word.capitalize() for word in rest.split('_'))}"


def names_of(kind: Kind, user_fields: Mapping[str, Row], *, is_original: bool = False) -> dict[str, str]:
    """Classic names by universal ones."""
    names = {universal_name(name): name for name in kind.fields}
    return names | {(name if is_original else universal_name(name)): name for name in user_fields}


def read_date(name: str, text: str, *, is_date: bool) -> str:
    """A date or a moment with the server's offset; dates are midnights.

    Raises Problem 400 for a text that is none.
    """
    moment = parse_moment(text)
    if moment is None:
        raise Problem(400, "CRM_FIELD_ERROR_VALUE_NOT_VALID", f"Field {name}: invalid date")
    if is_date:
        moment = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return moment.replace(microsecond=0).isoformat()


def parse_moment(text: str) -> datetime | None:
    """A moment out of ISO or the site's own format, in the server's zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = datetime.strptime(text if " " in text else f"{text} 00:00:00", OURS)  # noqa: DTZ007  zoned below
        except ValueError:
            return None
    return moment.replace(tzinfo=ZONE) if moment.tzinfo is None else moment.astimezone(ZONE)


def read_number(name: str, value: Any) -> float:
    """A finite number.

    Raises Problem 400 for anything else.
    """
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.inf
    if not math.isfinite(number):
        raise Problem(400, "CRM_FIELD_ERROR_VALUE_NOT_VALID", f"Field {name}: invalid number")
    return number


def number_of(value: Any) -> int:
    """An id out of a number or a text, 0 for anything else."""
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0


def _one(row: Row, value: Any) -> Any:
    type_ = row["USER_TYPE_ID"]
    if type_ == "boolean":
        return "1" if value in (True, 1, "1", "Y") else "0"
    if value is None or value is False or value == "":
        return "" if type_ in ("string", "url", "date", "datetime", "money") else None
    if type_ == "enumeration":
        known = {item["ID"] for item in row["LIST"]}
        return str(value) if str(value) in known else None
    if type_ in ("integer", "employee"):
        return _whole(row["FIELD_NAME"], value)
    if type_ == "double":
        return str(_plain(read_number(row["FIELD_NAME"], value)))
    if type_ in ("date", "datetime"):
        return read_date(row["FIELD_NAME"], str(value), is_date=type_ == "date")
    return str(value) if not isinstance(value, dict | list) else None


def _whole(name: str, value: Any) -> str | None:
    number = int(read_number(name, value))
    return str(number) if number or name == "CATEGORY_ID" else None


def _plain(number: float) -> int | float:
    return int(number) if number.is_integer() else number


def _camel(name: str) -> str:
    first, *rest = name.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)
