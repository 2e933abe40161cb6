"""What the fields of an entity may hold, and how a JSON argument is read by it."""

from collections.abc import Callable, Container, Mapping
from datetime import datetime
from typing import Any

from crmkit_sandbox.wire import Row

from .problems import INVALID, bad_format

# Gives the value as it is kept; raises ValueError for another type.
Reader = Callable[[Any], Any]
Schema = Mapping[str, Reader]


def read(name: str, given: Row, schema: Schema, ignored: list[str], needed: Container[str] = ()) -> Row:
    """The known fields of `given`; None stands for a cleared value, unknown names are added to `ignored`.

    A flag is cleared to False, and what is `needed` cannot be cleared: its null is left out.

    Raises ProblemError 400 with the field that has a wrong type.
    """
    columns: Row = {}
    for field, value in given.items():
        if field not in schema:
            ignored.append(f"{name}.{field}")
            continue
        if value is None and field in needed:
            ignored.append(f"{name}.{field}")
            continue
        try:
            columns[field] = schema[field](value) if value is not None else False if schema[field] is flag else None
        except ValueError:
            raise bad_format({f"{name}.{field}": INVALID}) from None
    return columns


def merged(row: Row, columns: Row) -> Row:
    """`row` with the fields of `columns`; a None takes the field away."""
    after = {**row, **columns}
    return {name: value for name, value in after.items() if value is not None or name not in columns}


def text(value: Any) -> str:
    """A string; PHP takes numbers for strings."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("not a text")
    return str(value)


def whole(value: Any) -> int:
    """An integer, also as a string of digits."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("not an integer")
    return int(value)


def number(value: Any) -> int | float:
    """A number, also as a string."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("not a number")
    made = float(value)
    if made != made or made in (float("inf"), float("-inf")):
        raise ValueError("not a finite number")
    return int(made) if made.is_integer() else made


def flag(value: Any) -> bool:
    """A boolean, also as 1 and 0."""
    if value in (True, 1, "1", "true"):
        return True
    if value in (False, 0, "0", "false", ""):
        return False
    raise ValueError("not a boolean")


def moment(value: Any) -> str:
    """`Y-m-d H:i:s`; seconds may be left out."""
    return _dated(value, ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"), "%Y-%m-%d %H:%M:%S")


def minute(value: Any) -> str:
    """`Y-m-d H:i`, as tasks have it."""
    return _dated(value, ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"), "%Y-%m-%d %H:%M")


def day(value: Any) -> str:
    """`Y-m-d`."""
    return _dated(value, ("%Y-%m-%d",), "%Y-%m-%d")


def texts(value: Any) -> list[str]:
    """A list of strings."""
    if not isinstance(value, list):
        raise ValueError("not a list")
    return [text(one) for one in value]


def row(value: Any) -> Row:
    """An object; PHP sends an empty one as a list."""
    if value == []:
        return {}
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def rows(value: Any) -> list[Row]:
    """A list of objects."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ValueError("not a list of objects")
    return value


def nested(schema: Schema) -> Reader:
    """An object whose known fields follow `schema`; others are dropped."""

    def reader(value: Any) -> Row:
        given = row(value)
        return {name: None if one is None else schema[name](one) for name, one in given.items() if name in schema}

    return reader


def choice(*allowed: str) -> Reader:
    """One of `allowed`."""

    def reader(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"not one of {', '.join(allowed)}")
        return str(value)

    return reader


def _dated(value: Any, forms: tuple[str, ...], kept: str) -> str:
    if not isinstance(value, str):
        raise ValueError("not a date")
    for form in forms:
        try:
            return datetime.strptime(value, form).strftime(kept)  # noqa: DTZ007  the vendor's dates have no zone
        except ValueError:
            continue
    raise ValueError("not a date")


# Source: retailCRM API v5, entities Address and Contragent.
ADDRESS: Schema = {
    **dict.fromkeys(
        (
            *("index", "countryIso", "region", "city", "cityType", "street", "streetType", "building", "flat", "floor"),
            *("block", "house", "housing", "metro", "notes", "text"),
        ),
        text,
    ),
    **dict.fromkeys(("regionId", "cityId", "streetId"), whole),
}
CONTRAGENT: Schema = {
    "contragentType": choice("individual", "legal-entity", "enterpreneur"),
    **dict.fromkeys(
        (
            *("legalName", "legalAddress", "INN", "OKPO", "KPP", "OGRN", "OGRNIP", "certificateNumber", "BIK", "bank"),
            *("bankAddress", "corrAccount", "bankAccount"),
        ),
        text,
    ),
    "certificateDate": day,
}
SOURCE: Schema = dict.fromkeys(("source", "medium", "campaign", "keyword", "content"), text)
