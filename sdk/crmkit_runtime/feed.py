"""The CRM's own feed: what changed in an account, read by cursor, whatever the webhooks lost."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from crmkit.errors import CrmKitError
from crmkit.models import RECORDS
from crmkit.webhook import FeedPage, Origin
from crmkit_runtime import cursor, hints
from crmkit_runtime.service import Service

log = logging.getLogger(__name__)

HOOKS_EVERY = timedelta(minutes=10)
"""How often the subscription is looked after: a CRM that was answered badly switches it off."""

MOST_PAGES = 200
"""Pages of one reading; the rest comes with the next, so that hints of a long absence are worked on meanwhile."""


class Sweep:
    """Reads one account's feed into hints and keeps its hooks registered.

    Args:
        service: whose database and kinds.
        account: the account's key.
    """

    def __init__(self, service: Service, account: str) -> None:
        self._service = service
        self._account = service.accounts[account]
        self._hooks_at: datetime | None = None

    def step(self) -> int:
        """Look after the hooks when it is time, and read what is new; the number of hints.

        Raises CrmKitError when the CRM does not give the feed.
        """
        connect(self._service, self._account.key)
        self._look_after_hooks()
        return self.read()

    def read(self) -> int:
        """Read what is new; the number of hints. Two readers at once do no harm: the rows of one of them count."""
        stored = 0
        for _ in range(MOST_PAGES):
            with self._service.database.read() as connection:
                behind = cursor.value(connection, self._account.key, cursor.FEED)
            if behind is None:
                return stored
            page = self._account.live.feed(behind)
            stored += self._store(page, behind)
            if page.is_last:
                break
        if stored:
            self._service.bell.ring()
        return stored

    def _store(self, page: FeedPage, behind: str) -> int:
        if not page.hints and page.cursor == behind:
            return 0
        key = self._account.key
        with self._service.database.write() as tx:
            if not cursor.replace(tx, key, cursor.FEED, behind, page.cursor):
                return 0
            return hints.store(
                tx, self._service, key, page.hints, origin=Origin.FEED, delivery_id=f"feed:{behind}"[:190]
            )

    def _look_after_hooks(self) -> None:
        now = self._service.clock.now()
        is_time = self._hooks_at is None or now - self._hooks_at >= HOOKS_EVERY
        if not self._service.config.public_url or not is_time:
            return
        key = self._account.key
        try:
            done = self._account.live.ensure_hooks(self._service.hook_url(key, self._account.adapter.vendor))
        except CrmKitError as error:
            # The feed finds every change without them, only later.
            log.warning("account %s: its webhooks could not be looked after: %s", key, error)
        else:
            log.info("account %s: webhooks %s", key, done.action)
        self._hooks_at = now


def connect(service: Service, account: str) -> None:
    """Watch the account from now on: the feed's place and, of each kind, the moment before which nothing is news.

    Done once for a kind, before hooks are asked for and before anything is loaded. Calls the CRM when the feed has no
    place yet.
    """
    wanted = service.kinds(account) & RECORDS.keys()
    with service.database.read() as connection:
        missing = [kind for kind in wanted if cursor.connected_at(connection, account, kind) is None]
        has_place = cursor.value(connection, account, cursor.FEED) is not None
    if has_place and not missing:
        return
    place = None if has_place else service.accounts[account].live.feed(None).cursor
    now = service.clock.now()
    with service.database.write() as tx:
        if place is not None:
            cursor.put_first(tx, account, cursor.FEED, place)
        for kind in missing:
            cursor.set_connected(tx, account, kind, now)
