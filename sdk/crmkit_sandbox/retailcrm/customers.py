"""How a person is written."""

from crmkit_sandbox.wire import Row

from . import changes, schema
from .account import Account
from .problems import INVALID, bad_format, not_loaded
from .values import check_user, custom_fields, tags

TITLE = "Customer"
# Source: retailCRM API v5, entity Customer; sums and segments are read only.
SCHEMA: schema.Schema = {
    **dict.fromkeys(
        (
            *("externalId", "browserId", "firstName", "lastName", "patronymic", "email", "discountCardNumber"),
            *("firstClientId", "lastClientId", "photoUrl"),
        ),
        schema.text,
    ),
    **dict.fromkeys(("isContact", "vip", "bad", "subscribed"), schema.flag),
    "createdAt": schema.moment,
    "birthday": schema.day,
    "emailMarketingUnsubscribedAt": schema.moment,
    "sex": schema.choice("male", "female"),
    "managerId": schema.whole,
    "personalDiscount": schema.number,
    "cumulativeDiscount": schema.number,
    "contragent": schema.nested(schema.CONTRAGENT),
    "address": schema.nested(schema.ADDRESS),
    "source": schema.nested(schema.SOURCE),
    "phones": schema.rows,
    "customFields": schema.row,
    "addTags": schema.texts,
    "removeTags": schema.texts,
    "attachedTag": schema.text,
}
WRITE_ONLY = frozenset({"customFields", "addTags", "removeTags", "attachedTag", "subscribed", "phones", "address"})

NEEDED = frozenset({"createdAt", "contragent"})


def create(account: Account, given: Row, site: str, ignored: list[str]) -> Row:
    """A new person.

    Raises ProblemError 400 for a value that cannot be kept.
    """
    columns = schema.read("customer", given, SCHEMA, ignored, NEEDED)
    check_external(account, "customers", columns, site, TITLE)
    row: Row = {
        "type": "customer",
        "isContact": False,
        "createdAt": account.moment(),
        "vip": False,
        "bad": False,
        "site": site,
        "contragent": {"contragentType": "individual"},
        "tags": [],
        "phones": [],
        "customFields": {},
    }
    after = _applied(account, row, columns, ignored)
    return changes.create(account, "customers", {"id": account.take_id("customers"), **after})


def update(account: Account, before: Row, given: Row, ignored: list[str]) -> Row:
    """A person with what `given` holds.

    Raises ProblemError 400 for a value that cannot be kept.
    """
    columns = schema.read("customer", given, SCHEMA, ignored, NEEDED)
    if columns.get("externalId") != before.get("externalId"):
        check_external(account, "customers", columns, before["site"], TITLE)
    return changes.change(account, "customers", before, _applied(account, before, columns, ignored))


def check_external(account: Account, kind: str, columns: Row, site: str, title: str) -> None:
    """Refuse an external id that another live record of the site has."""
    external_id = columns.get("externalId")
    if external_id is not None and account.find(kind, external_id, site) is not None:  # type: ignore[arg-type]  # a Kind
        raise not_loaded(title, {"externalId": f"{title} with externalId={external_id} already exists."})


def _applied(account: Account, before: Row, columns: Row, ignored: list[str]) -> Row:
    check_user(account, TITLE, "managerId", columns.get("managerId"))
    plain = {name: value for name, value in columns.items() if name not in WRITE_ONLY}
    after = schema.merged(before, plain)
    if "phones" in columns:
        after["phones"] = phones_of(columns["phones"] or [])
    if "address" in columns:
        after["address"] = schema.merged(before.get("address", {}), columns["address"] or {})
        after["address"].setdefault("id", account.take_id("addresses"))
    if "customFields" in columns:
        given = columns["customFields"] or {}
        after["customFields"] = custom_fields(account, "customer", TITLE, before.get("customFields"), given, ignored)
    added = [*(columns.get("addTags") or []), *([columns["attachedTag"]] if columns.get("attachedTag") else [])]
    after["tags"] = tags(account, before.get("tags", []), added, columns.get("removeTags") or [])
    if columns.get("subscribed") is False:
        after.setdefault("emailMarketingUnsubscribedAt", account.moment())
    if columns.get("subscribed"):
        after.pop("emailMarketingUnsubscribedAt", None)
    return after


def phones_of(given: list[Row]) -> list[Row]:
    """Phones as they are kept: as typed, empty ones left out.

    Raises ProblemError 400 for another shape.
    """
    try:
        numbers = [schema.text(phone["number"]) for phone in given if phone.get("number") not in (None, "")]
    except ValueError:
        raise bad_format({"customer.phones": INVALID}) from None
    return [{"number": number} for number in dict.fromkeys(numbers)]
