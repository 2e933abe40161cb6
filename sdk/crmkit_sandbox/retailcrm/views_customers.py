"""Customers over the API."""

from collections.abc import Mapping

from crmkit_sandbox.wire import Row

from . import changes, customers, shapes
from .account import Account
from .api import Api, ApiCall, Reply
from .combine import queue
from .listing import (
    Filter,
    Test,
    among,
    at_least,
    at_most,
    custom_fields,
    flagged,
    holds,
    inside,
    listed,
    managers_of_groups,
    since,
    tasks_counts,
    until,
    whole_among,
)
from .problems import bad_format, bad_input
from .query import values
from .uploads import fix_external_ids, upload
from .views_history import history


def _named(_: Account, value: object) -> Test:
    """The full name, or a phone as it is typed: a part of the kept text."""
    wanted = str(value).casefold().strip()

    def test(row: Row) -> bool:
        phones = " ".join(phone["number"] for phone in row.get("phones", ()))
        names = " ".join(str(row.get(name, "")) for name in ("lastName", "firstName", "patronymic"))
        other = " ".join(str(row.get(name, "")) for name in ("firstName", "lastName"))
        return any(wanted in text.casefold() for text in (names, other, phones, str(row.get("nickName", ""))))

    return test


def _tagged(_: Account, value: object) -> Test:
    wanted = frozenset(values(value))
    return lambda row: bool(wanted & set(row.get("tags", ())))


def _in_segment(account: Account, value: object) -> Test:
    return lambda row: any(segment["code"] == value for segment in shapes.segments_of(account, row))


def _noted(account: Account, value: object) -> Test:
    wanted = str(value).casefold()
    found = {note["customer"] for note in account.tables["notes"].rows() if wanted in note["text"].casefold()}
    return lambda row: row["id"] in found


PERSON_FILTERS: Mapping[str, Filter] = {
    "ids": whole_among("id"),
    "externalIds": among("externalId"),
    "email": holds("email"),
    "city": inside("address", "city"),
    "region": inside("address", "region"),
    "notes": _noted,
    "vip": flagged("vip"),
    "bad": flagged("bad"),
    "discountCardNumber": holds("discountCardNumber"),
    "sites": among("site"),
    "managers": whole_among("managerId"),
    "managerGroups": managers_of_groups,
    "dateFrom": since("createdAt"),
    "dateTo": until("createdAt"),
    "tasksCounts": tasks_counts("customer"),
    "tags": _tagged,
    "customFields": custom_fields,
    "contragentInn": inside("contragent", "INN"),
    "contragentKpp": inside("contragent", "KPP"),
    "contragentName": inside("contragent", "legalName"),
    **{
        f"{edge}{name[0].upper()}{name[1:]}": (at_least if edge == "min" else at_most)(
            lambda account, row, name=name: shapes.totals(account, row["id"])[name]  # type: ignore[misc]  # bound now
        )
        for name in ("ordersCount", "totalSumm", "averageSumm", "costSumm")
        for edge in ("min", "max")
    },
}
FILTERS: Mapping[str, Filter] = {
    **PERSON_FILTERS,
    "name": _named,
    "sex": among("sex"),
    "segment": _in_segment,
    "isContact": flagged("isContact"),
    "browserId": among("browserId"),
    "countries": lambda _, value: lambda row: (row.get("address") or {}).get("countryIso") in values(value),
    "sourceName": inside("source", "source"),
    "mediumName": inside("source", "medium"),
    "campaignName": inside("source", "campaign"),
    "emailMarketingUnsubscribed": lambda _, value: (
        lambda row: ("emailMarketingUnsubscribedAt" in row) == (value == "1")
    ),
}
# Source: retailCRM API v5, CustomerFilter; what is not emulated.
DOCUMENTED = (
    *("classSegment", "attachments", "online", "contragentTypes", "contragentBik", "contragentCorrAccount"),
    *("contragentBankAccount", "firstWebVisitFrom", "firstWebVisitTo", "lastWebVisitFrom", "lastWebVisitTo"),
    *("firstOrderFrom", "firstOrderTo", "lastOrderFrom", "lastOrderTo", "commentary", "keywordName", "adContentName"),
    *("mgCustomerId", "mgChannels", "attachedTags", "subscriptions", "abandonedCart"),
)


def register(api: Api) -> None:
    """Add the routes."""
    api.route("GET", "/customers", "customer_read")(list_customers)
    api.route("GET", "/customers/history", "customer_read")(history("customers"))
    api.route("GET", "/customers/<address>", "customer_read")(get_customer)
    api.route("POST", "/customers/create", "customer_write")(create_customer)
    api.route("POST", "/customers/upload", "customer_write")(
        lambda call: upload(call, "customers", "Customers", customers.create)
    )
    api.route("POST", "/customers/combine", "customer_write")(
        lambda call: combine_people(call, "customers", "resultCustomer")
    )
    api.route("POST", "/customers/fix-external-ids", "customer_write")(
        lambda call: fix_external_ids(call, "customers", "customers")
    )
    api.route("POST", "/customers/<address>/edit", "customer_write")(edit_customer)
    api.route("POST", "/customers/<address>/subscriptions", "customer_write")(subscribe)


def list_customers(call: ApiCall) -> Reply:
    """A page of people."""
    rows, head = listed(call, call.account.tables["customers"], FILTERS, DOCUMENTED)
    return {**head, "customers": [shapes.customer(call.account, row) for row in rows]}


def get_customer(call: ApiCall, address: str) -> Reply:
    """One person."""
    return {"customer": shapes.customer(call.account, call.find("customers", address))}


def create_customer(call: ApiCall) -> Reply:
    """Make a person."""
    given = call.entity("customer")
    site = call.site() or ""
    return {"id": customers.create(call.account, given, site, call.ignored)["id"]}, 201


def edit_customer(call: ApiCall, address: str) -> Reply:
    """Change a person."""
    given = call.entity("customer")
    row = call.find("customers", address)
    return {"id": customers.update(call.account, row, given, call.ignored)["id"]}


def subscribe(call: ApiCall, address: str) -> Reply:
    """Subscribe a person to channels, or take them off."""
    given = call.entities("subscriptions")
    row = call.find("customers", address)
    known = {
        (one["subscription"]["channel"], one["subscription"]["code"]): one
        for one in row.get("customerSubscriptions", ())
    }
    for one in given:
        code = one.get("subscription", "default_marketing")
        if not isinstance(one.get("channel"), str) or not isinstance(code, str):
            raise bad_format({"subscriptions.channel": "This value is not valid."})
        about = {"channel": one["channel"], "code": code, "name": code, "active": True}
        known[one["channel"], code] = {"subscription": about, "subscribed": bool(one.get("active"))}
    changes.change(call.account, "customers", row, {**row, "customerSubscriptions": list(known.values())})
    return {}


def combine_people(call: ApiCall, kind: str, result: str) -> Reply:
    """Queue a merge; the history tells when it is done."""
    table = call.account.tables[kind]
    losers, winner = call.entities("customers"), call.entity(result)
    ids = [one.get("id") for one in (winner, *losers)]
    for row_id in ids:
        row = table.live(row_id) if isinstance(row_id, int) else None
        if row is None or not call.sees(row):
            raise bad_input("customers", f"Customer with id={row_id} not found.")
    if ids[0] in ids[1:]:
        raise bad_input("resultCustomer", "The result customer must not be among the combined ones.")
    queue(call.account, kind, ids[0], list(dict.fromkeys(ids[1:])))  # type: ignore[arg-type]  # ids of live rows
    return {}
