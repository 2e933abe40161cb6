"""Methods about the app, the caller and the handlers of events."""

from crmkit_sandbox.wire import Row

from .events import EVENTS, add_handler
from .methods import Call, Registry
from .problems import Problem, missing
from .values import number_of


def register(registry: Registry) -> None:
    """Declare the methods."""
    registry.add("profile", _profile, scope=None)
    registry.add("server.time", lambda call: call.portal.stamp(), scope=None)
    registry.add("scope", _scopes, scope=None)
    registry.add("methods", _methods, scope=None)
    registry.add("method.get", _method, scope=None)
    registry.add("user.admin", lambda call: call.portal.is_admin(call.caller.user_id), scope=None)
    registry.add("app.info", _app, scope=None, is_app_only=True)
    registry.add("events", lambda _: list(EVENTS), scope=None, is_app_only=True)
    registry.add("event.bind", _bind, scope=None, is_app_only=True)
    registry.add("event.unbind", _unbind, scope=None, is_app_only=True)
    registry.add("event.get", _handlers, scope=None, is_app_only=True)


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
