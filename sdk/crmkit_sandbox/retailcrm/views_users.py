"""Users, groups and segments over the API."""

from collections.abc import Iterable, Mapping, Sequence

from crmkit_sandbox.wire import Row

from .account import Account
from .api import Api, ApiCall, Reply
from .listing import Filter, Test, among, filter_of, flagged, holds, made_tests, paged, since, until, whole_among
from .problems import bad_input, missing, problem
from .query import values

STATUSES = ("free", "busy", "dinner", "break")


def _in_groups(_: Account, value: object) -> Test:
    wanted = set(values(value))
    return lambda row: bool(wanted & {group["code"] for group in row["groups"]})


USER_FILTERS: Mapping[str, Filter] = {
    "ids": whole_among("id"),
    "email": holds("email"),
    "status": among("status"),
    "online": flagged("online"),
    "active": flagged("active"),
    "isManager": flagged("isManager"),
    "isAdmin": flagged("isAdmin"),
    "groups": _in_groups,
    "createdAtFrom": since("createdAt"),
    "createdAtTo": until("createdAt"),
}
SEGMENT_FILTERS: Mapping[str, Filter] = {
    "ids": whole_among("id"),
    "code": holds("code"),
    "name": holds("name"),
    "active": flagged("active"),
    "isDynamic": flagged("isDynamic"),
}


def register(api: Api) -> None:
    """Add the routes."""
    api.route("GET", "/users", "user_read")(list_users)
    api.route("GET", "/users/<int:user_id>", "user_read")(get_user)
    api.route("POST", "/users/<int:user_id>/status", "user_write")(set_status)
    api.route("GET", "/user-groups", "user_read")(
        lambda call: paged(call, "groups", _newest(call.account.shelves["groups"].values()))
    )
    api.route("GET", "/segments", "segment_read")(list_segments)


def list_users(call: ApiCall) -> Reply:
    """A page of users."""
    return paged(call, "users", _chosen(call, _newest(call.account.shelves["users"].values()), USER_FILTERS))


def get_user(call: ApiCall, user_id: int) -> Reply:
    """One user."""
    return {"user": _known(call, user_id)}


def set_status(call: ApiCall, user_id: int) -> Reply:
    """Change whether a user is free to talk."""
    status = call.form.get("status")
    if status is None:
        raise missing("status")
    if status not in STATUSES:
        raise bad_input("status", "The value you selected is not a valid choice.")
    call.account.shelves["users"][user_id] = {**_known(call, user_id), "status": status}
    return {}


def list_segments(call: ApiCall) -> Reply:
    """A page of segments, each with the number of its people."""
    account, rows = call.account, _newest(call.account.shelves["segments"].values())
    shown = _chosen(call, rows, SEGMENT_FILTERS)
    people = [len(account.orders_of.ids(row_id)) for row_id in account.tables["customers"].ids]
    sizes = {"new": sum(count == 0 for count in people), "regular": sum(count >= 2 for count in people)}
    return paged(call, "segments", [{**row, "customersCount": sizes.get(row["code"], 0)} for row in shown])


def _known(call: ApiCall, user_id: int) -> Row:
    user = call.account.shelves["users"].get(user_id)
    if user is None:
        raise problem(404)
    return user


def _newest(rows: Iterable[Row]) -> list[Row]:
    return list(rows)[::-1]


def _chosen(call: ApiCall, rows: Sequence[Row], filters: Mapping[str, Filter]) -> list[Row]:
    tests = made_tests(call.account, filter_of(call), filters, frozenset())
    return [row for row in rows if all(test(row) for test in tests)]
