"""Observing: hinted records are loaded, compared with the mirror, and what differs becomes events."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from crmkit.errors import CrmKitError
from crmkit.models import Record
from crmkit.values import Kind, Ref
from crmkit.webhook import Action, Origin
from crmkit_runtime import cursor, hints, mirror
from crmkit_runtime.feed import Sweep, connect
from crmkit_runtime.hints import Waiting
from crmkit_runtime.hints import store as store_hints
from crmkit_runtime.lease import held
from crmkit_runtime.look import Found, Look
from crmkit_runtime.service import Service

__all__ = ["Observer", "store_hints"]

log = logging.getLogger(__name__)

LEASE_S = 60.0
LATE_HOOK = timedelta(seconds=120)
"""A webhook this much behind the feed was late, not lost."""

BROKEN_S = 30.0
"""How long a record that cannot be observed is left alone at first; each time twice as long, an hour at most."""


class Observer:
    """Observes one account.

    Args:
        service: whose database, mirror and extensions.
        account: the account's key.
    """

    def __init__(self, service: Service, account: str) -> None:
        self._service = service
        self._account = service.accounts[account]
        self._sweep = Sweep(service, account)
        self._feed_only: dict[Ref, datetime] = {}
        self._is_connected = False

    def step(self) -> bool:
        """Look at the records whose time has come, 200 at most; whether there was anything to do.

        Raises CrmKitError when the CRM does not give them: the hints stay.
        """
        if not self._is_connected:
            connect(self._service, self._account.key)
            self._is_connected = True
        with self._service.database.read() as connection:
            refs = hints.due(connection, self._account.key, self._service.clock.now())
        if not refs:
            return False
        with held(self._service, f"observe:{self._account.key}", LEASE_S) as is_ours:
            return self._look_at(refs) if is_ours else False

    def next_at(self) -> datetime | None:
        """When the next hint is to be looked at; None when there is none."""
        with self._service.database.read() as connection:
            return hints.next_at(connection, self._account.key)

    def _look_at(self, refs: Sequence[Ref]) -> bool:
        key = self._account.key
        with self._service.database.read() as connection:
            told = hints.of(connection, key, refs)
        if any(_needs_feed(one) for ref in refs for one in told.get(ref, ())):
            self._sweep.read()
        # What the feed has just told of these records is looked at together with what was known.
        with self._service.database.read() as connection:
            told = hints.of(connection, key, refs)
            versions = mirror.versions(connection, key, refs)
        account = self._account.live.account()
        started_at = self._service.clock.now()
        loaded, broken = self._load([ref for ref in refs if told.get(ref)])
        for ref in refs:
            if not told.get(ref):
                continue
            if ref in broken:
                self._put_off(told[ref], broken[ref])
                continue
            self._settle(Found(ref, told[ref], loaded.get(ref), versions.get(ref, 0), started_at, account))
        self._service.bell.ring()
        return True

    def _load(self, refs: Sequence[Ref]) -> tuple[Mapping[Ref, Record], Mapping[Ref, CrmKitError]]:
        """The records that exist, and those for which the CRM refuses an answer."""
        if not refs:
            return {}, {}
        try:
            return {record.ref: record for record in self._account.live.load(refs)}, {}
        except CrmKitError as error:
            if error.pauses_account:
                raise
            if len(refs) == 1:
                return {}, {refs[0]: error}
        # One bad apple must not keep the others from being seen.
        half = len(refs) // 2
        first, second = self._load(refs[:half]), self._load(refs[half:])
        return {**first[0], **second[0]}, {**first[1], **second[1]}

    def _settle(self, found: Found) -> None:
        try:
            with self._service.database.write() as tx:
                look = Look(tx, self._service, self._account, found)
                look.settle()
                self._count_feed_only(look, found)
        except Exception as error:
            log.exception("account %s: %s could not be observed", self._account.key, found.ref)
            self._put_off(found.told, error)

    def _put_off(self, told: Sequence[Waiting], error: Exception) -> None:
        wait_s = min(BROKEN_S * 2.0 ** min(hints.tries(told, "broken"), 20), 3_600.0)
        log.warning("account %s: %s is looked at again in %d s: %s", self._account.key, told[0].ref, wait_s, error)
        with self._service.database.write() as tx:
            hints.put_off(tx, told, self._service.clock.now(), wait_s, "broken")

    def _count_feed_only(self, look: Look, found: Found) -> None:
        """Keep the number of changes of which no webhook told; a hook that was only late takes its change back."""
        now = self._service.clock.now()
        self._feed_only = {ref: at for ref, at in self._feed_only.items() if now - at < LATE_HOOK}
        origins = {one.origin for one in found.told}
        if look.found_news and origins == {Origin.FEED}:
            self._feed_only[found.ref] = now
            cursor.count_feed_only(look.tx, self._account.key, 1)
        elif Origin.HOOK in origins and not look.found_news and found.ref in self._feed_only:
            del self._feed_only[found.ref]
            cursor.count_feed_only(look.tx, self._account.key, -1)


def _needs_feed(one: Waiting) -> bool:
    """Only the feed tells of stage moves one by one, and whether a record that is gone was merged."""
    is_of_interest = one.ref.kind is Kind.DEAL or one.action is Action.DELETED or one.waits_for == "missing"
    return is_of_interest and (one.origin is not Origin.FEED or one.tries > 0)
