"""The portal's own queue of events: what no list tells, kept by the vendor until it is confirmed."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from crmkit.clock import Clock
from crmkit.errors import AccountBlocked, CrmKitError, RateLimited, VendorDown
from crmkit.values import Json
from crmkit.webhook import Hint
from crmkit_bitrix24.client.line import Line
from crmkit_bitrix24.translate import happened_at, hint_of
from crmkit_bitrix24.wire import PAGE, Command, mapping, rows

log = logging.getLogger(__name__)

EVENTS: tuple[str, ...] = (
    *(f"ONCRM{entity}DELETE" for entity in ("DEAL", "CONTACT", "COMPANY", "LEAD", "ACTIVITY")),
    *(f"ONCRMTIMELINECOMMENT{action}" for action in ("ADD", "UPDATE", "DELETE")),
    *(f"ONTASK{action}" for action in ("ADD", "UPDATE", "DELETE")),
    "ONUSERADD",
)
"""What the queue is asked to keep: the lists tell all the rest, with its author and its time of creation."""

FRESH_S = 600.0
"""Plan and bindings are looked at again after this long: an update of the application removes its bindings."""

_FEATURE = "rest_offline_extended"
_IS_BOUND = "ERROR_EVENT_BINDING_EXISTS"
_GET, _LIST, _CLEAR, _ERROR = (f"event.offline.{name}" for name in ("get", "list", "clear", "error"))


class Taken(NamedTuple):
    """What the queue told: hints, the processes under which their rows wait for us, and whether that is all."""

    hints: list[Hint]
    processes: list[str]
    is_last: bool


class OfflineQueue:
    """Takes events out of the portal's queue, in such a way that one who dies in between loses none.

    Rows are reserved under a process and cleared once their hints are stored: by the next reading, which names the
    process. Rows that somebody reserved and never cleared are told again. Plans without that confirmation, webhooks
    and users who are no administrators go without the queue.
    Source: Bitrix24 REST, page "Offline events".

    Args:
        line: the way to the portal.
        clock: the time.
        account: the account's key.
    """

    def __init__(self, line: Line, clock: Clock, account: str) -> None:
        self._line = line
        self._clock = clock
        self._account = account
        self._looked_at = float("-inf")
        self._bound: frozenset[str] = frozenset()
        self._is_given = False
        self._is_refused = False

    @property
    def is_given(self) -> bool:
        """The account may use the queue; asked at most every ten minutes."""
        self._look()
        return self._is_given and not self._is_refused

    def open(self) -> bool:
        """Whether the queue can be read; the events that it does not keep yet are bound."""
        if not self.is_given:
            return False
        missing = [event for event in EVENTS if event not in self._bound]
        if missing:
            self._bind(missing)
        return not self._is_refused

    def commands(self, told: Sequence[str]) -> list[Command]:
        """Commands that clear what was told under these processes, and take what is there; for one batch."""
        return [
            *(Command(_CLEAR, {"process_id": process}) for process in told),
            Command(_LIST, {"filter": {"!PROCESS_ID": ""}, "order": {"ID": "ASC"}}),
            Command(_GET, {"clear": 0, "limit": PAGE, "order": {"ID": "ASC"}}),
        ]

    def take(self, results: Sequence[Json | CrmKitError]) -> Taken:
        """What the answers to `commands` tell. Raises what says that the portal is not there now."""
        *cleared, listed, got = results
        for result in results:
            if isinstance(result, VendorDown | RateLimited | AccountBlocked):
                raise result
        if refused := next((one for one in (*cleared, got) if isinstance(one, CrmKitError)), None):
            self._refuse(refused)
            return Taken([], [], is_last=True)
        left = [] if isinstance(listed, CrmKitError) else rows(listed)
        answer = mapping(cast("Json", got))
        process = str(answer.get("process_id") or "")
        taken = [(process, event) for event in rows(answer.get("events"))]
        told = [(str(row["PROCESS_ID"]), row) for row in left if _is_left_behind(row)] + taken
        hints, unread = self._read(told)
        self._set_aside(unread)
        processes = list(dict.fromkeys(process for process, _ in told if process))
        return Taken(hints, processes, is_last=max(len(left), len(taken)) < PAGE)

    def _look(self) -> None:
        now = self._clock.now().timestamp()
        if not self._line.is_application or now - self._looked_at < FRESH_S:
            return
        feature, admin, bound = self._line.batch(
            [Command("feature.get", {"CODE": _FEATURE}), Command("user.admin", {}), Command("event.get", {})]
        )
        for result in (feature, admin, bound):
            if isinstance(result, VendorDown | RateLimited | AccountBlocked):
                raise result
        is_sold = not isinstance(feature, CrmKitError) and mapping(feature).get("value") == "Y"
        self._is_given = is_sold and admin is not False
        handlers = [] if isinstance(bound, CrmKitError) else rows(bound)
        self._bound = frozenset(str(row.get("event") or "").upper() for row in handlers if _is_offline(row))
        self._is_refused = False
        self._looked_at = now

    def _bind(self, events: Sequence[str]) -> None:
        commands = [Command("event.bind", {"event": event, "event_type": "offline"}) for event in events]
        results = self._line.batch(commands)
        for result in results:
            if isinstance(result, VendorDown | RateLimited | AccountBlocked):
                raise result
        # Another connection of ours may have bound them since we looked.
        refusals = [result for result in results if isinstance(result, CrmKitError) and result.code != _IS_BOUND]
        # Single events are refused for want of a scope; all of them for want of rights.
        if refusals and len(refusals) == len(EVENTS):
            self._refuse(refusals[0])
        self._bound = frozenset(EVENTS)

    def _refuse(self, error: CrmKitError) -> None:
        log.warning("account %s: the queue of offline events is closed to us: %s", self._account, error)
        self._is_refused = True

    def _read(
        self, told: Sequence[tuple[str, Mapping[str, Any]]]
    ) -> tuple[list[Hint], Mapping[str, list[Mapping[str, Any]]]]:
        hints: list[Hint] = []
        unread: dict[str, list[Mapping[str, Any]]] = {}
        for process, row in told:
            event, data = str(row.get("EVENT_NAME") or "").upper(), row.get("EVENT_DATA")
            hint = hint_of(event, data, self._account, happened_at(row.get("TIMESTAMP_X")))
            if hint is not None:
                hints.append(hint)
            else:
                unread.setdefault(process, []).append(row)
        return hints, unread

    def _set_aside(self, unread: Mapping[str, list[Mapping[str, Any]]]) -> None:
        """Mark rows that name no record as errors, so that they are seen in the portal and do not come again."""
        commands = []
        for process, found in unread.items():
            names = ", ".join(sorted({str(row.get("EVENT_NAME")) for row in found}))
            log.warning("account %s: offline events that name no record are set aside: %s", self._account, names)
            messages = [str(row["MESSAGE_ID"]) for row in found if row.get("MESSAGE_ID")]
            if process and messages:
                commands.append(Command(_ERROR, {"process_id": process, "message_id": messages}))
        self._line.batch(commands)


def _is_left_behind(row: Mapping[str, Any]) -> bool:
    return bool(row.get("PROCESS_ID")) and str(row.get("ERROR") or "0") == "0"


def _is_offline(handler: Mapping[str, Any]) -> bool:
    return str(handler.get("offline") or "0") not in ("0", "N")
