"""Values that several entities take: custom fields, tags, links, references."""

from typing import Any

from crmkit_sandbox.wire import Row

from . import schema
from .account import TAG_COLOR, Account
from .problems import not_loaded

READERS: dict[str, schema.Reader] = {
    "boolean": schema.flag,
    "date": schema.day,
    "datetime": schema.moment,
    "dictionary": schema.text,
    "multiselect_dictionary": schema.texts,
    "email": schema.text,
    "integer": schema.whole,
    "numeric": schema.number,
    "string": schema.text,
    "text": schema.text,
}


def custom_fields(account: Account, entity: str, title: str, old: Row | None, given: Row, ignored: list[str]) -> Row:
    """The custom fields after a write; a null takes a value away.

    Raises ProblemError 400 for a value that the field cannot hold.
    """
    book, found = account.fields.get(entity, {}), {**(old or {})}
    for code, value in given.items():
        field = book.get(code)
        if field is None:
            if account.switches.refuses_unknown_fields:
                raise not_loaded(title, {f"customFields.{code}": "This field does not exist."})
            ignored.append(f"customFields.{code}")
        elif value is None:
            found.pop(code, None)
        else:
            found[code] = _custom(account, field, value, title)
    return found


def _custom(account: Account, field: Row, value: Any, title: str) -> Any:
    path = f"customFields.{field['code']}"
    try:
        made = READERS[field["type"]](value)
    except ValueError:
        raise not_loaded(title, {path: "This value is not valid."}) from None
    if field["type"] in ("dictionary", "multiselect_dictionary"):
        book = account.shelves["dictionaries"].get(field.get("dictionary"), {"elements": []})
        codes = {element["code"] for element in book["elements"]}
        if not set(made if isinstance(made, list) else [made]) <= codes:
            raise not_loaded(title, {path: "The value you selected is not a valid choice."})
    return made


def tags(account: Account, old: list[str], add: list[Any], remove: list[Any]) -> list[str]:
    """The tags after a write; unknown ones are made."""
    for tag in add:
        account.shelves["tags"].setdefault(str(tag), {"name": str(tag), "color": TAG_COLOR})
    kept = [tag for tag in old if tag not in remove]
    return [*kept, *dict.fromkeys(str(tag) for tag in add if str(tag) not in kept)]


def check_user(account: Account, title: str, name: str, user_id: object) -> None:
    """Refuse a user who does not exist."""
    if user_id is not None and (not isinstance(user_id, int) or user_id not in account.shelves["users"]):
        raise not_loaded(title, {name: f"User with id={user_id} does not exist."})


def check_code(account: Account, title: str, book: str, name: str, code: str | None) -> None:
    """Refuse a code that the reference book does not hold."""
    if code is not None and code not in account.references[book]:
        raise not_loaded(title, {name: f'"{code}" does not exist.'})


def linked(account: Account, given: Row, name: str, site: str | None, title: str) -> Row:
    """The customer that an `{"id"}`, `{"externalId"}` or `{"browserId"}` names.

    Raises ProblemError 400 when there is none.
    """
    is_firm = given.get("type") == "customer_corporate"
    kinds: tuple[Any, ...] = ("corporate",) if is_firm else ("customers", "corporate")
    for key in ("id", "externalId", "browserId"):
        if given.get(key) is None:
            continue
        for kind in kinds:
            found = _one(account, kind, key, given[key], given.get("site") or site)
            if found is not None:
                return found
        raise not_loaded(title, {f"{name}.{key}": f"Customer with {key}={given[key]} not found."})
    raise not_loaded(title, {name: "This value is not valid."})


def _one(account: Account, kind: Any, key: str, value: Any, site: str | None) -> Row | None:
    if key == "id":
        return account.tables[kind].live(value) if isinstance(value, int) else None
    if key == "externalId":
        return account.find(kind, str(value), site)
    return next((row for row in account.tables[kind].rows() if row.get("browserId") == value), None)
