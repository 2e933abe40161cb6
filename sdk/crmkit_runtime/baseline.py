"""First load: every record of a kind enters the mirror silently, while hooks and handlers go on working."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime

from crmkit.adapter import Page
from crmkit.errors import CrmKitError
from crmkit.models import RECORDS, Record
from crmkit.values import Kind
from crmkit.webhook import Hint, Origin
from crmkit_runtime import cursor, hints, ledger, mirror
from crmkit_runtime.feed import Sweep, connect
from crmkit_runtime.news import is_after
from crmkit_runtime.service import Service
from crmkit_runtime.upgrade import today

log = logging.getLogger(__name__)

NOT_LOADED = frozenset({Kind.NOTE, Kind.CALL})
"""Kinds of which only what is new matters: an account's whole timeline would take days."""

PAGES_A_READING = 10
"""For so many pages without times of change the feed is read once: it costs requests of its own."""

DONE = "done"
TRANSLATED_AT_ONCE = 500


class Baseline:
    """Loads one account's records, a few pages a step; goes on where an earlier process stopped.

    Args:
        service: whose database and kinds.
        account: the account's key.
    """

    def __init__(self, service: Service, account: str) -> None:
        self._service = service
        self._account = service.accounts[account]
        self._sweep = Sweep(service, account)
        self._under_way: tuple[Kind, Iterator[Page]] | None = None
        self._refused: set[Kind] = set()
        self._is_translated = False

    def step(self) -> bool:
        """Load the next pages, or translate some old copies anew; whether everything is done.

        Raises CrmKitError when the CRM does not give them: the next step tries it again.
        """
        connect(self._service, self._account.key)
        if self._translate_anew():
            return False
        if self._under_way is None:
            new = self._next_kind()
            if new is None:
                return True
            self._under_way = new, self._open(new)
        kind, pages = self._under_way
        try:
            read = self._read(pages)
        except CrmKitError as error:
            self._under_way = None
            if error.retryable or error.pauses_account:
                raise
            # A kind that the account may not read must not keep the others from being loaded.
            log.warning("account %s: %s is not loaded: %s", self._account.key, kind.value, error)
            self._refused.add(kind)
            return False
        for page in read:
            self._keep(kind, page)
        return False

    def _read(self, pages: Iterator[Page]) -> list[Page | None]:
        """The next pages, None for the end; what was changed before they were read is hinted."""
        read = [next(pages, None)]
        while (last := read[-1]) is not None and not last.is_dated and len(read) < PAGES_A_READING:
            read.append(next(pages, None))
        if any(page is not None and not page.is_dated for page in read):
            self._sweep.read()
        return read

    def _next_kind(self) -> Kind | None:
        wanted = self._service.kinds(self._account.key) & RECORDS.keys()
        with self._service.database.read() as connection:
            # People and stages first: they are few, and say what the rest means.
            for kind in sorted(wanted - NOT_LOADED, key=lambda kind: (kind not in (Kind.USER, Kind.PIPELINE), kind)):
                if kind not in self._refused and cursor.value(connection, self._account.key, _name(kind)) != DONE:
                    return kind
        return None

    def _open(self, kind: Kind) -> Iterator[Page]:
        with self._service.database.read() as connection:
            behind = cursor.value(connection, self._account.key, _name(kind))
        log.info("account %s: first load of %s %s", self._account.key, kind.value, "goes on" if behind else "begins")
        return self._account.bulk.pages(kind, cursor=behind)

    def _keep(self, kind: Kind, page: Page | None) -> None:
        key, name = self._account.key, _name(kind)
        with self._service.database.write() as tx:
            if page is None:
                cursor.put(tx, key, name, DONE)
                self._under_way = None
                return
            connected = cursor.connected_at(tx, key, kind)
            touched = [record for record in page.records if connected and _is_touched(record, connected)]
            fresh = {record.ref for record in touched}
            if connected and not page.is_dated:
                told = hints.of(tx, key, [record.ref for record in page.records])
                fresh |= {ref for ref, rows in told.items() if any(is_after(one.at, connected) for one in rows)}
            mirror.put_unseen(tx, self._service, [record for record in page.records if record.ref not in fresh])
            # What changed since we connected is news: the observer decides what kind of news, as for every hint.
            known = mirror.versions(tx, key, [one.ref for one in touched])
            unseen = [Hint(one.ref, created_at=one.created_at) for one in touched if one.ref not in known]
            hints.store(tx, self._service, key, unseen, origin=Origin.BASELINE, delivery_id=name)
            cursor.put(tx, key, name, page.cursor)

    def _translate_anew(self) -> bool:
        """After an upgrade of the adapter: copies are read by its new rules, before anybody compares them."""
        if self._is_translated:
            return False
        key, translator = self._account.key, self._account.adapter.translator_version
        with self._service.database.read() as connection:
            old = mirror.outdated(connection, key, translator, TRANSLATED_AT_ONCE)
        if not old:
            self._is_translated = True
            return False
        account = self._account.bulk.account()
        with self._service.database.write() as tx:
            for copy in old:
                fresh = today(self._account.adapter, account, copy, ledger.own_fields(tx, copy.record.ref))
                mirror.retranslate(tx, fresh.record, seen=copy.version, translator=translator)
        return True


def _is_touched(record: Record, connected: datetime) -> bool:
    return is_after(record.created_at, connected) or is_after(record.updated_at, connected)


def _name(kind: Kind) -> str:
    return f"baseline:{kind.value}"
