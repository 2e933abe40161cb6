"""The application's event handlers, as they should be: one address of ours for each event that crmkit reads."""

from __future__ import annotations

from collections.abc import Sequence

from crmkit.adapter import HookState
from crmkit.errors import AccountBlocked, AuthError, CrmKitError, RateLimited, Rejected, Unsupported, VendorDown
from crmkit_bitrix24.client.line import Line
from crmkit_bitrix24.errors.refusals import unsupported
from crmkit_bitrix24.wire import Command, rows

EVENTS: tuple[str, ...] = (
    *(
        f"ONCRM{entity}{action}"
        for entity in ("DEAL", "CONTACT", "COMPANY", "LEAD", "ACTIVITY", "TIMELINECOMMENT")
        for action in ("ADD", "UPDATE", "DELETE")
    ),
    "ONTASKADD",
    "ONTASKUPDATE",
    "ONTASKDELETE",
    "ONVOXIMPLANTCALLEND",
    "ONUSERADD",
)
"""What is listened to. Source: Bitrix24 REST, page "Events"."""


def ensure_hooks(line: Line, url: str, account: str) -> HookState:
    """Have `url` bound once to each event, and no older address of the same service beside it.

    Other addresses are left alone. An older one differs in its last part, the secret. Events of a module or scope that
    the application does not have are passed over.
    Raises Unsupported through a webhook, which cannot bind events.
    """
    if not line.is_application:
        raise unsupported(
            account,
            "bind events through a webhook",
            "Let an administrator make an outgoing webhook with this address and the events of deals, contacts, "
            "companies, leads and activities, and set its token as the account's application_token.",
        )
    bound = [
        (str(row.get("event") or "").upper(), str(row.get("handler") or ""))
        for row in rows(line.call("event.get"))
        if str(row.get("offline") or "0") == "0"
    ]
    service = url.rpartition("/")[0] + "/"
    stale = [
        (event, handler)
        for event, handler in bound
        if handler != url and handler.startswith(service) and "/" not in handler.removeprefix(service)
    ]
    mine = [event for event, handler in bound if handler == url]
    missing = [event for event in EVENTS if event not in mine]
    bindings = line.batch([Command("event.bind", {"event": event, "handler": url}) for event in missing])
    fresh = _bound(missing, bindings)
    doomed = [*stale, *((event, url) for event in mine if event not in EVENTS)]
    line.batch([Command("event.unbind", {"event": event, "handler": handler}) for event, handler in doomed])
    if not mine:
        return HookState(url, "created")
    return HookState(url, "changed" if fresh or doomed else "kept")


def _bound(events: Sequence[str], results: Sequence[object]) -> list[str]:
    """The events that were bound now; a handler that was bound already is as good."""
    fresh = []
    for event, result in zip(events, results, strict=True):
        if isinstance(result, VendorDown | RateLimited | AuthError | AccountBlocked):
            raise result
        if isinstance(result, Rejected | Unsupported):
            continue
        if isinstance(result, CrmKitError):
            raise result
        fresh.append(event)
    return fresh
