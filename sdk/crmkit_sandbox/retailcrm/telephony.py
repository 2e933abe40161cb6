"""Calls: how they are stored, whom a phone belongs to, which user has which extension."""

from crmkit_sandbox.wire import Row

from . import schema
from .account import Account

# Source: retailCRM API v5, telephony/calls/upload.
SCHEMA: schema.Schema = {
    "date": schema.moment,
    "type": schema.choice("in", "out"),
    **dict.fromkeys(("phone", "code", "externalId", "recordUrl", "externalPhone", "site", "clientId"), schema.text),
    **dict.fromkeys(("userId", "duration", "durationWaiting"), schema.whole),
    "result": schema.choice("answered", "failed", "busy", "no answer", "not allowed", "unknown"),
    "source": schema.nested(schema.SOURCE),
}


def store(account: Account, columns: Row) -> Row | None:
    """The stored call, None when a call with its external id is known."""
    table, external_id = account.tables["calls"], columns.get("externalId")
    if external_id is not None and account.by_external["calls"].ids(external_id):
        return None
    row = {name: value for name, value in columns.items() if value is not None}
    if "userId" not in row and "code" in row:
        user_id = codes(account).get(row["code"])
        if user_id is not None:
            row["userId"] = user_id
    found = account.people.by_phone(row["phone"])
    if found:
        row["customer"] = found[0]
    return table.put({"id": account.take_id("calls"), **row, "updated_at": int(account.now())})


def codes(account: Account) -> dict[str, int]:
    """Users by their extension, as active telephony modules have registered them."""
    found: dict[str, int] = {}
    for module in account.shelves["modules"].values():
        telephony = module.get("integrations", {}).get("telephony") or {}
        if module["active"]:
            found |= {str(one["code"]): one["userId"] for one in telephony.get("additionalCodes") or ()}
    return found


def manager_of(account: Account, phone: str) -> tuple[Row | None, Row | None]:
    """The person with this phone and the user who is responsible: theirs, else that of their last order."""
    found = account.people.by_phone(phone)
    person = account.tables["customers"].live(found[0]) if found else None
    if person is None:
        return None, None
    managers = [person.get("managerId")]
    orders = (account.tables["orders"].live(row_id) for row_id in reversed(account.orders_of.ids(person["id"])))
    managers += [row.get("managerId") for row in orders if row is not None]
    users = account.shelves["users"]
    return person, next((users[one] for one in managers if one in users), None)
