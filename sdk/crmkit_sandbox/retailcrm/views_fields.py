"""Custom fields and their dictionaries over the API."""

from collections.abc import Mapping

from crmkit_sandbox.wire import Row

from .api import Api, ApiCall, Reply
from .listing import Filter, among, filter_of, holds, made_tests, paged
from .problems import BLANK, problem
from .seed import custom_field
from .values import READERS

ENTITIES = ("customer", "order", "customer_corporate", "company", "loyalty_account")
FILTERS: Mapping[str, Filter] = {
    name: holds(name) if name in ("name", "code") else among(name)
    for name in ("name", "code", "type", "entity", "viewMode", "displayArea")
}
ROOT = "/custom-fields"
ENTITY = f"<any({','.join(ENTITIES)}):entity>"


def register(api: Api) -> None:
    """Add the routes."""
    api.route("GET", ROOT, "custom_fields_read")(list_fields)
    api.route("GET", f"{ROOT}/{ENTITY}/<code>", "custom_fields_read")(get_field)
    api.route("POST", f"{ROOT}/{ENTITY}/create", "custom_fields_write")(create_field)
    api.route("POST", f"{ROOT}/{ENTITY}/<code>/edit", "custom_fields_write")(edit_field)
    api.route("GET", f"{ROOT}/dictionaries", "custom_fields_read")(list_dictionaries)
    api.route("GET", f"{ROOT}/dictionaries/<code>", "custom_fields_read")(get_dictionary)
    api.route("POST", f"{ROOT}/dictionaries/create", "custom_fields_write")(create_dictionary)
    api.route("POST", f"{ROOT}/dictionaries/<code>/edit", "custom_fields_write")(edit_dictionary)


def list_fields(call: ApiCall) -> Reply:
    """A page of the fields of all entities."""
    rows = [field for book in call.account.fields.values() for field in book.values()]
    tests = made_tests(call.account, filter_of(call), FILTERS, frozenset())
    return paged(call, "customFields", [row for row in rows if all(test(row) for test in tests)])


def get_field(call: ApiCall, entity: str, code: str) -> Reply:
    """One field."""
    return {"customField": _known(call.account.fields.get(entity, {}), code)}


def create_field(call: ApiCall, entity: str) -> Reply:
    """Define a field."""
    given = call.entity("customField")
    blank = {name: BLANK for name in ("name", "code", "type") if not isinstance(given.get(name), str)}
    if blank:
        raise problem(400, "Validation error", blank)
    book = call.account.fields.setdefault(entity, {})
    if given["code"] in book:
        raise problem(400, "Validation error", {"code": "This value is already used."})
    _check(call, given)
    book[given["code"]] = {**custom_field(entity, given["code"], given["name"], given["type"]), **given}
    return {"code": given["code"]}, 201


def edit_field(call: ApiCall, entity: str, code: str) -> Reply:
    """Change a field; its code and type stay."""
    given = call.entity("customField")
    book = call.account.fields.get(entity, {})
    kept = {name: value for name, value in given.items() if name not in ("code", "type", "entity")}
    book[code] = {**_known(book, code), **kept}
    return {"code": code}


def list_dictionaries(call: ApiCall) -> Reply:
    """A page of dictionaries."""
    return paged(call, "customDictionaries", list(call.account.shelves["dictionaries"].values()))


def get_dictionary(call: ApiCall, code: str) -> Reply:
    """One dictionary."""
    return {"customDictionary": _known(call.account.shelves["dictionaries"], code)}


def create_dictionary(call: ApiCall) -> Reply:
    """Define a dictionary."""
    given = call.entity("customDictionary")
    code = given.get("code")
    if not isinstance(code, str) or not code or not given.get("name"):
        raise problem(400, "Validation error", {"code": BLANK})
    shelf = call.account.shelves["dictionaries"]
    if code in shelf:
        raise problem(400, "Validation error", {"code": "This value is already used."})
    shelf[code] = {"name": given["name"], "code": code, "elements": _elements(given)}
    return {"code": code}, 201


def edit_dictionary(call: ApiCall, code: str) -> Reply:
    """Change a dictionary; its elements are replaced as a whole."""
    given = call.entity("customDictionary")
    shelf = call.account.shelves["dictionaries"]
    known = _known(shelf, code)
    elements = _elements(given) if "elements" in given else known["elements"]
    shelf[code] = {"name": given.get("name", known["name"]), "code": code, "elements": elements}
    return {"code": code}


def _known(book: Mapping[str, Row], code: str) -> Row:
    if code not in book:
        raise problem(404)
    return book[code]


def _check(call: ApiCall, given: Row) -> None:
    if given["type"] not in READERS:
        raise problem(400, "Validation error", {"type": "The value you selected is not a valid choice."})
    if "dictionary" in given["type"] and given.get("dictionary") not in call.account.shelves["dictionaries"]:
        raise problem(400, "Validation error", {"dictionary": BLANK})


def _elements(given: Row) -> list[Row]:
    elements = given.get("elements") or []
    if not isinstance(elements, list) or not all(isinstance(one, dict) and one.get("code") for one in elements):
        raise problem(400, "Validation error", {"elements": "This value is not valid."})
    return [{"name": one.get("name", one["code"]), "code": str(one["code"]), "ordering": 10} for one in elements]
