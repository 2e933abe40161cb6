"""Subscriptions to webhooks over the API, for administrators."""

from typing import Any
from urllib.parse import urlsplit

from crmkit_sandbox.wire import Row

from .api import Api, ApiCall, Reply
from .hooks import SETTINGS
from .problems import Check, NothingFound, invalid, problem
from .query import values
from .subscriptions import add_webhook


def register(api: Api) -> None:
    """Add the routes."""
    api.route("GET", "/webhooks", admin=True)(list_webhooks)
    api.route("POST", "/webhooks", admin=True)(subscribe)
    api.route("DELETE", "/webhooks", admin=True)(unsubscribe)


def list_webhooks(call: ApiCall) -> Reply:
    """The subscriptions."""
    wanted = set(values(call.query.group("filter").get("destination", "")))
    call.query.used.add("filter[destination]")
    rows = [
        _shown(call, row)
        for row in call.account.shelves["webhooks"].values()
        if not wanted or row["destination"] in wanted
    ]
    if not rows:
        raise NothingFound
    return {"_total_items": len(rows), "_embedded": {"webhooks": rows}}


def subscribe(call: ApiCall) -> Reply:
    """Subscribe an address, or replace what a known one listens to."""
    item, check = call.item(), Check()
    destination = item.get("destination")
    if destination is None:
        check.missing("destination")
    elif not isinstance(destination, str) or urlsplit(destination).scheme not in ("http", "https"):
        check.fault("InvalidUrl", "destination", "This value is not a valid URL.")
    settings: Any = item.get("settings")
    if not isinstance(settings, list) or not settings:
        check.missing("settings")
    else:
        for index, name in enumerate(settings):
            if name not in SETTINGS:
                check.choice(f"settings.{index}")
    if check.errors:
        raise invalid([("0", check.errors)])
    return _shown(call, add_webhook(call.account, str(destination), settings, sort=item.get("sort", 10))), 201


def unsubscribe(call: ApiCall) -> Reply:
    """Remove a subscription."""
    destination = call.item().get("destination")
    shelf = call.account.shelves["webhooks"]
    for hook_id, row in list(shelf.items()):
        if row["destination"] == destination:
            del shelf[hook_id]
            return None, 204
    raise problem(404, "Entity not found: webhook")


def _shown(call: ApiCall, row: Row) -> Row:
    return {**row, "account_id": call.account.id}
