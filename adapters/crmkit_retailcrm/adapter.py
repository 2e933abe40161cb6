"""The retailCRM adapter: the promise of `crmkit.adapter` kept, over the rooms below."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from crmkit.adapter import Account, Capability, Doors, EffectClass, HookState, Level, Page, Query, sole
from crmkit.errors import CrmKitError
from crmkit.http import RateLimit, Transport
from crmkit.matching import narrowed
from crmkit.models import FieldDef, Record
from crmkit.settings import AccountSettings
from crmkit.values import Json, Kind, Ref
from crmkit.webhook import Delivery, FeedPage, WebhookRequest
from crmkit.write import Native, Verb, Write
from crmkit_retailcrm import auth, webhooks
from crmkit_retailcrm.client import (
    KEYED,
    TOLD,
    Directory,
    Enricher,
    Feed,
    FileWriter,
    History,
    Line,
    Merger,
    Reader,
    Recovery,
    Walker,
    Writer,
    ensure_hooks,
)
from crmkit_retailcrm.errors.answers import judge_for
from crmkit_retailcrm.errors.refusals import VENDOR
from crmkit_retailcrm.translate import from_item, native_extra, natives

_CAPABILITIES: Mapping[Capability, Level] = {
    **dict.fromkeys(Capability, Level.NATIVE),
    Capability.NOTES: Level.EMULATED,
    Capability.PIPELINES: Level.EMULATED,
    Capability.LOSS_REASONS: Level.EMULATED,
    Capability.FIND_BY_PHONE: Level.EMULATED,
    Capability.MERGE: Level.EMULATED,
    Capability.LEADS: Level.ABSENT,
    Capability.CALLS: Level.ABSENT,
    Capability.LINKS: Level.EMULATED,
    Capability.DELETE: Level.ABSENT,
    Capability.WEBHOOKS: Level.ABSENT,
}


class RetailCrmAdapter:
    """retailCRM and Simla.com, API v5."""

    vendor = VENDOR
    title = "retailCRM"
    settings_type: type[AccountSettings] = auth.RetailCrmSettings
    capabilities: Mapping[Capability, Level] = _CAPABILITIES
    translator_version = 1
    volatile: Mapping[Kind, frozenset[str]] = dict.fromkeys(Kind, frozenset({"updated_at", "updated_by"}))

    def open(self, settings: AccountSettings, doors: Doors) -> RetailCrmConnection:
        """A connection; no request is made. Raises ConfigError naming what to set."""
        return RetailCrmConnection(auth.check(settings), doors)

    def parse(self, request: WebhookRequest, settings: AccountSettings) -> Delivery:
        """What a trigger says: which record to look at."""
        return webhooks.parse(request, settings)

    def translate(self, kind: Kind, raw: Mapping[str, Any], account: Account) -> Record:
        """The record that a stored entity is."""
        return from_item(kind, raw, account)

    def limits(self, settings: AccountSettings) -> Sequence[RateLimit]:
        """10 requests a second of the key, and 40 of its telephony."""
        own = auth.check(settings)
        return (*auth.limits(own), *auth.telephony_limits(own))

    def effect_class(self, write: Write) -> EffectClass:
        """Customers, orders and calls keep a key of ours; tasks, notes and files are looked up by their content."""
        if write.verb is not Verb.CREATE:
            return EffectClass.IDEMPOTENT
        is_keyed = write.kind in (*KEYED, Kind.CALL) and write.marker is not None
        return EffectClass.NATIVE_KEY if is_keyed else EffectClass.LOOKUP


class RetailCrmConnection:
    """One open retailCRM account. Thread-safe.

    Args:
        settings: the account's.
        doors: request budget, urgency and clock.
    """

    vendor = VENDOR

    def __init__(self, settings: auth.RetailCrmSettings, doors: Doors) -> None:
        self.key = settings.key
        self._settings = settings
        self._doors = doors
        self._line = Line(self._dial, lambda: auth.key_of(settings))
        self._directory = Directory(self._line, settings, doors.clock)
        self._history = History(self._line, self._directory, doors.clock)
        walker = Walker(self._line, self._history, doors.clock)
        enricher = Enricher(self._line, self._directory)
        self._reader = Reader(self._line, walker, self._history, enricher, self._directory, self.key)
        files = FileWriter(self._line, self._directory)
        self._recovery = Recovery(self._line, self._reader, files, self._record, self._local)
        self._feed = Feed(self._history, walker, self._directory, self.key)
        merger = Merger(self._line, walker, self._history, doors.clock, settings.country)
        self._writer = Writer(self._line, self._directory, self._reader, merger, files)

    def account(self) -> Account:
        """The account; one request, then remembered."""
        return self._directory.account()

    def supports(self, capability: Capability) -> Level:
        """How the account gives a capability."""
        return _CAPABILITIES[capability]

    def load(self, refs: Sequence[Ref]) -> Sequence[Record]:
        """The records that exist; one request for up to 100 of one list."""
        mine = [ref for ref in refs if ref.account == self.key]
        return [self._record(kind, item) for kind, item in self._reader.load(mine)]

    def pages(self, kind: Kind, *, updated_since: datetime | None = None, cursor: str | None = None) -> Iterator[Page]:
        """All records of a kind, 100 a request and read ahead; with `updated_since` those that the history names.

        Complete even while others add, change and delete; a record may come twice.
        """
        for chunk in self._reader.pages(kind, updated_since, cursor):
            account = self.account()
            records = tuple([from_item(kind, item, account) for item in chunk.items])
            yield Page(records, chunk.cursor, is_dated=kind not in TOLD)

    def find(self, kind: Kind, query: Query) -> Sequence[Record]:
        """All that match; the vendor's wide search is narrowed by the normalized form."""
        found = (self._record(kind, raw) for raw in self._reader.find(kind, query))
        return narrowed(found, query, self._settings.country)

    def download(self, ref: Ref) -> bytes:
        """The content of a file, read whole."""
        return self._reader.content(ref)

    def fields(self, kind: Kind) -> Sequence[FieldDef]:
        """The custom fields of contacts, companies or deals; remembered for ten minutes."""
        return self._directory.fields(kind)

    def write(self, write: Write) -> Ref | None:
        """Do it; links, legal entities and merges cost requests of their own."""
        return sole(self._writer.write_many([write]))

    def write_many(self, writes: Sequence[Write]) -> Sequence[Ref | CrmKitError | None]:
        """Do them; creations go by fifties, a refused one does not stop the others."""
        return self._writer.write_many(writes)

    def natives(self, record: Record) -> Sequence[Native]:
        """The filled fields that only the vendor's words tell."""
        return natives(record)

    def native_extra(self, kind: Kind, values: Mapping[str, Json], *, on: Record | None = None) -> Mapping[str, Json]:
        """`extra=` that fills native fields."""
        return native_extra(values, on)

    def recover(self, write: Write, *, since: datetime, known: Collection[Ref]) -> Ref | None:
        """The record under the write's key, else the newest with its content that is not older than `since`."""
        return self._recovery.find(write, since.timestamp(), known, self.key)

    def feed(self, cursor: str | None) -> FeedPage:
        """The account's changes behind `cursor`: the histories of customers, companies, orders and tasks."""
        return self._feed.page(cursor)

    def ensure_hooks(self, url: str) -> HookState:
        """Keep the integration module registered; raises Unsupported with the triggers to type where none is named."""
        return ensure_hooks(self._line, self._settings, url)

    def call(self, method: str, path: str, *, query: Sequence[tuple[str, str]] = (), body: Json = None) -> Json:
        """Any request below the account's address (`/api/v5/segments`); a body is an object of form fields.

        Fields that are not texts are sent as JSON. A write is never repeated.
        """
        return self._line.send(method.upper(), f"/{path.lstrip('/')}", query, body)

    def close(self) -> None:
        """Give back the connections."""
        self._line.close()

    def _record(self, kind: Kind, item: Mapping[str, Any]) -> Record:
        return from_item(kind, item, self.account())

    def _local(self, seconds: float) -> str:
        return self._history.local(datetime.fromtimestamp(seconds, UTC))

    def _dial(self, is_telephony: bool) -> Transport:
        limits = auth.telephony_limits if is_telephony else auth.limits
        return self._doors.transport(
            self._settings.base_url, self._settings, limits(self._settings), judge_for(self.key)
        )
