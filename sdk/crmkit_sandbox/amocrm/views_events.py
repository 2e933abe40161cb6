"""The event feed over the API, newest first."""

from collections.abc import Callable, Iterable
from typing import Any

from crmkit_sandbox.wire import Row

from .account import Account
from .api import Api, ApiCall, Reply
from .journal import PLAIN_TYPES
from .listing import page_of
from .problems import problem
from .query import Nested, numbers, span, values
from .shapes import event as shape

MOST = 100
MOST_OF_ONE_FILTER = 10
Test = Callable[[Row], bool]


def register(api: Api) -> None:
    """Add the routes."""
    api.route("GET", "/events")(list_events)
    api.route("GET", "/events/types")(list_types)
    api.route("GET", "/events/<event_id>")(get_event)


def list_events(call: ApiCall) -> Reply:
    """A page of events; the vendor gives at most 100 on one."""
    tests = _tests(call)
    events = call.account.events
    found: Iterable[Row] = reversed(events)
    if tests:
        found = [event for event in found if all(test(event) for test in tests)]
    chosen, head = page_of(call, "events", list(found), most=MOST)
    return {**head, "_embedded": {"events": [shape(event, call.base) for event in chosen]}}


def list_types(call: ApiCall) -> Reply:
    """The known types of events."""
    call.query.text("language_code")
    types = [{"key": name, "type": 0, "lang": name.replace("_", " ").capitalize()} for name in PLAIN_TYPES]
    links = {"self": {"href": f"{call.base}/api/v4/events/types"}}
    return {"_total_items": len(types), "_links": links, "_embedded": {"events_types": types}}


def get_event(call: ApiCall, event_id: str) -> Reply:
    """One event."""
    for event in call.account.events:
        if event["id"] == event_id:
            return shape(event, call.base)
    raise problem(404, f"Entity not found: event {event_id}")


def _tests(call: ApiCall) -> list[Test]:
    given = call.query.group("filter")
    makers: dict[str, Callable[[ApiCall, Any], Test]] = {
        "id": lambda _, node: _one_of("id", set(values(node))),
        "type": lambda call, node: _of_type(call.account, set(values(node))),
        "entity": lambda _, node: _one_of("entity_type", set(values(node))),
        "entity_id": _of_entity,
        "created_by": _by_user,
        "created_at": lambda _, node: _in_time(node),
        "value_before": lambda _, node: _of_value("value_before", node),
        "value_after": lambda _, node: _of_value("value_after", node),
    }
    active = {name: node for name, node in given.items() if name in makers}
    call.query.used.update(f"filter[{name}]" for name in active)
    return [makers[name](call, node) for name, node in active.items()]


def _one_of(column: str, wanted: set[str]) -> Test:
    return lambda event: event[column] in wanted


def _of_type(account: Account, wanted: set[str]) -> Test:
    # A custom field's type is known once the field is; unknown types are refused as any unknown choice.
    known = {f"custom_field_{field_id}_value_changed" for book in account.fields.values() for field_id in book}
    unknown = sorted(name for name in wanted if name not in PLAIN_TYPES and name not in known)
    if unknown:
        raise problem(400, f"Unsupported event types: {', '.join(unknown)}")
    special = {name for name in wanted if name in known}
    if special:
        # Source: amoCRM, page "Events": a specific field excludes other types of the same request.
        return lambda event: event["type"] in special
    any_field = "custom_field_value_changed" in wanted
    return lambda event: event["type"] in wanted or (any_field and event["type"].startswith("custom_field_"))


def _of_entity(call: ApiCall, node: Any) -> Test:
    wanted = numbers(node)
    if len(values(call.query.group("filter").get("entity"))) != 1 or len(wanted) > MOST_OF_ONE_FILTER:
        raise problem(400, "filter[entity_id] takes up to 10 ids and needs exactly one filter[entity]")
    return lambda event: event["entity_id"] in wanted


def _by_user(_: ApiCall, node: Any) -> Test:
    wanted = numbers(node)
    if len(wanted) > MOST_OF_ONE_FILTER:
        raise problem(400, "filter[created_by] takes up to 10 ids")
    return lambda event: event["created_by"] in wanted


def _in_time(node: Any) -> Test:
    if isinstance(node, str) and "," in node:
        bounds = values(node)
        node = {"from": bounds[0], "to": bounds[1]}
    first, last = span(node)
    return lambda event: first <= event["created_at"] <= last


def _of_value(column: str, given: Any) -> Test:
    node: Nested = given if isinstance(given, dict) else {"value": given}
    users, enums, texts = (
        numbers(node.get("responsible_user_id", "")),
        numbers(node.get("custom_field_values", "")),
        set(values(node.get("value", ""))),
    )
    stages = {
        (str(pair.get("pipeline_id")), str(pair.get("status_id")))
        for pair in (node.get("leads_statuses") or {}).values()
        if isinstance(pair, dict)
    }

    def test(event: Row) -> bool:
        for item in event[column]:
            for name, inner in item.items():
                if name == "lead_status" and (str(inner["pipeline_id"]), str(inner["id"])) in stages:
                    return True
                if name == "responsible_user" and inner["id"] in users:
                    return True
                if name == "custom_field_value" and (inner["enum_id"] in enums or inner["text"] in texts):
                    return True
                if name in ("sale_field_value", "name_field_value") and texts & {str(one) for one in inner.values()}:
                    return True
        return False

    return test
