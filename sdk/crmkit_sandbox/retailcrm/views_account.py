"""What a key is and may, and the account's settings."""

import re

from flask import current_app

from crmkit_sandbox.wire import Row

from .api import Api, ApiCall, Reply
from .problems import bad_format

PART = re.compile(r"<(?:[^:>]+:)?([^>]+)>")
SETTLED = "2026-01-12 10:00:00"
LEVELS = ("api.info", "api.error")


def register(api: Api) -> None:
    """Add the routes."""
    api.route("GET", "/api-versions", root="/api")(lambda _: {"versions": ["3.0", "4.0", "5.0"]})
    api.route("GET", "/credentials", root="/api")(show_credentials)
    api.route("GET", "/system-info", root="/api")(show_system)
    api.route("GET", "/settings", "reference_read")(show_settings)
    api.route("GET", "/statistic/update")(lambda _: {})
    api.route("POST", "/notifications/send", "notification_write")(notify)


def show_credentials(call: ApiCall) -> Reply:
    """The key's scopes and sites."""
    rules = {rule.rule for rule in current_app.url_map.iter_rules() if rule.rule.startswith("/api/")}
    paths = sorted(PART.sub("{\\1}", rule) for rule in rules)
    answer: Row = {"scopes": sorted(call.rights.scopes), "credentials": paths}
    if len(call.rights.sites) == len(call.account.references["sites"]):
        return {**answer, "siteAccess": "access_full"}
    return {**answer, "siteAccess": "access_selective", "sitesAvailable": list(call.rights.sites)}


def show_system(call: ApiCall) -> Reply:
    """The address and version of the system."""
    return {"systemVersion": "8.51.3", "publicUrl": call.base, "technicalUrl": call.base}


def show_settings(call: ApiCall) -> Reply:
    """The zone, the currency and the working hours."""
    week = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
    hours = {"start_time": "09:00", "end_time": "18:00", "lunch_start_time": "13:00", "lunch_end_time": "14:00"}
    plain = {"default_currency": "RUB", "system_language": "RU", "timezone": str(call.account.zone)}
    return {
        "settings": {
            **{name: {"value": value, "updated_at": SETTLED} for name, value in plain.items()},
            "work_times": [{"day_type": day, **hours} for day in week],
        }
    }


def notify(call: ApiCall) -> Reply:
    """Show a message to users."""
    given = call.entity("notification")
    if given.get("type") not in LEVELS or not isinstance(given.get("message"), str):
        raise bad_format({"notification.type": "This value is not valid."})
    shelf = call.account.shelves["notifications"]
    shelf[len(shelf) + 1] = {"id": len(shelf) + 1, "createdAt": call.account.moment(), **given}
    return {}
