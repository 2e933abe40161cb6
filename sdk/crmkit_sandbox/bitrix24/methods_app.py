"""Methods about the app, the caller, events out and the offline queue."""

from typing import Any

from crmkit_sandbox.wire import Row

from .events import EVENTS, add_handler
from .listing import PAGE, list_rows
from .methods import Answer, Body, Call, Registry
from .params import items_of
from .problems import Problem, missing
from .values import number_of

SHOWN = ("ID", "TIMESTAMP_X", "EVENT_NAME", "EVENT_DATA", "EVENT_ADDITIONAL", "MESSAGE_ID")


def register(registry: Registry) -> None:
    """Declare the methods."""
    registry.add("profile", _profile, scope=None)
    registry.add("server.time", lambda call: call.portal.stamp(), scope=None)
    registry.add("scope", _scopes, scope=None)
    registry.add("methods", _methods, scope=None)
    registry.add("method.get", _method, scope=None)
    registry.add("feature.get", lambda call: {"value": "Y"} if call.need("CODE") else [], scope=None)
    registry.add("user.admin", lambda call: call.portal.is_admin(call.caller.user_id), scope=None)
    registry.add("app.info", _app, scope=None, is_app_only=True)
    registry.add("events", lambda _: list(EVENTS), scope=None, is_app_only=True)
    registry.add("event.bind", _bind, scope=None, is_app_only=True)
    registry.add("event.unbind", _unbind, scope=None, is_app_only=True)
    registry.add("event.get", _handlers, scope=None, is_app_only=True)
    queue: dict[str, Body] = {"get": _offline, "list": _offline_list, "clear": _clear, "error": _error}
    for name, body in queue.items():
        registry.add(f"event.offline.{name}", body, scope=None, is_app_only=True, is_admin_only=True)


def _profile(call: Call) -> Row:
    user = call.portal.shelves["users"][call.caller.user_id]
    shown = {name: user[name] for name in ("ID", "NAME", "LAST_NAME", "PERSONAL_GENDER", "TIME_ZONE")}
    return shown | {"ADMIN": user["is_admin"]}


def _scopes(call: Call) -> list[str]:
    return list(call.caller.scopes)


def _methods(call: Call) -> list[str]:
    scope = call.get("scope")
    return [one.name for one in call.registry.values() if scope is None or one.scope == scope]


def _method(call: Call) -> Row:
    method = call.registry.get(str(call.need("name")).lower())
    is_available = method is not None and (method.scope is None or method.scope in call.caller.scopes)
    return {"isExisting": method is not None, "isAvailable": is_available}


def _app(call: Call) -> Row:
    return {
        "ID": 1,
        "CODE": call.oauth.client_id,
        "VERSION": 1,
        "STATUS": call.oauth.status,
        "INSTALLED": True,
        "PAYMENT_EXPIRED": "N",
        "DAYS": None,
        "LANGUAGE_ID": "ru",
        "LICENSE": "ru_pro100",
        "LICENSE_TYPE": "pro100",
        "LICENSE_FAMILY": "pro",
    }


def _event(call: Call) -> str:
    name = str(call.need("event")).upper()
    if name not in EVENTS:
        raise Problem(400, "ERROR_EVENT_NOT_FOUND", f"Event not found: {name}")
    return name


def _bind(call: Call) -> bool:
    name, is_offline = _event(call), str(call.get("event_type") or "online") == "offline"
    user_id = number_of(call.get("auth_type"))
    if is_offline and not call.portal.is_admin(call.caller.user_id):
        text = "Access denied! Offline events binding requires administrator access rights"
        raise Problem(403, "ACCESS_DENIED", text)
    if user_id not in (0, call.caller.user_id) and not call.portal.is_admin(call.caller.user_id):
        raise Problem(403, "ACCESS_DENIED", "Access denied! Only an administrator may name another user")
    url = "" if is_offline else str(call.get("handler") or "")
    if not url and not is_offline:
        raise missing("handler")
    for known in call.portal.shelves["handlers"].values():
        if (known["event"], known["handler"], bool(known["offline"])) == (name, url, is_offline):
            raise Problem(400, "ERROR_EVENT_BINDING_EXISTS", "Unable to set event handler: Handler already binded")
    add_handler(call.portal, name, url, offline=int(is_offline), auth_type=str(user_id))
    return True


def _unbind(call: Call) -> Row:
    name, is_offline = _event(call), str(call.get("event_type") or "online") == "offline"
    url = call.get("handler")
    shelf = call.portal.shelves["handlers"]
    gone = [
        key
        for key, row in shelf.items()
        if row["event"] == name
        and not row["is_webhook"]
        and bool(row["offline"]) == is_offline
        and (is_offline or url in (None, row["handler"]))
    ]
    for key in gone:
        del shelf[key]
    return {"count": len(gone)}


def _handlers(call: Call) -> list[Row]:
    rows = [row for row in call.portal.shelves["handlers"].values() if not row["is_webhook"]]
    return [{name: row[name] for name in ("event", "handler", "auth_type", "offline")} for row in rows]


def _offline(call: Call) -> Row:
    shelf = call.portal.shelves["offline"]
    is_clearing = str(call.get("clear", 1)) not in ("0", "false", "False", "N")
    process_id = call.get("process_id")
    limit = min(number_of(call.get("limit")) or PAGE, PAGE)
    wanted = str(process_id) if process_id else None
    with_errors = str(call.get("error") or "0") in ("1", "Y")
    found = [
        (key, row)
        for key, row in _in_order(shelf)
        if row["process_id"] == wanted and (bool(row["error"]) == with_errors or wanted) and _fits(call, row)
    ][:limit]
    if not is_clearing and wanted is None:
        wanted = f"{call.portal.take_id('processes'):032x}"
    for key, row in found:
        if is_clearing:
            del shelf[key]
        else:
            shelf[key] = {**row, "process_id": wanted}
    return {"process_id": None if is_clearing else wanted, "events": [_shown(row) for _, row in found]}


def _offline_list(call: Call) -> Answer:
    rows = [row for _, row in _in_order(call.portal.shelves["offline"]) if _fits(call, row)]
    page = list_rows(
        ({**_shown(row), "PROCESS_ID": row["process_id"] or "", "ERROR": str(row["error"])} for row in rows),
        call.get("start", 0),
    )
    return Answer(page.rows, page.total, page.next)


def _clear(call: Call) -> bool:
    for key in _named(call):
        del call.portal.shelves["offline"][key]
    return True


def _error(call: Call) -> bool:
    shelf = call.portal.shelves["offline"]
    for key in _named(call):
        shelf[key] = {**shelf[key], "error": 1, "process_id": None}
    return True


def _named(call: Call) -> list[Any]:
    process_id = str(call.need("process_id"))
    ids = {str(one) for one in items_of(call.get("id"))}
    messages = {str(one) for one in items_of(call.get("message_id"))}
    return [
        key
        for key, row in call.portal.shelves["offline"].items()
        if row["process_id"] == process_id
        and (not ids or row["ID"] in ids)
        and (not messages or row["MESSAGE_ID"] in messages)
    ]


def _in_order(shelf: dict[Any, Row]) -> list[tuple[Any, Row]]:
    return sorted(shelf.items(), key=lambda pair: int(pair[1]["ID"]))


def _fits(call: Call, row: Row) -> bool:
    filter_ = call.map("filter")
    name = filter_.get("EVENT_NAME", filter_.get("=EVENT_NAME"))
    return name is None or row["EVENT_NAME"] in {str(one).upper() for one in items_of(name)}


def _shown(row: Row) -> Row:
    return {name: row[name] for name in SHOWN}
