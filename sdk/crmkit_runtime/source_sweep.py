"""The lists that telephony and payment providers keep, read for the deliveries that were lost."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from crmkit.errors import CrmKitError, Unsupported
from crmkit.webhook import Origin
from crmkit_runtime import cursor
from crmkit_runtime.database import from_us, to_us
from crmkit_runtime.facts import publish_facts, read_facts
from crmkit_runtime.service import Service

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=10)
"""How often a provider's list is asked for; webhooks bring nearly everything at once."""

OVERLAP = timedelta(hours=2)
"""A call enters the list when it ends, and counts there from its beginning."""


class SourceSweep:
    """Reads one source's own list of an account.

    Args:
        account: the account's key.
        source: the source's name.
    """

    def __init__(self, service: Service, account: str, source: str) -> None:
        self._service = service
        self._account = account
        self._name = f"source:{source}"
        self._source, self._settings = service.accounts[account].sources[source]
        self.is_over = False
        """The source has no list, or we no key for it."""

    def step(self) -> bool:
        """Read what the list has since the last time; the first time only remembers the moment. There is no more.

        A provider that refuses or is away concerns its own list alone: it is asked again, the CRM's account goes on.
        """
        now = self._service.clock.now()
        since = self._since()
        try:
            facts = self._source.fetch(self._settings, since - OVERLAP) if since is not None else ()
        except Unsupported as error:
            log.info("account %s: %s", self._account, error)
            self.is_over = True
            return False
        except CrmKitError as error:
            log.warning("account %s: the list of %s cannot be read: %s", self._account, self._source.name, error)
            return False
        events, refusals = read_facts(facts)
        for refusal in refusals:
            log.warning("account %s: the list of %s: %s", self._account, self._source.name, refusal)
        with self._service.database.write() as tx:
            made = publish_facts(tx, self._service, events, origin=Origin.FEED, delivery_id=self._name)
            cursor.put(tx, self._account, self._name, str(to_us(now)))
            cursor.count_feed_only(tx, self._account, made)
        if made:
            log.info("account %s: %d of %s came by its list alone", self._account, made, self._source.name)
            self._service.bell.ring()
        return False

    def _since(self) -> datetime | None:
        with self._service.database.read() as connection:
            stored = cursor.value(connection, self._account, self._name)
        return from_us(int(stored)) if stored else None
