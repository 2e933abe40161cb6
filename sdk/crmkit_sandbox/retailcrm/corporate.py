"""How a corporate customer, its companies, addresses and contacts are written."""

from collections.abc import Mapping

from crmkit_sandbox.wire import Row

from . import changes, schema
from .account import Account
from .customers import check_external
from .problems import not_loaded, problem
from .values import check_user, custom_fields, linked, tags

TITLE = "Customer"
# Source: retailCRM API v5, entities CustomerCorporate, Company, CustomerContact.
SCHEMA: schema.Schema = {
    **dict.fromkeys(("externalId", "nickName", "discountCardNumber"), schema.text),
    **dict.fromkeys(("vip", "bad"), schema.flag),
    "createdAt": schema.moment,
    "managerId": schema.whole,
    "personalDiscount": schema.number,
    "source": schema.nested(schema.SOURCE),
    "customFields": schema.row,
    "addTags": schema.texts,
    "removeTags": schema.texts,
    "customerContacts": schema.rows,
    "companies": schema.rows,
    "addresses": schema.rows,
}
WRITE_ONLY = frozenset({"customFields", "addTags", "removeTags", "customerContacts", "companies", "addresses"})
COMPANY: schema.Schema = {
    **dict.fromkeys(("externalId", "name", "brand", "site"), schema.text),
    **dict.fromkeys(("active", "isMain"), schema.flag),
    "contragent": schema.nested(schema.CONTRAGENT),
    "address": schema.row,
    "customFields": schema.row,
}
ADDRESS: schema.Schema = {**schema.ADDRESS, "name": schema.text, "externalId": schema.text, "isMain": schema.flag}
CONTACT: schema.Schema = {"isMain": schema.flag, "customer": schema.row, "companies": schema.rows}
SHELVES: Mapping[str, tuple[str, str, schema.Schema]] = {
    "addresses": ("address", "addresses", ADDRESS),
    "companies": ("company", "companies", COMPANY),
    "contacts": ("contact", "customerContacts", CONTACT),
}

NEEDED = frozenset({"createdAt", "nickName"})


def create(account: Account, given: Row, site: str, ignored: list[str]) -> Row:
    """A new corporate customer.

    Raises ProblemError 400 for a value that cannot be kept.
    """
    columns = schema.read("customerCorporate", given, SCHEMA, ignored, NEEDED)
    check_external(account, "corporate", columns, site, TITLE)
    if not columns.get("nickName"):
        raise not_loaded(TITLE, {"nickName": "This value should not be blank."})
    row: Row = {
        "type": "customer_corporate",
        "createdAt": account.moment(),
        "vip": False,
        "bad": False,
        "site": site,
        "tags": [],
        "customFields": {},
        "customerContacts": [],
        "companies": [],
        "addresses": [],
    }
    after = _applied(account, {"id": account.take_id("customers"), **row}, columns, ignored)
    for shelf, (_, field, _) in SHELVES.items():
        for part in columns.get(field) or ():
            after = with_part(account, after, shelf, part, None, ignored)
    return enlist(account, changes.create(account, "corporate", after))


def update(account: Account, before: Row, given: Row, ignored: list[str]) -> Row:
    """A corporate customer with what `given` holds; its contacts are a whole new list.

    Its companies and addresses are written by methods of their own.

    Raises ProblemError 400 for a value that cannot be kept.
    """
    columns = schema.read("customerCorporate", given, SCHEMA, ignored, NEEDED)
    if columns.get("externalId") != before.get("externalId"):
        check_external(account, "corporate", columns, before["site"], TITLE)
    after = _applied(account, before, columns, ignored)
    contacts = columns.get("customerContacts")
    if contacts is not None and account.switches.replaces_contacts:
        after = _with_contacts(account, after, contacts, ignored)
    elif contacts is not None:
        ignored.append("customerCorporate.customerContacts")
    ignored.extend(f"customerCorporate.{field}" for field in ("companies", "addresses") if field in columns)
    return enlist(account, changes.change(account, "corporate", before, after))


def with_part(account: Account, row: Row, shelf: str, given: Row, part: Row | None, ignored: list[str]) -> Row:
    """The corporate customer with a part more, or with a changed one.

    The first of a shelf is the main one; making another main takes the mark from it.
    Raises ProblemError 400 for a value that cannot be kept.
    """
    name, field, fields = SHELVES[shelf]
    columns = schema.read(name, given, fields, ignored)
    before: Row = part or {"id": account.take_id(shelf), "isMain": not row[field]}
    if part is None and shelf == "companies":
        before |= {"active": True, "createdAt": account.moment(), "customFields": {}}
    if shelf == "contacts":
        columns = _contact(account, row, columns, is_new=part is None)
    if shelf == "companies":
        if part is None and not columns.get("name"):
            raise not_loaded("Company", {"name": "This value should not be blank."})
        if columns.get("customFields") is not None:
            old, new = before.get("customFields"), columns["customFields"]
            columns["customFields"] = custom_fields(account, "company", "Company", old, new, ignored)
        if columns.get("contragent") is not None:
            columns["contragent"] = schema.merged(before.get("contragent", {}), columns["contragent"])
    after = schema.merged(before, columns)
    parts = [after if one["id"] == after["id"] else one for one in row[field]]
    if part is None:
        parts.append(after)
    if after["isMain"]:
        parts = [one if one["id"] == after["id"] else {**one, "isMain": False} for one in parts]
    return {**row, field: parts}


def enlist(account: Account, row: Row) -> Row:
    """The corporate customer; its contacts are marked as such."""
    for contact in row["customerContacts"]:
        person = account.tables["customers"].live(contact["customer"])
        if person is not None and not person.get("isContact"):
            changes.change(account, "customers", person, {**person, "isContact": True})
    return row


def part_of(account: Account, row: Row, shelf: str, address: str, entity_by: str) -> Row:
    """The part that a path names by id or external id; a contact answers to the ids of its person too.

    Raises ProblemError 404 when there is none.
    """
    for part in row[SHELVES[shelf][1]]:
        person = (account.tables["customers"].get(part["customer"]) or {}) if shelf == "contacts" else {}
        name = "id" if entity_by == "id" else "externalId"
        if address in [str(one[name]) for one in (part, person) if name in one]:
            return dict(part)
    raise problem(404)


def _with_contacts(account: Account, row: Row, given: list[Row], ignored: list[str]) -> Row:
    wanted = {(one.get("customer") or {}).get("id"): one for one in given}
    after = {**row, "customerContacts": [one for one in row["customerContacts"] if one["customer"] in wanted]}
    known = {one["customer"]: one for one in after["customerContacts"]}
    for person, one in wanted.items():
        after = with_part(account, after, "contacts", one, known.get(person), ignored)
    return after


def _contact(account: Account, row: Row, columns: Row, *, is_new: bool) -> Row:
    found: Row = {name: value for name, value in columns.items() if name == "isMain"}
    if is_new:
        person = linked(account, columns.get("customer") or {}, "customer", row["site"], "CustomerContact")
        if any(contact["customer"] == person["id"] for contact in row["customerContacts"]):
            raise not_loaded("CustomerContact", {"customer": "This value is already used."})
        found["customer"] = person["id"]
    if columns.get("companies") is not None:
        known = {company["id"] for company in row["companies"]}
        asked = [one.get("company", one).get("id") for one in columns["companies"]]
        if not set(asked) <= known:
            raise not_loaded("CustomerContact", {"companies": "Company not found."})
        found["companies"] = asked
    return found


def _applied(account: Account, before: Row, columns: Row, ignored: list[str]) -> Row:
    check_user(account, TITLE, "managerId", columns.get("managerId"))
    after = schema.merged(before, {name: value for name, value in columns.items() if name not in WRITE_ONLY})
    if "customFields" in columns:
        given, old = columns["customFields"] or {}, before.get("customFields")
        after["customFields"] = custom_fields(account, "customer_corporate", TITLE, old, given, ignored)
    after["tags"] = tags(account, before["tags"], columns.get("addTags") or [], columns.get("removeTags") or [])
    return after
