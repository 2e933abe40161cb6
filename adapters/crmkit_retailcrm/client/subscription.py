"""What sends hooks: triggers that only an administrator can type, and the integration module that we can register."""

from __future__ import annotations

from collections.abc import Mapping

from crmkit.adapter import HookState
from crmkit.errors import NotFound
from crmkit.values import Json
from crmkit_retailcrm.auth import RetailCrmSettings
from crmkit_retailcrm.client.line import Line
from crmkit_retailcrm.errors.refusals import unsupported
from crmkit_retailcrm.wire import as_map

_PARAMETERS: Mapping[str, Mapping[str, str]] = {
    "order": {"id": "{{ order.getId() }}", "status": "{{ order.getStatus().getCode() }}"},
    "customer": {"id": "{{ customer.getId() }}"},
    "task": {"id": "{{ task.getId() }}"},
}
"""What a trigger is to send. Source: retailCRM, page "Triggers", action "HTTP request"."""


def trigger_text(settings: RetailCrmSettings) -> str:
    """What an administrator types into the triggers, one for each entity.

    Address and token are secrets and stand by their names only: texts of errors are logged.
    """
    triggers = []
    for entity, parameters in _PARAMETERS.items():
        fixed = {"event": f"{entity}.change", "entity": entity}
        if settings.trigger_token is not None:
            fixed["token"] = "(the value of trigger_token)"  # noqa: S105 -- says where it is, not what it is
        typed = ", ".join(f"{name} = {value}" for name, value in {**fixed, **parameters}.items())
        triggers.append(f"{entity} created or changed: {typed}")
    return (
        "In Settings, Communications, Triggers make three triggers with the action HTTP request (POST) to the address "
        f"that `crmkit accounts --hooks` shows, and these parameters. {'. '.join(triggers)}."
    )


def ensure_hooks(line: Line, settings: RetailCrmSettings, url: str) -> HookState:
    """Keep the integration module of the setting `module_code` registered for `url`.

    Raises Unsupported with the triggers to type where no module is named: the API subscribes to no changes. The feed
    tells of every change without them, only later.
    """
    code = settings.module_code
    if code is None:
        raise unsupported(settings.key, "subscribe to changes", trigger_text(settings))
    wanted: dict[str, Json] = {
        "code": code,
        "integrationCode": code,
        "active": True,
        "name": "crmkit",
        "clientId": settings.key,
        "baseUrl": url,
        "actions": {"activity": "?activity", "settings": "?settings"},
    }
    known = _registered(line, code)
    is_same = all(known.get(name) == wanted[name] for name in ("active", "clientId", "baseUrl"))
    if not known or not is_same:
        line.post(f"integration-modules/{code}/edit", {"integrationModule": wanted}, is_repeatable=True)
    if not known:
        return HookState(url, "created")
    if is_same:
        return HookState(url, "kept")
    return HookState(url, "changed" if known.get("active") else "revived")


def _registered(line: Line, code: str) -> Mapping[str, Json]:
    try:
        return as_map(as_map(line.get(f"integration-modules/{code}")).get("integrationModule"))
    except NotFound:
        return {}
