"""The account's hook subscription, as it should be: one address of ours, switched on, with all it needs."""

from __future__ import annotations

from contextlib import suppress

from crmkit.adapter import HookState
from crmkit.errors import NotFound
from crmkit.values import Json
from crmkit_amocrm.client.line import API, Line

SETTINGS: tuple[str, ...] = (
    *(
        f"{action}_{entity}"
        for entity in ("lead", "contact", "company")
        for action in ("add", "update", "delete", "restore", "responsible", "note")
    ),
    "status_lead",
    *(f"{action}_task" for action in ("add", "update", "delete", "responsible")),
    *(f"{action}_unsorted" for action in ("add", "update", "delete")),
)
"""What is listened to. Source: amoCRM API v4, page "Webhooks"."""


def ensure_hooks(line: Line, url: str) -> HookState:
    """Have `url` subscribed once, switched on, and no older address of the same service beside it.

    Other services' subscriptions are left alone. An older address is one that differs in its last part, the secret.
    Raises AuthError when the token's user is no administrator.
    """
    mine, stale = None, []
    service = url.rpartition("/")[0] + "/"
    for hook in line.every("webhooks", "webhooks"):
        destination = str(hook.get("destination", ""))
        if destination == url:
            mine = hook
        elif destination.startswith(service) and "/" not in destination.removeprefix(service):
            stale.append(destination)
    action = "kept"
    if mine is None:
        action = "created"
    elif mine.get("disabled"):
        action = "revived"
    elif set(mine.get("settings") or ()) != set(SETTINGS):
        action = "changed"
    if action != "kept":
        wanted: Json = {"destination": url, "settings": list(SETTINGS), "sort": 10}
        # Posting an existing address replaces its settings and switches it on again.
        line.send("POST", f"{API}webhooks", body=wanted, is_repeatable=True)
    for destination in stale:
        with suppress(NotFound):
            line.send("DELETE", f"{API}webhooks", body={"destination": destination}, is_repeatable=True)
    return HookState(url, action)
