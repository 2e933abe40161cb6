"""Telephony over the API: ringing, finished calls, the caller lookup."""

from crmkit_sandbox.wire import Row

from . import schema
from .api import Api, ApiCall, Reply
from .problems import bad_format, bad_input, missing
from .telephony import SCHEMA, codes, manager_of, store

EVENT: schema.Schema = {
    "phone": schema.text,
    "type": schema.choice("in", "out", "hangup"),
    "codes": schema.texts,
    "userIds": lambda value: [schema.whole(one) for one in value],
    "site": schema.text,
    "hangupStatus": schema.choice("answered", "busy", "cancel", "failed", "no answered"),
    "externalPhone": schema.text,
    "callExternalId": schema.text,
    "webAnalyticsData": schema.row,
}
SHOWN = ("id", "externalId", "firstName", "lastName", "patronymic", "email", "phones")


def register(api: Api) -> None:
    """Add the routes."""
    api.route("POST", "/telephony/call/event", "telephony_write")(tell)
    api.route("POST", "/telephony/calls/upload", "telephony_write")(upload)
    api.route("GET", "/telephony/manager", "telephony_read")(find_manager)


def tell(call: ApiCall) -> Reply:
    """A call rings or has ended; unknown extensions and users are told."""
    event = schema.read("event", call.entity("event"), EVENT, call.ignored)
    for name in ("phone", "type"):
        if not event.get(name):
            raise bad_format({f"event.{name}": "This value should not be blank."})
    account = call.account
    number = len(account.shelves["events"]) + 1
    account.shelves["events"][number] = {"id": number, "createdAt": account.moment(), **event}
    answer: Row = {}
    lost = [code for code in event.get("codes") or () if code not in codes(account)]
    if lost:
        answer["notExistCodes"] = lost
    strangers = [user_id for user_id in event.get("userIds") or () if user_id not in account.shelves["users"]]
    if strangers:
        answer["notExistUsers"] = strangers
    return answer


def upload(call: ApiCall) -> Reply:
    """Store finished calls; those with a known external id are told and left alone."""
    read = [schema.read("call", one, SCHEMA, call.ignored) for one in call.entities("calls")]
    for columns in read:
        blank = [name for name in ("date", "type", "phone", "result") if not columns.get(name)]
        if blank:
            raise bad_format({f"call.{name}": "This value should not be blank." for name in blank})
    doubled = [columns["externalId"] for columns in read if store(call.account, columns) is None]
    answer: Row = {"processedCallsCount": len(read) - len(doubled)}
    return {**answer, "duplicateCalls": doubled} if doubled else answer


def find_manager(call: ApiCall) -> Reply:
    """Who is responsible for a caller, and with `details` who the caller is."""
    phone = call.query.get("phone")
    if not isinstance(phone, str) or not phone:
        raise missing("phone")
    try:
        is_detailed, takes_all = (schema.flag(call.query.get(name, "0")) for name in ("details", "ignoreStatus"))
    except ValueError:
        raise bad_input("details", "This value is not valid.") from None
    person, user = manager_of(call.account, phone)
    answer: Row = {}
    if user is not None and (takes_all or user["status"] == "free"):
        names = ("id", "firstName", "lastName", "patronymic", "email")
        answer["manager"] = {name: user[name] for name in names if name in user}
        extension = next((code for code, user_id in codes(call.account).items() if user_id == user["id"]), None)
        if extension is not None:
            answer["manager"]["code"] = extension
    if not is_detailed:
        return answer
    if person is not None:
        answer["customer"] = {name: person[name] for name in SHOWN if name in person}
    return {**answer, "links": _links(call, phone, person)}


def _links(call: ApiCall, phone: str, person: Row | None) -> Row:
    links = {
        "newOrderLink": f"{call.base}/orders/add?phone={phone}",
        "newCustomerLink": f"{call.base}/customers/add?phone={phone}",
    }
    if person is not None:
        links["customerLink"] = f"{call.base}/customers/{person['id']}"
        orders = call.account.orders_of.ids(person["id"])
        if orders:
            links["lastOrderLink"] = f"{call.base}/orders/{orders[-1]}"
    return links
