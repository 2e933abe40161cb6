"""Triggers: HTTP requests that an administrator has typed, with values from the changed record."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote_plus

from crmkit_sandbox.courier import Courier
from crmkit_sandbox.sender import Sender
from crmkit_sandbox.wire import Row

from .account import Account, Change

SINGULAR = {"customers": "customer", "corporate": "customer_corporate", "orders": "order", "tasks": "task"}
EVENTS = tuple(f"{entity}.{action}" for entity in SINGULAR.values() for action in ("create", "change", "delete"))
# Twig as administrators type it: `{{ order.getStatus().getCode() }}`.
TEMPLATE = re.compile(r"\{\{\s*([a-z_]+)((?:\.[A-Za-z]+(?:\(\))?)*)\s*\}\}")
STEP = re.compile(r"\.([A-Za-z]+)")
TIMEOUT_S = 2.0
# What a new trigger of each entity sends; the names are the administrator's own choice.
PARAMETERS: Mapping[str, Mapping[str, str]] = {
    "order": {
        "id": "{{ order.getId() }}",
        "externalId": "{{ order.getExternalId() }}",
        "site": "{{ order.getSite().getCode() }}",
        "status": "{{ order.getStatus().getCode() }}",
        "manager_id": "{{ order.getManager().getId() }}",
    },
    "task": {"id": "{{ task.getId() }}"},
}
PERSON_PARAMETERS = ("id", "externalId", "site", "manager_id")


class Hooks(Sender):
    """Fires the account's triggers; loses or doubles their requests on demand. A request is never repeated."""

    def __init__(self, account: Account, courier: Courier, vendor: str) -> None:
        super().__init__(account, courier, vendor, TIMEOUT_S)
        self._account = account
        account.listeners.append(self._fire)

    def add(
        self,
        event: str,
        url: str,
        *,
        method: str = "POST",
        parameters: Mapping[str, str] | None = None,
        fields: Sequence[str] = (),
    ) -> int:
        """The id of a new trigger.

        Raises ValueError for an unknown event or method.
        """
        if event not in EVENTS:
            raise ValueError(f"no trigger on {event!r}; there are {', '.join(EVENTS)}")
        if method not in ("GET", "POST"):
            raise ValueError(f"a trigger sends GET or POST, not {method}")
        entity = event.partition(".")[0]
        trigger_id = self._account.take_id("triggers")
        self._account.shelves["triggers"][trigger_id] = {
            "id": trigger_id,
            "event": event,
            "url": url,
            "method": method,
            "parameters": dict(usual_parameters(event, entity) if parameters is None else parameters),
            "fields": list(fields),
            "active": True,
        }
        return trigger_id

    def send(self, event: str, url: str, method: str, values: Mapping[str, str]) -> None:
        """Send one request of the CRM, unless hooks are off or lost."""
        if self.leaves():
            body = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in values.items())
            self.post(url, event, body, method=method)

    def _fire(self, change: Change) -> None:
        if not self._account.actor.sends_hooks:
            return
        entity = SINGULAR[change.kind]
        event = f"{entity}.{change.action}"
        for trigger in list(self._account.shelves["triggers"].values()):
            if not trigger["active"] or trigger["event"] != event:
                continue
            if trigger["fields"] and not set(trigger["fields"]) & set(change.fields):
                continue
            values = {
                name: rendered(self._account, text, entity, change.row) for name, text in trigger["parameters"].items()
            }
            self.send(event, trigger["url"], trigger["method"], values)


def usual_parameters(event: str, entity: str) -> Row:
    """What the page offers for a new trigger."""
    fixed = {"event": event, "entity": entity}
    if entity in PARAMETERS:
        return {**fixed, **PARAMETERS[entity]}
    getters = {"id": "getId()", "externalId": "getExternalId()", "site": "getSite().getCode()"}
    getters["manager_id"] = "getManager().getId()"
    return {**fixed, **{name: f"{{{{ {entity}.{getters[name]} }}}}" for name in PERSON_PARAMETERS}}


def rendered(account: Account, text: str, entity: str, row: Row) -> str:
    """`text` with its templates filled; a value that is missing is an empty string."""

    def fill(found: re.Match[str]) -> str:
        if found[1] not in (entity, "customer" if entity == "customer_corporate" else entity):
            return ""
        return _value(account, row, [step.removeprefix("get") for step in STEP.findall(found[2])])

    return TEMPLATE.sub(fill, text)


def _value(account: Account, row: Row, steps: list[str]) -> str:
    node: object = row
    for step in steps:
        name = step[:1].lower() + step[1:]
        if not isinstance(node, dict):
            # Status, site and the like are kept as codes, and managers as ids.
            return _plain(node) if name in ("code", "id") else ""
        node = _linked(account, node, name)
    return _plain(node)


def _linked(account: Account, node: Row, name: str) -> object:
    if name == "manager":
        return node.get("managerId")
    if name in ("customer", "contact") and isinstance(node.get(name), int):
        return account.tables["customers"].get(node[name]) or account.tables["corporate"].get(node[name])
    if name == "order" and isinstance(node.get(name), int):
        return account.tables["orders"].get(node[name])
    return node.get(name)


def _plain(node: object) -> str:
    if node is None or isinstance(node, dict | list):
        return ""
    if isinstance(node, bool):
        return "1" if node else ""
    return str(node)
