"""The people of deals beside the main one: no filter of the vendor finds them, so they are kept by contact here."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from crmkit.clock import Clock
from crmkit_bitrix24.client.walk import DEALS, Listing
from crmkit_bitrix24.translate import happened_at
from crmkit_bitrix24.wire import mapping

AFRESH_S = 3600.0
"""All deals are read again after this long: a merge of people may change a deal without its time of change."""

OVERLAP = timedelta(seconds=5)

_LINKS = DEALS._replace(select=("id", "contactIds", "updatedTime"))


class Participants:
    """Knows of each contact the deals in which it is one of several.

    Filled by one walk over ids and contacts of all deals, 2,500 a request; then kept fresh by what was changed since,
    as the portal itself dates it. Source: Bitrix24 REST, page "crm.deal.list": a filter knows the main contact only.

    Args:
        clock: the time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._deals: dict[str, set[str]] = {}
        self._contacts: dict[str, tuple[str, ...]] = {}
        self._newest: datetime | None = None
        self._begun_at = float("-inf")

    def news(self) -> Listing:
        """What has to be read before `deals_of` is true; hand its rows to `learn`."""
        with self._lock:
            now = self._clock.now().timestamp()
            if now - self._begun_at >= AFRESH_S:
                self._deals, self._contacts, self._newest, self._begun_at = {}, {}, None, now
            if self._newest is None:
                return _LINKS
            since = (self._newest - OVERLAP).astimezone(UTC).isoformat(timespec="seconds")
            return _LINKS.matching({">=updatedTime": since})

    def learn(self, deals: Iterable[Mapping[str, Any]]) -> None:
        """Take note of who belongs to these deals; to be called with all rows of `news`, or not at all."""
        found = [(str(deal["id"]), _people(deal), happened_at(deal.get("updatedTime"))) for deal in deals]
        with self._lock:
            for deal_id, contacts, changed_at in found:
                self._place(deal_id, contacts)
                if changed_at is not None and (self._newest is None or changed_at > self._newest):
                    self._newest = changed_at

    def deals_of(self, contact_id: str) -> list[str]:
        """Ids of the deals that have this contact among others."""
        with self._lock:
            return sorted(self._deals.get(contact_id, ()), key=int)

    def _place(self, deal_id: str, contacts: tuple[str, ...]) -> None:
        for contact in self._contacts.pop(deal_id, ()):
            self._deals[contact].discard(deal_id)
        if len(contacts) < 2:
            return
        self._contacts[deal_id] = contacts
        for contact in contacts:
            self._deals.setdefault(contact, set()).add(deal_id)


def _people(deal: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(one) for one in mapping(deal.get("contactIds")).values())
